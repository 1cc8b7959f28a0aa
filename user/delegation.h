/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cgroup that a user without privilege may manage: he owns what the kernel's documentation says
 * he may own (cgroup-v2.rst, "Delegation"), and not its limits.
 */
#ifndef MEMSTRESS_USER_DELEGATION_H
#define MEMSTRESS_USER_DELEGATION_H

#include <sys/types.h>

#include "cgroup.h"
#include "error.h"

/*
 * Gives @cg, which was made, to @uid. Where processes can only be in a child, it is made; its name
 * is tree->ops->inside. 0 or -errno
 */
int delegation_give(struct cgroup *cg, uid_t uid, gid_t gid);

/* Removes what was given, at @path, if nobody is in it. 0 or -1 */
int delegation_remove(const struct cg_tree *tree, const char *path, struct error *error);

#endif /* MEMSTRESS_USER_DELEGATION_H */
