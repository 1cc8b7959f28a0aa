// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snapshot.h"

int snapshot_take(struct snapshot *snap, const struct cgroup *cg)
{
	char buf[8192], *line, *save = NULL;
	ssize_t len;

	memset(snap, 0, sizeof(*snap));
	strcpy(snap->line[0].name, "usage");
	snap->line[0].value = cgroup_read_number(cg, "memory.current");
	if (snap->line[0].value < 0)
		return snap->line[0].value;
	snap->lines = 1;

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
