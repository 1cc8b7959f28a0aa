// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_name.h"
#include "container.h"
#include "systemd_unit.h"
#include "units.h"

#define CGROUP_NAME_PID    "pid:"
#define CGROUP_NAME_UNIT   "unit:"
#define CGROUP_NAME_DOCKER "docker:"
#define CGROUP_NAME_PODMAN "podman:"

int cgroup_name_find_tree(struct cg_tree *tree, struct error *error)
{
	int ret = cg_find(tree, "");

	if (ret == -ENOENT)
		return error_set(error, STATUS_UNSUPPORTED,
				 "no cgroup tree with memory; mount -t cgroup2 none /sys/fs/cgroup");
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot read the mounts: %s",
				 strerror(-ret));
	return 0;
}

/* The root has a name, too, but nobody may make a cgroup there, which cg_resolve() is for. */
static int cgroup_name_resolve_path(const struct cg_tree *tree, const char *name, char *path,
				    size_t size)
{
	size_t mount = strlen(tree->mount);
	const char *rest = name;

	if (!strncmp(name, tree->mount, mount) && (name[mount] == '/' || !name[mount]))
		rest += mount;
	if (*name && !rest[strspn(rest, "/")]) {
		snprintf(path, size, "%s", tree->mount);
		return 0;
	}
	return cg_resolve(tree, name, path, size);
}

/*
 * What of the tree the mount shows, "" if all of it: from /proc/self/mountinfo, which has lines of
 * "ID PARENT MAJOR:MINOR ROOT MOUNT ...".
 */
static void cgroup_name_find_root(const struct cg_tree *tree, char *root, size_t size)
{
	char path[PATH_MAX], here[PATH_MAX], mount[PATH_MAX], *line = NULL;
	size_t length = 0;
	FILE *mounts;

	*root = '\0';
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", tree->root);
	mounts = fopen(path, "re");
	if (!mounts)
		return;
	while (getline(&line, &length, mounts) > 0)
		if (sscanf(line, "%*s %*s %*s %4095s %4095s", here, mount) == 2 &&
		    !strcmp(mount, tree->mount + strlen(tree->root)))
			snprintf(root, size, "%s", strcmp(here, "/") ? here : "");
	free(line);
	fclose(mounts);
}

/*
 * A container that has no cgroup namespace sees its own part of the tree at the mount, while /proc
 * tells names from the top. Returns @name as it is below the mount, NULL if it is not.
 */
static const char *cgroup_name_below_mount(const struct cg_tree *tree, const char *name)
{
	char root[PATH_MAX];
	size_t length;

	cgroup_name_find_root(tree, root, sizeof(root));
	length = strlen(root);
	if (strncmp(name, root, length) || (length && name[length] && name[length] != '/'))
		return NULL;
	return name[length] ? name + length : "/";
}

/* @process is its number, or "self"; @given is how the user put it. */
static int cgroup_name_resolve_process(const struct cg_tree *tree, const char *process,
				       const char *given, char *path, size_t size,
				       struct error *error)
{
	char name[PATH_MAX];
	const char *below;
	int ret = tree->ops->find_of(tree->root, process, name, sizeof(name));

	if (ret == -ENOENT || ret == -ESRCH)
		return error_set(error, STATUS_MISUSE, "%s: there is no such process", given);
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot tell the cgroup of %s: %s",
				 given, strerror(-ret));
	below = cgroup_name_below_mount(tree, name);
	if (!below || cgroup_name_resolve_path(tree, below, path, size))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s is in cgroup '%s', which cannot be seen below %s", given, name,
				 tree->mount);
	return 0;
}

/* What of @name follows @prefix, or NULL. */
static const char *cgroup_name_after(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) ? NULL : name + length;
}

static int cgroup_name_resolve_pid(const struct cg_tree *tree, const char *process,
				   const char *given, char *path, size_t size, struct error *error)
{
	__u64 pid;

	if (units_parse_number(process, &pid))
		return error_set(error, STATUS_MISUSE, "'%s': pid: takes a number", given);
	return cgroup_name_resolve_process(tree, process, given, path, size, error);
}

int cgroup_name_resolve(const struct cg_tree *tree, const char *name, char *path, size_t size,
			struct error *error)
{
	const char *rest;

	if (!name)
		return cgroup_name_resolve_process(tree, "self", "the caller", path, size, error);
	rest = cgroup_name_after(name, CGROUP_NAME_PID);
	if (rest)
		return cgroup_name_resolve_pid(tree, rest, name, path, size, error);
	rest = cgroup_name_after(name, CGROUP_NAME_UNIT);
	if (rest)
		return systemd_unit_find(tree, rest, path, size, error);
	rest = cgroup_name_after(name, CGROUP_NAME_DOCKER);
	if (rest)
		return container_find(tree, &container_docker, rest, path, size, error);
	rest = cgroup_name_after(name, CGROUP_NAME_PODMAN);
	if (rest)
		return container_find(tree, &container_podman, rest, path, size, error);
	if (cgroup_name_resolve_path(tree, name, path, size))
		return error_set(error, STATUS_MISUSE,
				 "'%s' is no cgroup; give a path below %s, %s", name, tree->mount,
				 "pid:N, unit:NAME, docker:NAME, podman:NAME or a container's id");
	/* What is there is meant; a cgroup may be called anything. */
	if (container_is_prefix(name) && access(path, F_OK))
		return container_find_by_prefix(tree, name, path, size, error);
	return 0;
}

/*
 * On cgroup v2 a parent may not give its children the controller, and their memory is counted
 * above. Only the root of all lacks memory.current and has memory.stat.
 */
static bool cgroup_name_is_counted(const struct cgroup *cg)
{
	const char *const *files = cg->tree->ops->files;

	return !faccessat(cg->fd, files[CG_USAGE], F_OK, 0) ||
	       !faccessat(cg->fd, files[CG_STAT], F_OK, 0);
}

int cgroup_name_look(const struct cg_tree *tree, const char *name, struct cgroup *cg,
		     struct error *error)
{
	char path[PATH_MAX];
	int ret;

	if (cgroup_name_resolve(tree, name, path, sizeof(path), error))
		return -1;
	ret = cg_look(cg, tree, path);
	if (ret == -ENOENT || ret == -ENOTDIR)
		return error_set(error, STATUS_MISUSE, "there is no cgroup %s", path);
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot look at cgroup %s: %s", path,
				 strerror(-ret));
	if (cgroup_name_is_counted(cg))
		return 0;
	cg_look_away(cg);
	return error_set(error, STATUS_UNSUPPORTED,
			 "cgroup %s has no memory controller: its memory is counted above it",
			 path);
}
