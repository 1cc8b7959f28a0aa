// SPDX-License-Identifier: GPL-2.0
/* memstress attach: another process, or a tree of them, into a cgroup. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "cgroup_name.h"
#include "commands.h"
#include "error.h"
#include "json.h"
#include "option.h"
#include "output.h"
#include "units.h"

/**
 * struct attach_options - what was asked for
 * @whole: the descendants as well
 * @json: JSON lines
 * @words: the process, and the cgroup
 */
struct attach_options {
	bool whole;
	bool json;
	const char *words[2];
};

static int attach_set_tree(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct attach_options *)context)->whole, where, value, error);
}

static int attach_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct attach_options *)context)->json, where, value, error);
}

static const struct option attach_options[] = { { "tree", NULL, "move its descendants as well",
						  attach_set_tree },
						{ "json", NULL, "JSON lines", attach_set_json },
						{} };

static const struct option_group attach_groups[] = { { "Options", attach_options }, {} };

static const char attach_help[] =
	"\n"
	"PID is a process; all its threads are moved.\n" CGROUP_NAME_HELP "\n"
	"\n"
	"What a process was charged before it was moved stays with the cgroup that was\n"
	"charged, until it is freed; what it takes from then on is charged to the new one.\n"
	"Only cgroup v1 can move charges, where memory.move_charge_at_immigrate of the new\n"
	"cgroup says so; newer kernels have that no more. It is told what happened.\n"
	"\n"
	"On cgroup v1 nothing but the memory controller's hierarchy is changed.\n";

void cmd_attach_help(void)
{
	option_print_help(attach_groups);
	output_print("%s", attach_help);
}

static struct units_text attach_size(__u64 bytes)
{
	struct units_text text = { "-" };

	return bytes == CG_MISSING ? text : units_bytes(bytes);
}

static void attach_add_row(struct output_table *table, const struct attach *attach,
			   const struct attach_use *use)
{
	output_table_row(table);
	output_table_cell(table, "%s", attach_size(use->before_bytes).s);
	output_table_cell(table, "%s", attach_size(use->after_bytes).s);
	output_table_cell(table, "%s", cg_name(attach->tree, use->path));
}

static void attach_print(const struct attach *attach)
{
	static const char *const moves[] = {
		[0] = "stays with the cgroup that was charged until it is freed",
		[ATTACH_MOVES_ANON] = "stays where it was but for anonymous memory, which moved",
		[ATTACH_MOVES_FILE] = "stays where it was but for memory of files, which moved",
		[ATTACH_MOVES_ANON | ATTACH_MOVES_FILE] = "moved along, if it is of user memory",
	};
	struct output_table table;
	unsigned int i;

	if (!attach->moved_count) {
		output_print("nobody had to be moved: all were there already\n");
		return;
	}
	output_print("%u process%s moved into %s\n\n", attach->moved_count,
		     attach->moved_count == 1 ? " was" : "es were", attach->to.path);
	output_table_init(&table, "rrl");
	output_table_row(&table);
	output_table_cell(&table, "usage before");
	output_table_cell(&table, "after");
	output_table_cell(&table, "cgroup");
	for (i = 0; i < attach->from_count && table.rows < OUTPUT_ROWS - 1; i++)
		attach_add_row(&table, attach, &attach->from[i]);
	attach_add_row(&table, attach, &attach->to);
	output_table_print(&table);
	output_print("\nWhat was charged before the move %s.\n",
		     moves[attach->moves & (ATTACH_MOVES_ANON | ATTACH_MOVES_FILE)]);
}

static void attach_add_use(struct json_object *line, const struct attach *attach,
			   const struct attach_use *use)
{
	json_add_string(line, "path", use->path);
	json_add_string(line, "name", cg_name(attach->tree, use->path));
	json_add_bytes(line, "usage_before_bytes", use->before_bytes);
	json_add_bytes(line, "usage_after_bytes", use->after_bytes);
}

/*
 * Type "attach_from", for each cgroup that processes were in, and then "attach", for the one that
 * they are in now. Keys: path, name (the kernel's), usage_before_bytes, usage_after_bytes (null:
 * the root of v2). Of "attach" also version (of cgroups), processes (that were moved), moves_anon
 * and moves_file (what was charged before was moved along, and does not stay).
 */
static void attach_print_json(const struct attach *attach)
{
	struct json_object *line;
	unsigned int i;

	for (i = 0; i < attach->from_count; i++) {
		line = json_begin("attach_from");
		attach_add_use(line, attach, &attach->from[i]);
		json_end(line);
	}
	line = json_begin("attach");
	attach_add_use(line, attach, &attach->to);
	json_add_number(line, "version", attach->tree->ops->version);
	json_add_number(line, "processes", attach->moved_count);
	json_add_bool(line, "moves_anon", attach->moves & ATTACH_MOVES_ANON);
	json_add_bool(line, "moves_file", attach->moves & ATTACH_MOVES_FILE);
	json_end(line);
}

static int attach_go(const struct attach_options *options, struct error *error)
{
	struct attach attach;
	struct cg_tree tree;
	struct cgroup cg;
	__u64 pid;
	int ret;

	if (units_parse_number(options->words[0], &pid) || !pid || pid > INT_MAX)
		return error_set(error, STATUS_MISUSE, "'%s' is not the number of a process",
				 options->words[0]);
	if (cgroup_name_find_tree(&tree, error) ||
	    cgroup_name_look(&tree, options->words[1], &cg, error))
		return -1;
	ret = attach_move(&attach, &cg, pid, options->whole, error);
	if (!ret && options->json)
		attach_print_json(&attach);
	else if (!ret)
		attach_print(&attach);
	attach_free(&attach);
	cg_look_away(&cg);
	return ret;
}

int cmd_attach(int argc, char **argv)
{
	struct attach_options options = {};
	unsigned int count;
	struct error error;

	switch (option_parse_words(attach_groups, &options, argc, argv, options.words, 2, &count,
				   &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		if (count == 2 && !attach_go(&options, &error))
			return STATUS_HELD;
		if (count < 2)
			error_set(&error, STATUS_MISUSE,
				  "which process, and into which cgroup? give PID CGROUP");
		break;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
