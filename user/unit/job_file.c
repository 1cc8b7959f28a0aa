// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fixture.h"
#include "scenario.h"
#include "unit.h"

static struct scenario scenario;

/* Reads @text as a job file called j, up to what makes sense as a whole. */
static int read_job(const char *text, struct job_file *file, struct job *job, struct error *error)
{
	struct fixture fixture = fixture_create();
	char path[PATH_MAX];
	int ret;

	fixture_write(&fixture, "/j", text);
	snprintf(path, sizeof(path), "%s/j", fixture.root);
	ret = job_file_read(file, path, error);
	fixture_destroy(&fixture);
	if (ret)
		return -1;
	file->path = "j";
	ret = scenario_read(&scenario, file, error) || scenario_finish(&scenario, error) ? -1 : 0;
	*job = scenario.run;
	return ret;
}

static bool reads(const char *text, struct job_file *file, struct job *job)
{
	struct error error;

	if (!read_job(text, file, job, &error))
		return true;
	unit_fail(__FILE__, __LINE__, "\"%s\": %s", text, error.text);
	job_file_free(file);
	return false;
}

static void expect_refused(const char *text, const char *reason)
{
	struct job_file file;
	struct error error;
	struct job job;

	if (!read_job(text, &file, &job, &error))
		unit_fail(__FILE__, __LINE__, "\"%s\" is not refused", text);
	EXPECT_NUMBER(error.status, STATUS_MISUSE);
	EXPECT_WITHIN(error.text, reason);
	EXPECT_TRUE(!strchr(error.text, '\n'));
	job_file_free(&file);
}

static void reads_lines_and_headings(void)
{
	struct job_file file;
	struct job job;

	if (!reads("# one\n"
		   "hold = 2s ; two\n"
		   "\n"
		   "[cgroup]  ; three\r\n"
		   "\tmax = 20M\n"
		   "  swap-max=0\n"
		   "cgroup = /a/b\n"
		   "[step]\n"
		   "size = 1M\n"
		   "kind = anon\n"
		   "[step]\n"
		   "kind = pipe,count=2",
		   &file, &job))
		return;
	EXPECT_NUMBER(job.hold_ns, 2 * NS_PER_S);
	EXPECT_NUMBER(job.limits.of[LIMITS_MAX].value, 20 << 20);
	EXPECT_NUMBER(job.limits.of[LIMITS_SWAP_MAX].unit, AMOUNT_BYTES);
	EXPECT_STRING(job.cgroup, "/a/b");
	EXPECT_NUMBER(job.step_count, 2);
	EXPECT_STRING(job.steps[0].kind->name, "anon");
	EXPECT_NUMBER(job.steps[0].size.value, 1 << 20);
	EXPECT_STRING(job.steps[1].kind->name, "pipe");
	EXPECT_NUMBER(job.steps[1].count, 2);
	EXPECT_NUMBER(job.steps[1].size.unit, AMOUNT_NONE);
	job_file_free(&file);
}

static void keys_before_headings_are_of_all_steps(void)
{
	struct job_file file;
	struct job job;

	if (!reads("wait = 3s\nsize = 1M\n[step]\nkind = anon\n[step]\nkind = memfd\nsize = 2M\n",
		   &file, &job))
		return;
	EXPECT_NUMBER(job.steps[0].wait_ns, 3 * NS_PER_S);
	EXPECT_NUMBER(job.steps[1].wait_ns, 3 * NS_PER_S);
	EXPECT_NUMBER(job.steps[0].size.value, 1 << 20);
	EXPECT_NUMBER(job.steps[1].size.value, 2 << 20);
	job_file_free(&file);
}

static void options_choose_a_step(void)
{
	struct job_file file;
	struct error error;
	struct job job;

	if (!reads("[step]\nkind=anon\nsize=1M\n[step]\nkind=memfd\nsize=1M\n", &file, &job))
		return;
	job.chosen = 1;
	EXPECT_NUMBER(option_find_in_groups(job_options, "size")->set(&job, "--size", "4M", &error),
		      0);
	EXPECT_NUMBER(job.steps[0].size.value, 4 << 20);
	EXPECT_NUMBER(job.steps[1].size.value, 1 << 20);
	job_file_free(&file);
}

static void says_which_line_is_wrong(void)
{
	expect_refused("max = 1M\n\nmax 20M\n", "j:3: this is neither KEY = VALUE nor a [heading]");
	expect_refused("[cgroup]\nmax 20M\n[stop]\n", "j:2: this is neither");
	expect_refused("[stop]\nmax 20M\n", "j:2: this is neither");
	expect_refused("[step\nkind = anon\n", "j:1: the heading has no ]");
	expect_refused("[step] kind = anon\n", "j:1: behind a heading");
	expect_refused("[cgroup 0123456789012345678901234567890123456789012]\n",
		       "j:1: the heading is");
	expect_refused("\n= 3\n", "j:2: there is no key");
	expect_refused("hold = \x01\n", "j:1: this is no text");
	expect_refused("[stop]\n", "j:1: [stop] is not allowed; there are [cgroup]");
	expect_refused("max = many\n", "j:1: max: 'many' is not allowed; give");
	expect_refused("max =\n", "j:1: max: '' is not allowed; give");
	expect_refused("sise = 3\n", "j:1: unknown key 'sise'; before the first heading there are");
	expect_refused("[cgroup]\nkind = anon\n", "j:2: unknown key 'kind'; [cgroup] has");
	expect_refused("[cgroup]\nmax = 1M\n\nmax = 2M\n", "j:4: max: it is in line 2 as well");
	expect_refused("\n[step]\nsize = 1M\n", "j:2: [step] has no kind");
	expect_refused("[step]\nsize = 1M\nkind = anom\n",
		       "j:3: kind: 'anom' is not allowed; give");
	expect_refused("[step]\nkind = anon,sise=1M\n", "j:2: kind anon: unknown key 'sise'");
	expect_refused("[step]\nkind = anon\nmlock = no\n", "j:3: mlock: 'no' is not allowed");
	expect_refused("[step]\nkind = anon\n", "j:2: step 1 (anon): how much?");
}

static void refuses_a_line_without_end(void)
{
	static char text[4096];

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "\ncgroup = ", strlen("\ncgroup = "));
	expect_refused(text, "j:2: the line is too long");
}

const struct unit_test unit_job_file_tests[] = {
	{ "job_file_reads_lines_and_headings", reads_lines_and_headings },
	{ "job_file_keys_before_headings_are_of_all_steps", keys_before_headings_are_of_all_steps },
	{ "job_file_options_choose_a_step", options_choose_a_step },
	{ "job_file_says_which_line_is_wrong", says_which_line_is_wrong },
	{ "job_file_refuses_a_line_without_end", refuses_a_line_without_end },
	{},
};
