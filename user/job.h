/* SPDX-License-Identifier: GPL-2.0 */
/* A job: the cgroup, the steps and what to expect of them, as the user asked for it. */
#ifndef MEMSTRESS_USER_JOB_H
#define MEMSTRESS_USER_JOB_H

#include <stdbool.h>

#include "error.h"
#include "kind.h"
#include "option.h"
#include "units.h"

#define JOB_STEPS_MAX 32

/**
 * enum until - when a step is over
 * @UNTIL_DONE: when it has made all that it was told to
 * @UNTIL_OOM: when the OOM killer strikes; only the last step can wait for that
 * @UNTIL_ENOMEM: when the kernel refuses an object
 * @UNTIL_USAGE: when the cgroup's usage has come to a given size
 */
enum until {
	UNTIL_DONE,
	UNTIL_OOM,
	UNTIL_ENOMEM,
	UNTIL_USAGE,
};

/**
 * enum expect - what must have happened in the end
 * @EXPECT_DONE: every step was done
 * @EXPECT_OOM: the OOM killer killed the worker for a limit of the cgroup or an ancestor
 * @EXPECT_ENOMEM: the last step was refused memory, and the worker lives
 * @EXPECT_KILLED: the worker was killed, by whomever
 * @EXPECT_SURVIVE: the worker lives, however its steps ended
 */
enum expect {
	EXPECT_DONE,
	EXPECT_OOM,
	EXPECT_ENOMEM,
	EXPECT_KILLED,
	EXPECT_SURVIVE,
	EXPECT_END,
};

/**
 * struct step - one ALLOC
 * @kind: NULL in the defaults only
 * @policy: enum memstress_policy
 * @order: of kinds that have one
 * @object_size: of the other kinds; 0: the kind's own default
 * @node: MEMSTRESS_NODE_ANY or a node
 * @zero: ask for zeroed memory
 * @account: ask for a charge
 * @size: how much in all; replaces @count
 * @count: how many objects; replaces @size
 * @until: what ends it
 * @usage: for UNTIL_USAGE
 */
struct step {
	const struct kind *kind;
	__u32 policy;
	__u32 order;
	__u64 object_size;
	__s32 node;
	bool zero;
	bool account;
	struct amount size;
	__u64 count;
	enum until until;
	struct amount usage;
};

/**
 * struct job - what to do
 * @cgroup: name or path of the cgroup to make; NULL: a name of our own
 * @max: its limits; AMOUNT_NONE: not set
 * @high: see @max
 * @swap_max: see @max
 * @oom_group: the OOM killer shall kill the cgroup as a whole
 * @outside: the worker stays outside and names the cgroup as the payer
 * @expect_given: the user said what to expect
 * @expect: else it follows from the last step
 * @hold_ns: how long to keep what was made
 * @free_order: enum memstress_free_order
 * @seed_given: for random order
 * @seed: see @seed_given
 * @timeout_ns: for the whole run
 * @json: JSON lines instead of the page
 * @quiet: only what went wrong
 * @defaults: what a new step begins with
 * @steps: in the order they are done
 * @step_count: number of them
 */
struct job {
	const char *cgroup;
	struct amount max;
	struct amount high;
	struct amount swap_max;
	bool oom_group;
	bool outside;
	bool expect_given;
	enum expect expect;
	__u64 hold_ns;
	__u32 free_order;
	bool seed_given;
	__u64 seed;
	__u64 timeout_ns;
	bool json;
	bool quiet;
	struct step defaults;
	struct step steps[JOB_STEPS_MAX];
	unsigned int step_count;
};

/* The options that make a job; their context is the job */
extern const struct option_group job_options[];

void job_init(struct job *job);

/* Whether it makes sense as a whole, and gives what was not said its value. 0 or -1 */
int job_finish(struct job *job, struct error *error);

const char *job_until_name(enum until until);
const char *job_expect_name(enum expect expect);
const char *job_free_order_name(__u32 order);

/* "page, order 2", "kmalloc, 96 bytes": the objects of a step */
struct job_text {
	char s[96];
} job_objects(const struct step *step);

#endif /* MEMSTRESS_USER_JOB_H */
