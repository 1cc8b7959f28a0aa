/* SPDX-License-Identifier: GPL-2.0 */
/* Growth: how a step comes to its size in the course of time, and how it holds it. */
#ifndef MEMSTRESS_USER_GROWTH_H
#define MEMSTRESS_USER_GROWTH_H

#include <stdbool.h>

#include <linux/types.h>

#include "error.h"

/**
 * enum growth_shape - the shape of the curve; all end at the step's size unless said otherwise
 * @GROWTH_ONCE: as fast as it goes
 * @GROWTH_LINEAR: by a rate
 * @GROWTH_GEOMETRIC: a level, and every time a multiple of the last one
 * @GROWTH_STEPS: by as much every time
 * @GROWTH_RANDOM: up or down every time, by a random part of as much; so many times
 * @GROWTH_SPIKE: up at once, and every time down to a level, or up again; so many times
 * @GROWTH_LEAK: up by as much every time, and down again but for a part
 */
enum growth_shape {
	GROWTH_ONCE,
	GROWTH_LINEAR,
	GROWTH_GEOMETRIC,
	GROWTH_STEPS,
	GROWTH_RANDOM,
	GROWTH_SPIKE,
	GROWTH_LEAK,
	GROWTH_END,
};

/**
 * struct growth - as the user asked for it; 0: not said
 * @shape: see there
 * @rate_bytes: a second
 * @factor: the multiple of a geometric growth; of a leak, which part stays
 * @every_ns: the time between moves
 * @step_bytes: of a move; a spike's lower level
 * @times: moves, or spikes
 * @churn_bytes: what is freed and made again each second while all is held
 */
struct growth {
	enum growth_shape shape;
	__u64 rate_bytes;
	__u64 factor;
	__u64 every_ns;
	__u64 step_bytes;
	__u64 times;
	__u64 churn_bytes;
};

/**
 * struct growth_course - a growth under way
 * @growth: what it is
 * @object_bytes: what an object is counted as
 * @total: objects that it ends at; ~0: none
 * @move: number of the next one
 * @level: objects that there should be
 * @random: state of the walk
 */
struct growth_course {
	const struct growth *growth;
	__u64 object_bytes;
	__u64 total;
	__u64 move;
	__u64 level;
	__u64 random;
};

const char *growth_name(enum growth_shape shape);

/* -1: there is none of this name */
int growth_find(const char *name);

/* Whether what was said belongs to the shape, and gives the rest its value. 0 or -1 */
int growth_finish(struct growth *growth, const char *where, struct error *error);

struct growth_text {
	char s[96];
};

/* "linear, 10M/s"; "" for GROWTH_ONCE */
struct growth_text growth_describe(const struct growth *growth);

void growth_begin(struct growth_course *course, const struct growth *growth, __u64 object_bytes,
		  __u64 total, __u64 seed);

/* The next move: its time since the beginning, and the level after it. False: there is none */
bool growth_next(struct growth_course *course, __u64 *at_ns, __u64 *level);

/* How long the course that begins at @course takes; ~0: it has no end */
__u64 growth_duration_ns(struct growth_course course);

/* Time between two rounds of churning, and how many objects a round is of */
void growth_churn(const struct growth *growth, __u64 object_bytes, __u64 *every_ns, __u64 *objects);

#endif /* MEMSTRESS_USER_GROWTH_H */
