// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the peak: memory.peak is the highest that usage has ever been, at the cgroup
 * and each ancestor, and of what was refused it knows no more than the kernel had charged
 * before the refusal. Where it can be reset, each descriptor has a peak of its own.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "books.h"
#include "cpu.h"
#include "fix.h"
#include "headroom.h"
#include "memstress_test.h"

LAW("memory.peak is the highest usage that there was; a descriptor that was reset has its own");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   60

FIXTURE(peak)
{
	struct scope scope;
	int fd;
	long long batch, page; /* pages; bytes */
};

FIXTURE_SETUP(peak)
{
	int cpu = cpu_last_online();

	/* On one CPU, where what is freed is stocked is known */
	ASSERT_LE(0, cpu);
	ASSERT_EQ(0, cpu_run_on(cpu));
	ASSERT_EQ(0, scope_create_alone(&self->scope, "peak", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->batch = self->scope.info.charge_batch_pages;
	self->page = books_page_size();
	ASSERT_EQ(0, scope_settle(&self->scope));
}

FIXTURE_TEARDOWN(peak)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static bool has_peak(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.peak") != -ENOENT;
}

#define TWIN_ORDER 9

#define NO_PEAK  "no memory.peak before 5.19"
#define NO_RESET "memory.peak cannot be reset by descriptor before 6.12, or on cgroup v1"

static long long usage_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.current");
}

static long long peak_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.peak");
}

static long long max_of(long long a, long long b)
{
	return a > b ? a : b;
}

/* Accounted to the target, in a holding of its own; its handle, 0 if it was refused */
static __u32 charge_some(struct _test_data_peak *self, __u32 kind, __u64 size, __u64 count)
{
	struct memstress_alloc alloc = session_request(kind, size, count, self->scope.target.fd);

	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	if (session_alloc(self->fd, &alloc) || alloc.stop != MEMSTRESS_STOP_DONE)
		return 0;
	return alloc.handle;
}

/*
 * While one ALLOC charges, usage only rises (nothing is drained where nothing is refused),
 * so the reading after it is the highest there was. The highest of all such readings is
 * what the peak must be: at the target, and at the parent, whose usage is another.
 */
struct mark {
	long long target, parent;
};

static void raise_mark(struct _test_data_peak *self, struct mark *mark)
{
	mark->target = max_of(mark->target, usage_of(&self->scope.target));
	mark->parent = max_of(mark->parent, usage_of(&self->scope.parent));
}

static bool peak_is(struct _test_data_peak *self, const char *when, const struct mark *mark)
{
	const struct scope *scope = &self->scope;
	char text[96];
	bool held;

	snprintf(text, sizeof(text), "memory.peak, %s", when);
	held = law_equal(scope->target.path, text, mark->target, peak_of(&scope->target));
	return held & law_equal(scope->parent.path, text, mark->parent, peak_of(&scope->parent));
}

TEST_F_TIMEOUT(peak, is_the_highest_usage, TIMEOUT_S)
{
	static const struct {
		__u32 kind;
		__u64 size;
		unsigned int batches; /* of objects, about */
	} steps[] = {
		{ MEMSTRESS_KIND_PAGE, 0, 3 },       { MEMSTRESS_KIND_PAGE, 3, 1 },
		{ MEMSTRESS_KIND_KMALLOC, 100, 99 }, { MEMSTRESS_KIND_KMALLOC, 16384, 1 },
		{ MEMSTRESS_KIND_CACHE, 200, 30 },   { MEMSTRESS_KIND_PERCPU, 64, 9 },
		{ MEMSTRESS_KIND_PAGE, 9, 1 },
	};
	long long sibling;
	struct mark mark;
	unsigned int i;
	__u32 handle;

	if (!has_peak(&self->scope.target))
		SKIP(return, NO_PEAK);
	mark.target = peak_of(&self->scope.target);
	mark.parent = peak_of(&self->scope.parent);
	sibling = peak_of(&self->scope.sibling);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		handle = charge_some(self, steps[i].kind, steps[i].size,
				     steps[i].batches * self->batch);
		ASSERT_NE(0, handle);
		raise_mark(self, &mark);
		EXPECT_TRUE(peak_is(self, "charged", &mark));
		/* Freed, it stays */
		ASSERT_EQ(0, session_free(self->fd, handle, steps[i].batches * self->batch / 2));
		EXPECT_TRUE(peak_is(self, "freed", &mark));
		/* Less again than was freed is no new peak, and stocks are no usage that was not */
		ASSERT_NE(0, charge_some(self, MEMSTRESS_KIND_PAGE, 0, 1));
		raise_mark(self, &mark);
		EXPECT_TRUE(peak_is(self, "charged less again", &mark));
	}
	EXPECT_TRUE(law_equal(self->scope.sibling.path, "memory.peak of the sibling", sibling,
			      peak_of(&self->scope.sibling)));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_TRUE(peak_is(self, "all freed", &mark));
	/* SETTLE takes a page for a moment, far below what there was */
	EXPECT_EQ(0, scope_settle(&self->scope));
	EXPECT_TRUE(peak_is(self, "settled", &mark));
}

/* page_counter_try_charge() takes the watermark when it knows that the charge fits there */
TEST_F_TIMEOUT(peak, knows_nothing_of_a_refusal, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	long long full = 3 * self->batch;
	struct mark mark;
	unsigned int order;

	if (!has_peak(target))
		SKIP(return, NO_PEAK);
	ASSERT_LE(0, headroom_set(&self->scope, target, full));
	ASSERT_EQ(full, headroom_fill(&self->scope, self->fd));
	mark.target = usage_of(target);
	mark.parent = max_of(peak_of(&self->scope.parent), usage_of(&self->scope.parent));
	EXPECT_EQ(cgroup_read_number(target, "memory.max"), mark.target);
	for (order = 0; order < 10; order++) {
		EXPECT_EQ(0, charge_some(self, MEMSTRESS_KIND_PAGE, order, 1));
		EXPECT_TRUE(peak_is(self, "refused by itself", &mark));
	}
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, headroom_lift(&self->scope, target, LIMIT_BYTES));
}

/*
 * Below an ancestor that refuses, usage was for a moment what was asked for: first a whole
 * batch, or the object if it is more (try_charge_memcg()). The ancestor's own peak is its
 * limit.
 */
TEST_F_TIMEOUT(peak, below_a_refusal, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target, *parent = &self->scope.parent;
	long long full = 3 * self->batch;
	struct mark mark;
	unsigned int order;

	if (!has_peak(target))
		SKIP(return, NO_PEAK);
	ASSERT_LE(0, headroom_set(&self->scope, parent, full));
	ASSERT_EQ(full, headroom_fill(&self->scope, self->fd));
	mark.parent = usage_of(parent);
	EXPECT_EQ(cgroup_read_number(parent, "memory.max"), mark.parent);
	for (order = 0; order < 10; order++) {
		EXPECT_EQ(0, charge_some(self, MEMSTRESS_KIND_PAGE, order, 1));
		mark.target = usage_of(target) + max_of(self->batch, 1 << order) * self->page;
		EXPECT_TRUE(peak_is(self, "refused by an ancestor", &mark));
	}
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, headroom_lift(&self->scope, parent, LIMIT_BYTES));
}

/* Charged behind its back, the peak must be more than the law allows */
TEST_F_TIMEOUT(peak, red_twin, TIMEOUT_S)
{
	struct mark mark;

	if (!has_peak(&self->scope.target))
		SKIP(return, NO_PEAK);
	mark.target = peak_of(&self->scope.target);
	mark.parent = peak_of(&self->scope.parent);
	ASSERT_NE(0, charge_some(self, MEMSTRESS_KIND_PAGE, 0, 3 * self->batch));
	raise_mark(self, &mark);
	/* More than a stock may have left, and nobody has read the usage since */
	fprintf(stderr, "# red twin: the law must be broken\n");
	ASSERT_NE(0, charge_some(self, MEMSTRESS_KIND_PAGE, TWIN_ORDER, 1));
	EXPECT_FALSE(peak_is(self, "with a twin", &mark));
	raise_mark(self, &mark);
	EXPECT_TRUE(peak_is(self, "green again", &mark));
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* A descriptor of memory.peak, and what it must tell */
struct watch {
	int fd;
	long long expected;
};

static int watch_open(struct watch *watch, const struct cgroup *cg)
{
	watch->fd = openat(cg->fd, cgroup_file("memory.peak"), O_RDWR | O_CLOEXEC);
	return watch->fd < 0 ? -errno : 0;
}

static long long watch_read(const struct watch *watch)
{
	char text[32];
	ssize_t len = pread(watch->fd, text, sizeof(text) - 1, 0);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	return atoll(text);
}

static int watch_reset(const struct watch *watch)
{
	return pwrite(watch->fd, "0", 1, 0) == 1 ? 0 : -errno;
}

static bool can_reset(const struct cgroup *cg)
{
	struct stat st;

	if (cgroup_is_v1())
		return false;
	return !fstatat(cg->fd, cgroup_file("memory.peak"), &st, 0) && st.st_mode & 0200;
}

static bool watches_hold(const struct cgroup *cg, const char *when, const struct watch *watches,
			 unsigned int count)
{
	bool held = true;
	char text[96];
	unsigned int i;

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%s: memory.peak of descriptor %u", when, i);
		held &= law_equal(cg->path, text, watches[i].expected, watch_read(&watches[i]));
	}
	return held;
}

#define WATCHES 4

/* Usage has been what it is now: for those that were reset, and for those that never were */
static void watches_raise(const struct cgroup *cg, struct watch *watches)
{
	unsigned int i;

	for (i = 0; i < WATCHES; i++)
		watches[i].expected = max_of(watches[i].expected, usage_of(cg));
}

/*
 * peak_write() of mm/memcontrol.c gives the descriptor that is written the usage of this
 * moment; each other one keeps its own. What was never written, and each that is opened
 * later, tells the peak since the cgroup was made. Nothing is drained between the readings,
 * and usage is at its highest since the last reset when the next one comes.
 */
TEST_F_TIMEOUT(peak, resets_per_descriptor, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct watch watches[WATCHES], late;
	unsigned int i, round;
	long long all_time;
	__u32 handle;

	if (!can_reset(target))
		SKIP(return, NO_RESET);
	for (i = 0; i < WATCHES; i++) {
		ASSERT_EQ(0, watch_open(&watches[i], target));
		watches[i].expected = peak_of(target);
	}
	/* Each round charges less than the last one; the last descriptor is never reset */
	for (round = 0; round < 2 * WATCHES; round++) {
		handle = charge_some(self, MEMSTRESS_KIND_PAGE, 0,
				     (3 * WATCHES - round) * self->batch);
		ASSERT_NE(0, handle);
		watches_raise(target, watches);
		EXPECT_TRUE(watches_hold(target, "charged", watches, WATCHES));
		i = round % (WATCHES - 1);
		ASSERT_EQ(0, watch_reset(&watches[i]));
		watches[i].expected = usage_of(target);
		EXPECT_TRUE(watches_hold(target, "reset", watches, WATCHES));
		ASSERT_EQ(0, session_free(self->fd, handle, 0));
		EXPECT_TRUE(watches_hold(target, "freed", watches, WATCHES));
	}
	all_time = watches[WATCHES - 1].expected;
	EXPECT_TRUE(law_equal(target->path, "memory.peak of one that is opened late", all_time,
			      peak_of(target)));
	/* One that goes away takes nobody's peak with it */
	close(watches[0].fd);
	ASSERT_EQ(0, watch_open(&watches[0], target));
	watches[0].expected = all_time;
	EXPECT_TRUE(watches_hold(target, "another closed", watches, WATCHES));
	/* A new highest usage is everybody's */
	ASSERT_NE(0, charge_some(self, MEMSTRESS_KIND_PAGE, 0, 4 * WATCHES * self->batch));
	watches_raise(target, watches);
	EXPECT_LT(all_time, watches[WATCHES - 1].expected);
	EXPECT_TRUE(watches_hold(target, "highest", watches, WATCHES));
	/* No descriptor of another cgroup was reset */
	ASSERT_EQ(0, watch_open(&late, &self->scope.parent));
	late.expected = usage_of(&self->scope.parent);
	EXPECT_TRUE(watches_hold(&self->scope.parent, "of the parent", &late, 1));
	close(late.fd);
	for (i = 0; i < WATCHES; i++)
		close(watches[i].fd);
	EXPECT_EQ(0, session_free_all(self->fd));
}

/*
 * One is reset when usage has come down again: the peak of the other one, which was reset
 * before usage went up, is what it was. peak_write() lowers the watermark that all
 * descriptors share, and hands on to the others the usage of this moment, not the watermark
 * that it takes from them.
 */
TEST_F_TIMEOUT(peak, reset_spares_other_descriptors, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	const char *missing = fix_missing(FIX_PEAK_OF_OTHER_DESCRIPTORS);
	struct watch one, other;
	long long seen, low;
	__u32 handle;

	if (!can_reset(target))
		SKIP(return, NO_RESET);
	ASSERT_EQ(0, watch_open(&one, target));
	ASSERT_EQ(0, watch_open(&other, target));
	ASSERT_EQ(0, watch_reset(&one));
	ASSERT_EQ(0, watch_reset(&other));
	handle = charge_some(self, MEMSTRESS_KIND_PAGE, 0, 3 * self->batch);
	ASSERT_NE(0, handle);
	other.expected = usage_of(target);
	EXPECT_TRUE(watches_hold(target, "charged", &other, 1));
	ASSERT_EQ(0, session_free(self->fd, handle, 0));
	low = usage_of(target);
	ASSERT_LT(low, other.expected);
	ASSERT_EQ(0, watch_reset(&one));
	one.expected = low;
	EXPECT_TRUE(watches_hold(target, "reset", &one, 1));
	seen = watch_read(&other);
	close(one.fd);
	close(other.fd);
	if (seen == low && missing)
		XFAIL(return, "%s", missing);
	EXPECT_TRUE(law_equal(target->path, "memory.peak of a descriptor when another is reset",
			      other.expected, seen));
}

/* mem_cgroup_reset() of cgroup v1: the usage of this moment, at this cgroup alone */
TEST_F_TIMEOUT(peak, resets_for_all_on_v1, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct mark mark;
	__u32 handle;

	if (!cgroup_is_v1())
		SKIP(return, "only cgroup v1 has one peak for all");
	handle = charge_some(self, MEMSTRESS_KIND_PAGE, 0, 3 * self->batch);
	ASSERT_NE(0, handle);
	mark.target = usage_of(target);
	mark.parent = usage_of(&self->scope.parent);
	EXPECT_TRUE(peak_is(self, "charged", &mark));
	ASSERT_EQ(0, session_free(self->fd, handle, 2 * self->batch));
	ASSERT_EQ(0, cgroup_write(target, "memory.peak", "0"));
	mark.target = usage_of(target);
	EXPECT_TRUE(peak_is(self, "reset", &mark));
	ASSERT_NE(0, charge_some(self, MEMSTRESS_KIND_PAGE, 0, self->batch));
	raise_mark(self, &mark);
	EXPECT_TRUE(peak_is(self, "charged again", &mark));
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_HARNESS_MAIN
