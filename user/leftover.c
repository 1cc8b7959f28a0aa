// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_loan.h"
#include "cgroup_mark.h"
#include "clock.h"
#include "leftover.h"

/* Dead tasks of a big cgroup take their time; an emulated machine is slow. */
#define LEFTOVER_REMOVE_TIMEOUT (20 * NS_PER_S)

static int leftover_open(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void leftover_see_use(const char *path, void *context)
{
	int fd = leftover_open(path);

	if (fd < 0)
		return;
	if (cg_is_marked(fd, CG_MADE) && !cg_lock_alone(fd))
		*(bool *)context = true;
	close(fd);
}

/* By the run that has made it, or by one that has made another one below it. */
static bool leftover_is_in_use(int fd, const char *path)
{
	bool is_used = !cg_lock_alone(fd);

	if (!is_used)
		cg_each_below(path, leftover_see_use, &is_used);
	return is_used;
}

static void leftover_see_any(const char *path, void *context)
{
	(void)path;
	*(bool *)context = true;
}

/* One that is only begun: what is in there, somebody else has put there. */
static bool leftover_is_empty(const struct cg_tree *tree, const char *path)
{
	unsigned int processes;
	bool has_below = false;
	struct cgroup cg;

	if (cg_look(&cg, tree, path))
		return false;
	processes = cg_count_processes(&cg);
	cg_look_away(&cg);
	cg_each_below(path, leftover_see_any, &has_below);
	return !processes && !has_below;
}

static bool leftover_is_made(const struct cg_tree *tree, int fd, const char *path)
{
	if (cg_is_marked(fd, CG_DELEGATED))
		return false;
	return cg_is_marked(fd, CG_MADE) || (cg_is_begun(fd) && leftover_is_empty(tree, path));
}

static void leftovers_add(struct leftovers *leftovers, enum leftover_kind kind, const char *path)
{
	struct leftover *list, *leftover;
	struct cgroup cg;

	list = realloc(leftovers->list, (leftovers->count + 1) * sizeof(*list));
	if (!list) {
		leftovers->error = -ENOMEM;
		return;
	}
	leftovers->list = list;
	leftover = &list[leftovers->count++];
	memset(leftover, 0, sizeof(*leftover));
	leftover->kind = kind;
	snprintf(leftover->path, sizeof(leftover->path), "%s", path);
	if (kind != LEFTOVER_CGROUP || cg_look(&cg, leftovers->tree, path))
		return;
	leftover->processes = cg_count_processes(&cg);
	cg_look_away(&cg);
}

/* What is removed with one above it is no leftover of its own. */
static bool leftovers_have_above(const struct leftovers *leftovers, const char *path)
{
	unsigned int i;

	for (i = 0; i < leftovers->count; i++)
		if (leftovers->list[i].kind == LEFTOVER_CGROUP &&
		    cg_is_within(path, leftovers->list[i].path))
			return true;
	return false;
}

static void leftovers_see_cgroup(const char *path, void *context)
{
	struct leftovers *leftovers = context;
	int fd = leftover_open(path);

	if (fd < 0)
		return;
	if (leftover_is_made(leftovers->tree, fd, path) && !leftovers_have_above(leftovers, path) &&
	    !leftover_is_in_use(fd, path))
		leftovers_add(leftovers, LEFTOVER_CGROUP, path);
	close(fd);
}

static void leftovers_see_limits(const char *path, void *context)
{
	struct leftovers *leftovers = context;
	int fd = leftover_open(path);

	if (fd < 0)
		return;
	if (cg_has_loan(leftovers->tree->ops, fd) && !leftovers_have_above(leftovers, path) &&
	    cg_lock_alone(fd))
		leftovers_add(leftovers, LEFTOVER_LIMITS, path);
	close(fd);
}

static void leftovers_see_controller(const char *path, void *context)
{
	struct leftovers *leftovers = context;
	int fd = leftover_open(path);

	if (fd < 0)
		return;
	if (cg_is_marked(fd, CG_ENABLED) && !leftovers_have_above(leftovers, path) &&
	    cg_lock_alone(fd) && !cg_has_child(fd, leftovers->tree->ops->relies))
		leftovers_add(leftovers, LEFTOVER_CONTROLLER, path);
	close(fd);
}

int leftovers_find(struct leftovers *leftovers, const struct cg_tree *tree)
{
	memset(leftovers, 0, sizeof(*leftovers));
	leftovers->tree = tree;
	cg_each_below(tree->mount, leftovers_see_cgroup, leftovers);
	cg_each_below(tree->mount, leftovers_see_limits, leftovers);
	leftovers_see_controller(tree->mount, leftovers);
	cg_each_below(tree->mount, leftovers_see_controller, leftovers);
	return leftovers->error;
}

void leftovers_free(struct leftovers *leftovers)
{
	free(leftovers->list);
	leftovers->list = NULL;
	leftovers->count = 0;
}

static int leftover_remove(const struct cg_tree *tree, const char *path)
{
	struct cgroup cg;
	int ret = cg_adopt(&cg, tree, path);

	if (ret == -EBUSY)
		return -ETXTBSY;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	/* The removal of others takes time, in which somebody may have made one of this name. */
	if (!leftover_is_made(tree, cg.fd, path) || leftover_is_in_use(cg.fd, path)) {
		cg_look_away(&cg);
		return -ETXTBSY;
	}
	/* Who goes into one that is only begun is not killed for it. */
	ret = cg_remove(&cg, cg_is_marked(cg.fd, CG_MADE) ? LEFTOVER_REMOVE_TIMEOUT : 0);
	return ret == -ENOENT ? 0 : ret;
}

static int leftover_put_limits_back(const struct cg_tree *tree, const char *path)
{
	struct cgroup cg;
	int ret = cg_look(&cg, tree, path);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = cg_take_back_left(&cg);
	cg_look_away(&cg);
	return ret;
}

/* The removal of a cgroup may have done it. */
static int leftover_put_back(const struct cg_tree *tree, const char *path)
{
	int fd = leftover_open(path);
	int ret;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = tree->ops->put_back(fd, false);
	close(fd);
	return ret;
}

int leftover_undo(const struct cg_tree *tree, const struct leftover *leftover)
{
	switch (leftover->kind) {
	case LEFTOVER_CGROUP:
		return leftover_remove(tree, leftover->path);
	case LEFTOVER_LIMITS:
		return leftover_put_limits_back(tree, leftover->path);
	case LEFTOVER_CONTROLLER:
		return leftover_put_back(tree, leftover->path);
	}
	return -EINVAL;
}
