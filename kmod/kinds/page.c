// SPDX-License-Identifier: GPL-2.0
/*
 * Kind page: alloc_pages() of an order.
 *
 * __alloc_pages() charges an accounted allocation through
 * __memcg_kmem_charge_page(): 1 << order whole pages. The pages of one allocation
 * are compound, which they must be to be mapped or looked up by their head.
 */
#include <linux/mm.h>

#include "compat.h"
#include "internal.h"

static u64 ms_page_largest(void)
{
	return MAX_PAGE_ORDER;
}

static int ms_page_prepare(struct ms_request *request)
{
	u64 bytes = (u64)PAGE_SIZE << request->order;

	request->gfp |= __GFP_COMP;
	request->unit.requested_bytes = bytes;
	request->unit.footprint_bytes = bytes;
	if (ms_request_accounted(request))
		request->unit.page_charged_bytes = bytes;
	return 0;
}

static struct ms_link *ms_page_alloc(const struct ms_request *request)
{
	struct page *page;

	if (request->node == NUMA_NO_NODE)
		page = alloc_pages(request->gfp, request->order);
	else
		page = alloc_pages_node(request->node, request->gfp, request->order);
	/* page->lru belongs to whoever owns the page. */
	return page ? (struct ms_link *)&page->lru : NULL;
}

static void ms_page_free(const struct ms_request *request, struct ms_link *link)
{
	struct page *page = container_of((struct list_head *)link, struct page, lru);

	__free_pages(page, request->order);
}

const struct ms_kind_ops ms_page_ops = {
	.kind = MEMSTRESS_KIND_PAGE,
	.features = MEMSTRESS_KIND_FEATURE_NODE | MEMSTRESS_KIND_FEATURE_ORDER,
	.policies = BIT_ULL(MEMSTRESS_POLICY_KERNEL) | BIT_ULL(MEMSTRESS_POLICY_NOWAIT) |
		    BIT_ULL(MEMSTRESS_POLICY_ATOMIC) | BIT_ULL(MEMSTRESS_POLICY_NOIO) |
		    BIT_ULL(MEMSTRESS_POLICY_NOFS) | BIT_ULL(MEMSTRESS_POLICY_NORETRY) |
		    BIT_ULL(MEMSTRESS_POLICY_RETRY_MAYFAIL) | BIT_ULL(MEMSTRESS_POLICY_NOFAIL),
	.smallest = 0,
	.largest = ms_page_largest,
	.prepare = ms_page_prepare,
	.alloc = ms_page_alloc,
	.free = ms_page_free,
};
