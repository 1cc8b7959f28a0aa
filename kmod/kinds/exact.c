// SPDX-License-Identifier: GPL-2.0
/*
 * Kind exact: alloc_pages_exact() of a size.
 *
 * It allocates and charges the order that the size fits into, splits that into single pages,
 * each charged by itself from then on (split_page_memcg()), and gives back those behind the
 * size: make_alloc_exact() in mm/page_alloc.c. What stays charged is the size in whole pages.
 *
 * The function that takes a node is not exported.
 */
#include <linux/mm.h>

#include "compat.h"
#include "internal.h"

static u64 ms_exact_largest(void)
{
	return (u64)PAGE_SIZE << MAX_PAGE_ORDER;
}

static struct ms_link *ms_exact_alloc(const struct ms_request *request)
{
	return alloc_pages_exact(request->size, request->gfp);
}

static void ms_exact_free(const struct ms_request *request, struct ms_link *link)
{
	free_pages_exact(link, request->size);
}

static struct page *ms_exact_charged_page(const struct ms_request *request, struct ms_link *link,
					  u64 index)
{
	u64 offset = index << PAGE_SHIFT;

	return offset < request->size ? virt_to_page((char *)link + offset) : NULL;
}

const struct ms_kind_ops ms_exact_ops = {
	.kind = MEMSTRESS_KIND_EXACT,
	.policies = MS_POLICIES_OF_GFP,
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_END) - 1,
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_RCU),
	.smallest = sizeof(struct ms_link),
	.largest = ms_exact_largest,
	.prepare = ms_kind_prepare_pages,
	.alloc = ms_exact_alloc,
	.free = ms_exact_free,
	.charged_page = ms_exact_charged_page,
};
