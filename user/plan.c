// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "plan.h"
#include "workload.h"

static int plan_refuse_range(const char *where, const struct step *step,
			     const struct memstress_info *info, struct error *error)
{
	if (step->kind->has_order)
		return error_set(error, STATUS_MISUSE,
				 "%s: order %u is not allowed; this kernel takes %llu to %llu",
				 where, step->order, info->kind_min, info->kind_max);
	return error_set(error, STATUS_MISUSE,
			 "%s: object-size %llu is not allowed; this kernel takes %llu to %llu",
			 where, step->object_size, info->kind_min, info->kind_max);
}

static bool plan_is_atomic(__u32 policy)
{
	return policy == MEMSTRESS_POLICY_NOWAIT || policy == MEMSTRESS_POLICY_ATOMIC ||
	       policy == MEMSTRESS_POLICY_NOLOCK;
}

/* Bytes that an object needs to be freed by RCU: a struct rcu_head. */
#define PLAN_RCU_BYTES 16

/* Whether objects of the step can be made and freed in the way that was asked for. */
static int plan_check_methods(const char *where, const struct step *step,
			      const struct memstress_info *info, struct error *error)
{
	if (!(info->kind_alloc_methods & (1ULL << step->method)))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: this kind cannot be allocated by %s here; "
				 "see memstress kinds",
				 where, kind_alloc_method_name(step->method));
	if (step->method == MEMSTRESS_ALLOC_BULK && step->order)
		return error_set(error, STATUS_MISUSE, "%s: by bulk there is only order 0", where);
	if (step->method == MEMSTRESS_ALLOC_BULK && step->context == MEMSTRESS_CONTEXT_HARDIRQ)
		return error_set(error, STATUS_MISUSE, "%s: by bulk is not for a hardirq", where);
	if (step->method == MEMSTRESS_ALLOC_SHRINK && step->object_size > info->kind_max / 2)
		return error_set(error, STATUS_MISUSE,
				 "%s: object-size %llu is not allowed; by shrink it is at most %llu",
				 where, step->object_size, info->kind_max / 2);
	if ((step->method == MEMSTRESS_ALLOC_GROW || step->method == MEMSTRESS_ALLOC_SHRINK) &&
	    step->node != MEMSTRESS_NODE_ANY)
		return error_set(error, STATUS_MISUSE, "%s: by %s no node can be given", where,
				 kind_alloc_method_name(step->method));
	if (step->policy == MEMSTRESS_POLICY_NOLOCK &&
	    (step->method != MEMSTRESS_ALLOC_SINGLY || step->free_by == MEMSTRESS_FREE_BULK ||
	     step->free_by == MEMSTRESS_FREE_SPLIT))
		return error_set(error, STATUS_MISUSE,
				 "%s: what policy nolock gives is made singly, freed singly or by rcu",
				 where);
	if (step->alignment && !info->kind_alignment_max)
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: no alignment can be given for this kind", where);
	if (step->alignment > info->kind_alignment_max)
		return error_set(error, STATUS_MISUSE,
				 "%s: align %u is not allowed; this kind takes up to %llu", where,
				 step->alignment, info->kind_alignment_max);
	if (!(info->kind_free_methods & (1ULL << step->free_by)))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: this kind cannot be freed by %s; see memstress kinds", where,
				 kind_free_method_name(step->free_by));
	if (step->free_by == MEMSTRESS_FREE_RCU && !step->kind->has_order &&
	    step->object_size < PLAN_RCU_BYTES)
		return error_set(error, STATUS_MISUSE,
				 "%s: object-size %llu is not allowed; by rcu it is at least %d",
				 where, step->object_size, PLAN_RCU_BYTES);
	if (!(info->contexts & (1ULL << step->free_context)))
		return error_set(error, STATUS_UNSUPPORTED, "%s: this kernel cannot free in a %s",
				 where, kind_context_name(step->free_context));
	return 0;
}

static int plan_check(const char *where, const struct step *step, const struct memstress_info *info,
		      struct error *error)
{
	__u64 asked = step->kind->has_order ? step->order : step->object_size;

	if (asked < info->kind_min || asked > info->kind_max)
		return plan_refuse_range(where, step, info, error);
	if (!(info->kind_contexts & (1ULL << step->context)))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: this kind cannot be allocated in a %s here; "
				 "see memstress kinds",
				 where, kind_context_name(step->context));
	if (!(info->kind_policies & (1ULL << step->policy)))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: this kernel cannot do policy %s with this kind; "
				 "see memstress kinds",
				 where, kind_policy_name(step->policy));
	if (kind_context_interrupts(step->context)) {
		if (!plan_is_atomic(step->policy))
			return error_set(error, STATUS_MISUSE,
					 "%s: policy %s may sleep, which a %s must not; "
					 "give nowait, atomic or nolock",
					 where, kind_policy_name(step->policy),
					 kind_context_name(step->context));
		if (step->account && !(info->features & MEMSTRESS_FEATURE_CHARGED_INTERRUPTS))
			return error_set(error, STATUS_UNSUPPORTED,
					 "%s: in a %s this kernel charges nobody; give --noaccount",
					 where, kind_context_name(step->context));
	}
	if (step->node != MEMSTRESS_NODE_ANY &&
	    !(info->kind_features & MEMSTRESS_KIND_FEATURE_NODE))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: no node can be given for this kind", where);
	return plan_check_methods(where, step, info, error);
}

static int plan_make_user(struct plan *plan, unsigned int version, const struct step *step,
			  const char *where, struct error *error)
{
	const char *missing = step->kind->workload->missing(step, version);

	if (missing)
		return error_set(error, STATUS_UNSUPPORTED, "%s: %s", where, missing);
	plan->object_bytes = step->object_size;
	plan->object_charge_bytes = workload_object_charge(step);
	if (step->until == UNTIL_USAGE && !plan->object_charge_bytes)
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: nobody pays for it here, so usage stays as it is; "
				 "give --size or --count",
				 where);
	return 0;
}

int plan_make(struct plan *plan, int fd, unsigned int version, const struct step *step,
	      unsigned int number, struct error *error)
{
	struct memstress_info info = { .kind = step->kind->id };
	char where[64];
	int ret;

	snprintf(where, sizeof(where), "step %u (%s)", number, step->kind->name);
	if (step->kind->workload)
		return plan_make_user(plan, version, step, where, error);
	ret = device_info(fd, &info);
	if (ret == -EOPNOTSUPP || ret == -EINVAL)
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: this kernel does not have this kind; see memstress kinds",
				 where);
	if (!ret && plan_check(where, step, &info, error))
		return -1;
	if (step->kind->has_order)
		info.order = step->order;
	else
		info.object_size = step->object_size;
	/* What shrinks stays where it is, and is charged as what it was. */
	if (step->method == MEMSTRESS_ALLOC_SHRINK)
		info.object_size *= 2;
	if (!ret)
		ret = device_info(fd, &info);
	if (ret)
		return error_set(error, STATUS_FAILED, "%s: cannot ask the module about it: %s",
				 where, strerror(-ret));

	plan->object_bytes = step->kind->has_order ? (__u64)info.page_size << step->order :
						     step->object_size;
	plan->object_charge_bytes = 0;
	if (step->account)
		plan->object_charge_bytes =
			info.object_page_charged_bytes + info.object_byte_charged_bytes;
	return 0;
}

bool plan_is_share(const struct step *step)
{
	return step->size.unit == AMOUNT_PERCENT || step->usage.unit == AMOUNT_PERCENT;
}

bool plan_is_bounded(const struct step *step)
{
	return step->count || step->size.unit != AMOUNT_NONE || step->until == UNTIL_USAGE;
}

__u64 plan_count(const struct plan *plan, const struct step *step, __u64 effective_bytes,
		 __u64 usage_bytes, __u64 target_bytes)
{
	__u64 count = step->count ? step->count : PLAN_UNBOUNDED;

	if (step->size.unit != AMOUNT_NONE) {
		__u64 bytes = units_resolve(step->size, effective_bytes);

		count = bytes / plan->object_bytes + !!(bytes % plan->object_bytes);
	}
	if (step->until == UNTIL_USAGE && plan->object_charge_bytes) {
		__u64 room = target_bytes > usage_bytes ? target_bytes - usage_bytes : 0;
		__u64 fitting = room / plan->object_charge_bytes;

		if (step->kind->workload)
			fitting = workload_fitting(step, room, count);
		if (fitting < count)
			count = fitting;
	}
	return count;
}
