// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fixture.h"
#include "scenario.h"
#include "unit.h"

static struct scenario scenario;
static struct job_file file;

/* Reads @text as a job file called j, into scenario. */
static int read_text(const char *text, struct error *error)
{
	struct fixture fixture = fixture_create();
	char path[PATH_MAX];
	int ret;

	fixture_write(&fixture, "/j", text);
	snprintf(path, sizeof(path), "%s/j", fixture.root);
	ret = job_file_read(&file, path, error);
	fixture_destroy(&fixture);
	if (ret)
		return -1;
	file.path = "j";
	return scenario_read(&scenario, &file, error) || scenario_finish(&scenario, error) ? -1 : 0;
}

static bool reads(const char *text)
{
	struct error error;

	if (!read_text(text, &error))
		return true;
	unit_fail(__FILE__, __LINE__, "\"%s\": %s", text, error.text);
	job_file_free(&file);
	return false;
}

static void expect_refused(const char *text, const char *reason)
{
	struct error error;

	if (!read_text(text, &error))
		unit_fail(__FILE__, __LINE__, "\"%s\" is not refused", text);
	EXPECT_NUMBER(error.status, STATUS_MISUSE);
	EXPECT_WITHIN(error.text, reason);
	EXPECT_TRUE(!strchr(error.text, '\n'));
	job_file_free(&file);
}

static void cgroups_come_with_those_above(void)
{
	if (!reads("[cgroup a/b/c]\nmax = 1M\n[cgroup a]\nhigh = 50%\n[cgroup d]\n"
		   "[worker w]\ncgroup = d\n[step]\nkind = anon\nsize = 1M\n"))
		return;
	EXPECT_NUMBER(scenario.cgroup_count, 4);
	EXPECT_STRING(scenario.cgroups[0].name, "a");
	EXPECT_STRING(scenario.cgroups[1].name, "a/b");
	EXPECT_STRING(scenario.cgroups[2].name, "a/b/c");
	EXPECT_STRING(scenario.cgroups[3].name, "d");
	EXPECT_NUMBER(scenario.cgroups[0].limits.of[LIMITS_HIGH].unit, AMOUNT_PERCENT);
	EXPECT_NUMBER(scenario.cgroups[1].limits.of[LIMITS_MAX].unit, AMOUNT_NONE);
	EXPECT_NUMBER(scenario.cgroups[2].limits.of[LIMITS_MAX].value, 1 << 20);
	EXPECT_TRUE(scenario.cgroups[0].is_parent && scenario.cgroups[1].is_parent);
	EXPECT_TRUE(!scenario.cgroups[2].is_parent && !scenario.cgroups[3].is_parent);
	EXPECT_NUMBER(scenario.workers[0].cgroup, 3);
	EXPECT_TRUE(scenario_is_large(&scenario));
	job_file_free(&file);
}

static void workers_have_their_steps(void)
{
	if (!reads("size = 3M\nhold = 2s\n"
		   "[worker a]\ncopies = 4\nwait = 1s\n[step]\nkind = anon\n[step]\nkind = memfd\n"
		   "[worker b]\nafter = a\nstart = 500ms\nhold = 3s\n"
		   "[step]\nkind = pipe\nsize = 1M\n"))
		return;
	EXPECT_NUMBER(scenario.worker_count, 2);
	EXPECT_NUMBER(scenario.workers[0].copies, 4);
	EXPECT_NUMBER(scenario.workers[0].after, -1);
	EXPECT_NUMBER(scenario.workers[0].cgroup, -1);
	EXPECT_NUMBER(scenario.workers[0].job.step_count, 2);
	EXPECT_NUMBER(scenario.workers[0].job.steps[1].wait_ns, NS_PER_S);
	EXPECT_NUMBER(scenario.workers[0].job.steps[1].size.value, 3 << 20);
	EXPECT_NUMBER(scenario.workers[0].job.hold_ns, 2 * NS_PER_S);
	EXPECT_NUMBER(scenario.workers[1].after, 0);
	EXPECT_NUMBER(scenario.workers[1].start_ns, NS_PER_S / 2);
	EXPECT_NUMBER(scenario.workers[1].job.step_count, 1);
	EXPECT_NUMBER(scenario.workers[1].job.steps[0].wait_ns, 0);
	EXPECT_NUMBER(scenario.workers[1].job.steps[0].size.value, 1 << 20);
	EXPECT_NUMBER(scenario.workers[1].job.hold_ns, 3 * NS_PER_S);
	job_file_free(&file);
}

static void times_are_in_order(void)
{
	if (!reads("[at 3s]\nmax = 3M\n[at 1s]\nmax = 1M\n[at 3s]\nworker = worker\n"
		   "[at 2500ms]\nmax = 2M\n[step]\nkind = anon\nsize = 1M\n"))
		return;
	EXPECT_NUMBER(scenario.time_count, 4);
	EXPECT_NUMBER(scenario.times[0].at_ns, NS_PER_S);
	EXPECT_NUMBER(scenario.times[1].at_ns, 2500 * NS_PER_MS);
	EXPECT_NUMBER(scenario.times[2].limits.of[LIMITS_MAX].value, 3 << 20);
	EXPECT_NUMBER(scenario.times[2].worker, -1);
	EXPECT_NUMBER(scenario.times[3].worker, 0);
	job_file_free(&file);
}

static void expectations_are_of_workers(void)
{
	const struct scenario_expect *expects = scenario.expects;

	if (!reads("[cgroup c]\n[worker a]\ncgroup = c\ncopies = 3\n"
		   "[step]\nkind = anon\nsize = 1M\n"
		   "[expect]\na = oom, some done , none killed, 2 oom of c, oom of /\n"))
		return;
	EXPECT_NUMBER(scenario.expect_count, 5);
	EXPECT_NUMBER(expects[0].quantity, QUANTITY_ALL);
	EXPECT_NUMBER(expects[0].what, EXPECT_OOM);
	EXPECT_TRUE(!expects[0].is_of);
	EXPECT_NUMBER(expects[1].quantity, QUANTITY_SOME);
	EXPECT_NUMBER(expects[1].what, EXPECT_DONE);
	EXPECT_NUMBER(expects[2].quantity, QUANTITY_NONE);
	EXPECT_NUMBER(expects[2].what, EXPECT_KILLED);
	EXPECT_NUMBER(expects[3].quantity, QUANTITY_NUMBER);
	EXPECT_NUMBER(expects[3].number, 2);
	EXPECT_TRUE(expects[3].is_of);
	EXPECT_NUMBER(expects[3].of, 0);
	EXPECT_TRUE(expects[4].is_of);
	EXPECT_NUMBER(expects[4].of, -1);
	job_file_free(&file);
}

static void one_worker_is_a_job(void)
{
	if (!reads("[cgroup]\nmax = 8M\n[worker a]\nhold = 1s\n[step]\nkind = anon\nsize = 1M\n"
		   "[expect]\na = survive\n"))
		return;
	EXPECT_TRUE(!scenario_is_large(&scenario));
	EXPECT_NUMBER(scenario.run.step_count, 1);
	EXPECT_NUMBER(scenario.run.hold_ns, NS_PER_S);
	EXPECT_NUMBER(scenario.run.expect, EXPECT_SURVIVE);
	EXPECT_NUMBER(scenario.run.limits.of[LIMITS_MAX].value, 8 << 20);
	EXPECT_TRUE(!scenario.run.outside);
	job_file_free(&file);
}

#define ONE "[worker one]\n[step]\nkind = anon\nsize = 1M\n"

static void refuses_what_makes_no_sense(void)
{
	expect_refused("[worker a]\n", "j:1: [worker a] has no [step]");
	expect_refused(ONE ONE, "j:5: [worker one] is in line 1 as well");
	expect_refused("[step]\nkind = anon\nsize = 1M\n" ONE,
		       "j:4: [worker one] comes after a step");
	expect_refused("[cgroup /a]\n" ONE, "j:1: [cgroup /a] is not allowed");
	expect_refused("[cgroup a//b]\n" ONE, "j:1: [cgroup a//b] is not allowed");
	expect_refused("[cgroup a/..]\n" ONE, "j:1: [cgroup a/..] is not allowed");
	expect_refused("[cgroup a]\n" ONE, "j:2: [worker one] cgroup: '/' is not allowed, as");
	expect_refused("[cgroup a/b]\n[worker one]\ncgroup = a\n[step]\nkind = anon\nsize = 1M\n",
		       "j:2: [worker one] cgroup: 'a' is not allowed, as there are some below; "
		       "give one of a/b");
	expect_refused("[worker one]\nafter = one\n", "j:2: after: 'one' is not allowed");
	expect_refused(ONE "[at 1s]\nmax = 1M\nworker = one\n",
		       "j:5: [at] has not one thing to do");
	expect_refused("payer = outside\nkind = page\nsize = 1M\n[at 1s]\nmax = 1M\n",
		       "j: payer: 'outside' is not");
	expect_refused("hold = 1s\n" ONE "churn = 1M/s\n[at 1s]\nmax = 1M\n", "j:4: churn is not");
	expect_refused(ONE "[expect]\none = done of /\n", "j:6: one: 'done of /' is not allowed");
	expect_refused(ONE "[expect]\none =\n", "j:6: one: '' is not allowed");
	expect_refused("[at 1s]\nmax = 1M\n", "j: there is no [step]");
}

const struct unit_test unit_scenario_tests[] = {
	{ "scenario_cgroups_come_with_those_above", cgroups_come_with_those_above },
	{ "scenario_workers_have_their_steps", workers_have_their_steps },
	{ "scenario_times_are_in_order", times_are_in_order },
	{ "scenario_expectations_are_of_workers", expectations_are_of_workers },
	{ "scenario_one_worker_is_a_job", one_worker_is_a_job },
	{ "scenario_refuses_what_makes_no_sense", refuses_what_makes_no_sense },
	{},
};
