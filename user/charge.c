// SPDX-License-Identifier: GPL-2.0
#include "charge.h"

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
	case MEMSTRESS_KIND_VMALLOC:
		charge->vmalloc_bytes += books->page_charged_bytes;
		break;
	case MEMSTRESS_KIND_PERCPU:
		charge->percpu_bytes += books->byte_charged_bytes;
		break;
	}
}

__u64 charge_usage(const struct charge *charge, __u64 page_size)
{
	__u64 pages = (charge->byte_bytes + page_size - 1) / page_size;

	return charge->page_bytes + pages * page_size;
}
