// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "json.h"
#include "place.h"

void place_init(struct place *place)
{
	place->found = !cg_find(&place->tree, "");
}

static bool place_find(struct place *place, __u64 id)
{
	return id && place->found &&
	       !cg_name_of_id(&place->tree, id, place->name, sizeof(place->name));
}

const char *place_name(struct place *place, __u64 id)
{
	if (!id)
		return "";
	if (!place_find(place, id))
		snprintf(place->name, sizeof(place->name), "cgroup %llu", id);
	return place->name;
}

void place_add_json(struct place *place, struct json_object *line, const char *key, __u64 id)
{
	char key_id[64];

	snprintf(key_id, sizeof(key_id), "%s_id", key);
	if (id)
		json_add_number(line, key_id, id);
	else
		json_add_null(line, key_id);
	json_add_string(line, key, place_find(place, id) ? place->name : NULL);
}
