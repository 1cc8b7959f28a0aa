// SPDX-License-Identifier: GPL-2.0
/*
 * Strides: how far apart a slab cache puts its objects, which is what it charges
 * for one (s->size in obj_full_size(), mm/memcontrol.c and mm/slab.h).
 *
 * No kernel tells a module, and slab debugging changes it, so it is measured: in a slab
 * of which all objects are ours, neighbours are exactly that far apart. Where a slab has
 * room for one object only, there is no way.
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "compat.h"
#include "internal.h"

/*
 * How many objects to begin with, and how many to end with: the free places of partial
 * slabs are given out first, and nobody knows how many there are.
 */
#define MS_STRIDE_FIRST_BYTES (PAGE_SIZE << (PAGE_ALLOC_COSTLY_ORDER + 3))
/* A cache of our own that is new has no partial slabs: two whole ones are enough. */
#define MS_STRIDE_OWN_BYTES     (PAGE_SIZE << (PAGE_ALLOC_COSTLY_ORDER + 1))
#define MS_STRIDE_FIRST_OBJECTS 2048
#define MS_STRIDE_LEAST_OBJECTS 16
#define MS_STRIDE_ROUNDS        4
#define MS_STRIDE_GROWTH        4

static void ms_stride_free(struct kmem_cache *cache, void *object)
{
	if (cache)
		kmem_cache_free(cache, object);
	else
		kfree(object);
}

static int ms_stride_compare(const void *a, const void *b)
{
	unsigned long left = *(const unsigned long *)a;
	unsigned long right = *(const unsigned long *)b;

	return left < right ? -1 : left > right;
}

/*
 * The smallest distance in slabs that are ours as a whole: as many objects that far apart
 * fit into them, and not one more. 0 if there is no such slab.
 */
static size_t ms_stride_find(unsigned long *addresses, unsigned int count)
{
	unsigned int begin, end;
	size_t stride = 0;

	sort(addresses, count, sizeof(*addresses), ms_stride_compare, NULL);
	for (begin = 0; begin < count; begin = end) {
		struct page *slab = virt_to_head_page((void *)addresses[begin]);
		size_t smallest = SIZE_MAX;

		for (end = begin + 1; end < count; end++) {
			if (virt_to_head_page((void *)addresses[end]) != slab)
				break;
			smallest = min_t(size_t, smallest, addresses[end] - addresses[end - 1]);
		}
		if (end == begin + 1 || smallest > page_size(slab) / (end - begin) ||
		    smallest <= page_size(slab) / (end - begin + 1))
			continue;
		if (!stride || smallest < stride)
			stride = smallest;
	}
	return stride;
}

/* Measures with @wanted objects. -EOPNOTSUPP: no slab was ours as a whole. */
static int ms_stride_try(struct kmem_cache *cache, size_t size, gfp_t gfp, unsigned int wanted,
			 size_t *stride)
{
	unsigned long *addresses;
	unsigned int count = 0;
	unsigned int i;
	int ret = 0;

	addresses = kvmalloc_array(wanted, sizeof(*addresses), GFP_KERNEL);
	if (!addresses)
		return -ENOMEM;
	for (i = 0; i < wanted; i++) {
		void *object = cache ? kmem_cache_alloc(cache, gfp) : kmalloc(size, gfp);

		if (!object) {
			ret = -ENOMEM;
			break;
		}
		/* KFENCE's objects are in a pool of its own, a page apart. */
		if (is_kfence_address(object)) {
			ms_stride_free(cache, object);
			continue;
		}
		addresses[count++] = (unsigned long)object;
		cond_resched();
	}
	if (!ret) {
		*stride = ms_stride_find(addresses, count);
		if (!*stride)
			ret = -EOPNOTSUPP;
	}
	for (i = 0; i < count; i++) {
		ms_stride_free(cache, (void *)addresses[i]);
		cond_resched();
	}
	kvfree(addresses);
	return ret;
}

/**
 * ms_stride_measure - measure the stride of a slab cache
 * @cache: the cache, or NULL for the kmalloc cache of @size and @gfp
 * @size: object size
 * @gfp: flags that choose the kmalloc cache
 * @stride: returns the bytes from one object to the next
 *
 * What it allocates for this is charged to nobody, whatever @gfp says: the root
 * cgroup pays, which is not accounted.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP if a slab has room for one object only.
 */
int ms_stride_measure(struct kmem_cache *cache, size_t size, gfp_t gfp, size_t *stride)
{
	size_t bytes = cache ? MS_STRIDE_OWN_BYTES : MS_STRIDE_FIRST_BYTES;
	unsigned int wanted =
		clamp_t(size_t, bytes / size, MS_STRIDE_LEAST_OBJECTS, MS_STRIDE_FIRST_OBJECTS);
	struct mem_cgroup *root = ms_memcg_get_root();
	struct mem_cgroup *previous = set_active_memcg(root);
	int ret = -EOPNOTSUPP;
	int round;

	for (round = 0; round < MS_STRIDE_ROUNDS && ret == -EOPNOTSUPP; round++) {
		ret = ms_stride_try(cache, size, gfp, wanted, stride);
		wanted *= MS_STRIDE_GROWTH;
	}
	set_active_memcg(previous);
	ms_memcg_put(root);
	return ret;
}
