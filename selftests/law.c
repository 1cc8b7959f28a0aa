// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "law.h"

static char law_case[128];
static __u64 law_seed_value;

void law_begin_case(const char *fixture, const char *variant, const char *test)
{
	snprintf(law_case, sizeof(law_case), "%s%s%s.%s", fixture, variant[0] ? "." : "", variant,
		 test);
	law_seed_value = 0;
}

void law_seed(__u64 seed)
{
	law_seed_value = seed;
}

/* AGAIN: the make command of this guest, which vm/run.sh tells it */
static void print_command(void)
{
	const char *again = getenv("AGAIN");

	fprintf(stderr, "#   again:      ");
	if (again)
		fprintf(stderr, "%s TESTS=%s", again, program_invocation_short_name);
	if (law_case[0])
		fprintf(stderr, "%sCASE=%s", again ? " " : "", law_case);
	if (getenv("DEPTH"))
		fprintf(stderr, " DEPTH=%s", getenv("DEPTH"));
	if (law_seed_value)
		fprintf(stderr, " SEED=%llu", law_seed_value);
	fprintf(stderr, again ? "\n" : " ./%s\n", program_invocation_short_name);
}

static void print_failure(const char *where, const char *what, const char *relation,
			  long long expected, long long seen)
{
	struct utsname name = { .release = "unknown" };

	uname(&name);
	fprintf(stderr, "# broken: %s\n", what);
	fprintf(stderr, "#   expected:   %s%lld\n", relation, expected);
	fprintf(stderr, "#   seen:       %lld\n", seen);
	fprintf(stderr, "#   difference: %+lld\n", seen - expected);
	if (where)
		fprintf(stderr, "#   cgroup:     %s\n", where);
	fprintf(stderr, "#   kernel:     %s\n", name.release);
	if (&law_sentence)
		fprintf(stderr, "#   law:        %s\n", law_sentence);
	print_command();
}

void law_report(const char *where, const char *what, long long expected, long long seen)
{
	print_failure(where, what, "", expected, seen);
}

bool law_equal(const char *where, const char *what, long long expected, long long seen)
{
	if (seen != expected)
		print_failure(where, what, "", expected, seen);
	return seen == expected;
}

bool law_at_most(const char *where, const char *what, long long bound, long long seen)
{
	if (seen > bound)
		print_failure(where, what, "at most ", bound, seen);
	return seen <= bound;
}

bool law_at_least(const char *where, const char *what, long long bound, long long seen)
{
	if (seen < bound)
		print_failure(where, what, "at least ", bound, seen);
	return seen >= bound;
}
