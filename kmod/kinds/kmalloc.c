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
 * @stride: measured; 0: it cannot be
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
	bool guarded;
	size_t usable;

	/* An object of KFENCE tells what was asked for. Those are few and far between. */
	do {
		void *object = kmalloc(size, gfp);

		usable = ksize(object);
		guarded = is_kfence_address(object);
		kfree(object);
	} while (guarded);
	set_active_memcg(previous);
	ms_memcg_put(root);
	return usable;
}

static int ms_kmalloc_stride(size_t size, bool accounted, size_t usable, size_t *stride)
{
	gfp_t gfp = accounted ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;
	struct ms_kmalloc_class *class;
	unsigned int i;
	int ret;

	mutex_lock(&ms_kmalloc_lock);
	for (i = 0; i < ms_kmalloc_known; i++) {
		class = &ms_kmalloc_classes[i];
		if (class->accounted == accounted && class->usable == usable) {
			*stride = class->stride;
			ret = *stride ? 0 : -EOPNOTSUPP;
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
	if (!ret && !*stride)
		ret = -EOPNOTSUPP;
out_unlock:
	mutex_unlock(&ms_kmalloc_lock);
	return ret;
}

static u64 ms_kmalloc_largest(void)
{
	return KMALLOC_MAX_SIZE;
}

/*
 * The size that decides what an object takes. One that has shrunk stays where it was, and one
 * that has grown is where all of that size are (__do_krealloc() in mm/slab_common.c or slub.c).
 */
static u64 ms_kmalloc_taken(const struct ms_request *request)
{
	return request->method == MEMSTRESS_ALLOC_SHRINK ? request->size * 2 : request->size;
}

static int ms_kmalloc_prepare(struct ms_request *request)
{
	bool accounted = ms_request_accounted(request);
	u64 taken = ms_kmalloc_taken(request);
	size_t stride;
	int ret;

	request->unit.requested_bytes = request->size;
	if (taken > KMALLOC_MAX_CACHE_SIZE) {
		request->unit.footprint_bytes = (u64)PAGE_SIZE << get_order(taken);
		if (accounted)
			request->unit.page_charged_bytes = request->unit.footprint_bytes;
		return 0;
	}

	request->usable = ms_kmalloc_usable(taken, accounted ? GFP_KERNEL_ACCOUNT : GFP_KERNEL);
	if (!request->usable)
		return -ENOMEM;
	ret = ms_kmalloc_stride(taken, accounted, request->usable, &stride);
	if (ret)
		return ret;
	request->unit.footprint_bytes = stride;
	if (accounted) {
		request->unit.footprint_bytes += sizeof(struct obj_cgroup *);
		request->unit.byte_charged_bytes = request->unit.footprint_bytes;
	}
	return 0;
}

/*
 * When it finds a lock taken, kmalloc_nolock() tries the next larger cache, and if it finds
 * none for the vector of objcgs it does without: such an object would cost something else than
 * the books say, so it counts as refused.
 */
static void *ms_kmalloc_alloc_nolock(const struct ms_request *request)
{
	bool paid = ms_request_accounted(request) && !request->unpaid;
	void *object = kmalloc_nolock(request->size, request->gfp, request->node);

	if (!object)
		return NULL;
	if (ksize(object) == request->usable && (!paid || ms_compat_slab_is_charged(object)))
		return object;
	kfree_nolock(object);
	return NULL;
}

/* Made of @size, and then made as large as was asked for. */
static struct ms_link *ms_kmalloc_resize(const struct ms_request *request, size_t size)
{
	void *object = kmalloc(size, request->gfp);
	void *resized;

	if (!object)
		return NULL;
	resized = krealloc(object, request->size, request->gfp);
	if (!resized)
		kfree(object);
	return resized;
}

static struct ms_link *ms_kmalloc_alloc(const struct ms_request *request)
{
	if (ms_request_nolock(request))
		return ms_kmalloc_alloc_nolock(request);
	switch (request->method) {
	case MEMSTRESS_ALLOC_GROW:
		return ms_kmalloc_resize(request, request->size / 2);
	case MEMSTRESS_ALLOC_SHRINK:
		return ms_kmalloc_resize(request, request->size * 2);
	default:
		return kmalloc_node(request->size, request->gfp, request->node);
	}
}

static void ms_kmalloc_free(const struct ms_request *request, struct ms_link *link)
{
	/* kmemleak knows nothing of what was allocated without a lock. */
	if (ms_request_nolock(request))
		kfree_nolock(link);
	else
		kfree(link);
}

static void ms_kmalloc_free_bulk(const struct ms_request *request, struct ms_link **links,
				 u32 count)
{
	kfree_bulk(count, (void **)links);
}

/* What is no slab object is a compound page of its own. */
static struct page *ms_kmalloc_charged_page(const struct ms_request *request, struct ms_link *link,
					    u64 index)
{
	if (index || ms_kmalloc_taken(request) <= KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	return virt_to_head_page(link);
}

const struct ms_kind_ops ms_kmalloc_ops = {
	.kind = MEMSTRESS_KIND_KMALLOC,
	.features = MEMSTRESS_KIND_FEATURE_NODE,
	.policies = MS_POLICIES_OF_GFP | (MS_COMPAT_NOLOCK ? BIT_ULL(MEMSTRESS_POLICY_NOLOCK) : 0),
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_END) - 1,
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY) | BIT_ULL(MEMSTRESS_ALLOC_GROW) |
			 BIT_ULL(MEMSTRESS_ALLOC_SHRINK),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_BULK) |
			BIT_ULL(MEMSTRESS_FREE_RCU),
	.smallest = sizeof(struct ms_link),
	.largest = ms_kmalloc_largest,
	.prepare = ms_kmalloc_prepare,
	.alloc = ms_kmalloc_alloc,
	.free = ms_kmalloc_free,
	.free_bulk = ms_kmalloc_free_bulk,
	.charged_page = ms_kmalloc_charged_page,
};
