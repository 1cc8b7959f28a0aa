/* SPDX-License-Identifier: GPL-2.0 */
/* The critic: how each worker of a scenario ended, and whether that is what was expected. */
#ifndef MEMSTRESS_USER_CRITIC_H
#define MEMSTRESS_USER_CRITIC_H

#include "actor.h"
#include "stage.h"
#include "verdict.h"

/* The limit of an OOM is none of the scenario's, or nobody tells */
#define CRITIC_NO_CGROUP (-2)

/**
 * struct critique - how a worker ended
 * @actor: it
 * @outcome: that
 * @limit: of OUTCOME_OOM, whose limit it was, an index of the scenario; -1: the job's own
 * @limit_name: it by name; "": nobody tells
 */
struct critique {
	const struct actor *actor;
	enum outcome outcome;
	int limit;
	char limit_name[512];
};

/* Finds that out, while the cgroups are there, and records it with what they used */
void critic_observe(struct critique *critiques, const struct actor *actors, unsigned int count,
		    const struct stage *stage, struct record_log *log);

/* Records what of the expectations has held, and what it amounts to */
void critic_judge(const struct critique *critiques, unsigned int count,
		  const struct scenario *scenario, struct record_log *log);

#endif /* MEMSTRESS_USER_CRITIC_H */
