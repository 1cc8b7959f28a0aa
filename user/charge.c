// SPDX-License-Identifier: GPL-2.0
#include <unistd.h>

#include "charge.h"

/*
 * Which part of kvmalloc()'s pages are vmalloc areas: up to two pages what is charged in whole
 * pages, since kmalloc() takes a cache for that; above, as many objects as their charge, in whole
 * pages, and not that of a power of two of them accounts for. Where both are equal it is not to be
 * told, and taken for none.
 */
static __u64 charge_fallback(const struct memstress_books *books)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	__u64 size = books->objects ? books->requested_bytes / books->objects : 0;
	__u64 area = (size + page - 1) / page * page;
	__u64 block = page;

	if (size <= 2 * page)
		return books->page_charged_bytes;
	while (block < size)
		block <<= 1;
	if (block == area || !books->page_charged_bytes)
		return 0;
	return (block * books->objects - books->page_charged_bytes) / (block - area) * area;
}

void charge_add(struct charge *charge, __u32 kind, const struct memstress_books *books)
{
	charge->page_bytes += books->page_charged_bytes;
	charge->byte_bytes += books->byte_charged_bytes;
	switch (kind) {
	case MEMSTRESS_KIND_KMALLOC:
		/* Large ones too: __kmalloc_large_node() in mm/slab_common.c */
	case MEMSTRESS_KIND_CACHE:
		charge->slab_bytes += books->page_charged_bytes + books->byte_charged_bytes;
		break;
	case MEMSTRESS_KIND_KVMALLOC:
		charge->slab_bytes += books->page_charged_bytes + books->byte_charged_bytes;
		charge->slab_bytes -= charge_fallback(books);
		charge->vmalloc_bytes += charge_fallback(books);
		break;
	case MEMSTRESS_KIND_VMALLOC:
		charge->vmalloc_bytes += books->page_charged_bytes;
		break;
	case MEMSTRESS_KIND_PERCPU:
		charge->percpu_bytes += books->byte_charged_bytes;
		break;
	}
}

void charge_join(struct charge *charge, const struct charge *other)
{
	charge->page_bytes += other->page_bytes;
	charge->byte_bytes += other->byte_bytes;
	charge->slab_bytes += other->slab_bytes;
	charge->vmalloc_bytes += other->vmalloc_bytes;
	charge->percpu_bytes += other->percpu_bytes;
	charge->user_bytes += other->user_bytes;
	charge->anon_bytes += other->anon_bytes;
	charge->file_bytes += other->file_bytes;
	charge->shmem_bytes += other->shmem_bytes;
	charge->hugetlb_bytes += other->hugetlb_bytes;
	charge->pagetable_bytes += other->pagetable_bytes;
	charge->upper_table_bytes += other->upper_table_bytes;
	charge->stack_bytes += other->stack_bytes;
	charge->sock_bytes += other->sock_bytes;
	charge->more_bytes += other->more_bytes;
	charge->module_bytes += other->module_bytes;
}

/*
 * An objcg that had b bytes and gets c more has (b + c) bytes in whole pages less b in whole pages
 * taken: c in whole pages, or one less.
 */
__u64 charge_usage(const struct charge *charge, __u64 page_size)
{
	__u64 pages = (charge->byte_bytes + page_size - 1) / page_size;

	pages -= pages < charge->objcgs ? pages : charge->objcgs;
	return charge->page_bytes + pages * page_size;
}

/* As many pages less as there are objcgs, or more as there are others than one. */
static __u64 charge_rounding(const struct charge *charge, __u64 page_size)
{
	if (!charge->byte_bytes || !charge->objcgs)
		return 0;
	return (2 * charge->objcgs - 1) * page_size;
}

__u64 charge_stat(const struct charge *charge, enum snapshot_stat stat, __u64 page_size)
{
	switch (stat) {
	case STAT_ANON:
		return charge->anon_bytes;
	case STAT_FILE:
		return charge->file_bytes;
	case STAT_SHMEM:
		return charge->shmem_bytes;
	case STAT_HUGETLB:
		return charge->hugetlb_bytes;
	case STAT_SOCK:
		return charge->sock_bytes;
	case STAT_KERNEL:
		return charge_usage(charge, page_size) - charge->user_bytes;
	case STAT_KERNEL_STACK:
		return charge->stack_bytes;
	case STAT_PAGETABLES:
		return charge->pagetable_bytes;
	case STAT_SLAB:
		return charge->slab_bytes;
	case STAT_VMALLOC:
		return charge->vmalloc_bytes;
	case STAT_PERCPU:
		return charge->percpu_bytes;
	default:
		return 0;
	}
}

__u64 charge_usage_more(const struct charge *charge, __u64 page_size)
{
	return charge->more_bytes + charge->module_bytes + charge_rounding(charge, page_size);
}

__u64 charge_stat_more(const struct charge *charge, enum snapshot_stat stat, __u64 page_size)
{
	switch (stat) {
	case STAT_PAGETABLES:
		return charge->more_bytes + charge->upper_table_bytes;
	case STAT_KERNEL:
		return charge_usage_more(charge, page_size);
	case STAT_SLAB:
		return charge->more_bytes + charge->module_bytes;
	default:
		return charge->more_bytes;
	}
}

long long charge_difference(long long moved, __u64 least, __u64 more)
{
	if (moved < (long long)least)
		return moved - (long long)least;
	if (moved > (long long)(least + more))
		return moved - (long long)(least + more);
	return 0;
}
