// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "job.h"
#include "unit.h"

/* Splits @line at blanks and reads it as the options of run. */
static int parse(const char *line, struct job *job, struct error *error)
{
	static char words[1024];
	char *argv[3 * JOB_STEPS_MAX] = { words };
	char *word, *rest = NULL;
	int argc = 1;

	snprintf(words, sizeof(words), "run %s", line);
	strtok_r(words, " ", &rest);
	while (argc < (int)ARRAY_SIZE(argv) && (word = strtok_r(NULL, " ", &rest)))
		argv[argc++] = word;
	job_init(job);
	error->text[0] = '\0';
	if (option_parse_all(job_options, job, argc, argv, error) != OPTION_GO)
		return -1;
	return job_finish(job, error);
}

static void expect_refused(const char *line, const char *reason)
{
	struct error error;
	struct job job;

	if (!parse(line, &job, &error)) {
		unit_fail(__FILE__, __LINE__, "\"%s\" is not refused", line);
		return;
	}
	EXPECT_NUMBER(error.status, STATUS_MISUSE);
	EXPECT_WITHIN(error.text, reason);
	EXPECT_TRUE(!strchr(error.text, '\n'));
}

static bool parses(const char *line, struct job *job)
{
	struct error error;

	if (!parse(line, job, &error))
		return true;
	unit_fail(__FILE__, __LINE__, "\"%s\": %s", line, error.text);
	return false;
}

static void has_defaults(void)
{
	struct job job;

	if (!parses("--kind kmalloc --size 64M", &job))
		return;
	EXPECT_NUMBER(job.step_count, 1);
	EXPECT_STRING(job.steps[0].kind->name, "kmalloc");
	EXPECT_NUMBER(job.steps[0].object_size, 1024);
	EXPECT_NUMBER(job.steps[0].policy, MEMSTRESS_POLICY_KERNEL);
	EXPECT_NUMBER(job.steps[0].node, MEMSTRESS_NODE_ANY);
	EXPECT_TRUE(job.steps[0].account);
	EXPECT_TRUE(!job.outside);
	EXPECT_NUMBER(job.expect, EXPECT_DONE);
	EXPECT_NUMBER(job.max.unit, AMOUNT_NONE);
	EXPECT_NUMBER(job.timeout_ns, 300 * NS_PER_S);
}

static void options_apply_to_their_step(void)
{
	struct job job;

	if (!parses("--size 1M --policy noio --kind page --order 3 --kind vmalloc --size 2M", &job))
		return;
	EXPECT_NUMBER(job.step_count, 2);
	EXPECT_NUMBER(job.steps[0].size.value, 1 << 20);
	EXPECT_NUMBER(job.steps[0].order, 3);
	EXPECT_NUMBER(job.steps[1].size.value, 2 << 20);
	EXPECT_NUMBER(job.steps[1].order, 0);
	EXPECT_NUMBER(job.steps[1].policy, MEMSTRESS_POLICY_NOIO);
}

static void keys_are_options(void)
{
	struct job job;

	if (!parses("--kind page,order=2,count=5,zero,node=0 --kind=cache,size=1M,noaccount", &job))
		return;
	EXPECT_NUMBER(job.steps[0].order, 2);
	EXPECT_NUMBER(job.steps[0].count, 5);
	EXPECT_NUMBER(job.steps[0].node, 0);
	EXPECT_TRUE(job.steps[0].zero);
	EXPECT_TRUE(job.steps[0].account);
	EXPECT_TRUE(!job.steps[1].account);
	EXPECT_TRUE(!job.steps[1].zero);
}

static void count_replaces_size(void)
{
	struct job job;

	if (!parses("--size 1M --kind page --count 3 --kind page", &job))
		return;
	EXPECT_NUMBER(job.steps[0].count, 3);
	EXPECT_NUMBER(job.steps[0].size.unit, AMOUNT_NONE);
	EXPECT_NUMBER(job.steps[1].count, 0);
	EXPECT_NUMBER(job.steps[1].size.value, 1 << 20);
}

static void expectation_follows_until(void)
{
	struct job job;

	if (parses("--kind page --until oom", &job))
		EXPECT_NUMBER(job.expect, EXPECT_OOM);
	if (parses("--kind page --until enomem", &job))
		EXPECT_NUMBER(job.expect, EXPECT_ENOMEM);
	if (parses("--kind page --until 80%", &job)) {
		EXPECT_NUMBER(job.expect, EXPECT_DONE);
		EXPECT_NUMBER(job.steps[0].until, UNTIL_USAGE);
		EXPECT_NUMBER(job.steps[0].usage.value, 80);
	}
	if (parses("--expect survive --kind page --until enomem", &job))
		EXPECT_NUMBER(job.expect, EXPECT_SURVIVE);
}

static void limits_and_times(void)
{
	struct job job;

	if (!parses("--kind page --size 50% --max 64M --high 80% --swap-max 0 --cgroup a/b", &job))
		return;
	EXPECT_NUMBER(job.max.value, 64 << 20);
	EXPECT_NUMBER(job.high.unit, AMOUNT_PERCENT);
	EXPECT_NUMBER(job.swap_max.unit, AMOUNT_BYTES);
	EXPECT_NUMBER(job.swap_max.value, 0);
	EXPECT_STRING(job.cgroup, "a/b");

	if (!parses("--kind page --size 1M --hold 2s --timeout 1m --free random --seed 7", &job))
		return;
	EXPECT_NUMBER(job.hold_ns, 2 * NS_PER_S);
	EXPECT_NUMBER(job.timeout_ns, 60 * NS_PER_S);
	EXPECT_NUMBER(job.free_order, MEMSTRESS_FREE_RANDOM);
	EXPECT_NUMBER(job.seed, 7);

	if (!parses("--kind page --size 1M --payer outside --oom-group", &job))
		return;
	EXPECT_TRUE(job.outside);
	EXPECT_TRUE(job.oom_group);
}

static void refuses_what_makes_no_sense(void)
{
	expect_refused("", "nothing to allocate");
	expect_refused("--kind", "--kind needs an argument");
	expect_refused("--kind foo", "'foo'");
	expect_refused("--kind ,size=1M", "--kind");
	expect_refused("--kind page", "step 1 (page): how much?");
	expect_refused("--kind page --size 0", "--size: '0'");
	expect_refused("--kind page,count=0", "--kind page: count: '0'");
	expect_refused("--kind page,order=x", "--kind page: order: 'x'");
	expect_refused("--kind page,colour=red", "unknown key 'colour'");
	expect_refused("--kind page,kind=page", "unknown key 'kind'");
	expect_refused("--kind page,zero=1", "takes no value");
	expect_refused("--kind page,order", "needs a value");
	expect_refused("--kind page --object-size 8", "page has orders");
	expect_refused("--kind kmalloc,order=1", "kmalloc has sizes");
	expect_refused("--kind page --size 1M --policy gentle", "'gentle'");
	expect_refused("--kind page --until oom --kind page --size 1M", "only the last step");
	expect_refused("--kind page,noaccount --until enomem", "what nobody pays for");
	expect_refused("--max banana --kind page --size 1M", "--max: 'banana'");
	expect_refused("--max 101% --kind page --size 1M", "--max: '101%'");
	expect_refused("--kind page --size 1M --hold 0", "--hold: '0'");
	expect_refused("--kind page --size 1M --seed 3", "--free random");
	expect_refused("--kind page --size 1M --payer somebody", "'somebody'");
	expect_refused("--kind page --size 1M --expect rain", "'rain'");
	expect_refused("--kind page --size 1M --json=1", "takes no argument");
	expect_refused("--kind page --size 1M --json --quiet", "exclude each other");
	expect_refused("--kind page --size 1M --frob", "unknown option '--frob'");
	expect_refused("--kind page --size 1M -x", "unknown option '-x'");
	expect_refused("--kind page --size 1M more", "unexpected argument 'more'");
	expect_refused("--kind page --size 1M -- more", "unexpected argument 'more'");
}

static void refuses_too_many_steps(void)
{
	char line[1024] = "";
	int i;

	for (i = 0; i <= JOB_STEPS_MAX; i++)
		strcat(line, "--kind page,count=1 ");
	expect_refused(line, "more than 32 steps");
}

const struct unit_test unit_job_tests[] = {
	{ "job_has_defaults", has_defaults },
	{ "job_options_apply_to_their_step", options_apply_to_their_step },
	{ "job_keys_are_options", keys_are_options },
	{ "job_count_replaces_size", count_replaces_size },
	{ "job_expectation_follows_until", expectation_follows_until },
	{ "job_limits_and_times", limits_and_times },
	{ "job_refuses_what_makes_no_sense", refuses_what_makes_no_sense },
	{ "job_refuses_too_many_steps", refuses_too_many_steps },
	{},
};
