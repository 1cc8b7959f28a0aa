/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cgroups by what users call them: a path, with or without the mount in front, as
 * /proc/PID/cgroup has it; pid:N, the one that a process is in; unit:NAME, that of a unit of
 * systemd; docker:NAME or podman:NAME, that of a container by its name or id; the beginning of
 * the id of a container, of at least six digits; nothing, the one of the tool.
 */
#ifndef MEMSTRESS_USER_CGROUP_NAME_H
#define MEMSTRESS_USER_CGROUP_NAME_H

#include "cgroup.h"
#include "error.h"

/* For the help of commands that take a CGROUP */
#define CGROUP_NAME_HELP                                                                 \
	"CGROUP is a path below the mount, with or without the mount, as it is in\n"     \
	"/proc/PID/cgroup; pid:N, the one that a process is in; unit:NAME, of a unit\n"  \
	"of systemd; docker:NAME or podman:NAME, of a container by name or id; or the\n" \
	"beginning of a container's id, six digits or more."

/* Finds the tree, as cg_find(). 0 or -1 */
int cgroup_name_find_tree(struct cg_tree *tree, struct error *error);

/* The directory of the cgroup @name; it need not be there. NULL: the tool's own. 0 or -1 */
int cgroup_name_resolve(const struct cg_tree *tree, const char *name, char *path, size_t size,
			struct error *error);

/* Looks at it, as cg_look(), and makes sure that its memory is counted. 0 or -1 */
int cgroup_name_look(const struct cg_tree *tree, const char *name, struct cgroup *cg,
		     struct error *error);

#endif /* MEMSTRESS_USER_CGROUP_NAME_H */
