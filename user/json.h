/* SPDX-License-Identifier: GPL-2.0 */
/* JSON: one object a line, by json-c. The only place that knows json-c. */
#ifndef MEMSTRESS_USER_JSON_H
#define MEMSTRESS_USER_JSON_H

#include <stdbool.h>

#include <linux/types.h>

struct record;
struct json_object;

/* The line of a record, as record.h describes it */
void json_print_record(const struct record *record);

/*
 * For the commands: begin a line of a type, add to it, print and free it. What does not fit into
 * memory is left out.
 */
struct json_object *json_begin(const char *type);
void json_add_string(struct json_object *line, const char *key, const char *value);
void json_add_number(struct json_object *line, const char *key, __u64 value);
void json_add_bool(struct json_object *line, const char *key, bool value);
void json_add_null(struct json_object *line, const char *key);

/* An array of strings; *@values ends with NULL */
void json_add_strings(struct json_object *line, const char *key, const char *const *values);
void json_end(struct json_object *line);

#endif /* MEMSTRESS_USER_JSON_H */
