/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The balance between what was charged and what a cgroup shows: the check that the
 * laws rest on. It returns what is wrong instead of failing, so that a test can
 * also see it go red.
 */
#ifndef MEMSTRESS_SELFTESTS_BALANCE_H
#define MEMSTRESS_SELFTESTS_BALANCE_H

#include <stdbool.h>
#include <linux/memstress.h>

#include "snapshot.h"

/* What must have moved since a snapshot, by the line of memory.stat it shows on */
struct charge {
	long long page_bytes;	/* charged in whole pages */
	long long byte_bytes;	/* charged by the byte, to one objcg */
	long long slab_unreclaimable;
	long long percpu;
	long long vmalloc;
};

void charge_add(struct charge *charge, __u32 kind, const struct memstress_books *books);

/*
 * Small accounted objects of the kernel's own, such as the module's bookkeeping:
 * they are slab objects of the same objcg.
 */
void charge_add_slab(struct charge *charge, long long bytes);

/* memory.current once settled: one objcg's bytes are rounded up to a page */
long long charge_usage(const struct charge *charge);

/* Of the line that is farthest from what was expected */
struct violation {
	char line[32];
	long long expected;
	long long seen;
};

enum balance_lines {
	/* Every line: right for a cgroup without tasks, where nothing else can move */
	BALANCE_ALL,
	/* Usage and the lines of kernel memory that the kinds charge */
	BALANCE_CHARGED,
};

/* Number of lines that did not move as expected, the worst of them in @violation */
int balance(const struct snapshot *before, const struct snapshot *after,
	    const struct charge *charge, enum balance_lines lines, struct violation *violation);

/* What usage is off by, where stocks may still hold something: to be judged by a bound */
long long balance_usage(const struct snapshot *before, const struct snapshot *after,
			const struct charge *charge);

/* Prints a violation: expected, seen, difference */
void balance_report(const char *what, int lines, const struct violation *violation);

/*
 * What the stocks of all CPUs may hold of one memcg before it is settled, in bytes.
 * @object_bytes: of the largest object charged by the byte, 0 for none.
 */
long long balance_stock_bound(const struct memstress_info *info, long long object_bytes);

#endif /* MEMSTRESS_SELFTESTS_BALANCE_H */
