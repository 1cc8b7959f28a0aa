// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "books.h"
#include "delay.h"
#include "law.h"
#include "session.h"

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

int delay_charge(struct delay *delay, struct worker *worker, const struct cgroup *cg,
		 unsigned int order)
{
	struct memstress_alloc *alloc = &worker->page->alloc;
	long long before = cgroup_read_number(cg, "memory.current");
	__u64 begin;
	int ret;

	*alloc = session_request(MEMSTRESS_KIND_PAGE, order, 1, MEMSTRESS_PAYER_CALLER);
	begin = clock_now_ns();
	ret = worker_ask(worker, WORKER_ALLOC);
	delay->ns = clock_now_ns() - begin;
	delay->inside_ns = alloc->total_ns;
	delay->pages = (cgroup_read_number(cg, "memory.current") - before) / books_page_size();
	return !ret && alloc->stop != MEMSTRESS_STOP_DONE ? -ENOMEM : ret;
}

bool delay_holds(const char *where, struct delay *delay, unsigned int attempts,
		 int (*charge)(struct delay *delay, void *context), void *context)
{
	bool held;
	int ret;

	memset(delay, 0, sizeof(*delay));
	do {
		ret = charge(delay, context);
		if (ret)
			return law_equal(where, "errno of what was to wait", 0, -ret);
		fprintf(stderr, "# %lld pages: waits %llu ms, of %llu; %llu in the allocator\n",
			delay->pages, delay->ns / NS_PER_MS, delay->expected_ns / NS_PER_MS,
			delay->inside_ns / NS_PER_MS);
		held = law_at_least(where, "ns that one charge waited",
				    (long long)delay->expected_ns - DELAY_TICK_NS, delay->ns);
	} while (held && delay->ns > delay->expected_ns + DELAY_NOISE_NS && --attempts);
	return held & law_at_most(where, "ns that one charge waited",
				  delay->expected_ns + DELAY_NOISE_NS, delay->ns);
}
