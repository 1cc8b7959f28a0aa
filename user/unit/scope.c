// SPDX-License-Identifier: GPL-2.0
/* Scopes of systemd, where there is no systemd. */
#include <unistd.h>

#include "fixture.h"
#include "scope.h"
#include "unit.h"

static void says_why_there_is_none(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct scope scope;

	if (!access("/run/systemd/system", F_OK)) {
		unit_skip("systemd runs here");
		return;
	}
	fixture = fixture_create();
	fixture_write(&fixture, "/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
	fixture_write(&fixture, "/sys/fs/cgroup/cgroup.controllers", "memory\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_TRUE(scope_find(&scope, &tree, "job") < 0);
	EXPECT_STRING(scope.unit, "job.scope");
	EXPECT_TRUE(*scope.bus.why);
	EXPECT_TRUE(scope_find(&scope, &tree, "job.scope") < 0);
	EXPECT_STRING(scope.unit, "job.scope");
	fixture_destroy(&fixture);
}

const struct unit_test unit_scope_tests[] = {
	{ "scope_says_why_there_is_none", says_why_there_is_none },
	{},
};
