// SPDX-License-Identifier: GPL-2.0
/*
 * Cgroup v1. It limits memory, and memory and swap together; swap alone is the difference. There
 * is nothing like memory.high, nor like a kill of the whole cgroup.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup_mark.h"

#define CG_V1_MAX   "memory.limit_in_bytes"
#define CG_V1_MEMSW "memory.memsw.limit_in_bytes"

/* A line for each hierarchy, and containers have long names */
#define CG_V1_TEXT_MAX 16384

/* A line of /proc/PID/cgroup is "NUMBER:CONTROLLER,CONTROLLER:NAME". */
static const char *cg_v1_memory_name(char *line)
{
	char *controllers = strchr(line, ':');
	char *name = controllers ? strchr(controllers + 1, ':') : NULL;
	char *word;

	if (!name)
		return NULL;
	*name++ = '\0';
	controllers++;
	while ((word = strsep(&controllers, ",")))
		if (!strcmp(word, "memory"))
			return name;
	return NULL;
}

static int cg_v1_find_of(const char *root, const char *process, char *name, size_t size)
{
	char text[CG_V1_TEXT_MAX], path[PATH_MAX];
	char *rest = text, *line;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/proc/%s", root, process);
	length = cg_read_path(path, "cgroup", text, sizeof(text));
	if (length < 0)
		return length;
	while ((line = strsep(&rest, "\n"))) {
		const char *memory = cg_v1_memory_name(line);

		if (memory) {
			snprintf(name, size, "%s", memory);
			return 0;
		}
	}
	return -EACCES;
}

static bool cg_v1_can_host(const char *path)
{
	return !access(path, W_OK);
}

static bool cg_v1_takes_processes(const char *path)
{
	(void)path;
	return true;
}

/*
 * Before 5.11 the charges of a cgroup counted in those above it only where use_hierarchy was set
 * before it was made. Later kernels read 1 everywhere.
 */
static bool cg_v1_holds_below(const char *path)
{
	char text[16];

	return cg_read_path(path, "memory.use_hierarchy", text, sizeof(text)) < 0 || atoi(text);
}

static bool cg_v1_is_root(const char *path)
{
	char text[PATH_MAX];

	/* CFTYPE_ONLY_ON_ROOT */
	return cg_read_path(path, "release_agent", text, sizeof(text)) >= 0;
}

/* For a child of the root it makes no difference: its charges count there all the same. */
static int cg_v1_enable(int fd, bool *changed)
{
	char text[16];
	int ret;

	*changed = false;
	if (cg_read_at(fd, "memory.use_hierarchy", text, sizeof(text)) < 0 || atoi(text))
		return 0;
	/* Only the root has this file. */
	if (!faccessat(fd, "release_agent", F_OK, 0))
		return 0;
	ret = cg_write_at(fd, "memory.use_hierarchy", "1");
	if (ret)
		return ret == -EBUSY ? -ENOTEMPTY : ret;
	*changed = true;
	cg_mark(fd, CG_ENABLED);
	return 0;
}

static bool cg_v1_relies(int fd)
{
	return cg_is_marked(fd, CG_DELEGATED);
}

/* The kernel refuses as long as there is a child. */
static int cg_v1_put_back(int fd, bool changed)
{
	int ret;

	if (!changed && !cg_is_marked(fd, CG_ENABLED))
		return 0;
	ret = cg_write_at(fd, "memory.use_hierarchy", "0");
	if (!ret)
		cg_unmark(fd, CG_ENABLED);
	return ret == -EBUSY ? -ETXTBSY : ret;
}

static int cg_v1_write_limit(const struct cgroup *cg, const char *name, __u64 bytes)
{
	char text[32];

	if (bytes == CG_UNLIMITED)
		snprintf(text, sizeof(text), "-1");
	else
		snprintf(text, sizeof(text), "%llu", bytes);
	return cg_write_text_at(cg, name, text);
}

static __u64 cg_v1_add(__u64 max, __u64 swap)
{
	return max == CG_UNLIMITED || swap == CG_UNLIMITED ? CG_UNLIMITED : max + swap;
}

/* @swap: how much swap is allowed besides @max. Without swap accounting there is no limit of it. */
static int cg_v1_read_limits(const struct cgroup *cg, __u64 *max, __u64 *swap)
{
	__u64 both;
	int ret = cg_read_number_at(cg, CG_V1_MAX, max);

	if (ret)
		return ret;
	*swap = CG_UNLIMITED;
	ret = cg_read_number_at(cg, CG_V1_MEMSW, &both);
	if (!ret && both != CG_UNLIMITED)
		*swap = both - *max;
	return ret;
}

/*
 * The kernel refuses a limit of memory that is above that of both (mem_cgroup_resize_max()). What
 * it refuses half is put back.
 */
static int cg_v1_write_max(const struct cgroup *cg, __u64 max)
{
	__u64 old = CG_UNLIMITED, swap = CG_UNLIMITED;
	int ret = cg_v1_read_limits(cg, &old, &swap);

	if (ret && ret != -EOPNOTSUPP)
		return ret;
	if (swap == CG_UNLIMITED)
		return cg_v1_write_limit(cg, CG_V1_MAX, max);
	if (max < old) {
		ret = cg_v1_write_limit(cg, CG_V1_MAX, max);
		if (ret)
			return ret;
		ret = cg_v1_write_limit(cg, CG_V1_MEMSW, cg_v1_add(max, swap));
		if (ret)
			cg_v1_write_limit(cg, CG_V1_MAX, old);
		return ret;
	}
	ret = cg_v1_write_limit(cg, CG_V1_MEMSW, cg_v1_add(max, swap));
	return ret ? ret : cg_v1_write_limit(cg, CG_V1_MAX, max);
}

static int cg_v1_write_swap_max(const struct cgroup *cg, __u64 swap)
{
	__u64 max, old;
	int ret = cg_v1_read_limits(cg, &max, &old);

	if (ret)
		return ret;
	if (max == CG_UNLIMITED && swap != CG_UNLIMITED)
		return -EINVAL;
	return cg_v1_write_limit(cg, CG_V1_MEMSW, cg_v1_add(max, swap));
}

/* Without swap accounting there is no such line. */
static int cg_v1_read_swap(const struct cgroup *cg, __u64 *bytes)
{
	static const char *const key = "swap";
	int ret = cg_read_keys(cg, CG_STAT, &key, 1, bytes);

	if (ret)
		return ret;
	return *bytes == CG_MISSING ? -EOPNOTSUPP : 0;
}

static int cg_v1_read_number(const struct cgroup *cg, enum cg_file file, __u64 *number)
{
	__u64 max;

	if (file == CG_SWAP)
		return cg_v1_read_swap(cg, number);
	if (file == CG_SWAP_MAX)
		return cg_v1_read_limits(cg, &max, number);
	return cg_read_number_at(cg, cg->tree->ops->files[file], number);
}

static int cg_v1_write_number(const struct cgroup *cg, enum cg_file file, __u64 number)
{
	switch (file) {
	case CG_MAX:
		return cg_v1_write_max(cg, number);
	case CG_SWAP_MAX:
		return cg_v1_write_swap_max(cg, number);
	default:
		return cg_v1_write_limit(cg, cg->tree->ops->files[file], number);
	}
}

/* As on v2, what is below the cgroup is in its numbers. */
static const char *cg_v1_key(const char *name)
{
	if (!strcmp(name, "anon"))
		return "total_rss";
	if (!strcmp(name, "file"))
		return "total_cache";
	if (!strcmp(name, "shmem"))
		return "total_shmem";
	if (!strcmp(name, "swap"))
		return "total_swap";
	return name;
}

static int cg_v1_open_notice(const struct cgroup *cg, int events_fd)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];
	int ret;

	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%d %d", fd, events_fd);
	ret = cg_write_at(cg->fd, "cgroup.event_control", text);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static const char *const cg_v1_delegated[] = { "tasks", "cgroup.procs", NULL };

const struct cg_ops cg_v1_ops = {
	.version = 1,
	.max_moves_swap_max = true,
	.files = {
		[CG_USAGE] = "memory.usage_in_bytes",
		[CG_PEAK] = "memory.max_usage_in_bytes",
		[CG_KERNEL] = "memory.kmem.usage_in_bytes",
		[CG_MAX] = CG_V1_MAX,
		[CG_SWAP_MAX] = CG_V1_MEMSW,
		[CG_SWAP] = "memory.stat",
		[CG_STAT] = "memory.stat",
		[CG_EVENTS] = "memory.oom_control",
		[CG_FAILCNT] = "memory.failcnt",
		[CG_THREADS] = "tasks",
		[CG_MOVE_CHARGE] = "memory.move_charge_at_immigrate",
	},
	.key = cg_v1_key,
	.read_number = cg_v1_read_number,
	.write_number = cg_v1_write_number,
	.open_notice = cg_v1_open_notice,
	.holds_below = cg_v1_holds_below,
	.enable = cg_v1_enable,
	.put_back = cg_v1_put_back,
	.relies = cg_v1_relies,
	.is_root = cg_v1_is_root,
	.can_host = cg_v1_can_host,
	.takes_processes = cg_v1_takes_processes,
	.find_of = cg_v1_find_of,
	.fork = cg_fork_moved,
	.kill = cg_kill_listed,
	.delegated = cg_v1_delegated,
};
