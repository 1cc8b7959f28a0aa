// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"

/**
 * struct process - one
 * @pid: it
 * @parent: who began it, or has inherited it
 * @start: when it began, in ticks; 0: not known
 */
struct process {
	pid_t pid;
	pid_t parent;
	__u64 start;
};

struct process_table {
	struct process *processes;
	unsigned int count;
};

/* "PID (NAME) STATE PARENT ...", and NAME may be anything. False: it is dead, or gone. */
static bool process_read(const char *proc, const char *name, struct process *process)
{
	char path[PATH_MAX + 300], text[512], state;
	const char *rest;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/stat", proc, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	rest = strrchr(text, ')');
	process->pid = atoi(name);
	process->start = 0;
	return rest &&
	       sscanf(rest,
		      ") %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
		      &state, &process->parent, &process->start) >= 2 &&
	       state != 'Z' && state != 'X';
}

static bool process_read_pid(const char *root, pid_t pid, struct process *process)
{
	char proc[PATH_MAX], name[16];

	snprintf(proc, sizeof(proc), "%s/proc", root);
	snprintf(name, sizeof(name), "%d", pid);
	return process_read(proc, name, process);
}

static int process_add(struct process_table *table, const struct process *process)
{
	struct process *processes;

	processes = realloc(table->processes, (table->count + 1) * sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	table->processes = processes;
	processes[table->count++] = *process;
	return 0;
}

static int process_read_all(struct process_table *table, const char *root)
{
	struct process process;
	struct dirent *entry;
	char proc[PATH_MAX];
	int ret = 0;
	DIR *dir;

	snprintf(proc, sizeof(proc), "%s/proc", root);
	dir = opendir(proc);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    process_read(proc, entry->d_name, &process))
			ret = process_add(table, &process);
	closedir(dir);
	return ret;
}

static void process_take(struct process_list *list, struct process *process)
{
	list->pids[list->count] = process->pid;
	list->starts[list->count++] = process->start;
	process->pid = 0;
}

/* Takes those off the table that @parent has begun, and puts them on the list. */
static void process_take_children(struct process_list *list, struct process_table *table,
				  pid_t parent)
{
	unsigned int i;

	for (i = 0; i < table->count; i++)
		if (table->processes[i].parent == parent && table->processes[i].pid)
			process_take(list, &table->processes[i]);
}

int process_tree(struct process_list *list, const char *root, pid_t pid)
{
	struct process_table table = {};
	unsigned int i;
	int ret;

	memset(list, 0, sizeof(*list));
	ret = process_read_all(&table, root);
	if (!ret) {
		list->pids = calloc(table.count + 1, sizeof(*list->pids));
		list->starts = calloc(table.count + 1, sizeof(*list->starts));
		ret = list->pids && list->starts ? 0 : -ENOMEM;
	}
	if (ret) {
		free(table.processes);
		process_list_free(list);
		return ret;
	}
	for (i = 0; i < table.count; i++)
		if (table.processes[i].pid == pid)
			process_take(list, &table.processes[i]);
	for (i = 0; i < list->count; i++)
		process_take_children(list, &table, list->pids[i]);
	free(table.processes);
	return 0;
}

void process_list_free(struct process_list *list)
{
	free(list->pids);
	free(list->starts);
	memset(list, 0, sizeof(*list));
}

__u64 process_start(const char *root, pid_t pid)
{
	struct process process;

	return process_read_pid(root, pid, &process) ? process.start : 0;
}

int process_open(pid_t pid, int *fd)
{
	*fd = syscall(SYS_pidfd_open, pid, 0);
	/* EPERM: a container may not let it through. */
	return *fd >= 0 || errno == ENOSYS || errno == EPERM ? 0 : -errno;
}

void process_send(int fd, pid_t pid, int signal)
{
	if (fd < 0)
		kill(pid, signal);
	else
		syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
}

void process_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void process_signal_tree(const char *root, pid_t pid, int signal)
{
	struct process_list list;
	unsigned int i;
	int fd;

	if (process_tree(&list, root, pid))
		return;
	/* Parents die first: whose descendants the rest are cannot be seen any more. */
	for (i = 0; i < list.count; i++) {
		if (process_open(list.pids[i], &fd))
			continue;
		if (process_start(root, list.pids[i]) == list.starts[i])
			process_send(fd, list.pids[i], signal);
		process_close(fd);
	}
	process_list_free(&list);
}
