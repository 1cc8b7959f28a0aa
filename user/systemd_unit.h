/* SPDX-License-Identifier: GPL-2.0 */
/* Units of systemd, which have cgroups of their names. */
#ifndef MEMSTRESS_USER_SYSTEMD_UNIT_H
#define MEMSTRESS_USER_SYSTEMD_UNIT_H

#include "cgroup.h"
#include "error.h"

/*
 * The cgroup of the unit @name, a service if it does not say. The system's units come before those
 * of users and containers. 0 or -1
 */
int systemd_unit_find(const struct cg_tree *tree, const char *name, char *path, size_t size,
		      struct error *error);

/* Whether the last part of @name, a cgroup's, is the name of a unit, and which */
bool systemd_unit_is_name(const char *name, char *unit, size_t size);

#endif /* MEMSTRESS_USER_SYSTEMD_UNIT_H */
