/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process in a cgroup that the OOM killer may choose: with so much memory of its own, so much
 * oom_score_adj, and of a shape. It waits until it is killed.
 *
 * It dies at one go (one_go.h), if the charge is made on CPU 0.
 */
#ifndef MEMSTRESS_SELFTESTS_CANDIDATE_H
#define MEMSTRESS_SELFTESTS_CANDIDATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgroup.h"

enum candidate_shape {
	CANDIDATE_ALONE,
	CANDIDATE_THREADS, /* with more threads, which have nothing of their own */
	CANDIDATE_SHARER,  /* with another process that has the same memory (CLONE_VM) */
};

struct candidate {
	pid_t pid;    /* 0: it has been reaped */
	pid_t sharer; /* the same, if there is one */
	bool shared;
	struct candidate_page *page;
};

/* It is inside and has what it holds when this returns. 0 or -errno */
int candidate_start(struct candidate *candidate, const struct cgroup *cg, size_t bytes,
		    int oom_score_adj, enum candidate_shape shape);

/* Whether all of it has been killed before the deadline; whether nothing of it has ended */
bool candidate_is_killed(struct candidate *candidate, __u64 deadline_ns);
bool candidate_lives(struct candidate *candidate);

/* Ends it, whatever became of it */
void candidate_end(struct candidate *candidate);

#endif /* MEMSTRESS_SELFTESTS_CANDIDATE_H */
