/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An actor: one worker of several, and what its supervisor has to know to lead it from step to
 * step. Nothing here waits: whoever has the loop calls when a time has come, and the actor hears of
 * its worker's answers by that loop.
 */
#ifndef MEMSTRESS_USER_ACTOR_H
#define MEMSTRESS_USER_ACTOR_H

#include "growth.h"
#include "holding.h"
#include "loop.h"
#include "plan.h"
#include "record.h"
#include "scenario.h"
#include "worker.h"

/**
 * enum actor_state - where it is
 * @ACTOR_IS_AWAITED: it is not started yet
 * @ACTOR_PREPARES: the worker prepares
 * @ACTOR_PAUSES: before a step, until it is due
 * @ACTOR_GROWS: in a step, until the next move is due
 * @ACTOR_MAKES: the worker makes objects
 * @ACTOR_SHRINKS: the worker frees some of them
 * @ACTOR_HOLDS: after the last step, until it is due
 * @ACTOR_FREES: the worker frees all
 * @ACTOR_LEAVES: the worker ends
 * @ACTOR_IS_GONE: it has ended
 */
enum actor_state {
	ACTOR_IS_AWAITED,
	ACTOR_PREPARES,
	ACTOR_PAUSES,
	ACTOR_GROWS,
	ACTOR_MAKES,
	ACTOR_SHRINKS,
	ACTOR_HOLDS,
	ACTOR_FREES,
	ACTOR_LEAVES,
	ACTOR_IS_GONE,
};

/**
 * struct actor - one of them
 * @role: what it does
 * @name: it; of copies, with a number
 * @loop: hears of its worker
 * @log: gets the records
 * @alive_ns: as worker_start() has it
 * @cg: where it is
 * @cgroup: the same as an index of the scenario; -1: the job's own
 * @place: the same by name
 * @limit_comes: it may be without a limit now, and will come under one
 * @plans: of its steps
 * @holdings: of its steps
 * @worker: the process
 * @pid: of it, also when it has ended; 0: it was not started
 * @state: where it is
 * @due_ns: CLOCK_MONOTONIC when it goes on by itself; 0: it does not
 * @step: the one under way, from 0
 * @is_in_step: there is one, whose end is not told
 * @step_ns: when it began
 * @level: objects that it shall have after the move under way
 * @course: of its moves
 * @is_in_flight: a piece of it is being made
 * @stop: why the last step that ended has, MEMSTRESS_STOP_*
 * @is_dismissed: it was ended before it was over
 * @signal: that the worker died of; 0: none
 * @code: else its exit code
 * @has_failed: it cannot go on, and neither can the run:
 * @error: for this reason
 * @has_news: something has happened since whoever leads has cleared it
 */
struct actor {
	const struct scenario_worker *role;
	char name[72];
	struct loop *loop;
	struct record_log *log;
	__u64 alive_ns;
	const struct cgroup *cg;
	int cgroup;
	const char *place;
	bool limit_comes;
	struct plan plans[JOB_STEPS_MAX];
	struct holding holdings[JOB_STEPS_MAX];
	struct worker worker;
	int pid;
	enum actor_state state;
	__u64 due_ns;
	unsigned int step;
	bool is_in_step;
	__u64 step_ns;
	__u64 level;
	struct growth_course course;
	bool is_in_flight;
	__u32 stop;
	bool is_dismissed;
	int signal;
	int code;
	bool has_failed;
	struct error error;
	bool has_news;
};

/* Copy number @copy, from 1, of the role, to be started when it is due. 0 or -errno */
int actor_init(struct actor *actor, const struct scenario_worker *role, unsigned int copy,
	       struct loop *loop, struct record_log *log);
void actor_release(struct actor *actor);

/* It is in @cg, or will be started there */
void actor_place(struct actor *actor, const struct cgroup *cg, int cgroup, const char *place);

/* What it has to do is due */
void actor_go_on(struct actor *actor);

/* It is ended by a signal; that it is gone is heard of by the loop */
void actor_kill(struct actor *actor);

/* The most objects that its steps held, and what they were asked for, in all */
__u64 actor_objects(const struct actor *actor, __u64 *requested_bytes);

#endif /* MEMSTRESS_USER_ACTOR_H */
