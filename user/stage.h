/* SPDX-License-Identifier: GPL-2.0 */
/* The stage: all cgroups of a scenario, with their limits, from finding a place to removal. */
#ifndef MEMSTRESS_USER_STAGE_H
#define MEMSTRESS_USER_STAGE_H

#include "scenario.h"
#include "target.h"

/**
 * struct stage - the cgroups
 * @scenario: asks for them
 * @top: the job's own
 * @below: the others, in the order of the scenario
 * @bytes: their limits, by enum limits_which
 * @made: how many of them there are
 */
struct stage {
	const struct scenario *scenario;
	struct target top;
	struct cgroup below[SCENARIO_CGROUPS_MAX];
	__u64 bytes[SCENARIO_CGROUPS_MAX][LIMITS_END];
	unsigned int made;
};

/* Finds a place and what the limits will be, also those of later times; changes nothing. 0 or -1 */
int stage_prepare(struct stage *stage, const struct scenario *scenario, struct error *error);

/* Makes all of them. 0 or -1; stage_remove() is needed in both cases */
int stage_create(struct stage *stage, struct error *error);

/* Kills who is in there and removes all of them. 0 or -1 */
int stage_remove(struct stage *stage, struct error *error);

/* That of an index of the scenario; -1: the job's own */
const struct cgroup *stage_cgroup(const struct stage *stage, int index);

/* Of its limits, those that are to be put back; NULL: it is the scenario's, and goes with them */
struct cg_loan *stage_loan(struct stage *stage, int index);

/* The one above one that is not the job's own */
int stage_parent(const struct stage *stage, int index);

/* The tightest max in the beginning of it and those above; CG_UNLIMITED: there is none */
__u64 stage_effective(const struct stage *stage, int index);

/* What is written at a time, by enum limits_which; what is not is CG_UNLIMITED. 0 or -1 */
int stage_resolve(const struct stage *stage, const struct scenario_time *time,
		  __u64 bytes[LIMITS_END], struct error *error);

/* Which of them the kernel log calls @name; -2: none of them */
int stage_find(const struct stage *stage, const char *name);

#endif /* MEMSTRESS_USER_STAGE_H */
