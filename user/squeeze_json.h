/* SPDX-License-Identifier: GPL-2.0 */
/* The records of a squeeze as JSON, which record.h describes. */
#ifndef MEMSTRESS_USER_SQUEEZE_JSON_H
#define MEMSTRESS_USER_SQUEEZE_JSON_H

#include "record.h"

struct json_object;

/* NULL: it is no record of a squeeze */
const char *squeeze_json_type(const struct record *record);

void squeeze_json_add(struct json_object *line, const struct record *record);

/* A view of a log */
void squeeze_json_print(const struct record *record);

#endif /* MEMSTRESS_USER_SQUEEZE_JSON_H */
