// SPDX-License-Identifier: GPL-2.0
/* Tallies: what an ALLOC or a FREE has come to, and how long it took. */
#include <linux/kernel.h>
#include <linux/log2.h>

#include "internal.h"

/* Books one attempt that took @ns. */
void ms_tally_time(struct ms_tally *tally, u64 ns)
{
	int slot = ns ? ilog2(ns) : 0;

	tally->total_ns += ns;
	tally->slowest_ns = max(tally->slowest_ns, ns);
	tally->histogram[min(slot, MEMSTRESS_HISTOGRAM_SLOTS - 1)]++;
}

/* Books an object that is about to be freed while somebody still references it. */
void ms_tally_lingering(struct ms_tally *tally, const struct ms_request *request,
			struct ms_link *link)
{
	if (!ms_request_referenced(request, link))
		return;
	tally->lingering_objects++;
	tally->lingering_bytes += request->unit.footprint_bytes;
}
