/* SPDX-License-Identifier: GPL-2.0 */
/* CPUs: which there are, running on one, and taking one offline. 0 or -errno. */
#ifndef MEMSTRESS_SELFTESTS_CPU_H
#define MEMSTRESS_SELFTESTS_CPU_H

#include <stdbool.h>
#include <sys/types.h>

/* The last CPU that is online; -errno */
int cpu_last_online(void);

/* The first CPU of a NUMA node; -errno */
int cpu_first_of_node(int node);

/* NUMA nodes that have CPUs, 1 where there are none */
int cpu_count_nodes(void);

/* Whether the kernel can take this CPU offline */
bool cpu_is_removable(int cpu);

/* This thread runs on @cpu and nowhere else; -1: on all that are online */
int cpu_run_on(int cpu);

/* The same for the thread @pid; 0: this one */
int cpu_pin(pid_t pid, int cpu);

int cpu_set_online(int cpu, bool online);

#endif /* MEMSTRESS_SELFTESTS_CPU_H */
