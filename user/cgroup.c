// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include "cgroup.h"
#include "cgroup_mark.h"
#include "clock.h"

#define CG_TEXT_MAX     16384
#define CG_KEYS_MAX     16
#define CG_MAKE_TRIES   10
#define CG_REMOVE_PAUSE (5 * NS_PER_MS)

bool cg_has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	while (*text) {
		size_t next = strcspn(text, "\n ");

		if (next == length && !strncmp(text, word, length))
			return true;
		text += next;
		text += strspn(text, "\n ");
	}
	return false;
}

ssize_t cg_read_at(int fd, const char *file, char *buffer, size_t size)
{
	int file_fd = openat(fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (file_fd < 0)
		return -errno;
	length = read(file_fd, buffer, size - 1);
	if (length < 0)
		length = -errno;
	else
		buffer[length] = '\0';
	close(file_fd);
	return length;
}

int cg_write_at(int fd, const char *file, const char *text)
{
	int file_fd = openat(fd, file, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (file_fd < 0)
		return -errno;
	if (write(file_fd, text, strlen(text)) < 0)
		ret = -errno;
	close(file_fd);
	return ret;
}

static int cg_open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t cg_read_path(const char *path, const char *file, char *buffer, size_t size)
{
	int fd = cg_open_dir(path);
	ssize_t ret;

	if (fd < 0)
		return fd;
	ret = cg_read_at(fd, file, buffer, size);
	close(fd);
	return ret;
}

int cg_find(struct cg_tree *tree, const char *root)
{
	char path[PATH_MAX];
	struct mntent *entry;
	FILE *mounts;

	memset(tree, 0, sizeof(*tree));
	tree->root = root;
	snprintf(path, sizeof(path), "%s/proc/self/mounts", root);
	mounts = setmntent(path, "re");
	if (!mounts)
		return -errno;
	while (!tree->ops && (entry = getmntent(mounts))) {
		snprintf(tree->mount, sizeof(tree->mount), "%s%s", root, entry->mnt_dir);
		if (!strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, "memory"))
			tree->ops = &cg_v1_ops;
		else if (!strcmp(entry->mnt_type, "cgroup2") && cg_v2_has_memory(tree->mount))
			tree->ops = &cg_v2_ops;
		/* Of the last one, which is it. v1 has nothing like this. */
		tree->charges_hugetlb = hasmntopt(entry, "memory_hugetlb_accounting");
	}
	endmntent(mounts);
	return tree->ops ? 0 : -ENOENT;
}

const struct cg_ops *cg_ops_of(unsigned int version)
{
	return version == 1 ? &cg_v1_ops : &cg_v2_ops;
}

static bool cg_has_dots(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if ((length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += length;
		path += strspn(path, "/");
	}
	return false;
}

int cg_resolve(const struct cg_tree *tree, const char *name, char *path, size_t size)
{
	size_t mount = strlen(tree->mount);
	size_t length;

	if (!strncmp(name, tree->mount, mount) && (name[mount] == '/' || !name[mount]))
		name += mount;
	name += strspn(name, "/");
	length = strlen(name);
	while (length && name[length - 1] == '/')
		length--;
	if (!length || cg_has_dots(name) || memchr(name, '\n', length))
		return -EINVAL;
	if (snprintf(path, size, "%s/%.*s", tree->mount, (int)length, name) >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

const char *cg_name(const struct cg_tree *tree, const char *path)
{
	const char *name = path + strlen(tree->mount);

	return *name ? name : "/";
}

bool cg_is_within(const char *name, const char *above)
{
	size_t length = strlen(above);

	return !strcmp(above, "/") ||
	       (!strncmp(name, above, length) && (name[length] == '/' || !name[length]));
}

/* As include/linux/exportfs.h has it: a kernfs node by its id. */
#define CG_FILEID_KERNFS 0xfe

int cg_name_of_id(const struct cg_tree *tree, __u64 id, char *name, size_t size)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + sizeof(id)];
	} node = { .handle = { .handle_bytes = sizeof(id), .handle_type = CG_FILEID_KERNFS } };
	char link[64], path[PATH_MAX];
	ssize_t length;
	int mount, fd;

	mount = cg_open_dir(tree->mount);
	if (mount < 0)
		return mount;
	memcpy(node.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount, &node.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(mount);
	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	close(fd);
	if (length < 0)
		return -errno;
	path[length] = '\0';
	/* The root of the tree of another mount, or of a cgroup namespace, is not below ours. */
	if (strncmp(path, tree->mount, strlen(tree->mount)))
		return -ESTALE;
	snprintf(name, size, "%s", cg_name(tree, path));
	return 0;
}

/* @path becomes the directory above. False at the mount. */
static bool cg_ascend(const struct cg_tree *tree, char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash < path + strlen(tree->mount))
		return false;
	*slash = '\0';
	return true;
}

int cg_default_parent(const struct cg_tree *tree, char *path, size_t size)
{
	char own[PATH_MAX];
	int ret;

	snprintf(path, size, "%s", tree->mount);
	if (tree->ops->can_host(path))
		return 0;
	ret = tree->ops->find_of(tree->root, "self", own, sizeof(own));
	if (ret)
		return ret;
	if (snprintf(path, size, "%s%s", tree->mount, own) >= (int)size)
		return -ENAMETOOLONG;
	while (cg_ascend(tree, path))
		if (tree->ops->can_host(path))
			return 0;
	return access(tree->mount, W_OK) && errno == EROFS ? -EROFS : -EACCES;
}

bool cg_is_below_delegated(const struct cg_tree *tree)
{
	char name[PATH_MAX / 2], path[PATH_MAX];
	bool found = false;
	int fd;

	if (tree->ops->find_of(tree->root, "self", name, sizeof(name)))
		return false;
	if (snprintf(path, sizeof(path), "%s%s", tree->mount, strcmp(name, "/") ? name : "") >=
	    (int)sizeof(path))
		return false;
	do {
		fd = cg_open_dir(path);
		if (fd < 0)
			continue;
		found = cg_is_marked(fd, CG_DELEGATED);
		close(fd);
	} while (!found && cg_ascend(tree, path));
	return found;
}

static int cg_open_made(struct cgroup *cg)
{
	struct stat st;

	cg->fd = cg_open_dir(cg->path);
	if (cg->fd < 0)
		return cg->fd;
	if (fstat(cg->fd, &st))
		return -errno;
	cg->id = st.st_ino;
	return 0;
}

/* -EAGAIN: somebody has removed it before it was locked, as clean does with what is begun. */
static int cg_make(struct cgroup *cg)
{
	int ret;

	if (mkdir(cg->path, 0755 | CG_BEGUN))
		return -errno;
	ret = cg_open_made(cg);
	if (!ret)
		ret = cg_lock_shared(cg->fd);
	if (!ret && cg_is_there(cg)) {
		cg_mark(cg->fd, CG_MADE);
		return 0;
	}
	if (cg->fd >= 0)
		close(cg->fd);
	cg->fd = -1;
	if (!ret || ret == -ENOENT)
		return -EAGAIN;
	rmdir(cg->path);
	return ret;
}

int cg_create(struct cgroup *cg, const struct cg_tree *tree, const char *path)
{
	unsigned int tries = CG_MAKE_TRIES;
	char parent[PATH_MAX];
	int ret;

	memset(cg, 0, sizeof(*cg));
	cg->tree = tree;
	cg->fd = -1;
	snprintf(cg->path, sizeof(cg->path), "%s", path);
	snprintf(parent, sizeof(parent), "%s", path);
	if (!cg_ascend(tree, parent))
		return -EEXIST;

	cg->parent_fd = cg_open_dir(parent);
	if (cg->parent_fd < 0)
		return cg->parent_fd;
	/* Looked at first, so that a name that is taken changes nothing. */
	if (!access(path, F_OK)) {
		close(cg->parent_fd);
		return -EEXIST;
	}
	ret = tree->ops->enable(cg->parent_fd, &cg->enabled);
	if (ret)
		goto err_close_parent;
	do {
		ret = cg_make(cg);
	} while (ret == -EAGAIN && tries--);
	if (!ret)
		return 0;
	tree->ops->put_back(cg->parent_fd, cg->enabled);

err_close_parent:
	close(cg->parent_fd);
	return ret;
}

void cg_leave(struct cgroup *cg)
{
	cg_unmark(cg->fd, CG_MADE);
	close(cg->fd);
	close(cg->parent_fd);
	cg->fd = -1;
}

int cg_look(struct cgroup *cg, const struct cg_tree *tree, const char *path)
{
	int ret;

	memset(cg, 0, sizeof(*cg));
	cg->tree = tree;
	cg->parent_fd = -1;
	snprintf(cg->path, sizeof(cg->path), "%s", path);
	ret = cg_open_made(cg);
	if (ret)
		cg_look_away(cg);
	return ret;
}

int cg_adopt(struct cgroup *cg, const struct cg_tree *tree, const char *path)
{
	char parent[PATH_MAX];
	int ret = cg_look(cg, tree, path);

	if (ret)
		return ret;
	snprintf(parent, sizeof(parent), "%s", path);
	ret = -EBUSY;
	if (!cg_ascend(tree, parent) || !cg_lock_alone(cg->fd))
		goto err_look_away;
	cg->parent_fd = cg_open_dir(parent);
	ret = cg->parent_fd;
	if (ret < 0)
		goto err_look_away;
	return 0;

err_look_away:
	cg_look_away(cg);
	return ret;
}

void cg_look_away(struct cgroup *cg)
{
	if (cg->fd < 0)
		return;
	if (cg->parent_fd >= 0)
		close(cg->parent_fd);
	close(cg->fd);
	cg->fd = -1;
}

bool cg_is_there(const struct cgroup *cg)
{
	struct stat st;

	return !stat(cg->path, &st) && st.st_ino == cg->id;
}

int cg_watch_removal(const struct cgroup *cg)
{
	char parent[PATH_MAX];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int ret;

	if (fd < 0)
		return -errno;
	snprintf(parent, sizeof(parent), "%s", cg->path);
	cg_ascend(cg->tree, parent);
	if (inotify_add_watch(fd, parent, IN_DELETE | IN_ONLYDIR) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int cg_remove(struct cgroup *cg, __u64 timeout_ns)
{
	__u64 deadline_ns = clock_now_ns() + timeout_ns;
	int ret = 0;

	if (cg->fd < 0)
		return 0;
	for (;;) {
		if (!cg_is_there(cg)) {
			ret = -ENOENT;
			break;
		}
		if (!rmdir(cg->path))
			break;
		if (errno != EBUSY || clock_now_ns() >= deadline_ns) {
			ret = -errno;
			break;
		}
		/* What is killed leaves its cgroup some way into its exit. */
		cg->tree->ops->kill(cg);
		cg_remove_below(cg);
		clock_pause_ns(CG_REMOVE_PAUSE);
	}
	cg->tree->ops->put_back(cg->parent_fd, cg->enabled);
	close(cg->parent_fd);
	close(cg->fd);
	cg->fd = -1;
	return ret;
}

/* v1 shows PAGE_COUNTER_MAX in bytes where there is no limit (include/linux/page_counter.h). */
static __u64 cg_parse_number(const char *text)
{
	__u64 number = strtoull(text, NULL, 10);
	__u64 page = sysconf(_SC_PAGESIZE);

	if (!strncmp(text, "max", 3) || number >= LONG_MAX / page * page)
		return CG_UNLIMITED;
	return number;
}

int cg_effective_max(const struct cg_tree *tree, const char *path, __u64 *bytes, char *owner,
		     size_t size)
{
	const char *file = tree->ops->files[CG_MAX];
	char here[PATH_MAX], text[64];

	*bytes = CG_UNLIMITED;
	snprintf(here, sizeof(here), "%s", path);
	do {
		ssize_t length = cg_read_path(here, file, text, sizeof(text));
		__u64 limit;

		/* The root has no limit, nor has what is not yet made. */
		if (length == -ENOENT)
			continue;
		if (length < 0)
			return length;
		limit = cg_parse_number(text);
		if (limit >= *bytes)
			continue;
		*bytes = limit;
		snprintf(owner, size, "%s", here);
	} while (cg_ascend(tree, here) && tree->ops->holds_below(here));
	return 0;
}

/* Engines forbid clone3(), whose arguments their filters of system calls cannot see. */
static pid_t cg_fork_beside(int *pidfd)
{
	pid_t pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, 0);

	return pid < 0 ? -errno : pid;
}

pid_t cg_fork_into(const struct cgroup *cg, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (__u64)(unsigned long)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cg->fd,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	return pid < 0 ? -errno : pid;
}

/*
 * The child waits to be moved before it does anything else. What the fork needs is charged to the
 * caller's cgroup, as it is with CLONE_INTO_CGROUP, and so is the page of the stack that the child
 * waits on.
 */
pid_t cg_fork_moved(const struct cgroup *cg, int *pidfd)
{
	char number[16], go = 0;
	int gate[2];
	pid_t pid;
	int ret;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	pid = cg_fork_beside(pidfd);
	if (!pid) {
		close(gate[1]);
		if (read(gate[0], &go, 1) != 1)
			_exit(EXIT_FAILURE);
		close(gate[0]);
		return 0;
	}
	close(gate[0]);
	ret = pid;
	if (pid > 0) {
		snprintf(number, sizeof(number), "%d", pid);
		ret = cg_write_at(cg->fd, "cgroup.procs", number);
		if (!ret && write(gate[1], &go, 1) != 1)
			ret = -errno;
	}
	/* Without the word to go, the child sees the end of the pipe. */
	close(gate[1]);
	if (ret && pid > 0) {
		waitpid(pid, NULL, 0);
		close(*pidfd);
		*pidfd = -1;
	}
	return ret ? ret : pid;
}

pid_t cg_fork(const struct cgroup *cg, int *pidfd)
{
	return cg ? cg->tree->ops->fork(cg, pidfd) : cg_fork_beside(pidfd);
}

int cg_open(const struct cgroup *cg, enum cg_file file, int flags)
{
	const char *name = cg->tree->ops->files[file];
	int fd;

	if (!name)
		return -EOPNOTSUPP;
	fd = openat(cg->fd, name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A missing file means an old kernel only as long as the cgroup itself is there. */
static int cg_file_error(const struct cgroup *cg, int error)
{
	return error == -ENOENT && cg_is_there(cg) ? -EOPNOTSUPP : error;
}

ssize_t cg_read_text(const struct cgroup *cg, enum cg_file file, char *buffer, size_t size)
{
	const char *name = cg->tree->ops->files[file];
	ssize_t length;

	if (!name)
		return -EOPNOTSUPP;
	length = cg_read_at(cg->fd, name, buffer, size);
	return length < 0 ? cg_file_error(cg, length) : length;
}

int cg_read_number_at(const struct cgroup *cg, const char *name, __u64 *number)
{
	char text[64];
	ssize_t length = cg_read_at(cg->fd, name, text, sizeof(text));

	if (length < 0)
		return cg_file_error(cg, length);
	*number = cg_parse_number(text);
	return 0;
}

int cg_write_text_at(const struct cgroup *cg, const char *name, const char *text)
{
	return cg_file_error(cg, cg_write_at(cg->fd, name, text));
}

int cg_read_number(const struct cgroup *cg, enum cg_file file, __u64 *number)
{
	const struct cg_ops *ops = cg->tree->ops;

	return ops->files[file] ? ops->read_number(cg, file, number) : -EOPNOTSUPP;
}

int cg_read_number_if_any(const struct cgroup *cg, enum cg_file file, __u64 *number)
{
	int ret = cg_read_number(cg, file, number);

	if (ret != -EOPNOTSUPP)
		return ret;
	*number = CG_MISSING;
	return 0;
}

int cg_write_number(const struct cgroup *cg, enum cg_file file, __u64 number)
{
	const struct cg_ops *ops = cg->tree->ops;

	return ops->files[file] ? ops->write_number(cg, file, number) : -EOPNOTSUPP;
}

void cg_parse_keys(const char *text, const char *const *keys, unsigned int count, __u64 *values)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		values[i] = CG_MISSING;
	while (text && *text) {
		size_t length = strcspn(text, "\n ");

		for (i = 0; i < count; i++)
			if (strlen(keys[i]) == length && !strncmp(text, keys[i], length))
				values[i] = strtoull(text + length, NULL, 10);
		text = strchr(text, '\n');
		if (text)
			text++;
	}
}

int cg_read_keys(const struct cgroup *cg, enum cg_file file, const char *const *keys,
		 unsigned int count, __u64 *values)
{
	const char *names[CG_KEYS_MAX];
	char text[CG_TEXT_MAX];
	ssize_t length = cg_read_text(cg, file, text, sizeof(text));
	unsigned int i;

	if (length < 0)
		return length;
	if (count > CG_KEYS_MAX)
		return -E2BIG;
	for (i = 0; i < count; i++)
		names[i] = cg->tree->ops->key(keys[i]);
	cg_parse_keys(text, names, count, values);
	return 0;
}

/* Before 5.14 there is no cgroup.kill, and on v1 never. Who calls comes again while one is left. */
int cg_kill_listed(const struct cgroup *cg)
{
	cg_signal(cg, SIGKILL);
	return 0;
}
