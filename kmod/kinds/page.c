// SPDX-License-Identifier: GPL-2.0
/*
 * Kind page: alloc_pages() of an order.
 *
 * __alloc_pages() charges an accounted allocation through
 * __memcg_kmem_charge_page(): 1 << order whole pages. The pages of one allocation
 * are compound, which they must be to be mapped or looked up by their head; but for those
 * that are to be split, which they must not be.
 *
 * alloc_pages_bulk() charges nobody. Asked for accounted pages it gives one, which comes from
 * __alloc_pages().
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

	if (!(request->flags & MEMSTRESS_ALLOC_SPLITTABLE))
		request->gfp |= __GFP_COMP;
	request->unit.requested_bytes = bytes;
	request->unit.footprint_bytes = bytes;
	if (ms_request_accounted(request))
		request->unit.page_charged_bytes = bytes;
	return 0;
}

/* page->lru belongs to whoever owns the page, and lies where page->rcu_head does. */
static struct ms_link *ms_page_link(struct page *page)
{
	BUILD_BUG_ON(offsetof(struct page, lru) != offsetof(struct page, rcu_head));
	return (struct ms_link *)&page->lru;
}

static struct ms_link *ms_page_alloc(const struct ms_request *request)
{
	struct page *page;

	if (ms_request_nolock(request))
		page = alloc_pages_nolock(request->gfp, request->node, request->order);
	else if (request->node == NUMA_NO_NODE)
		page = alloc_pages(request->gfp, request->order);
	else
		page = alloc_pages_node(request->node, request->gfp, request->order);
	return page ? ms_page_link(page) : NULL;
}

static u32 ms_page_alloc_bulk(const struct ms_request *request, struct ms_link **links, u32 count)
{
	struct page *pages[MS_BULK_OBJECTS] = {};
	u32 given, i;

	given = ms_compat_alloc_pages_bulk(request->gfp, request->node, count, pages);
	for (i = 0; i < given; i++)
		links[i] = ms_page_link(pages[i]);
	return given;
}

static struct page *ms_page_of(struct ms_link *link)
{
	return container_of((struct list_head *)link, struct page, lru);
}

static void ms_page_free(const struct ms_request *request, struct ms_link *link)
{
	__free_pages(ms_page_of(link), request->order);
}

static void ms_page_free_split(const struct ms_request *request, struct ms_link *link)
{
	struct page *page = ms_page_of(link);
	unsigned long i;

	split_page(page, request->order);
	for (i = 0; i < 1UL << request->order; i++)
		__free_page(page + i);
}

/* The head's owner is the owner of all, and tail pages have none of their own. */
static struct page *ms_page_charged_page(const struct ms_request *request, struct ms_link *link,
					 u64 index)
{
	return index ? NULL : ms_page_of(link);
}

const struct ms_kind_ops ms_page_ops = {
	.kind = MEMSTRESS_KIND_PAGE,
	.features = MEMSTRESS_KIND_FEATURE_NODE | MEMSTRESS_KIND_FEATURE_ORDER |
		    (IS_ENABLED(CONFIG_64BIT) ? MEMSTRESS_KIND_FEATURE_MAPPABLE : 0),
	.policies = MS_POLICIES_OF_GFP | (MS_COMPAT_NOLOCK ? BIT_ULL(MEMSTRESS_POLICY_NOLOCK) : 0),
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_END) - 1,
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY) |
			 (MS_COMPAT_PAGE_BULK ? BIT_ULL(MEMSTRESS_ALLOC_BULK) : 0),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_RCU) |
			BIT_ULL(MEMSTRESS_FREE_SPLIT),
	.smallest = 0,
	.largest = ms_page_largest,
	.prepare = ms_page_prepare,
	.alloc = ms_page_alloc,
	.alloc_bulk = ms_page_alloc_bulk,
	.free = ms_page_free,
	.free_split = ms_page_free_split,
	.charged_page = ms_page_charged_page,
	.mapped_page = ms_page_of,
};
