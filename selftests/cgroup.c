// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include "cgroup.h"
#include "clock.h"

#define REMOVE_DEADLINE_NS (5 * NS_PER_S)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define V1_EVENTS "memory.oom_control"
#define V1_MAX    "memory.limit_in_bytes"
#define V1_MEMSW  "memory.memsw.limit_in_bytes"

static const struct {
	const char *name, *v1;
} v1_files[] = {
	{ "memory.current", "memory.usage_in_bytes" },
	{ "memory.peak", "memory.max_usage_in_bytes" },
	{ "memory.max", V1_MAX },
	{ "memory.events", V1_EVENTS },
	{ "memory.events.local", V1_EVENTS },
	{ "memory.high", NULL },
	{ "memory.oom.group", NULL },
};

/* Where the hierarchy is that has the memory controller; *@v1: it is of that version */
static int cgroup_mount(char *path, size_t size, bool *v1)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	int ret = -ENOENT;

	if (!mounts)
		return -errno;
	while ((entry = getmntent(mounts))) {
		bool memory_v1 = !strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, "memory");

		if (!memory_v1 && strcmp(entry->mnt_type, "cgroup2"))
			continue;
		ret = snprintf(path, size, "%s", entry->mnt_dir) < (int)size ? 0 : -ENAMETOOLONG;
		*v1 = memory_v1;
		/* On a hybrid host there is a cgroup2, too */
		if (memory_v1)
			break;
	}
	endmntent(mounts);
	return ret;
}

bool cgroup_is_v1(void)
{
	static int answer = -1;
	char path[200];
	bool v1 = false;

	if (answer < 0)
		answer = !cgroup_mount(path, sizeof(path), &v1) && v1;
	return answer;
}

int cgroup_open_root(void)
{
	char path[200];
	bool v1;
	int ret = cgroup_mount(path, sizeof(path), &v1);
	int fd;

	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

const char *cgroup_file(const char *name)
{
	unsigned int i;

	for (i = 0; cgroup_is_v1() && i < ARRAY_SIZE(v1_files); i++)
		if (!strcmp(name, v1_files[i].name))
			return v1_files[i].v1;
	return name;
}

static int cgroup_open(const struct cgroup *cg, const char *file, int flags)
{
	const char *name = cgroup_file(file);
	int fd = name ? openat(cg->fd, name, flags | O_CLOEXEC) : -1;

	if (!name)
		return -ENOENT;
	return fd < 0 ? -errno : fd;
}

/* Before 5.11 the limit of a cgroup did not hold for its children without this */
static int cgroup_count_children(const struct cgroup *parent)
{
	if (!cgroup_is_v1())
		return cgroup_write(parent, "cgroup.subtree_control", "+memory");
	if (cgroup_read_number(parent, "memory.use_hierarchy") == 1)
		return 0;
	return cgroup_write(parent, "memory.use_hierarchy", "1");
}

/* Only an eventfd is told of OOMs on v1 */
static int cgroup_count_ooms(struct cgroup *cg)
{
	int fd = cgroup_open(cg, "memory.events", O_RDONLY);
	char text[32];
	int ret;

	if (fd < 0)
		return fd;
	cg->oom_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(text, sizeof(text), "%d %d", cg->oom_fd, fd);
	ret = cgroup_write(cg, "cgroup.event_control", text);
	close(fd);
	return ret;
}

int cgroup_create(struct cgroup *cg, const struct cgroup *parent, const char *name)
{
	char base[200];
	struct stat st;
	bool v1;
	int ret;

	memset(cg, 0, sizeof(*cg));
	if (parent) {
		ret = cgroup_count_children(parent);
		if (ret)
			return ret;
		ret = snprintf(base, sizeof(base), "%s", parent->path) < (int)sizeof(base) ?
			      0 :
			      -ENAMETOOLONG;
	} else {
		ret = cgroup_mount(base, sizeof(base), &v1);
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
	ret = cgroup_is_v1() ? cgroup_count_ooms(cg) : 0;
	if (ret)
		cgroup_remove(cg);
	return ret;
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
	if (cg->oom_fd)
		close(cg->oom_fd);
	cg->oom_fd = 0;
	return ret;
}

int cgroup_write(const struct cgroup *cg, const char *file, const char *text)
{
	int fd = cgroup_open(cg, file, O_WRONLY);
	int ret = 0;

	if (fd < 0)
		return fd;
	if (cgroup_is_v1() && !strcmp(text, "max"))
		text = "-1";
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int cgroup_write_number(const struct cgroup *cg, const char *file, long long number)
{
	char text[32];

	if (cgroup_is_v1() && !strcmp(file, "memory.swap.max")) {
		file = V1_MEMSW;
		number += cgroup_read_number(cg, "memory.max");
	}
	snprintf(text, sizeof(text), "%lld", number);
	return cgroup_write(cg, file, text);
}

ssize_t cgroup_read(const struct cgroup *cg, const char *file, char *buf, size_t size)
{
	int fd = cgroup_open(cg, file, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return fd;
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

/* Each charge that does not fit is counted by the one of the two limits that it met */
static long long cgroup_read_failures(const struct cgroup *cg)
{
	long long memory = cgroup_read_number(cg, "memory.failcnt");
	long long both = cgroup_read_number(cg, "memory.memsw.failcnt");

	if (both == -ENOENT)
		both = 0;
	return memory < 0 || both < 0 ? -EIO : memory + both;
}

/* Reading takes the count away, so it is put back */
static long long cgroup_read_ooms(const struct cgroup *cg)
{
	eventfd_t count;

	if (eventfd_read(cg->oom_fd, &count))
		return errno == EAGAIN ? 0 : -errno;
	return eventfd_write(cg->oom_fd, count) ? -errno : (long long)count;
}

long long cgroup_read_key(const struct cgroup *cg, const char *file, const char *key)
{
	bool events_v1 = cgroup_is_v1() && !strncmp(file, "memory.events", 13);
	char buf[8192];
	size_t key_len = strlen(key);
	char *line, *next;
	ssize_t len;

	if (events_v1 && !strcmp(key, "max"))
		return cgroup_read_failures(cg);
	if (events_v1 && !strcmp(key, "oom"))
		return cgroup_read_ooms(cg);
	len = cgroup_read(cg, file, buf, sizeof(buf));
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

long long cgroup_count_dying(const struct cgroup *top)
{
	if (cgroup_is_v1())
		return cgroup_count_unfreed();
	return cgroup_read_key(top, "cgroup.stat", "nr_dying_descendants");
}

static long long count_directories(const char *path)
{
	DIR *dir = opendir(path);
	long long count = 1;
	struct dirent *entry;
	char below[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%.200s/%.255s", path, entry->d_name);
		count += count_directories(below);
	}
	if (dir)
		closedir(dir);
	return count;
}

long long cgroup_count(const struct cgroup *cg)
{
	long long dying = cgroup_is_v1() ? 0 : cgroup_count_dying(cg);

	return count_directories(cg->path) + (dying > 0 ? dying : 0);
}

long long cgroup_count_unfreed(void)
{
	long long count = -ENOENT, of, hierarchy;
	char line[128], name[64], path[200];
	FILE *file;
	bool v1;

	if (cgroup_mount(path, sizeof(path), &v1))
		return -ENOENT;
	file = fopen("/proc/cgroups", "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lld %lld", name, &hierarchy, &of) != 3)
			continue;
		if (v1 ? !strcmp(name, "memory") : !hierarchy)
			count = of;
	}
	if (file)
		fclose(file);
	return count < 0 ? -ENOENT : count - count_directories(path);
}

/* A child that waits until it was moved; without a word it ends */
static pid_t cgroup_fork_v1(const struct cgroup *cg)
{
	int gate[2], ret;
	char go = 0;
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		close(gate[1]);
		if (read(gate[0], &go, 1) != 1)
			_exit(1);
		close(gate[0]);
		return 0;
	}
	close(gate[0]);
	ret = pid < 0 ? -errno : cgroup_write_number(cg, "cgroup.procs", pid);
	if (!ret && write(gate[1], &go, 1) != 1)
		ret = -errno;
	close(gate[1]);
	if (ret && pid > 0)
		waitpid(pid, NULL, 0);
	return ret ? ret : pid;
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
	if (cgroup_is_v1())
		return cgroup_fork_v1(cg);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 ? -errno : pid;
}
