// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/sched.h>

#include "cgroup.h"

/*
 * Taking the controller away from a parent takes it from all its children, so the last run out
 * does it, whichever of them enabled it. Runs share a lock on the parent's directory, and this
 * attribute of it tells the last one that there is something to put back.
 */
#define CG_V2_MARK "user.memstress"

static bool cg_v2_path_has_word(const char *path, const char *file)
{
	char text[512];

	return cg_read_path(path, file, text, sizeof(text)) >= 0 && cg_has_word(text, "memory");
}

bool cg_v2_has_memory(const char *mount)
{
	return cg_v2_path_has_word(mount, "cgroup.controllers");
}

static bool cg_v2_can_host(const char *path)
{
	char file[PATH_MAX + 32], procs[64];

	if (access(path, W_OK) || !cg_v2_has_memory(path))
		return false;
	if (cg_v2_path_has_word(path, "cgroup.subtree_control"))
		return true;
	/* Only the real root, which has no type, may have both processes and controllers. */
	snprintf(file, sizeof(file), "%s/cgroup.type", path);
	if (access(file, F_OK))
		return true;
	return !cg_read_path(path, "cgroup.procs", procs, sizeof(procs));
}

/* The line of the v2 tree in /proc/self/cgroup is "0::NAME". */
static int cg_v2_find_own(const char *root, char *name, size_t size)
{
	char text[PATH_MAX], path[PATH_MAX];
	const char *line = text;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/proc/self", root);
	length = cg_read_path(path, "cgroup", text, sizeof(text));
	if (length < 0)
		return length;
	while (strncmp(line, "0::", 3)) {
		line = strchr(line, '\n');
		if (!line)
			return -EACCES;
		line++;
	}
	line += strlen("0::");
	snprintf(name, size, "%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

static int cg_v2_enable(int fd, bool *changed)
{
	char text[512];
	ssize_t length;
	int ret;

	*changed = false;
	if (flock(fd, LOCK_SH))
		return -errno;
	length = cg_read_at(fd, "cgroup.controllers", text, sizeof(text));
	if (length < 0)
		return length;
	if (!cg_has_word(text, "memory"))
		return -EOPNOTSUPP;
	length = cg_read_at(fd, "cgroup.subtree_control", text, sizeof(text));
	if (length < 0)
		return length;
	if (cg_has_word(text, "memory"))
		return 0;
	ret = cg_write_at(fd, "cgroup.subtree_control", "+memory");
	if (ret)
		return ret;
	*changed = true;
	/* Without the attribute only this run knows, which is enough unless another one joins. */
	fsetxattr(fd, CG_V2_MARK, "1", 1, 0);
	return 0;
}

static void cg_v2_put_back(int fd, bool changed)
{
	if (!changed && fgetxattr(fd, CG_V2_MARK, NULL, 0) < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return;
	cg_write_at(fd, "cgroup.subtree_control", "-memory");
	fremovexattr(fd, CG_V2_MARK);
}

static pid_t cg_v2_fork(const struct cgroup *cg, int *pidfd)
{
	return cg_clone(CLONE_INTO_CGROUP, cg->fd, pidfd);
}

static int cg_v2_kill(const struct cgroup *cg)
{
	int ret = cg_write_at(cg->fd, "cgroup.kill", "1");

	return ret == -ENOENT ? cg_kill_listed(cg) : ret;
}

static const char *cg_v2_key(const char *name)
{
	return name;
}

static int cg_v2_read_number(const struct cgroup *cg, enum cg_file file, __u64 *number)
{
	return cg_read_number_at(cg, cg->tree->ops->files[file], number);
}

static int cg_v2_write_number(const struct cgroup *cg, enum cg_file file, __u64 number)
{
	char text[32];

	if (number == CG_UNLIMITED)
		snprintf(text, sizeof(text), "max");
	else
		snprintf(text, sizeof(text), "%llu", number);
	return cg_write_text_at(cg, cg->tree->ops->files[file], text);
}

static bool cg_v2_holds_below(const char *path)
{
	(void)path;
	return true;
}

const struct cg_ops cg_v2_ops = {
	.version = 2,
	.files = {
		[CG_USAGE] = "memory.current",
		[CG_PEAK] = "memory.peak",
		[CG_MAX] = "memory.max",
		[CG_HIGH] = "memory.high",
		[CG_SWAP_MAX] = "memory.swap.max",
		[CG_OOM_GROUP] = "memory.oom.group",
		[CG_STAT] = "memory.stat",
		[CG_EVENTS] = "memory.events",
		[CG_EVENTS_LOCAL] = "memory.events.local",
	},
	.key = cg_v2_key,
	.read_number = cg_v2_read_number,
	.write_number = cg_v2_write_number,
	.holds_below = cg_v2_holds_below,
	.enable = cg_v2_enable,
	.put_back = cg_v2_put_back,
	.can_host = cg_v2_can_host,
	.find_own = cg_v2_find_own,
	.fork = cg_v2_fork,
	.kill = cg_v2_kill,
};
