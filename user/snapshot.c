// SPDX-License-Identifier: GPL-2.0
#include "snapshot.h"

const char *const snapshot_stat_names[STAT_END] = {
	[STAT_ANON] = "anon",
	[STAT_FILE] = "file",
	[STAT_SHMEM] = "shmem",
	[STAT_HUGETLB] = "hugetlb",
	[STAT_SOCK] = "sock",
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
	[EVENT_FAILCNT] = "failcnt",
};

void snapshot_parse_events(const char *text, struct snapshot_events *events)
{
	cg_parse_keys(text, snapshot_event_names, EVENT_END, events->value);
}

const char *snapshot_events_source(const struct snapshot_events *events)
{
	return events->value[EVENT_FAILCNT] == CG_MISSING ? "memory.events" :
							    "memory.oom_control, failcnt";
}

int snapshot_read_failcnt(const struct cgroup *cg, struct snapshot_events *events)
{
	return cg_read_number_if_any(cg, CG_FAILCNT, &events->value[EVENT_FAILCNT]);
}

/* On v1 a refusal of memory and swap together, which are charged first, is no failcnt of memory. */
bool snapshot_has_met(const struct snapshot *snapshot, __u64 max_bytes)
{
	if (snapshot->events_local.value[EVENT_OOM] != CG_MISSING)
		return snapshot->events_local.value[EVENT_OOM];
	return snapshot->events.value[EVENT_FAILCNT] ||
	       (snapshot->peak_bytes != CG_MISSING && snapshot->peak_bytes >= max_bytes);
}

static int snapshot_take_stat(const struct cgroup *cg, struct snapshot *snapshot)
{
	int ret = cg_read_keys(cg, CG_STAT, snapshot_stat_names, STAT_END, snapshot->stat);

	if (ret || !cg->tree->ops->files[CG_KERNEL])
		return ret;
	return cg_read_number_if_any(cg, CG_KERNEL, &snapshot->stat[STAT_KERNEL]);
}

static int snapshot_take_events(const struct cgroup *cg, struct snapshot *snapshot)
{
	__u64 *local = snapshot->events_local.value;
	int ret;

	ret = cg_read_keys(cg, CG_EVENTS, snapshot_event_names, EVENT_END, snapshot->events.value);
	if (!ret)
		ret = snapshot_read_failcnt(cg, &snapshot->events);
	if (ret)
		return ret;
	if (cg->tree->ops->files[CG_EVENTS_LOCAL])
		return cg_read_keys(cg, CG_EVENTS_LOCAL, snapshot_event_names, EVENT_END, local);
	cg_parse_keys("", snapshot_event_names, EVENT_END, local);
	return 0;
}

int snapshot_take(const struct cgroup *cg, struct snapshot *snapshot)
{
	int ret;

	ret = cg_read_number(cg, CG_USAGE, &snapshot->usage_bytes);
	if (ret)
		return ret;
	ret = cg_read_number_if_any(cg, CG_PEAK, &snapshot->peak_bytes);
	if (ret)
		return ret;
	ret = snapshot_take_stat(cg, snapshot);
	return ret ? ret : snapshot_take_events(cg, snapshot);
}
