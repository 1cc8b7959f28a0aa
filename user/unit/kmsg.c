// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "kmsg.h"
#include "unit.h"

/* Lines of Linux 6.1, shortened where nothing is read. */
#define CHOSEN(oom, task, name, pid)                                                     \
	"6,812,5000123,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/," \
	"mems_allowed=0,oom_memcg=" oom ",task_memcg=" task ",task=" name ",pid=" pid ",uid=0\n"
#define KILLED(pid, name)                                                            \
	"3,813,5000200,-;Memory cgroup out of memory: Killed process " pid " (" name \
	") total-vm:5192kB, anon-rss:236kB, file-rss:2900kB, shmem-rss:0kB, UID:0 "  \
	"pgtables:48kB oom_score_adj:0\n"
#define GLOBAL(task, pid)                                                       \
	"6,9,7,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/," \
	"mems_allowed=0,global_oom,task_memcg=" task ",task=x,pid=" pid ",uid=0\n"
#define GROUP(cgroup) \
	"6,9,7,-;Tasks in " cgroup " are going to be killed due to memory.oom.group set\n"
#define INVOKED       "4,800,5000000,-;memstress invoked oom-killer: gfp_mask=0x400cc0, order=0\n"
#define STATS(cgroup) "6,805,5000050,-;Memory cgroup stats for " cgroup ":\n"
#define NOBODY        "4,820,5000300,-;Out of memory and no killable processes...\n"

static struct kmsg reader(const char *cgroup)
{
	struct kmsg kmsg = { .fd = -1 };

	strcpy(kmsg.cgroup, cgroup);
	return kmsg;
}

/* Who is known to be in the cgroup needs no report around it. */
static void reads_a_kill_without_a_report(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(!kmsg_parse(&kmsg, KILLED("98", "eat"), &oom));
	kmsg.known_pid = 98;
	EXPECT_TRUE(!kmsg_parse(&kmsg, KILLED("980", "eat"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, KILLED("98", "eat"), &oom));
	EXPECT_NUMBER(oom.what, KMSG_KILLED);
	EXPECT_NUMBER(oom.pid, 98);
}

static void reads_a_kill(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(!kmsg_parse(&kmsg, INVOKED, &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/job", "/job", "memstress", "98"), &oom));
	EXPECT_NUMBER(oom.what, KMSG_CHOSEN);
	EXPECT_NUMBER(oom.time_us, 5000123);
	EXPECT_NUMBER(oom.pid, 98);
	EXPECT_STRING(oom.constraint, "CONSTRAINT_MEMCG");
	EXPECT_STRING(oom.oom_memcg, "/job");
	EXPECT_STRING(oom.task_memcg, "/job");
	EXPECT_STRING(oom.task, "memstress");
	EXPECT_TRUE(kmsg_parse(&kmsg, KILLED("98", "memstress"), &oom));
	EXPECT_NUMBER(oom.what, KMSG_KILLED);
	EXPECT_NUMBER(oom.pid, 98);
	EXPECT_STRING(oom.task, "memstress");
	EXPECT_NUMBER(oom.anon_rss_bytes, 236 << 10);
}

static void ignores_others(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(!kmsg_parse(&kmsg, CHOSEN("/job2", "/job2", "x", "98"), &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, CHOSEN("/other/myjob", "/other/myjob", "x", "98"), &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, KILLED("98", "x"), &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, "6,1,2,-;usb 1-1: new device\n", &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, "nonsense", &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, "", &oom));
}

static void knows_the_end_of_a_name(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	/* A container sees the end of what the log writes. */
	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/docker/job", "/docker/job", "x", "5"), &oom));
	/* The limit of an ancestor. */
	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/docker", "/docker/job", "x", "6"), &oom));
	EXPECT_STRING(oom.oom_memcg, "/docker");
}

static void reads_a_global_oom(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(kmsg_parse(&kmsg, GLOBAL("/job", "7"), &oom));
	EXPECT_STRING(oom.constraint, "CONSTRAINT_NONE");
	EXPECT_STRING(oom.oom_memcg, "");
	EXPECT_STRING(oom.task_memcg, "/job");
	EXPECT_NUMBER(oom.pid, 7);
}

static void reads_of_those_below(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(!kmsg_parse(&kmsg, CHOSEN("/job/a", "/job/a/b", "x", "42"), &oom));
	kmsg.with_below = true;
	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/job/a", "/job/a/b", "x", "42"), &oom));
	EXPECT_STRING(oom.oom_memcg, "/job/a");
	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/c/job/a", "/c/job/a", "x", "42"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/job", "/job", "x", "42"), &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, CHOSEN("/jobs/a", "/jobs/a", "x", "42"), &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, CHOSEN("/a", "/b", "x", "42"), &oom));
}

static void survives_strange_names(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(kmsg_parse(&kmsg, CHOSEN("/job", "/job", "a,pid=1,b", "42"), &oom));
	EXPECT_NUMBER(oom.pid, 42);
	EXPECT_STRING(oom.task, "a,pid=1,b");
	EXPECT_TRUE(kmsg_parse(&kmsg, KILLED("42", "a) total-vm:(b"), &oom));
	EXPECT_STRING(oom.task, "a) total-vm:(b");
}

/* As the kernel writes the unit "ms\x2dback.service" and the cgroup "gr\u00f6\u00dfe". */
static void reads_escaped_names(void)
{
	static const char chosen[] = CHOSEN("/gr\\xc3\\xb6\\xc3\\x9fe",
					    "/gr\\xc3\\xb6\\xc3\\x9fe/ms\\x5cx2dback.service", "dd",
					    "42");
	struct kmsg kmsg = reader("/ms\\x2dback.service");
	struct kmsg_oom oom;

	EXPECT_TRUE(kmsg_parse(&kmsg, chosen, &oom));
	EXPECT_STRING(oom.oom_memcg, "/gr\xc3\xb6\xc3\x9f\x65");
	EXPECT_STRING(oom.task_memcg, "/gr\xc3\xb6\xc3\x9f\x65/ms\\x2dback.service");
	EXPECT_TRUE(!kmsg_parse(&kmsg, GROUP("/ms\\x5cx2dback.service"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, KILLED("11", "\\x1b[2J\\xc3\\xa4\\x5c"), &oom));
	EXPECT_STRING(oom.task, "?[2J\xc3\xa4\\");
	EXPECT_TRUE(!kmsg_parse(&kmsg, STATS("/ms\\x5cx2dback.service"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, NOBODY, &oom));
	/* Cut off within. */
	EXPECT_TRUE(!kmsg_parse(&kmsg, STATS("/ms\\x5cx2dback.service\\x5"), &oom));
}

static void reads_a_group_kill(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(!kmsg_parse(&kmsg, GROUP("/job"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, KILLED("11", "x"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, KILLED("12", "y"), &oom));
	EXPECT_NUMBER(oom.pid, 12);
	/* The next report ends it. */
	EXPECT_TRUE(!kmsg_parse(&kmsg, INVOKED, &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, KILLED("13", "z"), &oom));
}

static void reads_that_nobody_was_there(void)
{
	struct kmsg kmsg = reader("/job");
	struct kmsg_oom oom;

	EXPECT_TRUE(!kmsg_parse(&kmsg, INVOKED, &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, STATS("/other"), &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, NOBODY, &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, INVOKED, &oom));
	EXPECT_TRUE(!kmsg_parse(&kmsg, STATS("/job"), &oom));
	EXPECT_TRUE(kmsg_parse(&kmsg, NOBODY, &oom));
	EXPECT_NUMBER(oom.what, KMSG_NO_VICTIM);
}

/* Images of containers fake it by these. */
static void takes_the_device_only(void)
{
	EXPECT_NUMBER(kmsg_open_device("/dev/null"), -ENODEV);
	EXPECT_NUMBER(kmsg_open_device("/proc/self/status"), -ENODEV);
	EXPECT_NUMBER(kmsg_open_device("/nowhere/kmsg"), -ENOENT);
}

const struct unit_test unit_kmsg_tests[] = {
	{ "kmsg_reads_a_kill", reads_a_kill },
	{ "kmsg_reads_a_kill_without_a_report", reads_a_kill_without_a_report },
	{ "kmsg_ignores_others", ignores_others },
	{ "kmsg_knows_the_end_of_a_name", knows_the_end_of_a_name },
	{ "kmsg_reads_a_global_oom", reads_a_global_oom },
	{ "kmsg_reads_of_those_below", reads_of_those_below },
	{ "kmsg_survives_strange_names", survives_strange_names },
	{ "kmsg_reads_escaped_names", reads_escaped_names },
	{ "kmsg_reads_a_group_kill", reads_a_group_kill },
	{ "kmsg_takes_the_device_only", takes_the_device_only },
	{ "kmsg_reads_that_nobody_was_there", reads_that_nobody_was_there },
	{},
};
