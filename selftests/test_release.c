// SPDX-License-Identifier: GPL-2.0
/*
 * The law of release: what a killed process was charged comes back, all of it and soon; and
 * what outlives it, because somebody else has it, is still charged to the byte until it is
 * freed.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "books.h"
#include "cpu.h"
#include "memstress_test.h"
#include "moves.h"
#include "scope.h"
#include "twin.h"
#include "user_memory.h"
#include "worker.h"

LAW("a killed process's charge is back within a bound; what outlives its payer stays charged");

#define LIMIT_BYTES  (256 << 20)
#define CHARGE_BYTES (32ULL << 20)
#define MAX_OBJECTS  100000
#define TIMEOUT_S    120

/* The middle of an ALLOC that takes some 100 ms, under emulation */
#define MIDDLE_NS (20 * NS_PER_MS)

static const struct charge nothing;

FIXTURE(kernel_memory)
{
	struct scope scope;
	struct scope_snapshot empty; /* nobody inside */
	struct memstress_alloc alloc;
	struct charge charge;
	struct violation violation;
	struct worker worker;
	long long bound; /* what the stocks may hold */
	int fd;
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

VARIANT(page, PAGE, 0);
VARIANT(page_9, PAGE, 9);
VARIANT(kmalloc, KMALLOC, 96);
VARIANT(kmalloc_large, KMALLOC, 65536);
VARIANT(cache, CACHE, 200);
VARIANT(vmalloc, VMALLOC, 65536);
VARIANT(percpu, PERCPU, 256);

FIXTURE_SETUP(kernel_memory)
{
	struct memstress_books one;

	ASSERT_EQ(0, scope_create(&self->scope, "release", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	self->alloc.count = CHARGE_BYTES / (one.page_charged_bytes + one.byte_charged_bytes);
	if (self->alloc.count > clock_fewer(MAX_OBJECTS))
		self->alloc.count = clock_fewer(MAX_OBJECTS);
	/* What does not fill a page is rounded up as a whole, whoever else has some of it */
	if (one.byte_charged_bytes)
		self->alloc.count -= self->alloc.count % books_whole_pages(&one);
	self->bound = balance_stock_bound(&self->scope.info, one.byte_charged_bytes);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
}

FIXTURE_TEARDOWN(kernel_memory)
{
	worker_kill(&self->worker);
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Newer kernels have an objcg for each node: all that it does is to be charged to the same one */
static int start(struct worker *worker, const struct cgroup *cg)
{
	int ret = cpu_run_on(0), err;

	if (!ret)
		ret = worker_start(worker, cg);
	err = cpu_run_on(-1);
	return ret ? ret : err;
}

static long long target_usage(const struct scope *scope)
{
	return cgroup_read_number(&scope->target, "memory.current");
}

static int await(struct scope *scope, const struct scope_snapshot *before,
		 const struct charge *charge, const char *what)
{
	struct violation violation;
	__u64 waited_ns;
	int ret = scope_law_await(scope, before, charge, BALANCE_HELD, &violation, &waited_ns);

	balance_report(what, ret, &violation);
	fprintf(stderr, "# %s: all lines as they must be after %llu ms\n", what,
		waited_ns / NS_PER_MS);
	return ret;
}

static int die(struct worker *worker)
{
	int status, ret;

	if (kill(worker->pid, SIGKILL))
		return -errno;
	ret = worker_wait(worker, &status);
	if (!ret && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
		ret = -ECHILD;
	return ret;
}

/*
 * Its files are closed before it can be waited for (exit_files() and exit_notify() in
 * do_exit() of kernel/exit.c), so by then the stocks and what it had for itself are all that
 * there is.
 */
static void is_back(struct __test_metadata *_metadata, struct _test_data_kernel_memory *self,
		    long long own, const char *what)
{
	long long usage = target_usage(&self->scope) - snapshot_value(&self->empty.target, "usage");

	EXPECT_TRUE(law_equal(NULL, "what all sessions hold when it is dead",
			      self->scope.total_bytes, session_total_bytes()));
	EXPECT_TRUE(law_at_most(self->scope.target.path, "usage when it is dead", own + self->bound,
				usage));
	EXPECT_EQ(0, await(&self->scope, &self->empty, &nothing, what));
}

TEST_F_TIMEOUT(kernel_memory, killed_worker, TIMEOUT_S)
{
	struct memstress_books books;
	long long own;

	ASSERT_EQ(0, start(&self->worker, &self->scope.target));
	own = target_usage(&self->scope) - snapshot_value(&self->empty.target, "usage");
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	self->worker.page->alloc = self->alloc;
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	ASSERT_EQ(0, books_derive(&self->worker.page->alloc, self->alloc.count, &books));
	/* Or it would prove nothing that it is gone */
	EXPECT_TRUE(law_at_least(self->scope.target.path, "usage while it is held",
				 books.page_charged_bytes + books.byte_charged_bytes,
				 target_usage(&self->scope)));
	ASSERT_EQ(0, die(&self->worker));
	is_back(_metadata, self, own, "killed while it held");
}

TEST_F_TIMEOUT(kernel_memory, killed_while_it_allocates, TIMEOUT_S)
{
	long long own;

	ASSERT_EQ(0, start(&self->worker, &self->scope.target));
	own = target_usage(&self->scope) - snapshot_value(&self->empty.target, "usage");
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	self->worker.page->alloc = self->alloc;
	worker_tell(&self->worker, WORKER_ALLOC);
	clock_pause_ns(MIDDLE_NS);
	ASSERT_EQ(0, die(&self->worker));
	fprintf(stderr, "# killed when %llu of %llu objects were made\n",
		self->worker.page->alloc.books.objects, self->alloc.count);
	is_back(_metadata, self, own, "killed while it allocated");
}

/* The objects are another process's; who pays for them dies */
TEST_F_TIMEOUT(kernel_memory, outlives_its_payer, TIMEOUT_S)
{
	struct memstress_books books;

	ASSERT_EQ(0, start(&self->worker, &self->scope.target));
	self->alloc.payer_fd = self->worker.pid;
	self->alloc.flags |= MEMSTRESS_ALLOC_PAYER_PID;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, self->alloc.stop);
	EXPECT_EQ(self->scope.target.id, self->alloc.payer_id);
	ASSERT_EQ(0, books_derive(&self->alloc, self->alloc.count, &books));
	charge_add(&self->charge, variant->kind, &books);
	ASSERT_EQ(0, die(&self->worker));
	EXPECT_EQ(0, await(&self->scope, &self->empty, &self->charge, "outlives its payer"));
	ASSERT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, await(&self->scope, &self->empty, &nothing, "freed"));
}

/* Its own session, which somebody else holds open: so its rows and its file live on, too */
TEST_F_TIMEOUT(kernel_memory, outlives_its_maker, TIMEOUT_S)
{
	struct memstress_ledger ledger;
	struct memstress_books books;
	int pidfd, session;

	ASSERT_EQ(0, start(&self->worker, &self->scope.target));
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	self->worker.page->alloc = self->alloc;
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	ASSERT_EQ(0, books_derive(&self->worker.page->alloc, self->alloc.count, &books));
	pidfd = syscall(SYS_pidfd_open, self->worker.pid, 0);
	ASSERT_LE(0, pidfd);
	session = syscall(SYS_pidfd_getfd, pidfd, self->worker.page->fd, 0);
	ASSERT_LE(0, session);
	EXPECT_EQ(0, close(pidfd));
	ASSERT_EQ(0, die(&self->worker));

	ASSERT_EQ(0, session_ledger(session, 0, &ledger));
	EXPECT_EQ(self->alloc.count, ledger.books.objects);
	charge_add(&self->charge, variant->kind, &books);
	charge_add_slab(&self->charge, ledger.bookkeeping_bytes);
	charge_add_slab(&self->charge, books_accounted_object("filp"));
	EXPECT_EQ(0, await(&self->scope, &self->empty, &self->charge, "outlives its maker"));
	EXPECT_EQ(0, close(session));
	EXPECT_EQ(0, await(&self->scope, &self->empty, &nothing, "freed"));
}

TEST_F_TIMEOUT(kernel_memory, red_twin, TIMEOUT_S)
{
	ASSERT_EQ(0, start(&self->worker, &self->scope.target));
	ASSERT_EQ(0, die(&self->worker));
	ASSERT_EQ(0, await(&self->scope, &self->empty, &nothing, "killed"));
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->empty, &nothing, BALANCE_HELD));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->empty, &nothing, BALANCE_HELD));
	EXPECT_EQ(0, await(&self->scope, &self->empty, &nothing, "green again"));
}

FIXTURE(user_memory)
{
	struct scope scope;
	struct scope_snapshot empty;
	struct worker worker;
};

FIXTURE_VARIANT(user_memory)
{
	enum user_memory kind;
	unsigned long long bytes;
	bool outlives; /* the test has it, too */
	/* what it is without the mappings of the dead */
	enum user_memory dead;
};

#define USER_VARIANT(_name, _kind, _bytes, _outlives, _dead)                  \
	FIXTURE_VARIANT_ADD(user_memory, _name)                               \
	{                                                                     \
		.kind = USER_##_kind, .bytes = _bytes, .outlives = _outlives, \
		.dead = USER_##_dead,                                         \
	}

USER_VARIANT(anon, ANON, CHARGE_BYTES, false, ANON);
USER_VARIANT(thp, THP, CHARGE_BYTES, false, THP);
USER_VARIANT(page_tables, PAGETABLES, 64 << 12, false, PAGETABLES);
USER_VARIANT(sock, SOCK, 2 << 20, false, SOCK);
USER_VARIANT(stacks, STACKS, 1, false, STACKS);
USER_VARIANT(pipe, PIPE, 1 << 20, true, PIPE);
USER_VARIANT(shmem, SHMEM, 16 << 20, true, SHMEM);
USER_VARIANT(mapped, MAPPED, 16 << 20, true, SHMEM);
USER_VARIANT(file, FILE, 16 << 20, true, FILE);

FIXTURE_SETUP(user_memory)
{
	ASSERT_EQ(0, scope_create(&self->scope, "release", LIMIT_BYTES));
	ASSERT_EQ(0, user_memory_open());
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
}

FIXTURE_TEARDOWN(user_memory)
{
	worker_kill(&self->worker);
	user_memory_close();
	EXPECT_EQ(0, scope_remove(&self->scope));
}

TEST_F_TIMEOUT(user_memory, killed_worker, TIMEOUT_S)
{
	unsigned long long bytes = variant->bytes;
	struct moves left = { 0 };

	if (user_memory_missing(variant->kind))
		SKIP(return, "%s", user_memory_missing(variant->kind));
	ASSERT_EQ(0, start(&self->worker, &self->scope.target));
	ASSERT_EQ(0, worker_take(&self->worker, variant->kind, &bytes));
	/* Or it would prove nothing that it is gone; sockets are not in usage on v1 */
	if (!cgroup_is_v1() || variant->kind != USER_SOCK)
		EXPECT_LE(bytes, target_usage(&self->scope));
	ASSERT_EQ(0, die(&self->worker));
	if (variant->outlives) {
		user_memory_moves(&left, variant->dead, bytes, &self->empty.target);
		EXPECT_EQ(0,
			  scope_moves_await(&self->scope, &self->scope.target, &self->empty.target,
					    &left, MOVES_OF_PAYER, "outlives its payer"));
		/* What the test has of it */
		ASSERT_EQ(0, user_memory_give(variant->kind));
		user_memory_close();
	}
	EXPECT_EQ(0, await(&self->scope, &self->empty, &nothing, user_memory_name(variant->kind)));
}

TEST_HARNESS_MAIN
