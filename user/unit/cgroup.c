// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "fixture.h"
#include "unit.h"

#define CG "/sys/fs/cgroup"

#define MOUNT_V2      "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate,memory_recursiveprot 0 0\n"
#define MOUNT_HYBRID  "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0\n"
#define MOUNT_V1      "cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,memory 0 0\n"
#define MOUNT_V1_PIDS "cgroup /sys/fs/cgroup/pids cgroup rw,nosuid,pids 0 0\n"

/* A machine with v2 alone, memory not yet enabled for children. */
static void begin_v2(struct fixture *fixture, struct cg_tree *tree)
{
	*fixture = fixture_create();
	fixture_write(fixture, "/proc/self/mounts", "proc /proc proc rw 0 0\n" MOUNT_V2);
	fixture_write(fixture, "/proc/self/cgroup", "0::/user.slice/tool\n");
	fixture_write(fixture, CG "/cgroup.controllers", "cpuset cpu io memory pids\n");
	fixture_write(fixture, CG "/cgroup.subtree_control", "cpu pids\n");
	EXPECT_NUMBER(cg_find(tree, fixture->root), 0);
}

static const char *path_of(const struct cg_tree *tree, const char *name)
{
	static char path[PATH_MAX];

	EXPECT_NUMBER(cg_resolve(tree, name, path, sizeof(path)), 0);
	return path;
}

static void finds_v2(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(tree.ops->version, 2);
	EXPECT_WITHIN(tree.mount, CG);
	fixture_destroy(&fixture);
}

/* What a namespace shows as the root has all files that any cgroup has */
static void knows_the_root(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	begin_v2(&fixture, &tree);
	EXPECT_TRUE(tree.ops->is_root(tree.mount));
	fixture_write(&fixture, CG "/cgroup.type", "domain\n");
	EXPECT_TRUE(!tree.ops->is_root(tree.mount));
	fixture_destroy(&fixture);
}

static void lets_the_controller_decide(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	fixture = fixture_create();
	EXPECT_NUMBER(cg_find(&tree, fixture.root), -ENOENT);
	fixture_write(&fixture, "/proc/self/mounts", "tmpfs /tmp tmpfs rw 0 0\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), -ENOENT);

	/* Hybrid: the v2 tree is there, but memory is on v1. */
	fixture_write(&fixture, "/proc/self/mounts", MOUNT_HYBRID MOUNT_V1_PIDS MOUNT_V1);
	fixture_write(&fixture, CG "/unified/cgroup.controllers", "\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_NUMBER(tree.ops->version, 1);
	EXPECT_WITHIN(tree.mount, "/memory");

	/* Hybrid the other way round. */
	fixture_write(&fixture, "/proc/self/mounts", MOUNT_V1_PIDS MOUNT_HYBRID);
	fixture_write(&fixture, CG "/unified/cgroup.controllers", "memory\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_NUMBER(tree.ops->version, 2);
	EXPECT_WITHIN(tree.mount, "/unified");
	fixture_destroy(&fixture);
}

/* Of the tree that has the memory controller, and no other */
static void knows_who_pays_for_huge_pages(void)
{
	static const char option[] = ",memory_hugetlb_accounting 0 0\n";
	struct fixture fixture;
	struct cg_tree tree;
	char mounts[512];

	begin_v2(&fixture, &tree);
	EXPECT_TRUE(!tree.charges_hugetlb);
	snprintf(mounts, sizeof(mounts), "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate%s", option);
	fixture_write(&fixture, "/proc/self/mounts", mounts);
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_TRUE(tree.charges_hugetlb);
	/* Hybrid: memory is on v1. */
	snprintf(mounts, sizeof(mounts), "cgroup2 /sys/fs/cgroup/unified cgroup2 rw%s%s", option,
		 MOUNT_V1);
	fixture_write(&fixture, "/proc/self/mounts", mounts);
	fixture_write(&fixture, CG "/unified/cgroup.controllers", "hugetlb\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_NUMBER(tree.ops->version, 1);
	EXPECT_TRUE(!tree.charges_hugetlb);
	fixture_destroy(&fixture);
}

static void compares_whole_words(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	EXPECT_TRUE(cg_has_word("cpu memory\n", "memory"));
	EXPECT_TRUE(cg_has_word("memory", "memory"));
	EXPECT_TRUE(!cg_has_word("memoryish kmemory memor", "memory"));
	EXPECT_TRUE(!cg_has_word("", "memory"));

	/* An option that begins like a controller is none. */
	fixture = fixture_create();
	fixture_write(&fixture, "/proc/self/mounts",
		      "cgroup /x cgroup rw,memoryish 0 0\n" MOUNT_V2);
	fixture_write(&fixture, CG "/cgroup.controllers", "kmemory\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), -ENOENT);
	fixture_destroy(&fixture);
}

static void reads_escaped_mounts(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	fixture = fixture_create();
	fixture_write(&fixture, "/proc/self/mounts", "none /my\\040cgroups cgroup2 rw 0 0\n");
	fixture_write(&fixture, "/my cgroups/cgroup.controllers", "memory\n");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_WITHIN(tree.mount, "/my cgroups");
	fixture_destroy(&fixture);
}

static void resolves_names(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	char path[PATH_MAX], name[PATH_MAX + 2];

	begin_v2(&fixture, &tree);
	EXPECT_STRING(cg_name(&tree, path_of(&tree, "job")), "/job");
	EXPECT_STRING(cg_name(&tree, path_of(&tree, "/a/b/")), "/a/b");
	EXPECT_STRING(cg_name(&tree, tree.mount), "/");
	snprintf(name, sizeof(name), "%s/a", tree.mount);
	EXPECT_STRING(cg_name(&tree, path_of(&tree, name)), "/a");
	EXPECT_NUMBER(cg_resolve(&tree, "", path, sizeof(path)), -EINVAL);
	EXPECT_NUMBER(cg_resolve(&tree, "/", path, sizeof(path)), -EINVAL);
	EXPECT_NUMBER(cg_resolve(&tree, "../x", path, sizeof(path)), -EINVAL);
	EXPECT_NUMBER(cg_resolve(&tree, "a/../../x", path, sizeof(path)), -EINVAL);
	EXPECT_NUMBER(cg_resolve(&tree, "a/./b", path, sizeof(path)), -EINVAL);
	EXPECT_NUMBER(cg_resolve(&tree, "a..b", path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_resolve(&tree, tree.mount, path, sizeof(path)), -EINVAL);
	EXPECT_NUMBER(cg_resolve(&tree, "long", path, 8), -ENAMETOOLONG);
	fixture_destroy(&fixture);
}

static void finds_the_tightest_limit(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	char owner[PATH_MAX] = "";
	__u64 bytes;

	begin_v2(&fixture, &tree);
	fixture_write(&fixture, CG "/a/memory.max", "max\n");
	fixture_write(&fixture, CG "/a/b/memory.max", "max\n");
	EXPECT_NUMBER(cg_effective_max(&tree, path_of(&tree, "a/b/c"), &bytes, owner,
				       sizeof(owner)),
		      0);
	EXPECT_TRUE(bytes == CG_UNLIMITED);
	EXPECT_STRING(owner, "");

	fixture_write(&fixture, CG "/a/memory.max", "1048576\n");
	fixture_write(&fixture, CG "/a/b/memory.max", "4194304\n");
	EXPECT_NUMBER(cg_effective_max(&tree, path_of(&tree, "a/b/c"), &bytes, owner,
				       sizeof(owner)),
		      0);
	EXPECT_NUMBER(bytes, 1 << 20);
	EXPECT_STRING(owner, path_of(&tree, "a"));
	fixture_destroy(&fixture);
}

static void creates_and_puts_back(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg, other;
	bool marks;

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_TRUE(cg.enabled);
	EXPECT_TRUE(!access(cg.path, F_OK));
	EXPECT_WITHIN(fixture_read(&fixture, CG "/cgroup.subtree_control"), "+memory");

	/* As the kernel would show it. The second run finds it enabled, and changes nothing. */
	fixture_write(&fixture, CG "/cgroup.subtree_control", "cpu memory\n");
	EXPECT_NUMBER(cg_create(&other, &tree, path_of(&tree, "other")), 0);
	EXPECT_TRUE(!other.enabled);

	/* As long as somebody relies on it, it stays. */
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/cgroup.subtree_control"), "cpu memory\n");
	EXPECT_TRUE(access(cg.path, F_OK));
	/* The last one sees the mark, if this file system can have one. */
	marks = !setxattr(tree.mount, "user.memstress-probe", "1", 1, 0);
	EXPECT_NUMBER(cg_remove(&other, NS_PER_S), 0);
	if (marks)
		EXPECT_WITHIN(fixture_read(&fixture, CG "/cgroup.subtree_control"), "-memory");
	EXPECT_NUMBER(cg_remove(&other, NS_PER_S), 0);
	fixture_destroy(&fixture);
}

static void puts_back_alone(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), 0);
	EXPECT_WITHIN(fixture_read(&fixture, CG "/cgroup.subtree_control"), "-memory");

	/* Nothing to put back. */
	fixture_write(&fixture, CG "/cgroup.subtree_control", "memory\n");
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), 0);
	EXPECT_STRING(fixture_read(&fixture, CG "/cgroup.subtree_control"), "memory\n");
	fixture_destroy(&fixture);
}

static void refuses_to_create(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_v2(&fixture, &tree);
	fixture_mkdir(&fixture, CG "/taken");
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "taken")), -EEXIST);
	EXPECT_STRING(fixture_read(&fixture, CG "/cgroup.subtree_control"), "cpu pids\n");
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "no/job")), -ENOENT);
	fixture_write(&fixture, CG "/a/cgroup.controllers", "cpu\n");
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "a/job")), -EOPNOTSUPP);
	EXPECT_TRUE(access(path_of(&tree, "a/job"), F_OK));
	fixture_destroy(&fixture);
}

static void removes_only_its_own(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_NUMBER(rmdir(cg.path), 0);
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), -ENOENT);

	/* Somebody else's cgroup of the same name stays. Here, other than there, ids come again. */
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_NUMBER(rmdir(cg.path), 0);
	fixture_mkdir(&fixture, CG "/job");
	cg.id = -1;
	EXPECT_NUMBER(cg_remove(&cg, NS_PER_S), -ENOENT);
	EXPECT_TRUE(!access(path_of(&tree, "job"), F_OK));
	fixture_destroy(&fixture);
}

static void finds_a_default_parent(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	char path[PATH_MAX];

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(cg_default_parent(&tree, path, sizeof(path)), 0);
	EXPECT_STRING(cg_name(&tree, path), "/");

	/* A container: its root has processes. Beside the tool there is room. */
	fixture_write(&fixture, CG "/cgroup.type", "domain\n");
	fixture_write(&fixture, CG "/cgroup.procs", "1\n");
	EXPECT_NUMBER(cg_default_parent(&tree, path, sizeof(path)), -EACCES);
	fixture_write(&fixture, CG "/user.slice/cgroup.controllers", "memory\n");
	fixture_write(&fixture, CG "/user.slice/cgroup.subtree_control", "memory\n");
	EXPECT_NUMBER(cg_default_parent(&tree, path, sizeof(path)), 0);
	EXPECT_STRING(cg_name(&tree, path), "/user.slice");
	fixture_destroy(&fixture);
}

static void tells_where_processes_can_be(void)
{
	struct fixture fixture;
	struct cg_tree tree;

	begin_v2(&fixture, &tree);
	fixture_write(&fixture, CG "/job/cgroup.type", "domain\n");
	fixture_write(&fixture, CG "/job/cgroup.subtree_control", "\n");
	EXPECT_TRUE(tree.ops->takes_processes(path_of(&tree, "job")));
	fixture_write(&fixture, CG "/job/cgroup.subtree_control", "pids\n");
	EXPECT_TRUE(!tree.ops->takes_processes(path_of(&tree, "job")));
	/* The root can have both. */
	EXPECT_TRUE(tree.ops->takes_processes(tree.mount));
	fixture_destroy(&fixture);
}

static void add_pid(pid_t pid, void *context)
{
	*(int *)context += pid;
}

/* What this pid namespace cannot see is 0. */
static void sees_processes_below(void)
{
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	int sum = 0;

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	fixture_write(&fixture, CG "/job/cgroup.procs", "1000\n200\n");
	fixture_write(&fixture, CG "/job/a/b/cgroup.procs", "0\n30\n");
	fixture_mkdir(&fixture, CG "/job/empty");
	cg_each_process(&cg, add_pid, &sum);
	EXPECT_NUMBER(sum, 1230);
	cg_remove_below(&cg);
	EXPECT_TRUE(access(path_of(&tree, "job/empty"), F_OK));
	EXPECT_TRUE(!access(path_of(&tree, "job"), F_OK));
	fixture_destroy(&fixture);
	cg_remove(&cg, NS_PER_S);
}

static void reads_files(void)
{
	static const char *const keys[] = { "oom", "oom_kill", "nothing" };
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	__u64 values[3], number;

	begin_v2(&fixture, &tree);
	EXPECT_NUMBER(cg_create(&cg, &tree, path_of(&tree, "job")), 0);
	EXPECT_NUMBER(cg_read_number(&cg, CG_USAGE, &number), -EOPNOTSUPP);
	fixture_write(&fixture, CG "/job/memory.current", "4096\n");
	fixture_write(&fixture, CG "/job/memory.max", "max\n");
	fixture_write(&fixture, CG "/job/memory.events", "low 0\noom 3\noom_kill 2\n");
	EXPECT_NUMBER(cg_read_number(&cg, CG_USAGE, &number), 0);
	EXPECT_NUMBER(number, 4096);
	EXPECT_NUMBER(cg_read_number(&cg, CG_MAX, &number), 0);
	EXPECT_TRUE(number == CG_UNLIMITED);
	EXPECT_NUMBER(cg_read_keys(&cg, CG_EVENTS, keys, 3, values), 0);
	EXPECT_NUMBER(values[0], 3);
	EXPECT_NUMBER(values[1], 2);
	EXPECT_TRUE(values[2] == CG_MISSING);
	EXPECT_NUMBER(cg_write_number(&cg, CG_MAX, 123), 0);
	EXPECT_WITHIN(fixture_read(&fixture, CG "/job/memory.max"), "123");
	EXPECT_NUMBER(cg_write_number(&cg, CG_HIGH, 1), -EOPNOTSUPP);
	fixture_destroy(&fixture);
	/* The cgroup is gone, and that is another error than an old kernel. */
	EXPECT_NUMBER(cg_read_number(&cg, CG_USAGE, &number), -ENOENT);
	cg_remove(&cg, NS_PER_S);
}

const struct unit_test unit_cgroup_tests[] = {
	{ "cgroup_finds_v2", finds_v2 },
	{ "cgroup_knows_the_root", knows_the_root },
	{ "cgroup_lets_the_controller_decide", lets_the_controller_decide },
	{ "cgroup_knows_who_pays_for_huge_pages", knows_who_pays_for_huge_pages },
	{ "cgroup_compares_whole_words", compares_whole_words },
	{ "cgroup_reads_escaped_mounts", reads_escaped_mounts },
	{ "cgroup_resolves_names", resolves_names },
	{ "cgroup_finds_the_tightest_limit", finds_the_tightest_limit },
	{ "cgroup_creates_and_puts_back", creates_and_puts_back },
	{ "cgroup_puts_back_alone", puts_back_alone },
	{ "cgroup_refuses_to_create", refuses_to_create },
	{ "cgroup_removes_only_its_own", removes_only_its_own },
	{ "cgroup_finds_a_default_parent", finds_a_default_parent },
	{ "cgroup_tells_where_processes_can_be", tells_where_processes_can_be },
	{ "cgroup_sees_processes_below", sees_processes_below },
	{ "cgroup_reads_files", reads_files },
	{},
};
