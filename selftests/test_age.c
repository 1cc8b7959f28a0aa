// SPDX-License-Identifier: GPL-2.0
/*
 * The order of frees, seen from outside: the worker is moved to another cgroup in the
 * middle of an ALLOC. What was made before is charged to the first, what was made
 * after to the second, so each object shows its age when it goes.
 *
 * Objects are counted by usage, once settled. Each is of so many pages that what the
 * module and the worker themselves are charged meanwhile, a page or two, is no object;
 * and they are charged at one go, so that no object is of two ages.
 */
#include "books.h"
#include "clock.h"
#include "memstress_test.h"
#include "scope.h"
#include "worker.h"

#define LIMIT_BYTES (256 << 20)
#define OLD_BYTES   (32 << 20) /* of the first cgroup: about half of the objects */
#define OBJECTS     2000
#define ORDER       3
#define PART        500
#define TIMEOUT_S   120

/* How often one charge can meet the limit: try_charge_memcg(), MAX_RECLAIM_RETRIES and two */
#define CHARGE_MAX_EVENTS 18

FIXTURE(age)
{
	struct scope scope;
	struct worker worker;
	long long target_base, sibling_base; /* usage before the first object */
	long long old, new;                  /* objects that each cgroup pays for */
};

static long long object_bytes(void)
{
	return books_page_size() << ORDER;
}

static int count(struct _test_data_age *self)
{
	long long target, sibling;
	int ret = scope_settle(&self->scope);

	target = cgroup_read_number(&self->scope.target, "memory.current") - self->target_base;
	sibling = cgroup_read_number(&self->scope.sibling, "memory.current") - self->sibling_base;
	/* Rounded to the nearest */
	self->old = (target + object_bytes() / 2) / object_bytes();
	self->new = (sibling + object_bytes() / 2) / object_bytes();
	return ret;
}

/*
 * The most that can be counted before a charge is refused. The failcnt of cgroup v1 counts
 * both attempts of each event, that with a batch and that without; and before that, each
 * page that still fits where a batch does not.
 */
static long long max_before_refusal(const struct memstress_info *info)
{
	if (!cgroup_is_v1())
		return CHARGE_MAX_EVENTS;
	return 2 * CHARGE_MAX_EVENTS + info->charge_batch_pages * info->online_cpus;
}

/*
 * The first cgroup is full after OLD_BYTES. From then on the worker fails, and fails
 * again, until it is in the second.
 */
FIXTURE_SETUP(age)
{
	__u64 deadline = clock_deadline_ns(30 * NS_PER_S);
	struct memstress_alloc *alloc;

	ASSERT_EQ(0, scope_create(&self->scope, "age", LIMIT_BYTES));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", OLD_BYTES));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	ASSERT_EQ(0, scope_settle(&self->scope));
	self->target_base = cgroup_read_number(&self->scope.target, "memory.current");
	self->sibling_base = cgroup_read_number(&self->scope.sibling, "memory.current");
	alloc = &self->worker.page->alloc;
	*alloc = session_request(MEMSTRESS_KIND_PAGE, ORDER, OBJECTS, MEMSTRESS_PAYER_CALLER);
	alloc->policy = MEMSTRESS_POLICY_NORETRY;
	alloc->max_failures = ~0U;
	worker_tell(&self->worker, WORKER_ALLOC);
	while (cgroup_read_key(&self->scope.target, "memory.events", "max") <=
	       max_before_refusal(&self->scope.info))
		ASSERT_TRUE(clock_poll(deadline));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.sibling, "cgroup.procs", self->worker.pid));
	ASSERT_EQ(0, worker_await(&self->worker));
	/* What is full cannot be settled */
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.max", "max"));
	ASSERT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	ASSERT_EQ(OBJECTS, alloc->books.objects);
	ASSERT_LT(0, alloc->failures);

	ASSERT_EQ(0, count(self));
	ASSERT_EQ(OBJECTS, self->old + self->new);
	ASSERT_LT(PART, self->old);
	ASSERT_LT(PART, self->new);
}

FIXTURE_TEARDOWN(age)
{
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

	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_FIFO, 0));
	ASSERT_EQ(0, count(self));
	EXPECT_EQ(old - PART, self->old);
	EXPECT_EQ(new, self->new);
	/* And what is left is still in order, from the other end too */
	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_LIFO, 0));
	ASSERT_EQ(0, count(self));
	EXPECT_EQ(old - PART, self->old);
	EXPECT_EQ(new - PART, self->new);
}

TEST_F_TIMEOUT(age, lifo_takes_the_newest, TIMEOUT_S)
{
	long long old = self->old, new = self->new;

	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_LIFO, 0));
	ASSERT_EQ(0, count(self));
	EXPECT_EQ(old, self->old);
	EXPECT_EQ(new - PART, self->new);
	ASSERT_EQ(0, free_part(self, MEMSTRESS_FREE_FIFO, 0));
	ASSERT_EQ(0, count(self));
	EXPECT_EQ(old - PART, self->old);
	EXPECT_EQ(new - PART, self->new);
}

/* How many old objects a seed takes */
static int old_taken(struct _test_data_age *self, __u64 seed, long long *taken)
{
	long long old = self->old;
	int ret = free_part(self, MEMSTRESS_FREE_RANDOM, seed);

	if (!ret)
		ret = count(self);
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
