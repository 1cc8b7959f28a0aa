/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes in a cgroup that live until they are killed, for the OOM killer to choose from.
 * They can hold memory that reclaim takes without swap or a disk: what MADV_FREE has been
 * said of.
 */
#ifndef MEMSTRESS_SELFTESTS_CROWD_H
#define MEMSTRESS_SELFTESTS_CROWD_H

#include <sys/types.h>

#include "cgroup.h"

#define CROWD_MAX 32

enum crowd_does {
	CROWD_WAITS,  /* nothing */
	CROWD_HOLDS,  /* holds memory that can be reclaimed */
	CROWD_CHURNS, /* takes such memory, again and again */
};

struct crowd {
	unsigned int count;
	unsigned int killed; /* of those that have ended, by SIGKILL */
	unsigned int ended;
	pid_t pid[CROWD_MAX]; /* 0: has ended */
	unsigned int *ready;
};

/* All of them are inside and have what they hold when this returns. @bytes: of each */
int crowd_start(struct crowd *crowd, const struct cgroup *cg, unsigned int count,
		enum crowd_does does, size_t bytes);

/* How many are still there */
unsigned int crowd_living(struct crowd *crowd);

/* Waits until none is, whom the test did not kill */
int crowd_await(struct crowd *crowd, __u64 deadline_ns);

void crowd_kill(struct crowd *crowd);

#endif /* MEMSTRESS_SELFTESTS_CROWD_H */
