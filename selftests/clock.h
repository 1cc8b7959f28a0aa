/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deadlines: whoever waits for the kernel polls, and gives up at a known time. Times are
 * those of a distribution's kernel; SLOWNESS in the environment says how many times
 * longer things take on this one (vm/config.sh).
 */
#ifndef MEMSTRESS_SELFTESTS_CLOCK_H
#define MEMSTRESS_SELFTESTS_CLOCK_H

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <linux/types.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

static inline __u64 clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static inline void clock_pause_ns(__u64 ns)
{
	struct timespec ts = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	nanosleep(&ts, NULL);
}

static inline unsigned int clock_slowness(void)
{
	const char *slowness = getenv("SLOWNESS");
	int times = slowness ? atoi(slowness) : 1;

	return times > 1 ? times : 1;
}

/* How many objects to make where @usual are made: a slow kernel looks so much closer at each */
static inline __u64 clock_fewer(__u64 usual)
{
	return usual / clock_slowness();
}

/* The time that is @ns from now, or more where the kernel is slow */
static inline __u64 clock_deadline_ns(__u64 ns)
{
	return clock_now_ns() + ns * clock_slowness();
}

/* The pause between two looks; false when the deadline is over */
static inline bool clock_poll(__u64 deadline_ns)
{
	if (clock_now_ns() >= deadline_ns)
		return false;
	clock_pause_ns(NS_PER_MS);
	return true;
}

#endif /* MEMSTRESS_SELFTESTS_CLOCK_H */
