/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Leftovers: what runs have made, or changed, and have not put in order, as they died. They are
 * known by their marks (cgroup_mark.h).
 */
#ifndef MEMSTRESS_USER_LEFTOVER_H
#define MEMSTRESS_USER_LEFTOVER_H

#include "cgroup.h"

/**
 * enum leftover_kind - what was left
 * @LEFTOVER_CGROUP: a cgroup, with what is in it and below it
 * @LEFTOVER_LIMITS: limits of a cgroup of somebody else are set
 * @LEFTOVER_CONTROLLER: the controller is enabled for the children of a cgroup
 */
enum leftover_kind {
	LEFTOVER_CGROUP,
	LEFTOVER_LIMITS,
	LEFTOVER_CONTROLLER,
};

/**
 * struct leftover - one of them
 * @kind: see there
 * @path: the directory of the cgroup
 * @processes: that live in it; the kind @LEFTOVER_CGROUP only
 */
struct leftover {
	enum leftover_kind kind;
	char path[PATH_MAX];
	unsigned int processes;
};

/**
 * struct leftovers - all of them
 * @tree: where
 * @list: cgroups that are removed, then what is left behind in those that stay
 * @count: how many
 * @error: -errno of looking
 */
struct leftovers {
	const struct cg_tree *tree;
	struct leftover *list;
	unsigned int count;
	int error;
};

/* Looks for them; changes nothing. 0 or -errno */
int leftovers_find(struct leftovers *leftovers, const struct cg_tree *tree);
void leftovers_free(struct leftovers *leftovers);

/*
 * Puts one in order, those of a list in its order. 0 or -errno. -ETXTBSY: somebody has begun to use
 * it, so that it is none any more
 */
int leftover_undo(const struct cg_tree *tree, const struct leftover *leftover);

#endif /* MEMSTRESS_USER_LEFTOVER_H */
