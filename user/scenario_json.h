/* SPDX-License-Identifier: GPL-2.0 */
/* The JSON lines of a scenario, as record.h describes them. */
#ifndef MEMSTRESS_USER_SCENARIO_JSON_H
#define MEMSTRESS_USER_SCENARIO_JSON_H

struct json_object;
struct record;

/* NULL if the record is no scenario's own */
const char *scenario_json_type(const struct record *record);

/* For json.c */
void scenario_json_add(struct json_object *line, const struct record *record);

#endif /* MEMSTRESS_USER_SCENARIO_JSON_H */
