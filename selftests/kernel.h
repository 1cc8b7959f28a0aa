/* SPDX-License-Identifier: GPL-2.0 */
/* Which kernel this is, where nothing else tells what to expect of it. */
#ifndef MEMSTRESS_SELFTESTS_KERNEL_H
#define MEMSTRESS_SELFTESTS_KERNEL_H

#include <stdbool.h>

struct kernel_release {
	unsigned int major, minor, patch;
};

/* All 0 if it cannot be told */
struct kernel_release kernel_release(void);

bool kernel_before(unsigned int major, unsigned int minor);

/* Whether a function or variable of this name is in the kernel or its modules */
bool kernel_has_symbol(const char *name);

/*
 * Before 5.13 ("mm: memcontrol: switch to rstat") a line of memory.stat was what the
 * CPUs had handed in, a batch at a time; there is no way to ask them for the rest.
 */
bool kernel_batches_stat(void);

#endif /* MEMSTRESS_SELFTESTS_KERNEL_H */
