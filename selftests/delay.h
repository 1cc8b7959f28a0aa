/* SPDX-License-Identifier: GPL-2.0 */
/* How long the kernel makes wait who charges a cgroup that is above its high, of memory or swap. */
#ifndef MEMSTRESS_SELFTESTS_DELAY_H
#define MEMSTRESS_SELFTESTS_DELAY_H

#include <stdbool.h>
#include <linux/memstress.h>

#include "clock.h"
#include "worker.h"

/* What a machine needs to do all but wait; one that is busy gets more than one attempt */
#define DELAY_NOISE_NS (300 * NS_PER_MS)
#define DELAY_ATTEMPTS 5

/* A delay is a number of ticks, rounded down, of which the first has begun: HZ is 100 at least */
#define DELAY_TICK_NS (20 * NS_PER_MS)

/*
 * For a charge of @pages where @usage is above @high. What is a hundredth of a second or less
 * is not waited for: 0.
 */
__u64 delay_ns(const struct memstress_info *info, long long usage, long long high, long long pages);

/* How often it is looked, each time with a round of reclaim, before there is such a delay */
unsigned int delay_rounds(__u64 delay_ns);

/* One charge, and the wait that it cost */
struct delay {
	long long pages; /* that were charged: each of them counts for the wait */
	__u64 ns;        /* from asking for it until the worker runs on in user mode */
	__u64 inside_ns; /* of it in the allocator */
	__u64 expected_ns;
};

/*
 * @worker, which is in @cg, asks for pages in one object of @order, more than any stock has. The
 * row in the ledger, which it pays for, too, may take another batch; the usage tells how much there
 * was to wait for. It is read after the wait, in which nothing moves it. expected_ns is left to the
 * caller. 0 or -errno
 */
int delay_charge(struct delay *delay, struct worker *worker, const struct cgroup *cg,
		 unsigned int order);

/*
 * Whether the charge that @charge makes waits as long as it expects; @delay is the last one. Who
 * waits too long is asked again, @attempts times in all: a busy machine makes a wait longer, never
 * shorter. False, too, if it returns -errno. @where: the path of the cgroup that has the high
 */
bool delay_holds(const char *where, struct delay *delay, unsigned int attempts,
		 int (*charge)(struct delay *delay, void *context), void *context);

#endif /* MEMSTRESS_SELFTESTS_DELAY_H */
