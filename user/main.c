// SPDX-License-Identifier: GPL-2.0
/* memstress: kernel memory charged to a cgroup, and what comes of it. */
#include <string.h>

#include "commands.h"
#include "error.h"
#include "output.h"
#include "version.h"

static int main_help(int argc, char **argv);

static const struct command commands[] = {
	{
		.name = "run",
		.synopsis = "[OPTION]... --kind KIND [OPTION]...",
		.summary = "make a cgroup, allocate kernel memory in it, watch, judge, clean up",
		.run = cmd_run,
		.print_help = cmd_run_help,
	},
	{
		.name = "kinds",
		.synopsis = "[--json]",
		.summary = "show what can be allocated here, and why not",
		.run = cmd_kinds,
		.print_help = cmd_kinds_help,
	},
	{
		.name = "doctor",
		.synopsis = "[--json]",
		.summary = "show whether this machine is ready, and what to do if not",
		.run = cmd_doctor,
		.print_help = cmd_doctor_help,
	},
	{
		.name = "help",
		.synopsis = "[COMMAND]",
		.summary = "show the commands, or the help of one",
		.run = main_help,
	},
	{}
};

static void main_print_command_help(const struct command *command)
{
	output_print("usage: memstress %s %s\n\n%s\n", command->name, command->synopsis,
		     command->summary);
	if (command->print_help)
		command->print_help();
}

static void main_print_help(void)
{
	const struct command *command;

	output_print("usage: memstress COMMAND [OPTION]...\n\n");
	for (command = commands; command->name; command++)
		output_print("  %-8s%s\n", command->name, command->summary);
	output_print("\n\"memstress help COMMAND\" tells more, --version the version.\n");
	output_print("\nExit codes: 0 the expectation held, 1 it did not or something failed,\n");
	output_print("2 misuse, 4 this cannot be done here.\n");
}

static const struct command *main_find(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

static int main_refuse(const char *word)
{
	struct error error;

	error_set(&error, STATUS_MISUSE, "unknown command '%s'; there are run, kinds, doctor, help",
		  word);
	return error_report(&error);
}

/* Of a command, or of all. */
static int main_help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2 || !strcmp(argv[1], "--help")) {
		main_print_help();
		return STATUS_HELD;
	}
	command = main_find(argv[1]);
	if (!command)
		return main_refuse(argv[1]);
	main_print_command_help(command);
	return STATUS_HELD;
}

static int main_dispatch(int argc, char **argv)
{
	const struct command *command;
	struct error error;
	int status;

	if (argc < 2) {
		error_set(&error, STATUS_MISUSE, "no command given; memstress help lists them");
		return error_report(&error);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		main_print_help();
		return STATUS_HELD;
	}
	if (!strcmp(argv[1], "--version")) {
		output_print("memstress %s\n", MEMSTRESS_VERSION);
		return STATUS_HELD;
	}
	command = main_find(argv[1]);
	if (!command)
		return main_refuse(argv[1]);
	status = command->run(argc - 1, argv + 1);
	if (status != COMMAND_HELP)
		return status;
	main_print_command_help(command);
	return STATUS_HELD;
}

int main(int argc, char **argv)
{
	struct error error;
	int status, ret;

	output_init();
	status = main_dispatch(argc, argv);
	ret = output_finish();
	if (!ret)
		return status;
	error_set(&error, STATUS_FAILED, "cannot write to standard output: %s", strerror(-ret));
	return error_report(&error);
}
