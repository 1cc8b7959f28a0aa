/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An arena: a range of addresses that nothing else is near to, so that it is known which tables
 * the kernel makes for it. Nothing in it takes memory before it is touched.
 *
 * A table is a page of entries; each covers a page, or in the tables above it a table below. The
 * three levels above a page that x86-64 has below the top begin anew in an arena.
 */
#ifndef MEMSTRESS_USER_WORKLOAD_ARENA_H
#define MEMSTRESS_USER_WORKLOAD_ARENA_H

#include "workload.h"

/* What a table covers: of the lowest level 2 MiB */
__u64 arena_table_span(void);

/*
 * Tables of an arena whose first @bytes have been touched, in pages of @page_size, of all levels
 * above these
 */
__u64 arena_tables(__u64 bytes, __u64 page_size);

/* Adds them. Those of the highest level are charged, and memory.stat may not count them: 6.1 */
void arena_charge(__u64 bytes, __u64 page_size, struct charge *charge);

/* @advice for all of it as for madvise(), of a kernel that knows it; 0 or -errno */
int arena_open(struct arena *arena, int protection, int advice);

/* The same in huge pages of the pool, of @page_size, which all can be touched. 0 or -errno */
int arena_open_huge(struct arena *arena, __u64 page_size);
void arena_close(struct arena *arena);

/* Makes the first @bytes accessible, and a bit more. -ENOMEM: the arena ends before */
int arena_extend(struct arena *arena, __u64 bytes, bool mlock);

/* As if @bytes at @offset had never been touched, with the tables that cover nothing else */
int arena_renew(struct arena *arena, __u64 offset, __u64 bytes);

#endif /* MEMSTRESS_USER_WORKLOAD_ARENA_H */
