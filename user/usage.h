/* SPDX-License-Identifier: GPL-2.0 */
/* How much a cgroup uses of what it may, and what came of it: the row that stat shows of it. */
#ifndef MEMSTRESS_USER_USAGE_H
#define MEMSTRESS_USER_USAGE_H

#include "snapshot.h"
#include "units.h"

/**
 * struct usage - a cgroup's row; what the kernel does not tell is CG_MISSING
 * @bytes: memory.current; the root of cgroup v2 has none
 * @peak_bytes: memory.peak
 * @max_bytes: its own limit
 * @effective_bytes: the tightest of its own limit and those of its visible ancestors
 * @effective_path: who has it; "" if nobody
 * @events: of the cgroup and those below it
 * @pids: processes and threads in it and below it
 * @some_avg10: percent of the last ten seconds that some of them waited for memory, as the
 *	kernel writes it; "" if it does not
 */
struct usage {
	__u64 bytes;
	__u64 peak_bytes;
	__u64 max_bytes;
	__u64 effective_bytes;
	char effective_path[PATH_MAX];
	struct snapshot_events events;
	__u64 pids;
	char some_avg10[16];
};

/* 0 or -errno */
int usage_take(const struct cgroup *cg, struct usage *usage);

/* Finds avg10 of the line "some" in the text of memory.pressure; "" if it is not there */
void usage_parse_pressure(const char *text, char *some_avg10, size_t size);

/* "19.4%" of the effective limit; "-" where there is none */
struct units_text usage_share(const struct usage *usage);

/* "max 35 oom 1 kill 1": those that there were; "none" */
void usage_print_events(const struct usage *usage, char *text, size_t size);

#endif /* MEMSTRESS_USER_USAGE_H */
