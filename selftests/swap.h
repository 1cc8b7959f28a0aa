/* SPDX-License-Identifier: GPL-2.0 */
/* Swap space: whether there is any, and what the kernel keeps of what was given back. */
#ifndef MEMSTRESS_SELFTESTS_SWAP_H
#define MEMSTRESS_SELFTESTS_SWAP_H

#include <stdbool.h>

bool swap_is_on(void);

/*
 * Up to 6.14 a CPU kept as many freed slots as fit into its cache, still charged
 * (free_swap_slot() of mm/swap_slots.c): one more empties it. So on each CPU some more are
 * used and freed, whatever the kernel, uncharged if the caller is in no cgroup. Afterwards
 * memory.swap.current knows of everything that was given back. 0 or -errno
 */
int swap_settle(void);

#endif /* MEMSTRESS_SELFTESTS_SWAP_H */
