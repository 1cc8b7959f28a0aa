// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup_mark.h"
#include "clock.h"

/* Whoever may look at a cgroup may lock its directory, and not only for as long as we do. */
#define CG_LOCK_TIMEOUT (5 * NS_PER_S)
#define CG_LOCK_PAUSE   (5 * NS_PER_MS)

static const char *const cg_mark_names[] = {
	[CG_MADE] = "user.memstress.made",
	[CG_ENABLED] = "user.memstress.enabled",
	[CG_DELEGATED] = "user.memstress.delegated",
};

/* He to whom it was given can remove the other one, and with it what limits him. */
static const char cg_delegated_by_root[] = "trusted.memstress.delegated";

static bool cg_mode_is_begun(mode_t mode)
{
	return (mode & (CG_BEGUN | 0022)) == CG_BEGUN;
}

bool cg_is_begun(int fd)
{
	struct stat stat;

	return !fstat(fd, &stat) && cg_mode_is_begun(stat.st_mode);
}

static void cg_end_begun(int fd)
{
	struct stat stat;

	if (!fstat(fd, &stat) && cg_mode_is_begun(stat.st_mode))
		fchmod(fd, stat.st_mode & ~CG_BEGUN & ALLPERMS);
}

int cg_mark(int fd, enum cg_mark mark)
{
	int ret;

	if (mark == CG_DELEGATED)
		fsetxattr(fd, cg_delegated_by_root, "1", 1, 0);
	ret = fsetxattr(fd, cg_mark_names[mark], "1", 1, 0) ? -errno : 0;
	if (mark == CG_MADE)
		cg_end_begun(fd);
	return ret;
}

void cg_unmark(int fd, enum cg_mark mark)
{
	if (mark == CG_DELEGATED)
		fremovexattr(fd, cg_delegated_by_root);
	fremovexattr(fd, cg_mark_names[mark]);
}

bool cg_is_marked(int fd, enum cg_mark mark)
{
	if (mark == CG_DELEGATED && fgetxattr(fd, cg_delegated_by_root, NULL, 0) >= 0)
		return true;
	return fgetxattr(fd, cg_mark_names[mark], NULL, 0) >= 0;
}

/* Those that were locked; what has become of the numbers since is looked at when it matters. */
static fd_set cg_locked;

int cg_lock_shared(int fd)
{
	__u64 deadline_ns = clock_now_ns() + CG_LOCK_TIMEOUT;

	while (flock(fd, LOCK_SH | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (clock_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		clock_pause_ns(CG_LOCK_PAUSE);
	}
	if (fd < FD_SETSIZE)
		FD_SET(fd, &cg_locked);
	return 0;
}

bool cg_lock_alone(int fd)
{
	return !flock(fd, LOCK_EX | LOCK_NB);
}

static void cg_leave_lock(int fd)
{
	struct stat stat;
	int again;

	if (fstat(fd, &stat) || !S_ISDIR(stat.st_mode))
		return;
	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again < 0)
		return;
	dup3(again, fd, O_CLOEXEC);
	close(again);
}

void cg_leave_locks(void)
{
	int fd;

	for (fd = 0; fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, &cg_locked))
			cg_leave_lock(fd);
}

bool cg_has_child(int fd, bool (*is_one)(int fd))
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;
	bool found = false;

	if (!dir) {
		if (again >= 0)
			close(again);
		return false;
	}
	while (!found && (entry = readdir(dir))) {
		int child;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child < 0)
			continue;
		found = is_one(child);
		close(child);
	}
	closedir(dir);
	return found;
}
