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
	STAT_KERNEL_STACK,
	STAT_PAGETABLES,
	STAT_PERCPU,
	STAT_VMALLOC,
	STAT_SLAB,
	STAT_END,
};

/* Lines of memory.events */
enum snapshot_event {
	EVENT_LOW,
	EVENT_HIGH,
	EVENT_MAX,
	EVENT_OOM,
	EVENT_OOM_KILL,
	EVENT_OOM_GROUP_KILL,
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
 * @stat: memory.stat
 * @events: memory.events: of the cgroup and those below it
 * @events_local: memory.events.local: of the cgroup alone
 */
struct snapshot {
	__u64 usage_bytes;
	__u64 peak_bytes;
	__u64 stat[STAT_END];
	struct snapshot_events events;
	struct snapshot_events events_local;
};

/* 0 or -errno */
int snapshot_take(const struct cgroup *cg, struct snapshot *snapshot);

/* From the text of memory.events */
void snapshot_parse_events(const char *text, struct snapshot_events *events);

#endif /* MEMSTRESS_USER_SNAPSHOT_H */
