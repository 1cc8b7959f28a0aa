/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What memory.events and memory.events.local of a cgroup count, and by how much it has
 * moved. On cgroup v1 what there is of it (cgroup.h), both files being the same.
 */
#ifndef MEMSTRESS_SELFTESTS_EVENTS_H
#define MEMSTRESS_SELFTESTS_EVENTS_H

#include "cgroup.h"

enum event {
	EVENT_LOW,
	EVENT_HIGH,
	EVENT_MAX,
	EVENT_OOM,
	EVENT_OOM_KILL,
	EVENT_OOM_GROUP_KILL, /* from 5.17 */
	EVENTS,
};

/* A line that this kernel does not have is 0 */
struct events {
	long long local[EVENTS];
	long long tree[EVENTS]; /* of the cgroup and all below: memory.events */
};

int events_take(struct events *events, const struct cgroup *cg);

/* What has happened since @events was taken; -errno */
int events_since(struct events *moved, const struct events *events, const struct cgroup *cg);

/* Whether both agree, what was seen and what the law expects; reports what does not */
bool events_equal(const struct cgroup *cg, const char *what, const struct events *expected,
		  const struct events *seen);

#endif /* MEMSTRESS_SELFTESTS_EVENTS_H */
