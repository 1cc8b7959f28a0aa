/* SPDX-License-Identifier: GPL-2.0 */
/* Unit tests: run on the host, without root. A test goes on after a failed expectation. */
#ifndef MEMSTRESS_USER_UNIT_H
#define MEMSTRESS_USER_UNIT_H

#include <stdbool.h>

#include "compiler.h"

/**
 * struct unit_test - a test
 * @name: NULL ends an array
 * @run: does it
 */
struct unit_test {
	const char *name;
	void (*run)(void);
};

extern const struct unit_test unit_actor_tests[];
extern const struct unit_test unit_attach_tests[];
extern const struct unit_test unit_cgroup_tests[];
extern const struct unit_test unit_cgroup_name_tests[];
extern const struct unit_test unit_cgroup_v1_tests[];
extern const struct unit_test unit_cli_tests[];
extern const struct unit_test unit_critic_tests[];
extern const struct unit_test unit_delegation_tests[];
extern const struct unit_test unit_ending_tests[];
extern const struct unit_test unit_growth_tests[];
extern const struct unit_test unit_job_tests[];
extern const struct unit_test unit_job_file_tests[];
extern const struct unit_test unit_json_tests[];
extern const struct unit_test unit_kmsg_tests[];
extern const struct unit_test unit_live_tests[];
extern const struct unit_test unit_leftover_tests[];
extern const struct unit_test unit_loop_tests[];
extern const struct unit_test unit_output_tests[];
extern const struct unit_test unit_plan_tests[];
extern const struct unit_test unit_process_tests[];
extern const struct unit_test unit_signals_tests[];
extern const struct unit_test unit_squeeze_tests[];
extern const struct unit_test unit_scenario_tests[];
extern const struct unit_test unit_scope_tests[];
extern const struct unit_test unit_fate_tests[];
extern const struct unit_test unit_systemd_limit_tests[];
extern const struct unit_test unit_stat_tests[];
extern const struct unit_test unit_text_tests[];
extern const struct unit_test unit_units_tests[];
extern const struct unit_test unit_verdict_tests[];
extern const struct unit_test unit_watch_tests[];
extern const struct unit_test unit_writer_tests[];
extern const struct unit_test unit_workload_tests[];

/* The test under way has failed: says where and why */
__printf(3, 4) void unit_fail(const char *file, int line, const char *format, ...);

/* The test under way cannot be done here */
void unit_skip(const char *why);

void unit_expect_true(const char *file, int line, const char *text, bool is_true);
void unit_expect_number(const char *file, int line, const char *text, long long seen,
			long long expected);
void unit_expect_string(const char *file, int line, const char *text, const char *seen,
			const char *expected);

/* @expected is somewhere in @seen */
void unit_expect_within(const char *file, int line, const char *text, const char *seen,
			const char *expected);

#define EXPECT_TRUE(seen)             unit_expect_true(__FILE__, __LINE__, #seen, seen)
#define EXPECT_NUMBER(seen, expected) unit_expect_number(__FILE__, __LINE__, #seen, seen, expected)
#define EXPECT_STRING(seen, expected) unit_expect_string(__FILE__, __LINE__, #seen, seen, expected)
#define EXPECT_WITHIN(seen, expected) unit_expect_within(__FILE__, __LINE__, #seen, seen, expected)

#endif /* MEMSTRESS_USER_UNIT_H */
