// SPDX-License-Identifier: GPL-2.0
/*
 * Strides: how far apart a slab cache puts its objects, which is what it charges
 * for one (s->size in obj_full_size(), mm/memcontrol.c and mm/slab.h).
 *
 * No kernel tells a module, and slab debugging changes it, so it is measured: two
 * objects of one slab are never nearer than the stride, and neighbours are exactly
 * that far apart. Where a slab has room for one object only, there is no way.
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
 * Enough objects to fill several fresh slabs after the free places of partial slabs
 * are used up: slab_order() does not go above slub_max_order (3) for what has an
 * order-3 slab or a smaller one.
 */
#define MS_STRIDE_BYTES       (PAGE_SIZE << (PAGE_ALLOC_COSTLY_ORDER + 3))
#define MS_STRIDE_MIN_OBJECTS 16
#define MS_STRIDE_MAX_OBJECTS 2048

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

static bool ms_stride_same_slab(unsigned long a, unsigned long b)
{
	return virt_to_head_page((void *)a) == virt_to_head_page((void *)b);
}

/* SIZE_MAX if no two objects share a slab. */
static size_t ms_stride_smallest_distance(unsigned long *addresses, unsigned int count)
{
	size_t smallest = SIZE_MAX;
	unsigned int i;

	sort(addresses, count, sizeof(*addresses), ms_stride_compare, NULL);
	for (i = 1; i < count; i++)
		if (ms_stride_same_slab(addresses[i - 1], addresses[i]))
			smallest = min_t(size_t, smallest, addresses[i] - addresses[i - 1]);
	return smallest;
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
 * Return: 0, -ENOMEM, or -EOPNOTSUPP if no two objects share a slab.
 */
int ms_stride_measure(struct kmem_cache *cache, size_t size, gfp_t gfp, size_t *stride)
{
	unsigned int wanted = clamp_t(size_t, MS_STRIDE_BYTES / size, MS_STRIDE_MIN_OBJECTS,
				      MS_STRIDE_MAX_OBJECTS);
	struct mem_cgroup *root = ms_memcg_get_root();
	struct mem_cgroup *previous;
	unsigned long *addresses;
	unsigned int count = 0;
	unsigned int i;
	int ret = 0;

	addresses = kvmalloc_array(wanted, sizeof(*addresses), GFP_KERNEL);
	if (!addresses) {
		ret = -ENOMEM;
		goto out_put_root;
	}

	previous = set_active_memcg(root);
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
	}
	set_active_memcg(previous);

	if (!ret) {
		*stride = ms_stride_smallest_distance(addresses, count);
		if (*stride == SIZE_MAX)
			ret = -EOPNOTSUPP;
	}
	for (i = 0; i < count; i++) {
		ms_stride_free(cache, (void *)addresses[i]);
		cond_resched();
	}
	kvfree(addresses);
out_put_root:
	ms_memcg_put(root);
	return ret;
}
