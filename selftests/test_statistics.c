// SPDX-License-Identifier: GPL-2.0
/*
 * The law of statistics: the right lines of memory.stat and memory.numa_stat move by the
 * right amount, at the payer and at every ancestor; no other line moves, none is less than
 * nothing or more than there is; everything that usage has is on a line.
 */
#include <sys/syscall.h>
#include <linux/membarrier.h>

#include "books.h"
#include "cpu.h"
#include "memstress_test.h"
#include "moves.h"
#include "node_stat.h"
#include "scope.h"
#include "user_memory.h"

LAW("the right lines of memory.stat and numa_stat move by the right amount, and no other line");

#define LIMIT_BYTES (256 << 20)
#define LEVELS_MAX  (SCOPE_DEPTH_MAX + 1)
#define TIMEOUT_S   120

/* Memory that is freed after an RCU grace period is back by then */
#define AWAIT_NS (10 * NS_PER_S)

FIXTURE(statistics)
{
	struct scope scope;
	const struct cgroup *levels[LEVELS_MAX]; /* from who pays, the target, up to the parent */
	struct snapshot before[LEVELS_MAX], sibling;
	struct violation violation;
	struct worker worker;
	int fd;
};

FIXTURE_VARIANT(statistics)
{
	unsigned int depth; /* of who pays, below the parent */
};

#define VARIANT(_depth)                                 \
	FIXTURE_VARIANT_ADD(statistics, depth_##_depth) \
	{                                               \
		.depth = _depth,                        \
	}

VARIANT(1);
VARIANT(3);
VARIANT(10);

static const struct {
	__u32 kind;
	__u64 size; /* or order */
	__u64 count;
} kernel_memory[] = {
	{ MEMSTRESS_KIND_PAGE, 0, 700 },      { MEMSTRESS_KIND_PAGE, 3, 100 },
	{ MEMSTRESS_KIND_KMALLOC, 64, 3000 }, { MEMSTRESS_KIND_KMALLOC, 12288, 90 },
	{ MEMSTRESS_KIND_CACHE, 200, 2000 },  { MEMSTRESS_KIND_VMALLOC, 20000, 70 },
	{ MEMSTRESS_KIND_PERCPU, 64, 500 },
};

/* User memory, in bytes; a table of pages spans 2 MiB */
static const unsigned long long user_bytes[USER_MEMORY_END] = {
	[USER_ANON] = 4 << 20,   [USER_THP] = 8 << 20,    [USER_PAGETABLES] = 64 << 12,
	[USER_SHMEM] = 2 << 20,  [USER_MAPPED] = 4 << 20, [USER_FILE] = 2 << 20,
	[USER_PIPE] = 512 << 10, [USER_SOCK] = 1 << 20,   [USER_STACKS] = 1,
};

static const struct cgroup *payer(const struct _test_data_statistics *self)
{
	return self->levels[0];
}

FIXTURE_SETUP(statistics)
{
	unsigned int i;

	ASSERT_EQ(0, scope_create_deep(&self->scope, "statistics", LIMIT_BYTES, variant->depth));
	self->levels[0] = &self->scope.target;
	for (i = 1; i < variant->depth; i++)
		self->levels[i] = &self->scope.level[variant->depth - 1 - i];
	self->levels[i] = &self->scope.parent;
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, user_memory_open());
}

FIXTURE_TEARDOWN(statistics)
{
	worker_kill(&self->worker);
	user_memory_close();
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static const struct moves nothing;

static int settle(struct _test_data_statistics *self)
{
	int ret = scope_settle(&self->scope);

	return ret ? ret : scope_flush(&self->scope);
}

static int baseline(struct _test_data_statistics *self)
{
	unsigned int i;
	int ret;

	scope_visit_cpus();
	ret = settle(self);

	for (i = 0; i <= self->scope.depth && !ret; i++)
		ret = snapshot_take(&self->before[i], self->levels[i]);
	return ret ? ret : snapshot_take(&self->sibling, &self->scope.sibling);
}

/*
 * MEMBARRIER_CMD_GLOBAL is synchronize_rcu(): what was on its way back before it comes
 * back soon after it. When nothing has in two of them, nothing is on its way.
 */
static int quiet_baseline(struct _test_data_statistics *self)
{
	__u64 deadline = clock_deadline_ns(AWAIT_NS);
	long long moved, parent;
	int ret;

	ret = baseline(self);
	do {
		parent = snapshot_value(&self->before[self->scope.depth], "usage");
		moved = snapshot_value(&self->before[self->scope.depth], "slab");
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		if (!ret)
			ret = baseline(self);
		parent -= snapshot_value(&self->before[self->scope.depth], "usage");
		moved -= snapshot_value(&self->before[self->scope.depth], "slab");
	} while (!ret && (moved || parent) && clock_poll(deadline));
	return !ret && (moved || parent) ? -ETIMEDOUT : ret;
}

static void note(struct _test_data_statistics *self, const struct cgroup *cg, int wrong,
		 const struct violation *violation, int *sum)
{
	if (wrong && !*sum) {
		self->violation = *violation;
		self->violation.cgroup = cg->path;
	}
	*sum += wrong;
}

static int law_at(struct _test_data_statistics *self, const struct cgroup *cg,
		  const struct snapshot *before, const struct moves *moves, enum moves_of of,
		  int *wrong)
{
	struct violation violation;
	struct node_stat nodes;
	struct snapshot now;
	int ret = snapshot_take(&now, cg);

	if (!ret && !cgroup_is_v1())
		ret = node_stat_take(&nodes, cg);
	if (ret)
		return ret;
	note(self, cg, moves_check(before, &now, moves, of, &violation), &violation, wrong);
	note(self, cg, moves_check_sanity(&now, &violation), &violation, wrong);
	if (!cgroup_is_v1())
		note(self, cg, node_stat_check(&nodes, &now, &violation), &violation, wrong);
	return 0;
}

/* Number of lines at all levels that are wrong; -errno */
static int law(struct _test_data_statistics *self, const struct moves *moves)
{
	int ret = settle(self), wrong = 0;
	unsigned int i;

	for (i = 0; i <= self->scope.depth && !ret; i++)
		ret = law_at(self, self->levels[i], &self->before[i], moves,
			     i ? MOVES_OF_ANCESTOR : MOVES_OF_PAYER, &wrong);
	if (!ret)
		ret = law_at(self, &self->scope.sibling, &self->sibling, &nothing, MOVES_OF_PAYER,
			     &wrong);
	return ret ? ret : wrong;
}

/* The same until it holds, for memory that comes back late; it is printed how late */
static int law_await(struct _test_data_statistics *self, const struct moves *moves,
		     const char *when)
{
	__u64 deadline = clock_deadline_ns(AWAIT_NS), begin = clock_now_ns();
	int wrong;

	do {
		scope_visit_cpus();
		wrong = law(self, moves);
	} while (wrong && clock_poll(deadline));
	balance_report(when, wrong, &self->violation);
	if (!wrong)
		fprintf(stderr, "# %s: after %llu ms\n", when,
			(clock_now_ns() - begin) / NS_PER_MS);
	return wrong;
}

static int charge_kernel(struct _test_data_statistics *self, const struct cgroup *cg,
			 unsigned int which, struct charge *charge)
{
	struct memstress_alloc alloc = session_request(kernel_memory[which].kind,
						       kernel_memory[which].size,
						       kernel_memory[which].count, cg->fd);
	struct memstress_books books;
	/* Newer kernels have an objcg for each node: all is to be charged to the same one */
	int ret = cpu_run_on(0);

	if (!ret)
		ret = session_alloc(self->fd, &alloc);
	if (!ret)
		ret = cpu_run_on(-1);
	if (!ret && alloc.stop != MEMSTRESS_STOP_DONE)
		ret = -ENOMEM;
	if (!ret)
		ret = books_derive(&alloc, alloc.count, &books);
	if (!ret)
		charge_add(charge, alloc.kind, &books);
	return ret;
}

/* Makes the caches that are made on demand, which is not what is measured */
static int warm_up(struct _test_data_statistics *self)
{
	struct charge unused = { 0 };
	unsigned int which;
	int ret = 0;

	for (which = 0; which < ARRAY_SIZE(kernel_memory) && !ret; which++)
		ret = charge_kernel(self, payer(self), which, &unused);
	return ret ? ret : session_free_all(self->fd);
}

TEST_F_TIMEOUT(statistics, kernel_memory, TIMEOUT_S)
{
	unsigned int which, round;
	int wrong;

	ASSERT_EQ(0, warm_up(self));
	ASSERT_EQ(0, baseline(self));
	/* Twice: a line that comes back less than it was shows 0 until it is charged again */
	for (round = 0; round < 2; round++) {
		struct charge charge = { 0 };

		for (which = 0; which < ARRAY_SIZE(kernel_memory); which++) {
			struct moves moves = { 0 };

			ASSERT_EQ(0, charge_kernel(self, payer(self), which, &charge));
			if (round && which + 1 < ARRAY_SIZE(kernel_memory))
				continue;
			moves_add_charge(&moves, &charge);
			wrong = law(self, &moves);
			EXPECT_EQ(0, wrong)
			balance_report(session_kind_name(kernel_memory[which].kind), wrong,
				       &self->violation);
		}
		ASSERT_EQ(0, session_free_all(self->fd));
		wrong = law(self, &nothing);
		EXPECT_EQ(0, wrong)
		balance_report("freed", wrong, &self->violation);
	}
}

TEST_F_TIMEOUT(statistics, user_memory, TIMEOUT_S)
{
	enum user_memory kind;

	ASSERT_EQ(0, worker_start(&self->worker, payer(self)));
	for (kind = 0; kind < USER_MEMORY_END; kind++) {
		unsigned long long bytes = user_bytes[kind];
		struct moves taken = { 0 }, given = { 0 };

		if (user_memory_missing(kind)) {
			fprintf(stderr, "# %s: not here: %s\n", user_memory_name(kind),
				user_memory_missing(kind));
			continue;
		}
		user_memory_moves_given(&given, kind, bytes);
		/* What the first huge page and the first thread of all need is not measured */
		if (kind == USER_THP || kind == USER_STACKS) {
			ASSERT_EQ(0, worker_take(&self->worker, kind, &bytes));
			ASSERT_EQ(0, worker_give(&self->worker, kind));
			bytes = user_bytes[kind];
		}
		ASSERT_EQ(0, quiet_baseline(self));
		ASSERT_EQ(0, worker_take(&self->worker, kind, &bytes))
		TH_LOG("%s", user_memory_name(kind));
		user_memory_moves(&taken, kind, bytes, &self->before[0]);
		EXPECT_EQ(0, law_await(self, &taken, user_memory_name(kind)));
		ASSERT_EQ(0, worker_give(&self->worker, kind))
		TH_LOG("%s", user_memory_name(kind));
		EXPECT_EQ(0, law_await(self, &given, "given back"));
	}
}

/* The parent moves by what its children do, and each child by its own */
TEST_F_TIMEOUT(statistics, sum_of_children, TIMEOUT_S)
{
	struct snapshot now_payer, now_sibling, now_parent;
	struct charge of_payer = { 0 }, of_sibling = { 0 };
	const struct cgroup *parent = &self->scope.parent;
	struct moves payers = { 0 }, siblings = { 0 }, sum = { 0 };
	struct violation violation;
	unsigned int which;
	int wrong;

	ASSERT_EQ(0, warm_up(self));
	ASSERT_EQ(0, baseline(self));
	for (which = 0; which < ARRAY_SIZE(kernel_memory); which++) {
		ASSERT_EQ(0, charge_kernel(self, payer(self), which, &of_payer));
		if (which % 2)
			ASSERT_EQ(0, charge_kernel(self, &self->scope.sibling, which, &of_sibling));
	}
	moves_add_charge(&payers, &of_payer);
	moves_add_charge(&siblings, &of_sibling);
	moves_add_charge(&sum, &of_payer);
	moves_add_charge(&sum, &of_sibling);
	ASSERT_EQ(0, settle(self));
	ASSERT_EQ(0, snapshot_take(&now_payer, payer(self)));
	ASSERT_EQ(0, snapshot_take(&now_sibling, &self->scope.sibling));
	ASSERT_EQ(0, snapshot_take(&now_parent, parent));

	wrong = moves_check(&self->before[0], &now_payer, &payers, MOVES_OF_PAYER, &violation);
	violation.cgroup = payer(self)->path;
	EXPECT_EQ(0, wrong)
	balance_report("a child", wrong, &violation);
	wrong = moves_check(&self->sibling, &now_sibling, &siblings, MOVES_OF_PAYER, &violation);
	violation.cgroup = self->scope.sibling.path;
	EXPECT_EQ(0, wrong)
	balance_report("the other child", wrong, &violation);
	wrong = moves_check(&self->before[self->scope.depth], &now_parent, &sum, MOVES_OF_ANCESTOR,
			    &violation);
	violation.cgroup = parent->path;
	EXPECT_EQ(0, wrong)
	balance_report("the sum at the parent", wrong, &violation);
	EXPECT_EQ(0, session_free_all(self->fd));
	wrong = law(self, &nothing);
	EXPECT_EQ(0, wrong)
	balance_report("freed", wrong, &self->violation);
}

/* A node's line moves for objects that lie on that node, and no other node's does */
TEST_F_TIMEOUT(statistics, line_of_the_node, TIMEOUT_S)
{
	const char *line = "slab_unreclaimable";
	struct node_stat before, now;
	unsigned int node, other;

	if (cgroup_is_v1())
		SKIP(return, "memory.numa_stat of cgroup v1 has no line for kernel memory");
	for (node = 0; node < NODES_MAX && cpu_first_of_node(node) >= 0; node++) {
		struct memstress_alloc alloc =
			session_request(MEMSTRESS_KIND_KMALLOC, 64, 3000, payer(self)->fd);
		struct memstress_books books;

		alloc.node = node;
		ASSERT_EQ(0, session_alloc(self->fd, &alloc));
		ASSERT_EQ(0, session_free_all(self->fd));
		ASSERT_EQ(0, baseline(self));
		ASSERT_EQ(0, node_stat_take(&before, payer(self)));
		ASSERT_EQ(0, session_alloc(self->fd, &alloc));
		EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
		ASSERT_EQ(0, books_derive(&alloc, alloc.count, &books));
		ASSERT_EQ(0, settle(self));
		ASSERT_EQ(0, node_stat_take(&now, payer(self)));
		for (other = 0; other < NODES_MAX; other++) {
			long long moved = node_stat_value(&now, line, other) -
					  node_stat_value(&before, line, other);
			long long expected = other == node ? books.byte_charged_bytes : 0;
			long long slack = balance_batch_slack(line);

			EXPECT_TRUE(law_at_least(payer(self)->path, "slab of a node",
						 expected - slack, moved));
			EXPECT_TRUE(law_at_most(payer(self)->path, "slab of a node",
						expected + slack, moved));
		}
		EXPECT_EQ(0, session_free_all(self->fd));
	}
	EXPECT_LT(0, node);
}

/* One page, or one object of 8 bytes: each level must show it, and on the right lines */
TEST_F_TIMEOUT(statistics, red_twin, TIMEOUT_S)
{
	static const struct {
		__u32 kind;
		__u64 size;
	} twins[] = { { MEMSTRESS_KIND_PAGE, 0 }, { MEMSTRESS_KIND_KMALLOC, 8 } };
	unsigned int i;
	int wrong;

	ASSERT_EQ(0, warm_up(self));
	ASSERT_EQ(0, baseline(self));
	for (i = 0; i < ARRAY_SIZE(twins); i++) {
		struct memstress_alloc twin =
			session_request(twins[i].kind, twins[i].size, 1, payer(self)->fd);
		int other = session_open();

		ASSERT_LE(0, other);
		ASSERT_EQ(0, session_alloc(other, &twin));
		wrong = law(self, &nothing);
		fprintf(stderr, "# red twin of %s: %d lines wrong at %u levels\n",
			session_kind_name(twin.kind), wrong, self->scope.depth + 1);
		/* Of each level usage, which on v2 and from 5.19 is not the only one */
		EXPECT_LE((int)self->scope.depth + 1, wrong);
		EXPECT_EQ(0, close(other));
		wrong = law(self, &nothing);
		EXPECT_EQ(0, wrong)
		balance_report("green again", wrong, &self->violation);
	}
}

TEST_HARNESS_MAIN
