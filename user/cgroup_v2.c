// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/sched.h>

#include "cgroup.h"
#include "cgroup_mark.h"
#include "compiler.h"

static bool cg_v2_path_has_word(const char *path, const char *file)
{
	char text[512];

	return cg_read_path(path, file, text, sizeof(text)) >= 0 && cg_has_word(text, "memory");
}

bool cg_v2_has_memory(const char *mount)
{
	return cg_v2_path_has_word(mount, "cgroup.controllers");
}

/* Only the real root, which has no type, may have both processes and controllers. */
static bool cg_v2_is_root(const char *path)
{
	char file[PATH_MAX + 32];

	snprintf(file, sizeof(file), "%s/cgroup.type", path);
	return access(file, F_OK);
}

static bool cg_v2_takes_processes(const char *path)
{
	char text[512];
	ssize_t length = cg_read_path(path, "cgroup.subtree_control", text, sizeof(text));

	return length <= 0 || *text == '\n' || cg_v2_is_root(path);
}

static bool cg_v2_can_host(const char *path)
{
	char procs[64];

	if (access(path, W_OK) || !cg_v2_has_memory(path))
		return false;
	if (cg_v2_path_has_word(path, "cgroup.subtree_control") || cg_v2_is_root(path))
		return true;
	return !cg_read_path(path, "cgroup.procs", procs, sizeof(procs));
}

/* The line of the v2 tree in /proc/PID/cgroup is "0::NAME". */
static int cg_v2_find_of(const char *root, const char *process, char *name, size_t size)
{
	char text[PATH_MAX], path[PATH_MAX];
	const char *line = text;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/proc/%s", root, process);
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

/*
 * Taking the controller away from a parent takes it from all its children, so the last run out
 * does it, whichever of them enabled it, unless there is a child that stays. Runs share a lock on
 * the parent's directory, and a mark tells the last one that there is something to put back.
 */
static int cg_v2_enable(int fd, bool *changed)
{
	char text[512];
	ssize_t length;
	int ret;

	*changed = false;
	ret = cg_lock_shared(fd);
	if (ret)
		return ret;
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
	/* Without the mark only this run knows, which is enough unless another one joins. */
	cg_mark(fd, CG_ENABLED);
	return 0;
}

/* What it has as long as nobody has set it. */
static const struct {
	const char *file, *unset;
} cg_v2_limits[] = {
	{ "memory.max", "max\n" },       { "memory.high", "max\n" },
	{ "memory.low", "0\n" },         { "memory.min", "0\n" },
	{ "memory.swap.max", "max\n" },  { "memory.swap.high", "max\n" },
	{ "memory.zswap.max", "max\n" }, { "memory.oom.group", "0\n" },
};

/* Its limits would be gone with the controller. */
static bool cg_v2_relies(int fd)
{
	char text[32];
	unsigned int i;

	if (cg_is_marked(fd, CG_DELEGATED))
		return true;
	if (cg_is_marked(fd, CG_MADE))
		return false;
	for (i = 0; i < ARRAY_SIZE(cg_v2_limits); i++)
		if (cg_read_at(fd, cg_v2_limits[i].file, text, sizeof(text)) > 0 &&
		    strcmp(text, cg_v2_limits[i].unset))
			return true;
	return false;
}

static int cg_v2_put_back(int fd, bool changed)
{
	int ret;

	if (!changed && !cg_is_marked(fd, CG_ENABLED))
		return 0;
	if (!cg_lock_alone(fd) || cg_has_child(fd, cg_v2_relies))
		return -ETXTBSY;
	ret = cg_write_at(fd, "cgroup.subtree_control", "-memory");
	/* A child has given it to its own children: it is his by now. */
	if (ret == -EBUSY)
		ret = -ETXTBSY;
	if (!ret || ret == -ETXTBSY)
		cg_unmark(fd, CG_ENABLED);
	return ret;
}

static pid_t cg_v2_fork(const struct cgroup *cg, int *pidfd)
{
	pid_t pid = cg_fork_into(cg, pidfd);

	return pid == -ENOSYS ? cg_fork_moved(cg, pidfd) : pid;
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

static const char *const cg_v2_delegated[] = { "cgroup.procs", "cgroup.threads",
					       "cgroup.subtree_control", NULL };

const struct cg_ops cg_v2_ops = {
	.version = 2,
	.limit_comes_first = true,
	.is_unified = true,
	.files = {
		[CG_USAGE] = "memory.current",
		[CG_PEAK] = "memory.peak",
		[CG_SWAP] = "memory.swap.current",
		[CG_MAX] = "memory.max",
		[CG_HIGH] = "memory.high",
		[CG_LOW] = "memory.low",
		[CG_MIN] = "memory.min",
		[CG_SWAP_MAX] = "memory.swap.max",
		[CG_ZSWAP_MAX] = "memory.zswap.max",
		[CG_OOM_GROUP] = "memory.oom.group",
		[CG_STAT] = "memory.stat",
		[CG_EVENTS] = "memory.events",
		[CG_EVENTS_LOCAL] = "memory.events.local",
		[CG_PRESSURE] = "memory.pressure",
		[CG_PIDS] = "pids.current",
		[CG_THREADS] = "cgroup.threads",
	},
	.key = cg_v2_key,
	.read_number = cg_v2_read_number,
	.write_number = cg_v2_write_number,
	.holds_below = cg_v2_holds_below,
	.enable = cg_v2_enable,
	.put_back = cg_v2_put_back,
	.relies = cg_v2_relies,
	.is_root = cg_v2_is_root,
	.can_host = cg_v2_can_host,
	.takes_processes = cg_v2_takes_processes,
	.find_of = cg_v2_find_of,
	.fork = cg_v2_fork,
	.kill = cg_v2_kill,
	.delegated = cg_v2_delegated,
	.inside = "inside",
};
