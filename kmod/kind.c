// SPDX-License-Identifier: GPL-2.0
/* Kinds: which allocator families there are, and what a request to one may ask. */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

static const struct ms_kind_ops *const ms_kinds[MEMSTRESS_KIND_END] = {
	[MEMSTRESS_KIND_PAGE] = &ms_page_ops,         [MEMSTRESS_KIND_KMALLOC] = &ms_kmalloc_ops,
	[MEMSTRESS_KIND_CACHE] = &ms_cache_ops,       [MEMSTRESS_KIND_VMALLOC] = &ms_vmalloc_ops,
	[MEMSTRESS_KIND_PERCPU] = &ms_percpu_ops,     [MEMSTRESS_KIND_EXACT] = &ms_exact_ops,
	[MEMSTRESS_KIND_KVMALLOC] = &ms_kvmalloc_ops,
};

/* NULL: there is no such kind. */
const struct ms_kind_ops *ms_kind_get(u32 kind)
{
	if (kind >= MEMSTRESS_KIND_END)
		return NULL;
	return ms_kinds[array_index_nospec(kind, MEMSTRESS_KIND_END)];
}

u64 ms_kind_bitmap(void)
{
	u64 bitmap = 0;
	u32 i;

	for (i = 0; i < MEMSTRESS_KIND_END; i++)
		if (ms_kinds[i])
			bitmap |= BIT_ULL(i);
	return bitmap;
}

static bool ms_kind_has_order(const struct ms_kind_ops *ops)
{
	return ops->features & MEMSTRESS_KIND_FEATURE_ORDER;
}

static int ms_kind_check_size(const struct ms_kind_ops *ops, u64 size, u32 order)
{
	u64 asked = ms_kind_has_order(ops) ? order : size;

	if (ms_kind_has_order(ops) ? size : order)
		return -EINVAL;
	if (asked < ops->smallest || asked > ops->largest())
		return -EINVAL;
	return 0;
}

/*
 * __alloc_pages() and rmqueue() warn of __GFP_NOFAIL above order 1. With
 * __GFP_THISNODE it could wait for one node for ever.
 */
static bool ms_kind_nofail_warns(const struct ms_kind_ops *ops, u64 size, u32 order, int node)
{
	if (node != NUMA_NO_NODE)
		return true;
	if (ms_kind_has_order(ops))
		return order > 1;
	return ops->kind != MEMSTRESS_KIND_VMALLOC && size > (PAGE_SIZE << 1);
}

/*
 * The allocators that take no lock give neither large objects (__kmalloc_nolock_noprof() in
 * mm/slub.c) nor orders that no CPU keeps lists of (pcp_allowed_order() in mm/page_alloc.c; that
 * of a huge page is left out), and take no flag that insists on a node.
 */
static bool ms_kind_nolock_gives(const struct memstress_alloc *cmd)
{
	return cmd->order <= PAGE_ALLOC_COSTLY_ORDER &&
	       cmd->object_size <= KMALLOC_MAX_CACHE_SIZE && cmd->node == MEMSTRESS_NODE_ANY;
}

/* The size that the allocator is asked for first. */
static u64 ms_kind_first_size(const struct memstress_alloc *cmd)
{
	return cmd->method == MEMSTRESS_ALLOC_SHRINK ? cmd->object_size * 2 : cmd->object_size;
}

/* Nothing may sleep in an interrupt, and some kernels never charge what it allocates. */
static int ms_kind_check_interrupt(const struct memstress_alloc *cmd)
{
	if (ms_policy_sleeps(cmd->policy))
		return -EOPNOTSUPP;
	if ((cmd->flags & MEMSTRESS_ALLOC_ACCOUNT) && !MS_COMPAT_CHARGES_INTERRUPTS)
		return -EOPNOTSUPP;
	return 0;
}

/* What can be mapped is compound, and never split. */
static int ms_kind_check_mappable(const struct ms_kind_ops *ops, const struct memstress_alloc *cmd)
{
	if (!(ops->features & MEMSTRESS_KIND_FEATURE_MAPPABLE))
		return -EOPNOTSUPP;
	if ((cmd->flags & MEMSTRESS_ALLOC_ACCOUNT) && !MS_COMPAT_MAPS_CHARGED)
		return -EOPNOTSUPP;
	if (cmd->flags & MEMSTRESS_ALLOC_SPLITTABLE)
		return -EINVAL;
	if (cmd->count > MEMSTRESS_MAPPABLE_MAX_BYTES >> (PAGE_SHIFT + cmd->order))
		return -EINVAL;
	return 0;
}

/* Asked for that of a node without memory, slabs would take it from another one. */
static bool ms_kind_has_node(s32 node)
{
	return node >= 0 && node < MAX_NUMNODES && node_state(node, N_NORMAL_MEMORY);
}

/* Whether the kind can make such objects in the way that was asked for. */
static int ms_kind_check_method(const struct ms_kind_ops *ops, const struct memstress_alloc *cmd)
{
	bool splittable = cmd->flags & MEMSTRESS_ALLOC_SPLITTABLE;

	if (cmd->alignment && !is_power_of_2(cmd->alignment))
		return -EINVAL;
	if (ops->alignment_max && cmd->alignment > ops->alignment_max)
		return -EINVAL;
	if (cmd->alignment && !ops->alignment_max)
		return -EOPNOTSUPP;
	if (splittable && !(ops->free_methods & BIT_ULL(MEMSTRESS_FREE_SPLIT)))
		return -EOPNOTSUPP;
	if (!(ops->alloc_methods & BIT_ULL(cmd->method)))
		return -EOPNOTSUPP;

	switch (cmd->method) {
	case MEMSTRESS_ALLOC_BULK:
		/* The bulk allocators want interrupts enabled; alloc_pages_bulk() has no order. */
		if (cmd->context == MEMSTRESS_CONTEXT_HARDIRQ || cmd->order)
			return -EOPNOTSUPP;
		break;
	case MEMSTRESS_ALLOC_GROW:
	case MEMSTRESS_ALLOC_SHRINK:
		/* krealloc() takes no node on most kernels. */
		if (cmd->node != MEMSTRESS_NODE_ANY)
			return -EOPNOTSUPP;
		break;
	}
	if (cmd->method == MEMSTRESS_ALLOC_SHRINK && cmd->object_size > ops->largest() / 2)
		return -EOPNOTSUPP;
	/* alloc_pages_nolock() makes compound pages only. */
	if (cmd->policy == MEMSTRESS_POLICY_NOLOCK &&
	    (cmd->method != MEMSTRESS_ALLOC_SINGLY || splittable))
		return -EOPNOTSUPP;
	return 0;
}

/* Whether @cmd asks for something that there is, and that this kernel can do. */
int ms_kind_check(const struct memstress_alloc *cmd)
{
	const struct ms_kind_ops *ops = ms_kind_get(cmd->kind);
	int ret;

	if (!ops || cmd->policy >= MEMSTRESS_POLICY_END ||
	    cmd->method >= MEMSTRESS_ALLOC_METHOD_END)
		return -EINVAL;
	ret = ms_kind_check_size(ops, cmd->object_size, cmd->order);
	if (ret)
		return ret;
	if (cmd->node != MEMSTRESS_NODE_ANY && !ms_kind_has_node(cmd->node))
		return -EINVAL;

	ret = ms_context_check(cmd->context, cmd->flags & MEMSTRESS_ALLOC_CPU, cmd->cpu);
	if (ret)
		return ret;
	if (!(ops->contexts & BIT_ULL(cmd->context)))
		return -EOPNOTSUPP;
	if (ms_context_interrupts(cmd->context) && ms_kind_check_interrupt(cmd))
		return -EOPNOTSUPP;
	if (cmd->flags & MEMSTRESS_ALLOC_MAPPABLE) {
		ret = ms_kind_check_mappable(ops, cmd);
		if (ret)
			return ret;
	}
	ret = ms_kind_check_method(ops, cmd);
	if (ret)
		return ret;
	if (!(ops->policies & BIT_ULL(cmd->policy)))
		return -EOPNOTSUPP;
	if (cmd->node != MEMSTRESS_NODE_ANY && !(ops->features & MEMSTRESS_KIND_FEATURE_NODE))
		return -EOPNOTSUPP;
	if (cmd->policy == MEMSTRESS_POLICY_NOLOCK && !ms_kind_nolock_gives(cmd))
		return -EOPNOTSUPP;
	if (cmd->policy == MEMSTRESS_POLICY_NOFAIL &&
	    ms_kind_nofail_warns(ops, ms_kind_first_size(cmd), cmd->order, cmd->node))
		return -EOPNOTSUPP;
	return 0;
}

/* Makes a request of a @cmd that was checked. */
int ms_kind_prepare(const struct memstress_alloc *cmd, struct ms_request *request)
{
	const struct ms_kind_ops *ops = ms_kind_get(cmd->kind);

	memset(request, 0, sizeof(*request));
	request->ops = ops;
	request->size = cmd->object_size;
	request->order = cmd->order;
	request->node = cmd->node == MEMSTRESS_NODE_ANY ? NUMA_NO_NODE : cmd->node;
	request->policy = cmd->policy;
	request->flags = cmd->flags;
	request->method = cmd->method;
	request->alignment = cmd->alignment;
	request->gfp = ms_policy_gfp(cmd->policy);
	if (cmd->flags & MEMSTRESS_ALLOC_ACCOUNT)
		request->gfp |= __GFP_ACCOUNT;
	/* Whoever maps it must not see what was there before. */
	if (cmd->flags & (MEMSTRESS_ALLOC_ZERO | MEMSTRESS_ALLOC_MAPPABLE))
		request->gfp |= __GFP_ZERO;
	if (request->node != NUMA_NO_NODE)
		request->gfp |= __GFP_THISNODE;
	return ops->prepare(request);
}

/* @prepare of a kind whose objects are whole pages, each of them charged as a page. */
int ms_kind_prepare_pages(struct ms_request *request)
{
	u64 bytes = PAGE_ALIGN(request->size);

	request->unit.requested_bytes = request->size;
	request->unit.footprint_bytes = bytes;
	if (ms_request_accounted(request))
		request->unit.page_charged_bytes = bytes;
	return 0;
}

/* Whether such objects can be freed by enum memstress_free_method @method. */
int ms_kind_check_free(const struct ms_request *request, u32 method)
{
	const struct ms_kind_ops *ops = request->ops;

	if (!(ops->free_methods & BIT_ULL(method)))
		return -EOPNOTSUPP;
	if (method == MEMSTRESS_FREE_SPLIT && !(request->flags & MEMSTRESS_ALLOC_SPLITTABLE))
		return -EOPNOTSUPP;
	/* As alone kfree_nolock() gives back what kmemleak has never heard of. */
	if (method == MEMSTRESS_FREE_BULK && ms_request_nolock(request))
		return -EOPNOTSUPP;
	if (method == MEMSTRESS_FREE_RCU && !ms_kind_has_order(ops) &&
	    request->size < sizeof(struct rcu_head))
		return -EOPNOTSUPP;
	return 0;
}

/* Fills in the kind_ and object_ fields. */
int ms_kind_describe(struct memstress_info *cmd)
{
	const struct ms_kind_ops *ops = ms_kind_get(cmd->kind);
	struct memstress_alloc example = {
		.flags = MEMSTRESS_ALLOC_ACCOUNT,
		.kind = cmd->kind,
		.order = cmd->order,
		.node = MEMSTRESS_NODE_ANY,
		.object_size = cmd->object_size,
	};
	struct ms_request request;
	int ret;

	if (!cmd->kind)
		return cmd->order || cmd->object_size ? -EINVAL : 0;
	if (!ops)
		return -EINVAL;
	cmd->kind_policies = ops->policies;
	cmd->kind_contexts = ops->contexts & ms_context_bitmap();
	cmd->kind_features = ops->features;
	cmd->kind_min = ops->smallest;
	cmd->kind_max = ops->largest();
	cmd->kind_alloc_methods = ops->alloc_methods;
	cmd->kind_free_methods = ops->free_methods;
	cmd->kind_alignment_max = ops->alignment_max;
	if (!ms_kind_has_order(ops) && !cmd->object_size)
		return cmd->order ? -EINVAL : 0;

	ret = ms_kind_check(&example);
	if (!ret)
		ret = ms_kind_prepare(&example, &request);
	if (ret)
		return ret;
	cmd->object_page_charged_bytes = request.unit.page_charged_bytes;
	cmd->object_byte_charged_bytes = request.unit.byte_charged_bytes;
	cmd->object_footprint_bytes = request.unit.footprint_bytes;
	return 0;
}

void ms_kind_add_books(struct memstress_books *sum, const struct ms_request *request,
		       struct ms_count count)
{
	const struct memstress_books *unit = &request->unit;
	const struct memstress_books *fallback = &request->fallback;
	u64 charged = count.objects - count.uncharged - count.fallback;

	sum->objects += count.objects;
	sum->uncharged_objects += count.uncharged;
	sum->requested_bytes += unit->requested_bytes * count.objects;
	sum->page_charged_bytes += unit->page_charged_bytes * charged;
	sum->page_charged_bytes += fallback->page_charged_bytes * count.fallback;
	sum->byte_charged_bytes += unit->byte_charged_bytes * charged;
	sum->byte_charged_bytes += fallback->byte_charged_bytes * count.fallback;
	sum->footprint_bytes += unit->footprint_bytes * count.objects;
}

void ms_kind_sub_books(struct memstress_books *sum, const struct ms_request *request,
		       struct ms_count count)
{
	struct ms_count nothing = {};

	ms_kind_add_books(sum, request, ms_count_sub(nothing, count));
}

/* Whether somebody besides the module has the object: a mapping, or a pipe with its pages. */
bool ms_request_referenced(const struct ms_request *request, struct ms_link *link)
{
	return (request->flags & MEMSTRESS_ALLOC_MAPPABLE) &&
	       page_count(request->ops->mapped_page(link)) > 1;
}

void ms_kind_exit(void)
{
	ms_cache_exit();
}
