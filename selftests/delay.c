// SPDX-License-Identifier: GPL-2.0
#include "delay.h"

/* MEMCG_MAX_HIGH_DELAY_JIFFIES and MAX_RECLAIM_RETRIES of mm/memcontrol.c */
#define DELAY_MAX_S 2
#define RETRIES     16

/*
 * calculate_overage() and calculate_high_delay() of mm/memcontrol.c: the square of what usage
 * is above high, as a part of high in units of 2^-20, shifted right by 20 and 14, in seconds,
 * for each batch of @pages.
 */
__u64 delay_ns(const struct memstress_info *info, long long usage, long long high, long long pages)
{
	double overage = usage > high ? (double)(usage - high) / high : 0;
	double seconds = overage * overage * (1 << 6) * pages / info->charge_batch_pages;

	if (seconds <= 0.01)
		return 0;
	return (seconds < DELAY_MAX_S ? seconds : DELAY_MAX_S) * NS_PER_S;
}

/* mem_cgroup_handle_over_high() of mm/memcontrol.c */
unsigned int delay_rounds(__u64 delay_ns)
{
	return delay_ns ? 1 + RETRIES : 1;
}
