// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_stat.h"

#define MEMORY_STAT_TEXT_MAX 16384

#define ADDS      MEMORY_STAT_ADDS
#define IN_KERNEL MEMORY_STAT_IN_KERNEL
#define WITHIN    MEMORY_STAT_WITHIN

const char *const memory_stat_group_names[MEMORY_STAT_GROUPS] = {
	[MEMORY_STAT_USER] = "user memory",
	[MEMORY_STAT_KERNEL] = "kernel memory",
	[MEMORY_STAT_SWAP] = "swap",
	[MEMORY_STAT_LISTS] = "user memory again, as reclaim lists it",
	[MEMORY_STAT_COUNTERS] = "counted so far",
};

/*
 * What the names mean is in Documentation/admin-guide/cgroup-v2.rst and
 * Documentation/admin-guide/cgroup-v1/memory.rst; what is within what, in the kernel's source:
 * page tables, stacks, zswap and what is by the byte are charged as MEMCG_KMEM, sockets are not;
 * swap cache is counted in NR_FILE_PAGES of the node, but not of the cgroup
 * (__swap_cache_add_folio()).
 */
const struct memory_stat_row memory_stat_rows[] = {
	{ "anon", MEMORY_STAT_USER, ADDS, 0, "heaps, stacks, private mappings" },
	{ "rss", MEMORY_STAT_USER, ADDS, 0, "heaps, stacks, private mappings" },
	{ "anon_thp", MEMORY_STAT_USER, WITHIN, 1, "in transparent huge pages" },
	{ "rss_huge", MEMORY_STAT_USER, WITHIN, 1, "in transparent huge pages" },
	{ "file", MEMORY_STAT_USER, ADDS, 0, "cached files, tmpfs, shared memory" },
	{ "cache", MEMORY_STAT_USER, ADDS, 0, "cached files, tmpfs, shared memory" },
	{ "shmem", MEMORY_STAT_USER, WITHIN, 1, "tmpfs, shared memory: has no disk but swap" },
	{ "shmem_thp", MEMORY_STAT_USER, WITHIN, 2, "in transparent huge pages" },
	{ "file_mapped", MEMORY_STAT_USER, WITHIN, 1, "mapped by processes" },
	{ "mapped_file", MEMORY_STAT_USER, WITHIN, 1, "mapped by processes" },
	{ "file_dirty", MEMORY_STAT_USER, WITHIN, 1, "changed, yet to be written to disk" },
	{ "dirty", MEMORY_STAT_USER, WITHIN, 1, "changed, yet to be written to disk" },
	{ "file_writeback", MEMORY_STAT_USER, WITHIN, 1, "being written to disk" },
	{ "writeback", MEMORY_STAT_USER, WITHIN, 1, "being written to disk" },
	{ "file_thp", MEMORY_STAT_USER, WITHIN, 1, "in transparent huge pages" },
	{ "hugetlb", MEMORY_STAT_USER, ADDS, 0, "huge pages of hugetlbfs" },

	{ "sock", MEMORY_STAT_KERNEL, ADDS, 0, "buffers of network connections" },
	{ "kernel", MEMORY_STAT_KERNEL, ADDS, 0, "what the kernel has allocated for it" },
	{ "slab", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "small objects: inodes, dentries, files ..." },
	{ "slab_reclaimable", MEMORY_STAT_KERNEL, WITHIN, 2, "caches that can be shrunk" },
	{ "slab_unreclaimable", MEMORY_STAT_KERNEL, WITHIN, 2, "stays until its user frees it" },
	{ "percpu", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "what each CPU has a copy of" },
	{ "vmalloc", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "big buffers, mapped page by page" },
	{ "pagetables", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "page tables of its processes" },
	{ "sec_pagetables", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "page tables of KVM and IOMMUs" },
	{ "kernel_stack", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "one for each thread" },
	{ "zswap", MEMORY_STAT_KERNEL, IN_KERNEL, 1, "swapped pages kept here, compressed" },
	{ "zswap_incomp", MEMORY_STAT_KERNEL, WITHIN, 2, "pages that would not get smaller" },

	{ "swap", MEMORY_STAT_SWAP, WITHIN, 0, "swapped out: not in usage" },
	{ "swapcached", MEMORY_STAT_SWAP, WITHIN, 0, "in swap, and in memory as well" },
	{ "zswapped", MEMORY_STAT_SWAP, WITHIN, 0, "in zswap, by its size uncompressed" },

	{ "inactive_anon", MEMORY_STAT_LISTS, WITHIN, 0, "swapped out first; with shmem" },
	{ "active_anon", MEMORY_STAT_LISTS, WITHIN, 0, "used lately; with shmem" },
	{ "inactive_file", MEMORY_STAT_LISTS, WITHIN, 0, "dropped or written first" },
	{ "active_file", MEMORY_STAT_LISTS, WITHIN, 0, "used lately" },
	{ "unevictable", MEMORY_STAT_LISTS, WITHIN, 0, "stays: mlock, ramfs, locked shmem" },

	{ "pgpgin", MEMORY_STAT_COUNTERS, WITHIN, 0, "charges of user memory" },
	{ "pgpgout", MEMORY_STAT_COUNTERS, WITHIN, 0, "uncharges of user memory" },
	{ "pgfault", MEMORY_STAT_COUNTERS, WITHIN, 0, "page faults" },
	{ "pgmajfault", MEMORY_STAT_COUNTERS, WITHIN, 0, "of them, those that waited for a disk" },
	{ "pgscan", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages that reclaim looked at" },
	{ "pgscan_kswapd", MEMORY_STAT_COUNTERS, WITHIN, 1, "by kswapd, in the background" },
	{ "pgscan_direct", MEMORY_STAT_COUNTERS, WITHIN, 1, "by who wanted memory" },
	{ "pgscan_khugepaged", MEMORY_STAT_COUNTERS, WITHIN, 1, "by khugepaged" },
	{ "pgscan_proactive", MEMORY_STAT_COUNTERS, WITHIN, 1, "for memory.reclaim" },
	{ "pgsteal", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages that reclaim took" },
	{ "pgsteal_kswapd", MEMORY_STAT_COUNTERS, WITHIN, 1, "by kswapd, in the background" },
	{ "pgsteal_direct", MEMORY_STAT_COUNTERS, WITHIN, 1, "by who wanted memory" },
	{ "pgsteal_khugepaged", MEMORY_STAT_COUNTERS, WITHIN, 1, "by khugepaged" },
	{ "pgsteal_proactive", MEMORY_STAT_COUNTERS, WITHIN, 1, "for memory.reclaim" },
	{ "pgrefill", MEMORY_STAT_COUNTERS, WITHIN, 0, "active pages that reclaim looked at" },
	{ "pgactivate", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages that became active" },
	{ "pgdeactivate", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages that became inactive" },
	{ "pglazyfree", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages given up by MADV_FREE" },
	{ "pglazyfreed", MEMORY_STAT_COUNTERS, WITHIN, 0, "of them, those that reclaim took" },
	{ "workingset_refault_anon", MEMORY_STAT_COUNTERS, WITHIN, 0,
	  "reclaimed, then used again" },
	{ "workingset_refault_file", MEMORY_STAT_COUNTERS, WITHIN, 0,
	  "reclaimed, then used again" },
	{ "workingset_activate_anon", MEMORY_STAT_COUNTERS, WITHIN, 0, "of them, active at once" },
	{ "workingset_activate_file", MEMORY_STAT_COUNTERS, WITHIN, 0, "of them, active at once" },
	{ "workingset_restore_anon", MEMORY_STAT_COUNTERS, WITHIN, 0,
	  "of them, active before, too" },
	{ "workingset_restore_file", MEMORY_STAT_COUNTERS, WITHIN, 0,
	  "of them, active before, too" },
	{ "workingset_nodereclaim", MEMORY_STAT_COUNTERS, WITHIN, 0,
	  "nodes of traces of reclaimed pages freed" },
	{ "pswpin", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages read from swap" },
	{ "pswpout", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages written to swap" },
	{ "swpin_zero", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages of zeros swapped in without I/O" },
	{ "swpout_zero", MEMORY_STAT_COUNTERS, WITHIN, 0,
	  "pages of zeros swapped out without I/O" },
	{ "zswpin", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages read from zswap" },
	{ "zswpout", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages put into zswap" },
	{ "zswpwb", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved from zswap to swap" },
	{ "thp_fault_alloc", MEMORY_STAT_COUNTERS, WITHIN, 0, "huge pages made by a fault" },
	{ "thp_collapse_alloc", MEMORY_STAT_COUNTERS, WITHIN, 0, "huge pages made of small ones" },
	{ "thp_swpout", MEMORY_STAT_COUNTERS, WITHIN, 0, "huge pages swapped out in one piece" },
	{ "thp_swpout_fallback", MEMORY_STAT_COUNTERS, WITHIN, 0, "huge pages split for swap" },
	{ "numa_pages_migrated", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved to a nearer node" },
	{ "numa_pte_updates", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages watched to find their node" },
	{ "numa_hint_faults", MEMORY_STAT_COUNTERS, WITHIN, 0, "faults of watched pages" },
	{ "pgdemote_kswapd", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved to slower memory" },
	{ "pgdemote_direct", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved to slower memory" },
	{ "pgdemote_khugepaged", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved to slower memory" },
	{ "pgdemote_proactive", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved to slower memory" },
	{ "pgpromote_success", MEMORY_STAT_COUNTERS, WITHIN, 0, "pages moved to faster memory" },
	{}
};

static const struct memory_stat_row *memory_stat_find_row(const char *name)
{
	const struct memory_stat_row *row;

	for (row = memory_stat_rows; row->name; row++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

/* Where a line is; @stat->count if it is not there. */
static unsigned int memory_stat_find(const struct memory_stat *stat, const char *name)
{
	unsigned int i;

	for (i = 0; i < stat->count; i++)
		if (!strcmp(stat->lines[i].name, name))
			break;
	return i;
}

static void memory_stat_set(struct memory_stat *stat, const char *name, __u64 value)
{
	unsigned int i = memory_stat_find(stat, name);

	if (i == MEMORY_STAT_LINES_MAX)
		return;
	if (i == stat->count) {
		snprintf(stat->lines[i].name, sizeof(stat->lines[i].name), "%s", name);
		stat->lines[i].row = memory_stat_find_row(name);
		stat->count++;
	}
	stat->lines[i].value = value;
}

/* On v1, a line without total_ comes before the one with it, which takes its place. */
void memory_stat_parse(const char *text, struct memory_stat *stat)
{
	char name[48];
	int end;

	stat->count = 0;
	for (; sscanf(text, "%47[^\n ] %n", name, &end) == 1; text += strspn(text, "\n")) {
		const char *total = strncmp(name, "total_", strlen("total_")) ? "" : "total_";

		text += end;
		/* The limits of v1 are no statistics. */
		if (strncmp(name, "hierarchical_", strlen("hierarchical_")))
			memory_stat_set(stat, name + strlen(total), strtoull(text, NULL, 10));
		text += strcspn(text, "\n");
	}
}

/* What has a file of its own, where it has one. */
static int memory_stat_add(const struct cgroup *cg, enum cg_file file, const char *name,
			   struct memory_stat *stat)
{
	__u64 value;
	int ret = cg_read_number(cg, file, &value);

	if (!ret)
		memory_stat_set(stat, name, value);
	return ret == -EOPNOTSUPP ? 0 : ret;
}

int memory_stat_read(const struct cgroup *cg, struct memory_stat *stat)
{
	char text[MEMORY_STAT_TEXT_MAX];
	ssize_t length = cg_read_text(cg, CG_STAT, text, sizeof(text));
	int ret;

	if (length < 0)
		return length;
	memory_stat_parse(text, stat);
	ret = memory_stat_add(cg, CG_KERNEL, "kernel", stat);
	return ret ? ret : memory_stat_add(cg, CG_SWAP, "swap", stat);
}

__u64 memory_stat_value(const struct memory_stat *stat, const char *name)
{
	unsigned int i = memory_stat_find(stat, name);

	return i == stat->count ? CG_MISSING : stat->lines[i].value;
}

/* Returns the number of lines. */
static unsigned int memory_stat_sum_role(const struct memory_stat *stat, enum memory_stat_role role,
					 __u64 *sum)
{
	unsigned int i, count = 0;

	*sum = 0;
	for (i = 0; i < stat->count; i++) {
		if (!stat->lines[i].row || stat->lines[i].row->role != role)
			continue;
		*sum += stat->lines[i].value;
		count++;
	}
	return count;
}

__u64 memory_stat_sum(const struct memory_stat *stat)
{
	__u64 sum, kernel = 0;

	memory_stat_sum_role(stat, ADDS, &sum);
	if (memory_stat_value(stat, "kernel") == CG_MISSING)
		memory_stat_sum_role(stat, IN_KERNEL, &kernel);
	return sum + kernel;
}

__u64 memory_stat_other_kernel(const struct memory_stat *stat)
{
	__u64 parts, kernel = memory_stat_value(stat, "kernel");

	/* v1 knows the whole, and no parts. */
	if (!memory_stat_sum_role(stat, IN_KERNEL, &parts) || kernel == CG_MISSING ||
	    kernel < parts)
		return 0;
	return kernel - parts;
}
