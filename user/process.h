/* SPDX-License-Identifier: GPL-2.0 */
/* Processes and who began them, as /proc has it. */
#ifndef MEMSTRESS_USER_PROCESS_H
#define MEMSTRESS_USER_PROCESS_H

#include <sys/types.h>

#include <linux/types.h>

/**
 * struct process_list - some of them
 * @pids: their numbers
 * @starts: when they began, by process_start()
 * @count: how many
 */
struct process_list {
	pid_t *pids;
	__u64 *starts;
	unsigned int count;
};

/*
 * @pid and its descendants that live, parents before children. The list is empty if @pid does not
 * live. @root is put before /proc. 0 or -errno
 */
int process_tree(struct process_list *list, const char *root, pid_t pid);
void process_list_free(struct process_list *list);

/* When it began, in ticks since boot, which tells it from others of its number; 0: not known */
__u64 process_start(const char *root, pid_t pid);

/*
 * A signal to somebody else's process, whose number may be another one's when it is sent: it is
 * opened, then looked at whether it is meant, and then told. @fd is -1 where there are no
 * descriptors of processes, and the number has to do. 0, or -errno: it is not there
 */
int process_open(pid_t pid, int *fd);
void process_send(int fd, pid_t pid, int signal);
void process_close(int fd);

/* Sends @signal to @pid and its descendants */
void process_signal_tree(const char *root, pid_t pid, int signal);

#endif /* MEMSTRESS_USER_PROCESS_H */
