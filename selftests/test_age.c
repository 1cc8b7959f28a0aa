// SPDX-License-Identifier: GPL-2.0
/*
 * The order of frees, seen from outside: the worker is moved to another cgroup in the
 * middle of an ALLOC. What was made before is charged to the first, what was made
 * after to the second, so each object shows its age when it goes.
 */
#include "books.h"
#include "clock.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope.h"
#include "worker.h"

#define LIMIT_BYTES (256 << 20)
#define OLD_BYTES   (4 << 20) /* of the first cgroup: about half of the objects */
#define OBJECTS     2000
#define PART        500
#define TIMEOUT_S   120

/* How often one charge can meet the limit: try_charge_memcg(), MAX_RECLAIM_RETRIES and two */
#define CHARGE_MAX_EVENTS 18

FIXTURE(age)
{
	struct scope scope;
	struct worker worker;
	long long old, new; /* pages that each cgroup pays for */
};

/* vmalloc() of a page: its line of memory.stat is moved by nothing but these objects */
static long long pages(const struct cgroup *cg)
{
	return cgroup_read_key(cg, "memory.stat", "vmalloc") / books_page_size();
}

/* It came with 5.17. Before, no line of such a kind is exact to the object */
static bool line_is_missing(void)
{
	return kernel_before(5, 17);
}

static int count_pages(struct _test_data_age *self)
{
	int ret = scope_flush(&self->scope);

	self->old = pages(&self->scope.target);
	self->new = pages(&self->scope.sibling);
	return ret;
}

/*
 * The first cgroup is full after OLD_BYTES. From then on the worker fails, and fails
 * again, until it is in the second.
 */
FIXTURE_SETUP(age)
{
	__u64 deadline = clock_deadline_ns(30 * NS_PER_S);
	struct memstress_alloc *alloc;

	/* Each test says SKIP, as older harnesses run it even if this does */
	if (line_is_missing())
		return;
	ASSERT_EQ(0, scope_create(&self->scope, "age", LIMIT_BYTES));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", OLD_BYTES));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	alloc = &self->worker.page->alloc;
	*alloc = session_request(MEMSTRESS_KIND_VMALLOC, books_page_size(), OBJECTS,
				 MEMSTRESS_PAYER_CALLER);
	alloc->policy = MEMSTRESS_POLICY_NORETRY;
	alloc->max_failures = ~0U;
	worker_tell(&self->worker, WORKER_ALLOC);
	while (cgroup_read_key(&self->scope.target, "memory.events", "max") <= CHARGE_MAX_EVENTS)
		ASSERT_TRUE(clock_poll(deadline));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.sibling, "cgroup.procs", self->worker.pid));
	ASSERT_EQ(0, worker_await(&self->worker));
	ASSERT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	ASSERT_EQ(OBJECTS, alloc->books.objects);
	ASSERT_LT(0, alloc->failures);

	ASSERT_EQ(0, count_pages(self));
	ASSERT_EQ(OBJECTS, self->old + self->new);
	ASSERT_LT(PART, self->old);
	ASSERT_LT(PART, self->new);
}

FIXTURE_TEARDOWN(age)
{
	if (line_is_missing())
		return;
	EXPECT_EQ(0, worker_stop(&self->worker));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int free_part(struct _test_data_age *self, __u32 order, __u64 seed)
{
	self->worker.page->free = (struct memstress_free){
		.size = sizeof(self->worker.page->free),
		.handle = self->worker.page->alloc.handle,
		.order = order,
		.seed = seed,
		.count = PART,
	};
	return worker_ask(&self->worker, WORKER_FREE);
}

TEST_F_TIMEOUT(age, fifo_takes_the_oldest, TIMEOUT_S)
{
	long long old = self->old, new = self->new;

	if (line_is_missing())
		SKIP(return, "memory.stat has no line vmalloc before 5.17");
	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_FIFO, 0));
	ASSERT_EQ(0, count_pages(self));
	EXPECT_EQ(old - PART, self->old);
	EXPECT_EQ(new, self->new);
	/* And what is left is still in order, from the other end too */
	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_LIFO, 0));
	ASSERT_EQ(0, count_pages(self));
	EXPECT_EQ(old - PART, self->old);
	EXPECT_EQ(new - PART, self->new);
}

TEST_F_TIMEOUT(age, lifo_takes_the_newest, TIMEOUT_S)
{
	long long old = self->old, new = self->new;

	if (line_is_missing())
		SKIP(return, "memory.stat has no line vmalloc before 5.17");
	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_LIFO, 0));
	ASSERT_EQ(0, count_pages(self));
	EXPECT_EQ(old, self->old);
	EXPECT_EQ(new - PART, self->new);
	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_FIFO, 0));
	ASSERT_EQ(0, count_pages(self));
	EXPECT_EQ(old - PART, self->old);
	EXPECT_EQ(new - PART, self->new);
}

/* How many old objects a seed takes */
static int old_taken(struct _test_data_age *self, __u64 seed, long long *taken)
{
	long long old = self->old;
	int ret = free_part(self, MEMSTRESS_FREE_RANDOM, seed);

	if (!ret)
		ret = count_pages(self);
	*taken = old - self->old;
	return ret;
}

/*
 * A seed chooses by position only. If two runs differ in the age of d objects, what
 * it takes of the old ones differs by d at most. Without the seed it would differ by
 * some ten (the standard deviation when 500 of 2000 are drawn, half of them old).
 */
TEST_F_TIMEOUT(age, random_takes_by_seed, TIMEOUT_S)
{
	long long taken[2], old[2];
	struct _test_data_age again;

	if (line_is_missing())
		SKIP(return, "memory.stat has no line vmalloc before 5.17");
	old[0] = self->old;
	ASSERT_EQ(0, old_taken(self, 42, &taken[0]));
	EXPECT_LT(0, taken[0]);
	EXPECT_GT(PART, taken[0]);

	memset(&again, 0, sizeof(again));
	age_setup(_metadata, &again, NULL);
	old[1] = again.old;
	ASSERT_EQ(0, old_taken(&again, 42, &taken[1]));
	EXPECT_GE(llabs(old[0] - old[1]), llabs(taken[0] - taken[1]));
	fprintf(stderr, "# seed 42 took %lld of %lld old ones, then %lld of %lld\n", taken[0],
		old[0], taken[1], old[1]);
	age_teardown(_metadata, &again, NULL);
}

TEST_HARNESS_MAIN
