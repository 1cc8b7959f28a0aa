/* SPDX-License-Identifier: GPL-2.0 */
/* What a cgroup says of itself at one moment: memory.current and all of memory.stat. */
#ifndef MEMSTRESS_SELFTESTS_SNAPSHOT_H
#define MEMSTRESS_SELFTESTS_SNAPSHOT_H

#include "cgroup.h"

#define SNAPSHOT_LINES 96

struct snapshot_line {
	char name[32];
	long long value;
};

/* Line 0 is memory.current under the name "usage", the others are memory.stat's */
struct snapshot {
	unsigned int lines;
	struct snapshot_line line[SNAPSHOT_LINES];
};

int snapshot_take(struct snapshot *snap, const struct cgroup *cg);

/* The value of a line; 0 where this kernel has no such line */
long long snapshot_value(const struct snapshot *snap, const char *name);

#endif /* MEMSTRESS_SELFTESTS_SNAPSHOT_H */
