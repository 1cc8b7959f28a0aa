// SPDX-License-Identifier: GPL-2.0
/* The tool as it is run: exit codes, and which stream says what. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "unit.h"

/* Runs it with stdout or stderr going to the other end of a pipe, and the other one nowhere. */
static int run(const char *arguments, const char *streams, char *text, size_t size)
{
	char command[512];
	size_t length;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "./memstress %s %s", arguments, streams);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	length = fread(text, 1, size - 1, pipe);
	text[length] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_stdout(const char *arguments, char *text, size_t size)
{
	return run(arguments, "2>/dev/null", text, size);
}

static int run_stderr(const char *arguments, char *text, size_t size)
{
	return run(arguments, "2>&1 >/dev/null", text, size);
}

static void expect_one_line(const char *arguments, int status, const char *reason)
{
	char text[4096];

	EXPECT_NUMBER(run_stderr(arguments, text, sizeof(text)), status);
	EXPECT_TRUE(!strncmp(text, "memstress: ", strlen("memstress: ")));
	EXPECT_TRUE(strchr(text, '\n') == text + strlen(text) - 1);
	EXPECT_WITHIN(text, reason);
	run_stdout(arguments, text, sizeof(text));
	EXPECT_STRING(text, "");
}

static void help_is_on_stdout(void)
{
	static const char *const arguments[] = {
		"--help",        "-h",           "help",
		"help run",      "run --help",   "run --kind page -h",
		"help kinds",    "kinds --help", "help doctor",
		"doctor --help", "help help",    "help --help",
		"help audit",    "audit --help", "help stat",
		"stat --help",   "exec --help",  "exec -q -h",
		"help squeeze",  "squeeze -h",   "squeeze job --help",
		"help watch",    "watch --help", "clean -h",
		"attach -h",     "delegate -h",  "help fill",
		"fill --help",   "fill 80% -h",
	};
	char text[16384];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(arguments); i++) {
		EXPECT_NUMBER(run_stdout(arguments[i], text, sizeof(text)), 0);
		EXPECT_WITHIN(text, "usage: memstress ");
		EXPECT_NUMBER(run_stderr(arguments[i], text, sizeof(text)), 0);
		EXPECT_STRING(text, "");
	}
}

static void tells_its_version(void)
{
	char text[256];

	EXPECT_NUMBER(run_stdout("--version", text, sizeof(text)), 0);
	EXPECT_TRUE(!strncmp(text, "memstress ", strlen("memstress ")));
}

static void misuse_is_one_line(void)
{
	expect_one_line("", 2, "no command");
	expect_one_line("frob", 2, "unknown command 'frob'");
	expect_one_line("help frob", 2, "unknown command 'frob'");
	expect_one_line("--frob", 2, "'--frob'");
	expect_one_line("kinds --frob", 2, "unknown option '--frob'");
	expect_one_line("kinds frob", 2, "unexpected argument 'frob'");
	expect_one_line("doctor --json=yes", 2, "takes no argument");
	expect_one_line("attach", 2, "which process");
	expect_one_line("attach 1 --tree", 2, "which process");
	expect_one_line("attach 1 --json a --frob", 2, "unknown option '--frob'");
	expect_one_line("attach 1 a b", 2, "unexpected argument 'b'");
	expect_one_line("attach one a", 2, "'one' is not the number of a process");
	expect_one_line("attach 0 a", 2, "'0' is not the number of a process");
	expect_one_line("delegate", 2, "to whom, and which cgroup?");
	expect_one_line("delegate root --max 8M", 2, "to whom, and which cgroup?");
	expect_one_line("delegate memstress-no-such-user a", 2, "there is no user");
	expect_one_line("delegate --remove", 2, "which cgroup?");
	expect_one_line("delegate --remove root a", 2, "which cgroup?");
	expect_one_line("delegate --max banana root a", 2, "'banana'");
	expect_one_line("clean all", 2, "unexpected argument 'all'");
	expect_one_line("stat --frob", 2, "unknown option '--frob'");
	expect_one_line("run", 2, "nothing to allocate");
	expect_one_line("exec", 2, "which command");
	expect_one_line("exec --max 8M --", 2, "which command");
	expect_one_line("exec --json -q -- true", 2, "exclude each other");
	expect_one_line("exec --max banana -- true", 2, "'banana'");
	expect_one_line("exec --kind page -- true", 2, "unknown option '--kind'");
	expect_one_line("exec --cgroup x --in y -- true", 2,
			"--cgroup and --in exclude each other");
	expect_one_line("run --kind page --max banana --size 1M", 2, "'banana'");
	expect_one_line("fill", 2, "how much?");
	expect_one_line("fill 5 -q 6", 2, "unexpected argument '6'");
	expect_one_line("fill 0%", 2, "'0%' is no level");
	expect_one_line("fill --kind anon,until=oom 5M", 2, "it is the level that says how much");
	expect_one_line("audit --kind anon", 2, "anon is user memory");
}

static void misuse_of_squeeze_is_one_line(void)
{
	expect_one_line("squeeze", 2, "which cgroup");
	expect_one_line("squeeze --to 6M", 2, "which cgroup");
	expect_one_line("squeeze job", 2, "one of --step, --rate and --to");
	expect_one_line("squeeze job --to 6M --step 1M", 2, "one of --step, --rate and --to");
	expect_one_line("squeeze job --to 6M --floor 1M", 2, "--to and --floor exclude");
	expect_one_line("squeeze --to 6M job other", 2, "unexpected argument 'other'");
	expect_one_line("squeeze job --to", 2, "--to needs an argument");
	expect_one_line("squeeze job --to 6MB", 2, "--to: '6MB'");
	expect_one_line("squeeze job --step 0", 2, "--step: '0'");
	expect_one_line("squeeze job --step 101%", 2, "--step: '101%'");
	expect_one_line("squeeze job --rate 10M", 2, "--rate: '10M'");
	expect_one_line("squeeze job --to 6M --every 0", 2, "--every: '0'");
	expect_one_line("squeeze job --to 6M --stuck-after x", 2, "--stuck-after: 'x'");
	expect_one_line("squeeze job --to 6M --kills -1", 2, "--kills: '-1'");
	expect_one_line("squeeze job --to 6M --racers 9", 2, "--racers: '9'");
	expect_one_line("squeeze job --to 6M --limit low", 2, "--limit: 'low'");
}

static void misuse_of_watch_is_one_line(void)
{
	expect_one_line("watch --frob", 2, "unknown option '--frob'");
	expect_one_line("watch --interval 1ms", 2, "--interval: '1ms'");
}

static void a_missing_device_is_one_line(void)
{
	char text[8192];

	if (!access(MEMSTRESS_DEVICE, F_OK)) {
		unit_skip("the module is loaded");
		return;
	}
	expect_one_line("run --kind page --max 64M --until oom", 4, "modprobe memstress");
	run_stdout("kinds", text, sizeof(text));
	EXPECT_WITHIN(text, "no: needs the module");
	EXPECT_WITHIN(text, "modprobe memstress");
	EXPECT_WITHIN(text, "writing to private pages");
}

static void a_full_disk_is_told(void)
{
	char text[512];

	if (access("/dev/full", W_OK)) {
		unit_skip("no /dev/full");
		return;
	}
	EXPECT_NUMBER(run("help", "2>&1 >/dev/full", text, sizeof(text)), 1);
	EXPECT_WITHIN(text, "standard output");
}

static void colours_are_for_terminals(void)
{
	char text[8192];

	run_stdout("help run", text, sizeof(text));
	EXPECT_TRUE(!strchr(text, '\033'));
}

const struct unit_test unit_cli_tests[] = {
	{ "cli_help_is_on_stdout", help_is_on_stdout },
	{ "cli_tells_its_version", tells_its_version },
	{ "cli_misuse_is_one_line", misuse_is_one_line },
	{ "cli_misuse_of_squeeze_is_one_line", misuse_of_squeeze_is_one_line },
	{ "cli_misuse_of_watch_is_one_line", misuse_of_watch_is_one_line },
	{ "cli_a_missing_device_is_one_line", a_missing_device_is_one_line },
	{ "cli_a_full_disk_is_told", a_full_disk_is_told },
	{ "cli_colours_are_for_terminals", colours_are_for_terminals },
	{},
};
