/* SPDX-License-Identifier: GPL-2.0 */
/* Moves processes into a cgroup, and tells what cgroups used before and after. */
#ifndef MEMSTRESS_USER_ATTACH_H
#define MEMSTRESS_USER_ATTACH_H

#include "cgroup.h"
#include "error.h"

/* What cgroup v1 may move along, memory.move_charge_at_immigrate */
#define ATTACH_MOVES_ANON 1
#define ATTACH_MOVES_FILE 2

/**
 * struct attach_use - what a cgroup used
 * @path: its directory
 * @before_bytes: its usage; CG_MISSING: the kernel does not tell
 * @after_bytes: see there
 */
struct attach_use {
	char path[PATH_MAX];
	__u64 before_bytes;
	__u64 after_bytes;
};

/**
 * struct attach_move - a process that was moved
 * @pid: it
 * @start: when it began, by process_start()
 * @from: where it was, an index
 */
struct attach_move {
	pid_t pid;
	__u64 start;
	unsigned int from;
};

/**
 * struct attach - a move
 * @tree: where
 * @cg: into which cgroup
 * @to: what that used
 * @moves: ATTACH_MOVES_*: what of old charges is moved along; 0: nothing
 * @from: from which cgroups
 * @from_count: how many
 * @moved: the processes
 * @moved_count: how many
 */
struct attach {
	const struct cg_tree *tree;
	const struct cgroup *cg;
	struct attach_use to;
	__u64 moves;
	struct attach_use *from;
	unsigned int from_count;
	struct attach_move *moved;
	unsigned int moved_count;
};

/*
 * Moves @pid into @cg, and its descendants if @whole, those that are born meanwhile as well. Who is
 * there already is not moved. 0, or -1 and nobody was moved
 */
int attach_move(struct attach *attach, const struct cgroup *cg, pid_t pid, bool whole,
		struct error *error);
void attach_free(struct attach *attach);

#endif /* MEMSTRESS_USER_ATTACH_H */
