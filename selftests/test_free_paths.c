// SPDX-License-Identifier: GPL-2.0
/*
 * The law of return for each way to free: by each method of each kind, in each context, on
 * another CPU, by another task, by one that is killed meanwhile, and when the cgroup that pays
 * is gone.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "books.h"
#include "cpu.h"
#include "fix.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"
#include "worker.h"

LAW("however and by whomever objects are freed, usage and all lines of memory.stat are back");

#define LIMIT_BYTES  (256 << 20)
#define CHARGE_BYTES (4 << 20)
#define MAX_OBJECTS  4096
#define TIMEOUT_S    60

/* Enough that a task can be killed before it has freed them */
#define MANY_BYTES   (64 << 20)
#define MANY_OBJECTS 65536

static const struct charge nothing;

FIXTURE(free_paths)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc alloc;
	struct memstress_free free;
	struct violation violation;
	struct charge lost;  /* what the kernel forgets to take off its lines */
	const char *missing; /* the fix that this kernel lacks and that would mend it */
	bool broken;         /* the law was, by that and nothing else */
	int fd;
};

FIXTURE_VARIANT(free_paths)
{
	__u32 kind;
	__u64 size; /* or order */
	__u32 flags;
	__u32 method;
};

#define VARIANT(_name, _kind, _size, _method)                                                      \
	FIXTURE_VARIANT_ADD(free_paths, _name)                                                     \
	{                                                                                          \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .method = MEMSTRESS_FREE_##_method, \
	}

#define VARIANT_SPLITTABLE(_name, _size, _method)                                               \
	FIXTURE_VARIANT_ADD(free_paths, _name)                                                  \
	{                                                                                       \
		.kind = MEMSTRESS_KIND_PAGE, .size = _size, .method = MEMSTRESS_FREE_##_method, \
		.flags = MEMSTRESS_ALLOC_SPLITTABLE,                                            \
	}

VARIANT(page_singly, PAGE, 0, SINGLY);
VARIANT(page_rcu, PAGE, 0, RCU);
VARIANT(page_3_rcu, PAGE, 3, RCU);
VARIANT_SPLITTABLE(page_3_splittable_singly, 3, SINGLY);
VARIANT_SPLITTABLE(page_3_splittable_rcu, 3, RCU);
VARIANT_SPLITTABLE(page_0_split, 0, SPLIT);
VARIANT_SPLITTABLE(page_3_split, 3, SPLIT);
VARIANT_SPLITTABLE(page_9_split, 9, SPLIT);
VARIANT(kmalloc_singly, KMALLOC, 96, SINGLY);
VARIANT(kmalloc_bulk, KMALLOC, 96, BULK);
VARIANT(kmalloc_rcu, KMALLOC, 16, RCU);
VARIANT(kmalloc_large_singly, KMALLOC, 20000, SINGLY);
VARIANT(kmalloc_large_bulk, KMALLOC, 20000, BULK);
VARIANT(kmalloc_large_rcu, KMALLOC, 20000, RCU);
VARIANT(cache_singly, CACHE, 200, SINGLY);
VARIANT(cache_bulk, CACHE, 200, BULK);
VARIANT(cache_rcu, CACHE, 200, RCU);
VARIANT(vmalloc_singly, VMALLOC, 20000, SINGLY);
VARIANT(vmalloc_rcu, VMALLOC, 20000, RCU);
VARIANT(percpu_singly, PERCPU, 64, SINGLY);
VARIANT(percpu_rcu, PERCPU, 64, RCU);
VARIANT(exact_singly, EXACT, 20000, SINGLY);
VARIANT(exact_rcu, EXACT, 20000, RCU);
VARIANT(kvmalloc_singly, KVMALLOC, 1024, SINGLY);
VARIANT(kvmalloc_rcu, KVMALLOC, 1024, RCU);

FIXTURE_SETUP(free_paths)
{
	struct memstress_books one;

	ASSERT_EQ(0, scope_create(&self->scope, "free-paths", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	self->alloc.flags |= variant->flags;
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));

	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	if (variant->method == MEMSTRESS_FREE_BULK && one.page_charged_bytes)
		self->missing = fix_missing(FIX_SLAB_STAT_OF_BULK_FREE);
	self->alloc.count = CHARGE_BYTES / (one.page_charged_bytes + one.byte_charged_bytes);
	if (self->alloc.count > MAX_OBJECTS)
		self->alloc.count = MAX_OBJECTS;
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(free_paths)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* All objects of the request, which @self->free then names */
static bool fill(struct _test_data_free_paths *self, __u32 method)
{
	if (session_alloc(self->fd, &self->alloc) || self->alloc.stop != MEMSTRESS_STOP_DONE)
		return false;
	self->free = (struct memstress_free){
		.size = sizeof(self->free),
		.handle = self->alloc.handle,
		.method = method,
	};
	return true;
}

/*
 * Without the fix, mm/slub.c build_detached_freelist() gave blocks of pages back to the page
 * allocator without taking them off the slab line, where kmalloc() had put them.
 */
static void lose(struct _test_data_free_paths *self, const struct memstress_books *books)
{
	if (self->missing)
		self->lost.slab_unreclaimable += books->page_charged_bytes;
}

/* Whether FREE says that it has freed @objects objects of the holding */
static bool freed(struct _test_data_free_paths *self, __u64 objects)
{
	struct memstress_books expected;
	__u64 uncharged = self->alloc.books.uncharged_objects;
	bool right;

	/* Which objects lie in the first percpu chunk only the module knows */
	self->alloc.books.uncharged_objects = self->free.books.uncharged_objects;
	right = !books_derive(&self->alloc, objects, &expected) &&
		books_equal("free", &expected, &self->free.books);
	self->alloc.books.uncharged_objects = uncharged;
	lose(self, &self->free.books);
	return right;
}

/* Of pages that vfree() leaves to a work item, nobody can wait for the end but by looking */
static bool is_deferred(__u32 kind, const struct memstress_free *free)
{
	return kind == MEMSTRESS_KIND_VMALLOC &&
	       (free->method == MEMSTRESS_FREE_RCU || free->context == MEMSTRESS_CONTEXT_SOFTIRQ ||
		free->context == MEMSTRESS_CONTEXT_HARDIRQ);
}

/* Holds also if the kernel has lost what it must lose without the fix, and says so in @broken */
static int law_of(struct _test_data_free_paths *self, enum balance_lines lines, bool await)
{
	struct violation violation;
	__u64 waited_ns;
	int ret;

	if (await && !self->lost.slab_unreclaimable)
		ret = scope_law_await(&self->scope, &self->before, &nothing, lines,
				      &self->violation, &waited_ns);
	else
		ret = scope_law(&self->scope, &self->before, &nothing, lines, &self->violation);
	if (ret <= 0 || !self->lost.slab_unreclaimable)
		return ret;
	self->broken = !scope_law_await(&self->scope, &self->before, &self->lost, lines, &violation,
					&waited_ns);
	return self->broken ? 0 : ret;
}

static int law(struct _test_data_free_paths *self)
{
	return law_of(self, BALANCE_ALL, is_deferred(self->alloc.kind, &self->free));
}

/* What the manual says of a method in a context */
static int expected_ret(__u32 method, __u32 context)
{
	if (method == MEMSTRESS_FREE_RCU && context != MEMSTRESS_CONTEXT_TASK)
		return -EOPNOTSUPP;
	if (method == MEMSTRESS_FREE_BULK && context == MEMSTRESS_CONTEXT_HARDIRQ)
		return -EOPNOTSUPP;
	return 0;
}

TEST_F_TIMEOUT(free_paths, contexts, TIMEOUT_S)
{
	__u64 part = (self->alloc.count + 2) / 3;
	__u32 context;
	int ret, err;

	for (context = 0; context < MEMSTRESS_CONTEXT_END; context++) {
		if (!(self->scope.info.contexts & (1ULL << context)))
			continue;
		ASSERT_TRUE(fill(self, variant->method));
		self->free.context = context;
		err = expected_ret(variant->method, context);
		EXPECT_ERRNO(-err, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
		if (err) {
			EXPECT_EQ(0, session_free_all(self->fd));
			continue;
		}
		EXPECT_TRUE(freed(self, self->alloc.count));

		/* A part from the middle, and then the rest of it */
		ASSERT_TRUE(fill(self, variant->method));
		self->free.context = context;
		self->free.order = MEMSTRESS_FREE_RANDOM;
		self->free.seed = context + 1;
		self->free.count = part;
		EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
		EXPECT_TRUE(freed(self, part));
		self->free.count = 0;
		EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
		EXPECT_TRUE(freed(self, self->alloc.count - part));
		ret = law(self);
		EXPECT_EQ(0, ret)
		balance_report(session_context_name(context), ret, &self->violation);
	}
	if (self->broken)
		XFAIL(return, "needs \"%s\"", self->missing);
}

/* Charged on one CPU and given back on another: by a task that has moved, by its kernel worker */
TEST_F_TIMEOUT(free_paths, other_cpu, TIMEOUT_S)
{
	int cpu = cpu_last_online();
	int ret;

	if (self->scope.info.online_cpus == 1)
		SKIP(return, "there is one CPU");

	ASSERT_EQ(0, cpu_run_on(0));
	ASSERT_TRUE(fill(self, variant->method));
	ASSERT_EQ(0, cpu_run_on(cpu));
	EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
	EXPECT_TRUE(freed(self, self->alloc.count));
	ASSERT_EQ(0, cpu_run_on(-1));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("another CPU", ret, &self->violation);

	ASSERT_EQ(0, cpu_run_on(0));
	ASSERT_TRUE(fill(self, variant->method));
	self->free.flags = MEMSTRESS_FREE_CPU;
	self->free.cpu = cpu;
	self->free.context = MEMSTRESS_CONTEXT_KWORKER;
	ret = expected_ret(variant->method, MEMSTRESS_CONTEXT_KWORKER);
	EXPECT_ERRNO(-ret, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
	ASSERT_EQ(0, cpu_run_on(-1));
	if (ret) {
		EXPECT_EQ(0, session_free_all(self->fd));
		return;
	}
	EXPECT_TRUE(freed(self, self->alloc.count));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("a kernel worker of another CPU", ret, &self->violation);
	if (self->broken)
		XFAIL(return, "needs \"%s\"", self->missing);
}

union fd_message {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static struct msghdr fd_message(union fd_message *control, struct iovec *byte)
{
	return (struct msghdr){
		.msg_iov = byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};
}

static int send_fd(int socket, int fd)
{
	char data = 0;
	struct iovec byte = { .iov_base = &data, .iov_len = 1 };
	union fd_message control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(fd)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	struct msghdr message = fd_message(&control, &byte);

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char data;
	struct iovec byte = { .iov_base = &data, .iov_len = 1 };
	union fd_message control;
	struct msghdr message = fd_message(&control, &byte);
	int fd;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Frees what it is told to, through the descriptor that it is sent. Exits with the errno */
static void __attribute__((noreturn)) free_what_is_sent(int socket, struct memstress_free *free)
{
	int fd = receive_fd(socket);

	_exit(fd < 0 ? -fd : -session_ioctl(fd, MEMSTRESS_IOC_FREE, free));
}

TEST_F_TIMEOUT(free_paths, other_task, TIMEOUT_S)
{
	struct memstress_free *shared;
	int sockets[2], status, ret;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(fill(self, variant->method));
	*shared = self->free;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->fd);
		free_what_is_sent(sockets[1], shared);
	}
	EXPECT_EQ(0, send_fd(sockets[0], self->fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	self->free = *shared;
	EXPECT_TRUE(freed(self, self->alloc.count));
	close(sockets[0]);
	close(sockets[1]);
	munmap(shared, sizeof(*shared));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("another task", ret, &self->violation);
	if (self->broken)
		XFAIL(return, "needs \"%s\"", self->missing);
}

/* The cgroup that was charged is removed, and what its ancestors are charged goes all the same */
TEST_F_TIMEOUT(free_paths, payer_gone, TIMEOUT_S)
{
	struct cgroup gone;
	int ret;

	ASSERT_EQ(0, cgroup_create(&gone, &self->scope.target, "gone"));
	self->alloc.payer_fd = gone.fd;
	ASSERT_TRUE(fill(self, variant->method));
	EXPECT_EQ(gone.id, self->alloc.payer_id);
	ASSERT_EQ(0, cgroup_remove(&gone));
	EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
	EXPECT_TRUE(freed(self, self->alloc.count));
	/* The cgroup itself was charged to its parent, and is freed when nobody remembers it */
	ret = law_of(self, BALANCE_ALL, true);
	EXPECT_EQ(0, ret)
	balance_report("payer gone", ret, &self->violation);
	if (self->broken)
		XFAIL(return, "needs \"%s\"", self->missing);
}

/* Waits until the worker has begun to free, or is done with it */
static void await_begin(struct worker *worker, long long held_bytes)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);

	while (session_total_bytes() == held_bytes && clock_now_ns() < deadline &&
	       __atomic_load_n(&worker->page->answered, __ATOMIC_ACQUIRE) != worker->page->asked)
		;
}

/* Killed while it frees: what it has not freed goes with its session, and nothing twice */
TEST_F_TIMEOUT(free_paths, killed, TIMEOUT_S)
{
	struct memstress_books one;
	struct worker worker = { 0 };
	struct memstress_alloc *alloc;
	struct memstress_free *free;
	int ret, status;

	ASSERT_EQ(0, worker_start(&worker, &self->scope.target));
	alloc = &worker.page->alloc;
	free = &worker.page->free;
	ASSERT_EQ(0, books_derive_one(&self->alloc, &one));
	*alloc = self->alloc;
	alloc->payer_fd = MEMSTRESS_PAYER_CALLER;
	alloc->count = MANY_BYTES / (one.page_charged_bytes + one.byte_charged_bytes);
	if (alloc->count > clock_fewer(MANY_OBJECTS))
		alloc->count = clock_fewer(MANY_OBJECTS);
	ASSERT_EQ(0, worker_ask(&worker, WORKER_ALLOC));
	ASSERT_EQ(alloc->count, alloc->books.objects);
	*free = (struct memstress_free){
		.size = sizeof(*free),
		.handle = alloc->handle,
		.method = variant->method,
	};
	worker_tell(&worker, WORKER_FREE);
	await_begin(&worker, self->scope.total_bytes + alloc->books.footprint_bytes);
	ASSERT_EQ(0, kill(worker.pid, SIGKILL));
	ASSERT_EQ(0, worker_wait(&worker, &status));
	/* The answer arrives also when it is killed; what was freed later was freed singly */
	lose(self, &free->books);
	fprintf(stderr, "# killed when %llu of %llu objects were freed\n", free->books.objects,
		alloc->books.objects);
	worker_kill(&worker);
	ret = law_of(self, BALANCE_HELD, true);
	EXPECT_EQ(0, ret)
	balance_report("killed", ret, &self->violation);
	if (self->broken)
		XFAIL(return, "needs \"%s\"", self->missing);
}

TEST_F_TIMEOUT(free_paths, red_twin, TIMEOUT_S)
{
	int ret;

	ASSERT_TRUE(fill(self, variant->method));
	EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &self->free));
	EXPECT_TRUE(freed(self, self->alloc.count));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &self->lost, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &self->lost, BALANCE_ALL));
	ret = law(self);
	EXPECT_EQ(0, ret)
	balance_report("green again", ret, &self->violation);
	if (self->broken)
		XFAIL(return, "needs \"%s\"", self->missing);
}

TEST_HARNESS_MAIN
