// SPDX-License-Identifier: GPL-2.0
/*
 * The law of throttling: memory.high is no limit. Whoever charges its own cgroup above it is
 * made to wait, as long as the kernel's formula says, and is neither refused nor killed; a
 * signal ends the wait. Whoever charges another cgroup does not wait.
 */
#include <signal.h>
#include <sys/wait.h>

#include "delay.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope_events.h"
#include "worker.h"

LAW("above memory.high a charge of one's own waits as the formula says; nothing else happens");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

/* So much that two batches of pages above it are not worth a wait */
#define HIGH_BYTES (64LL << 20)

/* Half of the wait that a signal must end */
#define KILL_NS NS_PER_S

/* Enough for the longest wait instead of a part of a second */
#define TWIN_PAGES 2560

FIXTURE(throttle)
{
	struct scope scope;
	struct worker worker;
	struct events before[SCOPE_CGROUPS];
	int fd;
};

FIXTURE_SETUP(throttle)
{
	if (cgroup_is_v1())
		return;
	ASSERT_EQ(0, scope_create_alone(&self->scope, "throttle", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
}

FIXTURE_TEARDOWN(throttle)
{
	if (cgroup_is_v1())
		return;
	worker_kill(&self->worker);
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

#define NO_HIGH "cgroup v1 has no memory.high"

static long long usage_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.current");
}

/* As many pages as a batch has, which is a power of two */
static unsigned int batch_order(const struct memstress_info *info)
{
	return __builtin_ctz(info->charge_batch_pages);
}

static int charge_foreign(struct _test_data_throttle *self, unsigned int order, long long count)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, order, count, self->scope.target.fd);
	int ret = count ? session_alloc(self->fd, &alloc) : 0;

	return !ret && alloc.stop != MEMSTRESS_STOP_DONE ? -ENOMEM : ret;
}

/* Brings @limited above its high by a part of it, by charges that nobody waits for */
static int go_above(struct _test_data_throttle *self, const struct cgroup *limited,
		    unsigned int thousandths)
{
	long long bytes, pages;
	int ret = scope_settle(&self->scope);

	bytes = HIGH_BYTES + HIGH_BYTES / 1000 * thousandths - usage_of(limited);
	pages = bytes / self->scope.info.page_size;
	if (!ret)
		ret = charge_foreign(self, 9, pages >> 9);
	if (!ret)
		ret = charge_foreign(self, 0, pages & 511);
	/* Written last, since it drains and reclaims what is above at that moment */
	return ret ? ret : cgroup_write_number(limited, "memory.high", HIGH_BYTES);
}

static int come_down(struct _test_data_throttle *self, const struct cgroup *limited)
{
	int ret = cgroup_write(limited, "memory.high", "max");

	if (!ret && self->worker.page)
		ret = worker_ask(&self->worker, WORKER_FREE);
	return ret ? ret : session_free_all(self->fd);
}

/*
 * A charge of the worker's of 2^@doublings batches, where @limited is above its high, and what it
 * has counted. @behind: pages above it that the law does not know of
 */
struct wait {
	struct _test_data_throttle *self;
	const struct cgroup *limited;
	unsigned int doublings, thousandths;
	long long behind;
	struct events events[SCOPE_CGROUPS];
};

static int charge_above_high(struct delay *delay, void *context)
{
	struct wait *wait = context;
	struct _test_data_throttle *self = wait->self;
	const struct memstress_info *info = &self->scope.info;
	int ret = go_above(self, wait->limited, wait->thousandths);

	if (!ret)
		ret = charge_foreign(self, 0, wait->behind);
	if (!ret)
		ret = scope_events_take(&self->scope, self->before);
	if (!ret)
		ret = delay_charge(delay, &self->worker, &self->scope.target,
				   batch_order(info) + wait->doublings);
	if (ret)
		return ret;
	delay->expected_ns =
		delay_ns(info, usage_of(wait->limited) - wait->behind * (long long)info->page_size,
			 HIGH_BYTES, delay->pages);
	ret = scope_events_since(&self->scope, wait->events, self->before);
	return ret ? ret : come_down(self, wait->limited);
}

/*
 * reclaim_high() counts high once in each round, at each cgroup that is above its own. Nothing
 * else is counted: no limit is met, nobody dies.
 */
static bool events_hold(const struct scope *scope, unsigned int at, const struct delay *delay,
			const struct events *events)
{
	struct events expected[SCOPE_CGROUPS] = { 0 };

	scope_events_expect(expected, at, EVENT_HIGH, delay_rounds(delay->expected_ns));
	return scope_events_equal(scope, "one charge above memory.high", expected, events);
}

/*
 * The wait is on the way back to user mode; since 5.18 it is in the allocator when there is
 * more than a batch to wait for (try_charge_memcg()).
 */
static bool place_holds(const struct scope *scope, const struct cgroup *limited,
			const struct delay *delay)
{
	if (kernel_before(5, 18) || delay->pages <= scope->info.charge_batch_pages)
		return law_at_most(limited->path, "ns of the wait in the allocator", DELAY_NOISE_NS,
				   delay->inside_ns);
	return law_at_least(limited->path, "ns of the wait in the allocator",
			    (long long)delay->expected_ns - DELAY_TICK_NS, delay->inside_ns);
}

static bool wait_holds(struct _test_data_throttle *self, unsigned int at, unsigned int doublings,
		       unsigned int thousandths, unsigned int attempts, long long behind)
{
	struct wait wait = {
		.self = self,
		.limited = scope_cgroup(&self->scope, at),
		.doublings = doublings,
		.thousandths = thousandths,
		.behind = behind,
	};
	struct delay delay;
	bool held = delay_holds(wait.limited->path, &delay, attempts, charge_above_high, &wait);

	held &= place_holds(&self->scope, wait.limited, &delay);
	return held & events_hold(&self->scope, at, &delay, wait.events);
}

/* A little is not waited for; then it grows with the square of the excess, to two seconds */
TEST_F_TIMEOUT(throttle, waits_by_the_formula, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 0, 0, DELAY_ATTEMPTS, 0));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 0, 80, DELAY_ATTEMPTS, 0));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 1, 80, DELAY_ATTEMPTS, 0));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 1, 300, DELAY_ATTEMPTS, 0));
}

/* The cgroup that is farthest above its own high decides (mem_find_max_overage()) */
TEST_F_TIMEOUT(throttle, waits_for_an_ancestor, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	EXPECT_TRUE(wait_holds(self, SCOPE_PARENT, 0, 80, DELAY_ATTEMPTS, 0));
}

TEST_F_TIMEOUT(throttle, red_twin, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(wait_holds(self, SCOPE_TARGET, 0, 50, 1, TWIN_PAGES));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 0, 50, DELAY_ATTEMPTS, 0));
}

/* schedule_timeout_killable(): who is to die does not wait for the end of it */
TEST_F_TIMEOUT(throttle, is_killable, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	__u64 begin, ns, deadline;
	unsigned int attempts = 0;
	long long high;
	int status;

	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	do {
		if (attempts)
			ASSERT_EQ(0, worker_start(&self->worker, target));
		ASSERT_EQ(0, go_above(self, target, 300));
		high = cgroup_read_key(target, "memory.events", "high");
		self->worker.page->alloc = session_request(MEMSTRESS_KIND_PAGE,
							   batch_order(&self->scope.info), 1,
							   MEMSTRESS_PAYER_CALLER);
		worker_tell(&self->worker, WORKER_ALLOC);
		/* All rounds of reclaim are over, so it has begun to wait */
		deadline = clock_deadline_ns(10 * NS_PER_S);
		while (cgroup_read_key(target, "memory.events", "high") <
		       high + delay_rounds(KILL_NS))
			ASSERT_TRUE(clock_poll(deadline));
		begin = clock_now_ns();
		ASSERT_EQ(0, kill(self->worker.pid, SIGKILL));
		ASSERT_EQ(0, worker_wait(&self->worker, &status));
		ns = clock_now_ns() - begin;
		EXPECT_TRUE(WIFSIGNALED(status));
		worker_kill(&self->worker);
		ASSERT_EQ(0, come_down(self, target));
		fprintf(stderr, "# dead after %llu ms\n", ns / NS_PER_MS);
	} while (ns > KILL_NS && ++attempts < DELAY_ATTEMPTS);
	EXPECT_TRUE(law_at_most(target->path, "ns from the signal to the death", KILL_NS, ns));
}

/*
 * The one who waits is a task for its own cgroup (get_mem_cgroup_from_mm() of its mm),
 * whoever was charged: neither a caller that is in no cgroup, nor one from the sibling.
 */
TEST_F_TIMEOUT(throttle, foreigner_does_not_wait, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct events before[SCOPE_CGROUPS], none[SCOPE_CGROUPS] = { 0 };
	struct memstress_alloc *alloc;
	struct worker foreigner = { 0 };
	unsigned int attempts = 0;
	__u64 begin, root_ns, ns;

	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	ASSERT_EQ(0, worker_start(&foreigner, &self->scope.sibling));
	alloc = &foreigner.page->alloc;
	ASSERT_EQ(0, go_above(self, target, 300));
	ASSERT_EQ(0, scope_events_take(&self->scope, before));
	do {
		begin = clock_now_ns();
		ASSERT_EQ(0, charge_foreign(self, batch_order(&self->scope.info), 4));
		root_ns = clock_now_ns() - begin;
		*alloc = session_request(MEMSTRESS_KIND_PAGE, batch_order(&self->scope.info), 4,
					 target->fd);
		begin = clock_now_ns();
		ASSERT_EQ(0, worker_ask(&foreigner, WORKER_ALLOC));
		ns = clock_now_ns() - begin;
		EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
		fprintf(stderr, "# charged from the root in %llu ms, from the sibling in %llu\n",
			root_ns / NS_PER_MS, ns / NS_PER_MS);
	} while ((root_ns > DELAY_NOISE_NS || ns > DELAY_NOISE_NS) && ++attempts < DELAY_ATTEMPTS);
	EXPECT_TRUE(law_at_most(target->path, "ns for root to charge it", DELAY_NOISE_NS, root_ns));
	EXPECT_TRUE(law_at_most(target->path, "ns for sibling to charge it", DELAY_NOISE_NS, ns));
	EXPECT_TRUE(scope_events_are(&self->scope, "charged by foreigners", before, none));
	EXPECT_EQ(0, worker_stop(&foreigner));
	EXPECT_EQ(0, come_down(self, target));
}

TEST_HARNESS_MAIN
