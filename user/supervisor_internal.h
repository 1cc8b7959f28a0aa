/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the supervisor share: supervisor.c, and supervisor_steps.c for the steps. */
#ifndef MEMSTRESS_USER_SUPERVISOR_INTERNAL_H
#define MEMSTRESS_USER_SUPERVISOR_INTERNAL_H

#include "channels.h"
#include "holding.h"
#include "plan.h"
#include "target.h"
#include "worker.h"

/**
 * struct supervisor - a run under way
 * @job: what to do
 * @log: gets the records
 * @device: a session of our own, for what needs no worker; -1: there is none
 * @info: what the module says of this machine, or what is known without it
 * @plans: of the steps
 * @holdings: of the steps
 * @target: the cgroup that pays
 * @channels: what is watched
 * @worker: the process that allocates
 * @answered: it did what it was told
 * @gone: it has ended
 * @untold: the step under way, from 1, as long as there is no record of its end
 * @in_flight: a piece of it is being made
 * @can_settle: counters can be made exact
 */
struct supervisor {
	const struct job *job;
	struct record_log *log;
	int device;
	struct memstress_info info;
	struct plan plans[JOB_STEPS_MAX];
	struct holding holdings[JOB_STEPS_MAX];
	struct target target;
	struct channels channels;
	struct worker worker;
	bool answered;
	bool gone;
	unsigned int untold;
	bool in_flight;
	bool can_settle;
};

/* supervisor.c */

/* The cgroup cannot be read: somebody removed it, or worse. -1 */
int supervisor_lost(const struct supervisor *s, int ret, struct error *error);

/* Makes the counters exact, if that can be done. 0 or -1 */
int supervisor_settle(struct supervisor *s, struct record_counters *counters, struct error *error);

/* The run has nobody to go on with; as for loop_await() */
bool supervisor_is_over(void *context);

/* Gives the worker a command. True if it has answered, and the run goes on */
bool supervisor_ask(struct supervisor *s, enum worker_command command);

/*
 * Starts the worker in @cg, or beside the caller if that is NULL, and lets it prepare; how that
 * went is in its page. 0 or -errno
 */
int supervisor_start(struct supervisor *s, const struct cgroup *cg);

/* supervisor_steps.c */

/* Makes @count more objects of step @i. Sets *@done to whether all of them were made. 0 or -1 */
int supervisor_make(struct supervisor *s, unsigned int i, __u64 count, bool *done,
		    struct error *error);

/* Frees the newest @count objects of step @i. 0 or -1 */
int supervisor_shrink(struct supervisor *s, unsigned int i, __u64 count, struct error *error);

/* Does step @i. Sets *@go_on to whether there can be a next one. 0 or -1 */
int supervisor_step(struct supervisor *s, unsigned int i, bool *go_on, struct error *error);

/* What the step has made that the worker's end has ended, if there is one */
void supervisor_tell_alloc(struct supervisor *s);

/* Frees and makes again what the steps that churn say, as long as the run is on hold. 0 or -1 */
int supervisor_churn(struct supervisor *s, __u64 until_ns, struct error *error);

#endif /* MEMSTRESS_USER_SUPERVISOR_INTERNAL_H */
