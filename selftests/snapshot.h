/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a cgroup says of itself at one moment: memory.current and all of memory.stat.
 *
 * On cgroup v1 memory.stat has no line for kernel memory. There are counters of whole pages
 * instead: memory.kmem.usage_in_bytes, and memory.memsw.usage_in_bytes, which takes every charge
 * that memory.usage_in_bytes does. So v1 shows each page, whether it is kernel memory, and that it
 * is on no line where it does not belong; what it cannot show is of which kind it is, and bytes.
 */
#ifndef MEMSTRESS_SELFTESTS_SNAPSHOT_H
#define MEMSTRESS_SELFTESTS_SNAPSHOT_H

#include <stdbool.h>

#include "cgroup.h"

#define SNAPSHOT_LINES 96

struct snapshot_line {
	char name[32];
	long long value;
};

/*
 * Line 0 is memory.current under the name "usage", the others are memory.stat's, on v1 the plain
 * and the total_ ones; there "kernel" and "memsw" are the counters.
 */
struct snapshot {
	/* Where kernel_batches_stat(), cgroup_count(); they all may keep something back */
	long long cgroups;
	unsigned int lines;
	struct snapshot_line line[SNAPSHOT_LINES];
};

int snapshot_take(struct snapshot *snap, const struct cgroup *cg);

/* Whether memory.stat tells exactly what was charged, by kind and to the byte */
bool snapshot_tells_bytes(void);

/* The line that shows best what @line of memory.stat would show to the byte */
const char *snapshot_best_line(const char *line);

/* Whether the line counts pages as they are charged, on each kernel */
bool snapshot_counts_pages(const char *line);

/* The value of a line; 0 where this kernel has no such line */
long long snapshot_value(const struct snapshot *snap, const char *name);

#endif /* MEMSTRESS_SELFTESTS_SNAPSHOT_H */
