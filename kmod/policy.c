// SPDX-License-Identifier: GPL-2.0
/* GFP policies: how hard the allocator tries. */
#include <linux/kernel.h>

#include "compat.h"
#include "internal.h"

static const gfp_t ms_policy_flags[MEMSTRESS_POLICY_END] = {
	[MEMSTRESS_POLICY_KERNEL] = GFP_KERNEL,
	[MEMSTRESS_POLICY_NOWAIT] = GFP_NOWAIT,
	[MEMSTRESS_POLICY_ATOMIC] = GFP_ATOMIC,
	[MEMSTRESS_POLICY_NOIO] = GFP_NOIO,
	[MEMSTRESS_POLICY_NOFS] = GFP_NOFS,
	[MEMSTRESS_POLICY_NORETRY] = GFP_KERNEL | __GFP_NORETRY,
	[MEMSTRESS_POLICY_RETRY_MAYFAIL] = GFP_KERNEL | __GFP_RETRY_MAYFAIL,
	[MEMSTRESS_POLICY_NOFAIL] = GFP_KERNEL | __GFP_NOFAIL,
	/* Neither reclaim nor kswapd; the functions that are called then set this as well. */
	[MEMSTRESS_POLICY_NOLOCK] = MS_COMPAT_NOLOCK ? __GFP_NOMEMALLOC : 0,
};

/* Policies that this module can do at all. */
u64 ms_policy_bitmap(void)
{
	u64 bitmap = 0;
	u32 i;

	for (i = 0; i < MEMSTRESS_POLICY_END; i++)
		if (ms_policy_flags[i])
			bitmap |= BIT_ULL(i);
	return bitmap;
}

/* The flags of a policy that is in the bitmap. Refusals are ours to report. */
gfp_t ms_policy_gfp(u32 policy)
{
	return ms_policy_flags[policy] | __GFP_NOWARN;
}

/* try_charge_memcg() lets these pass the limit. */
bool ms_policy_forced(u32 policy)
{
	return policy == MEMSTRESS_POLICY_ATOMIC || policy == MEMSTRESS_POLICY_NOFAIL;
}

/* Whether the allocator may sleep: direct reclaim does. */
bool ms_policy_sleeps(u32 policy)
{
	return ms_policy_flags[policy] & __GFP_DIRECT_RECLAIM;
}
