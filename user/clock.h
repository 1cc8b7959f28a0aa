/* SPDX-License-Identifier: GPL-2.0 */
/* The one clock: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef MEMSTRESS_USER_CLOCK_H
#define MEMSTRESS_USER_CLOCK_H

#include <time.h>

#include <linux/types.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

static inline __u64 clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The time in @ns; one that never comes if that is too far away to be told. */
static inline __u64 clock_in_ns(__u64 ns)
{
	__u64 now_ns = clock_now_ns();

	return ns < ~0ULL - now_ns ? now_ns + ns : ~0ULL;
}

static inline void clock_pause_ns(__u64 ns)
{
	struct timespec pause = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	nanosleep(&pause, NULL);
}

#endif /* MEMSTRESS_USER_CLOCK_H */
