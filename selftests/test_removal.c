// SPDX-License-Identifier: GPL-2.0
/*
 * The law of removal: what a cgroup was charged for is its nearest living
 * ancestor's when it is removed, and so is what is charged for it later by somebody who has
 * got hold of it before; and it does not stay for the charges.
 */
#include <pthread.h>
#include <unistd.h>

#include "books.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"

LAW("what is charged for a removed cgroup is its nearest living ancestor's, and does not keep it");

#define LIMIT_BYTES  (256 << 20)
#define FLIGHT_BYTES (64 << 20)
#define FLIGHT_NS    (500 * NS_PER_MS)
#define FLIGHT_TRIES 20
#define GONE_NS      (10 * NS_PER_S)
#define TIMEOUT_S    120

FIXTURE(removal)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_books one;
	struct memstress_alloc request;
	struct memstress_alloc alloc; /* as answered */
	struct cgroup doomed;         /* beside the target */
	int fd;
	int ret; /* of the ALLOC in flight */
	bool returned;
};

FIXTURE_VARIANT(removal)
{
	__u32 kind;
	__u64 size; /* or order */
	__u32 context;
};

#define VARIANT(_name, _kind, _size, _context)                 \
	FIXTURE_VARIANT_ADD(removal, _name)                    \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
		.context = MEMSTRESS_CONTEXT_##_context,       \
	}

VARIANT(page_task, PAGE, 0, TASK);
VARIANT(page_kworker, PAGE, 0, KWORKER);
VARIANT(kmalloc_task, KMALLOC, 64, TASK);
VARIANT(kmalloc_kworker, KMALLOC, 64, KWORKER);
VARIANT(kmalloc_large_task, KMALLOC, 65536, TASK);
VARIANT(cache_task, CACHE, 200, TASK);
VARIANT(cache_kworker, CACHE, 200, KWORKER);
VARIANT(vmalloc_task, VMALLOC, 65536, TASK);
VARIANT(vmalloc_kworker, VMALLOC, 65536, KWORKER);
VARIANT(percpu_task, PERCPU, 64, TASK);
VARIANT(percpu_kworker, PERCPU, 64, KWORKER);

FIXTURE_SETUP(removal)
{
	ASSERT_EQ(0, scope_create(&self->scope, "removal", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->request = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->request));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, books_derive_one(&self->request, &self->one));
	self->request.context = variant->context;
	self->request.count = FLIGHT_BYTES / self->one.footprint_bytes;
	self->request.deadline_ns = FLIGHT_NS * clock_slowness();
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(removal)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static void *call_alloc(void *data)
{
	struct _test_data_removal *self = data;

	self->ret = session_alloc(self->fd, &self->alloc);
	__atomic_store_n(&self->returned, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Waits until something of the ALLOC is booked, so that its payer is resolved */
static int await_flight(struct _test_data_removal *self)
{
	__u64 deadline = clock_deadline_ns(GONE_NS);
	struct memstress_ledger ledger;
	int ret;

	do {
		ret = session_ledger(self->fd, 0, &ledger);
	} while (!ret && !ledger.books.objects && clock_poll(deadline));
	return ret ? ret : ledger.books.objects ? 0 : -ETIMEDOUT;
}

/* An ALLOC whose payer is removed meanwhile. -EAGAIN: it was over before that */
static int try_flight(struct _test_data_removal *self)
{
	bool returned;
	pthread_t thread;
	int ret, err;

	ret = cgroup_create(&self->doomed, &self->scope.parent, "doomed");
	if (ret)
		return ret;
	self->alloc = self->request;
	self->alloc.payer_fd = self->doomed.fd;
	self->returned = false;
	ret = -pthread_create(&thread, NULL, call_alloc, self);
	if (ret) {
		cgroup_remove(&self->doomed);
		return ret;
	}
	ret = await_flight(self);
	err = cgroup_remove(&self->doomed);
	returned = __atomic_load_n(&self->returned, __ATOMIC_ACQUIRE);
	pthread_join(thread, NULL);
	if (!ret)
		ret = err ? err : self->ret;
	if (!ret && returned)
		ret = session_free_all(self->fd) ?: -EAGAIN;
	return ret;
}

/*
 * Before 5.13 ("mm: memcontrol: use obj_cgroup APIs to charge kmem pages") a page was charged to
 * the memcg itself, and kept it.
 */
static bool charges_keep(const struct memstress_books *one)
{
	return kernel_before(5, 13) && one->page_charged_bytes;
}

/* The stocks of CPUs may have the last references; -ETIMEDOUT: something else has */
static int await_gone(struct _test_data_removal *self)
{
	int ret = session_settle(self->scope.session, self->scope.parent.fd);

	if (!ret && scope_no_dying_await(&self->scope))
		ret = -ETIMEDOUT;
	return ret;
}

/*
 * How far usage may be above what was charged by the byte. Of the objcg of a dead child each CPU
 * that had it in a stock has parked less than a page with it (drain_obj_stock() in
 * mm/memcontrol.c), which nobody takes back before it dies. What was charged to the parent
 * after that is rounded up to a page; or down, as it may fill a page that was begun before.
 */
static long long upper_bound(const struct _test_data_removal *self)
{
	const struct memstress_info *info = &self->scope.info;
	long long parked = (long long)info->online_nodes * info->online_cpus * info->page_size;

	return self->one.byte_charged_bytes ? parked + info->page_size - 1 : 0;
}

static long long lower_bound(const struct _test_data_removal *self)
{
	return self->one.byte_charged_bytes ? 1 - (long long)self->scope.info.page_size : 0;
}

/* What the parent's usage, and the line of memory.stat, differ by from what must be charged */
struct difference {
	long long usage, line;
};

static int look(struct _test_data_removal *self, const char *line, const struct charge *charge,
		struct difference *difference)
{
	struct scope_snapshot now;
	int ret = session_settle(self->scope.session, self->scope.parent.fd);

	if (!ret)
		ret = scope_flush(&self->scope);
	if (!ret)
		ret = scope_take(&self->scope, &now);
	if (ret)
		return ret;
	difference->usage = snapshot_value(&now.parent, "usage") -
			    snapshot_value(&self->before.parent, "usage") - charge->page_bytes -
			    charge->byte_bytes;
	difference->line = snapshot_tells_bytes() ?
				   balance_line(&self->before.parent, &now.parent, charge, line) :
				   0;
	return 0;
}

static bool law_holds(const struct _test_data_removal *self, const struct difference *difference)
{
	return !difference->line && difference->usage >= lower_bound(self) &&
	       difference->usage <= upper_bound(self);
}

/*
 * The law for what a dead child was charged, at the parent. What the child was itself is freed
 * when it counts no more as dying, after an RCU grace period (css_free_rwork_fn()).
 */
static int law_of_the_dead(struct _test_data_removal *self, const char *line,
			   const struct charge *charge)
{
	__u64 deadline = clock_deadline_ns(GONE_NS);
	const char *where = self->scope.parent.path;
	struct difference difference;
	int ret;

	do {
		ret = look(self, line, charge, &difference);
	} while (!ret && !law_holds(self, &difference) && clock_poll(deadline));
	if (ret)
		return ret;
	fprintf(stderr, "# %llu objects, ledger %lld, differs by %lld (usage), %lld (%s)\n",
		self->alloc.books.objects, charge->page_bytes + charge->byte_bytes,
		difference.usage, difference.line, line);
	ret = !law_at_least(where, "usage less the ledger", lower_bound(self), difference.usage);
	ret += !law_at_most(where, "usage less the ledger", upper_bound(self), difference.usage);
	ret += !law_equal(where, line, 0, difference.line);
	return ret;
}

static const char *line_of(__u32 kind)
{
	switch (kind) {
	case MEMSTRESS_KIND_VMALLOC:
		return "vmalloc";
	case MEMSTRESS_KIND_PERCPU:
		return "percpu";
	case MEMSTRESS_KIND_PAGE:
		return "kernel";
	default:
		return "slab_unreclaimable";
	}
}

TEST_F_TIMEOUT(removal, payer_removed_in_flight, TIMEOUT_S)
{
	const struct charge nothing = { 0 };
	struct memstress_books expected;
	struct charge charge = { 0 };
	struct violation violation;
	int tries = 0, ret;
	__u64 waited_ns;

	do
		ret = try_flight(self);
	while (ret == -EAGAIN && ++tries < FLIGHT_TRIES);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, books_derive(&self->alloc, self->alloc.books.objects, &expected));
	EXPECT_TRUE(books_equal("alloc", &expected, &self->alloc.books));
	EXPECT_EQ(self->doomed.id, self->alloc.payer_id);
	charge_add(&charge, variant->kind, &expected);

	/* While it is dying, what it is itself is charged to the parent: mem_cgroup_alloc() */
	if (!charges_keep(&self->one) && !cgroup_is_v1()) {
		EXPECT_EQ(0, await_gone(self));
		EXPECT_EQ(0, law_of_the_dead(self, line_of(variant->kind), &charge));
	}

	EXPECT_EQ(0, session_free_all(self->fd));
	ret = scope_law_await(&self->scope, &self->before, &nothing, BALANCE_ALL, &violation,
			      &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &violation);
}

TEST_F_TIMEOUT(removal, red_twin, TIMEOUT_S)
{
	const struct memstress_books page = { .page_charged_bytes = books_page_size() };
	const struct charge nothing = { 0 };
	struct charge charge = { 0 }, with_twin;
	struct difference difference;
	struct memstress_alloc twin;
	struct violation violation;
	__u64 waited_ns;
	int fd, ret;

	ASSERT_EQ(0, cgroup_create(&self->doomed, &self->scope.parent, "doomed"));
	self->alloc = self->request;
	self->alloc.payer_fd = self->doomed.fd;
	self->alloc.count = books_whole_pages(&self->one);
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	charge_add(&charge, variant->kind, &self->alloc.books);
	/* More than what may be between the bounds, behind the law's back */
	fd = session_open();
	ASSERT_LE(0, fd);
	twin = session_request(MEMSTRESS_KIND_PAGE, 0,
			       (upper_bound(self) - lower_bound(self)) / books_page_size() + 1,
			       self->doomed.fd);
	ASSERT_EQ(0, session_alloc(fd, &twin));
	with_twin = charge;
	charge_add(&with_twin, twin.kind, &twin.books);
	ASSERT_EQ(0, cgroup_remove(&self->doomed));
	if (!charges_keep(&page) && !cgroup_is_v1()) {
		EXPECT_EQ(0, await_gone(self));
		EXPECT_EQ(0, law_of_the_dead(self, line_of(variant->kind), &with_twin));
		EXPECT_EQ(0, look(self, line_of(variant->kind), &charge, &difference));
		EXPECT_FALSE(law_holds(self, &difference));
	}
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, session_free_all(self->fd));
	ret = scope_law_await(&self->scope, &self->before, &nothing, BALANCE_ALL, &violation,
			      &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("green again", ret, &violation);
}

TEST_HARNESS_MAIN
