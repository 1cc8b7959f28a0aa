// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the limit: at memory.max a charge is refused, forced, or somebody is killed
 * for it, as its policy says, and each time the same is counted, where it belongs. What
 * usage has been is judged by memory.peak, which misses nothing.
 */
#include <signal.h>
#include <sys/wait.h>

#include "books.h"
#include "cpu.h"
#include "fix.h"
#include "headroom.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope_events.h"
#include "worker.h"

LAW("usage passes memory.max only as the policy allows, and memory.events tell what came of it");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

/* More than any object passes a limit by, even with its red twin */
#define STEP_PAGES 32

/* MAX_RECLAIM_RETRIES of mm/memcontrol.c; one round comes before, and one after draining */
#define RECLAIM_ROUNDS (1 + 1 + 16)

/* How often a kernel is asked that may be disturbed */
#define TRIES 8

/* PAGE_ALLOC_COSTLY_ORDER of include/linux/mmzone.h */
#define COSTLY_ORDER 3

FIXTURE(limit)
{
	struct scope scope;
	unsigned int attempts;
	int fd;
};

FIXTURE_VARIANT(limit)
{
	__u32 kind;
	__u64 size; /* or order */
};

#define VARIANT(_name, _kind, _size)                           \
	FIXTURE_VARIANT_ADD(limit, _name)                      \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
	}

VARIANT(page_0, PAGE, 0);
VARIANT(page_3, PAGE, 3);
VARIANT(page_4, PAGE, COSTLY_ORDER + 1);
VARIANT(kmalloc_64, KMALLOC, 64);
VARIANT(kmalloc_16384, KMALLOC, 16384);
VARIANT(cache_200, CACHE, 200);
VARIANT(vmalloc_4096, VMALLOC, 4096);
VARIANT(percpu_64, PERCPU, 64);

FIXTURE_SETUP(limit)
{
	struct memstress_alloc alloc;
	int cpu = cpu_last_online();

	/* Else a stock of another CPU might have what this one is refused */
	ASSERT_LE(0, cpu);
	ASSERT_EQ(0, cpu_run_on(cpu));
	ASSERT_EQ(0, scope_create_alone(&self->scope, "limit", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
}

FIXTURE_TEARDOWN(limit)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* mem_cgroup_oom_notify() of cgroup v1 tells all that are below, too */
static void expect_oom(struct events *expected, unsigned int at, long long count)
{
	scope_events_expect(expected, at, EVENT_OOM, count);
	if (at == SCOPE_PARENT && cgroup_is_v1()) {
		scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM, count);
		scope_events_expect(expected, SCOPE_SIBLING, EVENT_OOM, count);
	}
}

/* Before 5.19 cgroup v2 had no memory.peak */
static bool has_peak(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.peak") != -ENOENT;
}

/* What a policy comes to at a full limit below which nobody can be killed */
struct verdict {
	bool made;
	bool counted; /* max is known; FIX_MAX_EVENT_OF_REFUSALS decides for NOWAIT */
	long long max, oom;
};

/*
 * try_charge_memcg() of mm/memcontrol.c, in its order: who may not block fails at once, or
 * is forced if its GFP flags have __GFP_HIGH; each round of reclaim counts max; __GFP_NORETRY
 * gives up after the round that follows draining, all others try on as often as there are
 * retries; __GFP_RETRY_MAYFAIL gives up then, and so does a costly order; the OOM killer
 * finds nobody, and what has __GFP_NOFAIL is forced.
 *
 * 5.10 forced a charge without counting max, and __GFP_NOFAIL before it called the killer.
 */
static struct verdict derive_v2(__u32 policy, unsigned int order)
{
	bool old = kernel_before(5, 16);
	struct verdict verdict = { .counted = true };

	switch (policy) {
	case MEMSTRESS_POLICY_NOWAIT:
	case MEMSTRESS_POLICY_NOLOCK:
		verdict.counted = !fix_missing(FIX_MAX_EVENT_OF_REFUSALS);
		verdict.max = 1;
		break;
	case MEMSTRESS_POLICY_ATOMIC:
		verdict.made = true;
		verdict.max = !old;
		break;
	case MEMSTRESS_POLICY_NORETRY:
		verdict.max = 2;
		break;
	case MEMSTRESS_POLICY_RETRY_MAYFAIL:
		verdict.max = RECLAIM_ROUNDS;
		break;
	case MEMSTRESS_POLICY_NOFAIL:
		verdict.made = true;
		verdict.max = RECLAIM_ROUNDS;
		verdict.oom = !old;
		break;
	default:
		verdict.max = RECLAIM_ROUNDS;
		verdict.oom = order <= COSTLY_ORDER;
	}
	return verdict;
}

/*
 * On cgroup v1 it is memory.failcnt that is counted, by page_counter_try_charge(): each
 * round once, and once more in the first one, for the batch that was tried before.
 */
static struct verdict derive(__u32 policy, unsigned int order)
{
	struct verdict verdict = derive_v2(policy, order);

	if (!cgroup_is_v1())
		return verdict;
	verdict.counted = true;
	if (policy == MEMSTRESS_POLICY_ATOMIC)
		verdict.max = 1;
	/* Who may not take a lock asks for no more than is needed */
	if (policy != MEMSTRESS_POLICY_NOLOCK)
		verdict.max++;
	return verdict;
}

/*
 * How often one object is tried: since 5.14 vmalloc() asks first for many pages at once,
 * which for what is charged means for one, and if it gets none then for a single one
 * (vm_area_alloc_pages() of mm/vmalloc.c and alloc_pages_bulk_noprof() of mm/page_alloc.c).
 */
static unsigned int attempts(__u32 kind)
{
	return kind == MEMSTRESS_KIND_VMALLOC && !kernel_before(5, 14) ? 2 : 1;
}

/*
 * What is charged before an attempt: some batches and a part of one; more each time, as
 * memory.peak tells only what is higher than all before.
 */
static long long next_full(struct _test_data_limit *self)
{
	return 3 * self->scope.info.charge_batch_pages + 8 + STEP_PAGES * self->attempts++;
}

/* What one object takes of a limit when nothing of the kind is left over */
static long long charge_of(const struct memstress_alloc *alloc)
{
	struct charge charge = { 0 };
	struct memstress_books one;

	if (books_derive_one(alloc, &one))
		return -1;
	charge_add(&charge, alloc->kind, &one);
	return charge_usage(&charge);
}

/*
 * Before 6.4 slabs that an interrupt frees during a round of reclaim, anybody's, count for
 * what that has reclaimed, and one more round is tried (reclaim_state of mm/vmscan.c; "mm:
 * vmscan: ignore non-LRU-based reclaim in memcg reclaim"). That makes more of them, never
 * fewer; so whoever sees more tries once more.
 */
static bool was_disturbed(const struct cgroup *limited, const struct events *before,
			  const struct verdict *verdict)
{
	struct events seen;

	return kernel_before(6, 4) && verdict->max >= RECLAIM_ROUNDS &&
	       !events_since(&seen, before, limited) && seen.local[EVENT_MAX] > verdict->max;
}

/*
 * One object of a policy, foreign to the cgroup, at a limit that is full to the last page.
 * @behind: pages charged behind its back, by force.
 */
static bool verdict_holds(struct _test_data_limit *self, enum scope_cgroup at,
			  const struct memstress_alloc *request, const struct verdict *verdict,
			  unsigned int behind)
{
	const struct cgroup *limited = scope_cgroup(&self->scope, at);
	struct memstress_alloc twin =
		session_request(MEMSTRESS_KIND_PAGE, 0, behind, self->scope.target.fd);
	struct events before[SCOPE_CGROUPS], expected[SCOPE_CGROUPS] = { 0 };
	long long passed = verdict->made ? charge_of(request) : 0;
	unsigned int tries = TRIES;
	struct memstress_alloc alloc;
	long long full, filled, usage, max;
	bool held, again;
	char what[64];

	snprintf(what, sizeof(what), "%s, policy %s", session_kind_name(request->kind),
		 session_policy_name(request->policy));
	twin.policy = MEMSTRESS_POLICY_ATOMIC;
	do {
		full = next_full(self);
		usage = headroom_set(&self->scope, limited, full);
		if (usage < 0)
			return false;
		filled = headroom_fill(&self->scope, self->fd);
		alloc = *request;
		if (scope_events_take(&self->scope, before) || session_alloc(self->fd, &alloc))
			return false;
		again = --tries && was_disturbed(limited, &before[at], verdict);
		if (again && (session_free_all(self->fd) ||
			      headroom_lift(&self->scope, limited, LIMIT_BYTES)))
			return false;
	} while (again);
	if (behind && session_alloc(self->fd, &twin))
		return false;

	max = usage + full * books_page_size();
	held = law_equal(limited->path, "pages until the limit is full", full, filled);
	held &= law_equal(limited->path, what,
			  verdict->made ? MEMSTRESS_STOP_DONE : MEMSTRESS_STOP_FAILED, alloc.stop);
	held &= law_equal(limited->path, "objects refused", !verdict->made, alloc.failures);
	scope_events_expect(expected, at, EVENT_MAX, verdict->max);
	expect_oom(expected, at, verdict->oom);
	if (verdict->counted)
		held &= scope_events_are(&self->scope, what, before, expected);
	held &= law_equal(limited->path, "memory.current above the limit", passed,
			  cgroup_read_number(limited, "memory.current") - max);
	if (has_peak(limited))
		held &= law_equal(limited->path, "memory.peak above the limit", passed,
				  cgroup_read_number(limited, "memory.peak") - max);
	return !session_free_all(self->fd) && !headroom_lift(&self->scope, limited, LIMIT_BYTES) &&
	       held;
}

/*
 * Whether a policy of the kind comes to one verdict. An area of percpu memory may be refused
 * to who cannot wait for one to be made, charged or not. What vmalloc() makes of
 * __GFP_NOFAIL changed with each kernel.
 */
static bool can_tell(struct _test_data_limit *self, __u32 kind, __u32 policy)
{
	struct memstress_info info;

	if (kind == MEMSTRESS_KIND_PERCPU && policy == MEMSTRESS_POLICY_ATOMIC)
		return false;
	if (kind == MEMSTRESS_KIND_VMALLOC && policy == MEMSTRESS_POLICY_NOFAIL)
		return false;
	return !session_info(self->fd, kind, &info) && info.kind_policies & 1ULL << policy;
}

/*
 * The module does not ask the kernel for what it would warn of, nor whoever takes no lock for
 * what there is no such allocator for: no costly order, no kmalloc() above its largest cache.
 */
static bool is_asked_for(const struct memstress_alloc *alloc)
{
	long long two_pages = 2 * books_page_size();

	if (alloc->policy == MEMSTRESS_POLICY_NOFAIL)
		return charge_of(alloc) <= two_pages;
	if (alloc->policy == MEMSTRESS_POLICY_NOLOCK)
		return alloc->order <= COSTLY_ORDER && (long long)alloc->object_size <= two_pages;
	return true;
}

static bool verdicts_hold(struct _test_data_limit *self, unsigned int at, __u32 kind, __u64 size,
			  __u64 policies)
{
	struct memstress_alloc alloc;
	struct verdict verdict;
	bool held = true;
	__u32 policy;

	for (policy = 0; policy < MEMSTRESS_POLICY_END; policy++) {
		if (!(policies & 1ULL << policy) || !can_tell(self, kind, policy))
			continue;
		alloc = session_request(kind, size, 1, self->scope.target.fd);
		alloc.policy = policy;
		if (!is_asked_for(&alloc))
			continue;
		verdict = derive(policy, alloc.order);
		verdict.max *= attempts(kind);
		verdict.oom *= attempts(kind);
		held &= verdict_holds(self, at, &alloc, &verdict, 0);
	}
	return held;
}

TEST_F_TIMEOUT(limit, of_the_payer, TIMEOUT_S)
{
	EXPECT_TRUE(verdicts_hold(self, SCOPE_TARGET, variant->kind, variant->size, ~0ULL));
}

/* The limiting ancestor counts, the payer below does not */
TEST_F_TIMEOUT(limit, of_an_ancestor, TIMEOUT_S)
{
	EXPECT_TRUE(verdicts_hold(self, SCOPE_PARENT, variant->kind, variant->size,
				  1ULL << MEMSTRESS_POLICY_KERNEL |
					  1ULL << MEMSTRESS_POLICY_NOWAIT |
					  1ULL << MEMSTRESS_POLICY_ATOMIC));
}

/* A page that was forced behind its back is over the limit, and one event more */
TEST_F_TIMEOUT(limit, red_twin, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	struct verdict verdict = derive(MEMSTRESS_POLICY_NORETRY, alloc.order);

	verdict.max *= attempts(variant->kind);
	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(verdict_holds(self, SCOPE_TARGET, &alloc, &verdict, 1));
	EXPECT_TRUE(verdict_holds(self, SCOPE_TARGET, &alloc, &verdict, 0));
}

FIXTURE(policy)
{
	struct _test_data_limit limit;
};

FIXTURE_SETUP(policy)
{
	const struct _fixture_variant_limit page = { .kind = MEMSTRESS_KIND_PAGE };

	limit_setup(_metadata, &self->limit, &page);
}

FIXTURE_TEARDOWN(policy)
{
	limit_teardown(_metadata, &self->limit, NULL);
}

/* A refusal is counted, also of a charge that may not wait for anything */
TEST_F(policy, nowait_is_counted)
{
	struct scope *scope = &self->limit.scope;
	const char *missing = fix_missing(FIX_MAX_EVENT_OF_REFUSALS);
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
	struct events before, seen;

	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 counts failures of the counter, not refusals");
	ASSERT_LE(0, headroom_set(scope, &scope->target, 0));
	ASSERT_EQ(0, events_take(&before, &scope->target));
	alloc.policy = MEMSTRESS_POLICY_NOWAIT;
	alloc.max_failures = 99;
	ASSERT_EQ(0, session_alloc(self->limit.fd, &alloc));
	EXPECT_EQ(100, alloc.failures);
	ASSERT_EQ(0, events_since(&seen, &before, &scope->target));
	EXPECT_EQ(0, headroom_lift(scope, &scope->target, LIMIT_BYTES));
	if (!seen.tree[EVENT_MAX] && missing)
		XFAIL(return, "%s", missing);
	EXPECT_TRUE(law_equal(scope->target.path, "refused 100 times: memory.events max", 100,
			      seen.tree[EVENT_MAX]));
	EXPECT_TRUE(law_equal(scope->target.path, "refused 100 times: memory.events.local max", 100,
			      seen.local[EVENT_MAX]));
}

/* A counter counts pages: what a limit has of one more is cut off (page_counter_memparse()) */
static bool takes_whole_pages(const struct cgroup *cg, const char *file, long long bytes)
{
	const long long page = books_page_size();
	char what[64];
	bool held;

	snprintf(what, sizeof(what), "%s, of a byte less than a page more", file);
	if (cgroup_write_number(cg, file, bytes + page - 1))
		return false;
	held = law_equal(cg->path, what, bytes, cgroup_read_number(cg, file));
	snprintf(what, sizeof(what), "%s, of whole pages", file);
	if (cgroup_write_number(cg, file, bytes))
		return false;
	return held & law_equal(cg->path, what, bytes, cgroup_read_number(cg, file));
}

TEST_F(policy, limits_are_whole_pages)
{
	static const char *const files[] = { "memory.max", "memory.high",     "memory.low",
					     "memory.min", "memory.swap.max", "memory.swap.high" };
	const struct cgroup *target = &self->limit.scope.target;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		/* v1 has but the first, and there is no swap without accounting of it */
		if (cgroup_read_number(target, files[i]) == -ENOENT || (i && cgroup_is_v1()))
			continue;
		EXPECT_TRUE(takes_whole_pages(target, files[i], LIMIT_BYTES + books_page_size()));
	}
}

/* Above memory.high whoever charges from outside is neither refused nor counted */
TEST_F(policy, high_is_no_limit)
{
	static const __u32 policies[] = { MEMSTRESS_POLICY_KERNEL, MEMSTRESS_POLICY_NOWAIT,
					  MEMSTRESS_POLICY_ATOMIC, MEMSTRESS_POLICY_NORETRY };
	struct scope *scope = &self->limit.scope;
	struct events before[SCOPE_CGROUPS], expected[SCOPE_CGROUPS] = { 0 };
	struct memstress_alloc alloc;
	unsigned int i;

	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 has no memory.high");
	ASSERT_EQ(0, cgroup_write_number(&scope->target, "memory.high", books_page_size()));
	ASSERT_EQ(0, scope_events_take(scope, before));
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1000, scope->target.fd);
		alloc.policy = policies[i];
		ASSERT_EQ(0, session_alloc(self->limit.fd, &alloc));
		EXPECT_TRUE(law_equal(scope->target.path, session_policy_name(policies[i]),
				      MEMSTRESS_STOP_DONE, alloc.stop));
	}
	EXPECT_TRUE(scope_events_are(scope, "above memory.high", before, expected));
	EXPECT_EQ(0, session_free_all(self->limit.fd));
	EXPECT_EQ(0, cgroup_write(&scope->target, "memory.high", "max"));
}

/* mem_cgroup_oom() then kills nobody, tells nobody, and only user faults wait */
TEST_F(policy, oom_kill_disable)
{
	struct scope *scope = &self->limit.scope;
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
	struct verdict verdict = derive(MEMSTRESS_POLICY_KERNEL, 0);

	if (!cgroup_is_v1())
		SKIP(return, "cgroup v2 cannot disable the OOM killer");
	ASSERT_EQ(0, cgroup_write(&scope->target, "memory.oom_control", "1"));
	verdict.oom = 0;
	EXPECT_TRUE(verdict_holds(&self->limit, SCOPE_TARGET, &alloc, &verdict, 0));
	alloc.policy = MEMSTRESS_POLICY_NOFAIL;
	verdict.made = true;
	EXPECT_TRUE(verdict_holds(&self->limit, SCOPE_TARGET, &alloc, &verdict, 0));
	EXPECT_EQ(0, cgroup_write(&scope->target, "memory.oom_control", "0"));
}

/* With somebody inside, who can be killed */

#define MAX_BYTES  (16LL << 20)
#define ENDLESS    1000000000ULL
#define HUGE_ORDER 9

FIXTURE(inside)
{
	struct scope scope;
	struct scope_snapshot empty;
	struct worker worker, bystander;
	struct events before[SCOPE_CGROUPS];
};

FIXTURE_SETUP(inside)
{
	ASSERT_EQ(0, scope_create(&self->scope, "limit", LIMIT_BYTES));
	/* Without swap nothing can be pushed out instead; the file may be missing */
	cgroup_write_number(&self->scope.parent, "memory.swap.max", 0);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
}

FIXTURE_TEARDOWN(inside)
{
	worker_kill(&self->worker);
	worker_kill(&self->bystander);
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* The workers and their limit, and what was counted before anything happens */
static void settle_in(struct __test_metadata *_metadata, struct _test_data_inside *self,
		      unsigned int at, const struct cgroup *bystander)
{
	ASSERT_EQ(0, cgroup_write_number(scope_cgroup(&self->scope, at), "memory.max", MAX_BYTES));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	if (bystander)
		ASSERT_EQ(0, worker_start(&self->bystander, bystander));
	ASSERT_EQ(0, scope_events_take(&self->scope, self->before));
}

static void tell_worker(struct _test_data_inside *self, __u32 kind, __u64 size, __u32 policy)
{
	struct memstress_alloc *alloc = &self->worker.page->alloc;

	*alloc = session_request(kind, size, ENDLESS, MEMSTRESS_PAYER_CALLER);
	alloc->policy = policy;
	worker_tell(&self->worker, WORKER_ALLOC);
}

static void expect_killed(struct __test_metadata *_metadata, struct worker *worker)
{
	int status;

	ASSERT_EQ(0, worker_wait(worker, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

/* Somebody may die of what the cgroup needs besides, but usage never passes the limit */
static void expect_below_limit(struct __test_metadata *_metadata, const struct cgroup *limited)
{
	if (has_peak(limited))
		EXPECT_TRUE(law_at_most(limited->path, "memory.peak", MAX_BYTES,
					cgroup_read_number(limited, "memory.peak")));
}

static void expect_empty(struct __test_metadata *_metadata, struct _test_data_inside *self,
			 unsigned int at)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	__u64 waited_ns;
	int ret;

	EXPECT_EQ(0, headroom_lift(&self->scope, scope_cgroup(&self->scope, at), LIMIT_BYTES));
	ret = scope_law_await(&self->scope, &self->empty, &nothing, BALANCE_HELD, &violation,
			      &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("left behind", ret, &violation);
}

/* The same where a task was in the sibling, too, whose faults move lines that count events */
static void expect_all_empty(struct __test_metadata *_metadata, struct _test_data_inside *self)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	const struct charge nothing = { 0 };
	struct violation violation;
	struct snapshot now;
	int ret;

	EXPECT_EQ(0, headroom_lift(&self->scope, &self->scope.parent, LIMIT_BYTES));
	do {
		scope_visit_cpus();
		ASSERT_EQ(0, scope_settle(&self->scope));
		ASSERT_EQ(0, scope_flush(&self->scope));
		ASSERT_EQ(0, snapshot_take(&now, &self->scope.parent));
		ret = balance(&self->empty.parent, &now, &nothing, BALANCE_HELD, &violation);
		violation.cgroup = self->scope.parent.path;
	} while (ret && clock_poll(deadline));
	EXPECT_EQ(0, ret)
	balance_report("left behind", ret, &violation);
}

/*
 * How often the limit was met and the killer called is not known: other charges of the
 * dying meet it, too, and its memory comes back meanwhile. Once at least, after all rounds
 * of reclaim. What was counted is counted in the same place in both files.
 */
static void expect_limit_events(struct __test_metadata *_metadata, struct _test_data_inside *self,
				unsigned int at, struct events *expected)
{
	const struct cgroup *limited = scope_cgroup(&self->scope, at);
	struct events seen;

	ASSERT_EQ(0, events_since(&seen, &self->before[at], limited));
	EXPECT_TRUE(law_at_least(limited->path, "killed for it: memory.events.local max",
				 RECLAIM_ROUNDS, seen.local[EVENT_MAX]));
	EXPECT_TRUE(law_at_least(limited->path, "killed for it: memory.events.local oom", 1,
				 seen.local[EVENT_OOM]));
	scope_events_expect(expected, at, EVENT_MAX, seen.local[EVENT_MAX]);
	expect_oom(expected, at, seen.local[EVENT_OOM]);
}

FIXTURE(killed)
{
	struct _test_data_inside inside;
};

FIXTURE_VARIANT(killed)
{
	__u32 kind;
	__u64 size; /* or order */
	__u32 policy;
};

#define KILLED(_name, _kind, _size, _policy)                   \
	FIXTURE_VARIANT_ADD(killed, _name)                     \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
		.policy = MEMSTRESS_POLICY_##_policy,          \
	}

KILLED(page_0, PAGE, 0, KERNEL);
KILLED(page_3, PAGE, 3, NOFS);
KILLED(kmalloc_1024, KMALLOC, 1024, NOIO);
KILLED(vmalloc_65536, VMALLOC, 65536, KERNEL);
KILLED(percpu_64, PERCPU, 64, KERNEL);

FIXTURE_SETUP(killed)
{
	inside_setup(_metadata, &self->inside, NULL);
}

FIXTURE_TEARDOWN(killed)
{
	inside_teardown(_metadata, &self->inside, NULL);
}

/* The caller itself is all that there is to kill. Its endless allocation ends with it */
TEST_F_TIMEOUT(killed, at_the_limit_of_its_own, TIMEOUT_S)
{
	struct _test_data_inside *inside = &self->inside;
	struct events expected[SCOPE_CGROUPS] = { 0 };

	settle_in(_metadata, inside, SCOPE_TARGET, NULL);
	tell_worker(inside, variant->kind, variant->size, variant->policy);
	expect_killed(_metadata, &inside->worker);
	EXPECT_EQ(MEMSTRESS_STOP_KILLED, inside->worker.page->alloc.stop);
	expect_limit_events(_metadata, inside, SCOPE_TARGET, expected);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM_KILL, 1);
	EXPECT_TRUE(scope_events_are(&inside->scope, "killed", inside->before, expected));
	expect_below_limit(_metadata, &inside->scope.target);
	expect_empty(_metadata, inside, SCOPE_TARGET);
}

/* max and oom are counted at the limit, oom_kill where the victim was */
TEST_F_TIMEOUT(killed, at_the_limit_of_an_ancestor, TIMEOUT_S)
{
	struct _test_data_inside *inside = &self->inside;
	struct events expected[SCOPE_CGROUPS] = { 0 };

	settle_in(_metadata, inside, SCOPE_PARENT, NULL);
	tell_worker(inside, variant->kind, variant->size, variant->policy);
	expect_killed(_metadata, &inside->worker);
	expect_limit_events(_metadata, inside, SCOPE_PARENT, expected);
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM_KILL, 1);
	EXPECT_TRUE(scope_events_are(&inside->scope, "killed", inside->before, expected));
	expect_below_limit(_metadata, &inside->scope.parent);
	expect_empty(_metadata, inside, SCOPE_PARENT);
}

/*
 * __oom_kill_process() counts oom_kill for the victim and then for each member of the group,
 * and the victim is one of these, too, unless it has let go of its mm by then
 * (find_lock_task_mm()). oom_group_kill came with 5.17 and is counted once, at the group.
 */
static void expect_group_killed(struct __test_metadata *_metadata, struct _test_data_inside *self,
				unsigned int at, unsigned int bystander_at)
{
	struct events expected[SCOPE_CGROUPS] = { 0 }, seen[SCOPE_CGROUPS];
	unsigned int i;

	tell_worker(self, MEMSTRESS_KIND_PAGE, 0, MEMSTRESS_POLICY_KERNEL);
	expect_killed(_metadata, &self->worker);
	expect_killed(_metadata, &self->bystander);
	for (i = 0; i < SCOPE_CGROUPS; i++)
		ASSERT_EQ(0,
			  events_since(&seen[i], &self->before[i], scope_cgroup(&self->scope, i)));
	expect_limit_events(_metadata, self, at, expected);
	scope_events_expect(expected, at, EVENT_OOM_GROUP_KILL, !kernel_before(5, 17));
	scope_events_expect(expected, SCOPE_TARGET, EVENT_OOM_KILL,
			    seen[SCOPE_TARGET].local[EVENT_OOM_KILL]);
	if (bystander_at != SCOPE_TARGET)
		scope_events_expect(expected, bystander_at, EVENT_OOM_KILL,
				    seen[bystander_at].local[EVENT_OOM_KILL]);
	EXPECT_TRUE(scope_events_are(&self->scope, "group killed", self->before, expected));
	/* Each of the two once, the victim perhaps twice */
	EXPECT_TRUE(law_at_least(self->scope.parent.path, "group of two: memory.events oom_kill", 2,
				 seen[SCOPE_PARENT].tree[EVENT_OOM_KILL]));
	EXPECT_TRUE(law_at_most(self->scope.parent.path, "group of two: memory.events oom_kill", 3,
				seen[SCOPE_PARENT].tree[EVENT_OOM_KILL]));
	expect_below_limit(_metadata, scope_cgroup(&self->scope, at));
}

TEST_F_TIMEOUT(inside, group_is_killed, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 has no memory.oom.group");
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.oom.group", "1"));
	settle_in(_metadata, self, SCOPE_TARGET, &self->scope.target);
	expect_group_killed(_metadata, self, SCOPE_TARGET, SCOPE_TARGET);
	expect_empty(_metadata, self, SCOPE_TARGET);
}

/* The highest group below the limit goes, with all the cgroups in it */
TEST_F_TIMEOUT(inside, group_of_an_ancestor_is_killed, TIMEOUT_S)
{
	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 has no memory.oom.group");
	ASSERT_EQ(0, cgroup_write(&self->scope.parent, "memory.oom.group", "1"));
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.oom.group", "1"));
	settle_in(_metadata, self, SCOPE_PARENT, &self->scope.sibling);
	expect_group_killed(_metadata, self, SCOPE_PARENT, SCOPE_SIBLING);
	expect_all_empty(_metadata, self);
}

/*
 * Whoever does not call the killer is refused, and lives. By objects so large that what is
 * left has room for all that the worker needs besides, or it would be killed for that.
 */
TEST_F_TIMEOUT(inside, refused_and_alive, TIMEOUT_S)
{
	static const struct {
		__u32 policy;
		long long max; /* at the least */
	} cases[] = {
		{ MEMSTRESS_POLICY_NORETRY, 2 },
		{ MEMSTRESS_POLICY_RETRY_MAYFAIL, RECLAIM_ROUNDS },
		{ MEMSTRESS_POLICY_KERNEL, RECLAIM_ROUNDS },
	};
	struct memstress_alloc *alloc;
	struct events seen;
	unsigned int i;

	settle_in(_metadata, self, SCOPE_TARGET, NULL);
	alloc = &self->worker.page->alloc;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, events_take(&self->before[SCOPE_TARGET], &self->scope.target));
		tell_worker(self, MEMSTRESS_KIND_PAGE, HUGE_ORDER, cases[i].policy);
		ASSERT_EQ(0, worker_await(&self->worker));
		EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc->stop);
		EXPECT_EQ(ENOMEM, alloc->first_errno);
		EXPECT_EQ(1, alloc->failures);
		ASSERT_EQ(0, worker_ask(&self->worker, WORKER_FREE));
		ASSERT_EQ(0, events_since(&seen, &self->before[SCOPE_TARGET], &self->scope.target));
		EXPECT_TRUE(law_at_least(self->scope.target.path, "refused: memory.events max",
					 cases[i].max, seen.tree[EVENT_MAX]));
		EXPECT_TRUE(law_equal(self->scope.target.path, "refused: memory.events oom", 0,
				      seen.tree[EVENT_OOM]));
		EXPECT_TRUE(law_equal(self->scope.target.path, "refused: memory.events oom_kill", 0,
				      seen.tree[EVENT_OOM_KILL]));
	}
	expect_below_limit(_metadata, &self->scope.target);
	EXPECT_EQ(0, worker_stop(&self->worker));
	expect_empty(_metadata, self, SCOPE_TARGET);
}

/* A task that is refused for ever and told to die does so: charges of the dying end */
TEST_F_TIMEOUT(inside, refused_and_killed, TIMEOUT_S)
{
	struct memstress_alloc *alloc;

	settle_in(_metadata, self, SCOPE_TARGET, NULL);
	alloc = &self->worker.page->alloc;
	*alloc = session_request(MEMSTRESS_KIND_PAGE, 0, ENDLESS, MEMSTRESS_PAYER_CALLER);
	alloc->policy = MEMSTRESS_POLICY_RETRY_MAYFAIL;
	alloc->max_failures = ENDLESS;
	worker_tell(&self->worker, WORKER_ALLOC);
	ASSERT_EQ(0, kill(self->worker.pid, SIGKILL));
	expect_killed(_metadata, &self->worker);
	EXPECT_TRUE(law_equal(self->scope.target.path, "killed by hand: memory.events oom_kill",
			      self->before[SCOPE_TARGET].tree[EVENT_OOM_KILL],
			      cgroup_read_key(&self->scope.target, "memory.events", "oom_kill")));
	expect_below_limit(_metadata, &self->scope.target);
	expect_empty(_metadata, self, SCOPE_TARGET);
}

TEST_HARNESS_MAIN
