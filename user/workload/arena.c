// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "arena.h"

/* As many as there may be steps fit into the 128 TiB that a process has. */
#define ARENA_BYTES (2ULL << 40)

/* A system call for each is not to be felt, and without a privilege little can be locked. */
#define ARENA_PIECE (16 * arena_table_span())

#define ARENA_LEVELS 3

/* Of one entry of the top level. */
static __u64 arena_alignment(void)
{
	__u64 entries = workload_page_size() / sizeof(__u64);

	return workload_page_size() * entries * entries * entries;
}

__u64 arena_table_span(void)
{
	return workload_page_size() * (workload_page_size() / sizeof(__u64));
}

/* Of one level, 1 being the lowest; 0 is that of small pages. */
static __u64 arena_covered(int level)
{
	__u64 covered = workload_page_size();

	while (level--)
		covered *= workload_page_size() / sizeof(__u64);
	return covered;
}

static __u64 arena_tables_of(__u64 bytes, int level)
{
	return (bytes + arena_covered(level) - 1) / arena_covered(level);
}

/* An entry that maps a huge page stands where those of small ones have a table. */
__u64 arena_tables(__u64 bytes, __u64 page_size)
{
	__u64 tables = 0;
	int level;

	for (level = 1; level <= ARENA_LEVELS; level++)
		if (arena_covered(level) > page_size)
			tables += arena_tables_of(bytes, level);
	return tables;
}

void arena_charge(__u64 bytes, __u64 page_size, struct charge *charge)
{
	__u64 page = workload_page_size(), upper = arena_tables_of(bytes, ARENA_LEVELS);
	__u64 tables = arena_tables(bytes, page_size);

	charge->page_bytes += tables * page;
	charge->pagetable_bytes += (tables - upper) * page;
	charge->upper_table_bytes += upper * page;
}

static int arena_reserve(struct arena *arena, int protection, int flags)
{
	__u64 alignment = arena_alignment();
	unsigned long address;

	arena->reserved = mmap(NULL, ARENA_BYTES + alignment, protection,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
	if (arena->reserved == MAP_FAILED) {
		arena->reserved = NULL;
		return -errno;
	}
	address = ((unsigned long)arena->reserved + alignment - 1) / alignment * alignment;
	arena->base = (char *)address;
	return 0;
}

/* Not reserved in the pool, either, which may have less than it has addresses. */
int arena_open_huge(struct arena *arena, __u64 page_size)
{
	const int protection = PROT_READ | PROT_WRITE;

	arena->committed = ARENA_BYTES;
	arena->protection = protection;
	return arena_reserve(arena, protection,
			     MAP_HUGETLB | __builtin_ctzll(page_size) << MAP_HUGE_SHIFT);
}

int arena_open(struct arena *arena, int protection, int advice)
{
	int ret = arena_reserve(arena, PROT_NONE, 0);

	if (ret)
		return ret;
	arena->committed = 0;
	arena->protection = protection;
	/* EINVAL: a kernel without huge pages, which makes small ones of all. */
	if (madvise(arena->base, ARENA_BYTES, advice) && errno != EINVAL)
		return -errno;
	return 0;
}

void arena_close(struct arena *arena)
{
	if (arena->reserved)
		munmap(arena->reserved, ARENA_BYTES + arena_alignment());
	arena->reserved = NULL;
}

int arena_extend(struct arena *arena, __u64 bytes, bool mlock)
{
	char *piece;

	if (bytes > ARENA_BYTES)
		return -ENOMEM;
	while (arena->committed < bytes) {
		piece = arena->base + arena->committed;
		if (mprotect(piece, ARENA_PIECE, arena->protection))
			return -errno;
		if (mlock && mlock2(piece, ARENA_PIECE, MLOCK_ONFAULT))
			return -errno;
		arena->committed += ARENA_PIECE;
	}
	return 0;
}

int arena_renew(struct arena *arena, __u64 offset, __u64 bytes)
{
	char *start = arena->base + offset;

	return mmap(start, bytes, arena->protection,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == start ?
		       0 :
		       -errno;
}
