/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A change: what a scenario has happen at a time. Limits are written by a process of its own, one
 * after the other, as a write can last; those of several changes that are due are written at the
 * same time. A worker is moved at once.
 */
#ifndef MEMSTRESS_USER_CHANGE_H
#define MEMSTRESS_USER_CHANGE_H

#include "actor.h"
#include "stage.h"
#include "writer.h"

/**
 * struct change - one of them
 * @time: what is to be done
 * @stage: where
 * @cg: of this cgroup
 * @loan: knows what was there; NULL: the cgroup is the scenario's
 * @loop: hears of the writer
 * @log: gets the records
 * @bytes: the limits, by enum limits_which
 * @next: the limit that comes next, the one that is being written being before it
 * @is_writing: there is one
 * @writer: of it
 * @begin_ns: when it began
 * @before_bytes: what the usage was then
 */
struct change {
	const struct scenario_time *time;
	const struct stage *stage;
	const struct cgroup *cg;
	struct cg_loan *loan;
	struct loop *loop;
	struct record_log *log;
	__u64 bytes[LIMITS_END];
	unsigned int next;
	bool is_writing;
	struct writer writer;
	__u64 begin_ns;
	__u64 before_bytes;
};

void change_init(struct change *change, struct stage *stage, const struct scenario_time *time,
		 struct loop *loop, struct record_log *log);

/* Begins to write its limits. 0 or -1 */
int change_begin(struct change *change, struct error *error);

/* The write under way has ended */
bool change_is_due(const struct change *change);

/* Tells of that write, and begins the next one if there is one. 0 or -1 */
int change_go_on(struct change *change, struct error *error);

/* Ends a write that goes on, and tells so */
void change_end(struct change *change);

/* Moves @actor into the cgroup */
void change_move(struct change *change, struct actor *actor);

#endif /* MEMSTRESS_USER_CHANGE_H */
