// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "one_go.h"
#include "task.h"

#define REAPER   "oom_reaper"
#define KTHREADD 2

/* A child of kthreadd: anything may have this name */
static bool is_reaper(pid_t pid)
{
	struct task task;

	return !task_read(&task, pid) && task.parent == KTHREADD && !strcmp(task.name, REAPER);
}

static pid_t find_reaper(void)
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

static int schedule(pid_t pid, int policy, int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	return sched_setscheduler(pid, policy, &param) ? -errno : 0;
}

int one_go_victim(pid_t pid)
{
	int ret = cpu_pin(pid, 0);

	return ret ? ret : schedule(pid, SCHED_FIFO, 1);
}

int one_go_begin(struct one_go *one_go)
{
	pid_t pid = find_reaper();

	one_go->reaper = 0;
	if (pid < 0)
		return pid;
	if (sched_getaffinity(pid, sizeof(one_go->cpus), &one_go->cpus))
		return -errno;
	one_go->reaper = pid;
	return one_go_victim(pid);
}

int one_go_end(struct one_go *one_go)
{
	pid_t pid = one_go->reaper;

	one_go->reaper = 0;
	if (!pid)
		return 0;
	if (sched_setaffinity(pid, sizeof(one_go->cpus), &one_go->cpus))
		return -errno;
	return schedule(pid, SCHED_OTHER, 0);
}
