// SPDX-License-Identifier: GPL-2.0
/* What is given to a user, and what may be taken away again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_mark.h"
#include "delegation.h"
#include "fixture.h"
#include "unit.h"

#define CG "/sys/fs/cgroup"

static void begin(struct fixture *fixture, struct cg_tree *tree, char *path)
{
	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts", "cgroup2 " CG " cgroup2 rw 0 0\n");
	fixture_write(fixture, "/proc/self/cgroup", "0::/anna/inside/shell\n");
	fixture_write(fixture, CG "/cgroup.controllers", "memory\n");
	fixture_write(fixture, CG "/cgroup.subtree_control", "memory\n");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
	EXPECT_NUMBER(cg_resolve(tree, "anna", path, PATH_MAX), 0);
}

/* As the kernel makes it. */
static void make(struct cgroup *cg, const struct fixture *fixture, const struct cg_tree *tree,
		 const char *path)
{
	EXPECT_NUMBER(cg_create(cg, tree, path), 0);
	fixture_write(fixture, CG "/anna/cgroup.controllers", "memory\n");
	fixture_write(fixture, CG "/anna/cgroup.subtree_control", "\n");
	fixture_write(fixture, CG "/anna/cgroup.procs", "");
}

static void gives_to_a_user(void)
{
	struct fixture fixture;
	char path[PATH_MAX];
	struct cg_tree tree;
	struct cgroup cg;
	int ret;

	begin(&fixture, &tree, path);
	EXPECT_TRUE(!cg_is_below_delegated(&tree));
	make(&cg, &fixture, &tree, path);
	ret = delegation_give(&cg, getuid(), getgid());
	if (ret == -EOPNOTSUPP) {
		unit_skip("no attributes of users here");
	} else {
		EXPECT_NUMBER(ret, 0);
		EXPECT_WITHIN(fixture_read(&fixture, CG "/anna/cgroup.subtree_control"), "+memory");
		EXPECT_TRUE(!access(strcat(path, "/inside"), X_OK));
		EXPECT_TRUE(cg_is_marked(cg.fd, CG_DELEGATED));
		EXPECT_TRUE(!cg_is_marked(cg.fd, CG_ENABLED));
		fixture_mkdir(&fixture, CG "/anna/inside/shell");
		EXPECT_TRUE(cg_is_below_delegated(&tree));
	}
	cg_leave(&cg);
	fixture_destroy(&fixture);
}

static void expect_not_removed(const struct cg_tree *tree, const char *path, const char *reason)
{
	struct error error = {};

	EXPECT_NUMBER(delegation_remove(tree, path, &error), -1);
	EXPECT_WITHIN(error.text, reason);
}

static void removes_nothing_else(void)
{
	struct fixture fixture;
	char path[PATH_MAX];
	struct cg_tree tree;
	struct cgroup cg;

	begin(&fixture, &tree, path);
	expect_not_removed(&tree, path, "there is no cgroup");
	make(&cg, &fixture, &tree, path);
	expect_not_removed(&tree, path, "cannot remove cgroup");
	cg_leave(&cg);
	expect_not_removed(&tree, path, "was not made by memstress delegate");
	EXPECT_NUMBER(cg_look(&cg, &tree, path), 0);
	/* What a dead run has left is still known as that. */
	if (!cg_mark(cg.fd, CG_MADE)) {
		expect_not_removed(&tree, path, "was not made by memstress delegate");
		EXPECT_TRUE(cg_is_marked(cg.fd, CG_MADE));
		cg_unmark(cg.fd, CG_MADE);
	}
	if (!cg_mark(cg.fd, CG_DELEGATED)) {
		fixture_write(&fixture, CG "/anna/inside/cgroup.procs", "100\n200\n");
		expect_not_removed(&tree, path, "2 processes are in");
	}
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

const struct unit_test unit_delegation_tests[] = {
	{ "delegation_gives_to_a_user", gives_to_a_user },
	{ "delegation_removes_nothing_else", removes_nothing_else },
	{},
};
