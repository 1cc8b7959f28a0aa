// SPDX-License-Identifier: GPL-2.0
/*
 * The law of swap: a page that is not in memory is in swap, and charged there, at its cgroup
 * and all above, also when the cgroup is no more; memory.swap.max and memory.zswap.max hold,
 * to the page, while kernel memory pushes user memory out; each page that they refuse is
 * counted, and stays where it was.
 */
#include <fcntl.h>
#include <limits.h>

#include "books.h"
#include "delay.h"
#include "headroom.h"
#include "kernel.h"
#include "knob.h"
#include "lru.h"
#include "memstress_test.h"
#include "scope.h"
#include "swap.h"
#include "user_memory.h"
#include "worker.h"

LAW("what is in swap is charged, limited and counted to the page, also of the dead");

#define TIMEOUT_S 60

#define MIB         (1024 * 1024LL)
#define LIMIT_BYTES (24 * MIB)
#define USER_BYTES  (4 * MIB)
#define PUSH_BYTES  (2 * MIB) /* of kernel memory for which there is no room */
#define HUGE_ORDER  9
#define OFFLINE_NS  (5 * NS_PER_S)

FIXTURE(swap)
{
	struct scope scope;
	struct worker worker; /* inside the target */
	struct snapshot before;
	long long all, page; /* bytes that the worker may have in swap */
	const char *missing;
	int zswap; /* Y or N, as it was before; less than 0 without zswap */
	int fd;
};

#define ZSWAP "/sys/module/zswap/parameters/enabled"

/* Y or N; -errno */
static int zswap_state(void)
{
	int fd = open(ZSWAP, O_RDONLY | O_CLOEXEC);
	char state = 0;
	int ret;

	if (fd < 0)
		return -errno;
	ret = read(fd, &state, 1) == 1 ? state : -EIO;
	close(fd);
	return ret;
}

/* Writing what it is already would set it up, too */
static int zswap_switch(char state)
{
	const char text[] = { state, '\0' };
	int now = zswap_state();

	if (now < 0 || now == state)
		return now < 0 ? now : 0;
	return knob_write(ZSWAP, text);
}

static int set_up(struct _test_data_swap *self)
{
	unsigned long long bytes = USER_BYTES;
	struct user_memory_place place = { 0 };
	int ret;

	self->page = books_page_size();
	self->zswap = zswap_state();
	ret = zswap_switch('N');
	if (!ret || ret == -ENOENT)
		ret = swap_settle();
	if (!ret)
		ret = user_memory_open();
	if (!ret)
		ret = scope_create(&self->scope, "swap", LIMIT_BYTES);
	self->fd = session_open();
	if (!ret)
		ret = worker_start(&self->worker, &self->scope.target);
	if (!ret)
		ret = worker_take(&self->worker, USER_ANON, &bytes);
	/* What is on its way to the LRU is not swapped out, so it gets there first */
	scope_visit_cpus();
	if (!ret)
		ret = session_settle(self->scope.session, self->scope.target.fd);
	if (!ret)
		ret = scope_flush(&self->scope);
	if (!ret)
		ret = snapshot_take(&self->before, &self->scope.target);
	if (!ret)
		ret = user_memory_find(self->worker.pid, &place);
	if (!ret && (place.resident < USER_BYTES || place.swapped))
		ret = -ENOMEM;
	self->all = place.resident;
	return ret;
}

static int tear_down(struct _test_data_swap *self)
{
	int ret = session_free_all(self->fd);

	worker_kill(&self->worker);
	if (self->zswap > 0 && !ret)
		ret = zswap_switch(self->zswap);
	if (!ret)
		ret = swap_settle();
	if (!ret && scope_no_dying_await(&self->scope))
		ret = -EBUSY;
	if (!ret)
		ret = scope_remove(&self->scope);
	user_memory_close();
	return ret;
}

FIXTURE_SETUP(swap)
{
	if (cgroup_is_v1())
		self->missing = "cgroup v1 limits memory and swap together";
	else if (!swap_is_on())
		self->missing = "there is no swap";
	if (!self->missing)
		ASSERT_EQ(0, set_up(self));
}

FIXTURE_TEARDOWN(swap)
{
	if (self->missing)
		return;
	EXPECT_EQ(0, tear_down(self));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
}

static long long swap_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.swap.current");
}

static long long swap_events(const struct cgroup *cg, const char *event)
{
	return cgroup_read_key(cg, "memory.swap.events", event);
}

static int page_out(struct _test_data_swap *self)
{
	return worker_ask(&self->worker, WORKER_PAGE_OUT);
}

/* @more bytes than there is room for; what could be had of them, in bytes, or -errno */
static long long push(struct _test_data_swap *self, long long more)
{
	long long usage = cgroup_read_number(&self->scope.parent, "memory.current");
	long long pages = (LIMIT_BYTES - usage) / self->page;
	long long huge = pages >> HUGE_ORDER << HUGE_ORDER;
	long long made = headroom_grow(self->fd, &self->scope.sibling, HUGE_ORDER, huge);

	if (made != huge)
		return made < 0 ? made : -ENOMEM;
	made = headroom_grow(self->fd, &self->scope.sibling, 0, pages - huge + more / self->page);
	return made < 0 ? made : (made - (pages - huge)) * self->page;
}

/* Pages that have been swapped out or in, and are in memory as well; before 5.12 of all */
static long long swap_cached(const struct snapshot *snap)
{
	FILE *file;
	char line[128];
	long long kib = 0;

	if (!kernel_before(5, 12) && !cgroup_is_v1())
		return snapshot_value(snap, "swapcached");
	file = fopen("/proc/meminfo", "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SwapCached: %lld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static bool law_between(const char *where, const char *what, long long least, long long most,
			long long seen)
{
	return law_at_least(where, what, least, seen) && law_at_most(where, what, most, seen);
}

/*
 * Each page of the worker is in memory or not, and those that are not are charged to swap,
 * here and above; those in the swap cache are charged to both.
 */
static bool books_hold(struct _test_data_swap *self, const char *when)
{
	const struct cgroup *target = &self->scope.target;
	struct user_memory_place place;
	struct snapshot now;
	long long cached, gone, slack;
	char what[96];
	bool held;

	scope_visit_cpus();
	if (session_settle(self->scope.session, target->fd) || swap_settle() ||
	    scope_flush(&self->scope) || snapshot_take(&now, target) ||
	    user_memory_find(self->worker.pid, &place))
		return false;
	cached = swap_cached(&now);
	slack = balance_batch_slack("anon");
	fprintf(stderr, "# %s: %lld in memory, %lld in swap, %lld in both\n", when, place.resident,
		place.swapped, cached);

	snprintf(what, sizeof(what), "memory.swap.current, %s", when);
	held = law_between(target->path, what, place.swapped, place.swapped + cached,
			   swap_of(target));
	held &= law_equal(self->scope.parent.path, what, swap_of(target),
			  swap_of(&self->scope.parent));
	held &= law_equal(self->scope.sibling.path, what, 0, swap_of(&self->scope.sibling));

	snprintf(what, sizeof(what), "what anon of memory.stat has lost, %s", when);
	gone = self->all - place.resident;
	held &= law_between(target->path, what, gone - slack, gone + slack,
			    snapshot_value(&self->before, "anon") - snapshot_value(&now, "anon"));
	snprintf(what, sizeof(what), "what memory.current has lost, %s", when);
	return held &
	       law_between(target->path, what, gone - cached, gone,
			   snapshot_value(&self->before, "usage") - snapshot_value(&now, "usage"));
}

/* The highest there has been, where the kernel knows it: from 6.5 */
static bool peak_is(const struct cgroup *cg, long long expected)
{
	long long peak = cgroup_read_number(cg, "memory.swap.peak");

	return peak == -ENOENT || law_equal(cg->path, "memory.swap.peak", expected, peak);
}

/* Where the kernel counts what it has written to swap for a cgroup */
static bool written_is(struct _test_data_swap *self, long long expected)
{
	long long pages = cgroup_read_key(&self->scope.target, "memory.stat", "pswpout");

	return pages == -ENOENT || law_equal(self->scope.target.path, "pswpout of memory.stat",
					     expected / self->page, pages);
}

/* No page was refused but those, at the cgroup and above */
static bool refused_is(const struct scope *scope, long long pages)
{
	const struct cgroup *const cgroups[] = { &scope->target, &scope->parent };
	bool held = true;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		held &= law_equal(cgroups[i]->path, "max of memory.swap.events", pages,
				  swap_events(cgroups[i], "max"));
		held &= law_equal(cgroups[i]->path, "fail of memory.swap.events", pages,
				  swap_events(cgroups[i], "fail"));
	}
	return held &
	       law_equal(scope->sibling.path, "max of memory.swap.events", 0,
			 swap_events(&scope->sibling, "max")) &
	       law_equal(scope->sibling.path, "fail of memory.swap.events", 0,
			 swap_events(&scope->sibling, "fail"));
}

static bool usage_kept_the_limit(const struct _test_data_swap *self)
{
	const struct cgroup *parent = &self->scope.parent;
	long long peak = cgroup_read_number(parent, "memory.peak");

	return law_equal(parent->path, "memory.events oom_kill", 0,
			 cgroup_read_key(parent, "memory.events", "oom_kill")) &
	       law_at_most(parent->path, "highest usage", LIMIT_BYTES,
			   peak < 0 ? cgroup_read_number(parent, "memory.current") : peak);
}

/* Kernel memory makes room for itself; what was there is in swap, until it is asked for */
TEST_F_TIMEOUT(swap, kernel_memory_pushes_out, TIMEOUT_S)
{
	unsigned long long bytes = USER_BYTES;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(law_equal(self->scope.parent.path, "bytes of kernel memory without room",
			      PUSH_BYTES, push(self, PUSH_BYTES)));
	EXPECT_TRUE(usage_kept_the_limit(self));
	EXPECT_TRUE(peak_is(&self->scope.target, swap_of(&self->scope.target)));
	EXPECT_TRUE(refused_is(&self->scope, 0));
	/* Settling needs some room */
	ASSERT_EQ(0, session_free_all(self->fd));
	EXPECT_TRUE(books_hold(self, "pushed out"));

	ASSERT_EQ(0, page_out(self));
	EXPECT_TRUE(books_hold(self, "all paged out"));
	EXPECT_TRUE(law_equal(self->scope.target.path, "all paged out: memory.swap.current",
			      self->all, swap_of(&self->scope.target)));
	EXPECT_TRUE(peak_is(&self->scope.parent, self->all));
	ASSERT_EQ(0, worker_take(&self->worker, USER_ANON, &bytes));
	EXPECT_TRUE(books_hold(self, "swapped in"));
	EXPECT_TRUE(law_at_most(self->scope.target.path, "swapped in: memory.swap.current",
				self->all - USER_BYTES, swap_of(&self->scope.target)));
	EXPECT_TRUE(refused_is(&self->scope, 0));
}

/* Freed without having been read back */
TEST_F_TIMEOUT(swap, is_given_back, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, page_out(self));
	EXPECT_TRUE(books_hold(self, "all paged out"));
	EXPECT_TRUE(written_is(self, self->all));
	EXPECT_TRUE(law_equal(self->scope.target.path, "all paged out: memory.swap.current",
			      self->all, swap_of(&self->scope.target)));
	ASSERT_EQ(0, worker_give(&self->worker, USER_ANON));
	ASSERT_EQ(0, swap_settle());
	EXPECT_TRUE(law_equal(self->scope.target.path, "given back: memory.swap.current",
			      self->all - USER_BYTES, swap_of(&self->scope.target)));
	EXPECT_TRUE(law_equal(self->scope.parent.path, "given back: memory.swap.current",
			      self->all - USER_BYTES, swap_of(&self->scope.parent)));
	EXPECT_TRUE(peak_is(&self->scope.target, self->all));
}

/* A worker that the law does not know of has pages in swap */
TEST_F_TIMEOUT(swap, red_twin, TIMEOUT_S)
{
	struct worker twin = { 0 };

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, page_out(self));
	EXPECT_TRUE(books_hold(self, "without the twin"));
	ASSERT_EQ(0, worker_start(&twin, &self->scope.target));
	scope_visit_cpus();
	ASSERT_EQ(0, worker_ask(&twin, WORKER_PAGE_OUT));
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(books_hold(self, "with the twin"));
	EXPECT_EQ(0, worker_stop(&twin));
}

/*
 * The worker asks for each page once to be swapped out (reclaim_pages() of mm/vmscan.c), which
 * is not held off by a limit that is met, as reclaim is. So it is known which are refused.
 */
static bool limit_holds(struct _test_data_swap *self, const struct cgroup *limited, long long max)
{
	long long refused = (self->all - max) / self->page;
	bool held;

	if (cgroup_write_number(limited, "memory.swap.max", max) || page_out(self))
		return false;
	held = books_hold(self, "at the limit");
	held &= law_equal(limited->path, "memory.swap.current at the limit", max, swap_of(limited));
	held &= peak_is(limited, max);
	held &= refused_is(&self->scope, refused);
	/* They have left nothing behind that would be in the way now */
	if (cgroup_write(limited, "memory.swap.max", "max") || page_out(self))
		return false;
	held &= books_hold(self, "without the limit");
	held &= law_equal(limited->path, "memory.swap.current without the limit", self->all,
			  swap_of(limited));
	return held & refused_is(&self->scope, refused);
}

TEST_F_TIMEOUT(swap, max_of_the_payer, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(limit_holds(self, &self->scope.target, MIB + 3 * self->page));
}

TEST_F_TIMEOUT(swap, max_of_an_ancestor, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(limit_holds(self, &self->scope.parent, self->page));
}

TEST_F_TIMEOUT(swap, max_of_nothing, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(limit_holds(self, &self->scope.target, 0));
}

/* get_swappiness() of mm/vmscan.c, for generations: none if less than MIN_LRU_BATCH is left */
#define LRU_BATCH 64

static long long left_alone(const struct _test_data_swap *self)
{
	return lru_generations() & 1 ? (LRU_BATCH - 1) * self->page : 0;
}

/*
 * As much as may be is pushed out, then the kernel memory is refused. How many pages were
 * refused on the way is up to reclaim: it does not begin where there is no room at all
 * (can_reclaim_anon_pages() of mm/vmscan.c), but takes several at a time.
 */
static bool pushed_to_the_limit(struct _test_data_swap *self, const struct cgroup *limited,
				long long max)
{
	const struct scope *scope = &self->scope;
	long long least = max ? max - left_alone(self) : 0;
	long long made, seen;
	bool held;

	if (cgroup_write_number(limited, "memory.swap.max", max))
		return false;
	made = push(self, LIMIT_BYTES);
	if (made < 0)
		return false;
	held = law_at_most(scope->parent.path, "bytes of kernel memory without room",
			   LIMIT_BYTES - 1, made);
	held &= usage_kept_the_limit(self);
	seen = swap_of(limited);
	held &= law_between(limited->path, "memory.swap.current, pushed to the limit", least, max,
			    seen);
	held &= peak_is(limited, seen);
	held &= law_equal(scope->target.path, "fail of memory.swap.events, as max",
			  swap_events(&scope->target, "max"), swap_events(&scope->target, "fail"));
	held &= law_equal(scope->parent.path, "max of memory.swap.events, of all below",
			  swap_events(&scope->target, "max"), swap_events(&scope->parent, "max"));
	if (!max)
		held &= refused_is(scope, 0);
	/* Settling needs some room */
	if (session_free_all(self->fd))
		return false;
	return held & books_hold(self, "pushed to the limit");
}

TEST_F_TIMEOUT(swap, push_to_the_payers_max, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(pushed_to_the_limit(self, &self->scope.target, MIB + 5 * self->page));
}

TEST_F_TIMEOUT(swap, push_to_an_ancestors_max, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(pushed_to_the_limit(self, &self->scope.parent, MIB + 5 * self->page));
}

TEST_F_TIMEOUT(swap, push_where_there_is_none, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(pushed_to_the_limit(self, &self->scope.target, 0));
}

/* Like memory.high: a charge waits, by the same formula, of what is in swap; nothing is refused */
#define HIGH_PARTS 108 /* of what is in swap, 100 are swap.high */

/* A charge above the high of swap, and high of memory.swap.events */
struct swap_wait {
	struct _test_data_swap *self;
	long long high;
	bool counted;     /* as often as it should be, at the target, each time */
	long long events; /* of all attempts */
};

static int charge_above_high(struct delay *delay, void *context)
{
	struct swap_wait *wait = context;
	struct _test_data_swap *self = wait->self;
	const struct cgroup *target = &self->scope.target;
	const struct memstress_info *info = &self->scope.info;
	long long events = swap_events(target, "high");
	int ret = delay_charge(delay, &self->worker, target,
			       1 + __builtin_ctz(info->charge_batch_pages));

	if (ret)
		return ret;
	delay->expected_ns = delay_ns(info, swap_of(target), wait->high, delay->pages);
	events = swap_events(target, "high") - events;
	wait->events += events;
	wait->counted &=
		law_equal(target->path, "high of memory.swap.events",
			  swap_of(target) > wait->high ? delay_rounds(delay->expected_ns) : 0,
			  events);
	return worker_ask(&self->worker, WORKER_FREE);
}

static bool wait_holds(struct _test_data_swap *self, long long high, unsigned int attempts)
{
	const struct cgroup *target = &self->scope.target, *parent = &self->scope.parent;
	struct swap_wait wait = { .self = self, .high = high, .counted = true };
	long long at_parent = swap_events(parent, "high");
	struct delay delay;
	bool held = delay_holds(target->path, &delay, attempts, charge_above_high, &wait);

	return held & wait.counted &
	       law_equal(parent->path, "high of memory.swap.events, of all below", wait.events,
			 swap_events(parent, "high") - at_parent);
}

TEST_F_TIMEOUT(swap, high_makes_wait, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	long long high;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, page_out(self));
	high = swap_of(target) / self->page * 100 / HIGH_PARTS * self->page;
	EXPECT_TRUE(wait_holds(self, LLONG_MAX, DELAY_ATTEMPTS));
	ASSERT_EQ(0, cgroup_write_number(target, "memory.swap.high", high));
	EXPECT_TRUE(wait_holds(self, high, DELAY_ATTEMPTS));
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(wait_holds(self, LLONG_MAX, 1));
	EXPECT_TRUE(refused_is(&self->scope, 0));
	EXPECT_TRUE(law_equal(target->path, "memory.events high", 0,
			      cgroup_read_key(target, "memory.events", "high")));
	/* It limits nothing */
	EXPECT_TRUE(law_equal(target->path, "memory.swap.current above its high", self->all,
			      swap_of(target)));
}

static int remove_payer(struct _test_data_swap *self)
{
	int ret = cgroup_write_number(&self->scope.sibling, "cgroup.procs", self->worker.pid);

	return ret ? ret : cgroup_remove(&self->scope.target);
}

/*
 * Swap of a removed cgroup is still its own, and its ancestors', and so is what is swapped out
 * later. The cgroup is there until the last of it is given back.
 */
TEST_F_TIMEOUT(swap, of_the_dead, TIMEOUT_S)
{
	const struct cgroup *parent = &self->scope.parent;
	long long max = MIB + 3 * self->page;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.swap.max", max));
	ASSERT_EQ(0, page_out(self));
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.swap.max", "max"));
	ASSERT_EQ(0, remove_payer(self));
	EXPECT_TRUE(law_equal(parent->path, "memory.swap.current after the removal", max,
			      swap_of(parent)));
	EXPECT_TRUE(law_equal(parent->path, "dying cgroups, of which one has swap", 1,
			      cgroup_count_dying(&self->scope.top)));

	ASSERT_EQ(0, page_out(self));
	EXPECT_TRUE(law_equal(parent->path, "memory.swap.current, swapped out after the removal",
			      self->all, swap_of(parent)));
	EXPECT_TRUE(law_equal(self->scope.sibling.path, "memory.swap.current", 0,
			      swap_of(&self->scope.sibling)));
	EXPECT_TRUE(law_equal(parent->path, "dying cgroups, of which one has swap", 1,
			      cgroup_count_dying(&self->scope.top)));
	ASSERT_EQ(0, worker_stop(&self->worker));
	ASSERT_EQ(0, swap_settle());
	EXPECT_TRUE(law_equal(parent->path, "memory.swap.current after its process has ended", 0,
			      swap_of(parent)));
	EXPECT_TRUE(law_equal(parent->path, "dying cgroups without swap", 0,
			      scope_no_dying_await(&self->scope)));
}

/*
 * A removed cgroup that has none is charged for none any more, but the nearest ancestor that is
 * alive (mem_cgroup_id_get_online()), and its limit is gone. A worker of the kernel takes it
 * offline; until then, pages are refused.
 */
TEST_F_TIMEOUT(swap, goes_to_the_heir, TIMEOUT_S)
{
	const struct cgroup *parent = &self->scope.parent;
	__u64 deadline;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.swap.max", 0));
	ASSERT_EQ(0, remove_payer(self));
	deadline = clock_deadline_ns(OFFLINE_NS);
	do {
		ASSERT_EQ(0, page_out(self));
	} while (swap_of(parent) != self->all && clock_poll(deadline));
	EXPECT_TRUE(law_equal(parent->path, "memory.swap.current, swapped out after the removal",
			      self->all, swap_of(parent)));
	ASSERT_EQ(0, worker_stop(&self->worker));
	ASSERT_EQ(0, swap_settle());
	EXPECT_TRUE(law_equal(parent->path, "memory.swap.current after its process has ended", 0,
			      swap_of(parent)));
}

static const char *zswap_missing(const struct _test_data_swap *self)
{
	if (self->missing)
		return self->missing;
	if (cgroup_read_number(&self->scope.target, "memory.zswap.max") == -ENOENT)
		return "this kernel has no memory.zswap.max";
	return zswap_switch('Y') ? "zswap cannot be enabled" : NULL;
}

/*
 * obj_cgroup_may_zswap() of mm/memcontrol.c lets in another object, of a page at most, while
 * there is less than the limit. The rest goes where it went without zswap.
 */
static bool zswap_limit_holds(struct _test_data_swap *self, const struct cgroup *limited,
			      long long max)
{
	const struct cgroup *target = &self->scope.target;
	long long current, stored;
	bool held;

	if (cgroup_write_number(limited, "memory.zswap.max", max) || page_out(self))
		return false;
	held = law_equal(target->path, "memory.swap.current, through zswap", self->all,
			 swap_of(target));
	if (scope_flush(&self->scope))
		return false;
	current = cgroup_read_number(limited, "memory.zswap.current");
	stored = cgroup_read_key(limited, "memory.stat", "zswapped");
	fprintf(stderr, "# %lld bytes in %lld of zswap, of %lld\n", stored, current, max);
	held &= law_at_most(limited->path, "memory.zswap.current", max ? max + self->page - 1 : 0,
			    current);
	held &= law_at_least(limited->path, "memory.zswap.current", max ? 1 : 0, current);
	held &= law_at_most(limited->path, "zswapped of memory.stat", max ? self->all : 0, stored);
	held &= refused_is(&self->scope, 0);
	if (worker_give(&self->worker, USER_ANON) || swap_settle())
		return false;
	return held & law_equal(limited->path, "memory.swap.current, given back",
				self->all - USER_BYTES, swap_of(limited));
}

/* What goes into zswap and comes back is counted, and no page of it as written to the disk */
static bool zswap_counts(struct _test_data_swap *self)
{
	const struct cgroup *target = &self->scope.target;
	unsigned long long bytes = USER_BYTES;
	struct snapshot now;
	bool held;

	if (page_out(self) || scope_flush(&self->scope) || snapshot_take(&now, target))
		return false;
	held = law_equal(target->path, "zswapped of memory.stat", self->all,
			 snapshot_value(&now, "zswapped"));
	held &= law_equal(target->path, "zswpout of memory.stat", self->all / self->page,
			  snapshot_value(&now, "zswpout"));
	held &= law_equal(target->path, "zswpin of memory.stat", 0, snapshot_value(&now, "zswpin"));
	if (worker_take(&self->worker, USER_ANON, &bytes) || scope_flush(&self->scope) ||
	    snapshot_take(&now, target))
		return false;
	held &= law_between(target->path, "zswpin of memory.stat, read back",
			    USER_BYTES / self->page, self->all / self->page,
			    snapshot_value(&now, "zswpin"));
	return held & law_equal(target->path, "zswpout of memory.stat, read back",
				self->all / self->page, snapshot_value(&now, "zswpout"));
}

static bool zswap_is_empty(struct _test_data_swap *self)
{
	if (worker_stop(&self->worker) || swap_settle())
		return false;
	return law_equal(self->scope.parent.path, "memory.zswap.current, all given back", 0,
			 cgroup_read_number(&self->scope.parent, "memory.zswap.current")) &
	       law_equal(self->scope.parent.path, "memory.swap.current, all given back", 0,
			 swap_of(&self->scope.parent));
}

TEST_F_TIMEOUT(swap, zswap_is_counted, TIMEOUT_S)
{
	const char *missing = zswap_missing(self);

	if (missing)
		SKIP(return, "%s", missing);
	EXPECT_TRUE(zswap_counts(self));
	EXPECT_TRUE(zswap_is_empty(self));
}

TEST_F_TIMEOUT(swap, zswap_max, TIMEOUT_S)
{
	const char *missing = zswap_missing(self);

	if (missing)
		SKIP(return, "%s", missing);
	EXPECT_TRUE(zswap_limit_holds(self, &self->scope.target, self->page));
	EXPECT_TRUE(zswap_is_empty(self));
}

TEST_F_TIMEOUT(swap, zswap_max_of_an_ancestor, TIMEOUT_S)
{
	const char *missing = zswap_missing(self);

	if (missing)
		SKIP(return, "%s", missing);
	EXPECT_TRUE(zswap_limit_holds(self, &self->scope.parent, 2 * self->page));
	EXPECT_TRUE(zswap_is_empty(self));
}

TEST_F_TIMEOUT(swap, zswap_max_of_nothing, TIMEOUT_S)
{
	const char *missing = zswap_missing(self);

	if (missing)
		SKIP(return, "%s", missing);
	EXPECT_TRUE(zswap_limit_holds(self, &self->scope.target, 0));
	EXPECT_TRUE(zswap_is_empty(self));
}

static long long both_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.memsw.usage_in_bytes");
}

/* On cgroup v1 every charge is made twice, and the second counter has swap besides */
static bool both_hold(struct _test_data_swap *self, const char *when)
{
	struct cgroup *const cgroups[] = { &self->scope.sibling, &self->scope.target,
					   &self->scope.parent };
	struct user_memory_place place;
	struct snapshot now;
	long long cached, swapped;
	bool held = true;
	char what[96];
	unsigned int i;

	scope_visit_cpus();
	if (scope_settle(&self->scope) || swap_settle() || snapshot_take(&now, cgroups[1]) ||
	    user_memory_find(self->worker.pid, &place))
		return false;
	cached = swap_cached(&now);
	fprintf(stderr, "# %s: %lld in memory, %lld in swap, %lld in both\n", when, place.resident,
		place.swapped, cached);
	snprintf(what, sizeof(what), "memsw.usage_in_bytes above usage_in_bytes, %s", when);
	for (i = 0; i < 3; i++) {
		swapped = i ? place.swapped : 0;
		held &= law_between(cgroups[i]->path, what, swapped - (i ? cached : 0), swapped,
				    both_of(cgroups[i]) -
					    cgroup_read_number(cgroups[i], "memory.current"));
	}
	return held;
}

FIXTURE(memsw)
{
	struct _test_data_swap swap;
	const char *missing;
};

FIXTURE_SETUP(memsw)
{
	if (!cgroup_is_v1())
		self->missing = "cgroup v2 does not count memory and swap together";
	else
		ASSERT_EQ(0, set_up(&self->swap));
}

FIXTURE_TEARDOWN(memsw)
{
	if (self->missing)
		return;
	EXPECT_EQ(0, tear_down(&self->swap));
	EXPECT_EMPTY_LEDGER(self->swap.fd);
	EXPECT_EQ(0, close(self->swap.fd));
}

/* Refused by the one counter after the other was charged, or by the other */
TEST_F_TIMEOUT(memsw, survives_refusals, TIMEOUT_S)
{
	struct memstress_alloc alloc;
	long long both;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	both = both_of(&self->swap.scope.sibling);
	EXPECT_TRUE(both_hold(&self->swap, "before"));
	ASSERT_LE(0, push(&self->swap, 0));
	alloc = session_request(MEMSTRESS_KIND_PAGE, 4, 1, self->swap.scope.sibling.fd);
	alloc.policy = MEMSTRESS_POLICY_NOWAIT;
	alloc.max_failures = 99;
	ASSERT_EQ(0, session_alloc(self->swap.fd, &alloc));
	EXPECT_EQ(100, alloc.failures);
	ASSERT_EQ(0, session_free_all(self->swap.fd));
	EXPECT_TRUE(both_hold(&self->swap, "after 100 refusals"));
	EXPECT_TRUE(law_equal(self->swap.scope.sibling.path,
			      "memsw.usage_in_bytes after 100 refusals, freed", both,
			      both_of(&self->swap.scope.sibling)));
}

TEST_F_TIMEOUT(memsw, red_twin, TIMEOUT_S)
{
	struct memstress_alloc twin;
	long long both;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, scope_settle(&self->swap.scope));
	both = both_of(&self->swap.scope.sibling);
	twin = session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->swap.scope.sibling.fd);
	ASSERT_EQ(0, session_alloc(self->swap.fd, &twin));
	ASSERT_EQ(0, scope_settle(&self->swap.scope));
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(law_equal(self->swap.scope.sibling.path, "memsw.usage_in_bytes", both,
			       both_of(&self->swap.scope.sibling)));
	ASSERT_EQ(0, session_free_all(self->swap.fd));
	ASSERT_EQ(0, scope_settle(&self->swap.scope));
	EXPECT_TRUE(law_equal(self->swap.scope.sibling.path, "memsw.usage_in_bytes", both,
			      both_of(&self->swap.scope.sibling)));
}

/* Swap takes nothing of a limit for both: what it gets is not used in memory any more */
TEST_F_TIMEOUT(memsw, is_kept_by_swap, TIMEOUT_S)
{
	const struct cgroup *target = &self->swap.scope.target;
	long long both;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	if (!swap_is_on())
		SKIP(return, "there is no swap");
	EXPECT_TRUE(both_hold(&self->swap, "before"));
	both = both_of(target);
	ASSERT_EQ(0, page_out(&self->swap));
	EXPECT_TRUE(both_hold(&self->swap, "all paged out"));
	EXPECT_TRUE(law_equal(target->path, "memsw.usage_in_bytes, all paged out", both,
			      both_of(target)));
	ASSERT_EQ(0, worker_give(&self->swap.worker, USER_ANON));
	EXPECT_TRUE(both_hold(&self->swap, "given back"));
	EXPECT_TRUE(law_equal(target->path, "memsw.usage_in_bytes, given back", both - USER_BYTES,
			      both_of(target)));
}

/* Where both are limited to as much as memory, swap makes no room, and nothing is swapped */
TEST_F_TIMEOUT(memsw, limit_leaves_no_swap, TIMEOUT_S)
{
	const struct cgroup *parent = &self->swap.scope.parent;
	struct user_memory_place place;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	if (!swap_is_on())
		SKIP(return, "there is no swap");
	ASSERT_EQ(0, cgroup_write_number(parent, "memory.swap.max", 0));
	ASSERT_LE(0, push(&self->swap, LIMIT_BYTES));
	EXPECT_TRUE(law_at_most(parent->path, "memsw.max_usage_in_bytes", LIMIT_BYTES,
				cgroup_read_number(parent, "memory.memsw.max_usage_in_bytes")));
	ASSERT_EQ(0, user_memory_find(self->swap.worker.pid, &place));
	EXPECT_TRUE(law_equal(self->swap.scope.target.path, "bytes in swap", 0, place.swapped));
	ASSERT_EQ(0, session_free_all(self->swap.fd));
	EXPECT_TRUE(both_hold(&self->swap, "pushed to the limit for both"));
}

TEST_HARNESS_MAIN
