// SPDX-License-Identifier: GPL-2.0
/* memstress clean: removal of what runs have left that died. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_name.h"
#include "commands.h"
#include "error.h"
#include "json.h"
#include "leftover.h"
#include "option.h"
#include "output.h"

/**
 * struct clean_options - how it is done
 * @dry_run: not at all, it is only told
 * @json: JSON lines
 */
struct clean_options {
	bool dry_run;
	bool json;
};

static int clean_set_dry_run(void *context, const char *where, const char *value,
			     struct error *error)
{
	return option_set_flag(&((struct clean_options *)context)->dry_run, where, value, error);
}

static int clean_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct clean_options *)context)->json, where, value, error);
}

static const struct option clean_options[] = {
	{ "dry-run", NULL, "only tell what would be done", clean_set_dry_run },
	{ "json", NULL, "JSON lines, one for each leftover", clean_set_json },
	{}
};

static const struct option_group clean_groups[] = { { "Options", clean_options }, {} };

static const char clean_help[] =
	"\n"
	"A run that dies of SIGKILL leaves its cgroup, with what else was in there. Such a\n"
	"cgroup is known by an attribute of its directory (user.memstress.made), and that\n"
	"nobody holds a lock of it any more. It is removed; processes in it are killed. If the\n"
	"run died before it could give the attribute, the directory is empty and sticky.\n"
	"Limits that the run had set for the cgroup of somebody else are put back, unless they\n"
	"were set again since, and so is what it had enabled for the cgroup above its own, if\n"
	"no other cgroup in there has limits. What a run that lives has made, and what delegate\n"
	"has made, stays.\n"
	"\n"
	"Exit codes: 0 nothing is left over; 1 something is; 4 no cgroups with memory.\n";

void cmd_clean_help(void)
{
	option_print_help(clean_groups);
	output_print("%s", clean_help);
}

static void clean_print_cgroup(const struct leftover *leftover, bool dry_run)
{
	output_print("%s %s", dry_run ? "would remove" : "removed", leftover->path);
	if (leftover->processes)
		output_print(" and %s %u process%s in it", dry_run ? "kill" : "killed",
			     leftover->processes, leftover->processes == 1 ? "" : "es");
	output_print("\n");
}

static void clean_print(const struct leftover *leftover, bool dry_run)
{
	switch (leftover->kind) {
	case LEFTOVER_CGROUP:
		clean_print_cgroup(leftover, dry_run);
		break;
	case LEFTOVER_LIMITS:
		output_print("%s the limits of %s back\n", dry_run ? "would put" : "put",
			     leftover->path);
		break;
	case LEFTOVER_CONTROLLER:
		output_print("%s the memory controller from the children of %s\n",
			     dry_run ? "would take" : "took", leftover->path);
		break;
	}
}

/*
 * Type "leftover". Keys: kind ("cgroup", "limits": of somebody else's cgroup, "controller": it was
 * enabled for the children of the cgroup), path, processes (in a cgroup, killed with it; null: not
 * of this kind), undone (false: with --dry-run).
 */
static void clean_print_json(const struct leftover *leftover, bool dry_run)
{
	static const char *const kinds[] = {
		[LEFTOVER_CGROUP] = "cgroup",
		[LEFTOVER_LIMITS] = "limits",
		[LEFTOVER_CONTROLLER] = "controller",
	};
	struct json_object *line = json_begin("leftover");

	json_add_string(line, "kind", kinds[leftover->kind]);
	json_add_string(line, "path", leftover->path);
	if (leftover->kind == LEFTOVER_CGROUP)
		json_add_number(line, "processes", leftover->processes);
	else
		json_add_null(line, "processes");
	json_add_bool(line, "undone", !dry_run);
	json_end(line);
}

/* Returns 0, or -1 with @error; what somebody has begun to use meanwhile is none any more. */
static int clean_one(const struct cg_tree *tree, const struct leftover *leftover,
		     const struct clean_options *options, struct error *error)
{
	int ret = options->dry_run ? 0 : leftover_undo(tree, leftover);

	if (ret == -ETXTBSY) {
		if (!options->json)
			output_print("left %s as it is: it is in use again\n", leftover->path);
		return 0;
	}
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot put %s in order: %s", leftover->path,
				 strerror(-ret));
	if (options->json)
		clean_print_json(leftover, options->dry_run);
	else
		clean_print(leftover, options->dry_run);
	return 0;
}

static int clean_all(const struct cg_tree *tree, const struct leftovers *leftovers,
		     const struct clean_options *options)
{
	int status = STATUS_HELD;
	struct error error;
	unsigned int i;

	for (i = 0; i < leftovers->count; i++)
		if (clean_one(tree, &leftovers->list[i], options, &error))
			status = error_report(&error);
	if (options->dry_run && leftovers->count)
		status = STATUS_FAILED;
	if (!leftovers->count && !options->json)
		output_print("nothing is left over below %s\n", tree->mount);
	return status;
}

static int clean(const struct clean_options *options)
{
	struct leftovers leftovers;
	struct cg_tree tree;
	struct error error;
	int ret, status;

	if (cgroup_name_find_tree(&tree, &error))
		return error_report(&error);
	ret = leftovers_find(&leftovers, &tree);
	if (ret) {
		error_set(&error, STATUS_FAILED, "cannot look below %s: %s", tree.mount,
			  strerror(-ret));
		status = error_report(&error);
	} else {
		status = clean_all(&tree, &leftovers, options);
	}
	leftovers_free(&leftovers);
	return status;
}

int cmd_clean(int argc, char **argv)
{
	struct clean_options options = {};
	struct error error;

	switch (option_parse_all(clean_groups, &options, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return clean(&options);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
