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
#include "workload.h"

static const struct option kinds_options[] = { { "json", NULL, "JSON lines, one for each kind",
						 option_set_flag },
					       {} };

static const struct option_group kinds_groups[] = { { "Options", kinds_options }, {} };

/**
 * struct kinds_row - a kind on this kernel
 * @kind: it
 * @missing: why this kernel does not have it; NULL if it does
 * @info: else what the module says of it, with the charge of an object of the usual size; of user
 *	memory, the same for one, and what else may be charged is
 * @more_bytes: this
 */
struct kinds_row {
	const struct kind *kind;
	const char *missing;
	struct memstress_info info;
	__u64 more_bytes;
};

/**
 * struct kinds_sources - who knows what there is
 * @fd: the module; -1: it cannot be asked, and
 * @error: why
 * @version: of the cgroups
 */
struct kinds_sources {
	int fd;
	struct error error;
	unsigned int version;
};

static void kinds_look(struct kinds_sources *sources, struct kinds_row *row)
{
	const struct workload *workload = row->kind->workload;
	struct step step = { .kind = row->kind };
	struct charge charge = {};

	step.object_size = workload_default_size(&step);
	row->missing = workload->missing(&step, sources->version);
	row->info = (struct memstress_info){
		.object_size = step.object_size,
		.kind_min = workload->size_max ? workload_size_unit(&step) : step.object_size,
		.kind_max = workload_size_max(&step),
	};
	workload->charge(&step, 1, 1, &charge);
	row->info.object_page_charged_bytes = charge.page_bytes;
	row->info.object_byte_charged_bytes = charge.byte_bytes;
	row->more_bytes = charge.more_bytes;
}

static void kinds_ask(struct kinds_sources *sources, struct kinds_row *row)
{
	int ret;

	row->more_bytes = 0;
	if (row->kind->workload) {
		kinds_look(sources, row);
		return;
	}
	row->missing = NULL;
	row->info = (struct memstress_info){
		.kind = row->kind->id,
		.object_size = row->kind->object_size,
	};
	if (sources->fd < 0) {
		row->missing = sources->error.text;
		return;
	}
	ret = device_info(sources->fd, &row->info);
	if (ret == -EINVAL || ret == -EOPNOTSUPP)
		row->missing = "the module that is loaded does not have it";
	else if (ret)
		row->missing = strerror(-ret);
}

/* What any of the enumerations has, and then NULL. */
#define KINDS_NAMES_MAX 16

/* Names of the bits of a bitmap; @names ends with NULL. */
static void kinds_list(__u64 bitmap, __u32 end, const char *(*name)(__u32 id), const char **names)
{
	unsigned int count = 0;
	__u32 i;

	for (i = 0; i < end && count + 1 < KINDS_NAMES_MAX; i++)
		if (bitmap & (1ULL << i))
			names[count++] = name(i);
	names[count] = NULL;
}

static void kinds_list_policies(const struct memstress_info *info, const char **names)
{
	kinds_list(info->kind_policies, MEMSTRESS_POLICY_END, kind_policy_name, names);
}

static void kinds_list_contexts(const struct memstress_info *info, const char **names)
{
	kinds_list(info->kind_contexts, MEMSTRESS_CONTEXT_END, kind_context_name, names);
}

static void kinds_list_methods(const struct memstress_info *info, const char **names)
{
	kinds_list(info->kind_alloc_methods, MEMSTRESS_ALLOC_METHOD_END, kind_alloc_method_name,
		   names);
}

static void kinds_list_free_methods(const struct memstress_info *info, const char **names)
{
	kinds_list(info->kind_free_methods, MEMSTRESS_FREE_METHOD_END, kind_free_method_name,
		   names);
}

/* A cell with all of @names, which ends with NULL. */
static void kinds_add_names(struct output_table *table, const char *const *names)
{
	char text[256] = "";
	unsigned int i;

	for (i = 0; names[i]; i++) {
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "", names[i]);
	}
	output_table_cell(table, "%s", text);
}

static void kinds_add_sizes(struct output_table *table, const struct kinds_row *row)
{
	const struct memstress_info *info = &row->info;
	__u64 charge = info->object_page_charged_bytes + info->object_byte_charged_bytes;

	if (row->kind->has_order) {
		output_table_cell(table, "order %llu to %llu", info->kind_min, info->kind_max);
		output_table_cell(table, "order 0: %llu", charge);
		return;
	}
	if (info->kind_min == info->kind_max)
		output_table_cell(table, "%s", units_bytes(info->kind_min).s);
	else
		output_table_cell(table, "%s to %s", units_bytes(info->kind_min).s,
				  units_bytes(info->kind_max).s);
	if (row->more_bytes)
		output_table_cell(table, "%s: %llu to %llu", units_bytes(info->object_size).s,
				  charge, charge + row->more_bytes);
	else
		output_table_cell(table, "%s: %llu", units_bytes(info->object_size).s, charge);
}

static void kinds_add_row(struct output_table *table, const struct kinds_sources *sources,
			  const struct kinds_row *row)
{
	bool needs_module = sources->fd < 0 && !row->kind->workload;
	const char *names[KINDS_NAMES_MAX];

	output_table_row(table);
	output_table_cell(table, "%s", row->kind->name);
	output_table_cell(table, "%s", row->kind->what);
	if (row->missing) {
		output_table_cell(table, "no: %s",
				  needs_module ? "needs the module" : row->missing);
		return;
	}
	kinds_add_sizes(table, row);
	if (row->kind->workload) {
		output_table_cell(table, "task");
		output_table_cell(table, "singly");
		output_table_cell(table, "singly");
		return;
	}
	kinds_list_contexts(&row->info, names);
	kinds_add_names(table, names);
	kinds_list_methods(&row->info, names);
	kinds_add_names(table, names);
	kinds_list_free_methods(&row->info, names);
	kinds_add_names(table, names);
	kinds_list_policies(&row->info, names);
	kinds_add_names(table, names);
}

static void kinds_print_table(struct kinds_sources *sources)
{
	struct kinds_row row;
	struct output_table table;

	output_table_init(&table, "llllllll");
	output_table_row(&table);
	output_table_cell(&table, "kind");
	output_table_cell(&table, "allocator");
	output_table_cell(&table, "sizes");
	output_table_cell(&table, "charge of one");
	output_table_cell(&table, "contexts");
	output_table_cell(&table, "made");
	output_table_cell(&table, "freed");
	output_table_cell(&table, "policies");
	for (row.kind = kinds; row.kind->name; row.kind++) {
		kinds_ask(sources, &row);
		kinds_add_row(&table, sources, &row);
	}
	output_table_print(&table);
	if (sources->fd < 0)
		output_print("\n  The module: %s\n", sources->error.text);
}

/*
 * Type "kind". Keys: name, allocator (of user memory, what a process does for it), user_memory,
 * supported, reason (why not; null), unit ("order" or "bytes"), min, max, example (an order or
 * size) and what one object of it is charged: page_charged_bytes, byte_charged_bytes, more_bytes
 * (what may be charged besides); contexts, policies, alloc_methods, free_methods, alignment_max
 * (bytes; 0: none can be asked for). What is not supported ends with its reason.
 */
static void kinds_print_json(struct kinds_sources *sources)
{
	const char *names[KINDS_NAMES_MAX];
	struct kinds_row row;

	for (row.kind = kinds; row.kind->name; row.kind++) {
		struct json_object *line = json_begin("kind");

		kinds_ask(sources, &row);
		json_add_string(line, "name", row.kind->name);
		json_add_string(line, "allocator", row.kind->what);
		json_add_bool(line, "user_memory", row.kind->workload);
		json_add_bool(line, "supported", !row.missing);
		json_add_string(line, "reason", row.missing);
		if (!row.missing) {
			json_add_string(line, "unit", row.kind->has_order ? "order" : "bytes");
			json_add_number(line, "min", row.info.kind_min);
			json_add_number(line, "max", row.info.kind_max);
			json_add_number(line, "example", row.info.object_size);
			json_add_number(line, "page_charged_bytes",
					row.info.object_page_charged_bytes);
			json_add_number(line, "byte_charged_bytes",
					row.info.object_byte_charged_bytes);
			json_add_number(line, "more_bytes", row.more_bytes);
			kinds_list_contexts(&row.info, names);
			json_add_strings(line, "contexts", names);
			kinds_list_policies(&row.info, names);
			json_add_strings(line, "policies", names);
			kinds_list_methods(&row.info, names);
			json_add_strings(line, "alloc_methods", names);
			kinds_list_free_methods(&row.info, names);
			json_add_strings(line, "free_methods", names);
			json_add_number(line, "alignment_max", row.info.kind_alignment_max);
		}
		json_end(line);
	}
}

/* User memory needs no module, so what is to be said of it is no error. */
static int kinds_show(bool json)
{
	struct kinds_sources sources = { .version = 2 };
	struct memstress_info info;
	struct cg_tree tree;

	sources.fd = module_open(&info, &sources.error);
	if (!cg_find(&tree, ""))
		sources.version = tree.ops->version;
	if (json)
		kinds_print_json(&sources);
	else
		kinds_print_table(&sources);
	if (sources.fd >= 0)
		close(sources.fd);
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
