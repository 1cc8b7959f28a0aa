// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "compiler.h"
#include "growth.h"
#include "units.h"

/* What has a rate moves as often, or more seldom if there would be no object to move. */
#define GROWTH_TICK (100 * NS_PER_MS)

#define GROWTH_UNBOUNDED (~0ULL)

/* More moves than anybody waits for. */
#define GROWTH_MOVES_MAX 10000000

/**
 * struct growth_key - a key of struct growth
 * @name: as users write it
 * @value: it
 */
struct growth_key {
	const char *name;
	__u64 value;
};

enum growth_has {
	HAS_RATE = 1 << 0,
	HAS_FACTOR = 1 << 1,
	HAS_EVERY = 1 << 2,
	HAS_STEP = 1 << 3,
	HAS_TIMES = 1 << 4,
};

/* In the order of enum growth_has. */
#define GROWTH_KEYS 5

/**
 * struct growth_row - a shape
 * @name: as users write it
 * @has: enum growth_has, what can be said of it
 * @needs: enum growth_has, what has to be said
 * @factor: unless the user says otherwise
 * @times: the same
 */
static const struct growth_row {
	const char *name;
	unsigned int has;
	unsigned int needs;
	__u64 factor;
	__u64 times;
} growths[GROWTH_END] = {
	[GROWTH_ONCE] = { "once", 0, 0, 0, 0 },
	[GROWTH_LINEAR] = { "linear", HAS_RATE, HAS_RATE, 0, 0 },
	[GROWTH_GEOMETRIC] = { "geometric", HAS_FACTOR | HAS_EVERY | HAS_STEP, 0, 2, 0 },
	[GROWTH_STEPS] = { "steps", HAS_EVERY | HAS_STEP, HAS_STEP, 0, 0 },
	[GROWTH_RANDOM] = { "random", HAS_EVERY | HAS_STEP | HAS_TIMES, HAS_STEP, 0, 10 },
	[GROWTH_SPIKE] = { "spike", HAS_EVERY | HAS_STEP | HAS_TIMES, 0, 0, 1 },
	[GROWTH_LEAK] = { "leak", HAS_FACTOR | HAS_EVERY | HAS_STEP, HAS_STEP, 10, 0 },
};

const char *growth_name(enum growth_shape shape)
{
	return growths[shape].name;
}

int growth_find(const char *name)
{
	int i;

	for (i = 0; i < GROWTH_END; i++)
		if (!strcmp(growths[i].name, name))
			return i;
	return -1;
}

int growth_finish(struct growth *growth, const char *where, struct error *error)
{
	const struct growth_row *row = &growths[growth->shape];
	const struct growth_key keys[GROWTH_KEYS] = {
		{ "rate", growth->rate_bytes }, { "factor", growth->factor },
		{ "every", growth->every_ns },  { "step", growth->step_bytes },
		{ "times", growth->times },
	};
	int i;

	for (i = 0; i < GROWTH_KEYS; i++) {
		if (keys[i].value && !(row->has & (1 << i)))
			return error_set(error, STATUS_MISUSE, "%s: growth %s has no %s", where,
					 row->name, keys[i].name);
		if (!keys[i].value && row->needs & (1 << i))
			return error_set(error, STATUS_MISUSE, "%s: growth %s needs a %s", where,
					 row->name, keys[i].name);
	}
	if (growth->shape == GROWTH_GEOMETRIC && growth->factor == 1)
		return error_set(error, STATUS_MISUSE, "%s: with a factor of 1 nothing grows",
				 where);
	if (row->has & HAS_EVERY && !growth->every_ns)
		growth->every_ns = NS_PER_S;
	if (!growth->factor)
		growth->factor = row->factor;
	if (!growth->times)
		growth->times = row->times;
	return 0;
}

struct growth_text growth_describe(const struct growth *growth)
{
	struct growth_text text = { "" };
	int length = 0;

	if (growth->shape != GROWTH_ONCE)
		length = snprintf(text.s, sizeof(text.s), "%s", growth_name(growth->shape));
	if (growth->rate_bytes)
		length += snprintf(text.s + length, sizeof(text.s) - length, ", %s/s",
				   units_bytes(growth->rate_bytes).s);
	if (growth->step_bytes)
		length += snprintf(text.s + length, sizeof(text.s) - length, ", step %s",
				   units_bytes(growth->step_bytes).s);
	if (growth->factor)
		length += snprintf(text.s + length, sizeof(text.s) - length, ", factor %llu",
				   growth->factor);
	if (growth->every_ns)
		length += snprintf(text.s + length, sizeof(text.s) - length, ", every %s",
				   units_ns(growth->every_ns).s);
	if (growth->times)
		snprintf(text.s + length, sizeof(text.s) - length, ", times %llu", growth->times);
	return text;
}

/* splitmix64, the same for the same seed everywhere. */
static __u64 growth_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void growth_begin(struct growth_course *course, const struct growth *growth, __u64 object_bytes,
		  __u64 total, __u64 seed)
{
	*course = (struct growth_course){
		.growth = growth,
		.object_bytes = object_bytes,
		.total = total,
		.random = seed,
	};
}

static __u64 growth_sum(__u64 a, __u64 b)
{
	return a + b < a ? GROWTH_UNBOUNDED : a + b;
}

static __u64 growth_product(__u64 a, __u64 b)
{
	__u64 product;

	return __builtin_mul_overflow(a, b, &product) ? GROWTH_UNBOUNDED : product;
}

/* Of @bytes, at least one. */
static __u64 growth_objects(const struct growth_course *course, __u64 bytes)
{
	__u64 objects = bytes / course->object_bytes + !!(bytes % course->object_bytes);

	return objects ? objects : 1;
}

/* Between two moves of a rate. */
static __u64 growth_tick_ns(__u64 rate_bytes, __u64 object_bytes)
{
	unsigned __int128 object_ns = (unsigned __int128)object_bytes * NS_PER_S / rate_bytes;

	if (object_ns < GROWTH_TICK)
		return GROWTH_TICK;
	return object_ns < UNITS_NS_MAX ? (__u64)object_ns : UNITS_NS_MAX;
}

/* What a rate comes to in some time; 128 bits, for it may be long. */
static __u64 growth_by_rate(__u64 rate_bytes, __u64 ns, __u64 object_bytes)
{
	unsigned __int128 bytes = (unsigned __int128)rate_bytes * ns / NS_PER_S;

	bytes /= object_bytes;
	return bytes < GROWTH_UNBOUNDED ? (__u64)bytes : GROWTH_UNBOUNDED;
}

/* As far as the walk goes in one move, down or up. */
static __u64 growth_walk(struct growth_course *course)
{
	__u64 step = growth_objects(course, course->growth->step_bytes);
	__u64 way;

	/* So that there is a number for all of the ways that it may go. */
	if (step > GROWTH_UNBOUNDED / 2)
		step = GROWTH_UNBOUNDED / 2;
	way = growth_random(&course->random) % (2 * step + 1);
	if (way < step)
		return course->level > step - way ? course->level - (step - way) : 0;
	return growth_sum(course->level, way - step);
}

/* Up at even moves, down at odd ones. */
static __u64 growth_spike(const struct growth_course *course)
{
	if (course->move % 2 == 0)
		return course->total;
	return course->growth->step_bytes ? growth_objects(course, course->growth->step_bytes) : 0;
}

/* The same: what stays of a step is at least an object. */
static __u64 growth_leak(const struct growth_course *course)
{
	__u64 step = growth_objects(course, course->growth->step_bytes);
	__u64 stays = step / course->growth->factor;

	if (!stays)
		stays = 1;
	if (course->move % 2 == 0)
		return growth_sum(growth_product(course->move / 2, stays), step);
	return growth_product(course->move / 2 + 1, stays);
}

/* The level after the next move, wherever it ends. */
static __u64 growth_aim(struct growth_course *course, __u64 at_ns)
{
	const struct growth *growth = course->growth;
	__u64 step = growth_objects(course, growth->step_bytes);

	switch (growth->shape) {
	case GROWTH_LINEAR:
		return growth_by_rate(growth->rate_bytes, at_ns, course->object_bytes);
	case GROWTH_GEOMETRIC:
		return course->move ? growth_product(course->level, growth->factor) : step;
	case GROWTH_STEPS:
		return growth_product(course->move + 1, step);
	case GROWTH_RANDOM:
		return growth_walk(course);
	case GROWTH_SPIKE:
		return growth_spike(course);
	case GROWTH_LEAK:
		return growth_leak(course);
	default:
		return course->total;
	}
}

static bool growth_is_over(const struct growth_course *course)
{
	const struct growth *growth = course->growth;

	switch (growth->shape) {
	case GROWTH_RANDOM:
		return course->move == growth->times;
	case GROWTH_SPIKE:
		return course->move / 2 == growth->times;
	case GROWTH_LEAK:
		/* When what has stayed is all that there may be. */
		return course->move % 2 == 0 && course->move && course->level >= course->total;
	default:
		return course->move && course->level >= course->total;
	}
}

static __u64 growth_time_ns(const struct growth_course *course)
{
	const struct growth *growth = course->growth;
	__u64 ns;

	switch (growth->shape) {
	case GROWTH_LINEAR:
		ns = growth_product(course->move + 1,
				    growth_tick_ns(growth->rate_bytes, course->object_bytes));
		break;
	case GROWTH_LEAK:
		ns = growth_product(course->move, growth->every_ns) / 2;
		break;
	default:
		ns = growth_product(course->move, growth->every_ns);
		break;
	}
	return ns < UNITS_NS_MAX ? ns : UNITS_NS_MAX;
}

bool growth_next(struct growth_course *course, __u64 *at_ns, __u64 *level)
{
	__u64 aim;

	if (growth_is_over(course))
		return false;
	*at_ns = growth_time_ns(course);
	aim = growth_aim(course, *at_ns);
	course->level = aim < course->total ? aim : course->total;
	course->move++;
	*level = course->level;
	return true;
}

__u64 growth_duration_ns(struct growth_course course)
{
	__u64 at_ns = 0, level;

	while (growth_next(&course, &at_ns, &level))
		if (course.move > GROWTH_MOVES_MAX)
			return GROWTH_UNBOUNDED;
	return at_ns;
}

void growth_churn(const struct growth *growth, __u64 object_bytes, __u64 *every_ns, __u64 *objects)
{
	*every_ns = growth_tick_ns(growth->churn_bytes, object_bytes);
	*objects = growth_by_rate(growth->churn_bytes, *every_ns, object_bytes);
	if (!*objects)
		*objects = 1;
}
