/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a law says that the kernel has broken it: expected, seen and difference, in which
 * cgroup, on which kernel, the law in one sentence, and the command that repeats just
 * this case.
 *
 *	LAW("usage passes memory.max only as far as the policy allows");
 *	...
 *	EXPECT_TRUE(law_equal(target.path, "memory.events max", 1, seen));
 */
#ifndef MEMSTRESS_SELFTESTS_LAW_H
#define MEMSTRESS_SELFTESTS_LAW_H

#include <stdbool.h>
#include <linux/types.h>

/* Once in each program that proves a law, at file level */
#define LAW(sentence) const char *const law_sentence = sentence
extern const char *const law_sentence __attribute__((weak));

/* What the running case is called; memstress_test.h tells */
void law_begin_case(const char *fixture, const char *variant, const char *test);

/* The seed of the running case, which repeats it */
void law_seed(__u64 seed);

/*
 * True if it holds; else it is reported. @where: the path of a cgroup, or NULL if it is
 * about none; @what: the number that was looked at, and when
 */
bool law_equal(const char *where, const char *what, long long expected, long long seen);
bool law_at_most(const char *where, const char *what, long long bound, long long seen);
bool law_at_least(const char *where, const char *what, long long bound, long long seen);

/* For numbers that something else has judged: reports in any case */
void law_report(const char *where, const char *what, long long expected, long long seen);

#endif /* MEMSTRESS_SELFTESTS_LAW_H */
