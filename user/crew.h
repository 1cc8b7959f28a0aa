/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The writers of a squeeze: the presser, who lowers the limit; racers, who write it at the same
 * time; and the keeper, who puts it back, also when the tool has died.
 */
#ifndef MEMSTRESS_USER_CREW_H
#define MEMSTRESS_USER_CREW_H

#include "writer.h"

#define CREW_RACERS_MAX 8

/**
 * struct crew - all of them
 * @old: what the keeper writes
 * @racer_count: of @racers
 */
struct crew {
	struct writer_order old;
	struct writer keeper;
	struct writer presser;
	struct writer racers[CREW_RACERS_MAX];
	unsigned int racer_count;
};

/* Nobody to end yet */
void crew_init(struct crew *crew);

/*
 * Starts them for @file of @cg. @will has the limit before, which the keeper writes when it is told
 * to, and with @mourns also when the tool has died. 0 or -errno; crew_end() is needed in both cases
 */
int crew_start(struct crew *crew, struct loop *loop, const struct cgroup *cg, enum cg_file file,
	       const struct writer_will *will, bool mourns, unsigned int racers);

/* Ends them and their writes. -ETIMEDOUT: one of them does not die */
int crew_end(struct crew *crew);

/* The same, of all but the keeper */
int crew_end_writes(struct crew *crew);

void crew_press(struct crew *crew, __u64 bytes);

/* The limit before, or what it should be by now */
void crew_put_back(struct crew *crew, __u64 bytes);

/* The first raises to the old limit, the second lowers to @bytes, and so on; until they are told */
void crew_race(struct crew *crew, __u64 bytes);
void crew_stop_race(struct crew *crew);
bool crew_is_racing(const struct crew *crew);

/* What all racers have done */
struct writer_answer crew_race_answer(const struct crew *crew);

/* Somebody but the keeper writes */
bool crew_is_writing(const struct crew *crew);

/* Ends these writes by a signal; the writers live */
void crew_interrupt(const struct crew *crew);

#endif /* MEMSTRESS_USER_CREW_H */
