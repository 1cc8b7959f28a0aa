// SPDX-License-Identifier: GPL-2.0
/* A session: what it holds, for how long, who may use it, and in which order it lets go. */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "books.h"
#include "clock.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"
#include "worker.h"

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

#define MANY_HOLDINGS 3000

FIXTURE(session)
{
	struct scope scope;
	int fd;
};

FIXTURE_SETUP(session)
{
	ASSERT_EQ(0, scope_create(&self->scope, "session", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(session)
{
	if (self->fd >= 0) {
		EXPECT_EQ(0, session_free_all(self->fd));
		EXPECT_EMPTY_LEDGER(self->fd);
		EXPECT_EQ(0, close(self->fd));
	}
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static const __u64 some_sizes[MEMSTRESS_KIND_END] = {
	[MEMSTRESS_KIND_PAGE] = 1,       [MEMSTRESS_KIND_KMALLOC] = 200,
	[MEMSTRESS_KIND_CACHE] = 300,    [MEMSTRESS_KIND_VMALLOC] = 10000,
	[MEMSTRESS_KIND_PERCPU] = 40,    [MEMSTRESS_KIND_EXACT] = 5000,
	[MEMSTRESS_KIND_KVMALLOC] = 700,
};

/* @count objects of a kind; the books as they must be, -errno if it went wrong */
static int hold(struct _test_data_session *self, int fd, __u32 kind, __u64 count, __u32 *handle,
		struct memstress_books *books)
{
	struct memstress_alloc alloc =
		session_request(kind, some_sizes[kind], count, self->scope.target.fd);
	int ret = session_alloc(fd, &alloc);

	*handle = alloc.handle;
	if (!ret && alloc.stop != MEMSTRESS_STOP_DONE)
		ret = -ENOMEM;
	return ret ? ret : books_derive(&alloc, count, books);
}

TEST_F(session, close_frees_all)
{
	struct memstress_books books;
	long long footprint = 0;
	int fd = session_open();
	__u32 kind, handle;

	ASSERT_LE(0, fd);
	for (kind = MEMSTRESS_KIND_PAGE; kind < MEMSTRESS_KIND_END; kind++) {
		ASSERT_EQ(0, hold(self, fd, kind, 100, &handle, &books));
		footprint += books.footprint_bytes;
		EXPECT_EQ(self->scope.total_bytes + footprint, session_total_bytes());
	}
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
}

TEST_F(session, last_descriptor_closes)
{
	struct memstress_books books;
	int fd = session_open();
	__u32 handle;
	int copy;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, hold(self, fd, MEMSTRESS_KIND_PAGE, 10, &handle, &books));
	copy = dup(fd);
	ASSERT_LE(0, copy);
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(self->scope.total_bytes + (long long)books.footprint_bytes,
		  session_total_bytes());
	EXPECT_EQ(0, session_free(copy, handle, 1));
	ASSERT_EQ(0, close(copy));
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
}

static int next_handle(int fd, __u32 handle, __u32 *next)
{
	struct memstress_ledger ledger = {
		.size = sizeof(ledger),
		.flags = MEMSTRESS_LEDGER_NEXT,
		.handle = handle,
	};
	int ret = session_ioctl(fd, MEMSTRESS_IOC_LEDGER, &ledger);

	*next = ledger.handle;
	return ret;
}

/* A walk finds exactly the @count holdings of @handles, in ascending order */
static bool walk_finds(int fd, const __u32 *handles, unsigned int count)
{
	__u32 handle = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (next_handle(fd, handle, &handle) || handle != handles[i])
			return false;
	return next_handle(fd, handle, &handle) == -ENOENT;
}

TEST_F(session, handles)
{
	struct memstress_ledger ledger;
	struct memstress_books books;
	__u32 handles[4];
	unsigned int i;

	EXPECT_TRUE(walk_finds(self->fd, NULL, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, hold(self, self->fd, MEMSTRESS_KIND_PAGE + i, 1 + i, &handles[i],
				  &books));
		EXPECT_LT(i ? handles[i - 1] : 0, handles[i]);
	}
	EXPECT_TRUE(walk_finds(self->fd, handles, 3));

	/* Gone with the last object, and its name is not given again at once */
	EXPECT_EQ(0, session_free(self->fd, handles[1], 1));
	EXPECT_EQ(0, session_ledger(self->fd, handles[1], &ledger));
	EXPECT_EQ(1, ledger.books.objects);
	EXPECT_EQ(0, session_free(self->fd, handles[1], 1));
	EXPECT_ERRNO(ENOENT, session_ledger(self->fd, handles[1], &ledger));
	EXPECT_ERRNO(ENOENT, session_free(self->fd, handles[1], 0));
	ASSERT_EQ(0, hold(self, self->fd, MEMSTRESS_KIND_PAGE, 1, &handles[3], &books));
	EXPECT_LT(handles[2], handles[3]);
	handles[1] = handles[2];
	handles[2] = handles[3];
	EXPECT_TRUE(walk_finds(self->fd, handles, 3));
}

/* The ledger's sum of a kind (0: of all) */
static bool sum_is(int fd, __u32 kind, const struct memstress_books *books, __u64 holdings)
{
	struct memstress_ledger ledger = { .size = sizeof(ledger), .kind = kind };

	return !session_ioctl(fd, MEMSTRESS_IOC_LEDGER, &ledger) && ledger.holdings == holdings &&
	       !ledger.in_flight && !!ledger.bookkeeping_bytes == !kind &&
	       books_equal(session_kind_name(kind), books, &ledger.books);
}

static void add_books(struct memstress_books *sum, const struct memstress_books *books)
{
	sum->objects += books->objects;
	sum->uncharged_objects += books->uncharged_objects;
	sum->requested_bytes += books->requested_bytes;
	sum->page_charged_bytes += books->page_charged_bytes;
	sum->byte_charged_bytes += books->byte_charged_bytes;
	sum->footprint_bytes += books->footprint_bytes;
}

/* More than are looked at in one go, and the last of them is the one that cannot be split */
TEST_F_TIMEOUT(session, many_holdings, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 1, 1, self->scope.target.fd);
	struct memstress_free req = {
		.size = sizeof(req),
		.flags = MEMSTRESS_FREE_ALL,
		.method = MEMSTRESS_FREE_SPLIT,
	};
	struct memstress_ledger ledger;
	unsigned int i;

	alloc.flags |= MEMSTRESS_ALLOC_SPLITTABLE;
	for (i = 0; i < MANY_HOLDINGS; i++) {
		if (i == MANY_HOLDINGS - 1)
			alloc.flags &= ~MEMSTRESS_ALLOC_SPLITTABLE;
		ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	}
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &req));
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(MANY_HOLDINGS, ledger.holdings);
	EXPECT_EQ(0, session_free(self->fd, alloc.handle, 0));
	req.order = MEMSTRESS_FREE_LIFO;
	EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &req));
	EXPECT_EQ(MANY_HOLDINGS - 1, req.books.objects);
}

/* What names a payer can be settled: a descriptor that is none but of the path, too */
TEST_F(session, settles_by_path)
{
	int fd = open(self->scope.target.path, O_PATH | O_DIRECTORY);
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, fd);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(0, session_settle(self->fd, fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F(session, ledger_sums)
{
	struct memstress_books of_kind[MEMSTRESS_KIND_END] = {};
	struct memstress_books all = {}, books;
	__u32 kind, handle;

	EXPECT_TRUE(sum_is(self->fd, 0, &all, 0));
	for (kind = MEMSTRESS_KIND_PAGE; kind < MEMSTRESS_KIND_END; kind++) {
		ASSERT_EQ(0, hold(self, self->fd, kind, 10, &handle, &books));
		add_books(&of_kind[kind], &books);
		add_books(&all, &books);
		ASSERT_EQ(0, hold(self, self->fd, kind, 7, &handle, &books));
		add_books(&of_kind[kind], &books);
		add_books(&all, &books);
		EXPECT_TRUE(sum_is(self->fd, kind, &of_kind[kind], 2));
		EXPECT_TRUE(sum_is(self->fd, 0, &all, 2 * kind));
	}
	for (kind = MEMSTRESS_KIND_PAGE; kind < MEMSTRESS_KIND_END; kind++)
		EXPECT_TRUE(sum_is(self->fd, kind, &of_kind[kind], 2));
}

FIXTURE(order)
{
	struct _test_data_session session;
};

FIXTURE_VARIANT(order)
{
	__u32 order;
	__u64 seed;
};

#define VARIANT(_name, _ORDER, _seed)                            \
	FIXTURE_VARIANT_ADD(order, _name)                        \
	{                                                        \
		.order = MEMSTRESS_FREE_##_ORDER, .seed = _seed, \
	}

VARIANT(fifo, FIFO, 0);
VARIANT(lifo, LIFO, 0);
VARIANT(random_seed_0, RANDOM, 0);
VARIANT(random_seed_1, RANDOM, 1);

FIXTURE_SETUP(order)
{
	session_setup(_metadata, &self->session, NULL);
}

FIXTURE_TEARDOWN(order)
{
	session_teardown(_metadata, &self->session, NULL);
}

/* Parts and wholes: the objects of each part, and what the ledger has left */
TEST_F(order, counts)
{
	const __u64 parts[] = { 1, 2, 300, 1, 0 };
	struct _test_data_session *session = &self->session;
	struct memstress_free req;
	struct memstress_ledger ledger;
	struct memstress_books books;
	__u64 left = 1000, expected;
	__u32 kind, handle;
	unsigned int i;

	for (kind = MEMSTRESS_KIND_PAGE; kind < MEMSTRESS_KIND_END; kind++, left = 1000) {
		ASSERT_EQ(0, hold(session, session->fd, kind, left, &handle, &books));
		for (i = 0; i < ARRAY_SIZE(parts); i++) {
			expected = parts[i] ? parts[i] : left;
			req = (struct memstress_free){
				.size = sizeof(req),
				.handle = handle,
				.order = variant->order,
				.seed = variant->seed,
				.count = parts[i],
			};
			ASSERT_EQ(0, session_ioctl(session->fd, MEMSTRESS_IOC_FREE, &req));
			EXPECT_EQ(expected, req.books.objects);
			EXPECT_LE(req.slowest_ns, req.total_ns);
			left -= expected;
			if (left) {
				ASSERT_EQ(0, session_ledger(session->fd, handle, &ledger));
				EXPECT_EQ(left, ledger.books.objects);
			}
		}
		EXPECT_ERRNO(ENOENT, session_ledger(session->fd, handle, &ledger));
	}
}

TEST_F(order, more_than_there_are)
{
	struct _test_data_session *session = &self->session;
	struct memstress_free req = {
		.size = sizeof(req),
		.order = variant->order,
		.seed = variant->seed,
		.count = 1000,
	};
	struct memstress_books books;

	ASSERT_EQ(0, hold(session, session->fd, MEMSTRESS_KIND_PAGE, 10, &req.handle, &books));
	EXPECT_EQ(0, session_ioctl(session->fd, MEMSTRESS_IOC_FREE, &req));
	EXPECT_TRUE(books_equal("freed", &books, &req.books));
}

/* FREE_ALL with a count goes over the holdings until it has enough */
TEST_F(order, all_holdings)
{
	struct _test_data_session *session = &self->session;
	struct memstress_free req = {
		.size = sizeof(req),
		.flags = MEMSTRESS_FREE_ALL,
		.order = variant->order,
		.seed = variant->seed,
		.count = 150,
	};
	struct memstress_ledger ledger;
	struct memstress_books books;
	__u32 kind, handle;

	for (kind = MEMSTRESS_KIND_PAGE; kind < MEMSTRESS_KIND_END; kind++)
		ASSERT_EQ(0, hold(session, session->fd, kind, 100, &handle, &books));
	ASSERT_EQ(0, session_ioctl(session->fd, MEMSTRESS_IOC_FREE, &req));
	EXPECT_EQ(150, req.books.objects);
	ASSERT_EQ(0, session_ledger(session->fd, 0, &ledger));
	EXPECT_EQ(100 * (MEMSTRESS_KIND_END - 1) - 150, ledger.books.objects);
	EXPECT_EQ(MEMSTRESS_KIND_END - 2, ledger.holdings);
	req.count = 0;
	ASSERT_EQ(0, session_ioctl(session->fd, MEMSTRESS_IOC_FREE, &req));
	EXPECT_EQ(100 * (MEMSTRESS_KIND_END - 1) - 150, req.books.objects);
}

/* The exit status of a child that runs @function with @fd */
static int in_child(int (*function)(struct scope *scope, int fd, __u32 handle), struct scope *scope,
		    int fd, __u32 handle)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(function(scope, fd, handle));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Returns the number of the step that went wrong */
static int use_inherited(struct scope *scope, int fd, __u32 handle)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
	struct memstress_ledger ledger;
	struct memstress_info info;

	if (session_alloc(fd, &alloc) != -EACCES)
		return 1;
	if (session_ledger(fd, handle, &ledger) || ledger.books.objects != 10)
		return 2;
	if (session_free(fd, handle, 3))
		return 3;
	if (session_info(fd, 0, &info))
		return 4;
	return 0;
}

TEST_F(session, child_may_free_not_alloc)
{
	struct memstress_ledger ledger;
	struct memstress_books books;
	__u32 handle;

	ASSERT_EQ(0, hold(self, self->fd, MEMSTRESS_KIND_PAGE, 10, &handle, &books));
	EXPECT_EQ(0, in_child(use_inherited, &self->scope, self->fd, handle));
	/* The child is gone, and what it left is still there */
	ASSERT_EQ(0, session_ledger(self->fd, handle, &ledger));
	EXPECT_EQ(7, ledger.books.objects);
}

/* What the program does when it is executed by itself: ALLOC with what it was given */
static int after_exec(int fd, int payer_fd)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, payer_fd);
	struct memstress_ledger ledger;

	if (session_alloc(fd, &alloc) || alloc.stop != MEMSTRESS_STOP_DONE)
		return 1;
	if (session_ledger(fd, 0, &ledger) || ledger.books.objects != 11)
		return 2;
	return 0;
}

static int open_and_exec(struct scope *scope, int unused, __u32 also_unused)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 10, scope->target.fd);
	int fd = open(MEMSTRESS_DEVICE, O_RDWR);
	int payer_fd = fcntl(scope->target.fd, F_DUPFD, 0);
	char fd_text[16], payer_text[16];

	(void)unused;
	(void)also_unused;
	if (fd < 0 || payer_fd < 0 || session_alloc(fd, &alloc))
		return 100;
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(payer_text, sizeof(payer_text), "%d", payer_fd);
	execl("/proc/self/exe", "test_session", fd_text, payer_text, NULL);
	return 101;
}

TEST_F(session, kept_over_exec)
{
	EXPECT_EQ(0, in_child(open_and_exec, &self->scope, -1, 0));
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
}

struct thread {
	pthread_t id;
	int fd;
	struct memstress_alloc alloc;
	struct memstress_free free;
	int ret;
};

static void *thread_alloc(void *arg)
{
	struct thread *thread = arg;

	thread->ret = session_alloc(thread->fd, &thread->alloc);
	return NULL;
}

static void *thread_free(void *arg)
{
	struct thread *thread = arg;

	thread->ret = session_ioctl(thread->fd, MEMSTRESS_IOC_FREE, &thread->free);
	return NULL;
}

TEST_F_TIMEOUT(session, threads_alloc_at_once, TIMEOUT_S)
{
	struct memstress_ledger ledger;
	struct memstress_books books;
	struct thread threads[4];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i].fd = self->fd;
		threads[i].alloc =
			session_request(MEMSTRESS_KIND_KMALLOC, 64, 20000, self->scope.target.fd);
		ASSERT_EQ(0, pthread_create(&threads[i].id, NULL, thread_alloc, &threads[i]));
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_join(threads[i].id, NULL));
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		EXPECT_EQ(0, threads[i].ret);
		EXPECT_EQ(MEMSTRESS_STOP_DONE, threads[i].alloc.stop);
		ASSERT_EQ(0, books_derive(&threads[i].alloc, 20000, &books));
		EXPECT_TRUE(books_equal("thread", &books, &threads[i].alloc.books));
		for (j = 0; j < i; j++)
			EXPECT_NE(threads[j].alloc.handle, threads[i].alloc.handle);
	}
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(80000, ledger.books.objects);
	EXPECT_EQ(ARRAY_SIZE(threads), ledger.holdings);
	EXPECT_EQ(0, ledger.in_flight);
}

/*
 * A FREE that is in flight has not begun yet, or is over when somebody looks, if the host is
 * busy; so this is tried until it is met in between.
 */
TEST_F_TIMEOUT(session, busy_while_freed, TIMEOUT_S)
{
	__u64 deadline = clock_deadline_ns(30 * NS_PER_S);
	struct thread thread = { .fd = self->fd };
	struct memstress_ledger ledger;
	struct memstress_books books;
	bool met;

	do {
		thread.free = (struct memstress_free){
			.size = sizeof(thread.free),
			.order = MEMSTRESS_FREE_RANDOM,
			.seed = 1,
		};
		ASSERT_EQ(0, hold(self, self->fd, MEMSTRESS_KIND_KMALLOC, 200000,
				  &thread.free.handle, &books));
		ASSERT_EQ(0, pthread_create(&thread.id, NULL, thread_free, &thread));
		do {
			ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
		} while (!ledger.in_flight && ledger.books.objects);
		met = session_free(self->fd, thread.free.handle, 1) == -EBUSY;
		/* FREE_ALL leaves out what others work on */
		EXPECT_ERRNO(0, session_free_all(self->fd));
		met = met && !session_ledger(self->fd, thread.free.handle, &ledger);
		ASSERT_EQ(0, pthread_join(thread.id, NULL));
	} while (!met && clock_now_ns() < deadline);
	EXPECT_TRUE(met);
	EXPECT_LT(0, ledger.books.objects);
	EXPECT_EQ(0, thread.ret);
	EXPECT_TRUE(books_equal("freed", &books, &thread.free.books));
	EXPECT_ERRNO(ENOENT, session_free(self->fd, thread.free.handle, 1));
}

TEST_F_TIMEOUT(session, deadline, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_KMALLOC, 8, 1000000000, self->scope.target.fd);
	struct memstress_books books;
	__u64 begin = clock_now_ns();

	alloc.deadline_ns = 20 * NS_PER_MS;
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_LE(20 * NS_PER_MS, clock_now_ns() - begin);
	EXPECT_EQ(MEMSTRESS_STOP_DEADLINE, alloc.stop);
	EXPECT_LT(0, alloc.books.objects);
	EXPECT_GT(alloc.count, alloc.books.objects);
	EXPECT_EQ(0, alloc.failures);
	ASSERT_EQ(0, books_derive(&alloc, alloc.books.objects, &books));
	EXPECT_TRUE(books_equal("deadline", &books, &alloc.books));
}

/*
 * Fails at the limit without the OOM killer. What other CPUs have in stock is not to
 * be had at that moment: try_charge_memcg() asks for it once, and does not wait until
 * it is given back (drain_all_stock()).
 */
TEST_F(session, max_failures)
{
	const struct memstress_info *info = &self->scope.info;
	long long in_stocks = info->charge_batch_pages * (info->online_cpus - 1);
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1000, self->scope.target.fd);
	__u32 failures;

	ASSERT_EQ(0,
		  cgroup_write_number(&self->scope.target, "memory.max", 256 * books_page_size()));
	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	for (failures = 0; failures < 4; failures++) {
		alloc.max_failures = failures;
		ASSERT_EQ(0, session_alloc(self->fd, &alloc));
		EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc.stop);
		EXPECT_EQ(failures + 1, alloc.failures);
		EXPECT_EQ(ENOMEM, alloc.first_errno);
		EXPECT_GE(256, alloc.books.objects);
		EXPECT_LE(256 - in_stocks, (long long)alloc.books.objects);
		EXPECT_EQ(0, session_free(self->fd, alloc.handle, 0));
	}
	EXPECT_EQ(0, cgroup_read_key(&self->scope.target, "memory.events", "oom"));
}

static __u32 session_flags(int fd)
{
	struct memstress_ledger ledger;

	return session_ledger(fd, 0, &ledger) ? ~0U : ledger.session_flags;
}

/* Returns the number of the step that went wrong */
static int use_shared(struct scope *scope, int fd, __u32 handle)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 3, scope->target.fd);

	(void)handle;
	if (session_share(fd, false) != -EACCES || session_share(fd, true) != -EACCES)
		return 1;
	if (session_alloc(fd, &alloc) || alloc.stop != MEMSTRESS_STOP_DONE)
		return 2;
	return 0;
}

TEST_F(session, shared_by_the_opener)
{
	struct memstress_ledger ledger;
	struct memstress_books books;
	__u32 handle;

	EXPECT_EQ(0, session_flags(self->fd));
	ASSERT_EQ(0, hold(self, self->fd, MEMSTRESS_KIND_PAGE, 10, &handle, &books));
	ASSERT_EQ(0, session_share(self->fd, true));
	EXPECT_EQ(MEMSTRESS_SETUP_SHARED, session_flags(self->fd));
	EXPECT_EQ(0, in_child(use_shared, &self->scope, self->fd, handle));
	/* The child is gone, what it made is not */
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(13, ledger.books.objects);

	ASSERT_EQ(0, session_share(self->fd, false));
	EXPECT_EQ(0, session_flags(self->fd));
	EXPECT_EQ(0, in_child(use_inherited, &self->scope, self->fd, handle));
}

#define NOBODY 65534

/* The opener's privilege is not lent to who has none */
static int use_shared_as_nobody(struct scope *scope, int fd, __u32 handle)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
	struct memstress_alloc unpaid = alloc;

	(void)handle;
	unpaid.flags = 0;
	unpaid.payer_fd = MEMSTRESS_PAYER_CALLER;
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return 1;
	if (session_alloc(fd, &alloc) != -EPERM)
		return 2;
	if (session_alloc(fd, &unpaid) != -EPERM)
		return 3;
	return 0;
}

/* Nor the caller's to who had none when the session was opened */
static int use_shared_of_nobody(struct scope *scope, int unused, __u32 also_unused)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
	int fd;

	(void)unused;
	(void)also_unused;
	if (chmod(MEMSTRESS_DEVICE, 0666))
		return 1;
	fd = seteuid(NOBODY) ? -1 : session_open();
	if (chmod(MEMSTRESS_DEVICE, 0600) != -1 || seteuid(0) || chmod(MEMSTRESS_DEVICE, 0600))
		return 2;
	if (fd < 0 || session_share(fd, true))
		return 3;
	return session_alloc(fd, &alloc) == -EPERM ? 0 : 4;
}

TEST_F(session, shared_privilege)
{
	ASSERT_EQ(0, session_share(self->fd, true));
	EXPECT_EQ(0, in_child(use_shared_as_nobody, &self->scope, self->fd, 0));
	EXPECT_EQ(0, in_child(use_shared_of_nobody, &self->scope, self->fd, 0));
	/* Who has both does it */
	EXPECT_EQ(0, in_child(use_shared, &self->scope, self->fd, 0));
}

/* A process in the target that allocates in a session of others, until it is killed */
static pid_t start_payer(struct _test_data_session *self, struct memstress_alloc *alloc)
{
	pid_t pid = cgroup_fork(&self->scope.target);

	if (pid)
		return pid;
	if (session_alloc(self->fd, alloc))
		_exit(1);
	for (;;)
		pause();
}

/* In memory that outlives whoever fills it in */
static struct memstress_alloc *shared_alloc(__u64 count)
{
	struct memstress_alloc *alloc = mmap(NULL, sizeof(*alloc), PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (alloc != MAP_FAILED) {
		*alloc = session_request(MEMSTRESS_KIND_PAGE, 0, count, MEMSTRESS_PAYER_CALLER);
		alloc->stop = MEMSTRESS_STOP_END;
	}
	return alloc;
}

static bool is_made(struct memstress_alloc *alloc)
{
	__u64 deadline = clock_deadline_ns(30 * NS_PER_S);

	while (__atomic_load_n(&alloc->stop, __ATOMIC_ACQUIRE) == MEMSTRESS_STOP_END)
		if (!clock_poll(deadline))
			return false;
	return true;
}

TEST_F_TIMEOUT(session, shared_charge_outlives_its_payer, TIMEOUT_S)
{
	struct memstress_alloc *alloc = shared_alloc(1000);
	struct memstress_ledger before_ledger, ledger;
	const struct charge nothing = { 0 };
	struct scope_snapshot before;
	struct violation violation;
	struct charge charge = { 0 };
	struct memstress_books books;
	__u64 waited_ns;
	int status, ret, twins[2];
	unsigned int i;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, alloc);
	ASSERT_EQ(0, session_share(self->fd, true));
	ASSERT_EQ(0, session_ledger(self->fd, 0, &before_ledger));
	ASSERT_EQ(0, scope_baseline(&self->scope, &before));

	pid = start_payer(self, alloc);
	ASSERT_LT(0, pid);
	ASSERT_TRUE(is_made(alloc));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	EXPECT_EQ(self->scope.target.id, alloc->payer_id);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));

	/* What is left of it is its objects, and the row in the ledger, which it paid, too */
	ASSERT_EQ(0, books_derive(alloc, 1000, &books));
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_TRUE(books_equal("outlives", &books, &ledger.books));
	charge_add(&charge, MEMSTRESS_KIND_PAGE, &books);
	charge_add_slab(&charge, ledger.bookkeeping_bytes - before_ledger.bookkeeping_bytes);
	ret = scope_law_await(&self->scope, &before, &charge, BALANCE_HELD, &violation, &waited_ns);
	balance_report("outlives", ret, &violation);
	EXPECT_EQ(0, ret);
	/*
	 * The row in the ledger fills no page; where only pages are counted, the law leaves one
	 * for it, and it takes two to be seen.
	 */
	if (snapshot_tells_bytes())
		EXPECT_TRUE(twin_page_is_seen(&self->scope, &before, &charge, BALANCE_HELD));
	for (i = 0; i < ARRAY_SIZE(twins); i++) {
		twins[i] = twin_open_page(&self->scope);
		ASSERT_LE(0, twins[i]);
	}
	EXPECT_LT(0, scope_law(&self->scope, &before, &charge, BALANCE_HELD, &violation));
	for (i = 0; i < ARRAY_SIZE(twins); i++)
		EXPECT_EQ(0, close(twins[i]));

	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
	ret = scope_law_await(&self->scope, &before, &nothing, BALANCE_HELD, &violation,
			      &waited_ns);
	balance_report("closed", ret, &violation);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, munmap(alloc, sizeof(*alloc)));
}

/* The wait status of a process that wants some memory in the target */
static int newcomer(struct scope *scope, size_t bytes)
{
	pid_t pid = cgroup_fork(&scope->target);
	int status;

	if (!pid) {
		/* Not malloc(), which the compiler may leave out with its memset() */
		void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, 1, bytes);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

/*
 * Who holds the descriptor lives elsewhere, so the kill of the payer frees nothing, and the next
 * one in the cgroup is killed for what is not its own.
 */
TEST_F_TIMEOUT(session, shared_charge_kills_the_next, TIMEOUT_S)
{
	const long long max = 16 << 20;
	struct memstress_alloc *alloc = shared_alloc(max);
	struct memstress_ledger ledger;
	struct memstress_books books;
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, alloc);
	ASSERT_EQ(0, session_share(self->fd, true));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", max));
	EXPECT_EQ(0, newcomer(&self->scope, max / 2));
	pid = start_payer(self, alloc);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(MEMSTRESS_STOP_KILLED, alloc->stop);
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	ASSERT_EQ(0, books_derive(alloc, alloc->books.objects, &books));
	EXPECT_TRUE(books_equal("stays", &books, &ledger.books));
	/* The payer's own memory was a part of the limit, and not half of it */
	EXPECT_LT(max, (long long)books.page_charged_bytes + max / 2);

	status = newcomer(&self->scope, max / 2);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, newcomer(&self->scope, max / 2));
	EXPECT_EQ(0, munmap(alloc, sizeof(*alloc)));
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return after_exec(atoi(argv[1]), atoi(argv[2]));
	return test_harness_run(argc, argv);
}
