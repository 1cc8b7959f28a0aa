// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "cpu.h"
#include "knob.h"

#define CPU_PATH_MAX 64

static void cpu_path(int cpu, char *path)
{
	snprintf(path, CPU_PATH_MAX, "/sys/devices/system/cpu/cpu%d/online", cpu);
}

int cpu_last_online(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/online", "r");
	int last = -ENODATA;
	char separator;

	if (!file)
		return -errno;
	/* "0-2,5": the last number is the one */
	do {
		if (fscanf(file, "%d", &last) != 1)
			break;
	} while (fscanf(file, "%c", &separator) == 1 && separator != '\n');
	fclose(file);
	return last;
}

int cpu_first_of_node(int node)
{
	char path[64];
	int first = -ENODATA;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	if (fscanf(file, "%d", &first) != 1)
		first = -ENODATA;
	fclose(file);
	return first;
}

int cpu_count_nodes(void)
{
	int node = 0;

	while (cpu_first_of_node(node) >= 0)
		node++;
	return node ? node : 1;
}

bool cpu_is_removable(int cpu)
{
	char path[CPU_PATH_MAX];

	cpu_path(cpu, path);
	return !access(path, W_OK);
}

int cpu_pin(pid_t pid, int cpu)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	return sched_setaffinity(pid, sizeof(set), &set) ? -errno : 0;
}

int cpu_run_on(int cpu)
{
	return cpu_pin(0, cpu);
}

int cpu_set_online(int cpu, bool online)
{
	char path[CPU_PATH_MAX];

	cpu_path(cpu, path);
	return knob_write_number(path, online);
}
