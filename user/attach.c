// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "cgroup_name.h"
#include "process.h"

static __u64 attach_read_usage(const struct cg_tree *tree, const char *path)
{
	__u64 bytes = CG_MISSING;
	struct cgroup cg;

	if (cg_look(&cg, tree, path))
		return CG_MISSING;
	if (cg_read_number(&cg, CG_USAGE, &bytes))
		bytes = CG_MISSING;
	cg_look_away(&cg);
	return bytes;
}

static int attach_out_of_memory(struct error *error)
{
	return error_set(error, STATUS_FAILED, "out of memory");
}

/* Returns the index of the cgroup at @path, or -1. */
static int attach_find_from(struct attach *attach, const char *path)
{
	struct attach_use *from;
	unsigned int i;

	for (i = 0; i < attach->from_count; i++)
		if (!strcmp(attach->from[i].path, path))
			return i;
	from = realloc(attach->from, (attach->from_count + 1) * sizeof(*from));
	if (!from)
		return -1;
	attach->from = from;
	from = &attach->from[attach->from_count];
	snprintf(from->path, sizeof(from->path), "%s", path);
	from->before_bytes = attach_read_usage(attach->tree, path);
	from->after_bytes = from->before_bytes;
	return attach->from_count++;
}

/* The path of the first cgroup above both. */
static void attach_find_common(const struct attach *attach, const char *path, char *common,
			       size_t size)
{
	const char *other = attach->cg->path;
	size_t i, last = 0;

	for (i = 0; path[i] && path[i] == other[i]; i++)
		if (path[i] == '/')
			last = i;
	if ((!path[i] || path[i] == '/') && (!other[i] || other[i] == '/'))
		last = i;
	snprintf(common, size, "%.*s", (int)last, path);
}

static int attach_refused(const struct attach *attach, pid_t pid, const char *path, int ret,
			  struct error *error)
{
	const char *to = attach->cg->path;
	char common[PATH_MAX];

	switch (ret) {
	case -EACCES:
	case -EPERM:
		attach_find_common(attach, path, common, sizeof(common));
		if (!attach->tree->ops->is_unified)
			return error_set(error, STATUS_UNSUPPORTED,
					 "cannot move %d into %s: %s; %s must be yours", pid, to,
					 strerror(-ret), "the process and cgroup.procs there");
		return error_set(error, STATUS_UNSUPPORTED,
				 "cannot move %d into %s: %s; it takes %s there and in %s, %s", pid,
				 to, strerror(-ret), "the right to write to cgroup.procs", common,
				 "which is above both");
	case -EBUSY:
		return error_set(error, STATUS_UNSUPPORTED,
				 "cannot move %d into %s: it gives controllers to %s", pid, to,
				 "cgroups below it, and so has no processes; name one of those");
	default:
		return error_set(error, STATUS_FAILED, "cannot move %d into %s: %s%s", pid, to,
				 strerror(-ret),
				 ret == -EINVAL ? "; kernel threads stay where they are" : "");
	}
}

static int attach_write(const struct cgroup *cg, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return cg_write_text_at(cg, "cgroup.procs", number);
}

static bool attach_has_moved(const struct attach *attach, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < attach->moved_count; i++)
		if (attach->moved[i].pid == pid)
			return true;
	return false;
}

static int attach_note(struct attach *attach, pid_t pid, unsigned int from)
{
	struct attach_move *moved;

	moved = realloc(attach->moved, (attach->moved_count + 1) * sizeof(*moved));
	if (!moved)
		return -1;
	attach->moved = moved;
	moved[attach->moved_count++] = (struct attach_move){
		.pid = pid,
		.start = process_start(attach->tree->root, pid),
		.from = from,
	};
	return 0;
}

/* A process that ends meanwhile is nobody to be moved, unless it is the one that was named. */
static int attach_move_one(struct attach *attach, pid_t pid, bool is_named, struct error *error)
{
	char name[32], path[PATH_MAX];
	int from, ret;

	snprintf(name, sizeof(name), "pid:%d", pid);
	if (cgroup_name_resolve(attach->tree, name, path, sizeof(path), error))
		return is_named || error->status != STATUS_MISUSE ? -1 : 0;
	if (!strcmp(path, attach->cg->path))
		return 0;
	/* Before it is moved, so that there is room to remember it. */
	from = attach_find_from(attach, path);
	if (from < 0 || attach_note(attach, pid, from))
		return attach_out_of_memory(error);
	ret = attach_write(attach->cg, pid);
	if (!ret)
		return 0;
	attach->moved_count--;
	if (ret == -ESRCH && !is_named)
		return 0;
	return attach_refused(attach, pid, path, ret, error);
}

/* Sets *@more to whether somebody was moved who was not before. */
static int attach_move_tree(struct attach *attach, pid_t pid, bool *more, struct error *error)
{
	unsigned int i, before = attach->moved_count;
	struct process_list list;
	int ret;

	ret = process_tree(&list, attach->tree->root, pid);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read the processes: %s",
				 strerror(-ret));
	if (!list.count && !before)
		ret = error_set(error, STATUS_MISUSE, "there is no process %d", pid);
	for (i = 0; i < list.count && !ret; i++)
		if (!attach_has_moved(attach, list.pids[i]))
			ret = attach_move_one(attach, list.pids[i], list.pids[i] == pid, error);
	process_list_free(&list);
	*more = attach->moved_count > before;
	return ret;
}

static void attach_put_back(struct attach *attach)
{
	struct cgroup cg;

	while (attach->moved_count) {
		const struct attach_move *move = &attach->moved[--attach->moved_count];

		/* Another one has the number by now. */
		if (process_start(attach->tree->root, move->pid) != move->start)
			continue;
		if (cg_look(&cg, attach->tree, attach->from[move->from].path))
			continue;
		attach_write(&cg, move->pid);
		cg_look_away(&cg);
	}
}

static void attach_read_after(struct attach *attach)
{
	unsigned int i;

	attach->to.after_bytes = attach_read_usage(attach->tree, attach->to.path);
	for (i = 0; i < attach->from_count; i++)
		attach->from[i].after_bytes = attach_read_usage(attach->tree, attach->from[i].path);
}

int attach_move(struct attach *attach, const struct cgroup *cg, pid_t pid, bool whole,
		struct error *error)
{
	sigset_t all, old;
	bool more = true;
	int ret = 0;

	memset(attach, 0, sizeof(*attach));
	attach->tree = cg->tree;
	attach->cg = cg;
	snprintf(attach->to.path, sizeof(attach->to.path), "%s", cg->path);
	attach->to.before_bytes = attach_read_usage(attach->tree, cg->path);
	if (cg_read_number(cg, CG_MOVE_CHARGE, &attach->moves))
		attach->moves = 0;

	/* Half a tree is not what anybody wants. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	if (!whole)
		ret = attach_move_one(attach, pid, true, error);
	while (whole && more && !ret)
		ret = attach_move_tree(attach, pid, &more, error);
	if (ret)
		attach_put_back(attach);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (!ret)
		attach_read_after(attach);
	return ret;
}

void attach_free(struct attach *attach)
{
	free(attach->from);
	free(attach->moved);
	memset(attach, 0, sizeof(*attach));
}
