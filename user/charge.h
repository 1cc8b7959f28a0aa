/* SPDX-License-Identifier: GPL-2.0 */
/* What books mean for the kernel's counters: by how much each of them must have moved. */
#ifndef MEMSTRESS_USER_CHARGE_H
#define MEMSTRESS_USER_CHARGE_H

#include <stdbool.h>

#include <linux/memstress.h>

#include "snapshot.h"

/**
 * struct charge - sums of books
 * @page_bytes: charged in whole pages
 * @byte_bytes: charged by the byte
 * @slab_bytes: of both, what memory.stat counts as slab
 * @vmalloc_bytes: as vmalloc
 * @percpu_bytes: as percpu
 * @user_bytes: of @page_bytes, what is no kernel memory
 * @anon_bytes: what memory.stat counts as anon
 * @file_bytes: as file
 * @shmem_bytes: as shmem, which is also file
 * @hugetlb_bytes: as hugetlb
 * @pagetable_bytes: as pagetables
 * @upper_table_bytes: the same, if this kernel counts tables of that level there
 * @stack_bytes: as kernel_stack
 * @sock_bytes: as sock
 * @more_bytes: what may be charged besides, at most
 * @module_bytes: the same, of the module for itself, in slabs and whole pages
 * @objcgs: by how many @byte_bytes may be shared that had something else before, so that it is not
 *	known how much of a page each of them had left; 0: they had nothing
 */
struct charge {
	__u64 page_bytes;
	__u64 byte_bytes;
	__u64 slab_bytes;
	__u64 vmalloc_bytes;
	__u64 percpu_bytes;
	__u64 user_bytes;
	__u64 anon_bytes;
	__u64 file_bytes;
	__u64 shmem_bytes;
	__u64 hugetlb_bytes;
	__u64 pagetable_bytes;
	__u64 upper_table_bytes;
	__u64 stack_bytes;
	__u64 sock_bytes;
	__u64 more_bytes;
	__u64 module_bytes;
	__u64 objcgs;
};

void charge_add(struct charge *charge, __u32 kind, const struct memstress_books *books);

/* Adds all of @other */
void charge_join(struct charge *charge, const struct charge *other);

/* What usage moves by at least: bytes are taken from it in whole pages */
__u64 charge_usage(const struct charge *charge, __u64 page_size);

/* What else it may move by */
__u64 charge_usage_more(const struct charge *charge, __u64 page_size);

/* What a line of memory.stat moves by, as far as the books know */
__u64 charge_stat(const struct charge *charge, enum snapshot_stat stat, __u64 page_size);

/* The same of that line */
__u64 charge_stat_more(const struct charge *charge, enum snapshot_stat stat, __u64 page_size);

/* How far it is from @moved to the range that begins at @least and is @more bytes long */
long long charge_difference(long long moved, __u64 least, __u64 more);

#endif /* MEMSTRESS_USER_CHARGE_H */
