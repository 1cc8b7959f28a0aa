// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lru.h"

/* madvise_cold() of mm/madvise.c drains the CPU that it runs on, whether there is a page or not. */
void lru_drain(void)
{
	void *nothing = mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu_set_t own, one;
	int cpu;

	if (nothing == MAP_FAILED)
		return;
	if (sched_getaffinity(0, sizeof(own), &own))
		CPU_ZERO(&own);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &own))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!sched_setaffinity(0, sizeof(one), &one))
			madvise(nothing, 1, MADV_COLD);
	}
	if (CPU_COUNT(&own))
		sched_setaffinity(0, sizeof(own), &own);
	munmap(nothing, 1);
}
