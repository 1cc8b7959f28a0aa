// SPDX-License-Identifier: GPL-2.0
/* memstress: kernel memory charged to a cgroup, and what comes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "output.h"
#include "version.h"

static int main_help(int argc, char **argv);

static const struct command commands[] = {
	{
		.name = "run",
		.synopsis = "[JOB.ini] [OPTION]... [--kind KIND [OPTION]...]...",
		.summary = "make a cgroup, fill it with memory of any kind, watch, judge, clean up",
		.run = cmd_run,
		.print_help = cmd_run_help,
	},
	{
		.name = "exec",
		.synopsis = "[OPTION]... -- CMD [ARG]...",
		.summary = "run a command in a cgroup with limits, and tell how it ended",
		.run = cmd_exec,
		.print_help = cmd_exec_help,
	},
	{
		.name = "squeeze",
		.synopsis = "[OPTION]... CGROUP",
		.summary = "lower a limit of a live cgroup until something happens",
		.run = cmd_squeeze,
		.print_help = cmd_squeeze_help,
	},
	{
		.name = "fill",
		.synopsis = "[--in CGROUP] [OPTION]... SIZE|PERCENT%",
		.summary = "hold the usage of a cgroup at a level, while others in it move",
		.run = cmd_fill,
		.print_help = cmd_fill_help,
	},
	{
		.name = "audit",
		.synopsis = "[OPTION]...",
		.summary = "show to whom the kernel charges objects of each kind",
		.run = cmd_audit,
		.print_help = cmd_audit_help,
	},
	{
		.name = "sessions",
		.synopsis = "[--json]",
		.summary = "show who has opened the device, and what they hold",
		.run = cmd_sessions,
		.print_help = cmd_sessions_help,
	},
	{
		.name = "events",
		.synopsis = "[--json] [--count N] [--timeout TIME]",
		.summary = "tell what happens: sessions, allocations, OOM kills, releases",
		.run = cmd_events,
		.print_help = cmd_events_help,
	},
	{
		.name = "stat",
		.synopsis = "[--json] [--digest] [CGROUP]...",
		.summary = "show what cgroups use of what they may, and what it is made of",
		.run = cmd_stat,
		.print_help = cmd_stat_help,
	},
	{
		.name = "watch",
		.synopsis = "[--interval TIME] [CGROUP]...",
		.summary = "show the same on all of the terminal, as it changes, and who is killed",
		.run = cmd_watch,
		.print_help = cmd_watch_help,
	},
	{
		.name = "attach",
		.synopsis = "[--tree] [--json] PID CGROUP",
		.summary = "move a process into a cgroup, and tell what its old charges do",
		.run = cmd_attach,
		.print_help = cmd_attach_help,
	},
	{
		.name = "delegate",
		.synopsis = "[OPTION]... USER NAME | --remove NAME",
		.summary = "make a cgroup that a user may manage",
		.run = cmd_delegate,
		.print_help = cmd_delegate_help,
	},
	{
		.name = "clean",
		.synopsis = "[--dry-run] [--json]",
		.summary = "remove what runs that died have left behind",
		.run = cmd_clean,
		.print_help = cmd_clean_help,
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
		output_print("  %-10s%s\n", command->name, command->summary);
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
	const struct command *command;
	char names[256];
	struct error error;
	size_t used = 0;

	for (command = commands; command->name && used < sizeof(names); command++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
				 command->name);
	error_set(&error, STATUS_MISUSE, "unknown command '%s'; there are %s", word, names);
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
	error_set(&error, STATUS_FAILED, "cannot write to standard output: %s",
		  ret == -EAGAIN ? "nobody reads it" : strerror(-ret));
	return error_report(&error);
}
