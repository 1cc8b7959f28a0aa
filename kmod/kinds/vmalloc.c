// SPDX-License-Identifier: GPL-2.0
/*
 * Kind vmalloc: __vmalloc() of a size.
 *
 * __vmalloc_area_node() hands the flags to the page allocator, so each page of the
 * size rounded up is charged as a page. The guard page has no memory, and the array
 * of page pointers, the vm_struct and the page tables are not accounted.
 *
 * There is no exported function that takes both flags and a node. The caller's memory
 * policy (set_mempolicy(2)) decides where the pages come from.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "internal.h"

static u64 ms_vmalloc_largest(void)
{
	return (u64)totalram_pages() << PAGE_SHIFT;
}

static struct ms_link *ms_vmalloc_alloc(const struct ms_request *request)
{
	return __vmalloc(request->size, request->gfp);
}

static void ms_vmalloc_free(const struct ms_request *request, struct ms_link *link)
{
	vfree(link);
}

static struct page *ms_vmalloc_charged_page(const struct ms_request *request, struct ms_link *link,
					    u64 index)
{
	u64 offset = index << PAGE_SHIFT;

	return offset < request->size ? vmalloc_to_page((char *)link + offset) : NULL;
}

const struct ms_kind_ops ms_vmalloc_ops = {
	.kind = MEMSTRESS_KIND_VMALLOC,
	/* Allocating address space and page tables may sleep whatever the flags say. */
	.policies = BIT_ULL(MEMSTRESS_POLICY_KERNEL) | BIT_ULL(MEMSTRESS_POLICY_NOIO) |
		    BIT_ULL(MEMSTRESS_POLICY_NOFS) | BIT_ULL(MEMSTRESS_POLICY_NORETRY) |
		    BIT_ULL(MEMSTRESS_POLICY_RETRY_MAYFAIL) |
		    (MS_COMPAT_VMALLOC_NOFAIL ? BIT_ULL(MEMSTRESS_POLICY_NOFAIL) : 0),
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_TASK) | BIT_ULL(MEMSTRESS_CONTEXT_KWORKER),
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_RCU),
	.smallest = sizeof(struct ms_link),
	.largest = ms_vmalloc_largest,
	.prepare = ms_kind_prepare_pages,
	.alloc = ms_vmalloc_alloc,
	.free = ms_vmalloc_free,
	.charged_page = ms_vmalloc_charged_page,
};
