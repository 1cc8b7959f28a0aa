// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/sched.h>

#include "cgroup.h"
#include "clock.h"

#define REMOVE_DEADLINE_NS (5 * NS_PER_S)

static int cgroup_mount(char *path, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	int ret = -ENOENT;

	if (!mounts)
		return -errno;
	while ((entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2"))
			continue;
		ret = snprintf(path, size, "%s", entry->mnt_dir) < (int)size ? 0 : -ENAMETOOLONG;
		break;
	}
	endmntent(mounts);
	return ret;
}

int cgroup_create(struct cgroup *cg, const struct cgroup *parent, const char *name)
{
	char base[200];
	struct stat st;
	int ret;

	memset(cg, 0, sizeof(*cg));
	if (parent) {
		ret = cgroup_write(parent, "cgroup.subtree_control", "+memory");
		if (ret)
			return ret;
		ret = snprintf(base, sizeof(base), "%s", parent->path) < (int)sizeof(base) ?
			      0 :
			      -ENAMETOOLONG;
	} else {
		ret = cgroup_mount(base, sizeof(base));
	}
	if (ret)
		return ret;
	if (snprintf(cg->path, sizeof(cg->path), "%s/%s", base, name) >= (int)sizeof(cg->path))
		return -ENAMETOOLONG;
	if (mkdir(cg->path, 0755))
		return -errno;
	cg->fd = open(cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cg->fd < 0 || fstat(cg->fd, &st)) {
		ret = -errno;
		rmdir(cg->path);
		cg->fd = 0;
		return ret;
	}
	cg->id = st.st_ino;
	return 0;
}

int cgroup_remove(struct cgroup *cg)
{
	__u64 deadline = clock_deadline_ns(REMOVE_DEADLINE_NS);
	int ret = 0;

	if (!cg->fd)
		return 0;
	while (rmdir(cg->path)) {
		/* A killed task leaves its cgroup some way into do_exit() */
		if (errno != EBUSY || !clock_poll(deadline)) {
			ret = -errno;
			break;
		}
	}
	if (!ret && !access(cg->path, F_OK))
		ret = -EEXIST;
	close(cg->fd);
	cg->fd = 0;
	return ret;
}

int cgroup_write(const struct cgroup *cg, const char *file, const char *text)
{
	int fd = openat(cg->fd, file, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int cgroup_write_number(const struct cgroup *cg, const char *file, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	return cgroup_write(cg, file, text);
}

ssize_t cgroup_read(const struct cgroup *cg, const char *file, char *buf, size_t size)
{
	int fd = openat(cg->fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	else
		buf[len] = '\0';
	close(fd);
	return len;
}

long long cgroup_read_number(const struct cgroup *cg, const char *file)
{
	char buf[64];
	ssize_t len = cgroup_read(cg, file, buf, sizeof(buf));

	if (len < 0)
		return len;
	if (!strncmp(buf, "max", 3))
		return LLONG_MAX;
	return atoll(buf);
}

long long cgroup_read_key(const struct cgroup *cg, const char *file, const char *key)
{
	char buf[8192];
	ssize_t len = cgroup_read(cg, file, buf, sizeof(buf));
	size_t key_len = strlen(key);
	char *line, *next;

	if (len < 0)
		return len;
	for (line = buf; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			next++;
		if (!strncmp(line, key, key_len) && line[key_len] == ' ')
			return atoll(line + key_len + 1);
	}
	return -ENOENT;
}

pid_t cgroup_fork(const struct cgroup *cg)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cg->fd,
	};
	pid_t pid;

	fflush(NULL);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 ? -errno : pid;
}
