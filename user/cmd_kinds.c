// SPDX-License-Identifier: GPL-2.0
/* memstress kinds: what can be allocated here, and why not. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "error.h"
#include "json.h"
#include "kind.h"
#include "module.h"
#include "option.h"
#include "output.h"
#include "units.h"

static const struct option kinds_options[] = { { "json", NULL, "JSON lines, one for each kind",
						 option_set_flag },
					       {} };

static const struct option_group kinds_groups[] = { { "Options", kinds_options }, {} };

/**
 * struct kinds_row - a kind on this kernel
 * @kind: it
 * @missing: why this kernel does not have it; NULL if it does
 * @info: else what the module says of it, with the charge of an object of the usual size
 */
struct kinds_row {
	const struct kind *kind;
	const char *missing;
	struct memstress_info info;
};

static void kinds_ask(int fd, struct kinds_row *row)
{
	int ret;

	row->missing = NULL;
	row->info = (struct memstress_info){
		.kind = row->kind->id,
		.object_size = row->kind->object_size,
	};
	ret = device_info(fd, &row->info);
	if (ret == -EINVAL || ret == -EOPNOTSUPP)
		row->missing = "the module that is loaded does not have it";
	else if (ret)
		row->missing = strerror(-ret);
}

/* Names of the policies in a bitmap; @names ends with NULL. */
static void kinds_list_policies(__u64 bitmap, const char *names[MEMSTRESS_POLICY_END + 1])
{
	unsigned int count = 0;
	__u32 i;

	for (i = 0; i < MEMSTRESS_POLICY_END; i++)
		if (bitmap & (1ULL << i))
			names[count++] = kind_policy_name(i);
	names[count] = NULL;
}

static void kinds_add_sizes(struct output_table *table, const struct kinds_row *row)
{
	const struct memstress_info *info = &row->info;
	__u64 charge = info->object_page_charged_bytes + info->object_byte_charged_bytes;

	if (row->kind->has_order) {
		output_table_cell(table, "order %llu to %llu", info->kind_min, info->kind_max);
		output_table_cell(table, "order 0: %llu", charge);
	} else {
		output_table_cell(table, "%s to %s", units_bytes(info->kind_min).s,
				  units_bytes(info->kind_max).s);
		output_table_cell(table, "%s: %llu", units_bytes(row->kind->object_size).s, charge);
	}
}

static void kinds_add_row(struct output_table *table, const struct kinds_row *row)
{
	const char *names[MEMSTRESS_POLICY_END + 1];
	char policies[256] = "";
	unsigned int i;

	output_table_row(table);
	output_table_cell(table, "%s", row->kind->name);
	output_table_cell(table, "%s", row->kind->what);
	if (row->missing) {
		output_table_cell(table, "no: %s", row->missing);
		return;
	}
	kinds_add_sizes(table, row);
	kinds_list_policies(row->info.kind_policies, names);
	for (i = 0; names[i]; i++) {
		size_t length = strlen(policies);

		snprintf(policies + length, sizeof(policies) - length, "%s%s", i ? " " : "",
			 names[i]);
	}
	output_table_cell(table, "%s", policies);
}

static void kinds_print_table(int fd)
{
	struct kinds_row row;
	struct output_table table;

	output_table_init(&table, "lllll");
	output_table_row(&table);
	output_table_cell(&table, "kind");
	output_table_cell(&table, "allocator");
	output_table_cell(&table, "sizes");
	output_table_cell(&table, "charge of one");
	output_table_cell(&table, "policies");
	for (row.kind = kinds; row.kind->name; row.kind++) {
		kinds_ask(fd, &row);
		kinds_add_row(&table, &row);
	}
	output_table_print(&table);
}

/*
 * Keys: name, allocator, supported, reason (why not; null), unit ("order" or "bytes"), min, max,
 * example (an order or size) and what one object of it is charged: page_charged_bytes,
 * byte_charged_bytes; policies. What is not supported ends with its reason.
 */
static void kinds_print_json(int fd)
{
	const char *policies[MEMSTRESS_POLICY_END + 1];
	struct kinds_row row;

	for (row.kind = kinds; row.kind->name; row.kind++) {
		struct json_object *line = json_begin("kind");

		kinds_ask(fd, &row);
		json_add_string(line, "name", row.kind->name);
		json_add_string(line, "allocator", row.kind->what);
		json_add_bool(line, "supported", !row.missing);
		json_add_string(line, "reason", row.missing);
		if (!row.missing) {
			json_add_string(line, "unit", row.kind->has_order ? "order" : "bytes");
			json_add_number(line, "min", row.info.kind_min);
			json_add_number(line, "max", row.info.kind_max);
			json_add_number(line, "example", row.kind->object_size);
			json_add_number(line, "page_charged_bytes",
					row.info.object_page_charged_bytes);
			json_add_number(line, "byte_charged_bytes",
					row.info.object_byte_charged_bytes);
			kinds_list_policies(row.info.kind_policies, policies);
			json_add_strings(line, "policies", policies);
		}
		json_end(line);
	}
}

static int kinds_show(bool json)
{
	struct memstress_info info;
	struct error error;
	int fd;

	fd = module_open(&info, &error);
	if (fd < 0)
		return error_report(&error);
	if (json)
		kinds_print_json(fd);
	else
		kinds_print_table(fd);
	close(fd);
	return STATUS_HELD;
}

void cmd_kinds_help(void)
{
	option_print_help(kinds_groups);
}

int cmd_kinds(int argc, char **argv)
{
	struct error error;
	bool json = false;

	switch (option_parse_all(kinds_groups, &json, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return kinds_show(json);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
