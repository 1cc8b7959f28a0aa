/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What memory.events of a scope's cgroups must have counted: in the one where it happened,
 * above it, and nowhere else.
 */
#ifndef MEMSTRESS_SELFTESTS_SCOPE_EVENTS_H
#define MEMSTRESS_SELFTESTS_SCOPE_EVENTS_H

#include "events.h"
#include "scope.h"

enum scope_cgroup {
	SCOPE_TARGET,
	SCOPE_PARENT,
	SCOPE_SIBLING,
	SCOPE_CGROUPS,
};

const struct cgroup *scope_cgroup(const struct scope *scope, enum scope_cgroup at);

/* What they have counted so far, in an array of SCOPE_CGROUPS */
int scope_events_take(const struct scope *scope, struct events *events);

/* What they have counted since @before was taken */
int scope_events_since(const struct scope *scope, struct events *moved,
		       const struct events *before);

/*
 * Something is to happen @count times @at one of them. memcg_memory_event() of
 * include/linux/memcontrol.h counts locally where it happens, and in memory.events there
 * and at each ancestor, but on cgroup v1.
 */
void scope_events_expect(struct events *expected, enum scope_cgroup at, enum event event,
			 long long count);

/* Whether it is what was seen; reports what is not. The same of what happened since @before */
bool scope_events_equal(const struct scope *scope, const char *what, const struct events *expected,
			const struct events *seen);
bool scope_events_are(const struct scope *scope, const char *what, const struct events *before,
		      const struct events *expected);

#endif /* MEMSTRESS_SELFTESTS_SCOPE_EVENTS_H */
