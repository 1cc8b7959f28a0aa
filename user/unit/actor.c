// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "fixture.h"
#include "unit.h"

#define JOB "/job"

static struct fixture fixture;
static struct cg_tree tree;
static struct cgroup cg;
static struct scenario_worker role;
static struct record_log record_log;
static struct actor actor;

/* A worker whose one step is about to begin, in a cgroup with this limit. */
static void set_up(const char *max)
{
	struct step *step = &role.job.steps[0];
	char path[PATH_MAX];

	fixture = fixture_create();
	fixture_write(&fixture, JOB "/memory.max", max);
	fixture_write(&fixture, JOB "/memory.current", "4096\n");
	memset(&tree, 0, sizeof(tree));
	tree.ops = &cg_v2_ops;
	snprintf(tree.mount, sizeof(tree.mount), "%s", fixture.root);
	snprintf(path, sizeof(path), "%s" JOB, fixture.root);
	EXPECT_NUMBER(cg_look(&cg, &tree, path), 0);

	memset(&role, 0, sizeof(role));
	strcpy(role.name, "eater");
	role.copies = 1;
	role.job.step_count = 1;
	step->kind = kind_find("anon");
	step->object_size = 4096;
	record_log_init(&record_log, NULL);
	EXPECT_NUMBER(actor_init(&actor, &role, 1, NULL, &record_log), 0);
	actor_place(&actor, &cg, -1, "/");
	actor.state = ACTOR_PAUSES;
	actor.plans[0] = (struct plan){ 4096, 4096 };
}

static void tear_down(void)
{
	actor_release(&actor);
	record_log_free(&record_log);
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

static void expect_refused(enum exit_status status, const char *why)
{
	actor_go_on(&actor);
	EXPECT_TRUE(actor.has_failed);
	EXPECT_NUMBER(actor.error.status, status);
	EXPECT_WITHIN(actor.error.text, why);
	EXPECT_TRUE(!record_last(&record_log, RECORD_STEP));
	tear_down();
}

static void a_share_is_of_the_limit(void)
{
	set_up("1048576\n");
	role.job.steps[0].until = UNTIL_USAGE;
	role.job.steps[0].usage = (struct amount){ AMOUNT_PERCENT, 50 };
	actor_go_on(&actor);
	EXPECT_TRUE(!actor.has_failed);
	EXPECT_NUMBER(record_last(&record_log, RECORD_STEP)->step.until_bytes, 524288);
	tear_down();
}

/* At a time it was written away. */
static void no_share_of_no_limit(void)
{
	static const char why[] =
		"worker eater, step 1 (anon, 4096 bytes): % of what? no limit is in force any more";

	set_up("max\n");
	role.job.steps[0].until = UNTIL_USAGE;
	role.job.steps[0].usage = (struct amount){ AMOUNT_PERCENT, 80 };
	expect_refused(STATUS_MISUSE, why);
	set_up("max\n");
	role.job.steps[0].size = (struct amount){ AMOUNT_PERCENT, 50 };
	expect_refused(STATUS_MISUSE, why);
}

static void something_must_end_it(void)
{
	set_up("max\n");
	role.job.steps[0].until = UNTIL_OOM;
	expect_refused(STATUS_MISUSE, "nothing would end it: no limit is in force any more");
	set_up("max\n");
	role.job.steps[0].until = UNTIL_OOM;
	actor.limit_comes = true;
	actor_go_on(&actor);
	EXPECT_TRUE(!actor.has_failed);
	tear_down();
	set_up("max\n");
	role.job.steps[0].count = 1;
	actor_go_on(&actor);
	EXPECT_TRUE(!actor.has_failed);
	tear_down();
}

static void a_limit_must_be_known(void)
{
	set_up("max\n");
	fixture_mkdir(&fixture, JOB "/below/memory.max");
	snprintf(cg.path, sizeof(cg.path), "%s" JOB "/below", fixture.root);
	role.job.steps[0].count = 1;
	expect_refused(STATUS_FAILED, "cannot read its limit: Is a directory");
}

const struct unit_test unit_actor_tests[] = {
	{ "actor_a_share_is_of_the_limit", a_share_is_of_the_limit },
	{ "actor_no_share_of_no_limit", no_share_of_no_limit },
	{ "actor_something_must_end_it", something_must_end_it },
	{ "actor_a_limit_must_be_known", a_limit_must_be_known },
	{},
};
