// SPDX-License-Identifier: GPL-2.0
/* What a run leaves when it dies, and what of all else is left alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup_loan.h"
#include "cgroup_mark.h"
#include "fixture.h"
#include "leftover.h"
#include "unit.h"

#define CG "/sys/fs/cgroup"

/* False: this file system has no marks. */
static bool begin(struct fixture *fixture, struct cg_tree *tree)
{
	int fd, ret;

	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts", "cgroup2 " CG " cgroup2 rw 0 0\n");
	fixture_write(fixture, CG "/cgroup.controllers", "memory\n");
	fixture_write(fixture, CG "/cgroup.subtree_control", "cpu\n");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
	fd = open(tree->mount, O_RDONLY);
	ret = cg_mark(fd, CG_MADE);
	cg_unmark(fd, CG_MADE);
	close(fd);
	if (!ret)
		return true;
	unit_skip("no attributes of users here");
	fixture_destroy(fixture);
	return false;
}

static void make(struct cgroup *cg, const struct cg_tree *tree, const char *name)
{
	char path[PATH_MAX];

	EXPECT_NUMBER(cg_resolve(tree, name, path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_create(cg, tree, path), 0);
}

/* As a process does that dies of SIGKILL. */
static void die(struct cgroup *cg)
{
	close(cg->fd);
	close(cg->parent_fd);
	cg->fd = -1;
}

static void expect_count(const struct cg_tree *tree, unsigned int count)
{
	struct leftovers leftovers;

	EXPECT_NUMBER(leftovers_find(&leftovers, tree), 0);
	EXPECT_NUMBER(leftovers.count, count);
	leftovers_free(&leftovers);
}

static void undo_all(const struct cg_tree *tree)
{
	struct leftovers leftovers;
	unsigned int i;

	EXPECT_NUMBER(leftovers_find(&leftovers, tree), 0);
	for (i = 0; i < leftovers.count; i++)
		EXPECT_NUMBER(leftover_undo(tree, &leftovers.list[i]), 0);
	leftovers_free(&leftovers);
}

static void finds_what_the_dead_have_left(void)
{
	struct leftovers leftovers;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	if (!begin(&fixture, &tree))
		return;
	make(&cg, &tree, "job");
	expect_count(&tree, 0);
	die(&cg);
	fixture_write(&fixture, CG "/job/below/cgroup.procs", "0\n");
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 2);
	if (leftovers.count == 2) {
		EXPECT_NUMBER(leftovers.list[0].kind, LEFTOVER_CGROUP);
		EXPECT_STRING(cg_name(&tree, leftovers.list[0].path), "/job");
		EXPECT_NUMBER(leftovers.list[0].processes, 0);
		EXPECT_NUMBER(leftovers.list[1].kind, LEFTOVER_CONTROLLER);
		EXPECT_STRING(leftovers.list[1].path, tree.mount);
	}
	leftovers_free(&leftovers);
	fixture_destroy(&fixture);
}

static void puts_it_in_order(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	if (!begin(&fixture, &tree))
		return;
	make(&cg, &tree, "job");
	die(&cg);
	fixture_mkdir(&fixture, CG "/memstress-1");
	undo_all(&tree);
	expect_count(&tree, 0);
	EXPECT_TRUE(access(cg.path, F_OK));
	EXPECT_WITHIN(fixture_read(&fixture, CG "/cgroup.subtree_control"), "-memory");
	/* Without a mark it is somebody else's, whatever it is called. */
	EXPECT_NUMBER(rmdir(strcat(tree.mount, "/memstress-1")), 0);
	fixture_destroy(&fixture);
}

/* Dead between mkdir() and the mark */
static void removes_what_is_only_begun(void)
{
	struct leftovers leftovers;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	struct stat stat;

	if (!begin(&fixture, &tree))
		return;
	make(&cg, &tree, "job");
	EXPECT_TRUE(!cg_is_begun(cg.fd));
	EXPECT_NUMBER(fstat(cg.fd, &stat), 0);
	EXPECT_NUMBER(fchmod(cg.fd, (stat.st_mode & ALLPERMS) | CG_BEGUN), 0);
	cg_unmark(cg.fd, CG_MADE);
	/* The lock is older than the mark. */
	expect_count(&tree, 0);
	die(&cg);
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 2);
	/* Somebody else's, by what is in it. */
	fixture_mkdir(&fixture, CG "/job/below");
	expect_count(&tree, 1);
	if (leftovers.count)
		EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[0]), -ETXTBSY);
	EXPECT_NUMBER(rmdir(strcat(tree.mount, "/job/below")), 0);
	tree.mount[strlen(tree.mount) - strlen("/job/below")] = '\0';
	/* Or by who may write to it. */
	EXPECT_NUMBER(chmod(cg.path, 01777), 0);
	expect_count(&tree, 1);
	EXPECT_NUMBER(chmod(cg.path, 01755), 0);
	undo_all(&tree);
	EXPECT_TRUE(access(cg.path, F_OK));
	expect_count(&tree, 0);
	leftovers_free(&leftovers);
	fixture_destroy(&fixture);
}

static void leaves_the_living_alone(void)
{
	struct cgroup cg, outer, inner;
	struct leftovers leftovers;
	struct fixture fixture;
	struct cg_tree tree;

	if (!begin(&fixture, &tree))
		return;
	/* A dead one's cgroup in which another run works. */
	make(&outer, &tree, "outer");
	fixture_write(&fixture, CG "/outer/cgroup.controllers", "memory\n");
	fixture_write(&fixture, CG "/outer/cgroup.subtree_control", "memory\n");
	make(&inner, &tree, "outer/inner");
	die(&outer);
	expect_count(&tree, 1);
	/* One that somebody begins to use when it was found. */
	make(&cg, &tree, "job");
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 0);
	leftovers_free(&leftovers);
	die(&cg);
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 2);
	EXPECT_NUMBER(cg_adopt(&cg, &tree, leftovers.list[0].path), 0);
	EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[0]), -ETXTBSY);
	EXPECT_NUMBER(cg_remove(&cg, 0), 0);
	/* One of somebody else, that has the name by now. */
	fixture_mkdir(&fixture, CG "/job");
	EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[0]), -ETXTBSY);
	EXPECT_TRUE(!access(leftovers.list[0].path, F_OK));
	leftovers_free(&leftovers);
	die(&inner);
	fixture_destroy(&fixture);
}

static void leaves_what_was_delegated(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg, job;

	if (!begin(&fixture, &tree))
		return;
	make(&cg, &tree, "anna");
	cg_unmark(cg.fd, CG_MADE);
	EXPECT_NUMBER(cg_mark(cg.fd, CG_DELEGATED), 0);
	/* He to whom it was given can mark it as he likes. */
	EXPECT_NUMBER(cg_mark(cg.fd, CG_MADE), 0);
	if (fgetxattr(cg.fd, "trusted.memstress.delegated", NULL, 0) >= 0)
		EXPECT_NUMBER(fremovexattr(cg.fd, "user.memstress.delegated"), 0);
	die(&cg);
	expect_count(&tree, 0);
	/* The controller of the one that stays is not taken away with the last run, either. */
	fixture_write(&fixture, CG "/cgroup.subtree_control", "memory\n");
	make(&job, &tree, "job");
	EXPECT_NUMBER(cg_remove(&job, 0), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/cgroup.subtree_control"), "memory\n");
	EXPECT_TRUE(!access(cg.path, F_OK));
	fixture_destroy(&fixture);
}

/* Somebody else's, with limits of numbers that are all of one length, as files here are not cut. */
static bool begin_limited(struct fixture *fixture, struct cg_tree *tree, struct cgroup *cg)
{
	char path[PATH_MAX];

	if (!begin(fixture, tree))
		return false;
	fixture_write(fixture, CG "/job/memory.max", "67108864\n");
	fixture_write(fixture, CG "/job/memory.oom.group", "0\n");
	EXPECT_NUMBER(cg_resolve(tree, "job", path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_look(cg, tree, path), 0);
	return true;
}

static void puts_limits_back(void)
{
	struct cgroup cg, other;
	struct cg_loan loan = {}, second = {};
	struct fixture fixture;
	struct cg_tree tree;

	if (!begin_limited(&fixture, &tree, &cg))
		return;
	EXPECT_NUMBER(cg_lend(&loan, &cg, CG_MAX, 16 << 20), 0);
	EXPECT_NUMBER(cg_lend(&loan, &cg, CG_OOM_GROUP, 1), 0);
	EXPECT_NUMBER(cg_lend(&loan, &cg, CG_HIGH, 1), -EOPNOTSUPP);
	EXPECT_WITHIN(fixture_read(&fixture, CG "/job/memory.max"), "16777216");
	/* One at a time. */
	EXPECT_NUMBER(cg_look(&other, &tree, cg.path), 0);
	EXPECT_NUMBER(cg_lend(&second, &other, CG_MAX, 1), -ETXTBSY);
	expect_count(&tree, 0);
	EXPECT_NUMBER(cg_take_back(&loan, &cg), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/job/memory.max"), "67108864\n");
	EXPECT_STRING(fixture_read(&fixture, CG "/job/memory.oom.group"), "0\n");
	EXPECT_TRUE(!cg_has_loan(tree.ops, cg.fd));
	cg_look_away(&other);
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

static void puts_limits_of_the_dead_back(void)
{
	struct cg_loan loan = {}, second = {};
	struct leftovers leftovers;
	struct fixture fixture;
	struct cgroup cg, next;
	struct cg_tree tree;

	if (!begin_limited(&fixture, &tree, &cg))
		return;
	EXPECT_NUMBER(cg_lend(&loan, &cg, CG_MAX, 16 << 20), 0);
	cg_look_away(&cg);
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 1);
	if (leftovers.count)
		EXPECT_NUMBER(leftovers.list[0].kind, LEFTOVER_LIMITS);
	leftovers_free(&leftovers);
	/* By the next run that sets it, too, which then knows what was there. */
	EXPECT_NUMBER(cg_look(&next, &tree, cg.path), 0);
	EXPECT_NUMBER(cg_lend(&second, &next, CG_MAX, 32 << 20), 0);
	EXPECT_NUMBER(second.old[0], 64 << 20);
	cg_look_away(&next);
	undo_all(&tree);
	EXPECT_STRING(fixture_read(&fixture, CG "/job/memory.max"), "67108864\n");
	expect_count(&tree, 0);
	fixture_destroy(&fixture);
}

/* By whom it was not lent: a run's own, or one that has died */
static void leaves_what_others_have_written(void)
{
	struct cg_loan loan = {}, dead = {};
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	if (!begin_limited(&fixture, &tree, &cg))
		return;
	EXPECT_NUMBER(cg_lend(&loan, &cg, CG_MAX, 16 << 20), 0);
	fixture_write(&fixture, CG "/job/memory.max", "33554432\n");
	EXPECT_NUMBER(cg_take_back(&loan, &cg), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/job/memory.max"), "33554432\n");
	EXPECT_TRUE(!cg_has_loan(tree.ops, cg.fd));
	EXPECT_NUMBER(cg_lend(&dead, &cg, CG_MAX, 16 << 20), 0);
	fixture_write(&fixture, CG "/job/memory.max", "67108864\n");
	cg_look_away(&cg);
	expect_count(&tree, 1);
	undo_all(&tree);
	EXPECT_STRING(fixture_read(&fixture, CG "/job/memory.max"), "67108864\n");
	expect_count(&tree, 0);
	fixture_destroy(&fixture);
}

/* By other means than cg_lend(), and while it is not told to what, all is taken for ours */
static void lends_what_is_written_elsewhere(void)
{
	struct cg_loan loan = {};
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	if (!begin_limited(&fixture, &tree, &cg))
		return;
	EXPECT_NUMBER(cg_loan_begin(&loan, &cg, CG_MAX), 0);
	fixture_write(&fixture, CG "/job/memory.max", "33554432\n");
	cg_loan_is_set(&loan, &cg, CG_MAX);
	EXPECT_NUMBER(cg_loan_begin(&loan, &cg, CG_MAX), 0);
	EXPECT_NUMBER(loan.count, 1);
	fixture_write(&fixture, CG "/job/memory.max", "16777216\n");
	EXPECT_NUMBER(cg_take_back(&loan, &cg), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/job/memory.max"), "67108864\n");
	EXPECT_NUMBER(cg_loan_begin(&loan, &cg, CG_MAX), 0);
	cg_loan_forget(&loan, &cg);
	EXPECT_TRUE(!cg_has_loan(tree.ops, cg.fd));
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

/* Root alone can give a directory away, and keep its limits. */
static void believes_no_owner_of_limits(void)
{
	struct cg_loan loan = {};
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	if (!begin_limited(&fixture, &tree, &cg))
		return;
	EXPECT_NUMBER(fsetxattr(cg.fd, "user.memstress.old.max", "99999999", 8, 0), 0);
	expect_count(&tree, 1);
	if (!fchown(cg.fd, getuid() + 1, -1)) {
		expect_count(&tree, 0);
		EXPECT_NUMBER(cg_lend(&loan, &cg, CG_MAX, 16 << 20), 0);
		EXPECT_NUMBER(loan.old[0], 64 << 20);
	}
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

/* Found, and then set by somebody else, who puts it back himself */
static void leaves_limits_that_are_set_again(void)
{
	struct cg_loan loan = {}, second = {};
	struct leftovers leftovers;
	struct fixture fixture;
	struct cgroup cg, next;
	struct cg_tree tree;

	if (!begin_limited(&fixture, &tree, &cg))
		return;
	EXPECT_NUMBER(cg_lend(&loan, &cg, CG_MAX, 16 << 20), 0);
	cg_look_away(&cg);
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 1);
	EXPECT_NUMBER(cg_look(&next, &tree, cg.path), 0);
	EXPECT_NUMBER(cg_lend(&second, &next, CG_MAX, 32 << 20), 0);
	if (leftovers.count)
		EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[0]), -ETXTBSY);
	EXPECT_WITHIN(fixture_read(&fixture, CG "/job/memory.max"), "33554432");
	EXPECT_NUMBER(cg_take_back(&second, &next), 0);
	cg_look_away(&next);
	/* Gone meanwhile, it is in order. */
	if (leftovers.count)
		EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[0]), 0);
	leftovers_free(&leftovers);
	fixture_destroy(&fixture);
}

/* The controller of a cgroup that somebody makes one in again, or delegates one in */
static void leaves_a_controller_that_is_relied_on(void)
{
	struct leftover leftover = { .kind = LEFTOVER_CONTROLLER };
	struct fixture fixture;
	struct cgroup cg, next;
	struct cg_tree tree;

	if (!begin(&fixture, &tree))
		return;
	make(&cg, &tree, "job");
	die(&cg);
	strcpy(leftover.path, tree.mount);
	fixture_write(&fixture, CG "/cgroup.subtree_control", "memory\n");
	make(&next, &tree, "next");
	EXPECT_NUMBER(leftover_undo(&tree, &leftover), -ETXTBSY);
	die(&next);
	EXPECT_NUMBER(cg_look(&cg, &tree, next.path), 0);
	EXPECT_NUMBER(cg_mark(cg.fd, CG_DELEGATED), 0);
	EXPECT_NUMBER(leftover_undo(&tree, &leftover), -ETXTBSY);
	EXPECT_STRING(fixture_read(&fixture, CG "/cgroup.subtree_control"), "memory\n");
	cg_unmark(cg.fd, CG_DELEGATED);
	cg_look_away(&cg);
	/* Nor that of one that somebody has limited. */
	fixture_write(&fixture, CG "/other/memory.low", "0\n");
	fixture_write(&fixture, CG "/other/memory.max", "67108864\n");
	EXPECT_NUMBER(leftover_undo(&tree, &leftover), -ETXTBSY);
	fixture_write(&fixture, CG "/other/memory.max", "max\n");
	EXPECT_NUMBER(leftover_undo(&tree, &leftover), 0);
	EXPECT_WITHIN(fixture_read(&fixture, CG "/cgroup.subtree_control"), "-memory");
	fixture_destroy(&fixture);
}

/* Nobody uses it, and it stays all the same: that is no use, but a failure */
static void tells_a_failure_from_a_use(void)
{
	struct leftovers leftovers;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	char path[PATH_MAX];

	if (!begin(&fixture, &tree))
		return;
	make(&cg, &tree, "job");
	die(&cg);
	/* Here rmdir() does not remove what is in it, and no text can be written to a directory. */
	fixture_write(&fixture, CG "/job/file", "");
	EXPECT_NUMBER(cg_resolve(&tree, "cgroup.subtree_control", path, sizeof(path)), 0);
	EXPECT_NUMBER(unlink(path), 0);
	fixture_mkdir(&fixture, CG "/cgroup.subtree_control");
	EXPECT_NUMBER(leftovers_find(&leftovers, &tree), 0);
	EXPECT_NUMBER(leftovers.count, 2);
	if (leftovers.count == 2) {
		EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[0]), -ENOTEMPTY);
		EXPECT_NUMBER(leftover_undo(&tree, &leftovers.list[1]), -EISDIR);
	}
	leftovers_free(&leftovers);
	/* What could not be done is still to be done. */
	expect_count(&tree, 2);
	fixture_destroy(&fixture);
}

const struct unit_test unit_leftover_tests[] = {
	{ "leftover_finds_what_the_dead_have_left", finds_what_the_dead_have_left },
	{ "leftover_puts_it_in_order", puts_it_in_order },
	{ "leftover_removes_what_is_only_begun", removes_what_is_only_begun },
	{ "leftover_leaves_the_living_alone", leaves_the_living_alone },
	{ "leftover_leaves_what_was_delegated", leaves_what_was_delegated },
	{ "leftover_puts_limits_back", puts_limits_back },
	{ "leftover_puts_limits_of_the_dead_back", puts_limits_of_the_dead_back },
	{ "leftover_leaves_what_others_have_written", leaves_what_others_have_written },
	{ "leftover_lends_what_is_written_elsewhere", lends_what_is_written_elsewhere },
	{ "leftover_believes_no_owner_of_limits", believes_no_owner_of_limits },
	{ "leftover_leaves_limits_that_are_set_again", leaves_limits_that_are_set_again },
	{ "leftover_leaves_a_controller_that_is_relied_on", leaves_a_controller_that_is_relied_on },
	{ "leftover_tells_a_failure_from_a_use", tells_a_failure_from_a_use },
	{},
};
