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
/* So many that are alone in their slabs are no accident: a slab has room for one. */
#define MS_STRIDE_ALONE_OBJECTS 512

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
 * One past the last of the objects that are in the slab of @addresses[@begin]. @smallest:
 * the smallest distance of two of them, SIZE_MAX if it is alone.
 */
static unsigned int ms_stride_slab(const unsigned long *addresses, unsigned int begin,
				   unsigned int count, size_t *smallest)
{
	struct page *slab = virt_to_head_page((void *)addresses[begin]);
	unsigned int end;

	*smallest = SIZE_MAX;
	for (end = begin + 1; end < count; end++) {
		if (virt_to_head_page((void *)addresses[end]) != slab)
			break;
		*smallest = min_t(size_t, *smallest, addresses[end] - addresses[end - 1]);
	}
	return end;
}

/* Whether so many objects, that far apart, fill a slab: not one more has room. */
static bool ms_stride_fills(const unsigned long *addresses, unsigned int objects, size_t stride)
{
	size_t bytes = page_size(virt_to_head_page((void *)addresses[0]));

	return stride <= bytes / objects && stride > bytes / (objects + 1) &&
	       addresses[objects - 1] - addresses[0] == (objects - 1) * stride;
}

/*
 * The smallest distance anywhere, if a slab is full of objects that far apart. Neither is
 * enough: of a slab of which few objects are ours, these may happen to lie as if they filled it,
 * and nowhere may two of ours be neighbours. 0 if there is no such slab; SIZE_MAX if no slab
 * has two of them.
 */
static size_t ms_stride_find(unsigned long *addresses, unsigned int count)
{
	size_t stride = SIZE_MAX;
	unsigned int begin, end;
	size_t smallest;

	sort(addresses, count, sizeof(*addresses), ms_stride_compare, NULL);
	for (begin = 0; begin < count; begin = end) {
		end = ms_stride_slab(addresses, begin, count, &smallest);
		stride = min(stride, smallest);
	}
	if (stride == SIZE_MAX)
		return stride;
	for (begin = 0; begin < count; begin = end) {
		end = ms_stride_slab(addresses, begin, count, &smallest);
		if (smallest == stride && end > begin + 1 &&
		    ms_stride_fills(&addresses[begin], end - begin, stride))
			return stride;
	}
	return 0;
}

/* Measures with @wanted objects. -EAGAIN: no slab was ours as a whole. */
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
		if (!*stride || (*stride == SIZE_MAX && count < MS_STRIDE_ALONE_OBJECTS))
			ret = -EAGAIN;
		else if (*stride == SIZE_MAX)
			*stride = 0;
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
 * @stride: returns the bytes from one object to the next; 0 if a slab has room for one object
 *	only
 *
 * What it allocates for this is charged to nobody, whatever @gfp says: the root
 * cgroup pays, which is not accounted.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP if there are too many free places in slabs of others.
 */
int ms_stride_measure(struct kmem_cache *cache, size_t size, gfp_t gfp, size_t *stride)
{
	size_t bytes = cache ? MS_STRIDE_OWN_BYTES : MS_STRIDE_FIRST_BYTES;
	unsigned int wanted =
		clamp_t(size_t, bytes / size, MS_STRIDE_LEAST_OBJECTS, MS_STRIDE_FIRST_OBJECTS);
	struct mem_cgroup *root = ms_memcg_get_root();
	struct mem_cgroup *previous = set_active_memcg(root);
	int ret = -EAGAIN;
	int round;

	for (round = 0; round < MS_STRIDE_ROUNDS && ret == -EAGAIN; round++) {
		ret = ms_stride_try(cache, size, gfp, wanted, stride);
		wanted *= MS_STRIDE_GROWTH;
	}
	set_active_memcg(previous);
	ms_memcg_put(root);
	return ret == -EAGAIN ? -EOPNOTSUPP : ret;
}
