// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "watch.h"

static void watch_read(struct watch_cgroup *cgroup)
{
	int ret = usage_take(&cgroup->cg, &cgroup->usage);

	if (!ret)
		ret = cg_read_number_if_any(&cgroup->cg, CG_HIGH, &cgroup->high_bytes);
	if (!ret)
		ret = memory_stat_read(&cgroup->cg, &cgroup->stat);
	cgroup->error = ret;
}

void watch_add(struct watch *watch, const struct cgroup *cg)
{
	struct watch_cgroup *cgroup = &watch->cgroups[watch->count++];
	int ret;

	memset(cgroup, 0, sizeof(*cgroup));
	cgroup->cg = *cg;
	ret = kmsg_open(&cgroup->kmsg, cg_name(cg->tree, cg->path));
	if (ret)
		watch->log_error = ret;
	watch_read(cgroup);
	cgroup->first = cgroup->usage.events;
}

void watch_close(struct watch *watch)
{
	unsigned int i;

	for (i = 0; i < watch->count; i++) {
		kmsg_close(&watch->cgroups[i].kmsg);
		cg_look_away(&watch->cgroups[i].cg);
	}
	watch->count = 0;
}

static void watch_tell_time(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm parts;

	if (!localtime_r(&now, &parts) || !strftime(text, size, "%H:%M:%S", &parts))
		*text = '\0';
}

void watch_look(struct watch *watch)
{
	unsigned int i;

	watch_tell_time(watch->time, sizeof(watch->time));
	for (i = 0; i < watch->count; i++)
		watch_read(&watch->cgroups[i]);
}

/* A cgroup and one above it may both hear of a kill. */
static bool watch_has_kill(const struct watch *watch, const struct kmsg_oom *killed)
{
	unsigned int i;

	for (i = 0; i < watch->kill_count; i++)
		if (watch->kills[i].log_us == killed->time_us && watch->kills[i].pid == killed->pid)
			return true;
	return false;
}

void watch_add_kill(struct watch *watch, const struct kmsg_oom *killed, const char *cgroup)
{
	struct watch_kill *kill = &watch->kills[0];

	if (watch_has_kill(watch, killed))
		return;
	memmove(&watch->kills[1], kill, (WATCH_KILLS_MAX - 1) * sizeof(*kill));
	if (watch->kill_count < WATCH_KILLS_MAX)
		watch->kill_count++;
	memset(kill, 0, sizeof(*kill));
	watch_tell_time(kill->time, sizeof(kill->time));
	kill->log_us = killed->time_us;
	kill->pid = killed->pid;
	snprintf(kill->task, sizeof(kill->task), "%s", killed->task);
	kill->anon_rss_bytes = killed->anon_rss_bytes;
	snprintf(kill->cgroup, sizeof(kill->cgroup), "%.127s", cgroup);
}

int watch_hear(struct watch *watch, struct watch_cgroup *cgroup)
{
	struct kmsg_oom oom;
	int ret;

	while ((ret = kmsg_next(&cgroup->kmsg, &oom)) == 1) {
		if (oom.what == KMSG_CHOSEN)
			cgroup->chosen = oom;
		else if (oom.what == KMSG_KILLED)
			watch_add_kill(watch, &oom, cgroup->chosen.task_memcg);
	}
	if (ret)
		watch->log_error = ret;
	return ret;
}
