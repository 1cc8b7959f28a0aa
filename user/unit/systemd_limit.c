// SPDX-License-Identifier: GPL-2.0
/* Limits that systemd has for units, asked of a process that answers as it does. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "fixture.h"
#include "manager.h"
#include "systemd_limit.h"
#include "systemd_unit.h"
#include "unit.h"

static struct systemd_limit limit_of(const char *cgroup, const char *name)
{
	return (struct systemd_limit){ .is_unit = true, .cgroup = cgroup, .name = name };
}

static void asks_for_limits(void)
{
	struct systemd_limit limit = limit_of(MANAGER_CGROUP, "MemoryMax");
	struct manager manager;

	if (!manager_begin(&manager, false))
		return;
	EXPECT_NUMBER(systemd_limit_ask(&limit, &manager.bus), 0);
	EXPECT_TRUE(limit.is_unit && limit.is_known);
	EXPECT_STRING(limit.unit, MANAGER_UNIT);
	EXPECT_NUMBER(limit.bytes, MANAGER_MAX);
	limit = limit_of(MANAGER_CGROUP, "MemoryHigh");
	EXPECT_NUMBER(systemd_limit_ask(&limit, &manager.bus), 0);
	EXPECT_TRUE(limit.bytes == CG_UNLIMITED);
	EXPECT_TRUE(systemd_limit_bytes(&limit) == CG_UNLIMITED);
	limit = limit_of(MANAGER_CGROUP, "MemoryNone");
	EXPECT_TRUE(systemd_limit_ask(&limit, &manager.bus) < 0);
	EXPECT_TRUE(limit.is_unit && !limit.is_known);
	EXPECT_STRING(limit.why, "no MemoryNone");
	manager_end(&manager);
}

/* One that it has not made, and one that another manager may have made below it. */
static void knows_whose_it_is(void)
{
	struct systemd_limit limit = limit_of("/x.scope", "MemoryMax");
	struct manager manager;

	if (!manager_begin(&manager, false))
		return;
	EXPECT_NUMBER(systemd_limit_ask(&limit, &manager.bus), -ENOENT);
	EXPECT_TRUE(!limit.is_unit);
	limit = limit_of(MANAGER_CGROUP "/app.slice/x.scope", "MemoryMax");
	EXPECT_NUMBER(systemd_limit_ask(&limit, &manager.bus), -EXDEV);
	EXPECT_TRUE(limit.is_unit && !limit.is_known);
	EXPECT_STRING(limit.why, "another manager has it, below " MANAGER_UNIT);
	manager_end(&manager);
}

static void tells_of_limits(void)
{
	struct systemd_limit limit = limit_of(MANAGER_CGROUP, "MemoryMax");
	struct manager manager;

	if (!manager_begin(&manager, false))
		return;
	EXPECT_NUMBER(scope_bus_set_unit_limit(&manager.bus, MANAGER_UNIT, "MemoryMax", 104857601),
		      0);
	EXPECT_NUMBER(systemd_limit_ask(&limit, &manager.bus), 0);
	EXPECT_NUMBER(limit.bytes, 104857601);
	/* The kernel has whole pages. */
	EXPECT_NUMBER(systemd_limit_bytes(&limit), 104857600);
	EXPECT_TRUE(scope_bus_set_unit_limit(&manager.bus, "other.service", "MemoryMax", 1) < 0);
	EXPECT_STRING(manager.bus.why, "no");
	manager_end(&manager);
}

static void waits_for_no_answer(void)
{
	struct systemd_limit limit = limit_of(MANAGER_CGROUP, "MemoryMax");
	__u64 begin_ns = clock_now_ns();
	struct manager manager;

	if (!manager_begin(&manager, true))
		return;
	EXPECT_TRUE(systemd_limit_ask(&limit, &manager.bus) < 0);
	EXPECT_TRUE(clock_now_ns() - begin_ns < 10 * NS_PER_S);
	EXPECT_TRUE(limit.is_unit && !limit.is_known && *limit.why);
	manager_end(&manager);
}

static void knows_names_of_units(void)
{
	static const char *const units[][2] = {
		{ "/system.slice/ssh.service", "ssh.service" },
		{ "/user.slice", "user.slice" },
		{ "/system.slice/_cgroup.scope", "cgroup.scope" },
	};
	static const char *const others[] = { "/", "/job", "/x.scope/job", "/service",
					      "/.service" };
	char unit[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		EXPECT_TRUE(systemd_unit_is_name(units[i][0], unit, sizeof(unit)));
		EXPECT_STRING(unit, units[i][1]);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_TRUE(!systemd_unit_is_name(others[i], unit, sizeof(unit)));
}

/* Where there is no systemd there are no units, whatever a directory is called. */
static void asks_nobody_without_systemd(void)
{
	struct fixture fixture = fixture_create();
	struct systemd_limit limit;
	struct cg_tree tree;
	char path[PATH_MAX];
	struct cgroup cg;

	fixture_write(&fixture, "/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
	fixture_write(&fixture, "/sys/fs/cgroup/cgroup.controllers", "memory\n");
	fixture_mkdir(&fixture, "/sys/fs/cgroup/job.service");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_NUMBER(cg_resolve(&tree, "job.service", path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_look(&cg, &tree, path), 0);
	systemd_limit_find(&limit, &cg, CG_MAX);
	EXPECT_TRUE(!limit.is_unit);
	EXPECT_TRUE(!systemd_limit_has_moved(&limit));
	EXPECT_TRUE(systemd_limit_set(&limit, 4096) < 0);
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

const struct unit_test unit_systemd_limit_tests[] = {
	{ "systemd_limit_asks_for_limits", asks_for_limits },
	{ "systemd_limit_knows_whose_it_is", knows_whose_it_is },
	{ "systemd_limit_tells_of_limits", tells_of_limits },
	{ "systemd_limit_waits_for_no_answer", waits_for_no_answer },
	{ "systemd_limit_knows_names_of_units", knows_names_of_units },
	{ "systemd_limit_asks_nobody_without_systemd", asks_nobody_without_systemd },
	{},
};
