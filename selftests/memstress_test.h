/* SPDX-License-Identifier: GPL-2.0 */
/* What each test program includes: the harness, the ABI, and how to expect an errno. */
#ifndef MEMSTRESS_TEST_H
#define MEMSTRESS_TEST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/memstress.h>

#include "clock.h"
#include "depth.h"
#include "kselftest_harness.h"
#include "law.h"
#include "session.h"
#include "soak.h"

/* @ret is 0 or -errno; the failure prints both names */
#define EXPECT_ERRNO(errno_expected, ret)                                          \
	do {                                                                       \
		int __ret = (ret);                                                 \
		EXPECT_EQ(errno_expected, -__ret)                                  \
		TH_LOG("%s: expected %s, seen %s", #ret, strerror(errno_expected), \
		       strerror(-__ret));                                          \
	} while (0)

/* Of a session that a test leaves */
#define EXPECT_EMPTY_LEDGER(fd)                                 \
	do {                                                    \
		struct memstress_ledger __ledger;               \
		EXPECT_EQ(0, session_ledger(fd, 0, &__ledger)); \
		EXPECT_EQ(0, __ledger.books.objects);           \
		EXPECT_EQ(0, __ledger.books.footprint_bytes);   \
		EXPECT_EQ(0, __ledger.holdings);                \
	} while (0)

/* The harness has had it since 6.9; ktap.awk takes a skip that says so for one */
#ifndef XFAIL
#define XFAIL(statement, fmt, ...) SKIP(statement, "XFAIL " fmt, ##__VA_ARGS__)
#endif

#define TESTS_MAX 64

/* What the harness calls for each test; test_begin() stands before it */
static struct test_function {
	struct __test_metadata *test;
	void (*fn)(struct __test_metadata *test, struct __fixture_variant_metadata *variant);
} test_functions[TESTS_MAX];

static inline void test_begin(struct __test_metadata *test,
			      struct __fixture_variant_metadata *variant)
{
	struct test_function *function = test_functions;

	while (function->test != test)
		function++;
	law_begin_case(test->fixture->name, variant->name, test->name);
	depth_begin_test(function - test_functions);
	function->fn(test, variant);
}

static inline bool test_is_case(const char *name, struct __fixture_metadata *fixture,
				struct __fixture_variant_metadata *variant,
				struct __test_metadata *test)
{
	const char *of = variant ? variant->name : "";
	char this[256];

	snprintf(this, sizeof(this), "%s%s%s.%s", fixture->name, of[0] ? "." : "", of, test->name);
	return !strcmp(name, this);
}

/* Leaves nothing to run but the case of this name; false if there is none */
static inline bool test_select(const char *name)
{
	struct __fixture_variant_metadata *variant;
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	for (fixture = __fixture_list; fixture; fixture = fixture->next) {
		variant = fixture->variant;
		do {
			for (test = fixture->tests; test; test = test->next) {
				if (!test_is_case(name, fixture, variant, test))
					continue;
				__fixture_list = fixture;
				fixture->next = NULL;
				fixture->variant = variant;
				if (variant)
					variant->next = NULL;
				fixture->tests = test;
				test->next = NULL;
				return true;
			}
			variant = variant ? variant->next : NULL;
		} while (variant);
	}
	return false;
}

/*
 * Runs the tests, or CASE of the environment alone, as the results name it, with timeouts
 * that are for the kernel that this is.
 */
static inline int test_run(int argc, char **argv)
{
	struct test_function *function = test_functions;
	const char *only = getenv("CASE");
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	if (access(MEMSTRESS_DEVICE, F_OK)) {
		printf("1..0 # SKIP no %s: is the module loaded?\n", MEMSTRESS_DEVICE);
		return KSFT_SKIP;
	}
	session_begin();
	for (fixture = __fixture_list; fixture; fixture = fixture->next) {
		for (test = fixture->tests; test; test = test->next) {
			if (function == test_functions + TESTS_MAX)
				return KSFT_FAIL;
			*function++ = (struct test_function){ test, test->fn };
			test->fn = test_begin;
			test->timeout *= clock_slowness() * soak_times(1, SOAK_PATIENCE);
		}
	}
	if (only && !test_select(only)) {
		printf("Bail out! there is no case %s\n", only);
		return KSFT_FAIL;
	}
	return test_harness_run(argc, argv);
}

/* What TEST_HARNESS_MAIN calls */
#define test_harness_run(argc, argv) test_run(argc, argv)

#endif /* MEMSTRESS_TEST_H */
