/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first process of a container, PID 1 of its pid namespace: when it ends, the kernel ends the
 * others. It is held by a pidfd, so that its number cannot come to mean another one.
 */
#ifndef MEMSTRESS_USER_FIRST_PROCESS_H
#define MEMSTRESS_USER_FIRST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgroup.h"

/**
 * struct first_process - it
 * @pid: its number; 0: it is not known
 * @name: what the kernel calls it
 * @fd: pidfd, readable once it has ended; -1: it is not known
 * @has_status: it has ended, and the kernel has told how,
 * @status: namely like this, as waitpid() has it
 */
struct first_process {
	pid_t pid;
	char name[32];
	int fd;
	bool has_status;
	int status;
};

/* Looks for it in @cg and below. -ENOENT: nobody there is the first of a pid namespace */
int first_process_find(struct first_process *first, const struct cgroup *cg);

/* The same if its number is known. 0 or -errno */
int first_process_open(struct first_process *first, const char *root, pid_t pid);

void first_process_close(struct first_process *first);

/* Whether it has ended; then it brings @status up to date, which may come somewhat later */
bool first_process_has_ended(struct first_process *first);

/* Whether it has been sent SIGKILL, or is on its way out, however long that takes */
bool first_process_is_dying(const struct first_process *first, const char *root);

#endif /* MEMSTRESS_USER_FIRST_PROCESS_H */
