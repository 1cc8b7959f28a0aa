// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "snapshot.h"

bool snapshot_tells_bytes(void)
{
	return !cgroup_is_v1() && !kernel_batches_stat();
}

const char *snapshot_best_line(const char *line)
{
	return cgroup_is_v1() ? "kernel" : line;
}

bool snapshot_counts_pages(const char *line)
{
	return !strcmp(line, "usage") || !strcmp(line, "memsw") ||
	       (!strcmp(line, "kernel") && cgroup_is_v1());
}

static int snapshot_add_counter(struct snapshot *snap, const struct cgroup *cg, const char *name,
				const char *file)
{
	struct snapshot_line *line = &snap->line[snap->lines];

	line->value = cgroup_read_number(cg, file);
	if (line->value < 0)
		return line->value;
	strcpy(line->name, name);
	snap->lines++;
	return 0;
}

static int snapshot_add_v1_counters(struct snapshot *snap, const struct cgroup *cg)
{
	int ret = snapshot_add_counter(snap, cg, "kernel", "memory.kmem.usage_in_bytes");

	if (!ret)
		ret = snapshot_add_counter(snap, cg, "memsw", "memory.memsw.usage_in_bytes");
	/* Swap is not accounted */
	return ret == -ENOENT ? 0 : ret;
}

int snapshot_take(struct snapshot *snap, const struct cgroup *cg)
{
	char buf[8192], *line, *save = NULL;
	ssize_t len;
	int ret;

	memset(snap, 0, sizeof(*snap));
	if (kernel_batches_stat())
		snap->cgroups = cgroup_count(cg);
	ret = snapshot_add_counter(snap, cg, "usage", "memory.current");
	if (!ret && cgroup_is_v1())
		ret = snapshot_add_v1_counters(snap, cg);
	if (ret)
		return ret;

	len = cgroup_read(cg, "memory.stat", buf, sizeof(buf));
	if (len < 0)
		return len;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct snapshot_line *to = &snap->line[snap->lines];

		if (snap->lines == SNAPSHOT_LINES)
			return -E2BIG;
		if (sscanf(line, "%31s %lld", to->name, &to->value) != 2)
			return -EINVAL;
		snap->lines++;
	}
	return 0;
}

long long snapshot_value(const struct snapshot *snap, const char *name)
{
	unsigned int i;

	for (i = 0; i < snap->lines; i++)
		if (!strcmp(snap->line[i].name, name))
			return snap->line[i].value;
	return 0;
}
