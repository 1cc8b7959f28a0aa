// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "law.h"
#include "seed.h"

__u64 seed_take(void)
{
	const char *text = getenv("SEED");
	__u64 seed = text ? strtoull(text, NULL, 0) : clock_now_ns();

	/* 0 would stay 0 for ever */
	if (!seed)
		seed = 1;
	fprintf(stderr, "# SEED=%llu\n", seed);
	law_seed(seed);
	return seed;
}

/* xorshift64*: the same on every libc, so that a seed means the same everywhere */
__u64 seed_draw(__u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}
