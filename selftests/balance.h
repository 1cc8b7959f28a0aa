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
	long long page_bytes; /* charged in whole pages */
	long long byte_bytes; /* charged by the byte, to one objcg */
	long long byte_base;  /* what that objcg had been charged by the byte before */
	long long slab_unreclaimable;
	long long percpu;
	long long vmalloc;
	long long file_mapped;       /* pages in address spaces, each once (mm/rmap.c) */
	long long file_mapped_local; /* of the cgroup's own, for which v1 has a line, too */
};

void charge_add(struct charge *charge, __u32 kind, const struct memstress_books *books);

/*
 * Small accounted objects of the kernel's own, such as the module's bookkeeping:
 * they are slab objects of the same objcg.
 */
void charge_add_slab(struct charge *charge, long long bytes);

/* One charge on top of another, or taken away from it */
void charge_plus(struct charge *charge, const struct charge *other);
void charge_minus(struct charge *charge, const struct charge *other);

/*
 * How far memory.current moves once settled: what an objcg is charged by the byte
 * is rounded up to a page, before and after.
 */
long long charge_usage(const struct charge *charge);

/*
 * What is charged by the byte in a cgroup that has one objcg: slab objects and percpu
 * areas (the callers of obj_cgroup_charge()). Blocks of pages that kmalloc() took are
 * among the slab bytes, and make no difference to rounding.
 */
long long charge_byte_base(const struct snapshot *snap);

/* Of the line that is farthest from what was expected */
struct violation {
	const char *cgroup; /* its path, where known */
	char line[80];
	long long expected;
	long long seen;
};

enum balance_lines {
	/* Every line: right for a cgroup without tasks, where nothing else can move */
	BALANCE_ALL,
	/* All that tell what is held: a task's faults move the lines that count events */
	BALANCE_HELD,
};

/*
 * Number of lines that did not move as expected, the worst of them in @violation.
 * To the byte, except where kernel_batches_stat().
 */
int balance(const struct snapshot *before, const struct snapshot *after,
	    const struct charge *charge, enum balance_lines lines, struct violation *violation);

/* What one line is off by: seen less expected */
long long balance_line(const struct snapshot *before, const struct snapshot *after,
		       const struct charge *charge, const char *name);

/* Whether a line counts what happened and not what is held */
bool balance_line_counts_events(const char *line);

/*
 * How far a line of a cgroup without children may be off because each CPU keeps back a batch of
 * it (kernel_batches_stat())
 */
long long balance_batch_slack(const char *line);

/* The same of any cgroup: a batch of each that was below it reaches it as late */
long long balance_slack(const struct snapshot *before, const struct snapshot *after,
			const char *line);

/* Prints what a law returned: the violation's expected, seen, difference, or -errno */
void balance_report(const char *what, int ret, const struct violation *violation);

/*
 * What the stocks of all CPUs may hold of one memcg before it is settled, in bytes.
 * @object_bytes: of the largest object charged by the byte, 0 for none.
 */
long long balance_stock_bound(const struct memstress_info *info, long long object_bytes);

#endif /* MEMSTRESS_SELFTESTS_BALANCE_H */
