// SPDX-License-Identifier: GPL-2.0
/* Shared memory: pages of a file that has no disk, written to and not mapped. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup.h"

#include "cache.h"

static void memfd_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "written");
}

/* Huge pages would be charged where a small one was written. */
static const char *memfd_missing(const struct step *step, unsigned int version)
{
	static const char enabled[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
	char text[128];

	(void)step;
	(void)version;
	if (cg_read_at(-1, enabled, text, sizeof(text)) > 0 &&
	    (strstr(text, "[always]") || strstr(text, "[force]")))
		return "all shared memory is in huge pages here; set shmem_enabled to never";
	return NULL;
}

static void memfd_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	__u64 bytes = objects * step->object_size;

	charge->page_bytes += bytes;
	charge->user_bytes += bytes;
	charge->file_bytes += bytes;
	charge->shmem_bytes += bytes;
	charge->more_bytes += cache_tree_bytes(most * step->object_size);
}

static int memfd_open(struct workload_run *run)
{
	run->state.file.fd = memfd_create("memstress", MFD_CLOEXEC);
	return run->state.file.fd < 0 ? -errno : 0;
}

static int memfd_make(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;

	return cache_write(run->state.file.fd, index * size, size);
}

static void memfd_drop(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;

	cache_drop(run->state.file.fd, index * size, size, index + 1 >= run->objects);
}

static void memfd_close(struct workload_run *run)
{
	close(run->state.file.fd);
}

const struct workload workload_memfd = {
	.size_max = WORKLOAD_SIZE_MAX,
	.is_on_lru = true,
	.describe = memfd_describe,
	.missing = memfd_missing,
	.charge = memfd_charge,
	.open = memfd_open,
	.make = memfd_make,
	.drop = memfd_drop,
	.close = memfd_close,
};
