/* SPDX-License-Identifier: GPL-2.0 */
/* A process or thread, as its line in /proc tells it (proc(5)). */
#ifndef MEMSTRESS_SELFTESTS_TASK_H
#define MEMSTRESS_SELFTESTS_TASK_H

#include <sys/types.h>

struct task {
	char name[64];
	char state;
	pid_t parent;
};

/* 0 or -errno */
int task_read(struct task *task, pid_t tid);

#endif /* MEMSTRESS_SELFTESTS_TASK_H */
