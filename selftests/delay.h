/* SPDX-License-Identifier: GPL-2.0 */
/* How long the kernel makes wait who charges a cgroup that is above its high, of memory or swap. */
#ifndef MEMSTRESS_SELFTESTS_DELAY_H
#define MEMSTRESS_SELFTESTS_DELAY_H

#include <linux/memstress.h>

#include "clock.h"

/* A delay is a number of ticks, rounded down, of which the first has begun: HZ is 100 at least */
#define DELAY_TICK_NS (20 * NS_PER_MS)

/*
 * For a charge of @pages where @usage is above @high. What is a hundredth of a second or less
 * is not waited for: 0.
 */
__u64 delay_ns(const struct memstress_info *info, long long usage, long long high, long long pages);

/* How often it is looked, each time with a round of reclaim, before there is such a delay */
unsigned int delay_rounds(__u64 delay_ns);

#endif /* MEMSTRESS_SELFTESTS_DELAY_H */
