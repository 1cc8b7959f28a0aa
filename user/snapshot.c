// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "snapshot.h"

const char *const snapshot_stat_names[STAT_END] = {
	[STAT_ANON] = "anon",
	[STAT_FILE] = "file",
	[STAT_KERNEL] = "kernel",
	[STAT_KERNEL_STACK] = "kernel_stack",
	[STAT_PAGETABLES] = "pagetables",
	[STAT_PERCPU] = "percpu",
	[STAT_VMALLOC] = "vmalloc",
	[STAT_SLAB] = "slab",
};

const char *const snapshot_event_names[EVENT_END] = {
	[EVENT_LOW] = "low",           [EVENT_HIGH] = "high",
	[EVENT_MAX] = "max",           [EVENT_OOM] = "oom",
	[EVENT_OOM_KILL] = "oom_kill", [EVENT_OOM_GROUP_KILL] = "oom_group_kill",
};

void snapshot_parse_events(const char *text, struct snapshot_events *events)
{
	cg_parse_keys(text, snapshot_event_names, EVENT_END, events->value);
}

int snapshot_take(const struct cgroup *cg, struct snapshot *snapshot)
{
	int ret;

	ret = cg_read_number(cg, CG_USAGE, &snapshot->usage_bytes);
	if (ret)
		return ret;
	ret = cg_read_number(cg, CG_PEAK, &snapshot->peak_bytes);
	if (ret == -EOPNOTSUPP)
		snapshot->peak_bytes = CG_MISSING;
	else if (ret)
		return ret;
	ret = cg_read_keys(cg, CG_STAT, snapshot_stat_names, STAT_END, snapshot->stat);
	if (ret)
		return ret;
	ret = cg_read_keys(cg, CG_EVENTS, snapshot_event_names, EVENT_END, snapshot->events.value);
	if (ret)
		return ret;
	return cg_read_keys(cg, CG_EVENTS_LOCAL, snapshot_event_names, EVENT_END,
			    snapshot->events_local.value);
}
