/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memory.stat: its lines, what each of them means, and which of them add up to the usage of a
 * cgroup. What v1 calls total_*, the numbers with what is below the cgroup, goes without the
 * total_ here, as that is how v2 counts everything.
 */
#ifndef MEMSTRESS_USER_MEMORY_STAT_H
#define MEMSTRESS_USER_MEMORY_STAT_H

#include "cgroup.h"

#define MEMORY_STAT_LINES_MAX 128

/* Lines that stand together; those of the last two say nothing more of what usage is made of */
enum memory_stat_group {
	MEMORY_STAT_USER,
	MEMORY_STAT_KERNEL,
	MEMORY_STAT_SWAP,
	MEMORY_STAT_LISTS,
	MEMORY_STAT_COUNTERS,
	MEMORY_STAT_GROUPS,
};

/**
 * enum memory_stat_role - what a line is to the sum
 * @MEMORY_STAT_ADDS: it is a part of usage that no other such line has
 * @MEMORY_STAT_IN_KERNEL: it is a part of the line "kernel", which came with 5.18; before that
 *	it adds to the sum itself
 * @MEMORY_STAT_WITHIN: it is within another line, or not in usage
 */
enum memory_stat_role {
	MEMORY_STAT_ADDS,
	MEMORY_STAT_IN_KERNEL,
	MEMORY_STAT_WITHIN,
};

/**
 * struct memory_stat_row - what is known of a line
 * @name: NULL ends the table
 * @group: where it stands; a counter is a number, all others are bytes
 * @role: its part in the sum
 * @depth: how many lines it is within
 * @what: what it means
 */
struct memory_stat_row {
	const char *name;
	enum memory_stat_group group;
	enum memory_stat_role role;
	unsigned int depth;
	const char *what;
};

extern const struct memory_stat_row memory_stat_rows[];
extern const char *const memory_stat_group_names[MEMORY_STAT_GROUPS];

/**
 * struct memory_stat_line - a line that a kernel has
 * @row: NULL: it is not known here
 */
struct memory_stat_line {
	char name[48];
	__u64 value;
	const struct memory_stat_row *row;
};

/**
 * struct memory_stat - the lines in the kernel's order
 * @count: number of them
 */
struct memory_stat {
	unsigned int count;
	struct memory_stat_line lines[MEMORY_STAT_LINES_MAX];
};

void memory_stat_parse(const char *text, struct memory_stat *stat);

/* v1 has "kernel" in a file of its own, and v2 "swap", which is read as well. 0 or -errno */
int memory_stat_read(const struct cgroup *cg, struct memory_stat *stat);

/* CG_MISSING: this kernel does not have the line */
__u64 memory_stat_value(const struct memory_stat *stat, const char *name);

/* What adds up to usage */
__u64 memory_stat_sum(const struct memory_stat *stat);

/* What of "kernel" is on no line of its own; 0 if that cannot be told */
__u64 memory_stat_other_kernel(const struct memory_stat *stat);

#endif /* MEMSTRESS_USER_MEMORY_STAT_H */
