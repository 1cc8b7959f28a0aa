// SPDX-License-Identifier: GPL-2.0
/* Runs the unit tests and tells in KTAP how they went. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

static const struct unit_test *const groups[] = {
	unit_units_tests,         unit_job_tests,      unit_plan_tests,     unit_cgroup_tests,
	unit_cgroup_v1_tests,     unit_kmsg_tests,     unit_loop_tests,     unit_json_tests,
	unit_cli_tests,           unit_verdict_tests,  unit_ending_tests,   unit_stat_tests,
	unit_squeeze_tests,       unit_writer_tests,   unit_watch_tests,    unit_live_tests,
	unit_cgroup_name_tests,   unit_leftover_tests, unit_attach_tests,   unit_delegation_tests,
	unit_scope_tests,         unit_growth_tests,   unit_workload_tests, unit_fate_tests,
	unit_systemd_limit_tests, unit_job_file_tests, unit_scenario_tests, unit_critic_tests,
	unit_signals_tests,       unit_text_tests,     unit_output_tests,   unit_actor_tests,
	unit_process_tests,
};

static bool failed;
static const char *skipped;

void unit_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	failed = true;
	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void unit_skip(const char *why)
{
	skipped = why;
}

void unit_expect_true(const char *file, int line, const char *text, bool is_true)
{
	if (!is_true)
		unit_fail(file, line, "%s is not true", text);
}

void unit_expect_number(const char *file, int line, const char *text, long long seen,
			long long expected)
{
	if (seen != expected)
		unit_fail(file, line, "%s is %lld, expected %lld", text, seen, expected);
}

void unit_expect_string(const char *file, int line, const char *text, const char *seen,
			const char *expected)
{
	if (!seen || strcmp(seen, expected))
		unit_fail(file, line, "%s is \"%s\", expected \"%s\"", text, seen ? seen : "(null)",
			  expected);
}

void unit_expect_within(const char *file, int line, const char *text, const char *seen,
			const char *expected)
{
	if (!seen || !strstr(seen, expected))
		unit_fail(file, line, "%s is \"%s\", expected \"%s\" in it", text,
			  seen ? seen : "(null)", expected);
}

static unsigned int count_tests(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct unit_test *test;

		for (test = groups[i]; test->name; test++)
			count++;
	}
	return count;
}

int main(void)
{
	unsigned int i, number = 0, failures = 0;

	printf("KTAP version 1\n1..%u\n", count_tests());
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct unit_test *test;

		for (test = groups[i]; test->name; test++) {
			failed = false;
			skipped = NULL;
			test->run();
			failures += failed;
			printf("%s %u %s%s%s\n", failed ? "not ok" : "ok", ++number, test->name,
			       skipped ? " # SKIP " : "", skipped ? skipped : "");
			fflush(stdout);
		}
	}
	return failures ? 1 : 0;
}
