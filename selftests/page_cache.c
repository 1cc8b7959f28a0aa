// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "books.h"
#include "knob.h"
#include "page_cache.h"

#define HOT_ADD    "/sys/class/zram-control/hot_add"
#define HOT_REMOVE "/sys/class/zram-control/hot_remove"
#define NO_DISK    (-1)

/* Reading the file is what makes a disk; its number, or -errno */
static int disk_add(void)
{
	char text[16] = "";
	int fd, ret;

	/* The exit status does not matter: what is built in is no module */
	if (access(HOT_ADD, F_OK) && system("modprobe -q zram") < 0)
		return -errno;
	fd = open(HOT_ADD, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : -EIO;
	close(fd);
	return ret;
}

static int disk_open(struct page_cache *cache)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/sys/block/zram%d/disksize", cache->disk);
	ret = knob_write_number(path, cache->bytes);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/dev/zram%d", cache->disk);
	cache->fd = open(path, O_RDWR | O_CLOEXEC);
	if (cache->fd < 0) {
		cache->fd = 0;
		return -errno;
	}
	/* No readahead: single pages, and only those that are asked for */
	ret = -posix_fadvise(cache->fd, 0, 0, POSIX_FADV_RANDOM);
	if (ret)
		return ret;
	cache->map = mmap(NULL, cache->bytes, PROT_READ, MAP_SHARED, cache->fd, 0);
	return cache->map == MAP_FAILED ? -errno : 0;
}

int page_cache_open(struct page_cache *cache, long long bytes)
{
	int ret;

	memset(cache, 0, sizeof(*cache));
	cache->bytes = bytes;
	cache->disk = disk_add();
	if (cache->disk < 0)
		return cache->disk;
	ret = disk_open(cache);
	if (ret)
		page_cache_close(cache);
	return ret;
}

int page_cache_close(struct page_cache *cache)
{
	if (cache->map && cache->map != MAP_FAILED)
		munmap(cache->map, cache->bytes);
	if (cache->fd)
		close(cache->fd);
	cache->fd = 0;
	return knob_write_number(HOT_REMOVE, cache->disk);
}

/* pread() or pwrite() */
typedef ssize_t (*page_io)(int fd, void *page, size_t bytes, off_t at);

static ssize_t write_page(int fd, void *page, size_t bytes, off_t at)
{
	return pwrite(fd, page, bytes, at);
}

static bool each_page(const struct page_cache *cache, page_io io, long long offset, long long bytes)
{
	static char page[65536];
	const long long step = books_page_size();
	long long at;

	for (at = offset; at < offset + bytes; at += step)
		if (io(cache->fd, page, step, at) != step)
			return false;
	return true;
}

static int each_page_in(const struct page_cache *cache, const struct cgroup *cg, page_io io,
			long long offset, long long bytes)
{
	pid_t pid = cgroup_fork(cg);
	int status;

	if (!pid)
		_exit(!each_page(cache, io, offset, bytes));
	if (pid < 0)
		return pid;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -EIO : 0;
}

int page_cache_read(const struct page_cache *cache, const struct cgroup *cg, long long offset,
		    long long bytes)
{
	return each_page_in(cache, cg, pread, offset, bytes);
}

int page_cache_write(const struct page_cache *cache, const struct cgroup *cg, long long offset,
		     long long bytes)
{
	return each_page_in(cache, cg, write_page, offset, bytes);
}

int page_cache_clean(const struct page_cache *cache)
{
	return fsync(cache->fd) ? -errno : 0;
}

long long page_cache_resident(const struct page_cache *cache, long long offset, long long bytes)
{
	const long long page = books_page_size();
	unsigned char *in = malloc(bytes / page);
	long long resident = 0, i;

	if (!in || mincore(cache->map + offset, bytes, in)) {
		free(in);
		return -errno;
	}
	for (i = 0; i < bytes / page; i++)
		resident += in[i] & 1;
	free(in);
	return resident * page;
}

int page_cache_drop(const struct page_cache *cache)
{
	return -posix_fadvise(cache->fd, 0, 0, POSIX_FADV_DONTNEED);
}
