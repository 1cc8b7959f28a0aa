// SPDX-License-Identifier: GPL-2.0
/* memstress stat: what cgroups use of what they may, and what it is made of. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_name.h"
#include "commands.h"
#include "error.h"
#include "json.h"
#include "memory_stat.h"
#include "option.h"
#include "output.h"
#include "usage.h"

/**
 * struct stat_view - what is shown
 * @json: JSON lines, not a table
 * @digest: memory.stat as well
 * @tree: the cgroups are in
 * @table: the rows that are not printed yet
 */
struct stat_view {
	bool json;
	bool digest;
	struct cg_tree tree;
	struct output_table table;
};

static int stat_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct stat_view *)context)->json, where, value, error);
}

static int stat_set_digest(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct stat_view *)context)->digest, where, value, error);
}

static const struct option stat_options[] = {
	{ "json", NULL, "JSON lines, one for each cgroup", stat_set_json },
	{ "digest", NULL, "what usage is made of: memory.stat, explained", stat_set_digest },
	{}
};

static const struct option_group stat_groups[] = { { "Options", stat_options }, {} };

static void stat_begin_table(struct output_table *table)
{
	output_table_init(table, "rrrrrrll");
	output_table_row(table);
	output_table_cell(table, "usage");
	output_table_cell(table, "limit");
	output_table_cell(table, "%%");
	output_table_cell(table, "peak");
	output_table_cell(table, "pids");
	output_table_cell(table, "psi");
	output_table_cell(table, "events");
	output_table_cell(table, "cgroup");
}

static struct units_text stat_size(__u64 bytes, const char *missing)
{
	struct units_text text;

	if (bytes != CG_MISSING)
		return units_bytes(bytes);
	snprintf(text.s, sizeof(text.s), "%s", missing);
	return text;
}

/* And whose limit it is that it has, unless it is its own. */
static void stat_add_name(struct output_table *table, const struct cgroup *cg,
			  const struct usage *usage)
{
	const char *owner = usage->effective_path;

	if (*owner && strcmp(owner, cg->path))
		output_table_cell(table, "%s, limit of %s", cg_name(cg->tree, cg->path),
				  cg_name(cg->tree, owner));
	else
		output_table_cell(table, "%s", cg_name(cg->tree, cg->path));
}

static void stat_add_row(struct output_table *table, const struct cgroup *cg,
			 const struct usage *usage)
{
	char events[128];

	/* A table has an end; what is to come has the next one. */
	if (table->rows == OUTPUT_ROWS) {
		output_table_print(table);
		stat_begin_table(table);
	}
	usage_print_events(usage, events, sizeof(events));
	output_table_row(table);
	output_table_cell(table, "%s", stat_size(usage->bytes, "-").s);
	output_table_cell(table, "%s", stat_size(usage->effective_bytes, "max").s);
	output_table_cell(table, "%s", usage_share(usage).s);
	output_table_cell(table, "%s", stat_size(usage->peak_bytes, "-").s);
	if (usage->pids == CG_MISSING)
		output_table_cell(table, "-");
	else
		output_table_cell(table, "%llu", usage->pids);
	output_table_cell(table, "%s", *usage->some_avg10 ? usage->some_avg10 : "-");
	output_table_cell(table, "%s", events);
	stat_add_name(table, cg, usage);
}

static void stat_print_value(unsigned int depth, const char *name, const char *value,
			     const char *what)
{
	output_print("  %*s%-*s  %8s  %s\n", 2 * depth, "", 24 - 2 * depth, name, value, what);
}

/*
 * In the order of the table; of counters, those that have counted. Where the kernel has no line
 * for the whole of its memory, the parts of that stand for themselves.
 */
static void stat_print_group(const struct memory_stat *stat, enum memory_stat_group group)
{
	bool has_kernel = memory_stat_value(stat, "kernel") != CG_MISSING;
	const struct memory_stat_row *row;
	bool begun = false;

	for (row = memory_stat_rows; row->name; row++) {
		bool is_lifted = group == MEMORY_STAT_KERNEL && !has_kernel && row->depth;
		__u64 value = memory_stat_value(stat, row->name);
		char number[32];

		if (row->group != group || value == CG_MISSING ||
		    (group == MEMORY_STAT_COUNTERS && !value))
			continue;
		if (!begun)
			output_styled(OUTPUT_HEADING, "\n  %s\n", memory_stat_group_names[group]);
		begun = true;
		snprintf(number, sizeof(number), "%llu", value);
		stat_print_value(row->depth - is_lifted, row->name,
				 group == MEMORY_STAT_COUNTERS ? number : units_bytes(value).s,
				 row->what);
	}
}

/* What a later kernel may have. */
static void stat_print_unknown(const struct memory_stat *stat)
{
	bool begun = false;
	unsigned int i;

	for (i = 0; i < stat->count; i++) {
		char number[32];

		if (stat->lines[i].row || !stat->lines[i].value)
			continue;
		if (!begun)
			output_styled(OUTPUT_HEADING, "\n  not known to this tool\n");
		begun = true;
		snprintf(number, sizeof(number), "%llu", stat->lines[i].value);
		stat_print_value(0, stat->lines[i].name, number, "");
	}
}

static void stat_print_sum(const struct cgroup *cg, const struct usage *usage,
			   const struct memory_stat *stat)
{
	__u64 sum = memory_stat_sum(stat);
	bool is_root = !strcmp(cg->path, cg->tree->mount);
	char rest[40];

	output_styled(OUTPUT_HEADING, "\n  what adds up\n");
	stat_print_value(0, "sum", units_bytes(sum).s, "the lines above that are not indented");
	if (usage->bytes == CG_MISSING)
		return;
	if (usage->bytes >= sum) {
		stat_print_value(0, "left over", units_bytes(usage->bytes - sum).s,
				 "charged ahead for CPUs, and on no line");
	} else {
		snprintf(rest, sizeof(rest), "-%s", units_bytes(sum - usage->bytes).s);
		stat_print_value(0, "left over", rest,
				 is_root ? "of the root, usage has user memory only" :
					   "lines and usage are of two moments");
	}
	stat_print_value(0, "usage", units_bytes(usage->bytes).s, "what the limit is for");
}

static void stat_print_digest(const struct cgroup *cg, const struct usage *usage,
			      const struct memory_stat *stat)
{
	__u64 other = memory_stat_other_kernel(stat);
	enum memory_stat_group group;

	for (group = 0; group < MEMORY_STAT_GROUPS; group++) {
		stat_print_group(stat, group);
		if (group != MEMORY_STAT_KERNEL)
			continue;
		if (other)
			stat_print_value(1, "other", units_bytes(other).s,
					 "on no line: pipes, BPF ...");
		stat_print_sum(cg, usage, stat);
	}
	stat_print_unknown(stat);
}

static void stat_add_stat_json(struct json_object *line, const struct memory_stat *stat)
{
	const char *names[MEMORY_STAT_LINES_MAX];
	__u64 values[MEMORY_STAT_LINES_MAX];
	unsigned int i;

	for (i = 0; i < stat->count; i++) {
		names[i] = stat->lines[i].name;
		values[i] = stat->lines[i].value;
	}
	json_add_keys(line, "stat", names, values, stat->count);
	json_add_number(line, "sum_bytes", memory_stat_sum(stat));
}

/*
 * Type "stat". Keys: path, name (the kernel's), version (of cgroups), usage_bytes (null: the root
 * of v2), peak_bytes (null: this kernel keeps none), max_bytes (its own limit; null: none),
 * effective_max_bytes (the tightest of its own and those of its visible ancestors; null: none),
 * effective_max_path (who has that; null: nobody), pids (processes and threads, in it and below;
 * null: they may not be counted), some_avg10 (of memory.pressure, in percent; null: there is
 * none), events (an object of those that the kernel counts: those of memory.events; on v1 oom_kill
 * and failcnt).
 *
 * With --digest also stat: an object of all lines of memory.stat, bytes or numbers as they are
 * there; on v1 the lines total_*, without that, and kernel, which is memory.kmem.usage_in_bytes; on
 * v2 also swap, which is memory.swap.current; and sum_bytes: what of them adds up to usage_bytes.
 */
static void stat_print_json(const struct cgroup *cg, const struct usage *usage,
			    const struct memory_stat *stat)
{
	const char *owner = usage->effective_path;
	struct json_object *line = json_begin("stat");

	json_add_string(line, "path", cg->path);
	json_add_string(line, "name", cg_name(cg->tree, cg->path));
	json_add_number(line, "version", cg->tree->ops->version);
	json_add_bytes(line, "usage_bytes", usage->bytes);
	json_add_bytes(line, "peak_bytes", usage->peak_bytes);
	json_add_bytes(line, "max_bytes", usage->max_bytes);
	json_add_bytes(line, "effective_max_bytes", usage->effective_bytes);
	json_add_string(line, "effective_max_path", *owner ? owner : NULL);
	json_add_bytes(line, "pids", usage->pids);
	if (*usage->some_avg10)
		json_add_decimal(line, "some_avg10", usage->some_avg10);
	else
		json_add_null(line, "some_avg10");
	json_add_keys(line, "events", snapshot_event_names, usage->events.value, EVENT_END);
	if (stat)
		stat_add_stat_json(line, stat);
	json_end(line);
}

static int stat_show_one(struct stat_view *view, const struct cgroup *cg, struct error *error)
{
	struct memory_stat stat;
	struct usage usage;
	int ret;

	ret = usage_take(cg, &usage);
	if (!ret && view->digest)
		ret = memory_stat_read(cg, &stat);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read cgroup %s: %s", cg->path,
				 strerror(-ret));
	if (view->json) {
		stat_print_json(cg, &usage, view->digest ? &stat : NULL);
		return 0;
	}
	stat_add_row(&view->table, cg, &usage);
	if (!view->digest)
		return 0;
	output_table_print(&view->table);
	stat_print_digest(cg, &usage, &stat);
	return 0;
}

/* @names ends with NULL. They are all looked at first: a wrong one shows nothing. */
static int stat_look_at_all(const struct stat_view *view, char *const *names, struct error *error)
{
	struct cgroup cg;

	for (; *names; names++) {
		if (cgroup_name_look(&view->tree, *names, &cg, error))
			return -1;
		cg_look_away(&cg);
	}
	return 0;
}

static int stat_show_name(struct stat_view *view, const char *name, struct error *error)
{
	struct cgroup cg;
	int ret;

	if (cgroup_name_look(&view->tree, name, &cg, error))
		return -1;
	ret = stat_show_one(view, &cg, error);
	cg_look_away(&cg);
	return ret;
}

static int stat_show_all(struct stat_view *view, char *const *names, struct error *error)
{
	int ret;

	if (!*names)
		return stat_show_name(view, NULL, error);
	for (ret = 0; *names && !ret; names++) {
		ret = stat_show_name(view, *names, error);
		if (!ret && view->digest && !view->json && names[1]) {
			output_print("\n");
			stat_begin_table(&view->table);
		}
	}
	return ret;
}

static int stat_show(struct stat_view *view, char *const *names)
{
	struct error error;
	int ret;

	if (cgroup_name_find_tree(&view->tree, &error) || stat_look_at_all(view, names, &error))
		return error_report(&error);
	stat_begin_table(&view->table);
	ret = stat_show_all(view, names, &error);
	if (!view->json && view->table.rows > 1)
		output_table_print(&view->table);
	return ret ? error_report(&error) : STATUS_HELD;
}

static const char stat_help[] =
	"\n" CGROUP_NAME_HELP " None: your own.\n"
	"\n"
	"  usage   memory.current (on v1 memory.usage_in_bytes)\n"
	"  limit   the tightest memory.max of it and those above it, and whose it is;\n"
	"          max: there is none\n"
	"  %       usage of that limit\n"
	"  peak    the highest usage; the kernel tells since 5.19, and on v1\n"
	"  pids    processes and threads in it and below it\n"
	"  psi     percent of the last 10 s that some of them waited for memory\n"
	"  events  what memory.events has counted since the cgroup was made: max,\n"
	"          high, oom, kill (oom_kill); on v1 failcnt and kill\n"
	"\n"
	"- is what the kernel does not tell. No module and no privilege is needed.\n";

void cmd_stat_help(void)
{
	option_print_help(stat_groups);
	output_print("%s", stat_help);
}

int cmd_stat(int argc, char **argv)
{
	struct stat_view view = {};
	struct error error;
	int next = 0;

	switch (option_parse(stat_groups, &view, argc, argv, &next, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return stat_show(&view, argv + next);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
