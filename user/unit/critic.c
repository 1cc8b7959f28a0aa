// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "critic.h"
#include "unit.h"

#define ACTORS 3

/* A job called /job with the cgroups a and a/b, and three copies of a worker in a/b. */
static struct scenario scenario;
static struct stage stage;
static struct actor actors[ACTORS];
static struct critique critiques[ACTORS];
static struct record_log record_log;

static void name_cgroup(struct cgroup *cg, const char *path)
{
	cg->tree = &stage.top.tree;
	cg->fd = -1;
	snprintf(cg->path, sizeof(cg->path), "%s", path);
}

static void set_up(void)
{
	int i;

	memset(&scenario, 0, sizeof(scenario));
	memset(&stage, 0, sizeof(stage));
	memset(actors, 0, sizeof(actors));
	strcpy(scenario.cgroups[0].name, "a");
	strcpy(scenario.cgroups[1].name, "a/b");
	scenario.cgroup_count = 2;
	scenario.worker_count = 1;
	strcpy(scenario.workers[0].name, "eater");
	scenario.workers[0].copies = ACTORS;
	scenario.workers[0].job.expect = EXPECT_OOM;
	stage.scenario = &scenario;
	stage.made = 2;
	stage.top.tree.ops = &cg_v2_ops;
	strcpy(stage.top.tree.mount, "/nowhere");
	name_cgroup(&stage.top.cg, "/nowhere/job");
	name_cgroup(&stage.below[0], "/nowhere/job/a");
	name_cgroup(&stage.below[1], "/nowhere/job/a/b");
	for (i = 0; i < ACTORS; i++) {
		actors[i].role = &scenario.workers[0];
		actors[i].cgroup = 1;
		actors[i].pid = 10 + i;
		actors[i].state = ACTOR_IS_GONE;
	}
	record_log_init(&record_log, NULL);
}

static void log_oom(enum kmsg_what what, const char *whose, int pid)
{
	struct record record = { .type = RECORD_OOM, .oom = { .what = what, .pid = pid } };

	snprintf(record.oom.oom_memcg, sizeof(record.oom.oom_memcg), "%s", whose);
	record_add(&record_log, &record);
}

static const struct record_judged *judge(void)
{
	critic_observe(critiques, actors, ACTORS, &stage, &record_log);
	critic_judge(critiques, ACTORS, &scenario, &record_log);
	return &record_last(&record_log, RECORD_JUDGED)->judged;
}

static void expect_of(enum scenario_quantity quantity, __u64 number, enum expect what, int of)
{
	struct scenario_expect *expect = &scenario.expects[scenario.expect_count++];

	snprintf(expect->text, sizeof(expect->text), "it");
	expect->quantity = quantity;
	expect->number = number;
	expect->what = what;
	expect->is_of = of != CRITIC_NO_CGROUP;
	expect->of = of;
}

static void tells_whose_limit_it_was(void)
{
	set_up();
	actors[0].signal = SIGKILL;
	log_oom(KMSG_CHOSEN, "/job/a", 10);
	log_oom(KMSG_KILLED, "", 10);
	actors[1].signal = SIGKILL;
	log_oom(KMSG_CHOSEN, "/container/job/a/b", 11);
	log_oom(KMSG_KILLED, "", 11);
	actors[2].signal = SIGKILL;
	log_oom(KMSG_CHOSEN, "/above", 12);
	log_oom(KMSG_KILLED, "", 12);
	EXPECT_TRUE(judge()->pass);
	EXPECT_NUMBER(critiques[0].outcome, OUTCOME_OOM);
	EXPECT_NUMBER(critiques[0].limit, 0);
	EXPECT_STRING(critiques[0].limit_name, "a");
	EXPECT_NUMBER(critiques[1].limit, 1);
	EXPECT_NUMBER(critiques[2].limit, CRITIC_NO_CGROUP);
	EXPECT_STRING(critiques[2].limit_name, "/above");
	record_log_free(&record_log);
}

/* Of a group that is killed together only one is chosen. */
static void a_group_is_of_one_report(void)
{
	int i;

	set_up();
	log_oom(KMSG_CHOSEN, "/job", 11);
	for (i = 0; i < ACTORS; i++) {
		actors[i].signal = SIGKILL;
		log_oom(KMSG_KILLED, "", 10 + i);
	}
	expect_of(QUANTITY_ALL, 0, EXPECT_OOM, -1);
	EXPECT_TRUE(judge()->pass);
	EXPECT_STRING(critiques[2].limit_name, "/");
	record_log_free(&record_log);
}

static void tells_kills_apart(void)
{
	set_up();
	actors[0].signal = SIGKILL;
	log_oom(KMSG_CHOSEN, "", 10);
	log_oom(KMSG_KILLED, "", 10);
	actors[1].signal = SIGKILL;
	actors[2].signal = SIGTERM;
	EXPECT_TRUE(!judge()->pass);
	EXPECT_NUMBER(critiques[0].outcome, OUTCOME_GLOBAL_OOM);
	EXPECT_NUMBER(critiques[1].outcome, OUTCOME_KILLED);
	EXPECT_NUMBER(critiques[2].outcome, OUTCOME_KILLED);
	record_log_free(&record_log);
}

static void those_that_live_end_as_their_steps(void)
{
	set_up();
	actors[0].stop = MEMSTRESS_STOP_DONE;
	actors[1].stop = MEMSTRESS_STOP_FAILED;
	actors[2].is_dismissed = true;
	actors[2].signal = SIGKILL;
	judge();
	EXPECT_NUMBER(critiques[0].outcome, OUTCOME_DONE);
	EXPECT_NUMBER(critiques[1].outcome, OUTCOME_ENOMEM);
	EXPECT_NUMBER(critiques[2].outcome, OUTCOME_STOPPED);
	record_log_free(&record_log);
}

/* One was killed for the limit of a, two are done. */
static bool holds(enum scenario_quantity quantity, __u64 number, enum expect what, int of)
{
	bool pass;

	set_up();
	actors[0].signal = SIGKILL;
	log_oom(KMSG_CHOSEN, "/job/a", 10);
	log_oom(KMSG_KILLED, "", 10);
	expect_of(quantity, number, what, of);
	pass = judge()->pass;
	record_log_free(&record_log);
	return pass;
}

static void counts_who_meets_an_expectation(void)
{
	EXPECT_TRUE(holds(QUANTITY_NUMBER, 1, EXPECT_OOM, CRITIC_NO_CGROUP));
	EXPECT_TRUE(holds(QUANTITY_NUMBER, 1, EXPECT_OOM, 0));
	EXPECT_TRUE(!holds(QUANTITY_NUMBER, 1, EXPECT_OOM, 1));
	EXPECT_TRUE(!holds(QUANTITY_NUMBER, 1, EXPECT_OOM, -1));
	EXPECT_TRUE(!holds(QUANTITY_NUMBER, 2, EXPECT_OOM, CRITIC_NO_CGROUP));
	EXPECT_TRUE(holds(QUANTITY_NUMBER, 2, EXPECT_DONE, CRITIC_NO_CGROUP));
	EXPECT_TRUE(holds(QUANTITY_SOME, 0, EXPECT_DONE, CRITIC_NO_CGROUP));
	EXPECT_TRUE(holds(QUANTITY_SOME, 0, EXPECT_KILLED, CRITIC_NO_CGROUP));
	EXPECT_TRUE(!holds(QUANTITY_SOME, 0, EXPECT_ENOMEM, CRITIC_NO_CGROUP));
	EXPECT_TRUE(holds(QUANTITY_NONE, 0, EXPECT_ENOMEM, CRITIC_NO_CGROUP));
	EXPECT_TRUE(!holds(QUANTITY_NONE, 0, EXPECT_OOM, CRITIC_NO_CGROUP));
	EXPECT_TRUE(holds(QUANTITY_NONE, 0, EXPECT_OOM, 1));
	EXPECT_TRUE(!holds(QUANTITY_ALL, 0, EXPECT_DONE, CRITIC_NO_CGROUP));
	EXPECT_TRUE(!holds(QUANTITY_ALL, 0, EXPECT_OOM, CRITIC_NO_CGROUP));
}

const struct unit_test unit_critic_tests[] = {
	{ "critic_tells_whose_limit_it_was", tells_whose_limit_it_was },
	{ "critic_a_group_is_of_one_report", a_group_is_of_one_report },
	{ "critic_tells_kills_apart", tells_kills_apart },
	{ "critic_those_that_live_end_as_their_steps", those_that_live_end_as_their_steps },
	{ "critic_counts_who_meets_an_expectation", counts_who_meets_an_expectation },
	{},
};
