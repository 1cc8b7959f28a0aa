// SPDX-License-Identifier: GPL-2.0
/*
 * Kind kvmalloc: kvmalloc_node() of a size.
 *
 * Up to a page it is kmalloc(). Above, it is kmalloc() that does not try hard, and vmalloc()
 * if that fails, because no block of that order is free or because its charge does not fit
 * (kvmalloc_node() in mm/util.c or mm/slub.c). The address tells which of the two an object
 * has become, and the charge is that of this kind.
 *
 * The fallback may map huge pages, for which it rounds the size up to PMD_SIZE or takes single
 * pages if there are none. No address tells that, so such sizes are not offered.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

static u64 ms_kvmalloc_largest(void)
{
	return min_t(u64, KMALLOC_MAX_SIZE, PMD_SIZE - PAGE_SIZE);
}

static int ms_kvmalloc_prepare(struct ms_request *request)
{
	struct ms_request fallback = *request;
	int ret;

	ret = ms_kmalloc_ops.prepare(request);
	if (!ret)
		ret = ms_vmalloc_ops.prepare(&fallback);
	request->fallback = fallback.unit;
	return ret;
}

static struct ms_link *ms_kvmalloc_alloc(const struct ms_request *request)
{
	return kvmalloc_node(request->size, request->gfp, request->node);
}

static void ms_kvmalloc_free(const struct ms_request *request, struct ms_link *link)
{
	kvfree(link);
}

static bool ms_kvmalloc_fallback(const struct ms_link *link)
{
	return is_vmalloc_addr(link);
}

static struct page *ms_kvmalloc_charged_page(const struct ms_request *request, struct ms_link *link,
					     u64 index)
{
	const struct ms_kind_ops *ops = is_vmalloc_addr(link) ? &ms_vmalloc_ops : &ms_kmalloc_ops;

	return ops->charged_page(request, link, index);
}

const struct ms_kind_ops ms_kvmalloc_ops = {
	.kind = MEMSTRESS_KIND_KVMALLOC,
	.features = MEMSTRESS_KIND_FEATURE_NODE,
	/* What its documentation supports on all kernels. */
	.policies = BIT_ULL(MEMSTRESS_POLICY_KERNEL) | BIT_ULL(MEMSTRESS_POLICY_RETRY_MAYFAIL),
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_TASK) | BIT_ULL(MEMSTRESS_CONTEXT_KWORKER),
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_RCU),
	.smallest = sizeof(struct ms_link),
	.largest = ms_kvmalloc_largest,
	.prepare = ms_kvmalloc_prepare,
	.alloc = ms_kvmalloc_alloc,
	.free = ms_kvmalloc_free,
	.fallback = ms_kvmalloc_fallback,
	.charged_page = ms_kvmalloc_charged_page,
};
