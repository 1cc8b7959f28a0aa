/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A delegated scope of systemd: a part of the tree that systemd leaves to us, as root below
 * system.slice, else below the user's manager. A scope lives as long as somebody is in it, and
 * nobody may bring in processes of a user from outside. So we go in ourselves, into the child
 * "tool"; the child "job" is for the run.
 */
#ifndef MEMSTRESS_USER_SCOPE_H
#define MEMSTRESS_USER_SCOPE_H

#include "cgroup.h"
#include "error.h"
#include "scope_bus.h"

/* The child of the scope that cg_create() is to make */
#define SCOPE_JOB "job"

/**
 * struct scope - a scope
 * @tree: where it is
 * @bus: to the manager, until it has started
 * @unit: its name
 * @slice: what it is in
 * @cg: it; the fd is -1 as long as it has not started
 * @tool_fd: where we are
 * @home: where we were
 */
struct scope {
	const struct cg_tree *tree;
	struct scope_bus bus;
	char unit[256];
	const char *slice;
	struct cgroup cg;
	int tool_fd;
	char home[PATH_MAX];
};

/*
 * Finds out where a scope of this name would be; cg.path is its directory. Changes nothing. 0, or
 * -errno and bus.why says why there can be none
 */
int scope_find(struct scope *scope, const struct cg_tree *tree, const char *name);

/* Starts it and goes in. 0 or -1 */
int scope_start(struct scope *scope, struct error *error);

/*
 * Goes back, so that systemd removes it, and waits for that. Who may not go back is in it until he
 * ends, and then it is removed. 0 or -1
 */
int scope_end(struct scope *scope, struct error *error);

#endif /* MEMSTRESS_USER_SCOPE_H */
