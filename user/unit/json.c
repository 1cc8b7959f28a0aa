// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "json.h"
#include "record.h"
#include "unit.h"

/* What @record looks like, read back; NULL if it is no JSON. */
static struct json_object *print(const struct record *record)
{
	struct json_object *line = NULL;
	char text[8192] = "";
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();

	fflush(stdout);
	if (!file || dup2(fileno(file), STDOUT_FILENO) < 0)
		exit(1);
	json_print_record(record);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	if (fgets(text, sizeof(text), file) && strchr(text, '\n') && fgetc(file) == EOF)
		line = json_tokener_parse(text);
	fclose(file);
	EXPECT_TRUE(line);
	return line;
}

static const char *string_of(struct json_object *line, const char *key)
{
	return json_object_get_string(json_object_object_get(line, key));
}

static long long number_of(struct json_object *line, const char *key)
{
	struct json_object *value = json_object_object_get(line, key);

	EXPECT_TRUE(json_object_is_type(value, json_type_int));
	return json_object_get_int64(value);
}

static bool is_null(struct json_object *line, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(line, key, &value) && !value;
}

static void every_type_is_a_line(void)
{
	enum record_type type;

	for (type = RECORD_RUN; type <= RECORD_ERROR; type++) {
		struct record record = { .type = type, .time_ns = 5 };
		struct json_object *line;

		/* What a kind is needed for. */
		if (type == RECORD_STEP)
			record.step.step.kind = &kinds[0];
		if (type == RECORD_VERDICT)
			record.verdict.outcome = "done";
		line = print(&record);
		EXPECT_NUMBER(number_of(line, "schema"), RECORD_SCHEMA);
		EXPECT_NUMBER(number_of(line, "time_ns"), 5);
		EXPECT_TRUE(string_of(line, "type"));
		json_object_put(line);
	}
}

static void limits_may_be_null(void)
{
	struct record record = {
		.type = RECORD_CGROUP,
		.cgroup = {
			.path = "/sys/fs/cgroup/a \"b\"\n",
			.name = "/a",
			.max_bytes = 1ULL << 40,
			.high_bytes = CG_UNLIMITED,
			.swap_max_bytes = 0,
		},
	};
	struct json_object *line = print(&record);

	EXPECT_STRING(string_of(line, "path"), "/sys/fs/cgroup/a \"b\"\n");
	EXPECT_NUMBER(number_of(line, "max_bytes"), 1LL << 40);
	EXPECT_TRUE(is_null(line, "high_bytes"));
	EXPECT_NUMBER(number_of(line, "swap_max_bytes"), 0);
	EXPECT_TRUE(is_null(line, "effective_max_path"));
	json_object_put(line);
}

static void names_become_utf8(void)
{
	struct record record = { .type = RECORD_OOM, .oom = { .what = KMSG_KILLED } };
	struct json_object *line;

	strcpy(record.oom.task, "a\xff\x7f");
	line = print(&record);
	EXPECT_STRING(string_of(line, "name"), "a\xef\xbf\xbd\x7f");
	json_object_put(line);
}

static void missing_counters_are_left_out(void)
{
	struct record record = { .type = RECORD_COUNTERS, .counters = { .when = WHEN_HELD } };
	struct json_object *line, *stat;

	record.counters.snapshot.peak_bytes = CG_MISSING;
	record.counters.snapshot.stat[STAT_KERNEL] = CG_MISSING;
	record.counters.snapshot.stat[STAT_SLAB] = 104;
	line = print(&record);
	stat = json_object_object_get(line, "stat");
	EXPECT_STRING(string_of(line, "when"), "held");
	EXPECT_TRUE(is_null(line, "peak_bytes"));
	EXPECT_TRUE(is_null(line, "settle"));
	EXPECT_NUMBER(number_of(stat, "slab"), 104);
	EXPECT_TRUE(!json_object_object_get_ex(stat, "kernel", NULL));
	json_object_put(line);
}

static void oom_has_three_types(void)
{
	struct record record = { .type = RECORD_OOM, .oom = { .what = KMSG_CHOSEN, .pid = 7 } };
	struct json_object *line = print(&record);

	EXPECT_STRING(string_of(line, "type"), "oom");
	EXPECT_TRUE(is_null(line, "oom_cgroup"));
	json_object_put(line);
	record.oom.what = KMSG_KILLED;
	line = print(&record);
	EXPECT_STRING(string_of(line, "type"), "killed");
	EXPECT_NUMBER(number_of(line, "pid"), 7);
	json_object_put(line);
	record.oom.what = KMSG_NO_VICTIM;
	line = print(&record);
	EXPECT_STRING(string_of(line, "type"), "no_victim");
	json_object_put(line);
}

const struct unit_test unit_json_tests[] = {
	{ "json_every_type_is_a_line", every_type_is_a_line },
	{ "json_limits_may_be_null", limits_may_be_null },
	{ "json_missing_counters_are_left_out", missing_counters_are_left_out },
	{ "json_names_become_utf8", names_become_utf8 },
	{ "json_oom_has_three_types", oom_has_three_types },
	{},
};
