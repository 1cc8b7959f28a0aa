/* SPDX-License-Identifier: GPL-2.0 */
/* JSON: one object a line, by json-c. The only place that knows json-c. */
#ifndef MEMSTRESS_USER_JSON_H
#define MEMSTRESS_USER_JSON_H

#include <stdbool.h>

#include <linux/types.h>

struct memstress_books;
struct record;
struct json_object;
struct memstress_audit;

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
/* null where there is no limit or no counter: CG_UNLIMITED, CG_MISSING */
void json_add_bytes(struct json_object *line, const char *key, __u64 bytes);
void json_add_null(struct json_object *line, const char *key);

/* A number with a point in it, as the kernel writes it */
void json_add_decimal(struct json_object *line, const char *key, const char *text);

/* null if it is CG_UNLIMITED or CG_MISSING */
void json_add_bytes(struct json_object *line, const char *key, __u64 bytes);

/* An object of the kernel's own keys; those that it does not have, CG_MISSING, are left out */
void json_add_keys(struct json_object *line, const char *key, const char *const *names,
		   const __u64 *values, unsigned int count);

/* An object within; it is freed with @line */
struct json_object *json_add_object(struct json_object *line, const char *key);

/* The keys of struct memstress_books */
void json_add_books(struct json_object *line, const struct memstress_books *books);

/* An array of strings; *@values ends with NULL */
void json_add_strings(struct json_object *line, const char *key, const char *const *values);

/* What AUDIT says of objects, for any line */
void json_add_audit(struct json_object *line, const struct memstress_audit *audit);

void json_end(struct json_object *line);

/* To stderr, for a command whose stdout is somebody else's */
void json_end_aside(struct json_object *line);

#endif /* MEMSTRESS_USER_JSON_H */
