/* SPDX-License-Identifier: GPL-2.0 */
/* A job: the cgroup, the steps and what to expect of them, as the user asked for it. */
#ifndef MEMSTRESS_USER_JOB_H
#define MEMSTRESS_USER_JOB_H

#include <stdbool.h>

#include "error.h"
#include "growth.h"
#include "kind.h"
#include "cgroup_limits.h"
#include "option.h"
#include "units.h"

#define JOB_STEPS_MAX 32
#define JOB_CPU_ANY   (-1)
#define JOB_DIR_MAX   512

/* For messages */
#define JOB_CONTEXT_NAMES "task, kworker, softirq, hardirq"

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
 * @policy_given: the user said so; else it follows from the context
 * @context: enum memstress_context
 * @cpu: JOB_CPU_ANY or the CPU that the context runs on
 * @method: enum memstress_alloc_method
 * @alignment: bytes; 0: the kind's own
 * @free_by: enum memstress_free_method, the job's
 * @free_context: enum memstress_context, the job's
 * @order: of kinds that have one
 * @object_size: of the other kinds; 0: the kind's own default
 * @node: MEMSTRESS_NODE_ANY or a node
 * @zero: ask for zeroed memory
 * @account: ask for a charge
 * @thp: of user memory: in huge pages
 * @mlock: it cannot be swapped out
 * @clean: it was not written to
 * @dir: where its file is; "": the kind's own place
 * @size: how much in all; replaces @count
 * @count: how many objects; replaces @size
 * @until: what ends it
 * @usage: for UNTIL_USAGE
 * @wait_ns: before it begins
 * @growth: how it comes to its size
 * @line: of the job file, where it begins; 0: it is of options
 */
struct step {
	const struct kind *kind;
	__u32 policy;
	bool policy_given;
	__u32 context;
	__s32 cpu;
	__u32 method;
	__u32 alignment;
	__u32 free_by;
	__u32 free_context;
	__u32 order;
	__u64 object_size;
	__s32 node;
	bool zero;
	bool account;
	bool thp;
	bool mlock;
	bool clean;
	char dir[JOB_DIR_MAX];
	struct amount size;
	__u64 count;
	enum until until;
	struct amount usage;
	__u64 wait_ns;
	struct growth growth;
	unsigned int line;
};

/**
 * struct job - what to do
 * @limits: of the cgroup; they come first, for limits_options
 * @cgroup: name or path of the cgroup to make; NULL: a name of our own
 * @cgroup_option: the option that says so, for messages
 * @in: the cgroup to use instead, which is there and somebody else's; NULL: none
 * @outside: the worker stays outside and names the cgroup as the payer
 * @expect_given: the user said what to expect
 * @expect: else it follows from the last step
 * @hold_ns: how long to keep what was made
 * @free_order: enum memstress_free_order
 * @free_by: enum memstress_free_method
 * @free_context: enum memstress_context
 * @seed_given: for random order
 * @seed: see @seed_given
 * @timeout_given: the user said how long the run may take
 * @timeout_ns: else it is as long, and the time that growth takes
 * @json: JSON lines instead of the page
 * @quiet: only what went wrong
 * @file: the path of the job file that it is from, for messages; NULL: none
 * @defaults: what a new step begins with
 * @steps: in the order they are done
 * @step_count: number of them
 * @chosen: which of them options for steps apply to, from 1; 0: the one begun last, before the
 *	first one all of them
 */
struct job {
	struct limits limits;
	const char *cgroup;
	const char *cgroup_option;
	const char *in;
	bool outside;
	bool expect_given;
	enum expect expect;
	__u64 hold_ns;
	__u32 free_order;
	__u32 free_by;
	__u32 free_context;
	bool seed_given;
	__u64 seed;
	bool timeout_given;
	__u64 timeout_ns;
	bool json;
	bool quiet;
	const char *file;
	struct step defaults;
	struct step steps[JOB_STEPS_MAX];
	unsigned int step_count;
	unsigned int chosen;
};

/* The options that make a job; their context is the job */
extern const struct option_group job_options[];

/* Those of them that are for a step */
extern const struct option_group job_step_groups[];

/* Those of them that say which cgroup, and those for the run as a whole */
extern const struct option job_place_options[];
extern const struct option job_run_options[];

/* Those for steps of kernel and of user memory, and for growth, in user/job_*.c */
extern const struct option job_kernel_options[];
extern const struct option job_user_options[];
extern const struct option job_growth_options[];

/*
 * For these files: what an option for steps applies to, and NULL if it is for what only the module
 * can do and the step is of user memory; that @value is not allowed: -1
 */
struct step *job_step(struct job *job);
struct step *job_kernel_step(struct job *job, const char *where, struct error *error);
int job_refuse(struct error *error, const char *where, const char *value, const char *allowed);

/* Begins a step, of KIND[,KEY=VALUE]... 0 or -1 */
int job_begin_step(struct job *job, const char *where, const char *value, struct error *error);

/* A default that user memory has no use for is meant for kernel memory */
void job_forget_kernel(struct step *step);

/* Whether the step of user memory makes sense, and gives what was not said its value. 0 or -1 */
int job_finish_user(const struct job *job, struct step *step, const char *where,
		    struct error *error);

void job_init(struct job *job);

/* Some step is of user memory; or of kernel memory, which only the module makes */
bool job_has_user_memory(const struct job *job);
bool job_has_kernel_memory(const struct job *job);

/* Whether it makes sense as a whole, and gives what was not said its value. 0 or -1 */
int job_finish(struct job *job, struct error *error);

/* The same of job_place_options alone */
int job_finish_place(const struct job *job, struct error *error);

const char *job_until_name(enum until until);
const char *job_expect_name(enum expect expect);
const char *job_free_order_name(__u32 order);

struct job_text {
	char s[96];
};

/* "page, order 2", "kmalloc, 96 bytes": the objects of a step */
struct job_text job_objects(const struct step *step);

/* "policy nowait, in softirq on CPU 1": how they are made */
struct job_text job_manner(const struct step *step);

#endif /* MEMSTRESS_USER_JOB_H */
