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

/* What a machine needs to do all but wait; one that is busy gets more than one attempt */
#define NOISE_NS (300 * NS_PER_MS)
#define ATTEMPTS 5

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

/* One charge of the worker's, and the wait that it cost */
struct wait {
	long long pages; /* that were charged: each of them counts for the wait */
	__u64 expected_ns;
	__u64 ns;        /* from asking for it until the worker runs on in user mode */
	__u64 inside_ns; /* of it in the allocator */
	struct events events[SCOPE_CGROUPS];
};

/*
 * The worker asks for pages in one object, more than any stock has. The row in the ledger,
 * which it pays for, too, may take another batch; the usage tells how much there was to
 * wait for. It is read after the wait, in which nothing moves it. @behind: pages of it that
 * the law does not know of.
 */
static int charge_own(struct _test_data_throttle *self, const struct cgroup *limited,
		      unsigned int order, long long behind, struct wait *wait)
{
	struct memstress_alloc *alloc = &self->worker.page->alloc;
	long long page = self->scope.info.page_size;
	long long before = usage_of(&self->scope.target);
	__u64 begin;
	int ret;

	ret = scope_events_take(&self->scope, self->before);
	*alloc = session_request(MEMSTRESS_KIND_PAGE, order, 1, MEMSTRESS_PAYER_CALLER);
	begin = clock_now_ns();
	if (!ret)
		ret = worker_ask(&self->worker, WORKER_ALLOC);
	wait->ns = clock_now_ns() - begin;
	if (!ret && alloc->stop != MEMSTRESS_STOP_DONE)
		ret = -ENOMEM;
	wait->inside_ns = alloc->total_ns;
	wait->pages = (usage_of(&self->scope.target) - before) / page;
	wait->expected_ns = delay_ns(&self->scope.info, usage_of(limited) - behind * page,
				     HIGH_BYTES, wait->pages);
	return ret ? ret : scope_events_since(&self->scope, wait->events, self->before);
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
 * reclaim_high() counts high once in each round, at each cgroup that is above its own. Nothing
 * else is counted: no limit is met, nobody dies.
 */
static bool events_hold(const struct scope *scope, unsigned int at, const struct wait *wait)
{
	struct events expected[SCOPE_CGROUPS] = { 0 };

	scope_events_expect(expected, at, EVENT_HIGH, delay_rounds(wait->expected_ns));
	return scope_events_equal(scope, "one charge above memory.high", expected, wait->events);
}

/*
 * The wait is on the way back to user mode; since 5.18 it is in the allocator when there is
 * more than a batch to wait for (try_charge_memcg()).
 */
static bool place_holds(struct _test_data_throttle *self, const struct cgroup *limited,
			const struct wait *wait)
{
	if (kernel_before(5, 18) || wait->pages <= self->scope.info.charge_batch_pages)
		return law_at_most(limited->path, "ns of the wait in the allocator", NOISE_NS,
				   wait->inside_ns);
	return law_at_least(limited->path, "ns of the wait in the allocator",
			    (long long)wait->expected_ns - DELAY_TICK_NS, wait->inside_ns);
}

/*
 * For a charge of 2^@doublings batches. Whoever waits too long is asked again: a busy machine
 * makes a wait longer, never shorter.
 */
static bool wait_holds(struct _test_data_throttle *self, unsigned int at, unsigned int doublings,
		       unsigned int thousandths, unsigned int attempts, long long behind)
{
	unsigned int order = batch_order(&self->scope.info) + doublings;
	const struct cgroup *limited = scope_cgroup(&self->scope, at);
	struct wait wait;
	bool held;

	do {
		if (go_above(self, limited, thousandths) || charge_foreign(self, 0, behind) ||
		    charge_own(self, limited, order, behind, &wait) || come_down(self, limited))
			return false;
		fprintf(stderr, "# %lld pages: waits %llu ms, of %llu; %llu in the allocator\n",
			wait.pages, wait.ns / NS_PER_MS, wait.expected_ns / NS_PER_MS,
			wait.inside_ns / NS_PER_MS);
		held = law_at_least(limited->path, "ns that one charge waited",
				    (long long)wait.expected_ns - DELAY_TICK_NS, wait.ns);
	} while (held && wait.ns > wait.expected_ns + NOISE_NS && --attempts);
	held &= law_at_most(limited->path, "ns that one charge waited", wait.expected_ns + NOISE_NS,
			    wait.ns);
	held &= place_holds(self, limited, &wait);
	return held & events_hold(&self->scope, at, &wait);
}

/* A little is not waited for; then it grows with the square of the excess, to two seconds */
TEST_F_TIMEOUT(throttle, waits_by_the_formula, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 0, 0, ATTEMPTS, 0));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 0, 80, ATTEMPTS, 0));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 1, 80, ATTEMPTS, 0));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 1, 300, ATTEMPTS, 0));
}

/* The cgroup that is farthest above its own high decides (mem_find_max_overage()) */
TEST_F_TIMEOUT(throttle, waits_for_an_ancestor, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	EXPECT_TRUE(wait_holds(self, SCOPE_PARENT, 0, 80, ATTEMPTS, 0));
}

TEST_F_TIMEOUT(throttle, red_twin, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(wait_holds(self, SCOPE_TARGET, 0, 50, 1, TWIN_PAGES));
	EXPECT_TRUE(wait_holds(self, SCOPE_TARGET, 0, 50, ATTEMPTS, 0));
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
	} while (ns > KILL_NS && ++attempts < ATTEMPTS);
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
	} while ((root_ns > NOISE_NS || ns > NOISE_NS) && ++attempts < ATTEMPTS);
	EXPECT_TRUE(law_at_most(target->path, "ns for the root to charge it", NOISE_NS, root_ns));
	EXPECT_TRUE(law_at_most(target->path, "ns for the sibling to charge it", NOISE_NS, ns));
	EXPECT_TRUE(scope_events_are(&self->scope, "charged by foreigners", before, none));
	EXPECT_EQ(0, worker_stop(&foreigner));
	EXPECT_EQ(0, come_down(self, target));
}

TEST_HARNESS_MAIN
