// SPDX-License-Identifier: GPL-2.0
/* Anonymous memory: private pages that are written to. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup.h"

#include "arena.h"

static void anon_describe(const struct step *step, char *text, size_t size)
{
	snprintf(text, size, "in %s pages%s", step->thp ? "huge" : "small",
		 step->mlock ? ", locked" : "");
}

static const char *anon_missing(const struct step *step, unsigned int version)
{
	static const char enabled[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	char text[64];

	(void)version;
	if (!step->thp)
		return NULL;
	if (cg_read_at(-1, enabled, text, sizeof(text)) < 0 || strstr(text, "[never]"))
		return "there are no transparent huge pages";
	return NULL;
}

/* A huge page takes as much as small ones: a table is put aside for the time when it is split. */
static void anon_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	__u64 bytes = objects * step->object_size;
	__u64 page = workload_page_size();
	__u64 left = arena_tables(most * step->object_size, page) - arena_tables(bytes, page);

	charge->page_bytes += bytes;
	charge->user_bytes += bytes;
	charge->anon_bytes += bytes;
	arena_charge(bytes, page, charge);
	/* What was dropped leaves its tables, on kernels that do not free empty ones. */
	charge->more_bytes += left * page;
}

static int anon_open(struct workload_run *run)
{
	return arena_open(&run->state.arena, PROT_READ | PROT_WRITE,
			  run->step->thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static int anon_make(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size, at;
	int ret = arena_extend(&run->state.arena, (index + 1) * size, run->step->mlock);
	char *object = run->state.arena.base + index * size;

	for (at = 0; !ret && at < size; at += workload_page_size())
		__atomic_store_n(&object[at], 1, __ATOMIC_RELAXED);
	return ret;
}

static void anon_drop(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;
	char *object = run->state.arena.base + index * size;

	if (run->step->mlock)
		munlock(object, size);
	madvise(object, size, MADV_DONTNEED);
	if (run->step->mlock)
		mlock2(object, size, MLOCK_ONFAULT);
}

static void anon_close(struct workload_run *run)
{
	arena_close(&run->state.arena);
}

const struct workload workload_anon = {
	.options = WORKLOAD_THP | WORKLOAD_MLOCK,
	.size_max = WORKLOAD_SIZE_MAX,
	.is_on_lru = true,
	.describe = anon_describe,
	.missing = anon_missing,
	.charge = anon_charge,
	.open = anon_open,
	.make = anon_make,
	.drop = anon_drop,
	.close = anon_close,
};
