// SPDX-License-Identifier: GPL-2.0
/* How many threads live in a cgroup, where the pids controller does not count them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

/* Of the file @name of the directory @fd, however long it is: one for each line. */
static int cg_count_lines(int fd, const char *name, __u64 *lines)
{
	int file = openat(fd, name, O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t length, i;

	if (file < 0)
		return -errno;
	while ((length = read(file, text, sizeof(text))) > 0)
		for (i = 0; i < length; i++)
			*lines += text[i] == '\n';
	if (length < 0)
		length = -errno;
	close(file);
	return length;
}

/* Takes @fd over. Those below that go away meanwhile have nobody in them. */
static int cg_count_in(int fd, const char *name, __u64 *threads)
{
	int ret = cg_count_lines(fd, name, threads);
	struct dirent *entry;
	DIR *dir;

	dir = ret ? NULL : fdopendir(fd);
	if (!dir) {
		ret = ret ? ret : -errno;
		close(fd);
		return ret;
	}
	while (!ret && (entry = readdir(dir))) {
		int below;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		below = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (below >= 0)
			ret = cg_count_in(below, name, threads);
		if (ret == -ENODEV || ret == -ENOENT)
			ret = 0;
	}
	closedir(dir);
	return ret;
}

int cg_count_threads(const struct cgroup *cg, __u64 *threads)
{
	int fd = openat(cg->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*threads = 0;
	if (fd < 0)
		return -errno;
	return cg_count_in(fd, cg->tree->ops->files[CG_THREADS], threads);
}
