// SPDX-License-Identifier: GPL-2.0
/*
 * The law of conservation: what the kernel charges a cgroup for is what was asked
 * of it, to the byte, there and at every ancestor, and nowhere else.
 */
#include "books.h"
#include "cpu.h"
#include "depth.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"
#include "worker.h"

LAW("usage and each line move by exactly what was charged, there and above, and nowhere else");

#define LIMIT_BYTES (256 << 20)

/* Enough to pass the stocks of all CPUs many times over, and quick under emulation */
#define CHARGE_BYTES (8 << 20)
#define MAX_OBJECTS  8192

FIXTURE(conservation)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc alloc;
	struct charge charge;
	struct violation violation;
	int fd;
};

FIXTURE_VARIANT(conservation)
{
	__u32 kind;
	__u64 size;       /* or order */
	const char *line; /* of memory.stat, exact to the byte */
	unsigned int row; /* of depth_choose() */
};

#define VARIANT(_name, _kind, _size, _line)                                                    \
	FIXTURE_VARIANT_ADD(conservation, _name)                                               \
	{                                                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .line = _line, .row = __LINE__, \
	}

VARIANT(page_0, PAGE, 0, "kernel");
VARIANT(page_3, PAGE, 3, "kernel");
VARIANT(page_9, PAGE, 9, "kernel");
VARIANT(kmalloc_8, KMALLOC, 8, "slab_unreclaimable");
VARIANT(kmalloc_96, KMALLOC, 96, "slab_unreclaimable");
VARIANT(kmalloc_1024, KMALLOC, 1024, "slab_unreclaimable");
VARIANT(kmalloc_8192, KMALLOC, 8192, "slab_unreclaimable");
VARIANT(kmalloc_12288, KMALLOC, 12288, "slab_unreclaimable");
VARIANT(cache_100, CACHE, 100, "slab_unreclaimable");
VARIANT(cache_1024, CACHE, 1024, "slab_unreclaimable");
VARIANT(vmalloc_4096, VMALLOC, 4096, "vmalloc");
VARIANT(vmalloc_70000, VMALLOC, 70000, "vmalloc");
VARIANT(percpu_8, PERCPU, 8, "percpu");
VARIANT(percpu_1000, PERCPU, 1000, "percpu");
VARIANT(exact_4096, EXACT, 4096, "kernel");
VARIANT(exact_20000, EXACT, 20000, "kernel");
/* Up to a page it never falls back to vmalloc(); test_alloc_paths has what does */
VARIANT(kvmalloc_96, KVMALLOC, 96, "slab_unreclaimable");

FIXTURE_SETUP(conservation)
{
	self->alloc = session_request(variant->kind, variant->size, 1, MEMSTRESS_PAYER_CALLER);
	/* The tests skip: in older harnesses a skip here would not keep them from running */
	if (!books_can_be_known(&self->alloc))
		return;
	/* Newer kernels have an objcg for each node, and each is rounded up to a page by itself */
	ASSERT_EQ(0, cpu_run_on(cpu_last_online()));
	ASSERT_EQ(0, scope_create_deep(&self->scope, "conservation", LIMIT_BYTES,
				       depth_choose(variant->row)));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc.payer_fd = self->scope.target.fd;
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(conservation)
{
	if (!self->fd)
		return;
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* A count that fills whole pages, near the wanted charge */
static __u64 whole_count(const struct memstress_books *one)
{
	__u64 step = books_whole_pages(one);
	__u64 bytes = one->page_charged_bytes + one->byte_charged_bytes;
	__u64 count = CHARGE_BYTES / bytes;

	if (count > MAX_OBJECTS)
		count = MAX_OBJECTS;
	return count < step ? step : count / step * step;
}

static int law(struct _test_data_conservation *self)
{
	return scope_law(&self->scope, &self->before, &self->charge, BALANCE_ALL, &self->violation);
}

/* How far usage is off while the stocks still hold something */
static long long unsettled(struct _test_data_conservation *self, struct cgroup *cg,
			   const struct snapshot *before)
{
	struct snapshot now;

	snapshot_take(&now, cg);
	return llabs(balance_line(before, &now, &self->charge, "usage"));
}

static void print_moves(struct _test_data_conservation *self, const char *line)
{
	const struct snapshot *before = &self->before.target;
	struct snapshot now;

	snapshot_take(&now, &self->scope.target);
	fprintf(stderr, "# %llu objects, ledger %llu, memory.current %+lld, %s %+lld\n",
		self->alloc.books.objects,
		self->alloc.books.page_charged_bytes + self->alloc.books.byte_charged_bytes,
		snapshot_value(&now, "usage") - snapshot_value(before, "usage"), line,
		snapshot_value(&now, line) - snapshot_value(before, line));
}

TEST_F(conservation, foreign_payer)
{
	struct memstress_books one, expected;
	long long bound;
	int ret;

	if (!self->fd)
		SKIP(return, "a slab has room for one object of this size only");

	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	self->alloc.count = whole_count(&one);
	ASSERT_EQ(0, self->alloc.count * one.byte_charged_bytes % books_page_size());

	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, books_derive(&self->alloc, self->alloc.count, &expected));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, self->alloc.stop);
	EXPECT_EQ(self->scope.target.id, self->alloc.payer_id);
	EXPECT_TRUE(books_equal("alloc", &expected, &self->alloc.books));
	charge_add(&self->charge, variant->kind, &expected);

	bound = balance_stock_bound(&self->scope.info, one.byte_charged_bytes);
	EXPECT_GE(bound, unsettled(self, &self->scope.target, &self->before.target));
	EXPECT_GE(bound, unsettled(self, &self->scope.parent, &self->before.parent));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &self->violation);
	print_moves(self, snapshot_best_line(variant->line));

	EXPECT_EQ(0, session_free_all(self->fd));
	memset(&self->charge, 0, sizeof(self->charge));
	EXPECT_GE(bound, unsettled(self, &self->scope.target, &self->before.target));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
}

/* Bytes that do not fill a page: usage has one more, the stat lines do not */
TEST_F(conservation, part_of_a_page)
{
	struct memstress_books expected;
	int ret;

	if (!self->fd)
		SKIP(return, "a slab has room for one object of this size only");

	self->alloc.count = 3;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, books_derive(&self->alloc, self->alloc.count, &expected));
	charge_add(&self->charge, variant->kind, &expected);
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &self->violation);
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_F(conservation, red_twin)
{
	struct memstress_books one, expected;
	int ret;

	if (!self->fd)
		SKIP(return, "a slab has room for one object of this size only");

	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	self->alloc.count = books_whole_pages(&one);
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, books_derive(&self->alloc, self->alloc.count, &expected));
	charge_add(&self->charge, variant->kind, &expected);
	/*
	 * Percpu objects of the first chunk are not charged and leave a part of a page, where
	 * usage would not show a small twin: as many more fill it.
	 */
	self->alloc.count = 1;
	while (self->charge.byte_bytes % books_page_size()) {
		ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
		ASSERT_EQ(0, books_derive(&self->alloc, 1, &expected));
		charge_add(&self->charge, variant->kind, &expected);
	}

	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));

	/* And when it is gone, so is the violation */
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("green again", ret, &self->violation);
	EXPECT_EQ(0, session_free_all(self->fd));
}

/*
 * The payer is a process inside, and pays for the row in the ledger too. What it
 * needs to live was charged before; while it waits and allocates it needs no more.
 */
TEST_F(conservation, payer_inside)
{
	struct memstress_books one, expected;
	struct worker worker = { 0 };
	long long bookkeeping;
	int ret;

	if (!self->fd)
		SKIP(return, "a slab has room for one object of this size only");

	ASSERT_EQ(0, worker_start(&worker, &self->scope.target));
	ASSERT_EQ(0, worker_ask(&worker, WORKER_LEDGER));
	bookkeeping = worker.page->ledger.bookkeeping_bytes;
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));

	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	self->alloc.count = whole_count(&one);
	worker.page->alloc = self->alloc;
	EXPECT_EQ(0, worker_ask(&worker, WORKER_ALLOC));
	ASSERT_EQ(0, books_derive(&worker.page->alloc, self->alloc.count, &expected));
	EXPECT_EQ(self->scope.target.id, worker.page->alloc.payer_id);
	EXPECT_TRUE(books_equal("alloc", &expected, &worker.page->alloc.books));
	EXPECT_EQ(0, worker_ask(&worker, WORKER_LEDGER));

	charge_add(&self->charge, variant->kind, &expected);
	charge_add_slab(&self->charge, worker.page->ledger.bookkeeping_bytes - bookkeeping);
	self->charge.byte_base = charge_byte_base(&self->before.target);
	ret = scope_law(&self->scope, &self->before, &self->charge, BALANCE_HELD, &self->violation);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &self->violation);
	EXPECT_EQ(0, worker_stop(&worker));
}

/* A page more in the middle: the levels from there up to the parent break the law, by a page */
TEST(red_twin_between)
{
	const struct charge nothing = { 0 };
	struct scope_snapshot before, after;
	struct violation violation;
	struct memstress_alloc twin;
	struct scope scope;

	ASSERT_EQ(0, scope_create_deep(&scope, "conservation", LIMIT_BYTES, 4));
	ASSERT_EQ(0, scope_baseline(&scope, &before));
	twin = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope.level[1].fd);
	ASSERT_EQ(0, session_alloc(scope.session, &twin));
	ASSERT_EQ(0, session_settle(scope.session, scope.level[1].fd));
	ASSERT_EQ(0, scope_take_exact(&scope, &after));
	EXPECT_LT(0, scope_law_between(&scope, &before, &after, &nothing, BALANCE_ALL, &violation));
	EXPECT_STREQ(scope.level[0].path, violation.cgroup);
	EXPECT_EQ(0, violation.expected);
	EXPECT_EQ(books_page_size(), violation.seen);
	EXPECT_EQ(0, balance(&before.level[2], &after.level[2], &nothing, BALANCE_ALL, &violation));
	EXPECT_EQ(0, session_free_all(scope.session));
	ASSERT_EQ(0, scope_take_exact(&scope, &after));
	EXPECT_EQ(0, scope_law_between(&scope, &before, &after, &nothing, BALANCE_ALL, &violation));
	EXPECT_EQ(0, scope_remove(&scope));
}

TEST_HARNESS_MAIN
