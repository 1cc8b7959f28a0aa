// SPDX-License-Identifier: GPL-2.0
/* Kinds: which allocator families there are, and what a request to one may ask. */
#include <linux/kernel.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>

#include "compat.h"
#include "internal.h"

static const struct ms_kind_ops *const ms_kinds[MEMSTRESS_KIND_END] = {
	[MEMSTRESS_KIND_PAGE] = &ms_page_ops,     [MEMSTRESS_KIND_KMALLOC] = &ms_kmalloc_ops,
	[MEMSTRESS_KIND_CACHE] = &ms_cache_ops,   [MEMSTRESS_KIND_VMALLOC] = &ms_vmalloc_ops,
	[MEMSTRESS_KIND_PERCPU] = &ms_percpu_ops,
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

/* Whether @cmd asks for something that there is, and that this kernel can do. */
int ms_kind_check(const struct memstress_alloc *cmd)
{
	const struct ms_kind_ops *ops = ms_kind_get(cmd->kind);
	int ret;

	if (!ops || cmd->policy >= MEMSTRESS_POLICY_END || cmd->context >= MEMSTRESS_CONTEXT_END)
		return -EINVAL;
	ret = ms_kind_check_size(ops, cmd->object_size, cmd->order);
	if (ret)
		return ret;
	if (cmd->node != MEMSTRESS_NODE_ANY &&
	    (cmd->node < 0 || cmd->node >= MAX_NUMNODES || !node_online(cmd->node)))
		return -EINVAL;

	if (cmd->context != MEMSTRESS_CONTEXT_TASK)
		return -EOPNOTSUPP;
	if (!(ops->policies & BIT_ULL(cmd->policy)))
		return -EOPNOTSUPP;
	if (cmd->node != MEMSTRESS_NODE_ANY && !(ops->features & MEMSTRESS_KIND_FEATURE_NODE))
		return -EOPNOTSUPP;
	if (cmd->policy == MEMSTRESS_POLICY_NOFAIL &&
	    ms_kind_nofail_warns(ops, cmd->object_size, cmd->order, cmd->node))
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
	request->gfp = ms_policy_gfp(cmd->policy);
	if (cmd->flags & MEMSTRESS_ALLOC_ACCOUNT)
		request->gfp |= __GFP_ACCOUNT;
	if (cmd->flags & MEMSTRESS_ALLOC_ZERO)
		request->gfp |= __GFP_ZERO;
	if (request->node != NUMA_NO_NODE)
		request->gfp |= __GFP_THISNODE;
	return ops->prepare(request);
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
	cmd->kind_contexts = BIT_ULL(MEMSTRESS_CONTEXT_TASK);
	cmd->kind_features = ops->features;
	cmd->kind_min = ops->smallest;
	cmd->kind_max = ops->largest();
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
	u64 charged = count.objects - count.uncharged;

	sum->objects += count.objects;
	sum->uncharged_objects += count.uncharged;
	sum->requested_bytes += unit->requested_bytes * count.objects;
	sum->page_charged_bytes += unit->page_charged_bytes * charged;
	sum->byte_charged_bytes += unit->byte_charged_bytes * charged;
	sum->footprint_bytes += unit->footprint_bytes * count.objects;
}

void ms_kind_sub_books(struct memstress_books *sum, const struct ms_request *request,
		       struct ms_count count)
{
	struct ms_count negative = { -count.objects, -count.uncharged };

	ms_kind_add_books(sum, request, negative);
}

void ms_kind_exit(void)
{
	ms_cache_exit();
}
