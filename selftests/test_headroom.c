// SPDX-License-Identifier: GPL-2.0
/*
 * The law of headroom: of a limit and what is used of it, the difference can be had, to
 * the last page, and not one page more. The kernel charges a batch of pages at a time and
 * keeps what is too much in a stock, so the numbers around a batch are where it may err.
 */
#include "books.h"
#include "cpu.h"
#include "headroom.h"
#include "memstress_test.h"
#include "twin.h"

LAW("of a limit and usage, exactly the difference can be charged: what fits does, nothing more");

#define LIMIT_BYTES (256 << 20)
#define MANY        1000000
#define TIMEOUT_S   120

FIXTURE(headroom)
{
	struct scope scope;
	struct memstress_books one;
	int fd;
	int cpu;
};

FIXTURE_VARIANT(headroom)
{
	__u32 kind;
	__u64 size; /* or order */
};

#define VARIANT(_name, _kind, _size)                           \
	FIXTURE_VARIANT_ADD(headroom, _name)                   \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
	}

VARIANT(page_0, PAGE, 0);
VARIANT(page_1, PAGE, 1);
VARIANT(page_2, PAGE, 2);
VARIANT(page_3, PAGE, 3);
VARIANT(kmalloc_8, KMALLOC, 8);
VARIANT(kmalloc_2048, KMALLOC, 2048);
VARIANT(kmalloc_16384, KMALLOC, 16384);
VARIANT(cache_200, CACHE, 200);
VARIANT(vmalloc_4096, VMALLOC, 4096);
VARIANT(vmalloc_65536, VMALLOC, 65536);
VARIANT(percpu_64, PERCPU, 64);

/*
 * All on one CPU: its stock serves whoever runs there, and what the stocks of others hold
 * is not free; see the fixture stock.
 */
FIXTURE_SETUP(headroom)
{
	struct memstress_alloc alloc;

	self->cpu = cpu_last_online();
	ASSERT_LE(0, self->cpu);
	ASSERT_EQ(0, cpu_run_on(self->cpu));
	ASSERT_EQ(0, scope_create_alone(&self->scope, "headroom", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	/* Makes the caches that are made on demand, and learns what an object costs */
	alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, books_derive_one(&alloc, &self->one));
}

FIXTURE_TEARDOWN(headroom)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/*
 * How many objects fit into @pages. Of what is charged in whole pages the next one is
 * charged when all of its pages are: try_charge_memcg() of mm/memcontrol.c asks for a
 * batch, and when that does not fit for just what is needed. Sizes here divide a batch,
 * so that a stock has either enough for one object or nothing.
 *
 * An object charged by the byte takes what is left over from others, and when that is too
 * little as many pages as it needs by itself; what then is left of both adds up
 * (obj_cgroup_charge() and refill_obj_stock()). One is larger than a page where slabs are
 * watched for overruns.
 */
static long long objects_that_fit(const struct memstress_books *one, long long pages)
{
	long long page = books_page_size(), rest = 0, objects = 0;
	long long bytes = one->byte_charged_bytes, needed = (bytes + page - 1) / page;

	if (one->page_charged_bytes)
		return pages * page / (long long)one->page_charged_bytes;
	while (rest >= bytes || pages >= needed) {
		if (rest < bytes) {
			pages -= needed;
			rest += needed * page;
		}
		rest -= bytes;
		objects++;
	}
	return objects;
}

static long long pages_of(const struct memstress_books *one, long long objects)
{
	long long page = books_page_size();

	return (objects * (long long)(one->page_charged_bytes + one->byte_charged_bytes) + page -
		1) /
	       page;
}

/* One that just fails, and one that takes stocks back first, as far as the kind has them */
static const __u32 policies[] = { MEMSTRESS_POLICY_NOWAIT, MEMSTRESS_POLICY_NORETRY };

/* An area of percpu memory may be refused to who cannot wait for one to be made */
static bool can_tell(struct _test_data_headroom *self, __u32 kind, __u32 policy)
{
	struct memstress_info info;

	if (kind == MEMSTRESS_KIND_PERCPU && policy == MEMSTRESS_POLICY_NOWAIT)
		return false;
	return !session_info(self->fd, kind, &info) && info.kind_policies & 1ULL << policy;
}

/*
 * Fills @pages of headroom at @cg with objects, then the rest with single pages. True if
 * exactly as much fitted as should have; @behind: pages charged behind its back first.
 */
static bool fits(struct _test_data_headroom *self, const struct cgroup *cg, __u32 kind, __u64 size,
		 __u32 policy, long long pages, long long behind)
{
	struct memstress_alloc alloc = session_request(kind, size, MANY, self->scope.target.fd);
	long long page = books_page_size();
	long long usage = headroom_set(&self->scope, cg, pages);
	long long expected = objects_that_fit(&self->one, pages);
	long long rest = pages - pages_of(&self->one, expected);
	long long seen, seen_rest;
	struct memstress_alloc twin =
		session_request(MEMSTRESS_KIND_PAGE, 0, behind, self->scope.target.fd);
	char text[128];
	bool held;

	if (usage < 0 || (behind && session_alloc(self->fd, &twin)))
		return false;
	alloc.policy = policy;
	if (session_alloc(self->fd, &alloc))
		return false;
	/* Objects of the first percpu chunk are not charged, and take nothing */
	seen = alloc.books.objects - alloc.books.uncharged_objects;
	seen_rest = headroom_await(&self->scope, self->fd, rest);
	snprintf(text, sizeof(text), "%s, policy %s, %lld pages: objects that fit",
		 session_kind_name(kind), session_policy_name(policy), pages);
	held = law_equal(cg->path, text, expected, seen);
	held &= law_equal(cg->path, "stop reason", MEMSTRESS_STOP_FAILED, alloc.stop);
	held &= law_equal(cg->path, "errno of the refusal", ENOMEM, alloc.first_errno);
	held &= law_equal(cg->path, "pages that fit after them", rest, seen_rest);
	/* No page is left, so nothing is in the stocks: usage is the ledger's, and the limit */
	held &= law_equal(cg->path, "memory.current less the usage before", pages * page,
			  cgroup_read_number(cg, "memory.current") - usage);
	held &= !session_free_all(self->fd) && !headroom_lift(&self->scope, cg, LIMIT_BYTES);
	return held;
}

/*
 * A CPU of older kernels has one stock of bytes. Whoever uncharges another cgroup there in
 * the middle, such as a kernel worker for one that was removed before, takes it, and what it
 * had is parked where only the next page that is charged finds it (drain_obj_stock()), and
 * after the last page nothing does. So one disagreement is asked again; a kernel that errs
 * does so twice.
 */
static bool fits_undisturbed(struct _test_data_headroom *self, const struct cgroup *cg, __u32 kind,
			     __u64 size, __u32 policy, long long pages)
{
	return fits(self, cg, kind, size, policy, pages, 0) ||
	       fits(self, cg, kind, size, policy, pages, 0);
}

/* Around nothing, and around the batch that the kernel takes */
static bool fits_all(struct _test_data_headroom *self, const struct cgroup *cg, __u32 kind,
		     __u64 size)
{
	long long batch = self->scope.info.charge_batch_pages;
	const long long headrooms[] = { 0, 1, batch - 1, batch, batch + 1 };
	bool held = true;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		for (j = 0; j < ARRAY_SIZE(headrooms) && can_tell(self, kind, policies[i]); j++)
			held &= fits_undisturbed(self, cg, kind, size, policies[i], headrooms[j]);
	return held;
}

TEST_F_TIMEOUT(headroom, of_the_payer, TIMEOUT_S)
{
	EXPECT_TRUE(fits_all(self, &self->scope.target, variant->kind, variant->size));
}

TEST_F_TIMEOUT(headroom, of_an_ancestor, TIMEOUT_S)
{
	EXPECT_TRUE(fits_all(self, &self->scope.parent, variant->kind, variant->size));
}

TEST_F_TIMEOUT(headroom, red_twin, TIMEOUT_S)
{
	long long batch = self->scope.info.charge_batch_pages;

	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(fits(self, &self->scope.target, variant->kind, variant->size,
			  MEMSTRESS_POLICY_NORETRY, batch, 1));
	EXPECT_TRUE(fits(self, &self->scope.target, variant->kind, variant->size,
			 MEMSTRESS_POLICY_NORETRY, batch, 0));
}

FIXTURE(stock)
{
	struct scope scope;
	int fd;
};

FIXTURE_SETUP(stock)
{
	ASSERT_EQ(0, scope_create_alone(&self->scope, "headroom", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(stock)
{
	EXPECT_EQ(0, cpu_run_on(-1));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Asks for a page until it is given; false if it never is */
static bool await_page(int fd, int payer_fd, __u32 policy, unsigned int *refusals)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	struct memstress_alloc alloc;

	for (*refusals = 0;; (*refusals)++) {
		alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, payer_fd);
		alloc.policy = policy;
		if (session_alloc(fd, &alloc))
			return false;
		if (alloc.stop == MEMSTRESS_STOP_DONE)
			return true;
		if (!clock_poll(deadline))
			return false;
	}
}

/*
 * Leaves a batch of headroom, and all of it in the stock of @cpu; then asks on CPU 0, without
 * waiting, a hundred times. Returns how often that was refused. Where a CPU has one stock,
 * whoever uncharges another cgroup on @cpu meanwhile gives ours back, so that less than a
 * hundred may be the fault of nobody.
 */
static long long refusals_beside_stock(struct _test_data_stock *self, int cpu)
{
	const struct cgroup *target = &self->scope.target;
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, target->fd);
	int ret;

	if (session_free_all(self->fd) || headroom_lift(&self->scope, target, LIMIT_BYTES) ||
	    cpu_run_on(cpu) ||
	    headroom_set(&self->scope, target, self->scope.info.charge_batch_pages) < 0)
		return -1;
	ret = session_alloc(self->fd, &alloc);
	if (!ret)
		ret = session_free_all(self->fd);
	if (ret || cpu_run_on(0))
		return -1;
	alloc.policy = MEMSTRESS_POLICY_NOWAIT;
	alloc.max_failures = 99;
	return session_alloc(self->fd, &alloc) ? -1 : (long long)alloc.failures;
}

/*
 * Whoever may wait has the stock of another CPU drained (drain_all_stock()), in deferred work
 * there, so that it is refused for a moment and then not any more. Whoever may not wait is
 * refused, as often as it asks.
 */
TEST_F(stock, of_another_cpu_is_had)
{
	long long batch = self->scope.info.charge_batch_pages;
	const struct cgroup *target = &self->scope.target;
	unsigned int refusals, attempts = 0;
	int last = cpu_last_online();
	long long refused;

	if (last <= 0)
		SKIP(return, "one CPU has no other");
	do {
		refused = refusals_beside_stock(self, last);
	} while (refused >= 0 && refused < 100 && ++attempts < 10);
	EXPECT_TRUE(law_equal(target->path, "refused without waiting", 100, refused));
	EXPECT_TRUE(await_page(self->fd, target->fd, MEMSTRESS_POLICY_NORETRY, &refusals));
	fprintf(stderr, "# refused %u times until the stock was drained\n", refusals);
	/* And then all of it, but for the one page */
	EXPECT_TRUE(law_equal(target->path, "pages that fit after one", batch - 1,
			      headroom_fill(&self->scope, self->fd)));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, headroom_lift(&self->scope, target, LIMIT_BYTES));
}

TEST_HARNESS_MAIN
