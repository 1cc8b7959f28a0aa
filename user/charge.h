/* SPDX-License-Identifier: GPL-2.0 */
/* What books mean for the kernel's counters: by how much each of them must have moved. */
#ifndef MEMSTRESS_USER_CHARGE_H
#define MEMSTRESS_USER_CHARGE_H

#include <linux/memstress.h>

/**
 * struct charge - sums of books
 * @page_bytes: charged in whole pages
 * @byte_bytes: charged by the byte
 * @slab_bytes: of both, what memory.stat counts as slab
 * @vmalloc_bytes: as vmalloc
 * @percpu_bytes: as percpu
 */
struct charge {
	__u64 page_bytes;
	__u64 byte_bytes;
	__u64 slab_bytes;
	__u64 vmalloc_bytes;
	__u64 percpu_bytes;
};

void charge_add(struct charge *charge, __u32 kind, const struct memstress_books *books);

/* What usage moves by: bytes are taken from it in whole pages */
__u64 charge_usage(const struct charge *charge, __u64 page_size);

#endif /* MEMSTRESS_USER_CHARGE_H */
