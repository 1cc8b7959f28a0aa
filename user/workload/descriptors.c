// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "descriptors.h"

/* The kernel's own limit of a process (fs.nr_open), unless somebody has raised it. */
#define DESCRIPTORS_MAX 1048576

#define DESCRIPTORS_TABLE (DESCRIPTORS_MAX * sizeof(int[2]))

/* The table has descriptors plus 1; so 0, as the kernel gives it, is none. */
int descriptors_open(struct workload_run *run)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	run->state.descriptors.fds = workload_reserve(DESCRIPTORS_TABLE);
	return run->state.descriptors.fds ? 0 : -ENOMEM;
}

int descriptors_keep(struct workload_run *run, __u64 index, const int fds[2])
{
	if (index >= DESCRIPTORS_MAX)
		return -EMFILE;
	run->state.descriptors.fds[index][0] = fds[0] + 1;
	run->state.descriptors.fds[index][1] = fds[1] + 1;
	return 0;
}

void descriptors_drop(struct workload_run *run, __u64 index)
{
	int *fds = run->state.descriptors.fds[index];
	int i;

	for (i = 0; i < 2; i++)
		if (fds[i])
			close(fds[i] - 1);
	memset(fds, 0, sizeof(int[2]));
}

void descriptors_close(struct workload_run *run)
{
	while (run->objects)
		descriptors_drop(run, --run->objects);
	munmap(run->state.descriptors.fds, DESCRIPTORS_TABLE);
}
