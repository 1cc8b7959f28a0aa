/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the kernel finds out what to reclaim: by lists of active and inactive pages, or by
 * generations (CONFIG_LRU_GEN), which can be switched while it runs. 0 or -errno.
 */
#ifndef MEMSTRESS_SELFTESTS_LRU_H
#define MEMSTRESS_SELFTESTS_LRU_H

#include <stdbool.h>

/* Whether this kernel has generations */
bool lru_can_have_generations(void);

/* What is in use now: bits as lru_set_generations() takes them; 0: lists */
int lru_generations(void);

/* LRU_GENERATIONS_ALL: whatever this machine can do for them */
#define LRU_GENERATIONS_ALL 7
int lru_set_generations(int bits);

#endif /* MEMSTRESS_SELFTESTS_LRU_H */
