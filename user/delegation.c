// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_mark.h"
#include "clock.h"
#include "delegation.h"

#define DELEGATION_REMOVE_TIMEOUT (20 * NS_PER_S)

/* Older kernels do not have all of the files. */
static int delegation_chown(const struct cgroup *cg, uid_t uid, gid_t gid)
{
	const char *const *file;

	for (file = cg->tree->ops->delegated; *file; file++)
		if (fchownat(cg->fd, *file, uid, gid, 0) && errno != ENOENT)
			return -errno;
	return fchown(cg->fd, uid, gid) ? -errno : 0;
}

static int delegation_make_inside(const struct cgroup *cg, uid_t uid, gid_t gid)
{
	struct cgroup inside;
	char path[PATH_MAX];
	int ret;

	if (snprintf(path, sizeof(path), "%s/%s", cg->path, cg->tree->ops->inside) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	ret = cg_create(&inside, cg->tree, path);
	if (ret)
		return ret;
	ret = delegation_chown(&inside, uid, gid);
	cg_leave(&inside);
	return ret;
}

int delegation_give(struct cgroup *cg, uid_t uid, gid_t gid)
{
	bool changed;
	int ret;

	/* This is what makes the limit hold for those that he makes below it. */
	ret = cg->tree->ops->enable(cg->fd, &changed);
	if (!ret && cg->tree->ops->inside)
		ret = delegation_make_inside(cg, uid, gid);
	/* For good. */
	cg_unmark(cg->fd, CG_ENABLED);
	/* Without the mark it could not be told from the cgroups of others when it is removed. */
	if (!ret)
		ret = cg_mark(cg->fd, CG_DELEGATED);
	return ret ? ret : delegation_chown(cg, uid, gid);
}

static int delegation_check(const struct cgroup *cg, struct error *error)
{
	unsigned int processes;

	if (!cg_is_marked(cg->fd, CG_DELEGATED))
		return error_set(error, STATUS_MISUSE, "%s was not made by memstress delegate",
				 cg->path);
	processes = cg_count_processes(cg);
	if (!processes)
		return 0;
	return error_set(error, STATUS_FAILED, "%u process%s in %s; end or move %s first",
			 processes, processes == 1 ? " is" : "es are", cg->path,
			 processes == 1 ? "it" : "them");
}

int delegation_remove(const struct cg_tree *tree, const char *path, struct error *error)
{
	struct cgroup cg;
	int ret = cg_adopt(&cg, tree, path);

	if (ret == -ENOENT)
		return error_set(error, STATUS_MISUSE, "there is no cgroup %s", path);
	if (!ret && delegation_check(&cg, error)) {
		cg_look_away(&cg);
		return -1;
	}
	if (!ret)
		ret = cg_remove(&cg, DELEGATION_REMOVE_TIMEOUT);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot remove cgroup %s: %s", path,
				 strerror(-ret));
	return 0;
}
