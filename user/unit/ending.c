// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>

#include "ending.h"
#include "unit.h"

/* Of a program that died of @signal in a cgroup of v2 with so many kills; the log is not read. */
static struct ending died(int signal, __u64 kills, __u64 own_ooms)
{
	struct ending ending = { .signal = signal, .is_read = true };

	ending.snapshot.events.value[EVENT_OOM_KILL] = kills;
	ending.snapshot.events_local.value[EVENT_OOM] = own_ooms;
	return ending;
}

static struct ending exited(int code, __u64 kills)
{
	struct ending ending = died(0, kills, kills);

	ending.code = code;
	return ending;
}

static void expect(const struct ending *ending, enum ending_cause cause, int code, const char *text)
{
	EXPECT_NUMBER(ending_cause(ending), cause);
	EXPECT_NUMBER(ending_exit_code(ending), code);
	EXPECT_STRING(ending_tell(ending, "cmd").s, text);
}

static void codes_are_no_kills(void)
{
	struct ending ending = exited(0, 0);

	expect(&ending, ENDING_EXIT, 0, "cmd exited with code 0");
	ending = exited(137, 0);
	expect(&ending, ENDING_EXIT, 137, "cmd exited with code 137");
	ending = exited(137, 1);
	expect(&ending, ENDING_EXIT, 137,
	       "cmd exited with code 137; "
	       "the OOM killer killed 1 other process in there for the limit of its cgroup");
}

static void signals_are_told_apart(void)
{
	struct ending ending = died(SIGTERM, 0, 0);

	expect(&ending, ENDING_SIGNAL, 143, "cmd was killed by signal 15 (Terminated)");
	ending = died(SIGKILL, 0, 0);
	expect(&ending, ENDING_SIGNAL, 137,
	       "cmd was killed by signal 9 (Killed), not by the OOM killer");
	/* The OOM killer sends nothing but SIGKILL. */
	ending = died(SIGTERM, 2, 1);
	expect(&ending, ENDING_SIGNAL, 143,
	       "cmd was killed by signal 15 (Terminated); "
	       "the OOM killer killed 2 other processes in there for the limit of its cgroup");
	ending = died(SIGKILL, 3, 1);
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer for the limit of its cgroup, and 2 more");
}

static void the_log_knows_who_was_meant(void)
{
	struct ending ending = died(SIGKILL, 1, 1);

	ending.kills_told = 1;
	expect(&ending, ENDING_SIGNAL, 137,
	       "cmd was killed by signal 9 (Killed), not by the OOM killer; "
	       "the OOM killer killed 1 other process in there for the limit of its cgroup");
	ending.is_victim = true;
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer for the limit of its cgroup");
	/* It has not told of all. */
	ending = died(SIGKILL, 2, 1);
	ending.kills_told = 1;
	EXPECT_NUMBER(ending_cause(&ending), ENDING_OOM);
}

static void counters_know_whose_limit(void)
{
	struct ending ending = died(SIGKILL, 1, 0);

	ending.max_bytes = CG_UNLIMITED;
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer for a limit above its cgroup");
	ending.snapshot.events.value[EVENT_OOM] = 1;
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer for the limit of a cgroup below its own");
	/* v1 */
	ending.snapshot.events_local.value[EVENT_OOM] = CG_MISSING;
	EXPECT_NUMBER(ending_limit(&ending), LIMIT_ABOVE);
	ending.snapshot.peak_bytes = 8192;
	ending.max_bytes = 8192;
	EXPECT_NUMBER(ending_limit(&ending), LIMIT_UNKNOWN);
	ending.max_bytes = 12288;
	EXPECT_NUMBER(ending_limit(&ending), LIMIT_ABOVE);
	ending.snapshot.events.value[EVENT_FAILCNT] = 7;
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer for the limit of its cgroup or of one above it");
}

static void the_log_knows_whose_limit(void)
{
	struct ending ending = died(SIGKILL, 1, 1);

	ending.limit_told = true;
	ending.limit = LIMIT_ABOVE;
	snprintf(ending.limit_name, sizeof(ending.limit_name), "/a");
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer for the limit of /a, above its cgroup");
	ending.limit = LIMIT_MACHINE;
	expect(&ending, ENDING_OOM, 137,
	       "cmd was killed by the OOM killer as the whole machine was out of memory");
}

/* Somebody has removed the cgroup. */
static void without_counters(void)
{
	struct ending ending = died(SIGKILL, 0, 0);

	ending.is_read = false;
	ending.snapshot.events.value[EVENT_OOM_KILL] = 1;
	EXPECT_NUMBER(ending_kills(&ending), 0);
	EXPECT_NUMBER(ending_cause(&ending), ENDING_SIGNAL);
}

/* In a cgroup that was there, and has a past. */
static void the_past_is_taken_off(void)
{
	struct ending ending = died(SIGKILL, 3, 2);
	struct ending before = died(0, 3, 2);

	before.snapshot.peak_bytes = 4096;
	ending.snapshot.peak_bytes = 4096;
	ending_take_off(&ending, &before.snapshot);
	EXPECT_NUMBER(ending_kills(&ending), 0);
	EXPECT_NUMBER(ending_cause(&ending), ENDING_SIGNAL);
	EXPECT_TRUE(ending_peak(&ending) == CG_MISSING);
	/* It may have met its limit again. */
	ending.snapshot.events_local.value[EVENT_OOM] = CG_MISSING;
	ending.max_bytes = 4096;
	EXPECT_NUMBER(ending_limit(&ending), LIMIT_UNKNOWN);

	ending = died(SIGKILL, 4, 3);
	ending.snapshot.peak_bytes = 8192;
	ending_take_off(&ending, &before.snapshot);
	EXPECT_NUMBER(ending_kills(&ending), 1);
	EXPECT_NUMBER(ending_limit(&ending), LIMIT_OWN);
	EXPECT_NUMBER(ending_peak(&ending), 8192);
}

const struct unit_test unit_ending_tests[] = {
	{ "ending_codes_are_no_kills", codes_are_no_kills },
	{ "ending_signals_are_told_apart", signals_are_told_apart },
	{ "ending_the_log_knows_who_was_meant", the_log_knows_who_was_meant },
	{ "ending_counters_know_whose_limit", counters_know_whose_limit },
	{ "ending_the_log_knows_whose_limit", the_log_knows_whose_limit },
	{ "ending_without_counters", without_counters },
	{ "ending_the_past_is_taken_off", the_past_is_taken_off },
	{},
};
