// SPDX-License-Identifier: GPL-2.0
/*
 * The law of lifetime: what a cgroup has been charged outlives it. When it is removed its
 * charges are its parent's, and that one's parent's when that is removed; they do not keep
 * it from going away; and when they are freed, nothing is left at any ancestor that lives.
 * Of CPUs that go away, test_hotplug tells.
 */
#include <sched.h>

#include "books.h"
#include "cpu.h"
#include "kernel.h"
#include "memstress_test.h"
#include "moves.h"
#include "scope.h"
#include "user_memory.h"

LAW("charges of a removed cgroup are its parent's, do not keep it, and leave nothing when freed");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

/* Neither whole pages nor a whole batch: something is left over in the stocks */
#define OBJECTS     267
#define CHILDREN    24
#define ROUNDS      200
#define SOAK_ROUNDS 100000
#define DYING_MAX   1000
#define SHMEM_BYTES (1024 * 1024)

FIXTURE(lifetime)
{
	struct scope scope;
	struct scope_snapshot before;
	struct cgroup mother, child; /* below the target, one in the other */
	struct memstress_alloc alloc;
	struct charge charge;
	int fd;
};

FIXTURE_VARIANT(lifetime)
{
	__u32 kind;
	__u64 size;    /* or order */
	bool by_bytes; /* charged to an objcg; else in pages */
};

#define VARIANT(_name, _kind, _size, _by_bytes)                                       \
	FIXTURE_VARIANT_ADD(lifetime, _name)                                          \
	{                                                                             \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .by_bytes = _by_bytes, \
	}

VARIANT(page, PAGE, 0, false);
VARIANT(page_2, PAGE, 2, false);
VARIANT(kmalloc, KMALLOC, 64, true);
VARIANT(kmalloc_large, KMALLOC, 12288, false);
VARIANT(cache, CACHE, 200, true);
VARIANT(vmalloc, VMALLOC, 9000, false);
VARIANT(percpu, PERCPU, 40, true);

FIXTURE_SETUP(lifetime)
{
	ASSERT_EQ(0, scope_create(&self->scope, "lifetime", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, OBJECTS, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, user_memory_open());
	/* The cgroups of an earlier test may still be on their way */
	ASSERT_EQ(0, scope_no_dying_await(&self->scope));
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(lifetime)
{
	user_memory_close();
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, cgroup_remove(&self->child));
	EXPECT_EQ(0, cgroup_remove(&self->mother));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int charge_to(struct _test_data_lifetime *self, const struct cgroup *cg, __u64 count)
{
	struct memstress_books books;
	int ret;

	self->alloc.payer_fd = cg->fd;
	self->alloc.count = count;
	/* On one CPU, whose stock is then not empty: as scope_drained_await() wants it */
	ret = cpu_run_on(sched_getcpu());
	if (!ret)
		ret = session_alloc(self->fd, &self->alloc);
	cpu_run_on(-1);
	if (!ret && self->alloc.stop != MEMSTRESS_STOP_DONE)
		ret = -ENOMEM;
	if (!ret)
		ret = books_derive(&self->alloc, count, &books);
	if (!ret)
		charge_add(&self->charge, self->alloc.kind, &books);
	return ret;
}

/*
 * Before 5.13 ("mm: memcontrol: use obj_cgroup APIs to charge kmem pages") a page had a
 * reference to the cgroup itself, and with it what the cgroup is made of stays charged to
 * the parent.
 */
static bool pages_keep_it(const FIXTURE_VARIANT(lifetime) * variant)
{
	return kernel_before(5, 13) && !variant->by_bytes;
}

/*
 * What the objcgs of @dead cgroups may still have charged besides their objects: each CPU
 * that has cached one may have left less than a page in its nr_charged_bytes
 * (drain_obj_stock() of mm/memcontrol.c). Newer kernels have an objcg for each node. All of it goes
 * with the last object (obj_cgroup_release()).
 */
static long long dead_remainders(const struct _test_data_lifetime *self, unsigned int dead)
{
	if (!self->charge.byte_bytes)
		return 0;
	return (long long)dead * cpu_count_nodes() * self->scope.info.online_cpus *
	       books_page_size();
}

/*
 * Waits for the law to hold at a cgroup and above: it has the charge, and up to @more
 * bytes in the counters of pages. 0, or the number of wrong lines, reported.
 */
static int law_at(struct _test_data_lifetime *self, const struct cgroup *cg,
		  const struct snapshot *before, long long more, const char *when)
{
	struct moves moves = { 0 };

	moves_add_charge(&moves, &self->charge);
	moves_add_range(&moves, "usage", 0, more);
	moves_add_range(&moves, "kernel", 0, more);
	return scope_moves_await(&self->scope, cg, before, &moves, MOVES_OF_ANCESTOR, when);
}

/* At both ancestors that live all the time */
static int law(struct _test_data_lifetime *self, long long more, const char *when)
{
	int wrong = law_at(self, &self->scope.target, &self->before.target, more, when);

	return wrong ? wrong : law_at(self, &self->scope.parent, &self->before.parent, more, when);
}

static int free_objects(struct _test_data_lifetime *self)
{
	memset(&self->charge, 0, sizeof(self->charge));
	return session_free_all(self->fd);
}

TEST_F_TIMEOUT(lifetime, reparented_twice, TIMEOUT_S)
{
	struct snapshot alone;
	struct memstress_books half;
	struct charge freed = { 0 };

	ASSERT_EQ(0, cgroup_create(&self->mother, &self->scope.target, "family"));
	ASSERT_EQ(0, session_settle(self->scope.session, self->mother.fd));
	ASSERT_EQ(0, scope_flush(&self->scope));
	ASSERT_EQ(0, snapshot_take(&alone, &self->mother));
	ASSERT_EQ(0, cgroup_create(&self->child, &self->mother, "family"));
	ASSERT_EQ(0, charge_to(self, &self->child, OBJECTS));

	ASSERT_EQ(0, cgroup_remove(&self->child));
	if (pages_keep_it(variant)) {
		EXPECT_TRUE(law_equal(self->mother.path, "dying cgroups that pages keep", 1,
				      cgroup_count_dying(&self->scope.top)));
	} else {
		EXPECT_TRUE(law_equal(self->mother.path, "dying cgroups while charged", 0,
				      scope_drained_await(&self->scope)));
		EXPECT_EQ(0, law_at(self, &self->mother, &alone, dead_remainders(self, 1),
				    "the mother has what the child had"));
	}
	ASSERT_EQ(0, cgroup_remove(&self->mother));
	if (!pages_keep_it(variant)) {
		EXPECT_TRUE(law_equal(self->scope.target.path, "dying cgroups while charged", 0,
				      scope_drained_await(&self->scope)));
		EXPECT_EQ(0, law(self, dead_remainders(self, 2),
				 "the grandmother has what the child had"));
	}

	/* A half of it is freed, which the books of the ancestors follow */
	ASSERT_EQ(0, session_free(self->fd, self->alloc.handle, OBJECTS / 2));
	ASSERT_EQ(0, books_derive_one(&self->alloc, &half));
	half.page_charged_bytes *= OBJECTS / 2;
	half.byte_charged_bytes *= OBJECTS / 2;
	charge_add(&freed, variant->kind, &half);
	charge_minus(&self->charge, &freed);
	if (!pages_keep_it(variant) && !self->alloc.books.uncharged_objects)
		EXPECT_EQ(0, law(self, dead_remainders(self, 2), "a half of it is freed"));

	ASSERT_EQ(0, free_objects(self));
	EXPECT_TRUE(law_equal(self->scope.target.path, "dying cgroups at the end", 0,
			      scope_no_dying_await(&self->scope)));
	EXPECT_EQ(0, law(self, 0, "all of it is freed"));
}

/* Many dead children, all with something charged */
TEST_F_TIMEOUT(lifetime, outlives_many, TIMEOUT_S)
{
	unsigned int i;

	for (i = 0; i < CHILDREN; i++) {
		ASSERT_EQ(0, cgroup_create(&self->child, &self->scope.target, "family"));
		ASSERT_EQ(0, charge_to(self, &self->child, 1 + i % 5));
		ASSERT_EQ(0, cgroup_remove(&self->child));
	}
	if (pages_keep_it(variant)) {
		EXPECT_TRUE(law_equal(self->scope.target.path, "dying cgroups that pages keep",
				      CHILDREN, cgroup_count_dying(&self->scope.top)));
	} else {
		EXPECT_TRUE(law_equal(self->scope.target.path, "dying cgroups while charged", 0,
				      scope_drained_await(&self->scope)));
		EXPECT_EQ(0, law(self, dead_remainders(self, CHILDREN),
				 "charges of many dead children"));
	}
	ASSERT_EQ(0, free_objects(self));
	EXPECT_TRUE(law_equal(self->scope.target.path, "dying cgroups at the end", 0,
			      scope_no_dying_await(&self->scope)));
	EXPECT_EQ(0, law(self, 0, "all of it is freed"));
}

TEST_F_TIMEOUT(lifetime, red_twin, TIMEOUT_S)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	struct memstress_alloc twin;
	int other = session_open();
	int wrong;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, cgroup_create(&self->child, &self->scope.target, "family"));
	twin = session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->child.fd);
	ASSERT_EQ(0, session_alloc(other, &twin));
	ASSERT_EQ(0, cgroup_remove(&self->child));
	if (!kernel_before(5, 13))
		EXPECT_EQ(0, scope_no_dying_await(&self->scope));
	wrong = scope_law(&self->scope, &self->before, &nothing, BALANCE_ALL, &violation);
	fprintf(stderr, "# red twin: %d lines wrong\n", wrong);
	/* Usage of the target and of the parent */
	EXPECT_LE(2, wrong);
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(0, scope_no_dying_await(&self->scope));
	EXPECT_EQ(0, law(self, 0, "green again"));
}

/* What is the same for all kinds */
FIXTURE(cgroups)
{
	struct _test_data_lifetime of;
};

FIXTURE_SETUP(cgroups)
{
	struct _test_data_lifetime *of = &self->of;

	ASSERT_EQ(0, scope_create(&of->scope, "lifetime", LIMIT_BYTES));
	of->fd = session_open();
	ASSERT_LE(0, of->fd);
	ASSERT_EQ(0, user_memory_open());
	ASSERT_EQ(0, scope_no_dying_await(&of->scope));
	ASSERT_EQ(0, scope_baseline(&of->scope, &of->before));
}

FIXTURE_TEARDOWN(cgroups)
{
	struct _test_data_lifetime *of = &self->of;

	user_memory_close();
	EXPECT_EMPTY_LEDGER(of->fd);
	EXPECT_EQ(0, close(of->fd));
	EXPECT_EQ(0, cgroup_remove(&of->child));
	EXPECT_EQ(0, scope_remove(&of->scope));
}

/* Made, charged, removed, one after the other; half of the charges are freed before that */
TEST_F_TIMEOUT(cgroups, rounds_leak_nothing, TIMEOUT_S)
{
	static const struct {
		__u32 kind;
		__u64 size;
	} kinds[] = {
		{ MEMSTRESS_KIND_PAGE, 0 },
		{ MEMSTRESS_KIND_KMALLOC, 96 },
		{ MEMSTRESS_KIND_VMALLOC, 4096 },
		{ MEMSTRESS_KIND_PERCPU, 8 },
	};
	struct _test_data_lifetime *of = &self->of;
	unsigned int rounds = soak_times(ROUNDS, SOAK_ROUNDS);
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		/* They are freed by a worker of the kernel, which may be slower */
		if (i % DYING_MAX == DYING_MAX - 1)
			ASSERT_EQ(0, scope_no_dying_await(&of->scope));
		ASSERT_EQ(0, cgroup_create(&of->child, &of->scope.target, "family"));
		of->alloc = session_request(kinds[i % ARRAY_SIZE(kinds)].kind,
					    kinds[i % ARRAY_SIZE(kinds)].size, 3, -1);
		ASSERT_EQ(0, charge_to(of, &of->child, 3));
		if (i % 8 < 4)
			ASSERT_EQ(0, free_objects(of));
		ASSERT_EQ(0, cgroup_remove(&of->child));
		if (i % 8 == 7)
			ASSERT_EQ(0, free_objects(of));
	}
	ASSERT_EQ(0, free_objects(of));
	EXPECT_TRUE(law_equal(of->scope.target.path, "dying cgroups at the end", 0,
			      scope_no_dying_await(&of->scope)));
	EXPECT_TRUE(law_equal(NULL, "cgroups that are removed and not freed", 0,
			      scope_no_unfreed_await(&of->scope)));
	EXPECT_EQ(0, law(of, 0, "all of it is freed"));
}

/*
 * Pages of a file that lives on. From 7.3 folios have an objcg ("mm: memcontrol: eliminate
 * the problem of dying memory cgroup for LRU folios"); before that they keep the cgroup.
 */
TEST_F_TIMEOUT(cgroups, user_memory_outlives, TIMEOUT_S)
{
	struct _test_data_lifetime *of = &self->of;
	unsigned long long bytes = SHMEM_BYTES;
	struct snapshot nobody = { 0 };
	struct worker worker = { 0 };
	struct moves held = { 0 };
	/* Its parent's own, when it is gone, of which the plain lines of v1 tell */
	enum moves_of whose = MOVES_OF_PAYER;
	long long remainders =
		(long long)cpu_count_nodes() * of->scope.info.online_cpus * books_page_size();

	ASSERT_EQ(0, cgroup_create(&of->child, &of->scope.target, "family"));
	ASSERT_EQ(0, worker_start(&worker, &of->child));
	ASSERT_EQ(0, worker_take(&worker, USER_SHMEM, &bytes));
	ASSERT_EQ(0, worker_stop(&worker));
	ASSERT_EQ(0, cgroup_remove(&of->child));
	if (!kernel_before(7, 3))
		EXPECT_TRUE(law_equal(of->scope.target.path, "dying cgroups while charged", 0,
				      scope_no_dying_await(&of->scope)));
	fprintf(stderr, "# dying cgroups while pages of a file are charged: %lld\n",
		cgroup_count_dying(&of->scope.top));

	user_memory_moves(&held, USER_SHMEM, bytes, &nobody);
	/* The nodes of the file's tree are slab objects, and their objcg has died */
	moves_add_range(&held, "usage", 0, remainders);
	moves_add_range(&held, "kernel", 0, remainders);
	if (cgroup_count_dying(&of->scope.top)) {
		/* What the cgroup is made of is its parent's to pay */
		whose = MOVES_OF_ANCESTOR;
		moves_allow(&held, "usage");
		moves_allow(&held, "kernel");
		moves_allow(&held, "slab");
		moves_allow(&held, "slab_unreclaimable");
		moves_allow(&held, "percpu");
	}
	EXPECT_EQ(0, scope_moves_await(&of->scope, &of->scope.target, &of->before.target, &held,
				       whose, "pages of a file that lives on"));

	ASSERT_EQ(0, user_memory_give(USER_SHMEM));
	EXPECT_TRUE(law_equal(of->scope.target.path, "dying cgroups at the end", 0,
			      scope_no_dying_await(&of->scope)));
	EXPECT_EQ(0, law(of, 0, "the pages are freed"));
}

TEST_HARNESS_MAIN
