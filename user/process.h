/* SPDX-License-Identifier: GPL-2.0 */
/* Processes and who began them, as /proc has it. */
#ifndef MEMSTRESS_USER_PROCESS_H
#define MEMSTRESS_USER_PROCESS_H

#include <sys/types.h>

/**
 * struct process_list - some of them
 * @pids: their numbers
 * @count: how many
 */
struct process_list {
	pid_t *pids;
	unsigned int count;
};

/*
 * @pid and its descendants that live, parents before children. The list is empty if @pid does not
 * live. @root is put before /proc. 0 or -errno
 */
int process_tree(struct process_list *list, const char *root, pid_t pid);
void process_list_free(struct process_list *list);

#endif /* MEMSTRESS_USER_PROCESS_H */
