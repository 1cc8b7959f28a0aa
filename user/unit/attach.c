// SPDX-License-Identifier: GPL-2.0
/* Whom a move takes along, and what it tells. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "fixture.h"
#include "process.h"
#include "unit.h"

#define CG "/sys/fs/cgroup"

static void add_process(const struct fixture *fixture, int pid, const char *stat,
			const char *cgroup)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	snprintf(text, sizeof(text), "%d %s 0 0\n", pid, stat);
	fixture_write(fixture, path, text);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	fixture_write(fixture, path, text);
}

/* 100 has begun 30, and 30 the others; 7 is a stranger. */
static void begin(struct fixture *fixture, struct cg_tree *tree, struct cgroup *cg)
{
	char path[PATH_MAX];

	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts", "cgroup2 " CG " cgroup2 rw 0 0\n");
	fixture_write(fixture, CG "/cgroup.controllers", "memory\n");
	fixture_write(fixture, CG "/a/memory.current", "4096\n");
	fixture_write(fixture, CG "/a/cgroup.procs", "");
	fixture_write(fixture, CG "/a/b/memory.current", "8192\n");
	fixture_write(fixture, CG "/to/memory.current", "0\n");
	fixture_write(fixture, CG "/to/cgroup.procs", "");
	add_process(fixture, 1, "(init) S 0", "/");
	add_process(fixture, 7, "(S 100 (x)) S 1", "/a");
	add_process(fixture, 100, "(sh) S 1", "/a");
	add_process(fixture, 30, "(a) R 100) Z 1) R 100", "/a/b");
	add_process(fixture, 31, "(dead) Z 30", "/a/b");
	add_process(fixture, 32, "(there) S 30", "/to");
	add_process(fixture, 33, "() D 30", "/a");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
	EXPECT_NUMBER(cg_resolve(tree, "to", path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_look(cg, tree, path), 0);
}

static void end(struct fixture *fixture, struct cgroup *cg)
{
	cg_look_away(cg);
	fixture_destroy(fixture);
}

static void finds_descendants(void)
{
	struct process_list list;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin(&fixture, &tree, &cg);
	EXPECT_NUMBER(process_tree(&list, fixture.root, 100), 0);
	EXPECT_NUMBER(list.count, 4);
	if (list.count == 4) {
		EXPECT_NUMBER(list.pids[0], 100);
		EXPECT_NUMBER(list.pids[1], 30);
		EXPECT_NUMBER(list.pids[2] + list.pids[3], 32 + 33);
	}
	process_list_free(&list);
	EXPECT_NUMBER(process_tree(&list, fixture.root, 31), 0);
	EXPECT_NUMBER(list.count, 0);
	process_list_free(&list);
	end(&fixture, &cg);
}

/* Two of the same number are told apart by when they began. */
static void knows_when_one_began(void)
{
	struct fixture fixture = fixture_create();

	add_process(&fixture, 5, "(a) 1 R) S 1 5 5 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 815", "/");
	add_process(&fixture, 6, "(a) Z 1 5 5 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 815", "/");
	EXPECT_NUMBER(process_start(fixture.root, 5), 815);
	EXPECT_NUMBER(process_start(fixture.root, 6), 0);
	EXPECT_NUMBER(process_start(fixture.root, 7), 0);
	EXPECT_TRUE(process_start("", getpid()) > 0);
	fixture_destroy(&fixture);
}

static void moves_one(void)
{
	struct fixture fixture;
	struct attach attach;
	struct cg_tree tree;
	struct error error;
	struct cgroup cg;

	begin(&fixture, &tree, &cg);
	EXPECT_NUMBER(attach_move(&attach, &cg, 100, false, &error), 0);
	EXPECT_NUMBER(attach.moved_count, 1);
	EXPECT_NUMBER(attach.from_count, 1);
	EXPECT_NUMBER(attach.from[0].before_bytes, 4096);
	EXPECT_NUMBER(attach.to.after_bytes, 0);
	EXPECT_NUMBER(attach.moves, 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/to/cgroup.procs"), "100");
	attach_free(&attach);
	EXPECT_NUMBER(attach_move(&attach, &cg, 32, false, &error), 0);
	EXPECT_NUMBER(attach.moved_count, 0);
	attach_free(&attach);
	EXPECT_NUMBER(attach_move(&attach, &cg, 99, false, &error), -1);
	EXPECT_WITHIN(error.text, "no such process");
	attach_free(&attach);
	EXPECT_NUMBER(attach_move(&attach, &cg, 99, true, &error), -1);
	EXPECT_WITHIN(error.text, "no process 99");
	attach_free(&attach);
	end(&fixture, &cg);
}

static void moves_a_tree(void)
{
	struct fixture fixture;
	struct attach attach;
	struct cg_tree tree;
	struct error error;
	struct cgroup cg;

	begin(&fixture, &tree, &cg);
	EXPECT_NUMBER(attach_move(&attach, &cg, 100, true, &error), 0);
	EXPECT_NUMBER(attach.moved_count, 3);
	EXPECT_NUMBER(attach.from_count, 2);
	EXPECT_NUMBER(attach.from[1].before_bytes, 8192);
	attach_free(&attach);
	end(&fixture, &cg);
}

/* The first one is moved, the second has no cgroup that can be seen. */
static void puts_back_what_it_has_moved(void)
{
	struct fixture fixture;
	struct attach attach;
	struct cg_tree tree;
	struct error error;
	struct cgroup cg;

	begin(&fixture, &tree, &cg);
	add_process(&fixture, 30, "(a) S 100", "/../b");
	EXPECT_NUMBER(attach_move(&attach, &cg, 100, true, &error), -1);
	EXPECT_WITHIN(error.text, "pid:30 is in cgroup '/../b'");
	EXPECT_NUMBER(attach.moved_count, 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/a/cgroup.procs"), "100");
	attach_free(&attach);
	end(&fixture, &cg);
}

const struct unit_test unit_attach_tests[] = {
	{ "attach_finds_descendants", finds_descendants },
	{ "attach_knows_when_one_began", knows_when_one_began },
	{ "attach_moves_one", moves_one },
	{ "attach_moves_a_tree", moves_a_tree },
	{ "attach_puts_back_what_it_has_moved", puts_back_what_it_has_moved },
	{},
};
