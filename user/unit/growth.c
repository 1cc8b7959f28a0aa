// SPDX-License-Identifier: GPL-2.0
#include "clock.h"
#include "growth.h"
#include "unit.h"
#include "units.h"

#define MIB       1048576ULL
#define UNBOUNDED (~0ULL)

/**
 * struct move - what a move must be
 * @ms: when
 * @level: objects after it
 */
struct move {
	__u64 ms;
	__u64 level;
};

/* With objects of a KiB. The course ends after @count moves unless it has no end. */
static void expect_moves(struct growth growth, __u64 total, const struct move *moves,
			 unsigned int count, bool ends)
{
	struct growth_course course;
	__u64 at_ns, level;
	struct error error;
	unsigned int i;

	EXPECT_NUMBER(growth_finish(&growth, "step 1", &error), 0);
	growth_begin(&course, &growth, 1024, total, 1);
	for (i = 0; i < count; i++) {
		EXPECT_TRUE(growth_next(&course, &at_ns, &level));
		EXPECT_NUMBER(at_ns, moves[i].ms * NS_PER_MS);
		EXPECT_NUMBER(level, moves[i].level);
	}
	EXPECT_TRUE(growth_next(&course, &at_ns, &level) == !ends);
}

static void once(void)
{
	static const struct move moves[] = { { 0, 77 } };

	expect_moves((struct growth){ .shape = GROWTH_ONCE }, 77, moves, 1, true);
}

static void linear(void)
{
	static const struct move moves[] = { { 100, 102 }, { 200, 204 }, { 300, 250 } };
	static const struct move slow[] = { { 2000, 1 }, { 4000, 2 } };

	expect_moves((struct growth){ .shape = GROWTH_LINEAR, .rate_bytes = MIB }, 250, moves, 3,
		     true);
	/* An object takes longer than a tick. */
	expect_moves((struct growth){ .shape = GROWTH_LINEAR, .rate_bytes = 512 }, 2, slow, 2,
		     true);
}

/* No rounding adds up: after 10 s it is what the rate says, to the object. */
static void linear_is_exact(void)
{
	struct growth growth = { .shape = GROWTH_LINEAR, .rate_bytes = 10 * MIB };
	struct growth_course course;
	__u64 at_ns = 0, level = 0;

	growth_begin(&course, &growth, 4096, UNBOUNDED, 0);
	while (at_ns < 10 * NS_PER_S && growth_next(&course, &at_ns, &level))
		continue;
	EXPECT_NUMBER(at_ns, 10 * NS_PER_S);
	EXPECT_NUMBER(level, 100 * MIB / 4096);
}

static void geometric(void)
{
	static const struct move moves[] = {
		{ 0, 4 }, { 3000, 12 }, { 6000, 36 }, { 9000, 108 }, { 12000, 300 }
	};
	static const struct move bare[] = { { 0, 1 }, { 1000, 2 }, { 2000, 4 } };
	struct growth growth = { .shape = GROWTH_GEOMETRIC, .factor = 3, .step_bytes = 4096 };

	growth.every_ns = 3 * NS_PER_S;
	expect_moves(growth, 300, moves, 5, true);
	expect_moves((struct growth){ .shape = GROWTH_GEOMETRIC }, UNBOUNDED, bare, 3, false);
}

static void steps(void)
{
	static const struct move moves[] = { { 0, 10 }, { 500, 20 }, { 1000, 25 } };
	struct growth growth = { .shape = GROWTH_STEPS, .step_bytes = 10240 };

	growth.every_ns = 500 * NS_PER_MS;
	expect_moves(growth, 25, moves, 3, true);
}

static void spike(void)
{
	static const struct move once[] = { { 0, 100 }, { 1000, 0 } };
	static const struct move twice[] = { { 0, 100 }, { 50, 10 }, { 100, 100 }, { 150, 10 } };
	struct growth growth = { .shape = GROWTH_SPIKE, .times = 2, .step_bytes = 10240 };

	expect_moves((struct growth){ .shape = GROWTH_SPIKE }, 100, once, 2, true);
	growth.every_ns = 50 * NS_PER_MS;
	expect_moves(growth, 100, twice, 4, true);
}

/* It goes on, though twice as many moves are more than there are numbers. */
static void spikes_without_end(void)
{
	struct growth growth = { .shape = GROWTH_SPIKE, .times = 1ULL << 63, .every_ns = NS_PER_S };
	struct growth_course course;

	growth_begin(&course, &growth, 1024, 100, 0);
	EXPECT_TRUE(growth_duration_ns(course) == UNBOUNDED);
}

/* A move of the next century does not come at once, nor with less than it should have. */
static void large_numbers_stay_large(void)
{
	struct growth slow = { .shape = GROWTH_LINEAR, .rate_bytes = 1 };
	struct growth fast = { .shape = GROWTH_LINEAR, .rate_bytes = UNBOUNDED / 100 * 95 };
	struct growth walk = {
		.shape = GROWTH_RANDOM,
		.step_bytes = UNBOUNDED,
		.times = 1000,
		.every_ns = NS_PER_MS,
	};
	__u64 at_ns, level, ups, last = 0;
	struct growth_course course;

	growth_begin(&course, &slow, 64ULL << 30, 2, 0);
	EXPECT_TRUE(growth_next(&course, &at_ns, &level));
	EXPECT_NUMBER(at_ns, UNITS_NS_MAX);
	EXPECT_NUMBER(level, 0);
	growth_begin(&course, &fast, 1, UNBOUNDED, 0);
	while (growth_next(&course, &at_ns, &level))
		continue;
	EXPECT_NUMBER(at_ns, 1100 * NS_PER_MS);
	EXPECT_TRUE(level == UNBOUNDED);
	growth_begin(&course, &walk, 1, 100, 7);
	for (ups = 0; growth_next(&course, &at_ns, &level); last = level)
		ups += level > last;
	EXPECT_TRUE(ups > 100);
}

static void leak(void)
{
	static const struct move moves[] = { { 0, 20 },   { 500, 2 },   { 1000, 22 },
					     { 1500, 4 }, { 2000, 24 }, { 2500, 6 } };
	static const struct move bounded[] = { { 0, 3 }, { 500, 2 }, { 1000, 3 }, { 1500, 3 } };

	expect_moves((struct growth){ .shape = GROWTH_LEAK, .step_bytes = 20480 }, UNBOUNDED, moves,
		     6, false);
	expect_moves((struct growth){ .shape = GROWTH_LEAK, .step_bytes = 4096, .factor = 2 }, 3,
		     bounded, 4, true);
}

static void random_walks_by_its_seed(void)
{
	struct growth growth = {
		.shape = GROWTH_RANDOM,
		.step_bytes = 10240,
		.times = 1000,
		.every_ns = NS_PER_MS,
	};
	struct growth_course course, same, other;
	__u64 at_ns, level, twin, last = 0, moves = 0, up = 0, differing = 0;

	growth_begin(&course, &growth, 1024, 100, 7);
	same = course;
	growth_begin(&other, &growth, 1024, 100, 8);
	while (growth_next(&course, &at_ns, &level)) {
		EXPECT_NUMBER(at_ns, moves * NS_PER_MS);
		EXPECT_TRUE(level <= 100 && level <= last + 10 && last <= level + 10);
		EXPECT_TRUE(growth_next(&same, &at_ns, &twin) && twin == level);
		EXPECT_TRUE(growth_next(&other, &at_ns, &twin));
		differing += twin != level;
		up += level > last;
		last = level;
		moves++;
	}
	EXPECT_NUMBER(moves, 1000);
	EXPECT_TRUE(up > 300 && up < 700);
	EXPECT_TRUE(differing > 500);
}

static void tells_how_long_it_takes(void)
{
	struct growth growth = { .shape = GROWTH_STEPS, .step_bytes = 1024, .every_ns = NS_PER_S };
	struct growth_course course;

	growth_begin(&course, &growth, 1024, 10, 0);
	EXPECT_NUMBER(growth_duration_ns(course), 9 * NS_PER_S);
	growth_begin(&course, &growth, 1024, UNBOUNDED, 0);
	EXPECT_TRUE(growth_duration_ns(course) == UNBOUNDED);
}

static void churns_by_a_rate(void)
{
	struct growth growth = { .churn_bytes = 10 * MIB };
	__u64 every_ns, objects;

	growth_churn(&growth, 4096, &every_ns, &objects);
	EXPECT_NUMBER(every_ns, 100 * NS_PER_MS);
	EXPECT_NUMBER(objects, MIB / 4096);
	/* Of an object that is more than comes in a tick */
	growth_churn(&growth, 20 * MIB, &every_ns, &objects);
	EXPECT_NUMBER(every_ns, 2 * NS_PER_S);
	EXPECT_NUMBER(objects, 1);
}

const struct unit_test unit_growth_tests[] = {
	{ "growth_once", once },
	{ "growth_linear", linear },
	{ "growth_linear_is_exact", linear_is_exact },
	{ "growth_geometric", geometric },
	{ "growth_steps", steps },
	{ "growth_spike", spike },
	{ "growth_spikes_without_end", spikes_without_end },
	{ "growth_large_numbers_stay_large", large_numbers_stay_large },
	{ "growth_leak", leak },
	{ "growth_random_walks_by_its_seed", random_walks_by_its_seed },
	{ "growth_tells_how_long_it_takes", tells_how_long_it_takes },
	{ "growth_churns_by_a_rate", churns_by_a_rate },
	{},
};
