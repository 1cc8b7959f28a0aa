/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A scenario: what a job file says of several cgroups, workers, and what is to happen when. One
 * with a single worker and nothing of that is just a job.
 */
#ifndef MEMSTRESS_USER_SCENARIO_H
#define MEMSTRESS_USER_SCENARIO_H

#include "cgroup_limits.h"
#include "job.h"
#include "job_file.h"

#define SCENARIO_CGROUPS_MAX 32
#define SCENARIO_WORKERS_MAX 32
#define SCENARIO_COPIES_MAX  64
#define SCENARIO_TIMES_MAX   64
#define SCENARIO_EXPECTS_MAX 64
#define SCENARIO_NEEDS_MAX   4

/* The worker of steps that stand below no [worker] */
#define SCENARIO_WORKER_NAME "worker"

/**
 * enum scenario_need - what the machine must have
 * @NEED_V1: memory on cgroup v1
 * @NEED_V2: on v2
 * @NEED_SWAP: swap, with accounting
 * @NEED_NO_SWAP: no swap
 */
enum scenario_need {
	NEED_V1,
	NEED_V2,
	NEED_SWAP,
	NEED_NO_SWAP,
	NEED_END,
};

/**
 * struct scenario_cgroup - a cgroup below the job's own
 * @limits: its own; they come first, for limits_options
 * @name: its path below the job's own
 * @line: of its heading; 0: it has none, as only those below it do
 * @is_parent: there is one below it, so that no worker can be in it
 */
struct scenario_cgroup {
	struct limits limits;
	char name[64];
	unsigned int line;
	bool is_parent;
};

/**
 * struct scenario_worker - a worker, or several that do the same
 * @index: among the workers of the scenario
 * @name: it
 * @line: of its heading; 0: it has none
 * @job: its steps, and how long it holds what it has made
 * @cgroup: where it begins, an index; -1: the job's own
 * @cgroup_name: the same as it is called; NULL: not said
 * @cgroup_line: of that
 * @copies: how many there are
 * @after: when this one has ended, all its copies, an index; -1: from the beginning
 * @start_ns: so long after that it is started
 */
struct scenario_worker {
	int index;
	char name[64];
	unsigned int line;
	struct job job;
	int cgroup;
	const char *cgroup_name;
	unsigned int cgroup_line;
	unsigned int copies;
	int after;
	__u64 start_ns;
};

/**
 * struct scenario_time - what happens at a time
 * @limits: that are written; they come first, for limits_options
 * @at_ns: when, from the beginning
 * @line: of its heading
 * @cgroup: an index; -1: the job's own
 * @cgroup_name: as above
 * @worker: that is moved into it, all its copies; -1: none
 * @worker_name: as it is called
 */
struct scenario_time {
	struct limits limits;
	__u64 at_ns;
	unsigned int line;
	int cgroup;
	const char *cgroup_name;
	int worker;
	const char *worker_name;
};

/**
 * enum scenario_quantity - how many copies of a worker
 */
enum scenario_quantity {
	QUANTITY_ALL,
	QUANTITY_SOME, /* at least one */
	QUANTITY_NONE,
	QUANTITY_NUMBER,
};

/**
 * struct scenario_expect - what must come of a worker
 * @text: as the user wrote it
 * @line: where
 * @worker: an index
 * @quantity: of how many
 * @number: of QUANTITY_NUMBER
 * @what: it
 * @is_of: for the limit of a cgroup, namely
 * @of: this one, an index; -1: the job's own
 */
struct scenario_expect {
	char text[96];
	unsigned int line;
	int worker;
	enum scenario_quantity quantity;
	__u64 number;
	enum expect what;
	bool is_of;
	int of;
};

/**
 * struct scenario - all of it
 * @run: what is said of the whole; of a single worker, all of it. It comes first, for job_options
 * @file: where it is from; it has to be kept
 * @needs: by enum scenario_need
 * @needs_line: which says so
 * @cgroups: below the job's own, those above before those below
 * @cgroup_count: number of them
 * @workers: it
 * @worker_count: number of them
 * @times: in the order of their times
 * @time_count: number of them
 * @expects: it
 * @expect_count: number of them
 */
struct scenario {
	struct job run;
	const struct job_file *file;
	bool needs[NEED_END];
	unsigned int needs_line;
	struct scenario_cgroup cgroups[SCENARIO_CGROUPS_MAX];
	unsigned int cgroup_count;
	struct scenario_worker workers[SCENARIO_WORKERS_MAX];
	unsigned int worker_count;
	struct scenario_time times[SCENARIO_TIMES_MAX];
	unsigned int time_count;
	struct scenario_expect expects[SCENARIO_EXPECTS_MAX];
	unsigned int expect_count;
};

/* It takes more than a job with a single worker */
bool scenario_is_large(const struct scenario *scenario);

/* Reads all of @file, which has to be kept as long as the scenario. 0 or -1 */
int scenario_read(struct scenario *scenario, const struct job_file *file, struct error *error);

/*
 * Whether it makes sense as a whole, and gives what was not said its value. If it is not large,
 * everything is in its run afterwards. 0 or -1
 */
int scenario_finish(struct scenario *scenario, struct error *error);

/* Whether the machine has what it needs. 0, or -1 and it is unsupported here */
int scenario_check_needs(const struct scenario *scenario, struct error *error);

/* "a/b"; "/" for the job's own */
const char *scenario_cgroup_name(const struct scenario *scenario, int cgroup);

#endif /* MEMSTRESS_USER_SCENARIO_H */
