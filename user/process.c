// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"

/**
 * struct process - one
 * @pid: it
 * @parent: who began it, or has inherited it
 */
struct process {
	pid_t pid;
	pid_t parent;
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
	return rest && sscanf(rest, ") %c %d", &state, &process->parent) == 2 && state != 'Z' &&
	       state != 'X';
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

/* Takes those off the table that @parent has begun, and puts them on the list. */
static void process_take_children(struct process_list *list, struct process_table *table,
				  pid_t parent)
{
	unsigned int i;

	for (i = 0; i < table->count; i++) {
		if (table->processes[i].parent != parent || !table->processes[i].pid)
			continue;
		list->pids[list->count++] = table->processes[i].pid;
		table->processes[i].pid = 0;
	}
}

int process_tree(struct process_list *list, const char *root, pid_t pid)
{
	struct process_table table = {};
	unsigned int i;
	int ret;

	memset(list, 0, sizeof(*list));
	ret = process_read_all(&table, root);
	list->pids = ret ? NULL : calloc(table.count + 1, sizeof(*list->pids));
	if (!list->pids) {
		free(table.processes);
		return ret ? ret : -ENOMEM;
	}
	for (i = 0; i < table.count; i++) {
		if (table.processes[i].pid != pid)
			continue;
		list->pids[list->count++] = pid;
		table.processes[i].pid = 0;
	}
	for (i = 0; i < list->count; i++)
		process_take_children(list, &table, list->pids[i]);
	free(table.processes);
	return 0;
}

void process_list_free(struct process_list *list)
{
	free(list->pids);
	memset(list, 0, sizeof(*list));
}
