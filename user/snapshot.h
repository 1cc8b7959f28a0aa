/* SPDX-License-Identifier: GPL-2.0 */
/* What a cgroup's files say at one moment. */
#ifndef MEMSTRESS_USER_SNAPSHOT_H
#define MEMSTRESS_USER_SNAPSHOT_H

#include <stdbool.h>

#include "cgroup.h"

/* Lines of memory.stat, the sizes that explain what kernel memory is made of */
enum snapshot_stat {
	STAT_ANON,
	STAT_FILE,
	STAT_KERNEL,
	STAT_SHMEM,
	STAT_HUGETLB,
	STAT_SOCK,
	STAT_KERNEL_STACK,
	STAT_PAGETABLES,
	STAT_PERCPU,
	STAT_VMALLOC,
	STAT_SLAB,
	STAT_END,
};

/*
 * Lines of memory.events. On cgroup v1: EVENT_OOM_KILL of memory.oom_control, which counts what
 * happened to tasks of the cgroup itself, and EVENT_FAILCNT, which is memory.failcnt: each attempt
 * to take pages that its limit did not allow.
 */
enum snapshot_event {
	EVENT_LOW,
	EVENT_HIGH,
	EVENT_MAX,
	EVENT_OOM,
	EVENT_OOM_KILL,
	EVENT_OOM_GROUP_KILL,
	EVENT_FAILCNT,
	EVENT_END,
};

/* In the order of the enums; a value that this kernel does not tell is CG_MISSING */
extern const char *const snapshot_stat_names[STAT_END];
extern const char *const snapshot_event_names[EVENT_END];

struct snapshot_events {
	__u64 value[EVENT_END];
};

/**
 * struct snapshot - a cgroup's counters
 * @usage_bytes: memory.current
 * @peak_bytes: memory.peak, or CG_MISSING
 * @stat: memory.stat; on cgroup v1 STAT_KERNEL is memory.kmem.usage_in_bytes
 * @events: memory.events: of the cgroup and those below it
 * @events_local: memory.events.local: of the cgroup alone; CG_MISSING on cgroup v1
 */
struct snapshot {
	__u64 usage_bytes;
	__u64 peak_bytes;
	__u64 stat[STAT_END];
	struct snapshot_events events;
	struct snapshot_events events_local;
};

/* The file, or on cgroup v1 the files, that they are from */
const char *snapshot_events_source(const struct snapshot_events *events);

/* 0 or -errno */
int snapshot_take(const struct cgroup *cg, struct snapshot *snapshot);

/*
 * Whether the cgroup has met its limit of @max_bytes itself: on cgroup v1, if only so that
 * something was reclaimed
 */
bool snapshot_has_met(const struct snapshot *snapshot, __u64 max_bytes);

/* All of @events but what has to be read from a file of its own, from the text of CG_EVENTS */
void snapshot_parse_events(const char *text, struct snapshot_events *events);

/* The rest of it. 0 or -errno */
int snapshot_read_failcnt(const struct cgroup *cg, struct snapshot_events *events);

#endif /* MEMSTRESS_USER_SNAPSHOT_H */
