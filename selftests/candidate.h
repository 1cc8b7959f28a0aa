/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process in a cgroup that the OOM killer may choose: with so much memory of its own, so much
 * oom_score_adj, and of a shape. It waits until it is killed.
 *
 * exit_mmap() of mm/mmap.c takes a victim for done (MMF_OOM_SKIP) when its pages are unmapped,
 * and frees them after that, all at once. A charge in between finds the cgroup still full, and
 * the OOM killer takes the next one. So a candidate dies at one go: on CPU 0, before anything
 * else there, which is where the charge has to be made (cpu_run_on()), and where the thread that
 * helps the dying has to be (oom_reaper_at_one_go()).
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
