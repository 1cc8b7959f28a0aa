/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the whole machine says of its memory: /proc/meminfo, made exact. Its lines are sums
 * that each CPU adds to a batch at a time (vm_stat_threshold in mm/vmstat.c), so these are
 * taken in first, by /proc/sys/vm/stat_refresh. And the free pages that CPUs keep on lists of
 * their own (per_cpu_pages of include/linux/mmzone.h) are free, too: /proc/zoneinfo has them.
 */
#ifndef MEMSTRESS_SELFTESTS_MACHINE_H
#define MEMSTRESS_SELFTESTS_MACHINE_H

#include "snapshot.h"

struct machine {
	long long taken;       /* bytes that are neither free nor on the list of a CPU */
	struct snapshot lines; /* of /proc/meminfo, in bytes */
};

/* 0 or -errno */
int machine_take(struct machine *machine);

/* The same when nothing moves any more, or after a while as it is then */
int machine_take_quiet(struct machine *machine);

/* How far a line has moved; 0 where this kernel has no such line */
long long machine_moved(const struct machine *before, const struct machine *after,
			const char *line);

#endif /* MEMSTRESS_SELFTESTS_MACHINE_H */
