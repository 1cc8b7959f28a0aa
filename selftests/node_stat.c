// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu.h"
#include "node_stat.h"

static int node_stat_parse(struct node_stat_line *line, char *text)
{
	char *save = NULL, *word = strtok_r(text, " ", &save);
	unsigned int node;
	long long value;

	snprintf(line->name, sizeof(line->name), "%s", word ? word : "");
	while ((word = strtok_r(NULL, " ", &save))) {
		if (sscanf(word, "N%u=%lld", &node, &value) != 2 || node >= NODES_MAX)
			return -EINVAL;
		line->value[node] = value;
	}
	return 0;
}

int node_stat_take(struct node_stat *stat, const struct cgroup *cg)
{
	char buf[16384], *line, *save = NULL;
	ssize_t len = cgroup_read(cg, "memory.numa_stat", buf, sizeof(buf));
	int ret = 0;

	memset(stat, 0, sizeof(*stat));
	if (len < 0)
		return len;
	for (line = strtok_r(buf, "\n", &save); line && !ret; line = strtok_r(NULL, "\n", &save)) {
		if (stat->lines == SNAPSHOT_LINES)
			return -E2BIG;
		ret = node_stat_parse(&stat->line[stat->lines++], line);
	}
	return ret;
}

static const struct node_stat_line *node_stat_find(const struct node_stat *stat, const char *name)
{
	unsigned int i;

	for (i = 0; i < stat->lines; i++)
		if (!strcmp(stat->line[i].name, name))
			return &stat->line[i];
	return NULL;
}

long long node_stat_value(const struct node_stat *stat, const char *name, unsigned int node)
{
	const struct node_stat_line *line = node_stat_find(stat, name);

	return line && node < NODES_MAX ? line->value[node] : 0;
}

int node_stat_check(const struct node_stat *stat, const struct snapshot *snap,
		    struct violation *violation)
{
	const unsigned int nodes = cpu_count_nodes();
	unsigned int i, node;
	int unequal = 0;

	for (i = 0; i < stat->lines; i++) {
		const struct node_stat_line *line = &stat->line[i];
		long long sum = 0, all = snapshot_value(snap, line->name);
		/* Now, not twice: by the counters of each node, and by those of the cgroup */
		long long slack = balance_slack(snap, snap, line->name) / 2 * (nodes + 1);

		for (node = 0; node < NODES_MAX; node++)
			sum += line->value[node];
		if (sum >= all - slack && sum <= all + slack)
			continue;
		if (!unequal++)
			*violation = (struct violation){ .expected = all, .seen = sum };
		snprintf(violation->line, sizeof(violation->line), "%s, as the sum of its nodes",
			 line->name);
	}
	return unequal;
}
