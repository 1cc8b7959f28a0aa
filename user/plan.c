// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "plan.h"

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

static int plan_check(const char *where, const struct step *step, const struct memstress_info *info,
		      struct error *error)
{
	__u64 asked = step->kind->has_order ? step->order : step->object_size;

	if (asked < info->kind_min || asked > info->kind_max)
		return plan_refuse_range(where, step, info, error);
	if (!(info->kind_policies & (1ULL << step->policy)))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: this kernel cannot do policy %s with this kind; "
				 "see memstress kinds",
				 where, kind_policy_name(step->policy));
	if (step->node != MEMSTRESS_NODE_ANY &&
	    !(info->kind_features & MEMSTRESS_KIND_FEATURE_NODE))
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: no node can be given for this kind", where);
	return 0;
}

int plan_make(struct plan *plan, int fd, const struct step *step, unsigned int number,
	      struct error *error)
{
	struct memstress_info info = { .kind = step->kind->id };
	char where[64];
	int ret;

	snprintf(where, sizeof(where), "step %u (%s)", number, step->kind->name);
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

		if (fitting < count)
			count = fitting;
	}
	return count;
}
