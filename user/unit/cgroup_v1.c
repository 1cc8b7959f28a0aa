// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "fixture.h"
#include "snapshot.h"
#include "unit.h"

#define CG  "/sys/fs/cgroup/memory"
#define JOB CG "/job"

/* PAGE_COUNTER_MAX, as the kernel shows it where pages are of 4 KiB */
#define NO_LIMIT "9223372036854771712\n"

/* A machine with v1 alone, memory on a hierarchy with another controller. */
static void begin_v1(struct fixture *fixture, struct cg_tree *tree)
{
	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts",
		      "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
		      "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,memoryish 0 0\n"
		      "cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,hugetlb,memory 0 0\n");
	fixture_write(fixture, CG "/release_agent", "\n");
	fixture_write(fixture, CG "/memory.limit_in_bytes", NO_LIMIT);
	fixture_write(fixture, CG "/memory.use_hierarchy", "1\n");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
}

static const char *path_of(const struct cg_tree *tree, const char *name)
{
	static char path[PATH_MAX];

	EXPECT_NUMBER(cg_resolve(tree, name, path, sizeof(path)), 0);
	return path;
}

/* A cgroup as the kernel makes it, with these limits of memory, and of memory and swap. */
static void begin_job(struct fixture *fixture, struct cg_tree *tree, struct cgroup *cg,
		      const char *max, const char *both)
{
	begin_v1(fixture, tree);
	EXPECT_NUMBER(cg_create(cg, tree, path_of(tree, "job")), 0);
	fixture_write(fixture, JOB "/memory.limit_in_bytes", max);
	if (both)
		fixture_write(fixture, JOB "/memory.memsw.limit_in_bytes", both);
}

static void end_job(struct fixture *fixture, struct cgroup *cg)
{
	fixture_destroy(fixture);
	cg_remove(cg, NS_PER_S);
}

static void finds_v1(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	begin_v1(&fixture, &tree);
	EXPECT_NUMBER(tree.ops->version, 1);
	EXPECT_WITHIN(tree.mount, CG);
	fixture_destroy(&fixture);
}

static void finds_itself_by_whole_words(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	char own[PATH_MAX] = "";

	begin_v1(&fixture, &tree);
	fixture_write(&fixture, "/proc/self/cgroup",
		      "12:kmemory,memoryish:/wrong\n9:name=memory:/wrong\n"
		      "4:hugetlb,memory:/user.slice/a:b\n0::/unified\n");
	EXPECT_NUMBER(tree.ops->find_of(tree.root, "self", own, sizeof(own)), 0);
	EXPECT_STRING(own, "/user.slice/a:b");
	fixture_write(&fixture, "/proc/self/cgroup", "1:cpu:/wrong\n0::/unified\n");
	EXPECT_NUMBER(tree.ops->find_of(tree.root, "self", own, sizeof(own)), -EACCES);
	fixture_destroy(&fixture);
}

static void speaks_one_vocabulary(void)
{
	static const char *const keys[] = { "anon", "file", "slab" };
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	__u64 values[3], number = 0;

	begin_job(&fixture, &tree, &cg, NO_LIMIT, NULL);
	fixture_write(&fixture, JOB "/memory.usage_in_bytes", "8192\n");
	fixture_write(&fixture, JOB "/memory.max_usage_in_bytes", "16384\n");
	fixture_write(&fixture, JOB "/memory.stat", "cache 1\nrss 2\ntotal_cache 3\ntotal_rss 4\n");
	EXPECT_NUMBER(cg_read_number(&cg, CG_USAGE, &number), 0);
	EXPECT_NUMBER(number, 8192);
	EXPECT_NUMBER(cg_read_number(&cg, CG_PEAK, &number), 0);
	EXPECT_NUMBER(number, 16384);
	EXPECT_NUMBER(cg_read_number(&cg, CG_MAX, &number), 0);
	EXPECT_TRUE(number == CG_UNLIMITED);
	EXPECT_NUMBER(cg_read_keys(&cg, CG_STAT, keys, 3, values), 0);
	EXPECT_NUMBER(values[0], 4);
	EXPECT_NUMBER(values[1], 3);
	EXPECT_TRUE(values[2] == CG_MISSING);
	EXPECT_NUMBER(cg_read_number(&cg, CG_HIGH, &number), -EOPNOTSUPP);
	EXPECT_NUMBER(cg_write_number(&cg, CG_HIGH, 1), -EOPNOTSUPP);
	EXPECT_NUMBER(cg_write_number(&cg, CG_OOM_GROUP, 1), -EOPNOTSUPP);
	end_job(&fixture, &cg);
}

static void takes_snapshots(void)
{
	struct snapshot snapshot;
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_job(&fixture, &tree, &cg, NO_LIMIT, NULL);
	fixture_write(&fixture, JOB "/memory.usage_in_bytes", "8192\n");
	fixture_write(&fixture, JOB "/memory.max_usage_in_bytes", "16384\n");
	fixture_write(&fixture, JOB "/memory.kmem.usage_in_bytes", "4096\n");
	fixture_write(&fixture, JOB "/memory.stat", "total_cache 3\ntotal_rss 4\n");
	fixture_write(&fixture, JOB "/memory.oom_control",
		      "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
	fixture_write(&fixture, JOB "/memory.failcnt", "97\n");
	EXPECT_NUMBER(snapshot_take(&cg, &snapshot), 0);
	EXPECT_NUMBER(snapshot.usage_bytes, 8192);
	EXPECT_NUMBER(snapshot.peak_bytes, 16384);
	EXPECT_NUMBER(snapshot.stat[STAT_KERNEL], 4096);
	EXPECT_NUMBER(snapshot.stat[STAT_ANON], 4);
	EXPECT_TRUE(snapshot.stat[STAT_SLAB] == CG_MISSING);
	EXPECT_NUMBER(snapshot.events.value[EVENT_OOM_KILL], 2);
	EXPECT_NUMBER(snapshot.events.value[EVENT_FAILCNT], 97);
	EXPECT_TRUE(snapshot.events.value[EVENT_MAX] == CG_MISSING);
	EXPECT_TRUE(snapshot.events_local.value[EVENT_OOM_KILL] == CG_MISSING);
	end_job(&fixture, &cg);
}

static void takes_swap_for_the_difference(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	__u64 number = 0;

	begin_job(&fixture, &tree, &cg, "16777216\n", "20971520\n");
	EXPECT_NUMBER(cg_read_number(&cg, CG_SWAP_MAX, &number), 0);
	EXPECT_NUMBER(number, 4 << 20);
	EXPECT_NUMBER(cg_write_number(&cg, CG_SWAP_MAX, 8 << 20), 0);
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.memsw.limit_in_bytes"), "25165824");

	/* Up and down, the swap that is allowed stays the same. */
	EXPECT_NUMBER(cg_write_number(&cg, CG_MAX, 32 << 20), 0);
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.limit_in_bytes"), "33554432");
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.memsw.limit_in_bytes"), "41943040");
	EXPECT_NUMBER(cg_write_number(&cg, CG_MAX, 12 << 20), 0);
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.limit_in_bytes"), "12582912");
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.memsw.limit_in_bytes"), "20971520");

	EXPECT_NUMBER(cg_write_number(&cg, CG_SWAP_MAX, CG_UNLIMITED), 0);
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.memsw.limit_in_bytes"), "-1");
	end_job(&fixture, &cg);
}

static void has_no_swap_limit_without_accounting(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	__u64 number;

	begin_job(&fixture, &tree, &cg, "16777216\n", NULL);
	EXPECT_NUMBER(cg_read_number(&cg, CG_SWAP_MAX, &number), -EOPNOTSUPP);
	EXPECT_NUMBER(cg_write_number(&cg, CG_SWAP_MAX, 0), -EOPNOTSUPP);
	EXPECT_NUMBER(cg_write_number(&cg, CG_MAX, 12 << 20), 0);
	EXPECT_WITHIN(fixture_read(&fixture, JOB "/memory.limit_in_bytes"), "12582912");
	end_job(&fixture, &cg);

	/* Nor one of swap alone. */
	begin_job(&fixture, &tree, &cg, NO_LIMIT, NO_LIMIT);
	EXPECT_NUMBER(cg_read_number(&cg, CG_SWAP_MAX, &number), 0);
	EXPECT_TRUE(number == CG_UNLIMITED);
	EXPECT_NUMBER(cg_write_number(&cg, CG_SWAP_MAX, 0), -EINVAL);
	end_job(&fixture, &cg);
}

static void finds_the_tightest_limit(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	char owner[PATH_MAX] = "";
	__u64 bytes;

	begin_v1(&fixture, &tree);
	fixture_write(&fixture, CG "/a/memory.limit_in_bytes", "1048576\n");
	fixture_write(&fixture, CG "/a/memory.use_hierarchy", "1\n");
	fixture_write(&fixture, CG "/a/b/memory.limit_in_bytes", "4194304\n");
	EXPECT_NUMBER(cg_effective_max(&tree, path_of(&tree, "a/b/c"), &bytes, owner,
				       sizeof(owner)),
		      0);
	EXPECT_NUMBER(bytes, 1 << 20);
	EXPECT_STRING(owner, path_of(&tree, "a"));

	/* What does not count its children does not limit them. */
	fixture_write(&fixture, CG "/a/memory.use_hierarchy", "0\n");
	EXPECT_NUMBER(cg_effective_max(&tree, path_of(&tree, "a/b/c"), &bytes, owner,
				       sizeof(owner)),
		      0);
	EXPECT_NUMBER(bytes, 4 << 20);

	fixture_write(&fixture, CG "/a/b/memory.limit_in_bytes", NO_LIMIT);
	EXPECT_NUMBER(cg_effective_max(&tree, path_of(&tree, "a/b/c"), &bytes, owner,
				       sizeof(owner)),
		      0);
	EXPECT_TRUE(bytes == CG_UNLIMITED);
	fixture_destroy(&fixture);
}

static void counts_children_where_it_must(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_v1(&fixture, &tree);
	fixture_write(&fixture, CG "/memory.use_hierarchy", "0\n");
	fixture_write(&fixture, CG "/a/memory.use_hierarchy", "0\n");

	/* Below the root there is nothing to gain. */
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/memory.use_hierarchy"), "0\n");
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), 0);

	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "a/job")), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/a/memory.use_hierarchy"), "1\n");
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/a/memory.use_hierarchy"), "0\n");

	/* Somebody else's 1 stays. */
	fixture_write(&fixture, CG "/a/memory.use_hierarchy", "1\n");
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "a/job")), 0);
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/a/memory.use_hierarchy"), "1\n");
	fixture_destroy(&fixture);
}

static void moves_the_child_before_it_runs(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	char number[16];
	int status = 0, pidfd = -1;
	pid_t pid;

	begin_job(&fixture, &tree, &cg, NO_LIMIT, NULL);
	fixture_write(&fixture, JOB "/cgroup.procs", "");
	pid = cg_fork(&cg, &pidfd);
	if (!pid) {
		snprintf(number, sizeof(number), "%d", getpid());
		_exit(strcmp(fixture_read(&fixture, JOB "/cgroup.procs"), number) ? 1 : 7);
	}
	EXPECT_TRUE(pid > 0 && pidfd >= 0);
	EXPECT_TRUE(waitpid(pid, &status, 0) == pid);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_NUMBER(WEXITSTATUS(status), 7);
	close(pidfd);
	end_job(&fixture, &cg);
}

static void runs_no_child_that_cannot_be_moved(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	int pidfd = -1;
	pid_t pid;

	begin_job(&fixture, &tree, &cg, NO_LIMIT, NULL);
	pid = cg_fork(&cg, &pidfd);
	if (!pid) {
		fixture_write(&fixture, "/ran", "it did");
		_exit(0);
	}
	EXPECT_NUMBER(pid, -ENOENT);
	EXPECT_NUMBER(pidfd, -1);
	EXPECT_TRUE(waitpid(-1, NULL, WNOHANG) < 0);
	EXPECT_STRING(fixture_read(&fixture, "/ran"), "");
	end_job(&fixture, &cg);
}

const struct unit_test unit_cgroup_v1_tests[] = {
	{ "cgroup_v1_finds_v1", finds_v1 },
	{ "cgroup_v1_finds_itself_by_whole_words", finds_itself_by_whole_words },
	{ "cgroup_v1_speaks_one_vocabulary", speaks_one_vocabulary },
	{ "cgroup_v1_takes_snapshots", takes_snapshots },
	{ "cgroup_v1_takes_swap_for_the_difference", takes_swap_for_the_difference },
	{ "cgroup_v1_has_no_swap_limit_without_accounting", has_no_swap_limit_without_accounting },
	{ "cgroup_v1_finds_the_tightest_limit", finds_the_tightest_limit },
	{ "cgroup_v1_counts_children_where_it_must", counts_children_where_it_must },
	{ "cgroup_v1_moves_the_child_before_it_runs", moves_the_child_before_it_runs },
	{ "cgroup_v1_runs_no_child_that_cannot_be_moved", runs_no_child_that_cannot_be_moved },
	{},
};
