// SPDX-License-Identifier: GPL-2.0
/*
 * Kind kmalloc: kmalloc() of a size.
 *
 * Up to KMALLOC_MAX_CACHE_SIZE the object comes from a kmalloc cache and is charged
 * by the byte: the cache's stride and a pointer to its objcg (obj_full_size() in
 * mm/slab.h or mm/memcontrol.c). Above it, it is an allocation of whole pages that
 * is charged as such (kmalloc_large_node() in mm/slab_common.c or mm/slub.c).
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

/* Room for all size classes of both sorts of cache, and some with debugging. */
#define MS_KMALLOC_CLASSES 64

/**
 * struct ms_kmalloc_class - a kmalloc cache whose stride is known
 * @accounted: it is one for accounted objects, which are kept apart since 5.14
 * @usable: ksize() of its objects, which tells one cache from another
 * @stride: measured
 */
struct ms_kmalloc_class {
	bool accounted;
	size_t usable;
	size_t stride;
};

static DEFINE_MUTEX(ms_kmalloc_lock);
static struct ms_kmalloc_class ms_kmalloc_classes[MS_KMALLOC_CLASSES];
static unsigned int ms_kmalloc_known;

static size_t ms_kmalloc_usable(size_t size, gfp_t gfp)
{
	struct mem_cgroup *root = ms_memcg_get_root();
	struct mem_cgroup *previous = set_active_memcg(root);
	void *object = kmalloc(size, gfp);
	size_t usable = ksize(object);

	kfree(object);
	set_active_memcg(previous);
	ms_memcg_put(root);
	return usable;
}

static int ms_kmalloc_stride(size_t size, bool accounted, size_t *stride)
{
	gfp_t gfp = accounted ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;
	size_t usable = ms_kmalloc_usable(size, gfp);
	struct ms_kmalloc_class *class;
	unsigned int i;
	int ret;

	if (!usable)
		return -ENOMEM;

	mutex_lock(&ms_kmalloc_lock);
	for (i = 0; i < ms_kmalloc_known; i++) {
		class = &ms_kmalloc_classes[i];
		if (class->accounted == accounted && class->usable == usable) {
			*stride = class->stride;
			ret = 0;
			goto out_unlock;
		}
	}
	ret = ms_stride_measure(NULL, size, gfp, stride);
	if (!ret && ms_kmalloc_known < MS_KMALLOC_CLASSES) {
		class = &ms_kmalloc_classes[ms_kmalloc_known++];
		class->accounted = accounted;
		class->usable = usable;
		class->stride = *stride;
	}
out_unlock:
	mutex_unlock(&ms_kmalloc_lock);
	return ret;
}

static u64 ms_kmalloc_largest(void)
{
	return KMALLOC_MAX_SIZE;
}

static int ms_kmalloc_prepare(struct ms_request *request)
{
	bool accounted = ms_request_accounted(request);
	size_t stride;
	int ret;

	request->unit.requested_bytes = request->size;
	if (request->size > KMALLOC_MAX_CACHE_SIZE) {
		request->unit.footprint_bytes = (u64)PAGE_SIZE << get_order(request->size);
		if (accounted)
			request->unit.page_charged_bytes = request->unit.footprint_bytes;
		return 0;
	}

	ret = ms_kmalloc_stride(request->size, accounted, &stride);
	if (ret)
		return ret;
	request->unit.footprint_bytes = stride;
	if (accounted) {
		request->unit.footprint_bytes += sizeof(struct obj_cgroup *);
		request->unit.byte_charged_bytes = request->unit.footprint_bytes;
	}
	return 0;
}

static struct ms_link *ms_kmalloc_alloc(const struct ms_request *request)
{
	return kmalloc_node(request->size, request->gfp, request->node);
}

static void ms_kmalloc_free(const struct ms_request *request, struct ms_link *link)
{
	kfree(link);
}

const struct ms_kind_ops ms_kmalloc_ops = {
	.kind = MEMSTRESS_KIND_KMALLOC,
	.features = MEMSTRESS_KIND_FEATURE_NODE,
	.policies = BIT_ULL(MEMSTRESS_POLICY_KERNEL) | BIT_ULL(MEMSTRESS_POLICY_NOWAIT) |
		    BIT_ULL(MEMSTRESS_POLICY_ATOMIC) | BIT_ULL(MEMSTRESS_POLICY_NOIO) |
		    BIT_ULL(MEMSTRESS_POLICY_NOFS) | BIT_ULL(MEMSTRESS_POLICY_NORETRY) |
		    BIT_ULL(MEMSTRESS_POLICY_RETRY_MAYFAIL) | BIT_ULL(MEMSTRESS_POLICY_NOFAIL),
	.smallest = sizeof(struct ms_link),
	.largest = ms_kmalloc_largest,
	.prepare = ms_kmalloc_prepare,
	.alloc = ms_kmalloc_alloc,
	.free = ms_kmalloc_free,
};
