// SPDX-License-Identifier: GPL-2.0
/*
 * Page cache: of a file that has no name. Dirty pages are written, and the kernel may write them
 * to the disk when it likes. Clean ones are read from a file that has nothing but a hole, which
 * needs no disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "cache.h"

#define FILE_DIR "/var/tmp"

/* The file grows in such steps before it is read. */
#define FILE_HOLE (64ULL << 20)

/* Of a page, what a file system may keep for each of its blocks: struct buffer_head. */
#define FILE_BLOCKS_BYTES 1024

static const char *file_dir(const struct step *step)
{
	return *step->dir ? step->dir : FILE_DIR;
}

static void file_describe(const struct step *step, char *text, size_t size)
{
	snprintf(text, size, "%s, in %.64s", step->clean ? "clean" : "dirty", file_dir(step));
}

/* Where O_TMPFILE is not known, a name is made and removed. */
static int file_create(const struct step *step)
{
	char path[PATH_MAX];
	int fd = open(file_dir(step), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd < 0 ? -errno : fd;
	if (snprintf(path, sizeof(path), "%s/memstress-XXXXXX", file_dir(step)) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static const char *file_missing(const struct step *step, unsigned int version)
{
	static char text[512];
	struct statfs fs;
	int fd = file_create(step);

	(void)version;
	if (fd < 0) {
		snprintf(text, sizeof(text), "no file can be made in %.256s: %m; give dir=DIR",
			 file_dir(step));
		return text;
	}
	if (fstatfs(fd, &fs))
		fs.f_type = 0;
	close(fd);
	if (fs.f_type != TMPFS_MAGIC)
		return NULL;
	snprintf(text, sizeof(text),
		 "%.256s is on a tmpfs, which is shared memory; "
		 "give dir=DIR on a disk, or the kind memfd",
		 file_dir(step));
	return text;
}

static void file_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	__u64 bytes = objects * step->object_size;

	charge->page_bytes += bytes;
	charge->user_bytes += bytes;
	charge->file_bytes += bytes;
	charge->more_bytes += cache_tree_bytes(most * step->object_size);
	charge->more_bytes += most * step->object_size / workload_page_size() * FILE_BLOCKS_BYTES;
}

static int file_open(struct workload_run *run)
{
	run->state.file.fd = file_create(run->step);
	run->state.file.bytes = 0;
	if (run->state.file.fd < 0)
		return run->state.file.fd;
	/* Without it the kernel reads ahead, and more than was asked for. */
	return -posix_fadvise(run->state.file.fd, 0, 0, POSIX_FADV_RANDOM);
}

static int file_read(struct workload_run *run, __u64 offset, __u64 bytes)
{
	int fd = run->state.file.fd;
	__u64 at;
	char byte;

	while (run->state.file.bytes < offset + bytes) {
		if (ftruncate(fd, (off_t)(run->state.file.bytes + FILE_HOLE)))
			return -errno;
		run->state.file.bytes += FILE_HOLE;
	}
	for (at = 0; at < bytes; at += workload_page_size())
		if (pread(fd, &byte, 1, (off_t)(offset + at)) != 1)
			return -errno;
	return 0;
}

static int file_make(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;

	if (run->step->clean)
		return file_read(run, index * size, size);
	return cache_write(run->state.file.fd, index * size, size);
}

static void file_drop(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;
	int fd = run->state.file.fd;

	if (run->step->clean)
		posix_fadvise(fd, (off_t)(index * size), (off_t)size, POSIX_FADV_DONTNEED);
	else
		cache_drop(fd, index * size, size, index + 1 >= run->objects);
}

static void file_close(struct workload_run *run)
{
	close(run->state.file.fd);
}

const struct workload workload_file = {
	.options = WORKLOAD_CLEAN | WORKLOAD_DIR,
	.size_max = WORKLOAD_SIZE_MAX,
	.is_on_lru = true,
	.describe = file_describe,
	.missing = file_missing,
	.charge = file_charge,
	.open = file_open,
	.make = file_make,
	.drop = file_drop,
	.close = file_close,
};
