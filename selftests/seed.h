/* SPDX-License-Identifier: GPL-2.0 */
/* Random choices that SEED= repeats. */
#ifndef MEMSTRESS_SELFTESTS_SEED_H
#define MEMSTRESS_SELFTESTS_SEED_H

#include <linux/types.h>

/* SEED of the environment, or else another one each time; printed, and never 0 */
__u64 seed_take(void);

/* The next choice of @state, which begins as a seed */
__u64 seed_draw(__u64 *state);

#endif /* MEMSTRESS_SELFTESTS_SEED_H */
