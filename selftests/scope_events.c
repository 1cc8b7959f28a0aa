// SPDX-License-Identifier: GPL-2.0
#include "scope_events.h"

const struct cgroup *scope_cgroup(const struct scope *scope, enum scope_cgroup at)
{
	const struct cgroup *const cgroups[SCOPE_CGROUPS] = {
		[SCOPE_TARGET] = &scope->target,
		[SCOPE_PARENT] = &scope->parent,
		[SCOPE_SIBLING] = &scope->sibling,
	};

	return cgroups[at];
}

int scope_events_take(const struct scope *scope, struct events *events)
{
	unsigned int at;
	int ret = 0;

	for (at = 0; at < SCOPE_CGROUPS && !ret; at++)
		ret = events_take(&events[at], scope_cgroup(scope, at));
	return ret;
}

int scope_events_since(const struct scope *scope, struct events *moved, const struct events *before)
{
	unsigned int at;
	int ret = 0;

	for (at = 0; at < SCOPE_CGROUPS && !ret; at++)
		ret = events_since(&moved[at], &before[at], scope_cgroup(scope, at));
	return ret;
}

void scope_events_expect(struct events *expected, enum scope_cgroup at, enum event event,
			 long long count)
{
	expected[at].local[event] += count;
	expected[at].tree[event] += count;
	if (at != SCOPE_PARENT && !cgroup_is_v1())
		expected[SCOPE_PARENT].tree[event] += count;
}

bool scope_events_equal(const struct scope *scope, const char *what, const struct events *expected,
			const struct events *seen)
{
	bool equal = true;
	unsigned int at;

	for (at = 0; at < SCOPE_CGROUPS; at++)
		equal &= events_equal(scope_cgroup(scope, at), what, &expected[at], &seen[at]);
	return equal;
}

bool scope_events_are(const struct scope *scope, const char *what, const struct events *before,
		      const struct events *expected)
{
	struct events seen[SCOPE_CGROUPS];

	if (scope_events_since(scope, seen, before))
		return false;
	return scope_events_equal(scope, what, expected, seen);
}
