/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bugs of memcg that the laws find, by the subject of the commit that mends each. A test
 * that meets one on a kernel that lacks the fix is an expected failure and names it; on
 * a kernel that has it, the law must hold.
 */
#ifndef MEMSTRESS_SELFTESTS_FIX_H
#define MEMSTRESS_SELFTESTS_FIX_H

enum fix {
	FIX_OBJ_STOCK_OF_OFFLINE_CPU,
	FIX_SLAB_STAT_OF_BULK_FREE,
	FIX_MAX_EVENT_OF_REFUSALS,
	FIX_PEAK_OF_OTHER_DESCRIPTORS,
	FIX_SUPERSEDED_LIMIT,
	FIX_OWNERS_OF_PERCPU,
};

/* The subject of a fix that this kernel lacks; NULL if it has it */
const char *fix_missing(enum fix fix);

#endif /* MEMSTRESS_SELFTESTS_FIX_H */
