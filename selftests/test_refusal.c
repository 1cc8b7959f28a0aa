// SPDX-License-Identifier: GPL-2.0
/*
 * The law of refusal: a charge that was refused has never been. Ten thousand of them, of
 * each kind and at each stage at which it can come, leave nothing: not in the ledger, not
 * in a counter of the payer or an ancestor, and no cgroup that cannot die.
 */
#include "books.h"
#include "cpu.h"
#include "headroom.h"
#include "memstress_test.h"
#include "twin.h"

LAW("what was refused leaves nothing: no object, no charge anywhere, no cgroup that cannot die");

#define LIMIT_BYTES (256 << 20)
#define REFUSALS    10000
#define TIMEOUT_S   120

/* Where each takes its time, by reclaim or by what is half made and freed */
#define SLOW_REFUSALS 100

FIXTURE(refusal)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc alloc;
	struct violation violation;
	int fd;
};

FIXTURE_VARIANT(refusal)
{
	__u32 kind;
	__u64 size;         /* or order */
	__u32 policy;       /* that is refused without reclaim, or with the least of it */
	long long headroom; /* pages, of which each attempt may take some before it is refused */
	__u32 method;
	__u64 count; /* of objects in an attempt, if it is more than one */
};

#define VARIANT(_name, _kind, _size, _policy, _headroom)                     \
	FIXTURE_VARIANT_ADD(refusal, _name)                                  \
	{                                                                    \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size,               \
		.policy = MEMSTRESS_POLICY_##_policy, .headroom = _headroom, \
	}

VARIANT(page_0, PAGE, 0, NOWAIT, 0);
VARIANT(page_3, PAGE, 3, NOWAIT, 7);
VARIANT(kmalloc_64, KMALLOC, 64, NOWAIT, 0);
VARIANT(kmalloc_16384, KMALLOC, 16384, NOWAIT, 3);
VARIANT(cache_200, CACHE, 200, NOWAIT, 0);
VARIANT(percpu_64, PERCPU, 64, NOWAIT, 0);
VARIANT(vmalloc_4096, VMALLOC, 4096, NORETRY, 0);
VARIANT(vmalloc_half_done, VMALLOC, 32768, NORETRY, 4);

/* What alloc_pages_exact() gives back at once must fit for a moment, too */
VARIANT(exact_12288, EXACT, 12288, NOWAIT, 3);

/*
 * So many objects in one call that the refusal comes in their middle, when a page of them is
 * charged (__memcg_slab_post_alloc_hook() of mm/memcontrol.c; older kernels charge them all
 * at once).
 */
#define BULK(_name, _kind, _size, _policy, _headroom, _count)                \
	FIXTURE_VARIANT_ADD(refusal, _name)                                  \
	{                                                                    \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size,               \
		.policy = MEMSTRESS_POLICY_##_policy, .headroom = _headroom, \
		.method = MEMSTRESS_ALLOC_BULK, .count = _count,             \
	}

BULK(cache_200_bulk, CACHE, 200, NOWAIT, 1, 32);

FIXTURE_SETUP(refusal)
{
	int cpu = cpu_last_online();

	ASSERT_LE(0, cpu);
	ASSERT_EQ(0, cpu_run_on(cpu));
	ASSERT_EQ(0, scope_create(&self->scope, "refusal", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	self->alloc.policy = variant->policy;
	self->alloc.method = variant->method;
	self->alloc.count = variant->count ? variant->count : 1;
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(refusal)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Refused @count times and nothing else; the time it took is printed */
static bool refuse(struct _test_data_refusal *self, unsigned int count)
{
	const char *path = self->scope.target.path;
	struct memstress_ledger before, after;
	bool held = true;

	self->alloc.max_failures = count - 1;
	if (session_ledger(self->fd, 0, &before) || session_alloc(self->fd, &self->alloc) ||
	    session_ledger(self->fd, 0, &after))
		return false;
	held &= law_equal(path, "stop reason", MEMSTRESS_STOP_FAILED, self->alloc.stop);
	held &= law_equal(path, "errno of the refusals", ENOMEM, self->alloc.first_errno);
	held &= law_equal(path, "refusals", count, self->alloc.failures);
	held &= law_equal(path, "objects held after them", before.books.objects,
			  after.books.objects);
	held &= law_equal(path, "holdings after them", before.holdings, after.holdings);
	fprintf(stderr, "# %u refused in %llu ms\n", count, self->alloc.total_ns / NS_PER_MS);
	return held;
}

/* Nothing has moved, to the byte */
static int law(struct _test_data_refusal *self)
{
	const struct charge nothing = { 0 };
	__u64 waited_ns;

	return scope_law_await(&self->scope, &self->before, &nothing, BALANCE_ALL, &self->violation,
			       &waited_ns);
}

/*
 * @limited has room for a part of an object. What an attempt takes of it comes back: all of
 * it can be had afterwards. And without SETTLE the counters are where they were, since
 * page_counter_try_charge() takes back at each level what it has charged there before an
 * ancestor refused; only what was half made has been charged and freed, and lies in a stock.
 */
static void refuse_at(struct __test_metadata *_metadata, struct _test_data_refusal *self,
		      const struct cgroup *limited, long long pages, unsigned int refusals)
{
	bool half_made = self->alloc.kind == MEMSTRESS_KIND_VMALLOC || self->alloc.count > 1;
	long long usage = headroom_set(&self->scope, limited, pages);
	long long stocked = half_made ? pages * books_page_size() : 0;
	struct cgroup *const cgroups[] = { &self->scope.target, &self->scope.parent };
	long long before[ARRAY_SIZE(cgroups)], moved;
	unsigned int i;
	int ret;

	ASSERT_LE(0, usage);
	for (i = 0; i < ARRAY_SIZE(cgroups); i++)
		before[i] = cgroup_read_number(cgroups[i], "memory.current");
	EXPECT_TRUE(refuse(self, refusals));
	for (i = 0; i < ARRAY_SIZE(cgroups); i++) {
		moved = cgroup_read_number(cgroups[i], "memory.current") - before[i];
		EXPECT_TRUE(law_at_least(cgroups[i]->path, "memory.current moved", 0, moved));
		EXPECT_TRUE(law_at_most(cgroups[i]->path, "memory.current moved", stocked, moved));
	}
	EXPECT_TRUE(law_equal(limited->path, "pages that can be had after the refusals", pages,
			      headroom_await(&self->scope, self->fd, pages)));
	EXPECT_EQ(0, session_free_all(self->fd));

	/* The way through reclaim and draining leaves nothing either */
	self->alloc.policy = MEMSTRESS_POLICY_NORETRY;
	EXPECT_LE(0, headroom_await(&self->scope, self->fd, pages));
	EXPECT_TRUE(refuse(self, SLOW_REFUSALS));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, headroom_lift(&self->scope, limited, LIMIT_BYTES));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("refused", ret, &self->violation);
}

TEST_F_TIMEOUT(refusal, by_the_payer, TIMEOUT_S)
{
	refuse_at(_metadata, self, &self->scope.target, variant->headroom, REFUSALS);
}

/* The payer itself has room; what was charged to it must be taken back when the parent refuses */
TEST_F_TIMEOUT(refusal, by_an_ancestor, TIMEOUT_S)
{
	refuse_at(_metadata, self, &self->scope.parent, variant->headroom,
		  variant->policy == MEMSTRESS_POLICY_NOWAIT ? REFUSALS : SLOW_REFUSALS);
}

/*
 * nr_dying_descendants of cgroup.stat counts cgroups that were removed and are still
 * referred to. A charge refers to its memcg, or to an objcg that does; the reference of one
 * that was refused goes with it. Freeing takes an RCU grace period and deferred work.
 */
static bool await_nobody_dying(const struct cgroup *cg)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	__u64 start = clock_now_ns();
	long long dying;

	do {
		dying = cgroup_read_key(cg, "cgroup.stat", "nr_dying_descendants");
	} while (dying && clock_poll(deadline));
	fprintf(stderr, "# nobody dying after %llu ms\n", (clock_now_ns() - start) / NS_PER_MS);
	return law_equal(cg->path, "cgroup.stat nr_dying_descendants", 0, dying);
}

TEST_F_TIMEOUT(refusal, lets_the_payer_die, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 does not count dying cgroups");
	ASSERT_LE(0, headroom_set(&self->scope, &self->scope.target, variant->headroom));
	EXPECT_TRUE(refuse(self, SLOW_REFUSALS));
	EXPECT_EQ(0, cgroup_remove(&self->scope.target));
	EXPECT_TRUE(await_nobody_dying(&self->scope.parent));
}

TEST_F_TIMEOUT(refusal, red_twin, TIMEOUT_S)
{
	const struct charge nothing = { 0 };
	int ret;

	ASSERT_LE(0, headroom_set(&self->scope, &self->scope.target, variant->headroom));
	EXPECT_TRUE(refuse(self, SLOW_REFUSALS));
	EXPECT_EQ(0, headroom_lift(&self->scope, &self->scope.target, LIMIT_BYTES));
	EXPECT_EQ(0, law(self));
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &nothing, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &nothing, BALANCE_ALL));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("green again", ret, &self->violation);
}

TEST_HARNESS_MAIN
