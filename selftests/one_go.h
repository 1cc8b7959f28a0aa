/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Victims of the OOM killer that die at one go, so that nobody else has to die for the same
 * charge. 0 or -errno.
 *
 * exit_mmap() of mm/mmap.c takes a victim for done (MMF_OOM_SKIP) when its pages are unmapped,
 * and frees them after that, all at once. A charge in between finds the cgroup still full, and
 * the OOM killer takes the next one. To 5.18 it is also done when the kernel's own thread, the
 * OOM reaper, which starts with it, has unmapped them and not yet freed (later that waits for two
 * seconds, OOM_REAPER_DELAY of mm/oom_kill.c). So both run on CPU 0, before anything of normal
 * priority there, and that is where the charge has to be made (cpu_pin()).
 */
#ifndef MEMSTRESS_SELFTESTS_ONE_GO_H
#define MEMSTRESS_SELFTESTS_ONE_GO_H

#include <sched.h>
#include <sys/types.h>

struct one_go {
	pid_t reaper; /* 0: it runs as it did before */
	cpu_set_t cpus;
};

/* The OOM reaper, until one_go_end(): not in a setup, which may fail and then has no teardown */
int one_go_begin(struct one_go *one_go);
int one_go_end(struct one_go *one_go);

/* Who is to die, for the rest of its life. @pid 0: the caller */
int one_go_victim(pid_t pid);

#endif /* MEMSTRESS_SELFTESTS_ONE_GO_H */
