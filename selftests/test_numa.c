// SPDX-License-Identifier: GPL-2.0
/*
 * The law of conservation between NUMA nodes: whichever node the caller runs on, and
 * whichever the memory comes from, the books balance; memory.numa_stat has bytes on the
 * node that they lie on, and on no other; and pages that move to another node take their
 * charge with them.
 */
#include <stdio.h>
#include <sys/syscall.h>

#include "books.h"
#include "cpu.h"
#include "memstress_test.h"
#include "node_stat.h"
#include "scope.h"
#include "twin.h"
#include "user_memory.h"
#include "worker.h"

LAW("between nodes the books balance, bytes are on the node they lie on, and move with their page");

#define LIMIT_BYTES  (256 << 20)
#define CHARGE_BYTES (4 << 20)
#define NODES        2
#define USER_BYTES   (2 << 20)
#define TIMEOUT_S    120

/* Before any test: fixtures cannot skip on older kernels' harness */
static void __attribute__((constructor)) skip_without_nodes(void)
{
	struct memstress_info info = { 0 };
	int fd = session_open();

	if (fd >= 0 && !session_info(fd, 0, &info) && info.online_nodes < NODES)
		ksft_exit_skip("this machine has one NUMA node\n");
	if (fd >= 0)
		close(fd);
}

FIXTURE(numa)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc alloc;
	struct memstress_books one;
	struct charge charge;
	struct violation violation;
	int fd;
};

FIXTURE_VARIANT(numa)
{
	__u32 kind;
	__u64 size; /* or order */
};

#define VARIANT(_name, _kind, _size)                           \
	FIXTURE_VARIANT_ADD(numa, _name)                       \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
	}

VARIANT(page, PAGE, 0);
VARIANT(page_3, PAGE, 3);
VARIANT(kmalloc, KMALLOC, 64);
VARIANT(kmalloc_large, KMALLOC, 65536);
VARIANT(cache, CACHE, 200);

FIXTURE_SETUP(numa)
{
	__u64 step;

	ASSERT_EQ(0, scope_create(&self->scope, "numa", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, books_derive_one(&self->alloc, &self->one));
	step = books_whole_pages(&self->one);
	self->alloc.count = CHARGE_BYTES /
			    (self->one.page_charged_bytes + self->one.byte_charged_bytes) / step *
			    step;
	ASSERT_LT(0, self->alloc.count);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(numa)
{
	EXPECT_EQ(0, cpu_run_on(-1));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int law(struct _test_data_numa *self, const char *when)
{
	int ret = scope_law(&self->scope, &self->before, &self->charge, BALANCE_ALL,
			    &self->violation);

	balance_report(when, ret, &self->violation);
	return ret;
}

/* A node's part of "slab_unreclaimable N0=BYTES N1=BYTES"; -ENOENT: the file has none */
static long long slab_of_node(const struct cgroup *cg, int node)
{
	char text[8192], part[16];
	ssize_t length = cgroup_read(cg, "memory.numa_stat", text, sizeof(text));
	char *line, *value;

	if (length < 0)
		return length;
	snprintf(part, sizeof(part), " N%d=", node);
	line = strstr(text, "slab_unreclaimable ");
	if (!line)
		return -ENOENT;
	line[strcspn(line, "\n")] = '\0';
	value = strstr(line, part);
	return value ? atoll(value + strlen(part)) : -ENOENT;
}

/* Slab bytes where they are, none elsewhere. False and a line printed if it is otherwise */
static bool nodes_are_right(struct _test_data_numa *self, int memory_node)
{
	bool right = true;
	int node;

	for (node = 0; node < NODES; node++) {
		long long expected = node == memory_node ? self->charge.slab_unreclaimable : 0;
		long long seen = slab_of_node(&self->scope.target, node);

		if (seen == expected)
			continue;
		fprintf(stderr, "# slab_unreclaimable N%d: expected %lld, seen %lld\n", node,
			expected, seen);
		right = false;
	}
	return right;
}

/* Charges from a CPU of one node for memory of another, and gives it back */
static bool balances(struct _test_data_numa *self, int cpu_node, int memory_node)
{
	int cpu = cpu_first_of_node(cpu_node);
	struct memstress_books expected;
	bool held, freed;

	fprintf(stderr, "# CPU on node %d, memory on node %d\n", cpu_node, memory_node);
	self->alloc.node = memory_node;
	if (cpu < 0 || cpu_run_on(cpu) || session_alloc(self->fd, &self->alloc) ||
	    self->alloc.stop != MEMSTRESS_STOP_DONE ||
	    books_derive(&self->alloc, self->alloc.count, &expected))
		return false;
	charge_add(&self->charge, self->alloc.kind, &expected);
	held = !law(self, "held");
	held &= nodes_are_right(self, memory_node);

	if (session_free_all(self->fd))
		return false;
	memset(&self->charge, 0, sizeof(self->charge));
	freed = !law(self, "freed");
	freed &= nodes_are_right(self, memory_node);
	return held && freed;
}

TEST_F_TIMEOUT(numa, every_pair_of_nodes, TIMEOUT_S)
{
	int cpu_node, memory_node;

	for (cpu_node = 0; cpu_node < NODES; cpu_node++)
		for (memory_node = 0; memory_node < NODES; memory_node++)
			EXPECT_TRUE(balances(self, cpu_node, memory_node));
}

TEST_F_TIMEOUT(numa, red_twin, TIMEOUT_S)
{
	struct memstress_alloc twin =
		session_request(MEMSTRESS_KIND_KMALLOC, 8, 1, self->scope.target.fd);
	int fd = session_open();

	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));

	/* An object on a node that nobody knows of */
	ASSERT_LE(0, fd);
	twin.node = 1;
	ASSERT_EQ(0, session_alloc(fd, &twin));
	EXPECT_NE(0, law(self, "red twin on node 1"));
	EXPECT_FALSE(nodes_are_right(self, 0));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, law(self, "green again"));
	EXPECT_TRUE(nodes_are_right(self, 0));
}

/* All of the worker's pages; 0 or -errno */
static int move_pages_of(const struct worker *worker, int from, int to)
{
	const unsigned long old_nodes = 1UL << from, new_nodes = 1UL << to;
	long left = syscall(SYS_migrate_pages, worker->pid, 8 * sizeof(old_nodes), &old_nodes,
			    &new_nodes);

	if (left > 0)
		fprintf(stderr, "# %ld pages have stayed\n", left);
	return left < 0 ? -errno : 0;
}

FIXTURE(moved)
{
	struct scope scope;
	struct scope_snapshot before;
	struct worker worker; /* in the target, with user memory, on node 0 */
	int error;
};

FIXTURE_SETUP(moved)
{
	unsigned long long bytes = USER_BYTES;

	ASSERT_EQ(0, user_memory_open());
	ASSERT_EQ(0, scope_create(&self->scope, "moved", LIMIT_BYTES));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	ASSERT_EQ(0, worker_take(&self->worker, USER_ANON, &bytes));
	ASSERT_EQ(0, worker_take(&self->worker, USER_MAPPED, &bytes));
	scope_visit_cpus();
	self->error = move_pages_of(&self->worker, 1, 0);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(moved)
{
	worker_kill(&self->worker);
	user_memory_close();
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Of pages that all lie on one node */
static bool lies_on(const struct cgroup *cg, const struct node_stat *stat, const char *line,
		    unsigned int node, long long bytes)
{
	char what[64];
	bool held = true;
	unsigned int i;

	for (i = 0; i < NODES; i++) {
		snprintf(what, sizeof(what), "%s N%u of memory.numa_stat", line, i);
		held &= law_equal(cg->path, what, i == node ? bytes : 0,
				  node_stat_value(stat, line, i));
	}
	return held;
}

static bool all_lies_on(struct _test_data_moved *self, unsigned int node)
{
	const struct cgroup *const cgroups[] = { &self->scope.target, &self->scope.parent };
	static const struct moves none;
	bool held = true;
	unsigned int i;

	held &= !scope_moves_await(&self->scope, cgroups[0], &self->before.target, &none,
				   MOVES_OF_PAYER, "moved to another node");
	for (i = 0; i < 2; i++) {
		struct node_stat stat;
		long long anon = snapshot_value(&self->before.target, "anon");

		if (node_stat_take(&stat, cgroups[i]))
			return false;
		held &= lies_on(cgroups[i], &stat, "anon", node, anon);
		held &= lies_on(cgroups[i], &stat, "file", node, USER_BYTES);
		held &= lies_on(cgroups[i], &stat, "shmem", node, USER_BYTES);
		held &= lies_on(cgroups[i], &stat, "file_mapped", node, USER_BYTES);
	}
	return held;
}

TEST_F_TIMEOUT(moved, takes_its_charge_along, TIMEOUT_S)
{
	if (self->error == -ENOSYS)
		SKIP(return, "this kernel cannot move pages between nodes (CONFIG_NUMA_MIGRATION)");
	ASSERT_EQ(0, self->error);
	EXPECT_TRUE(all_lies_on(self, 0));
	ASSERT_EQ(0, move_pages_of(&self->worker, 0, 1));
	EXPECT_TRUE(all_lies_on(self, 1));
	ASSERT_EQ(0, move_pages_of(&self->worker, 1, 0));
	EXPECT_TRUE(all_lies_on(self, 0));
	fprintf(stderr, "# red twin: the law must be broken\n");
	ASSERT_EQ(0, move_pages_of(&self->worker, 0, 1));
	EXPECT_FALSE(all_lies_on(self, 0));
}

TEST_HARNESS_MAIN
