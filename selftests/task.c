// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "task.h"

int task_read(struct task *task, pid_t tid)
{
	char path[32], line[256] = "";
	char *name, *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	/* In brackets, and it may hold some itself */
	name = strchr(line, '(');
	end = strrchr(line, ')');
	if (!name || !end || sscanf(end, ") %c %d", &task->state, &task->parent) != 2)
		return -ESRCH;
	*end = '\0';
	snprintf(task->name, sizeof(task->name), "%.*s", (int)sizeof(task->name) - 1, name + 1);
	return 0;
}
