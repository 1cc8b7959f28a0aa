/* SPDX-License-Identifier: GPL-2.0 */
/* Deadlines: whoever waits for the kernel polls, and gives up at a known time. */
#ifndef MEMSTRESS_SELFTESTS_CLOCK_H
#define MEMSTRESS_SELFTESTS_CLOCK_H

#include <stdbool.h>
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

/* The pause between two looks; false when the deadline is over */
static inline bool clock_poll(__u64 deadline_ns)
{
	if (clock_now_ns() >= deadline_ns)
		return false;
	clock_pause_ns(NS_PER_MS);
	return true;
}

#endif /* MEMSTRESS_SELFTESTS_CLOCK_H */
