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
	EXPECT_NUMBER(job.limits.of[LIMITS_MAX].unit, AMOUNT_NONE);
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

	if (!parses("--kind page --size 50% --max 64M --high 80% --low 1M --swap-max 0", &job))
		return;
	EXPECT_NUMBER(job.limits.of[LIMITS_MAX].value, 64 << 20);
	EXPECT_NUMBER(job.limits.of[LIMITS_HIGH].unit, AMOUNT_PERCENT);
	EXPECT_NUMBER(job.limits.of[LIMITS_LOW].value, 1 << 20);
	EXPECT_NUMBER(job.limits.of[LIMITS_ZSWAP_MAX].unit, AMOUNT_NONE);
	EXPECT_NUMBER(job.limits.of[LIMITS_SWAP_MAX].unit, AMOUNT_BYTES);
	EXPECT_NUMBER(job.limits.of[LIMITS_SWAP_MAX].value, 0);

	if (!parses("--kind page --size 1M --max 64M --min max --cgroup a/b", &job))
		return;
	EXPECT_TRUE(job.limits.of[LIMITS_MIN].value == CG_UNLIMITED);
	EXPECT_STRING(job.cgroup, "a/b");

	if (!parses("--kind page --size 1M --hold 2s --timeout 1m --free random --seed 7", &job))
		return;
	EXPECT_NUMBER(job.hold_ns, 2 * NS_PER_S);
	EXPECT_NUMBER(job.timeout_ns, 60 * NS_PER_S);
	EXPECT_NUMBER(job.free_order, MEMSTRESS_FREE_RANDOM);
	EXPECT_NUMBER(job.seed, 7);

	if (!parses("--kind page --size 1M --payer outside --oom-group --in pid:1", &job))
		return;
	EXPECT_STRING(job.in, "pid:1");
	EXPECT_TRUE(job.outside);
	EXPECT_NUMBER(job.limits.of[LIMITS_OOM_GROUP].value, 1);
}

static void context_decides_policy(void)
{
	struct job job;

	if (!parses("--context softirq --cpu 1 --size 1M --kind page --kind cache,policy=atomic",
		    &job))
		return;
	EXPECT_NUMBER(job.steps[0].context, MEMSTRESS_CONTEXT_SOFTIRQ);
	EXPECT_NUMBER(job.steps[0].cpu, 1);
	EXPECT_NUMBER(job.steps[0].policy, MEMSTRESS_POLICY_NOWAIT);
	EXPECT_NUMBER(job.steps[1].policy, MEMSTRESS_POLICY_ATOMIC);
	EXPECT_STRING(job_manner(&job.steps[0]).s, "policy nowait, in softirq on CPU 1");
	if (!parses("--kind kmalloc,context=kworker,size=1M", &job))
		return;
	EXPECT_NUMBER(job.steps[0].context, MEMSTRESS_CONTEXT_KWORKER);
	EXPECT_NUMBER(job.steps[0].policy, MEMSTRESS_POLICY_KERNEL);
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
	expect_refused("--kind page --size 1M --context attic", "'attic'");
	expect_refused("--kind page --size 1M --cpu 1", "a task runs where taskset puts it");
	expect_refused("--kind page --size 1M --context kworker --cpu one", "--cpu: 'one'");
	expect_refused("--kind page --until oom --kind page --size 1M", "only the last step");
	expect_refused("--kind page,noaccount --until enomem", "what nobody pays for");
	expect_refused("--max banana --kind page --size 1M", "--max: 'banana'");
	expect_refused("--max 101% --kind page --size 1M", "--max: '101%'");
	expect_refused("--kind page --size 1M --cgroup a --in b", "exclude each other");
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

static void user_memory_has_its_options(void)
{
	struct job job;

	if (!parses("--kind anon,size=1M,thp=on,mlock --kind file,clean,dir=/x,size=1M", &job))
		return;
	EXPECT_TRUE(job.steps[0].kind->workload);
	EXPECT_TRUE(job.steps[0].thp && job.steps[0].mlock);
	EXPECT_NUMBER(job.steps[0].object_size, 2 << 20);
	EXPECT_STRING(job_manner(&job.steps[0]).s, "in huge pages, locked");
	EXPECT_TRUE(job.steps[1].clean);
	EXPECT_NUMBER(job.steps[1].object_size, 4096);
	EXPECT_STRING(job_manner(&job.steps[1]).s, "clean, in /x");
	EXPECT_TRUE(job_has_user_memory(&job) && !job_has_kernel_memory(&job));
	if (!parses("--kind pipe,size=1M --kind page,size=1M", &job))
		return;
	EXPECT_NUMBER(job.steps[0].object_size, 64 << 10);
	EXPECT_TRUE(job_has_user_memory(&job) && job_has_kernel_memory(&job));
}

/* Defaults are for the kinds that have a use for them. */
static void defaults_are_for_their_kinds(void)
{
	struct job job;

	if (!parses("--policy atomic --thp on --size 4M --kind page --kind anon --kind memfd",
		    &job))
		return;
	EXPECT_NUMBER(job.steps[0].policy, MEMSTRESS_POLICY_ATOMIC);
	EXPECT_NUMBER(job.steps[1].policy, MEMSTRESS_POLICY_KERNEL);
	EXPECT_TRUE(job.steps[1].thp);
	EXPECT_TRUE(!job.steps[2].thp);
	EXPECT_NUMBER(job.steps[2].object_size, 4096);
}

static void user_memory_refuses_the_rest(void)
{
	expect_refused("--kind anon,size=1M,policy=atomic", "policy: this is for kernel memory");
	expect_refused("--kind anon,size=1M,order=1", "order: this is for kernel memory");
	expect_refused("--kind anon,size=1M --zero", "--zero: this is for kernel memory");
	expect_refused("--kind anon,size=1M --noaccount", "this is for kernel memory");
	expect_refused("--kind page,size=1M,thp=on", "this is for the kind anon, not for page");
	expect_refused("--kind memfd,size=1M,clean", "this is for the kind file, not for memfd");
	expect_refused("--kind file,size=1M,mlock", "this is for the kind anon, not for file");
	expect_refused("--kind anon,size=1M,thp=yes", "on or off");
	expect_refused("--kind file,size=1M --dir=", "the path of a directory");
	expect_refused("--kind anon,size=1M --payer outside", "give no --payer outside");
	expect_refused("--kind anon --until enomem", "give --until oom");
	expect_refused("--kind file,clean --until oom", "nobody is killed");
	expect_refused("--kind file --until oom", "nobody is killed");
	expect_refused("--kind file --until enomem", "nobody is killed");
	expect_refused("--kind anon,object-size=5000,size=1M", "a multiple of 4096");
	expect_refused("--kind anon,thp=on,object-size=4096,size=1M", "a multiple of 2097152");
	expect_refused("--kind pipe,object-size=2M,size=2M", "up to 1048576");
	expect_refused("--kind stack,object-size=4096,size=1M", "it is always 16384");
	expect_refused("--kind dentry,object-size=4096,size=1M", "it is always ");
	expect_refused("--kind dentry --until enomem", "give --until oom");
	expect_refused("--kind hugetlb,object-size=4096,size=1M", "a multiple of 2097152");
	expect_refused("--kind hugetlb --until oom", "give --until enomem or --size");
	expect_refused("--kind anon,size=1M --free-by bulk", "for kernel memory");
}

static void growth_has_its_options(void)
{
	struct job job;

	if (!parses("--count 9 --kind anon,growth=linear,rate=10M --kind pipe,growth=leak,step=4K",
		    &job))
		return;
	EXPECT_NUMBER(job.steps[0].growth.shape, GROWTH_LINEAR);
	EXPECT_NUMBER(job.steps[0].growth.rate_bytes, 10 << 20);
	EXPECT_STRING(growth_describe(&job.steps[0].growth).s, "linear, 10M/s");
	EXPECT_NUMBER(job.steps[1].growth.step_bytes, 4096);
	EXPECT_NUMBER(job.steps[1].growth.factor, 10);
	EXPECT_NUMBER(job.steps[1].growth.every_ns, NS_PER_S);
	if (!parses("--kind page --size 1M --growth geometric --factor 3 --every 3s", &job))
		return;
	EXPECT_NUMBER(job.steps[0].growth.factor, 3);
	EXPECT_NUMBER(job.steps[0].growth.every_ns, 3 * NS_PER_S);
	EXPECT_STRING(growth_describe(&job.steps[0].growth).s, "geometric, factor 3, every 3 s");
	if (parses("--kind anon,size=1M,churn=64K/s --hold 1s", &job))
		EXPECT_NUMBER(job.steps[0].growth.churn_bytes, 64 << 10);
	if (parses("--kind anon,size=1M,growth=random,step=64K --seed 3", &job))
		EXPECT_NUMBER(job.steps[0].growth.times, 10);
}

static void growth_refuses_the_rest(void)
{
	expect_refused("--kind anon,size=1M,growth=fast", "'fast'");
	expect_refused("--kind anon,size=1M,growth=linear", "growth linear needs a rate");
	expect_refused("--kind anon,size=1M,rate=1M/s", "growth once has no rate");
	expect_refused("--kind anon,size=1M,growth=linear,rate=1M/s,factor=2",
		       "growth linear has no factor");
	expect_refused("--kind anon,size=1M,growth=linear,rate=1M/m", "'1M/m'");
	expect_refused("--kind anon,size=1M,growth=linear,rate=0", "'0'");
	expect_refused("--kind anon,size=1M,growth=steps", "growth steps needs a step");
	expect_refused("--kind anon,size=1M,growth=steps,step=0", "'0'");
	expect_refused("--kind anon,size=1M,growth=steps,step=1M,every=soon", "'soon'");
	expect_refused("--kind anon,size=1M,growth=geometric,factor=1", "nothing grows");
	expect_refused("--kind anon,growth=spike --until oom", "up to where?");
	expect_refused("--kind anon,growth=random,step=1M --until oom", "up to where?");
	expect_refused("--kind anon,size=1M,churn=1M", "churn is for --hold");
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
	{ "job_context_decides_policy", context_decides_policy },
	{ "job_refuses_what_makes_no_sense", refuses_what_makes_no_sense },
	{ "job_refuses_too_many_steps", refuses_too_many_steps },
	{ "job_user_memory_has_its_options", user_memory_has_its_options },
	{ "job_defaults_are_for_their_kinds", defaults_are_for_their_kinds },
	{ "job_user_memory_refuses_the_rest", user_memory_refuses_the_rest },
	{ "job_growth_has_its_options", growth_has_its_options },
	{ "job_growth_refuses_the_rest", growth_refuses_the_rest },
	{},
};
