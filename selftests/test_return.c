// SPDX-License-Identifier: GPL-2.0
/*
 * The law of return: what was charged comes back. After FREE and SETTLE, usage and
 * every line of memory.stat are where they were, to the byte; before SETTLE they are
 * no farther away than the stocks of all CPUs can hold.
 */
#include "books.h"
#include "depth.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"
#include "worker.h"

LAW("after the free, usage and every line of memory.stat are back where they were");

#define LIMIT_BYTES  (256 << 20)
#define CHARGE_BYTES (64ULL << 20)
#define MAX_OBJECTS  200000
#define TIMEOUT_S    120

FIXTURE(giving_back)
{
	struct scope scope;
	struct scope_snapshot empty;  /* nobody inside, nothing held */
	struct scope_snapshot before; /* the baseline of the law */
	struct memstress_alloc alloc;
	struct memstress_books books;
	struct violation violation;
	long long bound;
	int fd;
};

FIXTURE_VARIANT(giving_back)
{
	__u32 kind;
	__u64 size;       /* or order */
	const char *line; /* of memory.stat, exact to the byte */
	unsigned int row; /* of depth_choose() */
};

#define VARIANT(_name, _kind, _size, _line)                                                    \
	FIXTURE_VARIANT_ADD(giving_back, _name)                                                \
	{                                                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .line = _line, .row = __LINE__, \
	}

VARIANT(page, PAGE, 0, "kernel");
VARIANT(page_9, PAGE, 9, "kernel");
VARIANT(kmalloc, KMALLOC, 64, "slab_unreclaimable");
VARIANT(kmalloc_large, KMALLOC, 65536, "slab_unreclaimable");
VARIANT(cache, CACHE, 200, "slab_unreclaimable");
VARIANT(vmalloc, VMALLOC, 65536, "vmalloc");
VARIANT(percpu, PERCPU, 64, "percpu");
VARIANT(exact, EXACT, 20000, "kernel");
VARIANT(kvmalloc, KVMALLOC, 1024, "slab_unreclaimable");

FIXTURE_SETUP(giving_back)
{
	struct memstress_books one;

	ASSERT_EQ(0, scope_create_deep(&self->scope, "return", LIMIT_BYTES,
				       depth_choose(variant->row)));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));

	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	self->alloc.count = CHARGE_BYTES / (one.page_charged_bytes + one.byte_charged_bytes);
	if (self->alloc.count > clock_fewer(MAX_OBJECTS))
		self->alloc.count = clock_fewer(MAX_OBJECTS);
	self->bound = balance_stock_bound(&self->scope.info, one.byte_charged_bytes);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
}

FIXTURE_TEARDOWN(giving_back)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* A column of the table: how far a line of the target is from its baseline */
static long long moved(struct _test_data_giving_back *self, const char *line)
{
	struct snapshot now;

	if (snapshot_take(&now, &self->scope.target))
		return -1;
	return snapshot_value(&now, line) - snapshot_value(&self->before.target, line);
}

struct row {
	long long held_usage, held_line;   /* as read right after ALLOC */
	long long freed_usage, freed_line; /* right after FREE */
	long long settled_usage, settled_line;
};

static void print_row(const struct memstress_books *books, const char *kind, const char *payer,
		      const char *line, const struct row *row)
{
	long long ledger = books->page_charged_bytes + books->byte_charged_bytes;

	fprintf(stderr, "# %-8s %-7s ledger %lld in %llu objects; %s\n", kind, payer, ledger,
		books->objects, line);
	fprintf(stderr, "# %14s: memory.current - ledger %+lld, %s - ledger %+lld\n", "held",
		row->held_usage - ledger, line, row->held_line - ledger);
	fprintf(stderr, "# %14s: memory.current %+lld, %s %+lld\n", "freed", row->freed_usage, line,
		row->freed_line);
	fprintf(stderr, "# %14s: memory.current %+lld, %s %+lld\n", "freed, settled",
		row->settled_usage, line, row->settled_line);
}

static int law(struct _test_data_giving_back *self)
{
	const struct charge nothing = { 0 };

	return scope_law(&self->scope, &self->before, &nothing, BALANCE_ALL, &self->violation);
}

TEST_F_TIMEOUT(giving_back, payer_outside, TIMEOUT_S)
{
	struct row row;
	int ret;

	self->before = self->empty;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, books_derive(&self->alloc, self->alloc.count, &self->books));
	EXPECT_TRUE(books_equal("alloc", &self->books, &self->alloc.books));
	row.held_usage = moved(self, "usage");
	row.held_line = moved(self, snapshot_best_line(variant->line));

	ASSERT_EQ(0, session_free(self->fd, self->alloc.handle, 0));
	row.freed_usage = moved(self, "usage");
	row.freed_line = moved(self, snapshot_best_line(variant->line));
	EXPECT_GE(self->bound, llabs(row.freed_usage));

	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
	row.settled_usage = moved(self, "usage");
	row.settled_line = moved(self, snapshot_best_line(variant->line));
	print_row(&self->books, session_kind_name(variant->kind), "outside",
		  snapshot_best_line(variant->line), &row);
}

/*
 * Inside, the law holds twice: while the worker waits its own memory does not move,
 * and when it is gone the cgroup is as empty as before it came.
 */
TEST_F_TIMEOUT(giving_back, payer_inside, TIMEOUT_S)
{
	const struct charge nothing = { 0 };
	struct worker worker = { 0 };
	__u64 waited_ns;
	struct row row;
	int ret;

	ASSERT_EQ(0, worker_start(&worker, &self->scope.target));
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	worker.page->alloc = self->alloc;
	EXPECT_EQ(0, worker_ask(&worker, WORKER_ALLOC));
	ASSERT_EQ(0, books_derive(&worker.page->alloc, self->alloc.count, &self->books));
	EXPECT_TRUE(books_equal("alloc", &self->books, &worker.page->alloc.books));
	row.held_usage = moved(self, "usage");
	row.held_line = moved(self, snapshot_best_line(variant->line));

	EXPECT_EQ(0, worker_ask(&worker, WORKER_FREE));
	EXPECT_TRUE(books_equal("free", &self->books, &worker.page->free.books));
	row.freed_usage = moved(self, "usage");
	row.freed_line = moved(self, snapshot_best_line(variant->line));
	/* The row of the ledger lies in the same stocks: it is smaller than a page */
	EXPECT_GE(self->bound + books_page_size(), llabs(row.freed_usage));

	ret = scope_law(&self->scope, &self->before, &nothing, BALANCE_HELD, &self->violation);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
	row.settled_usage = moved(self, "usage");
	row.settled_line = moved(self, snapshot_best_line(variant->line));
	print_row(&self->books, session_kind_name(variant->kind), "inside",
		  snapshot_best_line(variant->line), &row);

	EXPECT_EQ(0, worker_stop(&worker));
	ret = scope_law_await(&self->scope, &self->empty, &nothing, BALANCE_HELD, &self->violation,
			      &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("worker gone", ret, &self->violation);
	fprintf(stderr, "# %14s: all lines 0 after %llu ms\n", "worker gone", waited_ns / 1000000);
}

TEST_F_TIMEOUT(giving_back, red_twin, TIMEOUT_S)
{
	const struct charge nothing = { 0 };
	int ret;

	self->before = self->empty;
	self->alloc.count = 1000;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free(self->fd, self->alloc.handle, 0));

	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &nothing, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &nothing, BALANCE_ALL));

	/* Closing the second session gave it back */
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("green again", ret, &self->violation);
}

TEST_HARNESS_MAIN
