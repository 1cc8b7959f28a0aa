// SPDX-License-Identifier: GPL-2.0
/*
 * The law of protection: kernel memory that grows in one cgroup makes the kernel reclaim its
 * siblings. Of one that uses no more than its memory.min or memory.low nothing goes while
 * there is something else; memory.min then refuses the growth, memory.low is broken and tells
 * so. What the children of one parent claim together, beyond what that has, is shared by what
 * they use, kernel memory too; and a claim goes with the memory, or with the cgroup.
 */
#include "books.h"
#include "cpu.h"
#include "events.h"
#include "headroom.h"
#include "lru.h"
#include "memstress_test.h"
#include "page_cache.h"
#include "scope.h"
#include "swap.h"
#include "user_memory.h"
#include "worker.h"

LAW("min and low protect what they promise while kernel memory grows; a dead child's goes back");

#define TIMEOUT_S 120

#define MIB         (1024 * 1024LL)
#define LIMIT_BYTES (24 * MIB)
#define HELD_BYTES  (4 * MIB) /* of protected user memory */
#define LOOSE_BYTES (2 * MIB) /* of user memory without protection */
#define RIVAL_BYTES (2 * MIB) /* of kernel memory that is protected as well */
#define DISK_BYTES  (16 * MIB)

/* Growth is so fine where the point at which protection breaks is looked for */
#define STEP_PAGES 32

#define HUGE_ORDER   9
#define RIVAL_OBJECT 1024

/*
 * What one visit of reclaim to a cgroup takes more than what is above its protection: lists
 * are scanned by SWAP_CLUSTER_MAX pages at least, each of the four (get_scan_count() of
 * mm/vmscan.c); generations by MIN_LRU_BATCH (scan_folios()).
 */
#define SWAP_CLUSTER_MAX 32
#define VISIT_PAGES      (4 * SWAP_CLUSTER_MAX)

/* User memory in a cgroup: of a worker that lives on, or of a process that has ended */
struct holder {
	struct worker worker;
	const struct cgroup *cg;
	long long offset, bytes;
};

FIXTURE(protection)
{
	struct scope scope;
	struct page_cache cache;
	struct cgroup guard[SCOPE_DEPTH_MAX]; /* each below the one before */
	struct cgroup child[2];               /* below the last of them */
	unsigned int depth;
	struct holder held, loose;
	long long page, used_offset;
	long long low_before; /* of the parent, which outlives the others */
	const char *missing;
	int generations; /* as they were before */
	int fd;
};

FIXTURE_VARIANT(protection)
{
	bool anon;
	bool generations;
};

#define VARIANT(_name, _anon, _generations)                 \
	FIXTURE_VARIANT_ADD(protection, _name)              \
	{                                                   \
		.anon = _anon, .generations = _generations, \
	}

VARIANT(cache_lists, false, false);
VARIANT(cache_generations, false, true);
VARIANT(anon_lists, true, false);
VARIANT(anon_generations, true, true);

static const char *find_missing(const struct _fixture_variant_protection *variant)
{
	if (cgroup_is_v1())
		return "cgroup v1 has soft limits, which promise nothing";
	if (variant->generations && !lru_can_have_generations())
		return "this kernel's LRU has no generations";
	if (variant->anon && !swap_is_on())
		return "without swap anonymous memory cannot be reclaimed";
	return NULL;
}

FIXTURE_SETUP(protection)
{
	int ret;

	self->missing = find_missing(variant);
	if (self->missing)
		return;
	self->page = books_page_size();
	ret = variant->anon ? user_memory_open() : page_cache_open(&self->cache, DISK_BYTES);
	if (ret == -ENOENT)
		self->missing = "there is no zram, for page cache that can be reclaimed";
	if (self->missing)
		return;
	ASSERT_EQ(0, ret);
	self->generations = lru_generations();
	ASSERT_LE(0, self->generations);
	ASSERT_EQ(0, lru_set_generations(variant->generations ? LRU_GENERATIONS_ALL : 0));
	ASSERT_EQ(0, scope_create(&self->scope, "protection", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
}

static int let_go(struct _test_data_protection *self)
{
	struct holder *const holders[] = { &self->held, &self->loose };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		if (holders[i]->worker.page)
			ret = worker_stop(&holders[i]->worker);
	if (self->cache.fd && !ret)
		ret = page_cache_drop(&self->cache);
	memset(&self->held, 0, sizeof(self->held));
	memset(&self->loose, 0, sizeof(self->loose));
	self->used_offset = 0;
	return ret;
}

static int remove_guards(struct _test_data_protection *self)
{
	unsigned int i;
	int ret;

	ret = cgroup_remove(&self->child[1]);
	if (!ret)
		ret = cgroup_remove(&self->child[0]);
	for (i = self->depth; i && !ret; i--)
		ret = cgroup_remove(&self->guard[i - 1]);
	self->depth = 0;
	return ret;
}

FIXTURE_TEARDOWN(protection)
{
	if (self->missing)
		return;
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, let_go(self));
	EXPECT_EQ(0, remove_guards(self));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
	if (variant->anon)
		user_memory_close();
	else
		EXPECT_EQ(0, page_cache_close(&self->cache));
	EXPECT_EQ(0, lru_set_generations(self->generations));
}

static long long usage_of(const struct cgroup *cg)
{
	return cgroup_read_number(cg, "memory.current");
}

static long long low_events(const struct cgroup *cg, const char *file)
{
	return cgroup_read_key(cg, file, "low");
}

/* One below the other, the first one below the limit */
static int make_guards(struct _test_data_protection *self, unsigned int depth)
{
	const struct cgroup *above = &self->scope.parent;
	int ret = 0;

	self->low_before = low_events(above, "memory.events");
	while (self->depth < depth && !ret) {
		ret = cgroup_create(&self->guard[self->depth], above, "guard");
		above = &self->guard[self->depth++];
	}
	return ret;
}

static const struct cgroup *last_guard(const struct _test_data_protection *self)
{
	return &self->guard[self->depth - 1];
}

/* What of it has not been reclaimed, to the page: it is the pages that are looked at */
static long long resident(const struct _test_data_protection *self, const struct holder *holder)
{
	struct user_memory_place place;
	int ret;

	if (self->cache.fd)
		return page_cache_resident(&self->cache, holder->offset, holder->bytes);
	ret = user_memory_find(holder->worker.pid, &place);
	return ret ? ret : place.resident;
}

/* What is on its way to the LRU cannot be reclaimed, so it gets there first */
static int hold(struct _test_data_protection *self, struct holder *holder, const struct cgroup *cg,
		long long bytes)
{
	unsigned long long taken = bytes;
	int ret;

	holder->cg = cg;
	holder->bytes = bytes;
	holder->offset = self->used_offset;
	if (self->cache.fd) {
		ret = page_cache_read(&self->cache, cg, holder->offset, bytes);
		self->used_offset += bytes;
	} else {
		ret = worker_start(&holder->worker, cg);
		if (!ret)
			ret = worker_take(&holder->worker, USER_ANON, &taken);
	}
	scope_visit_cpus();
	/* A worker has some more of its own */
	holder->bytes = resident(self, holder);
	if (!ret && holder->bytes < bytes)
		ret = -ENOMEM;
	return ret;
}

/* Exact afterwards: with its stocks drained, and nothing of a dead task's on its way back */
static int settle(struct _test_data_protection *self, const struct cgroup *cg)
{
	scope_visit_cpus();
	return session_settle(self->scope.session, cg->fd);
}

/* Each of the chain protects what it uses, which no more than covers what is below it */
static int protect_usage(struct _test_data_protection *self, const char *file)
{
	unsigned int i;
	int ret = settle(self, last_guard(self));

	for (i = 0; i < self->depth && !ret; i++)
		ret = cgroup_write_number(&self->guard[i], file, usage_of(&self->guard[i]));
	return ret;
}

/* Until @more bytes do not fit any more without reclaim; 0 or -errno */
static int grow_beyond(struct _test_data_protection *self, long long more)
{
	long long pages = (LIMIT_BYTES - usage_of(&self->scope.parent)) / self->page;
	long long huge = pages >> HUGE_ORDER << HUGE_ORDER;
	long long rest = pages - huge + more / self->page;

	if (headroom_grow(self->fd, &self->scope.target, HUGE_ORDER, huge) != huge)
		return -ENOMEM;
	return headroom_grow(self->fd, &self->scope.target, 0, rest) == rest ? 0 : -ENOMEM;
}

/* Until nothing can be reclaimed any more */
static bool grow_until_refused(struct _test_data_protection *self)
{
	const long long all = LIMIT_BYTES / self->page;
	long long made;

	if (grow_beyond(self, 0))
		return false;
	made = headroom_grow(self->fd, &self->scope.target, 0, all);
	return law_at_least(self->scope.parent.path, "pages grown before one was refused", 0,
			    made) &&
	       law_at_most(self->scope.parent.path, "pages grown before one was refused", all - 1,
			   made);
}

/* Nobody was killed, and usage never passed the limit */
static bool limit_held(const struct _test_data_protection *self)
{
	const struct cgroup *parent = &self->scope.parent;
	long long peak = cgroup_read_number(parent, "memory.peak");

	return law_equal(parent->path, "memory.events oom_kill", 0,
			 cgroup_read_key(parent, "memory.events", "oom_kill")) &
	       law_at_most(parent->path, "highest usage", LIMIT_BYTES,
			   peak < 0 ? usage_of(parent) : peak);
}

/*
 * shrink_node_memcgs() counts low at each cgroup that it reclaims although it is below its
 * protection, and memcg_memory_event() in memory.events of all above. @broken: this must have
 * been; the payer, and who has no protection, are never counted themselves.
 */
static bool low_is_told(struct _test_data_protection *self, bool broken)
{
	const struct scope *scope = &self->scope;
	long long below = 0, local;
	bool held = true;
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (self->child[i].fd)
			below += low_events(&self->child[i], "memory.events");
	for (i = self->depth; i; i--) {
		local = low_events(&self->guard[i - 1], "memory.events.local");
		below += local;
		held &= law_equal(self->guard[i - 1].path, "low of memory.events, of all below",
				  below, low_events(&self->guard[i - 1], "memory.events"));
	}
	held &= law_equal(scope->parent.path, "low of memory.events, of all below", below,
			  low_events(&scope->parent, "memory.events") - self->low_before);
	held &= law_equal(scope->parent.path, "low of memory.events.local", 0,
			  low_events(&scope->parent, "memory.events.local"));
	held &= law_equal(scope->sibling.path, "low of memory.events", 0,
			  low_events(&scope->sibling, "memory.events"));
	held &= law_equal(scope->target.path, "low of memory.events", 0,
			  low_events(&scope->target, "memory.events"));
	if (broken)
		return held &
		       law_at_least(scope->parent.path, "low of memory.events, broken", 1, below);
	return held & law_equal(scope->parent.path, "low of memory.events", 0, below);
}

static bool is_untouched(struct _test_data_protection *self, const char *what)
{
	return law_equal(self->held.cg->path, what, self->held.bytes, resident(self, &self->held));
}

/* The protected and the loose are there, and nothing more fits */
static int begin(struct _test_data_protection *self, unsigned int depth)
{
	int ret = make_guards(self, depth);

	if (!ret)
		ret = hold(self, &self->held, last_guard(self), HELD_BYTES);
	return ret ? ret : hold(self, &self->loose, &self->scope.sibling, LOOSE_BYTES);
}

/* One that is still dying uses nothing, claims nothing, and yet counts as below its protection */
static int end(struct _test_data_protection *self)
{
	int ret = session_free_all(self->fd);

	if (!ret)
		ret = let_go(self);
	if (!ret)
		ret = remove_guards(self);
	if (!ret && scope_no_dying_await(&self->scope))
		ret = -ETIMEDOUT;
	return ret;
}

/*
 * All that has no protection is taken, and then growth is refused. @behind: pages that the
 * protected have besides, and that their memory.min does not cover.
 */
static bool min_holds(struct _test_data_protection *self, unsigned int depth, unsigned int behind)
{
	struct memstress_alloc twin;
	bool held;

	if (begin(self, depth) || protect_usage(self, "memory.min"))
		return false;
	twin = session_request(MEMSTRESS_KIND_PAGE, 0, behind, last_guard(self)->fd);
	if (behind && session_alloc(self->fd, &twin))
		return false;
	held = grow_until_refused(self);
	held &= is_untouched(self, "user memory within memory.min");
	held &= law_equal(self->scope.sibling.path, "user memory without protection", 0,
			  resident(self, &self->loose));
	held &= low_is_told(self, false);
	held &= limit_held(self);
	return !end(self) && held;
}

TEST_F_TIMEOUT(protection, min_holds, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(min_holds(self, 1, 0));
	EXPECT_TRUE(min_holds(self, 3, 0));
	EXPECT_TRUE(min_holds(self, SCOPE_DEPTH_MAX, 0));
}

/* With a page that was charged behind its back, usage is above what is protected */
TEST_F_TIMEOUT(protection, red_twin, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	fprintf(stderr, "# red twin: the law must be broken\n");
	EXPECT_FALSE(min_holds(self, 1, 1));
	EXPECT_TRUE(min_holds(self, 1, 0));
}

/* Low is kept while half of the loose is enough, and broken when all of it is not */
static bool low_holds(struct _test_data_protection *self, unsigned int depth)
{
	bool held;

	if (begin(self, depth) || protect_usage(self, "memory.low"))
		return false;
	held = law_equal(self->scope.parent.path, "growth by half of what has no protection", 0,
			 grow_beyond(self, LOOSE_BYTES / 2));
	held &= is_untouched(self, "user memory within memory.low");
	held &= law_at_most(self->scope.sibling.path, "user memory without protection",
			    LOOSE_BYTES - 1, resident(self, &self->loose));
	held &= low_is_told(self, false);

	held &= law_equal(self->scope.parent.path, "growth by more than what has no protection", 0,
			  grow_beyond(self, LOOSE_BYTES));
	held &= law_at_most(self->held.cg->path, "user memory when memory.low had to be broken",
			    HELD_BYTES - 1, resident(self, &self->held));
	held &= low_is_told(self, true);
	held &= limit_held(self);
	return !end(self) && held;
}

TEST_F_TIMEOUT(protection, low_is_last, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(low_holds(self, 1));
	EXPECT_TRUE(low_holds(self, 3));
	EXPECT_TRUE(low_holds(self, SCOPE_DEPTH_MAX));
}

/*
 * Usage may go below the protection by what one visit takes too many, and by what the stocks
 * had of it when they were drained; with each page of a disk goes its buffer head, and with the
 * last one of a node of the tree that they are in the node.
 */
static long long below_protection(const struct _test_data_protection *self)
{
	long long visits = VISIT_PAGES * cpu_count_nodes();
	long long head = 0, node = 0;

	if (self->cache.fd) {
		head = books_accounted_object("buffer_head");
		node = books_accounted_object("radix_tree_node");
	}
	return visits * (self->page + head) + balance_stock_bound(&self->scope.info, node);
}

/* What is above min goes, all of it and no more */
TEST_F_TIMEOUT(protection, excess_is_reclaimed, TIMEOUT_S)
{
	const struct cgroup *guard = &self->guard[0];
	const long long min = HELD_BYTES / 2;
	static const char what[] = "usage, above memory.min at first";
	long long usage, below;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, begin(self, 1));
	ASSERT_EQ(0, cgroup_write_number(guard, "memory.min", min));
	EXPECT_TRUE(grow_until_refused(self));
	usage = usage_of(guard);
	below = below_protection(self);
	fprintf(stderr, "# %lld bytes below memory.min, of %lld\n", min - usage, below);
	EXPECT_TRUE(law_at_most(guard->path, what, min, usage));
	EXPECT_TRUE(law_at_least(guard->path, what, min - below, usage));
	EXPECT_TRUE(low_is_told(self, false));
	EXPECT_TRUE(limit_held(self));
	EXPECT_EQ(0, end(self));
}

/* A child with user memory and one with kernel memory below @depth cgroups; both claim all */
static int begin_children(struct _test_data_protection *self, unsigned int depth, const char *file)
{
	struct memstress_alloc rival;
	struct memstress_books one = { 0 };
	int ret = make_guards(self, depth);
	unsigned int i;

	for (i = 0; i < 2 && !ret; i++) {
		ret = cgroup_create(&self->child[i], last_guard(self), i ? "rival" : "child");
		if (!ret)
			ret = cgroup_write_number(&self->child[i], file, LIMIT_BYTES);
	}
	if (!ret)
		ret = hold(self, &self->held, &self->child[0], HELD_BYTES);
	rival = session_request(MEMSTRESS_KIND_KMALLOC, RIVAL_OBJECT, 1, self->child[1].fd);
	if (!ret)
		ret = books_derive_one(&rival, &one);
	if (!ret) {
		/* Where slabs are watched for overruns an object takes a few times its size */
		rival.count = RIVAL_BYTES / one.byte_charged_bytes;
		ret = session_alloc(self->fd, &rival);
	}
	if (!ret)
		ret = settle(self, &self->child[0]);
	return ret ? ret : session_settle(self->scope.session, self->child[1].fd);
}

static int protect_all(struct _test_data_protection *self, const char *file, long long bytes)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < self->depth && !ret; i++)
		ret = cgroup_write_number(&self->guard[i], file, bytes);
	return ret;
}

/*
 * effective_protection() of mm/page_counter.c: of what the parent has, a child gets as much
 * as what it uses is of what all use. So the one child is protected as long as both together
 * use no more than the parent has: kernel memory, which cannot be reclaimed, takes its share.
 */
static bool share_holds(struct _test_data_protection *self, unsigned int depth)
{
	const struct cgroup *child = &self->child[0];
	long long protected, share, before, made;
	bool held = true;

	if (begin_children(self, depth, "memory.low"))
		return false;
	protected = usage_of(child);
	share = protected - usage_of(&self->child[1]);
	if (protect_all(self, "memory.low", protected) || grow_beyond(self, 0))
		return false;
	do {
		before = usage_of(child);
		made = headroom_grow(self->fd, &self->scope.target, 0, STEP_PAGES);
	} while (made == STEP_PAGES && !low_events(child, "memory.events.local") &&
		 before > share / 2);
	fprintf(stderr, "# depth %u: broken at %lld, the share is %lld\n", depth, before, share);
	held &= law_equal(child->path, "pages grown at last", STEP_PAGES, made);
	held &= law_at_least(child->path, "usage at which memory.low was broken",
			     share - below_protection(self), before);
	/* What the last step took before it had to break it */
	held &= law_at_most(child->path, "usage at which memory.low was broken",
			    share + below_protection(self) + STEP_PAGES * self->page, before);
	held &= low_is_told(self, true);
	held &= limit_held(self);
	return !end(self) && held;
}

TEST_F_TIMEOUT(protection, children_share, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(share_holds(self, 1));
	EXPECT_TRUE(share_holds(self, 3));
	EXPECT_TRUE(share_holds(self, SCOPE_DEPTH_MAX));
}

/*
 * The parent has enough for the one child alone, and for what stocks may keep of the other.
 * With @removed that one is removed, its memory still charged, to the parent then
 * (mem_cgroup_css_offline() takes its claims back); else the memory is freed, and nothing is
 * charged there any more that could correct a claim (page_counter_cancel() must).
 */
static bool claim_ends(struct _test_data_protection *self, const char *file, bool removed)
{
	long long stocks = balance_stock_bound(&self->scope.info, RIVAL_OBJECT);
	bool is_min = !strcmp(file, "memory.min");
	bool held;

	if (begin_children(self, 1, file) ||
	    hold(self, &self->loose, &self->scope.sibling, LOOSE_BYTES) ||
	    protect_all(self, file, usage_of(&self->child[0]) + stocks))
		return false;
	if (removed) {
		if (cgroup_remove(&self->child[1]) || scope_no_dying_await(&self->scope))
			return false;
	} else if (session_free_all(self->fd)) {
		return false;
	}
	held = is_min ? grow_until_refused(self) : !grow_beyond(self, LOOSE_BYTES / 2);
	held &= is_untouched(self, removed ? "user memory after the removal of the other child" :
					     "user memory after the other child has freed");
	held &= law_at_most(self->scope.sibling.path, "user memory without protection",
			    is_min ? 0 : LOOSE_BYTES - 1, resident(self, &self->loose));
	held &= low_is_told(self, false);
	held &= limit_held(self);
	return !end(self) && held;
}

TEST_F_TIMEOUT(protection, freed_claim_goes_back, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(claim_ends(self, "memory.min", false));
	EXPECT_TRUE(claim_ends(self, "memory.low", false));
}

TEST_F_TIMEOUT(protection, claim_of_the_dead_goes_back, TIMEOUT_S)
{
	if (self->missing)
		SKIP(return, "%s", self->missing);
	EXPECT_TRUE(claim_ends(self, "memory.min", true));
	EXPECT_TRUE(claim_ends(self, "memory.low", true));
}

/* Reclaim that a user asks for keeps to the same */
TEST_F_TIMEOUT(protection, asked_for, TIMEOUT_S)
{
	const struct cgroup *sibling = &self->scope.sibling;
	long long before;
	int ret;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	if (cgroup_read_number(&self->scope.parent, "memory.reclaim") == -ENOENT)
		SKIP(return, "no memory.reclaim before 5.19");
	ASSERT_EQ(0, begin(self, 3));
	ASSERT_EQ(0, protect_usage(self, "memory.low"));
	ASSERT_EQ(0, settle(self, sibling));
	before = usage_of(sibling);
	ret = cgroup_write_number(&self->scope.parent, "memory.reclaim", LOOSE_BYTES / 2);
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(is_untouched(self, "user memory within memory.low, reclaim asked for"));
	/* Nobody else has what is not protected: all that was asked for went here */
	EXPECT_TRUE(law_at_most(sibling->path, "usage, reclaim asked for", before - LOOSE_BYTES / 2,
				usage_of(sibling)));
	EXPECT_TRUE(law_at_most(self->scope.sibling.path, "user memory, reclaim asked for",
				LOOSE_BYTES - 1, resident(self, &self->loose)));
	EXPECT_TRUE(low_is_told(self, false));
	EXPECT_EQ(0, end(self));
}

TEST_HARNESS_MAIN
