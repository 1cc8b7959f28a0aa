// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "cgroup_matches.h"

void cgroup_matches_init(struct cgroup_matches *matches, const struct cg_tree *tree)
{
	memset(matches, 0, sizeof(*matches));
	matches->tree = tree;
}

void cgroup_matches_add(struct cgroup_matches *matches, const char *path)
{
	const char *name = cg_name(matches->tree, path);
	size_t used = strlen(matches->list);

	if (!matches->count++)
		snprintf(matches->path, sizeof(matches->path), "%s", path);
	if (used + strlen(name) + sizeof(", ...") < sizeof(matches->list))
		sprintf(matches->list + used, "%s%s", used ? ", " : "", name);
}

int cgroup_matches_judge(const struct cgroup_matches *matches, const char *name,
			 struct error *error)
{
	if (matches->count < 2)
		return 0;
	return error_set(error, STATUS_MISUSE, "'%s' is one of %u cgroups; give the path: %s", name,
			 matches->count, matches->list);
}
