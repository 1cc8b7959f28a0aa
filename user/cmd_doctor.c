// SPDX-License-Identifier: GPL-2.0
/* memstress doctor: is this machine ready, and what to do if not. */
#include <stdbool.h>
#include <stddef.h>

#include "check.h"
#include "commands.h"
#include "error.h"
#include "json.h"
#include "option.h"
#include "output.h"

static const struct option doctor_options[] = { { "json", NULL, "JSON lines, one for each check",
						  option_set_flag },
						{} };

static const struct option_group doctor_groups[] = { { "Options", doctor_options }, {} };

static const char *const doctor_states[] = {
	[CHECK_GOOD] = "good",
	[CHECK_BAD] = "bad",
	[CHECK_NOTE] = "note",
};

static void doctor_print(const struct check_row *row, const struct check *check)
{
	static const enum output_style styles[] = {
		[CHECK_GOOD] = OUTPUT_GOOD,
		[CHECK_BAD] = OUTPUT_BAD,
		[CHECK_NOTE] = OUTPUT_FAINT,
	};

	output_styled(styles[check->state], "%-5s", doctor_states[check->state]);
	output_print(" %-10s %s\n", row->name, check->found);
	if (*check->advice)
		output_print("%17s%s\n", "-> ", check->advice);
}

/*
 * Type "check". Keys: name, state ("good", "bad", "note"), found, advice (null if there is nothing
 * to do).
 */
static void doctor_print_json(const struct check_row *row, const struct check *check)
{
	struct json_object *line = json_begin("check");

	json_add_string(line, "name", row->name);
	json_add_string(line, "state", doctor_states[check->state]);
	json_add_string(line, "found", check->found);
	json_add_string(line, "advice", *check->advice ? check->advice : NULL);
	json_end(line);
}

static int doctor_examine(bool json)
{
	const struct check_row *row;
	bool ready = true;

	for (row = checks; row->name; row++) {
		struct check check = {};

		row->look(&check);
		if (check.state == CHECK_BAD)
			ready = false;
		if (json)
			doctor_print_json(row, &check);
		else
			doctor_print(row, &check);
	}
	if (!json)
		output_styled(ready ? OUTPUT_GOOD : OUTPUT_BAD, "\n%s\n",
			      ready ? "This machine is ready." : "This machine is not ready.");
	return ready ? STATUS_HELD : STATUS_FAILED;
}

void cmd_doctor_help(void)
{
	option_print_help(doctor_groups);
	output_print("\nExit codes: 0 it is ready, 1 it is not.\n");
}

int cmd_doctor(int argc, char **argv)
{
	struct error error;
	bool json = false;

	switch (option_parse_all(doctor_groups, &json, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return doctor_examine(json);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
