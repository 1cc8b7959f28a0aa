/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page cache: pages of a disk, which reclaim drops at once and without swap if they are clean.
 * They are charged to the cgroup of whoever reads or writes them first, and stay when it ends.
 * The disk is a zram disk of its own. 0 or -errno.
 */
#ifndef MEMSTRESS_SELFTESTS_PAGE_CACHE_H
#define MEMSTRESS_SELFTESTS_PAGE_CACHE_H

#include "cgroup.h"

struct page_cache {
	int fd; /* of the disk; 0: not open */
	int disk;
	unsigned char *map; /* of all of it, never touched */
	long long bytes;
};

/* -ENOENT: this kernel, or this guest, has no zram */
int page_cache_open(struct page_cache *cache, long long bytes);
int page_cache_close(struct page_cache *cache);

/* A process in @cg reads them, page by page, and ends */
int page_cache_read(const struct page_cache *cache, const struct cgroup *cg, long long offset,
		    long long bytes);

/* A process in @cg writes them, page by page, and ends; nothing of it is on the disk yet */
int page_cache_write(const struct page_cache *cache, const struct cgroup *cg, long long offset,
		     long long bytes);

/* Writes all that is dirty to the disk */
int page_cache_clean(const struct page_cache *cache);

/* Bytes of a part that are in memory */
long long page_cache_resident(const struct page_cache *cache, long long offset, long long bytes);

/* Drops what is in memory and clean */
int page_cache_drop(const struct page_cache *cache);

#endif /* MEMSTRESS_SELFTESTS_PAGE_CACHE_H */
