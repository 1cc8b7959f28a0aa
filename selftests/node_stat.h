/* SPDX-License-Identifier: GPL-2.0 */
/* memory.numa_stat of cgroup v2: the lines of memory.stat that are kept by NUMA node. */
#ifndef MEMSTRESS_SELFTESTS_NODE_STAT_H
#define MEMSTRESS_SELFTESTS_NODE_STAT_H

#include "balance.h"

#define NODES_MAX 16

struct node_stat_line {
	char name[32];
	long long value[NODES_MAX]; /* of the nodes that are listed, else 0 */
};

struct node_stat {
	unsigned int lines;
	struct node_stat_line line[SNAPSHOT_LINES];
};

/* 0 or -errno */
int node_stat_take(struct node_stat *stat, const struct cgroup *cg);

/* What a line says of a node; 0 where there is no such line */
long long node_stat_value(const struct node_stat *stat, const char *name, unsigned int node);

/*
 * Number of lines whose nodes do not add up to what memory.stat says, the first of them
 * in @violation. Both are to be read while nothing moves
 */
int node_stat_check(const struct node_stat *stat, const struct snapshot *snap,
		    struct violation *violation);

#endif /* MEMSTRESS_SELFTESTS_NODE_STAT_H */
