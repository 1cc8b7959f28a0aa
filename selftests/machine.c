// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include "books.h"
#include "clock.h"
#include "knob.h"
#include "machine.h"

#define QUIET_DEADLINE_NS (5 * NS_PER_S)

/* Enough of them for what was freed to have gone through an RCU grace period */
#define QUIET_LOOKS    3
#define QUIET_PAUSE_NS (10 * NS_PER_MS)

/* Of root, for which reading it is as good as writing */
static int machine_refresh(void)
{
	return knob_write("/proc/sys/vm/stat_refresh", "1");
}

static int machine_read_lines(struct snapshot *lines)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char text[128];

	if (!file)
		return -errno;
	lines->lines = 0;
	while (lines->lines < SNAPSHOT_LINES && fgets(text, sizeof(text), file)) {
		struct snapshot_line *line = &lines->line[lines->lines];

		if (sscanf(text, "%31[^:]: %lld kB", line->name, &line->value) != 2)
			continue;
		line->value *= 1024;
		lines->lines++;
	}
	fclose(file);
	return 0;
}

static long long machine_pages_of_cpus(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	long long sum = 0, count;
	char text[256];

	if (!file)
		return -errno;
	while (fgets(text, sizeof(text), file))
		if (sscanf(text, " count: %lld", &count) == 1)
			sum += count;
	fclose(file);
	return sum;
}

int machine_take(struct machine *machine)
{
	int ret = machine_refresh();
	long long pages;

	if (!ret)
		ret = machine_read_lines(&machine->lines);
	if (ret)
		return ret;
	pages = machine_pages_of_cpus();
	if (pages < 0)
		return pages;
	machine->taken = snapshot_value(&machine->lines, "MemTotal") -
			 snapshot_value(&machine->lines, "MemFree") - pages * books_page_size();
	return 0;
}

int machine_take_quiet(struct machine *machine)
{
	__u64 deadline = clock_deadline_ns(QUIET_DEADLINE_NS);
	unsigned int same = 0;
	long long last = -1;
	int ret;

	do {
		ret = machine_take(machine);
		if (ret)
			return ret;
		same = machine->taken == last ? same + 1 : 0;
		last = machine->taken;
		if (same < QUIET_LOOKS)
			clock_pause_ns(QUIET_PAUSE_NS);
	} while (same < QUIET_LOOKS && clock_now_ns() < deadline);
	return 0;
}

long long machine_moved(const struct machine *before, const struct machine *after, const char *line)
{
	return snapshot_value(&after->lines, line) - snapshot_value(&before->lines, line);
}
