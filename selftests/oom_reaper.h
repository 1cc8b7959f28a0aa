/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's thread that takes a victim's memory when the victim does not give it back by
 * itself. 0 or -errno.
 *
 * It and the victim unmap the same pages, and whoever is through first says that the victim is
 * done (MMF_OOM_SKIP), though the other one may still have pages to free, which it has unmapped
 * (exit_mmap() of mm/mmap.c to 5.18, where the reaper starts with the victim; later it waits for
 * two seconds, see OOM_REAPER_DELAY of mm/oom_kill.c). A charge meanwhile has the next victim
 * killed.
 */
#ifndef MEMSTRESS_SELFTESTS_OOM_REAPER_H
#define MEMSTRESS_SELFTESTS_OOM_REAPER_H

#include <sched.h>
#include <sys/types.h>

struct oom_reaper {
	pid_t pid; /* 0: it runs as it did before */
	cpu_set_t cpus;
};

/* On CPU 0, before anything of normal priority there: what it begins it ends */
int oom_reaper_at_one_go(struct oom_reaper *reaper);

int oom_reaper_restore(struct oom_reaper *reaper);

#endif /* MEMSTRESS_SELFTESTS_OOM_REAPER_H */
