/* SPDX-License-Identifier: GPL-2.0 */
/* What each test program includes: the harness, the ABI, and how to expect an errno. */
#ifndef MEMSTRESS_TEST_H
#define MEMSTRESS_TEST_H

#include <errno.h>
#include <string.h>

#include <linux/memstress.h>

#include "clock.h"
#include "kselftest_harness.h"
#include "session.h"

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

/* Runs the tests with timeouts that are for the kernel that this is */
static inline int test_run(int argc, char **argv)
{
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	for (fixture = __fixture_list; fixture; fixture = fixture->next)
		for (test = fixture->tests; test; test = test->next)
			test->timeout *= clock_slowness();
	return test_harness_run(argc, argv);
}

/* What TEST_HARNESS_MAIN calls */
#define test_harness_run(argc, argv) test_run(argc, argv)

#endif /* MEMSTRESS_TEST_H */
