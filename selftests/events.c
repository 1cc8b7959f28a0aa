// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include "events.h"
#include "law.h"

static const char *const event_names[EVENTS] = {
	[EVENT_LOW] = "low",           [EVENT_HIGH] = "high",
	[EVENT_MAX] = "max",           [EVENT_OOM] = "oom",
	[EVENT_OOM_KILL] = "oom_kill", [EVENT_OOM_GROUP_KILL] = "oom_group_kill",
};

static int events_read(long long *counts, const struct cgroup *cg, const char *file)
{
	unsigned int i;

	for (i = 0; i < EVENTS; i++) {
		counts[i] = cgroup_read_key(cg, file, event_names[i]);
		if (counts[i] == -ENOENT)
			counts[i] = 0;
		if (counts[i] < 0)
			return counts[i];
	}
	return 0;
}

int events_take(struct events *events, const struct cgroup *cg)
{
	int ret = events_read(events->local, cg, "memory.events.local");

	return ret ? ret : events_read(events->tree, cg, "memory.events");
}

int events_since(struct events *moved, const struct events *events, const struct cgroup *cg)
{
	int ret = events_take(moved, cg);
	unsigned int i;

	for (i = 0; i < EVENTS; i++) {
		moved->local[i] -= events->local[i];
		moved->tree[i] -= events->tree[i];
	}
	return ret;
}

bool events_equal(const struct cgroup *cg, const char *what, const struct events *expected,
		  const struct events *seen)
{
	bool equal = true;
	char text[128];
	unsigned int i;

	for (i = 0; i < EVENTS; i++) {
		snprintf(text, sizeof(text), "%s: memory.events.local %s", what, event_names[i]);
		equal &= law_equal(cg->path, text, expected->local[i], seen->local[i]);
		snprintf(text, sizeof(text), "%s: memory.events %s", what, event_names[i]);
		equal &= law_equal(cg->path, text, expected->tree[i], seen->tree[i]);
	}
	return equal;
}
