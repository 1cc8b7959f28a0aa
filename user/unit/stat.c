// SPDX-License-Identifier: GPL-2.0
/* What stat shows: cgroups by their names, their rows, and what memory.stat adds up to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_name.h"
#include "fixture.h"
#include "memory_stat.h"
#include "unit.h"
#include "usage.h"

#define V2 "/sys/fs/cgroup"
#define V1 "/sys/fs/cgroup/memory"

/* PAGE_COUNTER_MAX, as the kernel shows it where pages are of 4 KiB */
#define NO_LIMIT "9223372036854771712\n"

/* A job of a parent with a limit, and its root, which has what a root has. */
static void begin_v2(struct fixture *fixture, struct cg_tree *tree)
{
	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
	fixture_write(fixture, "/proc/self/cgroup", "0::/a\n");
	fixture_write(fixture, "/proc/123/cgroup", "0::/a/job\n");
	fixture_write(fixture, "/proc/124/cgroup", "0::/../elsewhere\n");
	fixture_write(fixture, V2 "/cgroup.controllers", "memory pids\n");
	fixture_write(fixture, V2 "/cgroup.threads", "1\n2\n");
	fixture_write(fixture, V2 "/memory.stat", "anon 4096\n");
	fixture_write(fixture, V2 "/a/memory.current", "9437184\n");
	fixture_write(fixture, V2 "/a/memory.max", "8388608\n");
	fixture_write(fixture, V2 "/a/cgroup.threads", "3\n");
	fixture_write(fixture, V2 "/a/job/memory.current", "1048576\n");
	fixture_write(fixture, V2 "/a/job/memory.max", "16777216\n");
	fixture_write(fixture, V2 "/a/job/memory.events",
		      "low 0\nhigh 0\nmax 35\noom 1\noom_kill 2\n");
	fixture_write(fixture, V2 "/a/job/cgroup.threads", "4\n5\n6\n");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
}

static void begin_v1(struct fixture *fixture, struct cg_tree *tree)
{
	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts", "cgroup " V1 " cgroup rw,memory 0 0\n");
	fixture_write(fixture, "/proc/123/cgroup", "4:memory:/job\n3:pids:/other\n0::/unified\n");
	fixture_write(fixture, V1 "/memory.usage_in_bytes", "8192\n");
	fixture_write(fixture, V1 "/job/memory.usage_in_bytes", "6291456\n");
	fixture_write(fixture, V1 "/job/memory.max_usage_in_bytes", "8388608\n");
	fixture_write(fixture, V1 "/job/memory.limit_in_bytes", NO_LIMIT);
	fixture_write(fixture, V1 "/job/memory.kmem.usage_in_bytes", "1048576\n");
	fixture_write(fixture, V1 "/job/memory.oom_control",
		      "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	fixture_write(fixture, V1 "/job/memory.failcnt", "97\n");
	fixture_write(fixture, V1 "/job/memory.stat",
		      "cache 1\nrss 2\nhierarchical_memory_limit " NO_LIMIT
		      "total_cache 2097152\ntotal_rss 3145728\n");
	fixture_write(fixture, V1 "/job/tasks", "7\n8\n");
	fixture_write(fixture, V1 "/job/below/tasks", "9\n");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
}

static void expect_name(const struct cg_tree *tree, const char *name, const char *expected)
{
	char path[PATH_MAX] = "";
	struct error error = {};

	EXPECT_NUMBER(cgroup_name_resolve(tree, name, path, sizeof(path), &error), 0);
	EXPECT_STRING(cg_name(tree, path), expected);
	EXPECT_STRING(error.text, "");
}

static void expect_no_name(const struct cg_tree *tree, const char *name, enum exit_status status,
			   const char *reason)
{
	struct error error = {};
	struct cgroup cg;

	EXPECT_NUMBER(cgroup_name_look(tree, name, &cg, &error), -1);
	EXPECT_NUMBER(error.status, status);
	EXPECT_WITHIN(error.text, reason);
}

static void names_cgroups(void)
{
	char path[PATH_MAX + 8];
	struct fixture fixture;
	struct cg_tree tree;

	begin_v2(&fixture, &tree);
	expect_name(&tree, "a/job", "/a/job");
	expect_name(&tree, "/a/job/", "/a/job");
	expect_name(&tree, "/", "/");
	expect_name(&tree, tree.mount, "/");
	snprintf(path, sizeof(path), "%s/a", tree.mount);
	expect_name(&tree, path, "/a");
	expect_name(&tree, NULL, "/a");
	expect_name(&tree, "pid:123", "/a/job");
	fixture_destroy(&fixture);

	begin_v1(&fixture, &tree);
	expect_name(&tree, "pid:123", "/job");
	fixture_destroy(&fixture);
}

/* In a container without a cgroup namespace, /proc tells names that are not below the mount. */
static void names_cgroups_in_a_container(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	begin_v1(&fixture, &tree);
	fixture_write(&fixture, "/proc/self/mountinfo",
		      "20 1 0:20 / / rw - ext4 /dev/vda rw\n"
		      "30 20 0:30 /docker/4711 " V1 " ro,nosuid - cgroup none rw,memory\n"
		      "31 20 0:31 /docker " V1 "/other ro - tmpfs none rw\n");
	fixture_write(&fixture, "/proc/self/cgroup", "4:memory:/docker/4711\n");
	fixture_write(&fixture, "/proc/124/cgroup", "4:memory:/docker/4711/job\n");
	fixture_write(&fixture, "/proc/125/cgroup", "4:memory:/docker/47112/job\n");
	expect_name(&tree, NULL, "/");
	expect_name(&tree, "pid:124", "/job");
	expect_no_name(&tree, "pid:123", STATUS_UNSUPPORTED, "cannot be seen");
	expect_no_name(&tree, "pid:125", STATUS_UNSUPPORTED, "cannot be seen");
	fixture_destroy(&fixture);
}

static void tells_what_is_no_cgroup(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	begin_v2(&fixture, &tree);
	fixture_mkdir(&fixture, V2 "/bare");
	expect_no_name(&tree, "nope", STATUS_MISUSE, "there is no cgroup");
	expect_no_name(&tree, "a/memory.max", STATUS_MISUSE, "there is no cgroup");
	expect_no_name(&tree, "", STATUS_MISUSE, "'' is no cgroup");
	expect_no_name(&tree, "../a", STATUS_MISUSE, "'../a' is no cgroup");
	expect_no_name(&tree, "pid:", STATUS_MISUSE, "takes a number");
	expect_no_name(&tree, "pid:1x", STATUS_MISUSE, "takes a number");
	expect_no_name(&tree, "pid:99", STATUS_MISUSE, "no such process");
	expect_no_name(&tree, "pid:124", STATUS_UNSUPPORTED, "cannot be seen");
	expect_no_name(&tree, "bare", STATUS_UNSUPPORTED, "no memory controller");
	fixture_destroy(&fixture);
}

static void take(const struct cg_tree *tree, const char *name, struct usage *usage)
{
	struct error error = {};
	struct cgroup cg;

	EXPECT_NUMBER(cgroup_name_look(tree, name, &cg, &error), 0);
	EXPECT_STRING(error.text, "");
	EXPECT_NUMBER(usage_take(&cg, usage), 0);
	cg_look_away(&cg);
}

static void takes_usage(void)
{
	struct fixture fixture;
	struct usage usage;
	struct cg_tree tree;
	char text[128];

	begin_v2(&fixture, &tree);
	take(&tree, "a/job", &usage);
	EXPECT_NUMBER(usage.bytes, 1 << 20);
	EXPECT_TRUE(usage.peak_bytes == CG_MISSING);
	EXPECT_NUMBER(usage.max_bytes, 16 << 20);
	EXPECT_NUMBER(usage.effective_bytes, 8 << 20);
	EXPECT_STRING(cg_name(&tree, usage.effective_path), "/a");
	EXPECT_STRING(usage_share(&usage).s, "12.5%");
	EXPECT_NUMBER(usage.pids, 3);
	EXPECT_STRING(usage.some_avg10, "");
	usage_print_events(&usage, text, sizeof(text));
	EXPECT_STRING(text, "max 35 oom 1 kill 2");
	usage_print_events(&usage, text, 8);
	EXPECT_STRING(text, "max 35 ");

	fixture_write(&fixture, V2 "/a/job/memory.peak", "2097152\n");
	fixture_write(&fixture, V2 "/a/job/memory.events", "low 0\nhigh 0\nmax 0\n");
	fixture_write(&fixture, V2 "/a/job/memory.pressure",
		      "some avg10=0.25 avg60=0.10 avg300=0.00 total=11220657\n"
		      "full avg10=0.12 avg60=0.00 avg300=0.00 total=9\n");
	fixture_write(&fixture, V2 "/a/job/pids.current", "12\n");
	take(&tree, "a/job", &usage);
	EXPECT_NUMBER(usage.peak_bytes, 2 << 20);
	EXPECT_NUMBER(usage.pids, 12);
	EXPECT_STRING(usage.some_avg10, "0.25");
	usage_print_events(&usage, text, sizeof(text));
	EXPECT_STRING(text, "none");

	/* Above its limit, as after it was lowered. Who is below is counted, too. */
	take(&tree, "a", &usage);
	EXPECT_STRING(usage_share(&usage).s, "112.5%");
	EXPECT_NUMBER(usage.pids, 4);
	fixture_destroy(&fixture);
}

static void takes_usage_of_a_root(void)
{
	struct fixture fixture;
	struct usage usage;
	struct cg_tree tree;
	char text[128];

	begin_v2(&fixture, &tree);
	take(&tree, "/", &usage);
	EXPECT_TRUE(usage.bytes == CG_MISSING);
	EXPECT_TRUE(usage.max_bytes == CG_MISSING);
	EXPECT_TRUE(usage.effective_bytes == CG_UNLIMITED);
	EXPECT_STRING(usage.effective_path, "");
	EXPECT_STRING(usage_share(&usage).s, "-");
	EXPECT_NUMBER(usage.pids, 6);
	usage_print_events(&usage, text, sizeof(text));
	EXPECT_STRING(text, "none");
	fixture_destroy(&fixture);
}

static void takes_usage_of_v1(void)
{
	struct fixture fixture;
	struct usage usage;
	struct cg_tree tree;
	char text[128];

	begin_v1(&fixture, &tree);
	take(&tree, "job", &usage);
	EXPECT_NUMBER(usage.bytes, 6 << 20);
	EXPECT_NUMBER(usage.peak_bytes, 8 << 20);
	EXPECT_TRUE(usage.max_bytes == CG_UNLIMITED);
	EXPECT_TRUE(usage.effective_bytes == CG_UNLIMITED);
	EXPECT_STRING(usage_share(&usage).s, "-");
	EXPECT_NUMBER(usage.pids, 3);
	EXPECT_STRING(usage.some_avg10, "");
	usage_print_events(&usage, text, sizeof(text));
	EXPECT_STRING(text, "failcnt 97 kill 3");
	fixture_destroy(&fixture);
}

static void finds_pressure(void)
{
	char text[16];

	usage_parse_pressure("some avg10=12.34 avg60=0.00", text, sizeof(text));
	EXPECT_STRING(text, "12.34");
	usage_parse_pressure("some avg10=100.00\n", text, sizeof(text));
	EXPECT_STRING(text, "100.00");
	usage_parse_pressure("", text, sizeof(text));
	EXPECT_STRING(text, "");
	usage_parse_pressure("full avg10=1.00", text, sizeof(text));
	EXPECT_STRING(text, "");
	usage_parse_pressure("some total=1", text, sizeof(text));
	EXPECT_STRING(text, "");
}

/* Only what is of its own kind is added, whatever else is within it. */
static void adds_up(void)
{
	static const char with_kernel[] = "anon 1000\nfile 200\nkernel 90\nkernel_stack 10\n"
					  "pagetables 20\npercpu 3\nsock 7\nvmalloc 4\nshmem 100\n"
					  "anon_thp 500\nswapcached 9\ninactive_anon 1000\n"
					  "slab_reclaimable 20\nslab_unreclaimable 10\nslab 30\n"
					  "pgfault 77\npgnew 5\n";
	static const char without_kernel[] = "anon 1000\nfile 200\nkernel_stack 10\npercpu 3\n"
					     "sock 7\nslab_reclaimable 20\n"
					     "slab_unreclaimable 10\nslab 30\n";
	struct memory_stat stat;

	memory_stat_parse(with_kernel, &stat);
	EXPECT_NUMBER(stat.count, 17);
	EXPECT_NUMBER(memory_stat_sum(&stat), 1000 + 200 + 90 + 7);
	EXPECT_NUMBER(memory_stat_other_kernel(&stat), 90 - (10 + 20 + 3 + 4 + 30));
	EXPECT_NUMBER(memory_stat_value(&stat, "pgfault"), 77);
	EXPECT_NUMBER(memory_stat_value(&stat, "pgnew"), 5);
	EXPECT_TRUE(!stat.lines[16].row);
	EXPECT_TRUE(memory_stat_value(&stat, "zswap") == CG_MISSING);

	memory_stat_parse(without_kernel, &stat);
	EXPECT_NUMBER(memory_stat_sum(&stat), 1000 + 200 + 10 + 3 + 7 + 30);
	EXPECT_NUMBER(memory_stat_other_kernel(&stat), 0);

	/* Bytes may be there before their page is. */
	memory_stat_parse("kernel 4096\nslab 5000\n", &stat);
	EXPECT_NUMBER(memory_stat_sum(&stat), 4096);
	EXPECT_NUMBER(memory_stat_other_kernel(&stat), 0);

	memory_stat_parse("", &stat);
	EXPECT_NUMBER(stat.count, 0);
	EXPECT_NUMBER(memory_stat_sum(&stat), 0);
}

static void adds_up_on_v1(void)
{
	struct error error = {};
	struct memory_stat stat;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_v1(&fixture, &tree);
	EXPECT_NUMBER(cgroup_name_look(&tree, "job", &cg, &error), 0);
	EXPECT_NUMBER(memory_stat_read(&cg, &stat), 0);
	cg_look_away(&cg);
	EXPECT_NUMBER(stat.count, 3);
	EXPECT_NUMBER(memory_stat_value(&stat, "rss"), 3 << 20);
	EXPECT_NUMBER(memory_stat_value(&stat, "cache"), 2 << 20);
	EXPECT_NUMBER(memory_stat_sum(&stat), 6 << 20);
	EXPECT_NUMBER(memory_stat_other_kernel(&stat), 0);
	fixture_destroy(&fixture);
}

/* On v2, swap has a file of its own, and is not in the sum. */
static void knows_what_is_in_swap(void)
{
	struct error error = {};
	struct memory_stat stat;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_v2(&fixture, &tree);
	fixture_write(&fixture, V2 "/a/job/memory.stat", "anon 4096\n");
	EXPECT_NUMBER(cgroup_name_look(&tree, "a/job", &cg, &error), 0);
	EXPECT_NUMBER(memory_stat_read(&cg, &stat), 0);
	EXPECT_TRUE(memory_stat_value(&stat, "swap") == CG_MISSING);
	fixture_write(&fixture, V2 "/a/job/memory.swap.current", "57671680\n");
	EXPECT_NUMBER(memory_stat_read(&cg, &stat), 0);
	cg_look_away(&cg);
	EXPECT_NUMBER(memory_stat_value(&stat, "swap"), 57671680);
	EXPECT_NUMBER(memory_stat_sum(&stat), 4096);
	fixture_destroy(&fixture);
}

/* More lines than a kernel has, and longer ones, do no harm. */
static void survives_any_text(void)
{
	char text[(MEMORY_STAT_LINES_MAX + 8) * 16] = "";
	struct memory_stat stat;
	size_t length = 0;
	int i;

	for (i = 0; i < MEMORY_STAT_LINES_MAX + 8; i++)
		length += snprintf(text + length, sizeof(text) - length, "line_%d 1\n", i);
	memory_stat_parse(text, &stat);
	EXPECT_NUMBER(stat.count, MEMORY_STAT_LINES_MAX);
	memory_stat_parse("anon", &stat);
	EXPECT_NUMBER(memory_stat_value(&stat, "anon"), 0);
	memory_stat_parse("a_name_of_more_than_forty_eight_characters_in_all 1\nfile 2\n", &stat);
	EXPECT_NUMBER(memory_stat_value(&stat, "file"), 2);
}

static void explains_each_line_once(void)
{
	const struct memory_stat_row *row, *other;

	for (row = memory_stat_rows; row->name; row++) {
		/* Name, size and text are on a line of 80 columns. */
		EXPECT_TRUE(strlen(row->name) + 2 * row->depth <= 24);
		EXPECT_TRUE(*row->what && strlen(row->what) <= 42);
		for (other = row + 1; other->name; other++)
			EXPECT_TRUE(strcmp(row->name, other->name));
	}
}

const struct unit_test unit_stat_tests[] = {
	{ "stat_names_cgroups", names_cgroups },
	{ "stat_names_cgroups_in_a_container", names_cgroups_in_a_container },
	{ "stat_tells_what_is_no_cgroup", tells_what_is_no_cgroup },
	{ "stat_takes_usage", takes_usage },
	{ "stat_takes_usage_of_a_root", takes_usage_of_a_root },
	{ "stat_takes_usage_of_v1", takes_usage_of_v1 },
	{ "stat_finds_pressure", finds_pressure },
	{ "stat_adds_up", adds_up },
	{ "stat_adds_up_on_v1", adds_up_on_v1 },
	{ "stat_knows_what_is_in_swap", knows_what_is_in_swap },
	{ "stat_survives_any_text", survives_any_text },
	{ "stat_explains_each_line_once", explains_each_line_once },
	{},
};
