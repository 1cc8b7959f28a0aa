/* SPDX-License-Identifier: GPL-2.0 */
/* Where something is: ids of cgroups, as the module tells them, for people and programs. */
#ifndef MEMSTRESS_USER_PLACE_H
#define MEMSTRESS_USER_PLACE_H

#include "cgroup.h"

struct json_object;

/**
 * struct place - names cgroups
 * @tree: with the memory controller
 * @found: there is one
 * @name: the last name
 */
struct place {
	struct cg_tree tree;
	bool found;
	char name[PATH_MAX];
};

void place_init(struct place *place);

/* "/job1", "cgroup 4711" if it is there no more, "" for 0. Valid until the next call */
const char *place_name(struct place *place, __u64 id);

/* Adds @key with the name, and @key_id; null where there is none */
void place_add_json(struct place *place, struct json_object *line, const char *key, __u64 id);

#endif /* MEMSTRESS_USER_PLACE_H */
