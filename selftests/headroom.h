/* SPDX-License-Identifier: GPL-2.0 */
/* Limits that leave a known number of pages, and filling them. */
#ifndef MEMSTRESS_SELFTESTS_HEADROOM_H
#define MEMSTRESS_SELFTESTS_HEADROOM_H

#include "scope.h"

/*
 * Empties the stocks and limits @cg, the scope's target or its parent, to what it then
 * uses and @pages more. Returns its usage in bytes, or -errno. Nothing may be charged
 * below @cg meanwhile.
 */
long long headroom_set(struct scope *scope, const struct cgroup *cg, long long pages);

/* Takes the limit away; the parent keeps the one of the scope */
int headroom_lift(struct scope *scope, const struct cgroup *cg, long long max);

/*
 * Charges single pages to the target until one is refused, without reclaim and without
 * draining. Returns how many there were, or -errno. On one CPU (cpu_run_on()) that is all
 * that is left: what it takes too many at first lies in its own stock.
 */
long long headroom_fill(const struct scope *scope, int session);

/*
 * The same until @pages could be had, for a while, and with draining: a page of which bytes
 * are in a stock is whole only then, and newer kernels free the pages of a half-made
 * vmalloc() area in deferred work (defer_vm_area_cleanup() of mm/vmalloc.c).
 */
long long headroom_await(const struct scope *scope, int session, long long pages);

/*
 * Charges about so many pages to @payer in objects of an order, until one is refused: nobody is
 * killed for it. How many pages were made; -errno
 */
long long headroom_grow(int session, const struct cgroup *payer, unsigned int order,
			long long pages);

#endif /* MEMSTRESS_SELFTESTS_HEADROOM_H */
