// SPDX-License-Identifier: GPL-2.0
/*
 * The law of conservation for the allocators that take no lock: they may refuse at any time,
 * but what they give is charged to the byte, also when they were called in an interrupt of
 * somebody who holds the locks.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "books.h"
#include "cpu.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"

LAW("what alloc_pages_nolock() and kmalloc_nolock() give is charged to the byte");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

/* As much as meets others often enough */
#define CONTEND_BYTES   (16 << 20)
#define CONTEND_OBJECTS 20000
#define CONTEND_NS      (500 * NS_PER_MS)
#define CHURN_OBJECTS   100

/* Before any test: fixtures cannot skip on older kernels' harness */
static void __attribute__((constructor)) skip_without_nolock(void)
{
	struct memstress_info info;
	int fd = session_open();

	if (fd < 0 || session_info(fd, 0, &info))
		return;
	close(fd);
	if (!(info.policies & (1ULL << MEMSTRESS_POLICY_NOLOCK)))
		ksft_exit_skip("this kernel does not export alloc_pages_nolock()\n");
}

FIXTURE(nolock)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_books one;
	struct memstress_alloc alloc;
	struct violation violation;
	struct charge charge;
	int fd;
	int cpu; /* the other one, if there is any */
};

FIXTURE_VARIANT(nolock)
{
	__u32 kind;
	__u64 size;  /* or order */
	__u64 never; /* that is refused for good */
};

#define VARIANT(_name, _kind, _size, _never)                                    \
	FIXTURE_VARIANT_ADD(nolock, _name)                                      \
	{                                                                       \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .never = _never, \
	}

VARIANT(page_0, PAGE, 0, 4);
VARIANT(page_3, PAGE, 3, 10);
VARIANT(kmalloc_64, KMALLOC, 64, 1 << 20);
VARIANT(kmalloc_1024, KMALLOC, 1024, 8193);

FIXTURE_SETUP(nolock)
{
	ASSERT_EQ(0, scope_create(&self->scope, "nolock", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	/* See test_attribution: one objcg, so one node */
	self->cpu = self->scope.info.online_nodes > 1 ? 0 : cpu_last_online();
	ASSERT_LE(0, self->cpu);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, books_derive_one(&self->alloc, &self->one));
	self->alloc.policy = MEMSTRESS_POLICY_NOLOCK;
	self->alloc.max_failures = ~0U;
	self->alloc.deadline_ns = CONTEND_NS * clock_slowness();
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(nolock)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int law(struct _test_data_nolock *self, const char *when)
{
	int ret = scope_law(&self->scope, &self->before, &self->charge, BALANCE_ALL,
			    &self->violation);

	balance_report(when, ret, &self->violation);
	return ret;
}

static int make(struct _test_data_nolock *self, __u32 context, int cpu, __u64 count)
{
	struct memstress_books expected;
	int ret;

	self->alloc.context = context;
	self->alloc.count = count;
	self->alloc.cpu = 0;
	self->alloc.flags &= ~MEMSTRESS_ALLOC_CPU;
	if (context != MEMSTRESS_CONTEXT_TASK) {
		self->alloc.flags |= MEMSTRESS_ALLOC_CPU;
		self->alloc.cpu = cpu;
	}
	ret = session_alloc(self->fd, &self->alloc);
	if (!ret)
		ret = books_derive(&self->alloc, self->alloc.books.objects, &expected);
	if (ret)
		return ret;
	if (!books_equal("alloc", &expected, &self->alloc.books))
		return -ERANGE;
	/* Refusals end nothing here, and what was refused is said */
	if (self->alloc.stop != MEMSTRESS_STOP_DONE && self->alloc.stop != MEMSTRESS_STOP_DEADLINE)
		return -ERANGE;
	if (!self->alloc.failures != !self->alloc.first_errno)
		return -ERANGE;
	charge_add(&self->charge, self->alloc.kind, &expected);
	fprintf(stderr, "# %s %llu in %s: %llu objects, %llu refused\n",
		session_kind_name(self->alloc.kind),
		self->alloc.object_size ? self->alloc.object_size : self->alloc.order,
		session_context_name(context), self->alloc.books.objects, self->alloc.failures);
	return 0;
}

static int give_back(struct _test_data_nolock *self, __u32 context, int cpu)
{
	struct memstress_free request = {
		.size = sizeof(request),
		.flags = MEMSTRESS_FREE_ALL,
		.context = context,
	};

	if (context != MEMSTRESS_CONTEXT_TASK) {
		request.flags |= MEMSTRESS_FREE_CPU;
		request.cpu = cpu;
	}
	memset(&self->charge, 0, sizeof(self->charge));
	return session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &request);
}

static __u64 whole(const struct _test_data_nolock *self, __u64 count)
{
	__u64 step = books_whole_pages(&self->one);

	return count < step ? step : count / step * step;
}

TEST_F_TIMEOUT(nolock, in_each_context, TIMEOUT_S)
{
	__u32 context, last = MEMSTRESS_CONTEXT_END - 1;

	for (context = 0; context < MEMSTRESS_CONTEXT_END; context++) {
		if (!(self->scope.info.contexts & (1ULL << context)))
			continue;
		ASSERT_EQ(0, make(self, context, self->cpu, whole(self, 200)));
		/* Nobody is in the way but the machine itself */
		EXPECT_LT(0, self->alloc.books.objects);
		EXPECT_EQ(0, law(self, "held"));
		EXPECT_EQ(0, give_back(self, last - context, self->cpu));
	}
	EXPECT_EQ(0, law(self, "freed"));
}

TEST_F(nolock, refuses_what_never_comes)
{
	struct memstress_alloc alloc = self->alloc;

	if (variant->kind == MEMSTRESS_KIND_PAGE)
		alloc.order = variant->never;
	else
		alloc.object_size = variant->never;
	EXPECT_ERRNO(EOPNOTSUPP, session_alloc(self->fd, &alloc));
	alloc = self->alloc;
	alloc.node = 0;
	EXPECT_ERRNO(EOPNOTSUPP, session_alloc(self->fd, &alloc));
}

/* Makes and frees such objects on @cpu, with locks, until it is killed or told to end */
static pid_t start_churning(struct _test_data_nolock *self, int cpu, const int *end)
{
	struct memstress_alloc alloc = self->alloc;
	pid_t pid;
	int fd;

	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alloc.policy = MEMSTRESS_POLICY_KERNEL;
	alloc.count = CHURN_OBJECTS;
	alloc.deadline_ns = 0;
	fd = session_open();
	if (fd < 0 || cpu_run_on(cpu))
		_exit(1);
	while (!__atomic_load_n(end, __ATOMIC_RELAXED))
		if (session_alloc(fd, &alloc) || alloc.stop || session_free_all(fd))
			_exit(2);
	_exit(0);
}

/*
 * The interrupted task is in the middle of the same caches and lists, on one CPU; on the other
 * one, too, whose list of partial slabs is the same.
 */
TEST_F_TIMEOUT(nolock, contended, TIMEOUT_S)
{
	const __u64 count = CONTEND_BYTES / self->one.footprint_bytes;
	int *end =
		mmap(NULL, sizeof(*end), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int cpus[2] = { 0, self->cpu };
	pid_t pids[2];
	int status, i;

	/* Each node has an objcg of its own (7.3), and each of them rounds up to a page */
	if (self->one.byte_charged_bytes && cpu_count_nodes() > 1)
		SKIP(return, "how many of the objects are of which node is not known");

	ASSERT_NE(MAP_FAILED, end);
	for (i = 0; i < 2; i++) {
		pids[i] = start_churning(self, cpus[i], end);
		ASSERT_LT(0, pids[i]);
	}
	for (i = 0; i < 2; i++) {
		__u64 objects = count < clock_fewer(CONTEND_OBJECTS) ? count :
								       clock_fewer(CONTEND_OBJECTS);

		EXPECT_EQ(0, make(self, MEMSTRESS_CONTEXT_TASK, 0, objects / 4));
		EXPECT_EQ(0, make(self, MEMSTRESS_CONTEXT_HARDIRQ, cpus[i], objects / 2));
	}
	__atomic_store_n(end, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, law(self, "held"));
	EXPECT_EQ(0, give_back(self, MEMSTRESS_CONTEXT_HARDIRQ, self->cpu));
	EXPECT_EQ(0, law(self, "freed"));
	EXPECT_EQ(0, munmap(end, sizeof(*end)));
}

/*
 * At the limit it neither reclaims nor calls the OOM killer, and takes no batch to the stock:
 * pages are refused when the next one does not fit (try_charge_memcg() in mm/memcontrol.c).
 */
TEST_F(nolock, refused_at_the_limit)
{
	const long long room = CONTEND_BYTES / 16;
	long long usage = snapshot_value(&self->before.target, "usage");
	__u64 fit = room / (self->one.page_charged_bytes + self->one.byte_charged_bytes);

	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", usage + room));
	self->alloc.max_failures = 0;
	self->alloc.deadline_ns = 0;
	self->alloc.count = 2 * fit;
	self->alloc.context = MEMSTRESS_CONTEXT_HARDIRQ;
	EXPECT_EQ(0, session_alloc(self->fd, &self->alloc));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, self->alloc.stop);
	EXPECT_EQ(1, self->alloc.failures);
	EXPECT_EQ(ENOMEM, self->alloc.first_errno);
	/* Bytes are charged by the page, so the last page may be a part */
	EXPECT_GE(fit, self->alloc.books.objects);
	if (variant->kind == MEMSTRESS_KIND_PAGE)
		EXPECT_EQ(fit, self->alloc.books.objects);
	EXPECT_EQ(0, cgroup_read_key(&self->scope.target, "memory.events", "oom"));

	/* With room again to settle in */
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.max", "max"));
	charge_add(&self->charge, self->alloc.kind, &self->alloc.books);
	EXPECT_EQ(0, law(self, "at the limit"));
	EXPECT_EQ(0, give_back(self, MEMSTRESS_CONTEXT_TASK, 0));
	EXPECT_EQ(0, law(self, "freed"));
}

TEST_F_TIMEOUT(nolock, red_twin, TIMEOUT_S)
{
	ASSERT_EQ(0, make(self, MEMSTRESS_CONTEXT_HARDIRQ, self->cpu, whole(self, 1)));
	/* What was refused is missing: see the red twin of test_conservation */
	while (self->charge.byte_bytes % books_page_size())
		ASSERT_EQ(0, make(self, MEMSTRESS_CONTEXT_TASK, 0, 1));
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));
	EXPECT_EQ(0, give_back(self, MEMSTRESS_CONTEXT_TASK, 0));
}

TEST_HARNESS_MAIN
