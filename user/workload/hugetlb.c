// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages of the pool (MAP_HUGETLB). Memory on cgroup v2 is charged for them if it is mounted
 * with memory_hugetlb_accounting, which 6.7 and later know; else they have no counter but that of
 * the controller hugetlb, and only their page tables are charged.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cgroup.h"

#include "arena.h"

#define HUGETLB_SIZES "/sys/kernel/mm/hugepages"

/* Where the kernel has no huge pages: those of an entry of the second level. */
#define HUGETLB_SIZE_USUAL (2 << 20)

static bool hugetlb_is_charged(void)
{
	static int answer = -1;
	struct cg_tree tree;

	if (answer < 0)
		answer = !cg_find(&tree, "") && tree.charges_hugetlb;
	return answer;
}

/* Of MAP_HUGETLB alone: the administrator's choice, from the kernel's command line. */
static __u64 hugetlb_default_size(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && !kib && fgets(line, sizeof(line), file))
		(void)sscanf(line, "Hugepagesize: %llu kB", &kib);
	if (file)
		fclose(file);
	return kib ? kib << 10 : HUGETLB_SIZE_USUAL;
}

static void hugetlb_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "of the pool, %s",
		 hugetlb_is_charged() ? "charged" : "not charged but for page tables");
}

/* A number of the pool of pages of @size; 0: there is none. */
static __u64 hugetlb_number(__u64 size, const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), HUGETLB_SIZES "/hugepages-%llukB/%s", size >> 10, name);
	return cg_read_at(-1, path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

/* That nobody has, or has reserved, and that may be made when they are needed (overcommit). */
static __u64 hugetlb_available(__u64 size)
{
	__u64 free = hugetlb_number(size, "free_hugepages");
	__u64 reserved = hugetlb_number(size, "resv_hugepages");
	__u64 surplus = hugetlb_number(size, "surplus_hugepages");
	__u64 overcommit = hugetlb_number(size, "nr_overcommit_hugepages");

	free -= reserved < free ? reserved : free;
	return free + (overcommit > surplus ? overcommit - surplus : 0);
}

/* At least so many, as far as the step says so. */
static __u64 hugetlb_needed(const struct step *step)
{
	if (step->count)
		return step->count;
	if (step->size.unit != AMOUNT_BYTES)
		return 1;
	return (step->size.value + step->object_size - 1) / step->object_size;
}

/* "2M, 1G", or as much of it as there is room for. */
static void hugetlb_list_sizes(char *text, size_t size)
{
	DIR *dir = opendir(HUGETLB_SIZES);
	struct dirent *entry;
	size_t length = 0;

	text[0] = '\0';
	while (dir && length < size && (entry = readdir(dir))) {
		unsigned long long kib;

		if (sscanf(entry->d_name, "hugepages-%llukB", &kib) == 1)
			length += snprintf(text + length, size - length, "%s%s", length ? ", " : "",
					   units_bytes(kib << 10).s);
	}
	if (dir)
		closedir(dir);
}

/* What the administrator writes to, so that there are more of them. */
static void hugetlb_pool(__u64 size, char *path, size_t path_size)
{
	if (size == hugetlb_default_size())
		snprintf(path, path_size, "/proc/sys/vm/nr_hugepages");
	else
		snprintf(path, path_size, HUGETLB_SIZES "/hugepages-%llukB/nr_hugepages",
			 size >> 10);
}

/* The pool is as the administrator has it: it takes memory from all others. */
static const char *hugetlb_missing(const struct step *step, unsigned int version)
{
	__u64 size = step->object_size, needed = hugetlb_needed(step);
	__u64 available = hugetlb_available(size);
	static char text[256];
	char other[96];

	(void)version;
	snprintf(other, sizeof(other), HUGETLB_SIZES "/hugepages-%llukB", size >> 10);
	if (access(other, F_OK)) {
		hugetlb_list_sizes(other, sizeof(other));
		snprintf(text, sizeof(text), "this kernel has no huge pages of %s; it has %s",
			 units_bytes(size).s, *other ? other : "none");
		return text;
	}
	if (available >= needed)
		return NULL;
	hugetlb_pool(size, other, sizeof(other));
	snprintf(text, sizeof(text),
		 "%llu huge pages of %s are free, of %llu that are needed; echo %llu >%s",
		 available, units_bytes(size).s, needed,
		 hugetlb_number(size, "nr_hugepages") - hugetlb_number(size, "surplus_hugepages") +
			 needed - available,
		 other);
	return text;
}

static void hugetlb_charge(const struct step *step, __u64 objects, __u64 most,
			   struct charge *charge)
{
	__u64 size = step->object_size, bytes = objects * size, page = workload_page_size();
	__u64 left = arena_tables(most * size, size) - arena_tables(bytes, size);

	if (hugetlb_is_charged()) {
		charge->page_bytes += bytes;
		charge->user_bytes += bytes;
		charge->hugetlb_bytes += bytes;
	}
	arena_charge(bytes, size, charge);
	/*
	 * What was dropped leaves its tables. The first page takes a struct anon_vma and what links
	 * it, less than a page (__vmf_anon_prepare() of mm/memory.c).
	 */
	charge->more_bytes += left * page + (most ? page : 0);
}

static int hugetlb_open(struct workload_run *run)
{
	return arena_open_huge(&run->state.arena, run->step->object_size);
}

/*
 * A store to a page that is not to be had would be a SIGBUS (hugetlb_fault() of mm/hugetlb.c); the
 * kernel, which writes the name of the process there, says so.
 */
static int hugetlb_make(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;
	int ret = arena_extend(&run->state.arena, (index + 1) * size, false);

	if (!ret && prctl(PR_GET_NAME, run->state.arena.base + index * size))
		ret = -ENOMEM;
	return ret;
}

/* Before 5.18 it is for other pages only, and all go with the arena. */
static void hugetlb_drop(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;

	madvise(run->state.arena.base + index * size, size, MADV_DONTNEED);
}

static void hugetlb_close(struct workload_run *run)
{
	arena_close(&run->state.arena);
}

const struct workload workload_hugetlb = {
	.size_max = WORKLOAD_SIZE_MAX,
	.size_unit = HUGETLB_SIZE_USUAL,
	.may_be_refused = true,
	.default_size = hugetlb_default_size,
	.describe = hugetlb_describe,
	.missing = hugetlb_missing,
	.charge = hugetlb_charge,
	.open = hugetlb_open,
	.make = hugetlb_make,
	.drop = hugetlb_drop,
	.close = hugetlb_close,
};
