// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the squeeze: whoever lowers memory.max or memory.high of a cgroup that has more
 * than that comes back in time, whatever the cgroup has and does, and whoever else writes the
 * same file meanwhile. The limit is in force then, and nobody has died who need not.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "books.h"
#include "crowd.h"
#include "fix.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope_events.h"
#include "worker.h"
#include "writer.h"

LAW("lowering memory.max or memory.high ends in time, and kills only while it is in force");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   180

/* What a cgroup has, and what it may have then */
#define HELD_BYTES (16LL << 20)
#define LOW_BYTES  (8LL << 20)
#define LAZY_BYTES (32LL << 20)

/* A write waits for reclaim and for the death of those it has killed, on a busy machine */
#define WRITE_NS (20 * NS_PER_S)

/* How long a write that does not end is watched where that is known of the kernel */
#define STUCK_NS NS_PER_S

/* Enough for a write to be met while it kills one after the other; else once more */
#define VICTIMS  16U
#define ATTEMPTS 5

/* As many writes as there are in it: of those that lower, few on a busy machine */
#define RACE_NS NS_PER_S

#define RACE_CROWD 8
#define RACE_BYTES 1048576
#define RACE_LOW   4194304
#define RACERS     2
#define ENDLESS    1000000000ULL

FIXTURE(squeeze)
{
	struct scope scope;
	struct crowd crowd;
	struct writer racer[RACERS];
	struct events before[SCOPE_CGROUPS];
	int fd;
};

FIXTURE_SETUP(squeeze)
{
	ASSERT_EQ(0, scope_create(&self->scope, "squeeze", LIMIT_BYTES));
	/* Without swap nothing can be pushed out instead; the file may be missing */
	cgroup_write_number(&self->scope.parent, "memory.swap.max", 0);
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(squeeze)
{
	unsigned int i;

	for (i = 0; i < RACERS; i++)
		EXPECT_EQ(0, writer_kill(&self->racer[i]));
	crowd_kill(&self->crowd);
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

#define V2_ONLY "cgroup v1 refuses a limit below what cannot be reclaimed, and kills nobody for it"
#define V1_ONLY "only cgroup v1 refuses a limit below what cannot be reclaimed"
#define NO_HIGH "cgroup v1 has no memory.high"

static long long usage_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.current");
}

/* From outside, for the target, in a holding that nobody who dies takes with it */
static int hold(struct _test_data_squeeze *self, __u32 kind, __u64 size)
{
	struct memstress_alloc alloc = session_request(kind, size, 1, self->scope.target.fd);
	struct memstress_books one;
	int ret = books_derive_one(&alloc, &one);

	if (ret)
		return ret;
	alloc.count = HELD_BYTES / (one.page_charged_bytes + one.byte_charged_bytes);
	ret = session_alloc(self->fd, &alloc);
	return !ret && alloc.stop != MEMSTRESS_STOP_DONE ? -ENOMEM : ret;
}

/* One write, and what it returned, or -ETIMEDOUT, which is reported */
static int lower(const struct cgroup *cg, const char *file, const char *text, int flags)
{
	__u64 begin = clock_now_ns(), ns;
	struct writer writer;
	int ret = writer_start(&writer, cg, file, text, flags, 1);

	if (ret)
		return ret;
	ret = writer_await(&writer, clock_deadline_ns(WRITE_NS));
	ns = ret == -ETIMEDOUT ? clock_now_ns() - begin : writer.page->slowest_ns;
	fprintf(stderr, "# %s of %s: %s after %llu ms\n", text, file,
		ret ? strerror(-ret) : "written", ns / NS_PER_MS);
	if (ret == -ETIMEDOUT)
		law_at_most(cg->path, "ns that the write took", WRITE_NS, ns);
	writer_kill(&writer);
	return ret;
}

static int lower_to(const struct cgroup *cg, const char *file, long long bytes, int flags)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", bytes);
	return lower(cg, file, text, flags);
}

static bool limit_is(const struct cgroup *cg, const char *file, long long bytes)
{
	return law_equal(cg->path, file, bytes, cgroup_read_number(cg, file));
}

static int lift(struct _test_data_squeeze *self)
{
	int ret = cgroup_write(&self->scope.target, "memory.max", "max");

	return ret ? ret : cgroup_write_number(&self->scope.parent, "memory.max", LIMIT_BYTES);
}

/* Of memory that reclaim can have: nobody dies, and what is left is below the limit at once */
static bool reclaimable_holds(struct _test_data_squeeze *self, const char *file)
{
	const struct cgroup *target = &self->scope.target;
	struct events none[SCOPE_CGROUPS] = { 0 };
	bool held;

	if (crowd_start(&self->crowd, target, 1, CROWD_HOLDS, LAZY_BYTES) ||
	    scope_events_take(&self->scope, self->before))
		return false;
	held = law_at_least(target->path, "memory.current before", LAZY_BYTES, usage_of(target));
	held &= law_equal(target->path, file, 0, lower_to(target, file, LOW_BYTES, 0));
	held &= law_at_most(target->path, "memory.current after the write", LOW_BYTES,
			    usage_of(target));
	held &= limit_is(target, file, LOW_BYTES);
	held &= scope_events_are(&self->scope, "lowered over what can be reclaimed", self->before,
				 none);
	held &= law_equal(target->path, "processes left", 1, crowd_living(&self->crowd));
	return held;
}

TEST_F_TIMEOUT(squeeze, max_over_the_reclaimable, TIMEOUT_S)
{
	EXPECT_TRUE(reclaimable_holds(self, "memory.max"));
}

TEST_F_TIMEOUT(squeeze, high_over_the_reclaimable, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	EXPECT_TRUE(reclaimable_holds(self, "memory.high"));
}

/* memory_high_write() of mm/memcontrol.c gives up when nothing comes; nobody dies of it */
TEST_F_TIMEOUT(squeeze, high_over_the_unreclaimable, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct events none[SCOPE_CGROUPS] = { 0 };
	long long usage;

	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	ASSERT_EQ(0, hold(self, MEMSTRESS_KIND_PAGE, 0));
	ASSERT_EQ(0, crowd_start(&self->crowd, target, 1, CROWD_WAITS, 0));
	ASSERT_EQ(0, scope_settle(&self->scope));
	usage = usage_of(target);
	ASSERT_EQ(0, scope_events_take(&self->scope, self->before));
	EXPECT_EQ(0, lower_to(target, "memory.high", LOW_BYTES, 0));
	EXPECT_TRUE(limit_is(target, "memory.high", LOW_BYTES));
	EXPECT_TRUE(law_equal(target->path, "memory.current above memory.high", usage,
			      usage_of(target)));
	EXPECT_TRUE(scope_events_are(&self->scope, "lowered over what cannot be reclaimed",
				     self->before, none));
	EXPECT_EQ(1, crowd_living(&self->crowd));
	EXPECT_EQ(0, cgroup_write(target, "memory.high", "max"));
	EXPECT_EQ(0, session_free_all(self->fd));
}

/*
 * The write itself counts neither max nor high. memory_max_write() and memory_high_write()
 * have left at once since 6.16 if they were told not to wait: not even stocks are drained.
 */
static bool nonblocking_holds(struct _test_data_squeeze *self, const char *file)
{
	const struct cgroup *target = &self->scope.target;
	struct events none[SCOPE_CGROUPS] = { 0 };
	long long usage;
	bool held;

	if (crowd_start(&self->crowd, target, 1, CROWD_HOLDS, LAZY_BYTES) ||
	    scope_events_take(&self->scope, self->before))
		return false;
	usage = usage_of(target);
	held = law_equal(target->path, file, 0, lower_to(target, file, LOW_BYTES, O_NONBLOCK));
	held &= limit_is(target, file, LOW_BYTES);
	held &= law_equal(target->path, "memory.current after a write that did not wait", usage,
			  usage_of(target));
	held &= scope_events_are(&self->scope, "written with O_NONBLOCK", self->before, none);
	held &= law_equal(target->path, "processes left", 1, crowd_living(&self->crowd));
	/* It is as good a limit as another: whoever asks for it next makes it come true */
	held &= law_equal(target->path, file, 0, lower_to(target, file, LOW_BYTES, 0));
	held &= law_at_most(target->path, "memory.current after a write that waited", LOW_BYTES,
			    usage_of(target));
	return held;
}

TEST_F_TIMEOUT(squeeze, nonblocking, TIMEOUT_S)
{
	if (kernel_before(6, 16))
		SKIP(return, "before 6.16 O_NONBLOCK meant nothing to a limit");
	if (cgroup_is_v1())
		SKIP(return, "O_NONBLOCK means nothing to a limit of cgroup v1");
	EXPECT_TRUE(nonblocking_holds(self, "memory.max"));
	crowd_kill(&self->crowd);
	EXPECT_EQ(0, cgroup_write(&self->scope.target, "memory.max", "max"));
	EXPECT_TRUE(nonblocking_holds(self, "memory.high"));
}

FIXTURE(kernel_memory)
{
	struct _test_data_squeeze squeeze;
	struct scope_snapshot empty;
	struct worker worker;
};

FIXTURE_VARIANT(kernel_memory)
{
	__u32 kind;
	__u64 size; /* or order */
};

#define VARIANT(_name, _kind, _size)                           \
	FIXTURE_VARIANT_ADD(kernel_memory, _name)              \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
	}

VARIANT(page_0, PAGE, 0);
VARIANT(kmalloc_1024, KMALLOC, 1024);
VARIANT(vmalloc_65536, VMALLOC, 65536);
VARIANT(percpu_1024, PERCPU, 1024);

FIXTURE_SETUP(kernel_memory)
{
	squeeze_setup(_metadata, &self->squeeze, NULL);
	ASSERT_EQ(0, scope_baseline(&self->squeeze.scope, &self->empty));
}

FIXTURE_TEARDOWN(kernel_memory)
{
	worker_kill(&self->worker);
	squeeze_teardown(_metadata, &self->squeeze, NULL);
}

/*
 * Of kernel memory of a cgroup in which nobody is: memory_max_write() counts oom when reclaim
 * has found nothing for MAX_RECLAIM_RETRIES times, kills nobody since there is nobody, and is
 * done. @behind: pages charged behind its back
 */
static bool empty_holds(struct _test_data_squeeze *self, unsigned int at, unsigned int behind)
{
	const struct cgroup *limited = scope_cgroup(&self->scope, at);
	struct memstress_alloc page =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	struct memstress_alloc twin = page;
	struct events expected[SCOPE_CGROUPS] = { 0 };
	long long usage;
	bool held;

	if (scope_settle(&self->scope) || scope_events_take(&self->scope, self->before))
		return false;
	usage = usage_of(limited);
	held = law_equal(limited->path, "memory.max", 0,
			 lower_to(limited, "memory.max", LOW_BYTES, 0));
	twin.policy = MEMSTRESS_POLICY_ATOMIC;
	twin.count = behind;
	/* Not red for want of a twin */
	if (behind && (session_alloc(self->fd, &twin) || twin.stop != MEMSTRESS_STOP_DONE))
		return true;
	scope_events_expect(expected, at, EVENT_OOM, 1);
	held &= scope_events_are(&self->scope, "lowered over kernel memory", self->before,
				 expected);
	held &= law_equal(limited->path, "memory.current above memory.max", usage,
			  usage_of(limited));
	held &= limit_is(limited, "memory.max", LOW_BYTES);
	page.policy = MEMSTRESS_POLICY_NORETRY;
	if (session_alloc(self->fd, &page))
		return false;
	held &= law_equal(limited->path, "a charge above the new limit", MEMSTRESS_STOP_FAILED,
			  page.stop);
	return !lift(self) && held;
}

TEST_F_TIMEOUT(kernel_memory, of_an_empty_cgroup, TIMEOUT_S)
{
	struct _test_data_squeeze *squeeze = &self->squeeze;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, hold(squeeze, variant->kind, variant->size));
	EXPECT_TRUE(empty_holds(squeeze, SCOPE_TARGET, 0));
	EXPECT_TRUE(empty_holds(squeeze, SCOPE_PARENT, 0));
	EXPECT_EQ(0, session_free_all(squeeze->fd));
}

/* A page that was forced behind its back */
TEST_F_TIMEOUT(kernel_memory, red_twin, TIMEOUT_S)
{
	struct _test_data_squeeze *squeeze = &self->squeeze;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, hold(squeeze, variant->kind, variant->size));
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(empty_holds(squeeze, SCOPE_TARGET, 1));
	EXPECT_TRUE(empty_holds(squeeze, SCOPE_TARGET, 0));
	EXPECT_EQ(0, session_free_all(squeeze->fd));
}

/*
 * Of what a process has that can be killed: it is, once, and what it had comes back. oom is
 * counted each time that the write looks whether it has come back yet, and max by charges
 * that the dying make.
 */
static bool killed_holds(struct _test_data_kernel_memory *self)
{
	struct _test_data_squeeze *squeeze = &self->squeeze;
	const struct cgroup *target = &squeeze->scope.target;
	struct events expected[SCOPE_CGROUPS] = { 0 }, seen;
	__u64 deadline, begin, waited_ns;
	const struct charge nothing = { 0 };
	struct violation violation;
	int status = 0, ret;
	bool held;

	held = law_equal(target->path, "memory.max", 0,
			 lower_to(target, "memory.max", LOW_BYTES, 0));
	ret = worker_wait(&self->worker, &status);
	held &= law_equal(target->path, "wait status of the one to die", SIGKILL,
			  ret ? ret : status);
	/* The reaper of its mm may have been faster than the end of its session */
	begin = clock_now_ns();
	deadline = clock_deadline_ns(WRITE_NS);
	while (usage_of(target) > LOW_BYTES && clock_poll(deadline))
		;
	fprintf(stderr, "# below the limit %llu ms after that\n",
		(clock_now_ns() - begin) / NS_PER_MS);
	held &= law_at_most(target->path, "memory.current at last", LOW_BYTES, usage_of(target));
	held &= limit_is(target, "memory.max", LOW_BYTES);

	if (events_since(&seen, &squeeze->before[SCOPE_TARGET], target))
		return false;
	held &= law_at_least(target->path, "killed for it: memory.events.local oom", 1,
			     seen.local[EVENT_OOM]);
	fprintf(stderr, "# oom was counted %lld times, max %lld\n", seen.local[EVENT_OOM],
		seen.local[EVENT_MAX]);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM, seen.local[EVENT_OOM]);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_MAX, seen.local[EVENT_MAX]);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM_KILL, 1);
	held &= scope_events_are(&squeeze->scope, "killed for a lower limit", squeeze->before,
				 expected);

	held &= !lift(squeeze);
	ret = scope_law_await(&squeeze->scope, &self->empty, &nothing, BALANCE_HELD, &violation,
			      &waited_ns);
	balance_report("left behind", ret, &violation);
	return held && !ret;
}

TEST_F_TIMEOUT(kernel_memory, of_a_process, TIMEOUT_S)
{
	struct _test_data_squeeze *squeeze = &self->squeeze;
	struct memstress_alloc *alloc;
	struct memstress_books one;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, worker_start(&self->worker, &squeeze->scope.target));
	alloc = &self->worker.page->alloc;
	*alloc = session_request(variant->kind, variant->size, 1, MEMSTRESS_PAYER_CALLER);
	ASSERT_EQ(0, books_derive_one(alloc, &one));
	alloc->count = HELD_BYTES / (one.page_charged_bytes + one.byte_charged_bytes);
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	ASSERT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	ASSERT_EQ(0, scope_events_take(&squeeze->scope, squeeze->before));
	EXPECT_TRUE(killed_holds(self));
}

/* The same while it goes on taking more */
TEST_F_TIMEOUT(kernel_memory, of_a_process_that_takes_more, TIMEOUT_S)
{
	struct _test_data_squeeze *squeeze = &self->squeeze;
	__u64 deadline = clock_deadline_ns(WRITE_NS);

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, worker_start(&self->worker, &squeeze->scope.target));
	ASSERT_EQ(0, scope_events_take(&squeeze->scope, squeeze->before));
	self->worker.page->alloc =
		session_request(variant->kind, variant->size, ENDLESS, MEMSTRESS_PAYER_CALLER);
	worker_tell(&self->worker, WORKER_ALLOC);
	while (usage_of(&squeeze->scope.target) < HELD_BYTES)
		ASSERT_TRUE(clock_poll(deadline));
	EXPECT_TRUE(killed_holds(self));
}

/*
 * What nobody's death gives back: the write kills one after the other, as long as there is
 * anybody, and is done.
 */
TEST_F_TIMEOUT(squeeze, kills_all_in_vain, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct events expected[SCOPE_CGROUPS] = { 0 }, seen;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, hold(self, MEMSTRESS_KIND_PAGE, 0));
	ASSERT_EQ(0, crowd_start(&self->crowd, target, VICTIMS, CROWD_WAITS, 0));
	ASSERT_EQ(0, scope_events_take(&self->scope, self->before));
	EXPECT_EQ(0, lower_to(target, "memory.max", LOW_BYTES, 0));
	EXPECT_EQ(0, crowd_await(&self->crowd, clock_deadline_ns(WRITE_NS)));
	EXPECT_EQ(VICTIMS, self->crowd.killed);
	ASSERT_EQ(0, events_since(&seen, &self->before[SCOPE_TARGET], target));
	/* Once for each of them, and once more when nobody was left */
	EXPECT_TRUE(law_at_least(target->path, "all killed: memory.events.local oom", VICTIMS + 1,
				 seen.local[EVENT_OOM]));
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM, seen.local[EVENT_OOM]);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_MAX, seen.local[EVENT_MAX]);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM_KILL, VICTIMS);
	EXPECT_TRUE(scope_events_are(&self->scope, "all killed", self->before, expected));
	EXPECT_TRUE(limit_is(target, "memory.max", LOW_BYTES));
	EXPECT_EQ(0, lift(self));
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* What becomes of a write that kills one after the other, when something comes between */
struct outcome {
	struct events since;  /* it came: those that the write did not do without */
	long long all_killed; /* in all */
	int error;            /* of the write; -ETIMEDOUT: it did not end */
	int status;           /* of the writer */
	long long limit;
	__u64 ns;
};

/* What comes between: a signal for the writer, or another write */
struct interruption {
	int signal;
	const char *text;
};

/* Behind the back of the law */
static int charge_twins(struct _test_data_squeeze *self, unsigned int twins)
{
	struct memstress_alloc twin =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	int ret = 0;

	if (twins)
		ret = cgroup_write_number(&self->scope.sibling, "memory.max", 0);
	twin.payer_fd = self->scope.sibling.fd;
	while (twins-- && !ret)
		ret = session_alloc(self->fd, &twin);
	return ret;
}

/*
 * memory.events of the parent, where the twins' are counted, too. What is counted before it
 * is read is not held against the write, which makes it look better and never worse.
 */
static int interrupt(struct _test_data_squeeze *self, const struct interruption *how,
		     unsigned int twins, struct outcome *outcome)
{
	const struct cgroup *target = &self->scope.target, *parent = &self->scope.parent;
	struct writer *writer = &self->racer[0];
	__u64 deadline = clock_deadline_ns(WRITE_NS), begin, stuck;
	struct events then;
	int ret = 0;

	while (!cgroup_read_key(target, "memory.events", "oom_kill") && !writer_has_ended(writer))
		if (clock_now_ns() >= deadline)
			return -ETIMEDOUT;
	begin = clock_now_ns();
	deadline = clock_deadline_ns(WRITE_NS);
	stuck = clock_deadline_ns(STUCK_NS);
	if (how->signal && !writer_has_ended(writer))
		ret = kill(writer->pid, how->signal) ? -errno : 0;
	if (how->text)
		ret = cgroup_write(target, "memory.max", how->text);
	if (!ret)
		ret = events_take(&then, parent);
	if (!ret)
		ret = charge_twins(self, twins);
	while (!ret && !writer_has_ended(writer)) {
		ret = events_since(&outcome->since, &then, parent);
		if (outcome->since.tree[EVENT_OOM] > 1 && clock_now_ns() >= stuck)
			break;
		if (!clock_poll(deadline))
			break;
	}
	if (!ret)
		ret = events_since(&outcome->since, &then, parent);
	outcome->ns = clock_now_ns() - begin;
	outcome->error = writer_await(writer, 0);
	outcome->status = writer->status;
	outcome->limit = cgroup_read_number(target, "memory.max");
	return ret ? ret : writer_kill(writer);
}

/* Once; false in @met if the write had killed everybody before anything came between */
static int interrupt_once(struct _test_data_squeeze *self, const struct interruption *how,
			  unsigned int twins, struct outcome *outcome, bool *met)
{
	const struct cgroup *target = &self->scope.target;
	__u64 deadline = clock_deadline_ns(WRITE_NS);
	char low[32];
	int ret;

	snprintf(low, sizeof(low), "%lld", LOW_BYTES);
	ret = hold(self, MEMSTRESS_KIND_PAGE, 0);
	if (!ret)
		ret = crowd_start(&self->crowd, target, VICTIMS, CROWD_WAITS, 0);
	if (!ret)
		ret = writer_start(&self->racer[0], target, "memory.max", low, 0, 1);
	if (!ret)
		ret = interrupt(self, how, twins, outcome);
	/* All who were chosen are dead soon; each has been counted */
	while (!ret) {
		outcome->all_killed = cgroup_read_key(target, "memory.events", "oom_kill");
		if (crowd_living(&self->crowd) == VICTIMS - outcome->all_killed)
			break;
		if (!clock_poll(deadline)) {
			law_report(target->path, "dead of those that oom_kill counts",
				   outcome->all_killed, self->crowd.ended);
			ret = -ETIMEDOUT;
		}
	}
	*met = outcome->all_killed < VICTIMS;
	crowd_kill(&self->crowd);
	lift(self);
	session_free_all(self->fd);
	return ret;
}

static int interrupt_until_met(struct __test_metadata *_metadata, struct _test_data_squeeze *self,
			       const struct interruption *how, unsigned int twins,
			       struct outcome *outcome)
{
	unsigned int attempts = 0;
	bool met;
	int ret;

	do {
		/* A cgroup that has counted nothing yet */
		if (attempts) {
			squeeze_teardown(_metadata, self, NULL);
			squeeze_setup(_metadata, self, NULL);
		}
		memset(outcome, 0, sizeof(*outcome));
		ret = interrupt_once(self, how, twins, outcome, &met);
	} while (!ret && !met && ++attempts < ATTEMPTS);
	fprintf(stderr, "# ended %llu ms later: killed %lld of %u, oom %lld, oom_kill %lld more\n",
		outcome->ns / NS_PER_MS, outcome->all_killed, VICTIMS,
		outcome->since.tree[EVENT_OOM], outcome->since.tree[EVENT_OOM_KILL]);
	return !ret && !met ? -EAGAIN : ret;
}

/*
 * memory_max_write() looks at the beginning of each round whether a signal is pending and
 * whether its limit is still the one that is set: so it ends with the round that it is in, and
 * counts and kills no more than once in that.
 */
static bool outcome_holds(const struct scope *scope, const struct outcome *outcome, int error,
			  int status, long long limit)
{
	const char *path = scope->target.path;
	bool held;

	held = law_equal(path, "what the write returned", error, outcome->error);
	held &= law_equal(path, "wait status of the writer", status, outcome->status);
	held &= law_at_most(path, "the write was to end: memory.events oom since", 1,
			    outcome->since.tree[EVENT_OOM]);
	held &= law_at_most(path, "the write was to end: memory.events oom_kill since", 1,
			    outcome->since.tree[EVENT_OOM_KILL]);
	held &= law_equal(path, "memory.max", limit, outcome->limit);
	return held;
}

/* The limit is in force all the same: it had been set before anybody was killed for it */
TEST_F_TIMEOUT(squeeze, ends_by_a_signal, TIMEOUT_S)
{
	const struct interruption signal = { .signal = WRITER_SIGNAL };
	struct outcome outcome;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, interrupt_until_met(_metadata, self, &signal, 0, &outcome));
	EXPECT_TRUE(outcome_holds(&self->scope, &outcome, 0, 0, LOW_BYTES));
}

TEST_F_TIMEOUT(squeeze, ends_with_the_writer, TIMEOUT_S)
{
	const struct interruption signal = { .signal = SIGKILL };
	struct outcome outcome;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, interrupt_until_met(_metadata, self, &signal, 0, &outcome));
	EXPECT_TRUE(outcome_holds(&self->scope, &outcome, -ESRCH, SIGKILL, LOW_BYTES));
}

/*
 * The one that is raised above what is used has no use for anybody's death: whoever goes on
 * for the limit before it finds room, kills nobody, and never gets down to its own.
 */
TEST_F_TIMEOUT(squeeze, ends_when_it_is_superseded, TIMEOUT_S)
{
	const struct interruption raised = { .text = "max" };
	const char *missing = fix_missing(FIX_SUPERSEDED_LIMIT);
	struct outcome outcome;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	ASSERT_EQ(0, interrupt_until_met(_metadata, self, &raised, 0, &outcome));
	if (outcome.error == -ETIMEDOUT && missing)
		XFAIL(return, "%s", missing);
	EXPECT_TRUE(outcome_holds(&self->scope, &outcome, 0, 0, LLONG_MAX));
}

/* Two that meet the killer somewhere else, and are counted where the law looks */
TEST_F_TIMEOUT(squeeze, red_twin, TIMEOUT_S)
{
	const struct interruption signal = { .signal = WRITER_SIGNAL };
	struct outcome outcome;

	if (cgroup_is_v1())
		SKIP(return, V2_ONLY);
	fprintf(stderr, "# red twin: the law must be broken\n");
	ASSERT_EQ(0, interrupt_until_met(_metadata, self, &signal, 2, &outcome));
	EXPECT_FALSE(outcome_holds(&self->scope, &outcome, 0, 0, LOW_BYTES));
	EXPECT_LT(1, outcome.since.tree[EVENT_OOM]);
}

/*
 * Two writers, the one of whom lowers what the other one raises, while processes inside take
 * memory that can be reclaimed. Each write ends; and everybody who dies has been counted.
 *
 * On cgroup v1 they only have such memory: there no limit is in force before usage is below
 * it, reclaim goes page by page, and who takes more meanwhile can make that last for ever
 * (see interrupted_on_v1).
 */
static bool race_holds(struct _test_data_squeeze *self, const char *file, __u64 patience_ns,
		       bool *ended)
{
	const struct cgroup *target = &self->scope.target;
	__u64 deadline = clock_deadline_ns(RACE_NS);
	enum crowd_does does = cgroup_is_v1() ? CROWD_HOLDS : CROWD_CHURNS;
	struct writer *racer = self->racer;
	long long killed = 0;
	struct events seen;
	unsigned int i;
	char low[32];
	bool held = true;

	snprintf(low, sizeof(low), "%d", RACE_LOW);
	if (crowd_start(&self->crowd, target, RACE_CROWD, does, RACE_BYTES) ||
	    scope_events_take(&self->scope, self->before) ||
	    writer_start(&racer[0], target, file, low, 0, -1) ||
	    writer_start(&racer[1], target, file, cgroup_is_v1() ? "-1" : "max", 0, -1))
		return false;
	while (clock_poll(deadline))
		;
	for (i = 0; i < RACERS; i++)
		racer[i].page->stop = true;
	deadline = clock_deadline_ns(patience_ns);
	*ended = true;
	for (i = 0; i < RACERS; i++) {
		*ended &= writer_await(&racer[i], deadline) != -ETIMEDOUT;
		fprintf(stderr, "# %s: %u writes, %u refused, the slowest took %llu ms\n", file,
			racer[i].page->writes, racer[i].page->refused,
			racer[i].page->slowest_ns / NS_PER_MS);
	}
	if (!*ended)
		return false;
	for (i = 0; i < RACERS; i++)
		held &= law_at_most(target->path, "ns that the slowest write took",
				    WRITE_NS * clock_slowness(), racer[i].page->slowest_ns);
	if (cgroup_write(target, file, "max"))
		return false;
	deadline = clock_deadline_ns(WRITE_NS);
	do {
		killed = RACE_CROWD - crowd_living(&self->crowd);
		if (events_since(&seen, &self->before[SCOPE_TARGET], target))
			return false;
	} while (killed != seen.tree[EVENT_OOM_KILL] && clock_poll(deadline));
	fprintf(stderr, "# %lld were killed, oom was counted %lld times\n", killed,
		seen.tree[EVENT_OOM]);
	held &= law_equal(target->path, "dead after the race", seen.tree[EVENT_OOM_KILL], killed);
	/* memory.high kills nobody */
	if (!strcmp(file, "memory.high"))
		held &= law_equal(target->path, "after the race: memory.events oom", 0,
				  seen.tree[EVENT_OOM]);
	return held;
}

/* The fix is for what cgroup v1 never did */
static const char *missing_for_race(void)
{
	return cgroup_is_v1() ? NULL : fix_missing(FIX_SUPERSEDED_LIMIT);
}

TEST_F_TIMEOUT(squeeze, race_for_max, TIMEOUT_S)
{
	const char *missing = missing_for_race();
	bool ended = true, held;

	held = race_holds(self, "memory.max", missing ? STUCK_NS : WRITE_NS, &ended);
	if (!ended && missing)
		XFAIL(return, "%s", missing);
	EXPECT_TRUE(ended);
	EXPECT_TRUE(held);
}

TEST_F_TIMEOUT(squeeze, race_for_high, TIMEOUT_S)
{
	const char *missing = missing_for_race();
	bool ended = true, held;

	if (cgroup_is_v1())
		SKIP(return, NO_HIGH);
	held = race_holds(self, "memory.high", missing ? STUCK_NS : WRITE_NS, &ended);
	if (!ended && missing)
		XFAIL(return, "%s", missing);
	EXPECT_TRUE(ended);
	EXPECT_TRUE(held);
}

/*
 * mem_cgroup_resize_max() of cgroup v1 sets no limit below the usage. It reclaims as long as
 * there is progress; then it is EBUSY, nothing has changed, and nobody has died. @behind: pages
 * charged behind its back
 */
static bool refusal_holds(struct _test_data_squeeze *self, unsigned int behind)
{
	const struct cgroup *target = &self->scope.target;
	struct memstress_alloc twin = session_request(MEMSTRESS_KIND_PAGE, 0, behind, target->fd);
	long long max = cgroup_read_number(target, "memory.max"), usage;
	struct events none[SCOPE_CGROUPS] = { 0 };
	bool held;

	if (scope_settle(&self->scope) || scope_events_take(&self->scope, self->before))
		return false;
	usage = usage_of(target);
	held = law_equal(target->path, "a limit that is too low", -EBUSY,
			 lower_to(target, "memory.max", LOW_BYTES, 0));
	/* Not red for want of a twin */
	if (behind && (session_alloc(self->fd, &twin) || twin.stop != MEMSTRESS_STOP_DONE))
		return true;
	held &= limit_is(target, "memory.max", max);
	held &= law_equal(target->path, "memory.usage_in_bytes after a limit was refused", usage,
			  usage_of(target));
	held &= scope_events_are(&self->scope, "refused", self->before, none);
	held &= law_equal(target->path, "processes left", 1, crowd_living(&self->crowd));
	return held;
}

TEST_F_TIMEOUT(squeeze, is_refused_on_v1, TIMEOUT_S)
{
	if (!cgroup_is_v1())
		SKIP(return, V1_ONLY);
	ASSERT_EQ(0, hold(self, MEMSTRESS_KIND_PAGE, 0));
	ASSERT_EQ(0, crowd_start(&self->crowd, &self->scope.target, 1, CROWD_WAITS, 0));
	EXPECT_TRUE(refusal_holds(self, 0));
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(refusal_holds(self, 1));
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* Whatever progress there is, a signal ends it, and no limit has been set */
TEST_F_TIMEOUT(squeeze, interrupted_on_v1, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	long long max = cgroup_read_number(target, "memory.max");
	struct writer *writer = &self->racer[0];
	unsigned int attempts = 0;
	struct events seen;
	__u64 begin, deadline;
	int ret;

	if (!cgroup_is_v1())
		SKIP(return, V1_ONLY);
	ASSERT_EQ(0, hold(self, MEMSTRESS_KIND_PAGE, 0));
	ASSERT_EQ(0, crowd_start(&self->crowd, target, RACE_CROWD, CROWD_CHURNS, RACE_BYTES));
	ASSERT_EQ(0, scope_events_take(&self->scope, self->before));
	do {
		ASSERT_EQ(0, writer_kill(writer));
		ASSERT_EQ(0, writer_start(writer, target, "memory.max", "8388608", 0, 1));
		deadline = clock_deadline_ns(WRITE_NS);
		while (!writer->page->writing && clock_poll(deadline))
			;
		begin = clock_now_ns();
		/* Again, if it had only been about to write. It may end by itself, refused */
		while (!writer_has_ended(writer) && clock_poll(deadline))
			ASSERT_EQ(0, kill(writer->pid, WRITER_SIGNAL));
		ret = writer_await(writer, deadline);
	} while (ret == -EBUSY && ++attempts < ATTEMPTS);
	fprintf(stderr, "# ended by a signal after %llu ms, in attempt %u\n",
		(clock_now_ns() - begin) / NS_PER_MS, attempts + 1);
	EXPECT_TRUE(law_equal(target->path, "a write that a signal ended", -EINTR, ret));
	EXPECT_TRUE(limit_is(target, "memory.max", max));
	ASSERT_EQ(0, events_since(&seen, &self->before[SCOPE_TARGET], target));
	EXPECT_TRUE(law_equal(target->path, "oom_kill", 0, seen.tree[EVENT_OOM_KILL]));
	EXPECT_EQ(RACE_CROWD, crowd_living(&self->crowd));
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* mem_cgroup_force_empty() takes what can be reclaimed, and leaves the rest in peace */
TEST_F_TIMEOUT(squeeze, forces_empty_on_v1, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct events none[SCOPE_CGROUPS] = { 0 };
	long long usage;

	if (!cgroup_is_v1())
		SKIP(return, V1_ONLY);
	ASSERT_EQ(0, crowd_start(&self->crowd, target, 1, CROWD_HOLDS, LAZY_BYTES));
	ASSERT_EQ(0, hold(self, MEMSTRESS_KIND_PAGE, 0));
	usage = usage_of(target);
	ASSERT_EQ(0, scope_events_take(&self->scope, self->before));
	EXPECT_EQ(0, lower(target, "memory.force_empty", "0", 0));
	EXPECT_TRUE(law_at_most(target->path, "memory.usage_in_bytes after memory.force_empty",
				usage - LAZY_BYTES, usage_of(target)));
	EXPECT_TRUE(law_at_least(target->path, "memory.usage_in_bytes after memory.force_empty",
				 HELD_BYTES, usage_of(target)));
	EXPECT_TRUE(scope_events_are(&self->scope, "emptied", self->before, none));
	EXPECT_EQ(1, crowd_living(&self->crowd));
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_HARNESS_MAIN
