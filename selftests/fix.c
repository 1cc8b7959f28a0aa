// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "fix.h"
#include "kernel.h"

#define SERIES_MAX 4

/**
 * struct fix_record - where a fix can be found
 * @subject: of the commit
 * @first: the first release that has it in each stable series that got it, ascending, and
 *	last the first one of mainline. Series between or before them lack it
 */
struct fix_record {
	const char *subject;
	struct kernel_release first[SERIES_MAX];
};

static const struct fix_record fixes[] = {
	[FIX_OBJ_STOCK_OF_OFFLINE_CPU] = {
		.subject = "memcg: drain obj stock on cpu hotplug teardown",
		.first = { { 6, 12, 21 }, { 6, 13, 9 }, { 6, 14, 0 } },
	},
	[FIX_SLAB_STAT_OF_BULK_FREE] = {
		.subject = "slub: fix unreclaimable slab stat for bulk free",
		.first = { { 5, 14, 0 } },
	},
	[FIX_MAX_EVENT_OF_REFUSALS] = {
		.subject =
			"mm: memcontrol: raise MEMCG_MAX for charges that fail without reclaiming",
		.first = { { 7, 3, 4 } },
	},
	/* Since 6.12, and not mended as of 7.3.4 */
	[FIX_PEAK_OF_OTHER_DESCRIPTORS] = {
		.subject = "not fixed: peak_write() forgets the peak of other descriptors",
	},
	/* 7.3 has had it from its first release on; what is between the series was not looked at */
	[FIX_SUPERSEDED_LIMIT] = {
		.subject = "mm: memcg: stop reclaim when a limit update is superseded",
		.first = { { 6, 1, 188 }, { 6, 12, 109 }, { 7, 3, 0 } },
	},
	[FIX_OWNERS_OF_PERCPU] = {
		.subject = "mm: memcg/percpu: account extra objcg space to memory cgroups",
		.first = { { 5, 17, 0 } },
	},
};

const char *fix_missing(enum fix fix)
{
	const struct fix_record *record = &fixes[fix];
	struct kernel_release this = kernel_release();
	unsigned int i;

	if (!this.major)
		return NULL;
	for (i = 0; i < SERIES_MAX && record->first[i].major; i++) {
		const struct kernel_release *first = &record->first[i];
		bool last = i + 1 == SERIES_MAX || !first[1].major;

		if (this.major == first->major && this.minor == first->minor)
			return this.patch >= first->patch ? NULL : record->subject;
		if (last && (this.major > first->major ||
			     (this.major == first->major && this.minor > first->minor)))
			return NULL;
	}
	return record->subject;
}
