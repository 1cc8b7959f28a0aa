// SPDX-License-Identifier: GPL-2.0
/*
 * AUDIT: who is charged for each object, as the kernel itself has it. It must find the right
 * owner, also after that one is gone, and whatever is charged elsewhere. What it says is held
 * against what the cgroups' counters and /proc/kpagecgroup say.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "books.h"
#include "kernel.h"
#include "memstress_test.h"
#include "param.h"
#include "scope.h"

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

/* How long the kernel may take to hand the charges of a removed cgroup over */
#define REPARENT_DEADLINE_NS (10 * NS_PER_S)

/* Before 5.13 a cgroup that was removed goes on paying */
static bool dead_go_on_paying(void)
{
	return kernel_before(5, 13);
}

/*
 * Pages of the machine that are charged to a cgroup. An owner that was removed counts for its
 * nearest ancestor that was not. Before 6.4 ("memcg: page_cgroup_ino() get memcg from the page's
 * folio") it is the first page alone of a compound one (page_cgroup_ino() in mm/memcontrol.c).
 * -1: this kernel has no such file.
 */
static long long pages_of(__u64 id)
{
	static __u64 owners[8192];
	int fd = open("/proc/kpagecgroup", O_RDONLY | O_CLOEXEC);
	long long pages = 0;
	ssize_t len, i;

	if (fd < 0)
		return -1;
	while ((len = read(fd, owners, sizeof(owners))) > 0)
		for (i = 0; i < len / (ssize_t)sizeof(owners[0]); i++)
			pages += owners[i] == id;
	close(fd);
	return pages;
}

static __u64 audit_total(const struct memstress_audit *audit)
{
	return audit->right_objects + audit->wrong_objects + audit->unowned_objects +
	       audit->unasked_objects;
}

static void print_audit(const char *what, const struct memstress_audit *audit)
{
	fprintf(stderr, "# %s: right %llu (cgroup %llu), wrong %llu, unowned %llu, unasked %llu",
		what, audit->right_objects, audit->right_id, audit->wrong_objects,
		audit->unowned_objects, audit->unasked_objects);
	if (audit->first_handle)
		fprintf(stderr, "; first %llu of holding %u, charged to cgroup %llu",
			audit->first_index, audit->first_handle, audit->first_owner_id);
	fprintf(stderr, "\n");
}

FIXTURE(owner)
{
	struct scope scope;
	struct memstress_alloc alloc;
	struct memstress_audit audit;
	int fd;
};

FIXTURE_VARIANT(owner)
{
	__u32 kind;
	__u64 size; /* or order */
	__u64 count;
	__u64 pages;  /* of one object, 0 where its own owner is nowhere to be read */
	__u64 firsts; /* of them, those that are no tail of a compound page */
};

#define VARIANT(_name, _kind, _size, _count, _pages, _firsts)                                      \
	FIXTURE_VARIANT_ADD(owner, _name)                                                          \
	{                                                                                          \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .count = _count, .pages = (_pages), \
		.firsts = (_firsts),                                                               \
	}

VARIANT(page_0, PAGE, 0, 5000, 1, 1);
VARIANT(page_3, PAGE, 3, 700, 8, 1);
VARIANT(page_9, PAGE, 9, 9, 512, 1);
VARIANT(kmalloc_64, KMALLOC, 64, 5000, 0, 0);
VARIANT(kmalloc_65536, KMALLOC, 65536, 100, 16, 1);
VARIANT(cache_200, CACHE, 200, 5000, 0, 0);
VARIANT(vmalloc_4096, VMALLOC, 4096, 300, 1, 1);
VARIANT(vmalloc_70000, VMALLOC, 70000, 100, 18, 18);
VARIANT(vmalloc_16m, VMALLOC, 16 << 20, 1, 4096, 4096);
VARIANT(percpu_64, PERCPU, 64, 1000, 0, 0);

FIXTURE_SETUP(owner)
{
	ASSERT_EQ(0, scope_create(&self->scope, "audit", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, variant->count,
				      self->scope.target.fd);
}

FIXTURE_TEARDOWN(owner)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* All objects are charged to @id, which is what AUDIT says of those that it can ask about */
static bool owned_by(struct _test_data_owner *self, const FIXTURE_VARIANT(owner) * variant,
		     __u64 id)
{
	if (session_audit(self->fd, self->alloc.handle, &self->audit))
		return false;
	if (!variant->pages)
		return self->audit.unasked_objects == variant->count &&
		       audit_total(&self->audit) == variant->count && !self->audit.right_id &&
		       !self->audit.first_handle;
	return self->audit.right_objects == variant->count &&
	       audit_total(&self->audit) == variant->count && self->audit.right_id == id &&
	       !self->audit.first_handle && self->audit.holdings == 1;
}

static bool owned_by_soon(struct _test_data_owner *self, const FIXTURE_VARIANT(owner) * variant,
			  __u64 id)
{
	__u64 deadline = clock_deadline_ns(REPARENT_DEADLINE_NS);
	bool owned;

	do {
		owned = owned_by(self, variant, id);
		if (self->audit.wrong_objects || self->audit.unowned_objects)
			break;
	} while (!owned && clock_poll(deadline));
	return owned;
}

/* What /proc says, which is told of a removed owner's heir when the removal is through */
static bool proc_agrees(const FIXTURE_VARIANT(owner) * variant, __u64 id)
{
	__u64 deadline = clock_deadline_ns(REPARENT_DEADLINE_NS);
	__u64 one = kernel_before(6, 4) ? variant->firsts : variant->pages;
	long long expected = variant->count * one;
	long long seen;

	do {
		seen = pages_of(id);
	} while (seen >= 0 && seen != expected && clock_poll(deadline));
	if (seen >= 0 && seen != expected)
		fprintf(stderr, "# /proc/kpagecgroup of %llu: expected %lld pages, seen %lld\n", id,
			expected, seen);
	return seen < 0 || seen == expected;
}

TEST_F_TIMEOUT(owner, is_the_payer, TIMEOUT_S)
{
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(variant->count, self->alloc.books.objects);
	EXPECT_TRUE(owned_by(self, variant, self->scope.target.id));
	print_audit("payer", &self->audit);
	EXPECT_TRUE(proc_agrees(variant, self->scope.target.id));

	/* The same with the oldest gone, and in the sums of the session */
	EXPECT_EQ(0, session_free(self->fd, self->alloc.handle, 1));
	EXPECT_EQ(0, session_audit(self->fd, 0, &self->audit));
	EXPECT_EQ(variant->count - 1, audit_total(&self->audit));
	EXPECT_EQ(0, self->audit.wrong_objects + self->audit.unowned_objects);
	EXPECT_EQ(variant->count > 1, self->audit.holdings);
	EXPECT_EQ(0, self->audit.right_id);
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* Nobody is who should pay for what is not accounted, and for what the root would pay */
TEST_F_TIMEOUT(owner, is_nobody, TIMEOUT_S)
{
	struct param require_limit = { 0 };
	int root = cgroup_open_root();

	ASSERT_LE(0, root);
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	self->alloc.flags = 0;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(variant->count, self->alloc.books.objects);
	EXPECT_TRUE(owned_by(self, variant, 0));
	print_audit("unaccounted", &self->audit);
	EXPECT_EQ(0, session_free_all(self->fd));

	ASSERT_EQ(0, param_set(&require_limit, "require_limit", "N"));
	self->alloc.payer_fd = root;
	self->alloc.flags = MEMSTRESS_ALLOC_ACCOUNT;
	EXPECT_EQ(0, session_alloc(self->fd, &self->alloc));
	EXPECT_EQ(variant->count, self->alloc.books.objects);
	EXPECT_EQ(0, session_audit(self->fd, self->alloc.handle, &self->audit));
	EXPECT_EQ(variant->pages ? variant->count : 0, self->audit.right_objects);
	print_audit("root", &self->audit);
	EXPECT_EQ(variant->count, audit_total(&self->audit));
	EXPECT_EQ(0, self->audit.first_handle);
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, param_restore(&require_limit));
	close(root);
}

/* What a cgroup has paid for goes to its parent when it is removed, and on to the next */
TEST_F_TIMEOUT(owner, is_the_heir, TIMEOUT_S)
{
	struct scope *scope = &self->scope;
	__u64 payer = scope->target.id;

	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(variant->count, self->alloc.books.objects);
	ASSERT_EQ(0, cgroup_remove(&scope->target));
	EXPECT_TRUE(owned_by_soon(self, variant, dead_go_on_paying() ? payer : scope->parent.id));
	print_audit("parent", &self->audit);
	EXPECT_TRUE(proc_agrees(variant, scope->parent.id));

	ASSERT_EQ(0, cgroup_remove(&scope->sibling));
	ASSERT_EQ(0, cgroup_remove(&scope->parent));
	EXPECT_TRUE(owned_by_soon(self, variant, dead_go_on_paying() ? payer : scope->top.id));
	print_audit("grandparent", &self->audit);
	EXPECT_TRUE(proc_agrees(variant, scope->top.id));
	EXPECT_EQ(0, session_free_all(self->fd));
}

/*
 * A caller that pays itself and is moved while it allocates: what it made before belongs to
 * one cgroup, the rest to another, and the ledger believes that all belongs to the first.
 */
FIXTURE(moved)
{
	struct scope scope;
	struct cgroup root;
	struct param require_limit;
	struct scope_snapshot before;
	struct worker worker;
	long long pages_before;       /* of the target, as /proc has it */
	long long bookkeeping_before; /* of the worker's session */
};

#define MOVED_PAGES 20000
#define MOVE_TRIES  20

FIXTURE_SETUP(moved)
{
	ASSERT_EQ(0, scope_create(&self->scope, "audit", LIMIT_BYTES));
	self->root.fd = cgroup_open_root();
	ASSERT_LE(0, self->root.fd);
	ASSERT_EQ(0, param_set(&self->require_limit, "require_limit", "N"));
}

FIXTURE_TEARDOWN(moved)
{
	EXPECT_EQ(0, worker_stop(&self->worker));
	EXPECT_EQ(0, param_restore(&self->require_limit));
	close(self->root.fd);
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Starts a worker in @from, and moves it to @to when it has made a part of its pages */
static int move_once(struct _test_data_moved *self, const struct cgroup *from,
		     const struct cgroup *to)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	struct worker *worker = &self->worker;
	long long base, part = MOVED_PAGES / 8 * books_page_size();
	int ret = worker_start(worker, from);

	if (!ret)
		ret = worker_ask(worker, WORKER_LEDGER);
	if (!ret)
		ret = scope_baseline(&self->scope, &self->before);
	if (ret)
		return ret;
	self->bookkeeping_before = worker->page->ledger.bookkeeping_bytes;
	self->pages_before = pages_of(self->scope.target.id);
	base = session_total_bytes();
	worker->page->alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, MOVED_PAGES, MEMSTRESS_PAYER_CALLER);
	worker_tell(worker, WORKER_ALLOC);
	while (session_total_bytes() - base < part)
		if (!clock_poll(deadline))
			return -ETIMEDOUT;
	ret = cgroup_write_number(to, "cgroup.procs", worker->pid);
	if (!ret)
		ret = worker_await(worker);
	if (!ret)
		ret = worker_ask(worker, WORKER_AUDIT);
	return ret;
}

/* Cgroups that no worker has been in: the files of one are given back after an RCU grace period */
static int begin_anew(struct _test_data_moved *self)
{
	int ret = worker_stop(&self->worker);

	if (!ret)
		ret = scope_remove(&self->scope);
	return ret ? ret : scope_create(&self->scope, "audit", LIMIT_BYTES);
}

/* The same until it comes in the middle: on a busy machine the ALLOC may be over before */
static int move_in_flight(struct _test_data_moved *self, const struct cgroup *from,
			  const struct cgroup *to)
{
	int tries, ret = 0;

	for (tries = 0; tries < MOVE_TRIES && !ret; tries++) {
		if (tries)
			ret = begin_anew(self);
		if (!ret)
			ret = move_once(self, from, to);
		if (!ret && self->worker.page->audit.right_objects < MOVED_PAGES)
			return 0;
	}
	return ret ? ret : -ETIMEDOUT;
}

/* The lines of a cgroup have moved by @pages and by the row of the ledger, if it has one */
static int moved_by(struct _test_data_moved *self, const struct cgroup *cg,
		    const struct snapshot *before, __u64 pages, long long row)
{
	struct charge charge = { .page_bytes = pages * books_page_size() };
	struct violation violation;
	struct snapshot now;
	int ret;

	charge.byte_base = charge_byte_base(before);
	charge_add_slab(&charge, row);
	ret = scope_settle(&self->scope);
	if (!ret)
		ret = scope_flush(&self->scope);
	if (!ret)
		ret = snapshot_take(&now, cg);
	if (!ret)
		ret = balance(before, &now, &charge, BALANCE_HELD, &violation);
	balance_report(cg->path, ret, &violation);
	return ret;
}

TEST_F_TIMEOUT(moved, to_a_sibling, TIMEOUT_S)
{
	const struct memstress_audit *audit;
	struct scope *scope = &self->scope;
	long long pages;

	ASSERT_EQ(0, move_in_flight(self, &scope->target, &scope->sibling));
	audit = &self->worker.page->audit;
	print_audit("moved to a sibling", audit);
	EXPECT_EQ(scope->target.id, self->worker.page->alloc.payer_id);
	EXPECT_LT(0, audit->right_objects);
	EXPECT_LT(0, audit->wrong_objects);
	EXPECT_EQ(MOVED_PAGES, audit->right_objects + audit->wrong_objects);
	EXPECT_EQ(0, audit->unowned_objects + audit->unasked_objects);
	/* It was moved once, so all before the first wrong one are right */
	EXPECT_EQ(self->worker.page->alloc.handle, audit->first_handle);
	EXPECT_EQ(audit->right_objects, audit->first_index);
	EXPECT_EQ(scope->sibling.id, audit->first_owner_id);

	pages = pages_of(scope->target.id);
	if (pages >= 0) {
		EXPECT_EQ(audit->right_objects, pages - self->pages_before);
		EXPECT_EQ(audit->wrong_objects, pages_of(scope->sibling.id));
	}
	EXPECT_EQ(0,
		  moved_by(self, &scope->sibling, &self->before.sibling, audit->wrong_objects, 0));
	/* The row is made before the first object, so it is the first payer's */
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_LEDGER));
	EXPECT_EQ(0,
		  moved_by(self, &scope->target, &self->before.target, audit->right_objects,
			   self->worker.page->ledger.bookkeeping_bytes - self->bookkeeping_before));
}

TEST_F_TIMEOUT(moved, to_the_root, TIMEOUT_S)
{
	const struct memstress_audit *audit;
	struct scope *scope = &self->scope;

	ASSERT_EQ(0, move_in_flight(self, &scope->target, &self->root));
	audit = &self->worker.page->audit;
	print_audit("moved to the root", audit);
	EXPECT_LT(0, audit->right_objects);
	EXPECT_LT(0, audit->unowned_objects);
	EXPECT_EQ(MOVED_PAGES, audit->right_objects + audit->unowned_objects);
	EXPECT_EQ(audit->right_objects, audit->first_index);
	EXPECT_EQ(0, audit->first_owner_id);
}

TEST_F_TIMEOUT(moved, from_the_root, TIMEOUT_S)
{
	const struct memstress_audit *audit;
	struct scope *scope = &self->scope;

	ASSERT_EQ(0, move_in_flight(self, &self->root, &scope->target));
	audit = &self->worker.page->audit;
	print_audit("moved from the root", audit);
	EXPECT_EQ(0, self->worker.page->alloc.payer_id);
	EXPECT_LT(0, audit->right_objects);
	EXPECT_LT(0, audit->wrong_objects);
	EXPECT_EQ(MOVED_PAGES, audit->right_objects + audit->wrong_objects);
	EXPECT_EQ(audit->right_objects, audit->first_index);
	EXPECT_EQ(scope->target.id, audit->first_owner_id);
	EXPECT_EQ(0, moved_by(self, &scope->target, &self->before.target, audit->wrong_objects, 0));
}

/* Cgroups one in the other, deeper than the module remembers ancestors */
#define LEVELS     20
#define REMEMBERED 16

FIXTURE(heirs)
{
	struct scope scope;
	struct cgroup level[LEVELS];
	struct memstress_alloc alloc;
	struct memstress_audit audit;
	int fd;
};

FIXTURE_SETUP(heirs)
{
	const struct cgroup *parent = &self->scope.target;
	unsigned int i;

	ASSERT_EQ(0, scope_create(&self->scope, "audit", LIMIT_BYTES));
	for (i = 0; i < LEVELS; i++) {
		ASSERT_EQ(0, cgroup_create(&self->level[i], parent, "l"));
		parent = &self->level[i];
	}
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 10, parent->fd);
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
}

FIXTURE_TEARDOWN(heirs)
{
	unsigned int i;

	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	for (i = LEVELS; i--;)
		EXPECT_EQ(0, cgroup_remove(&self->level[i]));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* AUDIT until nothing of @level and below is charged for what was made */
static int audit_heir(struct _test_data_heirs *self, unsigned int level)
{
	__u64 deadline = clock_deadline_ns(REPARENT_DEADLINE_NS);
	__u64 id = dead_go_on_paying() ? self->level[LEVELS - 1].id : self->level[level - 1].id;
	int ret;

	do {
		ret = session_audit(self->fd, self->alloc.handle, &self->audit);
	} while (!ret && self->audit.right_objects && self->audit.right_id != id &&
		 clock_poll(deadline));
	return ret;
}

TEST_F_TIMEOUT(heirs, are_remembered, TIMEOUT_S)
{
	unsigned int level;

	for (level = LEVELS - 1; level > LEVELS - REMEMBERED; level--) {
		ASSERT_EQ(0, cgroup_remove(&self->level[level]));
		ASSERT_EQ(0, audit_heir(self, level));
		EXPECT_EQ(10, self->audit.right_objects);
		EXPECT_EQ(dead_go_on_paying() ? self->level[LEVELS - 1].id :
						self->level[level - 1].id,
			  self->audit.right_id);
	}
	/* Whose turn it is now the module does not know, and it says so */
	ASSERT_EQ(0, cgroup_remove(&self->level[level]));
	ASSERT_EQ(0, audit_heir(self, level));
	print_audit("beyond", &self->audit);
	EXPECT_EQ(dead_go_on_paying() ? 0 : 10, self->audit.unasked_objects);
	EXPECT_EQ(0, self->audit.wrong_objects + self->audit.unowned_objects);
}

/* Calls that a session cannot answer, and calls at the same time */
FIXTURE(asked)
{
	struct scope scope;
	struct memstress_alloc alloc;
	struct memstress_audit audit;
	int fd;
	bool stop;
};

FIXTURE_SETUP(asked)
{
	ASSERT_EQ(0, scope_create(&self->scope, "audit", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1000, self->scope.target.fd);
}

FIXTURE_TEARDOWN(asked)
{
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

TEST_F(asked, with_nothing_held)
{
	memset(&self->audit, 0xcc, sizeof(self->audit));
	ASSERT_EQ(0, session_audit(self->fd, 0, &self->audit));
	EXPECT_EQ(0, audit_total(&self->audit));
	EXPECT_EQ(0, self->audit.holdings);
	EXPECT_EQ(0, self->audit.busy_holdings);
	EXPECT_EQ(0, self->audit.first_handle);
	EXPECT_ERRNO(ENOENT, session_audit(self->fd, 1, &self->audit));
}

TEST_F(asked, after_the_dead_man)
{
	struct param deadman = { 0 };
	struct memstress_ledger ledger;
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);

	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, param_set_number(&deadman, "deadman_ms", 1));
	while (session_total_bytes() != self->scope.total_bytes)
		ASSERT_TRUE(clock_poll(deadline));
	EXPECT_EQ(0, param_restore(&deadman));
	EXPECT_ERRNO(ESTALE, session_ledger(self->fd, 0, &ledger));
	EXPECT_ERRNO(ESTALE, session_audit(self->fd, 0, &self->audit));
	EXPECT_ERRNO(ESTALE, session_audit(self->fd, self->alloc.handle, &self->audit));
}

/*
 * The session dies in the middle of an AUDIT, which then frees what it was looking at. On a
 * fast machine it may take a pause for it to die.
 */
TEST_F_TIMEOUT(asked, until_the_dead_man_comes, TIMEOUT_S)
{
	struct memstress_alloc objects =
		session_request(MEMSTRESS_KIND_KMALLOC, 8, 200000, self->scope.target.fd);
	unsigned int round, audits = 0;
	__u64 deadline;

	for (round = 0; round < 5; round++) {
		struct memstress_alloc alloc = objects;
		struct param deadman = { 0 };
		int fd = session_open();
		int ret = session_alloc(fd, &alloc);

		ASSERT_EQ(0, ret);
		ASSERT_EQ(0, param_set_number(&deadman, "deadman_ms", 10));
		while (!ret) {
			ret = session_audit(fd, round % 2 ? alloc.handle : 0, &self->audit);
			if (!ret && ++audits % 64 == 0)
				clock_pause_ns(50 * NS_PER_MS);
		}
		EXPECT_ERRNO(ESTALE, ret);
		EXPECT_EQ(0, param_restore(&deadman));
		deadline = clock_deadline_ns(10 * NS_PER_S);
		while (session_total_bytes() != self->scope.total_bytes)
			ASSERT_TRUE(clock_poll(deadline));
		EXPECT_EQ(0, close(fd));
	}
	fprintf(stderr, "# %u audits in %u sessions\n", audits, round);
}

static void *alloc_and_free(void *data)
{
	struct _test_data_asked *self = data;
	struct memstress_alloc alloc = self->alloc;
	long refused = 0;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		if (session_alloc(self->fd, &alloc))
			return (void *)-1L;
		/* It may be just being audited */
		while (session_free(self->fd, alloc.handle, 0))
			refused++;
	}
	return (void *)refused;
}

TEST_F_TIMEOUT(asked, while_others_allocate_and_free, TIMEOUT_S)
{
	__u64 deadline = clock_deadline_ns(2 * NS_PER_S);
	unsigned int audits = 0, busy = 0;
	struct memstress_alloc kept = self->alloc;
	pthread_t thread;
	void *refused;

	kept.count = 7;
	ASSERT_EQ(0, session_alloc(self->fd, &kept));
	ASSERT_EQ(0, pthread_create(&thread, NULL, alloc_and_free, self));
	do {
		int ret = session_audit(self->fd, 0, &self->audit);

		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, self->audit.wrong_objects + self->audit.unowned_objects +
				     self->audit.unasked_objects);
		EXPECT_TRUE(self->audit.right_objects == 7 || self->audit.right_objects == 1007);
		EXPECT_EQ(1 + self->audit.right_objects / 1000, self->audit.holdings);
		audits++;
		busy += self->audit.busy_holdings;
	} while (clock_now_ns() < deadline);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, &refused));
	EXPECT_LE(0, (long)refused);
	fprintf(stderr, "# %u audits, %u holdings were busy, %ld frees refused\n", audits, busy,
		(long)refused);
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_F_TIMEOUT(asked, about_many, TIMEOUT_S)
{
	struct memstress_alloc small = session_request(MEMSTRESS_KIND_KMALLOC, 8,
						       clock_fewer(200000), self->scope.target.fd);
	__u64 begin;

	self->alloc.count = clock_fewer(40000);
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_alloc(self->fd, &small));
	begin = clock_now_ns();
	ASSERT_EQ(0, session_audit(self->fd, 0, &self->audit));
	fprintf(stderr, "# %llu objects audited in %llu ms\n", self->alloc.count + small.count,
		(clock_now_ns() - begin) / NS_PER_MS);
	EXPECT_EQ(self->alloc.count, self->audit.right_objects);
	EXPECT_EQ(small.count, self->audit.unasked_objects);
	EXPECT_EQ(2, self->audit.holdings);
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_HARNESS_MAIN
