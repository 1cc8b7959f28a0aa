/* SPDX-License-Identifier: GPL-2.0 */
/* A file of the kernel, by its path, that does what is written to it. */
#ifndef MEMSTRESS_SELFTESTS_KNOB_H
#define MEMSTRESS_SELFTESTS_KNOB_H

#include <sys/types.h>

/* 0 or -errno */
int knob_write(const char *path, const char *text);
int knob_write_number(const char *path, long long number);

/* Who dies first of an OOM: -1000 to 1000. @pid 0: the caller */
int knob_write_oom_score_adj(pid_t pid, int adj);

#endif /* MEMSTRESS_SELFTESTS_KNOB_H */
