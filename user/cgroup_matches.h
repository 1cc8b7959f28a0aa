/* SPDX-License-Identifier: GPL-2.0 */
/* Cgroups that a search has found, of which there should be one. */
#ifndef MEMSTRESS_USER_CGROUP_MATCHES_H
#define MEMSTRESS_USER_CGROUP_MATCHES_H

#include "cgroup.h"
#include "error.h"

/**
 * struct cgroup_matches - what was found
 * @tree: where
 * @path: the first one's directory
 * @count: how many there are
 * @list: their names, for messages, as far as there is room
 */
struct cgroup_matches {
	const struct cg_tree *tree;
	char path[PATH_MAX];
	unsigned int count;
	char list[640];
};

void cgroup_matches_init(struct cgroup_matches *matches, const struct cg_tree *tree);
void cgroup_matches_add(struct cgroup_matches *matches, const char *path);

/* Several: says which there are for what the user calls @name. 0: there is one, or none; or -1 */
int cgroup_matches_judge(const struct cgroup_matches *matches, const char *name,
			 struct error *error);

#endif /* MEMSTRESS_USER_CGROUP_MATCHES_H */
