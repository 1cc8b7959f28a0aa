// SPDX-License-Identifier: GPL-2.0
/* The schedule of a squeeze, on a clock that the tests set. */
#include <errno.h>

#include "clock.h"
#include "squeeze.h"
#include "unit.h"

#define PAGE  4096ULL
#define MIB   1048576ULL
#define BEGIN (1000 * NS_PER_S)

static struct squeeze_plan by_steps(__u64 start_bytes, __u64 step_bytes)
{
	return (struct squeeze_plan){
		.pace = SQUEEZE_BY_STEPS,
		.start_bytes = start_bytes,
		.step_bytes = step_bytes,
		.every_ns = NS_PER_S,
		.stuck_after_ns = 8 * NS_PER_S,
		.kills = 1,
		.page_bytes = PAGE,
	};
}

/* A step is due, of this limit, and its write takes no time. */
static void expect_step(struct squeeze *squeeze, __u64 now_ns, __u64 limit_bytes)
{
	EXPECT_NUMBER(squeeze_next(squeeze, now_ns), SQUEEZE_LOWER);
	EXPECT_NUMBER(squeeze->limit_bytes, limit_bytes);
	EXPECT_NUMBER(squeeze_next(squeeze, now_ns), SQUEEZE_WAIT);
	squeeze_written(squeeze, 0);
}

static void expect_end(struct squeeze *squeeze, __u64 now_ns, enum squeeze_end end)
{
	EXPECT_NUMBER(squeeze_next(squeeze, now_ns), SQUEEZE_STEP_OVER);
	EXPECT_NUMBER(squeeze_next(squeeze, now_ns), SQUEEZE_OVER);
	EXPECT_NUMBER(squeeze_next(squeeze, now_ns), SQUEEZE_OVER);
	EXPECT_NUMBER(squeeze->end, end);
}

static void goes_down_by_steps(void)
{
	struct squeeze_plan plan = by_steps(10 * MIB, 4 * MIB);
	struct squeeze squeeze;

	plan.floor_bytes = 1 * MIB;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 6 * MIB);
	EXPECT_NUMBER(squeeze.step, 1);
	/* It lasts for its time, and not longer. */
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_WAIT);
	EXPECT_TRUE(squeeze.due_ns == BEGIN + NS_PER_S);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + NS_PER_S - 1), SQUEEZE_WAIT);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + NS_PER_S), SQUEEZE_STEP_OVER);
	expect_step(&squeeze, BEGIN + NS_PER_S, 2 * MIB);
	/* Its write took longer than that: the next one begins at once. */
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 5 * NS_PER_S), SQUEEZE_STEP_OVER);
	expect_step(&squeeze, BEGIN + 5 * NS_PER_S, 1 * MIB);
	EXPECT_NUMBER(squeeze.step, 3);
	expect_end(&squeeze, BEGIN + 6 * NS_PER_S, SQUEEZE_FLOOR);
	EXPECT_STRING(squeeze_end_name(squeeze.end), "floor");
}

static void limits_are_pages(void)
{
	struct squeeze_plan plan = by_steps(3 * PAGE, 1);
	struct squeeze squeeze;

	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 2 * PAGE);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + NS_PER_S), SQUEEZE_STEP_OVER);
	expect_step(&squeeze, BEGIN + NS_PER_S, PAGE);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 2 * NS_PER_S), SQUEEZE_STEP_OVER);
	expect_step(&squeeze, BEGIN + 2 * NS_PER_S, 0);
	expect_end(&squeeze, BEGIN + 3 * NS_PER_S, SQUEEZE_FLOOR);

	/* Steps that are larger than all there is end at 0. */
	plan = by_steps(10 * PAGE, 4 * MIB);
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 0);
}

static void goes_down_by_rate(void)
{
	struct squeeze_plan plan = by_steps(100 * MIB, 0);
	struct squeeze squeeze;

	plan.pace = SQUEEZE_BY_RATE;
	plan.bytes_per_s = 10 * MIB;
	plan.every_ns = 100 * NS_PER_MS;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 99 * MIB);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 100 * NS_PER_MS), SQUEEZE_STEP_OVER);
	expect_step(&squeeze, BEGIN + 100 * NS_PER_MS, 98 * MIB);
	/* A write that took two seconds is made up for. */
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 2100 * NS_PER_MS), SQUEEZE_STEP_OVER);
	expect_step(&squeeze, BEGIN + 2100 * NS_PER_MS, 78 * MIB);

	/* As slow as can be, each step is a page lower; as fast as can be, none is below 0. */
	plan.bytes_per_s = 1;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 100 * MIB - PAGE);
	plan.bytes_per_s = 1ULL << 63;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 0);
}

static void goes_down_at_once(void)
{
	struct squeeze_plan plan = by_steps(100 * MIB, 0);
	struct squeeze squeeze;

	plan.pace = SQUEEZE_AT_ONCE;
	plan.floor_bytes = 6 * MIB;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 6 * MIB);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + NS_PER_MS), SQUEEZE_WAIT);
	expect_end(&squeeze, BEGIN + NS_PER_S, SQUEEZE_FLOOR);
}

static void kills_end_it(void)
{
	struct squeeze_plan plan = by_steps(10 * MIB, 1 * MIB);
	struct squeeze squeeze;

	plan.kills = 2;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 9 * MIB);
	squeeze_count_kills(&squeeze, 1);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 1), SQUEEZE_WAIT);
	squeeze_count_kills(&squeeze, 2);
	expect_end(&squeeze, BEGIN + 2, SQUEEZE_KILLED);

	/* During a write they end it when that is over. */
	squeeze_begin(&squeeze, &plan, BEGIN);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
	squeeze_count_kills(&squeeze, 3);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_WAIT);
	squeeze_written(&squeeze, 0);
	expect_end(&squeeze, BEGIN, SQUEEZE_KILLED);

	plan.kills = 0;
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 9 * MIB);
	squeeze_count_kills(&squeeze, 100);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_WAIT);
}

static void errors_end_it(void)
{
	static const struct {
		int error;
		enum squeeze_end end;
	} ends[] = { { -EBUSY, SQUEEZE_REFUSED }, { -EINVAL, SQUEEZE_FAILED } };
	struct squeeze_plan plan = by_steps(10 * MIB, 1 * MIB);
	struct squeeze squeeze;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		squeeze_begin(&squeeze, &plan, BEGIN);
		EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
		squeeze_written(&squeeze, ends[i].error);
		expect_end(&squeeze, BEGIN, ends[i].end);
	}
}

static void a_write_may_be_stuck(void)
{
	struct squeeze_plan plan = by_steps(10 * MIB, 1 * MIB);
	struct squeeze squeeze;

	squeeze_begin(&squeeze, &plan, BEGIN);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 8 * NS_PER_S - 1), SQUEEZE_WAIT);
	EXPECT_TRUE(squeeze.due_ns == BEGIN + 8 * NS_PER_S);
	expect_end(&squeeze, BEGIN + 8 * NS_PER_S, SQUEEZE_STUCK);

	/* The second one of a step has its own time. */
	squeeze_begin(&squeeze, &plan, BEGIN);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
	squeeze_write_again(&squeeze, BEGIN + 5 * NS_PER_S);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + 12 * NS_PER_S), SQUEEZE_WAIT);
	expect_end(&squeeze, BEGIN + 13 * NS_PER_S, SQUEEZE_STUCK);
}

static void others_end_it(void)
{
	struct squeeze_plan plan = by_steps(10 * MIB, 1 * MIB);
	struct squeeze squeeze;

	/* Before it has begun, between two steps, and during a write. The first reason counts. */
	squeeze_begin(&squeeze, &plan, BEGIN);
	squeeze_stop(&squeeze, SQUEEZE_STOPPED);
	squeeze_stop(&squeeze, SQUEEZE_VANISHED);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_OVER);
	EXPECT_NUMBER(squeeze.end, SQUEEZE_STOPPED);
	EXPECT_NUMBER(squeeze.step, 0);

	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 9 * MIB);
	squeeze_stop(&squeeze, SQUEEZE_VANISHED);
	expect_end(&squeeze, BEGIN, SQUEEZE_VANISHED);

	squeeze_begin(&squeeze, &plan, BEGIN);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
	squeeze_stop(&squeeze, SQUEEZE_STOPPED);
	expect_end(&squeeze, BEGIN, SQUEEZE_STOPPED);
}

/* Of whatever else has led to it: a kill, and a cgroup that is removed. */
static void a_container_may_end(void)
{
	struct squeeze_plan plan = by_steps(10 * MIB, 1 * MIB);
	struct squeeze squeeze;

	/* Its end is seen before its kill is counted, and after. */
	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 9 * MIB);
	squeeze_stop(&squeeze, SQUEEZE_ENDED);
	squeeze_count_kills(&squeeze, 1);
	expect_end(&squeeze, BEGIN, SQUEEZE_ENDED);
	EXPECT_TRUE(squeeze_is_held(&squeeze));
	EXPECT_STRING(squeeze_end_name(squeeze.end), "ended");

	squeeze_begin(&squeeze, &plan, BEGIN);
	expect_step(&squeeze, BEGIN, 9 * MIB);
	squeeze_count_kills(&squeeze, 1);
	expect_end(&squeeze, BEGIN, SQUEEZE_KILLED);
	squeeze_stop_ended(&squeeze);
	EXPECT_NUMBER(squeeze.end, SQUEEZE_ENDED);

	/* While a write goes on, which has its time all the same. */
	squeeze_begin(&squeeze, &plan, BEGIN);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
	squeeze_stop(&squeeze, SQUEEZE_ENDED);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN + NS_PER_S), SQUEEZE_WAIT);
	squeeze_written(&squeeze, -ENODEV);
	expect_end(&squeeze, BEGIN + NS_PER_S, SQUEEZE_ENDED);
	EXPECT_TRUE(!squeeze_is_held(&squeeze));

	squeeze_begin(&squeeze, &plan, BEGIN);
	EXPECT_NUMBER(squeeze_next(&squeeze, BEGIN), SQUEEZE_LOWER);
	squeeze_stop(&squeeze, SQUEEZE_ENDED);
	expect_end(&squeeze, BEGIN + 8 * NS_PER_S, SQUEEZE_STUCK);
	squeeze_stop_ended(&squeeze);
	EXPECT_NUMBER(squeeze.end, SQUEEZE_STUCK);
	EXPECT_TRUE(!squeeze_is_held(&squeeze));

	/* Who has asked for an end gets that. */
	squeeze_begin(&squeeze, &plan, BEGIN);
	squeeze_stop(&squeeze, SQUEEZE_STOPPED);
	squeeze_stop_ended(&squeeze);
	EXPECT_NUMBER(squeeze.end, SQUEEZE_STOPPED);
}

const struct unit_test unit_squeeze_tests[] = {
	{ "squeeze_goes_down_by_steps", goes_down_by_steps },
	{ "squeeze_limits_are_pages", limits_are_pages },
	{ "squeeze_goes_down_by_rate", goes_down_by_rate },
	{ "squeeze_goes_down_at_once", goes_down_at_once },
	{ "squeeze_kills_end_it", kills_end_it },
	{ "squeeze_errors_end_it", errors_end_it },
	{ "squeeze_a_write_may_be_stuck", a_write_may_be_stuck },
	{ "squeeze_others_end_it", others_end_it },
	{ "squeeze_a_container_may_end", a_container_may_end },
	{},
};
