// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom_reaper.h"

#define NAME "(oom_reaper) "

/* Of kthreadd, whose number is 2: anything may have this name */
static bool is_reaper(pid_t pid)
{
	char path[32], stat[128] = "";
	const char *name;
	FILE *file;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(stat, sizeof(stat), file))
		stat[0] = 0;
	fclose(file);
	name = strstr(stat, NAME);
	return name && sscanf(name + strlen(NAME), "%*c %d", &parent) == 1 && parent == 2;
}

static pid_t find(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t pid = -ESRCH;

	if (!proc)
		return -errno;
	while (pid < 0 && (entry = readdir(proc)))
		if (is_reaper(atoi(entry->d_name)))
			pid = atoi(entry->d_name);
	closedir(proc);
	return pid;
}

static int schedule(pid_t pid, int policy, int priority, const cpu_set_t *cpus)
{
	const struct sched_param param = { .sched_priority = priority };

	return sched_setaffinity(pid, sizeof(*cpus), cpus) ||
			       sched_setscheduler(pid, policy, &param) ?
		       -errno :
		       0;
}

int oom_reaper_at_one_go(struct oom_reaper *reaper)
{
	pid_t pid = find();
	cpu_set_t first;

	reaper->pid = 0;
	if (pid < 0)
		return pid;
	if (sched_getaffinity(pid, sizeof(reaper->cpus), &reaper->cpus))
		return -errno;
	reaper->pid = pid;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return schedule(pid, SCHED_FIFO, 1, &first);
}

int oom_reaper_restore(struct oom_reaper *reaper)
{
	pid_t pid = reaper->pid;

	reaper->pid = 0;
	return pid ? schedule(pid, SCHED_OTHER, 0, &reaper->cpus) : 0;
}
