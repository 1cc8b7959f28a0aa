// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the n-th failure: each call is repeated with its first allocation
 * failing, then its second, and so on until it needs no more than succeed. Each time
 * it either succeeds or says ENOMEM; what it says to have made is in the ledger and
 * in the kernel's books, to the byte; and nothing else is left.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "books.h"
#include "clock.h"
#include "fault.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"

#define LIMIT_BYTES (64 << 20)
#define TIMEOUT_S   240

/* More allocations than any call makes: a loop that comes so far never ends */
#define NTH_END 100000

/* Before any test: fixtures cannot skip on older kernels' harness */
static void __attribute__((constructor)) skip_without_faults(void)
{
	struct fault fault;

	if (fault_setup(&fault))
		ksft_exit_skip("no FAULT_INJECTION, FAILSLAB, FAIL_PAGE_ALLOC, in debugfs\n");
	fault_restore(&fault);
}

FIXTURE(fail_nth)
{
	struct fault fault;
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc request;
	struct violation violation;
	int fd;
};

FIXTURE_VARIANT(fail_nth)
{
	__u32 kind;
	__u64 size; /* or order */
	__u32 flags;
	__u32 method;
};

#define VARIANT(_name, _kind, _size)                          \
	FIXTURE_VARIANT_ADD(fail_nth, _name)                  \
	{                                                     \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size \
	}

#define VARIANT_METHOD(_name, _kind, _size, _method)           \
	FIXTURE_VARIANT_ADD(fail_nth, _name)                   \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
		.method = MEMSTRESS_ALLOC_##_method,           \
	}

#define VARIANT_FLAGS(_name, _kind, _size, _flags)                                                \
	FIXTURE_VARIANT_ADD(fail_nth, _name)                                                      \
	{                                                                                         \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .flags = MEMSTRESS_ALLOC_##_flags, \
	}

VARIANT(page, PAGE, 0);
VARIANT(page_3, PAGE, 3);
VARIANT(kmalloc, KMALLOC, 64);
VARIANT(kmalloc_large, KMALLOC, 65536);
VARIANT(cache, CACHE, 200);
VARIANT(vmalloc, VMALLOC, 65536);
/* More than the empty pages that the percpu allocator keeps (PCPU_EMPTY_POP_PAGES_HIGH) */
VARIANT(percpu, PERCPU, 16384);
VARIANT(exact, EXACT, 20000);
VARIANT(kvmalloc, KVMALLOC, 1024);
VARIANT_METHOD(page_bulk, PAGE, 0, BULK);
VARIANT_METHOD(cache_bulk, CACHE, 200, BULK);
VARIANT_METHOD(kmalloc_grow, KMALLOC, 200, GROW);
VARIANT_METHOD(kmalloc_large_shrink, KMALLOC, 20000, SHRINK);
VARIANT_FLAGS(page_3_splittable, PAGE, 3, SPLITTABLE);

#define OBJECTS 5

FIXTURE_SETUP(fail_nth)
{
	struct memstress_alloc first;

	ASSERT_EQ(0, fault_setup(&self->fault));
	ASSERT_EQ(0, scope_create(&self->scope, "fail-nth", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->request =
		session_request(variant->kind, variant->size, OBJECTS, self->scope.target.fd);
	self->request.flags |= variant->flags;
	self->request.method = variant->method;
	/* What is made on first use, which is first_use's affair */
	first = self->request;
	ASSERT_EQ(0, session_alloc(self->fd, &first));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(fail_nth)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
	EXPECT_EQ(0, fault_restore(&self->fault));
}

static int law(struct _test_data_fail_nth *self, const struct charge *charge)
{
	return scope_law(&self->scope, &self->before, charge, BALANCE_ALL, &self->violation);
}

/*
 * The same for a call that succeeded although an allocation failed. An object whose
 * slab has no vector of objcgs yet and cannot get one is given without a charge
 * (__memcg_slab_post_alloc_hook() and memcg_slab_post_alloc_hook() of the kernels'
 * mm/), which nobody but the kernel can know: the books may be one object ahead.
 */
static int law_of_survivor(struct _test_data_fail_nth *self, const struct memstress_alloc *alloc,
			   struct charge charge)
{
	struct memstress_books one;
	int ret = law(self, &charge);

	if (ret <= 0 || !alloc->books.objects || !alloc->books.byte_charged_bytes ||
	    alloc->kind == MEMSTRESS_KIND_PERCPU)
		return ret;
	ret = books_derive_one(alloc, &one);
	if (ret)
		return ret;
	charge.byte_bytes -= one.byte_charged_bytes;
	charge.slab_unreclaimable -= one.byte_charged_bytes;
	return law(self, &charge);
}

/* What an ALLOC with one failed allocation, at the most, may answer */
static bool answer_is_sound(const struct memstress_alloc *alloc, bool fired)
{
	if (alloc->stop == MEMSTRESS_STOP_DONE)
		return alloc->books.objects == OBJECTS && !alloc->failures && !alloc->first_errno;
	return fired && alloc->stop == MEMSTRESS_STOP_FAILED && alloc->books.objects < OBJECTS &&
	       alloc->failures == 1 && alloc->first_errno == ENOMEM;
}

TEST_F_TIMEOUT(fail_nth, alloc, TIMEOUT_S)
{
	unsigned int refused = 0, partial = 0, survived = 0;
	unsigned int nth = 0;
	bool fired = true;
	int ret;

	while (fired && ++nth < NTH_END) {
		struct memstress_alloc alloc = self->request;
		struct memstress_ledger ledger;
		struct charge charge = { 0 };

		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		ret = session_alloc(self->fd, &alloc);
		fired = !fault_disarm(&self->fault);
		if (ret) {
			EXPECT_TRUE(fired);
			EXPECT_ERRNO(ENOMEM, ret);
			EXPECT_EMPTY_LEDGER(self->fd);
			EXPECT_EQ(0, law(self, &charge))
			balance_report("refused", 1, &self->violation);
			refused++;
			continue;
		}

		EXPECT_TRUE(answer_is_sound(&alloc, fired))
		TH_LOG("n = %u: stop %s, %llu objects, %llu failures, errno %u", nth,
		       session_stop_name(alloc.stop), alloc.books.objects, alloc.failures,
		       alloc.first_errno);
		partial += alloc.stop == MEMSTRESS_STOP_FAILED;
		survived += fired && alloc.stop == MEMSTRESS_STOP_DONE;
		EXPECT_EQ(!alloc.books.objects, !alloc.handle);
		EXPECT_EQ(0, session_ledger(self->fd, 0, &ledger));
		EXPECT_TRUE(books_equal("ledger", &alloc.books, &ledger.books));
		charge_add(&charge, alloc.kind, &alloc.books);
		ret = fired ? law_of_survivor(self, &alloc, charge) : law(self, &charge);
		EXPECT_EQ(0, ret)
		balance_report("held", ret, &self->violation);
		if (alloc.handle)
			EXPECT_EQ(0, session_free(self->fd, alloc.handle, 0));
		EXPECT_EMPTY_LEDGER(self->fd);
	}
	EXPECT_FALSE(fired);
	/* The row of the ledger, and the objects themselves */
	EXPECT_LT(0, refused);
	/* Percpu objects may lie in pages that earlier ones have left behind */
	if (variant->kind != MEMSTRESS_KIND_PERCPU)
		EXPECT_LT(0, partial);
	fprintf(stderr, "# %s: %u allocations: %u refused, %u partial, %u did without\n",
		session_kind_name(variant->kind), nth - 1, refused, partial, survived);
	ret = law(self, &(struct charge){ 0 });
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
}

/* Frees what was allocated for it, in the way that @free says, with all n failing */
static bool free_is_sound(struct _test_data_fail_nth *self, struct memstress_free free)
{
	unsigned int nth = 0;
	bool fired = true;
	int ret;

	while (fired && ++nth < NTH_END) {
		struct memstress_alloc alloc = self->request;
		struct memstress_free answer = free;
		struct memstress_ledger ledger;

		if (session_alloc(self->fd, &alloc) || alloc.stop != MEMSTRESS_STOP_DONE)
			return false;
		answer.handle = free.flags & MEMSTRESS_FREE_ALL ? 0 : alloc.handle;
		if (fault_arm(&self->fault, nth))
			return false;
		ret = session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &answer);
		fired = !fault_disarm(&self->fault);
		if (session_ledger(self->fd, 0, &ledger))
			return false;
		if (ret || !books_equal("freed", &alloc.books, &answer.books) || ledger.holdings) {
			fprintf(stderr, "# order %u, method %u, n = %u: %s\n", free.order,
				free.method, nth, strerror(-ret));
			session_free_all(self->fd);
			return false;
		}
	}
	return !fired;
}

/* Whether the objects of the request can be freed so, if INFO says that the kind can be */
static bool can_free(struct _test_data_fail_nth *self, __u32 method)
{
	struct memstress_info info;

	if (session_info(self->fd, self->request.kind, &info))
		return false;
	return info.kind_free_methods & (1ULL << method) &&
	       (method != MEMSTRESS_FREE_SPLIT || self->request.flags & MEMSTRESS_ALLOC_SPLITTABLE);
}

/* Giving back needs nothing, so it always succeeds */
TEST_F_TIMEOUT(fail_nth, free, TIMEOUT_S)
{
	struct memstress_free free = { .size = sizeof(free) };
	int ret;

	for (free.method = 0; free.method < MEMSTRESS_FREE_METHOD_END; free.method++) {
		if (!can_free(self, free.method))
			continue;
		for (free.order = 0; free.order < MEMSTRESS_FREE_ORDER_END; free.order++) {
			free.seed = free.order == MEMSTRESS_FREE_RANDOM;
			free.flags = 0;
			EXPECT_TRUE(free_is_sound(self, free));
			free.flags = MEMSTRESS_FREE_ALL;
			EXPECT_TRUE(free_is_sound(self, free));
		}
	}
	ret = law(self, &(struct charge){ 0 });
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
}

/*
 * In another context only what the caller itself needs can fail: the n-th failure is the
 * task's (should_fail_ex() of lib/fault-inject.c). Waiting for it needs nothing.
 */
static bool context_is_sound(struct _test_data_fail_nth *self, __u32 context)
{
	struct memstress_free free = { .size = sizeof(free), .context = context };
	unsigned int nth = 0;
	bool fired = true;
	int ret;

	while (fired && ++nth < NTH_END) {
		struct memstress_alloc alloc = self->request;

		alloc.context = context;
		if (context != MEMSTRESS_CONTEXT_KWORKER)
			alloc.policy = MEMSTRESS_POLICY_NOWAIT;
		if (fault_arm(&self->fault, nth))
			return false;
		ret = session_alloc(self->fd, &alloc);
		fired = !fault_disarm(&self->fault);
		if (ret == -ENOMEM && fired)
			continue;
		/* Percpu takes what is populated, or nothing */
		if (ret ||
		    (alloc.stop != MEMSTRESS_STOP_DONE && alloc.kind != MEMSTRESS_KIND_PERCPU))
			return false;
		if (alloc.handle)
			ret = session_free(self->fd, alloc.handle, 0);
		if (ret)
			return false;
	}
	return !fired && free_is_sound(self, free);
}

TEST_F_TIMEOUT(fail_nth, contexts, TIMEOUT_S)
{
	struct memstress_info info;
	__u32 context;
	int ret;

	ASSERT_EQ(0, session_info(self->fd, variant->kind, &info));
	for (context = MEMSTRESS_CONTEXT_KWORKER; context < MEMSTRESS_CONTEXT_END; context++)
		/* The bulk allocators want interrupts enabled */
		if (info.kind_contexts & (1ULL << context) &&
		    !(self->request.method == MEMSTRESS_ALLOC_BULK &&
		      context == MEMSTRESS_CONTEXT_HARDIRQ))
			EXPECT_TRUE(context_is_sound(self, context));
	ret = law(self, &(struct charge){ 0 });
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
}

/* Nor does looking */
TEST_F(fail_nth, ledger)
{
	struct memstress_alloc alloc = self->request;
	struct memstress_ledger ledger;
	unsigned int nth = 0;
	bool fired = true;

	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	while (fired && ++nth < NTH_END) {
		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		EXPECT_EQ(0, session_ledger(self->fd, 0, &ledger));
		EXPECT_TRUE(books_equal("session", &alloc.books, &ledger.books));
		EXPECT_EQ(0, session_ledger(self->fd, alloc.handle, &ledger));
		EXPECT_TRUE(books_equal("holding", &alloc.books, &ledger.books));
		fired = !fault_disarm(&self->fault);
	}
	EXPECT_FALSE(fired);
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* The laws above can fail */
TEST_F(fail_nth, red_twin)
{
	struct charge charge = { 0 };
	struct memstress_alloc alloc = self->request;

	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));

	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_NE(0, law_of_survivor(self, &alloc, charge));
	charge_add(&charge, alloc.kind, &alloc.books);
	EXPECT_EQ(0, law_of_survivor(self, &alloc, charge));
	EXPECT_EQ(0, session_free_all(self->fd));
}

FIXTURE(fail_nth_calls)
{
	struct fault fault;
	struct scope scope;
};

FIXTURE_SETUP(fail_nth_calls)
{
	ASSERT_EQ(0, fault_setup(&self->fault));
	ASSERT_EQ(0, scope_create(&self->scope, "fail-nth", LIMIT_BYTES));
}

FIXTURE_TEARDOWN(fail_nth_calls)
{
	EXPECT_EQ(0, scope_remove(&self->scope));
	EXPECT_EQ(0, fault_restore(&self->fault));
}

TEST_F_TIMEOUT(fail_nth_calls, open_close, TIMEOUT_S)
{
	unsigned int opens = 0, closes = 0;
	bool fired = true;
	int fd;

	while (fired && ++opens < NTH_END) {
		ASSERT_EQ(0, fault_arm(&self->fault, opens));
		fd = session_open();
		fired = !fault_disarm(&self->fault);
		if (fd < 0) {
			EXPECT_TRUE(fired);
			EXPECT_ERRNO(ENOMEM, fd);
			continue;
		}
		EXPECT_EMPTY_LEDGER(fd);
		EXPECT_EQ(0, close(fd));
	}
	EXPECT_FALSE(fired);
	EXPECT_LT(1, opens);

	fired = true;
	while (fired && ++closes < NTH_END) {
		struct memstress_alloc alloc =
			session_request(MEMSTRESS_KIND_PAGE, 0, OBJECTS, self->scope.target.fd);

		fd = session_open();
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, session_alloc(fd, &alloc));
		ASSERT_EQ(0, fault_arm(&self->fault, closes));
		EXPECT_EQ(0, close(fd));
		fired = !fault_disarm(&self->fault);
		EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
	}
	EXPECT_FALSE(fired);
	fprintf(stderr, "# open: %u allocations, close: %u\n", opens - 1, closes - 1);
}

TEST_F_TIMEOUT(fail_nth_calls, settle, TIMEOUT_S)
{
	/* On cgroup v1 it writes no limit at all */
	const char *file = cgroup_is_v1() ? "memory.max" : "memory.high";
	static const char limit[] = "16777216\n";
	unsigned int nth = 0, refused = 0;
	bool fired = true;
	char seen[32];
	int ret;

	ASSERT_EQ(0, cgroup_write(&self->scope.target, file, limit));
	while (fired && ++nth < NTH_END) {
		struct memstress_settle settle = {
			.size = sizeof(settle),
			.cgroup_fd = self->scope.target.fd,
		};

		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		ret = session_ioctl(self->scope.session, MEMSTRESS_IOC_SETTLE, &settle);
		fired = !fault_disarm(&self->fault);
		if (ret) {
			EXPECT_TRUE(fired);
			EXPECT_ERRNO(ENOMEM, ret);
			refused++;
		} else {
			EXPECT_EQ(MEMSTRESS_SETTLE_EXACT, settle.state);
			EXPECT_EQ(0, settle.usage_bytes);
		}
		/*
		 * Whatever happened, it is as it was. What fails here is what the caller
		 * allocates: the worker that writes the file has no n of its own.
		 */
		EXPECT_LT(0, cgroup_read(&self->scope.target, file, seen, sizeof(seen)));
		EXPECT_STREQ(limit, seen);
	}
	EXPECT_FALSE(fired);
	EXPECT_LT(0, refused);
	fprintf(stderr, "# settle: %u allocations, %u refused\n", nth - 1, refused);
}

/* A mapping that cannot be made in full is not there, and the holding can be freed */
TEST_F_TIMEOUT(fail_nth_calls, mmap, TIMEOUT_S)
{
	/* So many that their page tables take several pages */
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1200, self->scope.target.fd);
	int fd = self->scope.session;
	unsigned int nth = 0, refused = 0;
	struct memstress_ledger ledger;
	bool fired = true;

	alloc.flags |= MEMSTRESS_ALLOC_MAPPABLE;
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	while (fired && ++nth < NTH_END) {
		void *memory;
		int ret;

		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		memory = mmap(NULL, alloc.books.requested_bytes, PROT_READ, MAP_SHARED, fd,
			      alloc.mmap_offset);
		ret = memory == MAP_FAILED ? -errno : 0;
		fired = !fault_disarm(&self->fault);
		if (ret) {
			EXPECT_TRUE(fired);
			EXPECT_ERRNO(ENOMEM, ret);
			refused++;
		} else {
			EXPECT_EQ(0, munmap(memory, alloc.books.requested_bytes));
		}
		EXPECT_EQ(0, session_ledger(fd, alloc.handle, &ledger));
		EXPECT_EQ(0, ledger.mappings);
	}
	EXPECT_FALSE(fired);
	EXPECT_LE(3, refused);
	EXPECT_EQ(0, session_free(fd, alloc.handle, 0));
	EXPECT_EQ(0, session_ledger(fd, 0, &ledger));
	EXPECT_EQ(0, ledger.lingering_objects);
	fprintf(stderr, "# mmap: %u allocations, %u refused\n", nth - 1, refused);
}

FIXTURE(fail_nth_module)
{
	struct fault fault;
	int file;
};

/* The file that modprobe would load */
static int open_module(void)
{
	struct utsname name;
	char path[512], line[4096], *colon, *base;
	int fd = -ENOENT;
	FILE *deps;

	if (uname(&name))
		return -errno;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", name.release);
	deps = fopen(path, "r");
	if (!deps)
		return -errno;
	while (fd == -ENOENT && fgets(line, sizeof(line), deps)) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = 0;
		base = strrchr(line, '/');
		if (strcmp(base ? base + 1 : line, "memstress.ko"))
			continue;
		snprintf(path, sizeof(path), "/lib/modules/%.64s/%.400s", name.release, line);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	fclose(deps);
	return fd;
}

static int load_with(int file, const char *parameters)
{
	return syscall(SYS_finit_module, file, parameters, 0) ? -errno : 0;
}

static int load(int file)
{
	return load_with(file, "");
}

static int unload(void)
{
	return syscall(SYS_delete_module, "memstress", O_NONBLOCK) ? -errno : 0;
}

/* Nothing of the module is left; its caches are taken away in the background */
static bool is_gone(void)
{
	static const char *const paths[] = {
		"/dev/memstress",
		"/sys/module/memstress",
		"/sys/class/misc/memstress",
		"/sys/kernel/slab/memstress_session",
		"/sys/kernel/slab/memstress_holding",
	};
	__u64 deadline = clock_deadline_ns(5 * NS_PER_S);
	unsigned int i = 0;

	while (i < ARRAY_SIZE(paths)) {
		if (access(paths[i], F_OK))
			i++;
		else if (!clock_poll(deadline))
			break;
	}
	if (i < ARRAY_SIZE(paths))
		fprintf(stderr, "# %s is still there\n", paths[i]);
	return i == ARRAY_SIZE(paths);
}

FIXTURE_SETUP(fail_nth_module)
{
	ASSERT_EQ(0, fault_setup(&self->fault));
	self->file = open_module();
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, unload());
}

FIXTURE_TEARDOWN(fail_nth_module)
{
	EXPECT_TRUE(is_gone());
	EXPECT_EQ(0, load(self->file));
	EXPECT_EQ(0, close(self->file));
	EXPECT_EQ(0, fault_restore(&self->fault));
}

/*
 * How many allocations the kernel makes to read and lay out a module, which is over when it
 * looks at the parameters (load_module() of kernel/module/main.c). These are not ours, and
 * it complains in its log of those that fail.
 */
static unsigned int loader_allocations(struct __test_metadata *_metadata,
				       struct _test_data_fail_nth_module *self)
{
	ASSERT_EQ(0, fault_arm(&self->fault, NTH_END));
	EXPECT_ERRNO(EINVAL, load_with(self->file, "deadman_ms=none"));
	return NTH_END - fault_disarm(&self->fault);
}

/* On a kernel that is slow, only some: most fail in the loops that measure a stride */
TEST_F_TIMEOUT(fail_nth_module, init, TIMEOUT_S)
{
	unsigned int first = loader_allocations(_metadata, self) + 1;
	unsigned int refused = 0;
	unsigned int nth = first;
	bool fired = true;
	int ret;

	for (; fired && nth < NTH_END; nth += clock_slowness()) {
		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		ret = load(self->file);
		fired = !fault_disarm(&self->fault);
		if (ret) {
			EXPECT_TRUE(fired);
			EXPECT_ERRNO(ENOMEM, ret);
			ASSERT_TRUE(is_gone());
			refused++;
		} else {
			ASSERT_EQ(0, unload());
		}
	}
	EXPECT_FALSE(fired);
	EXPECT_LT(0, refused);
	fprintf(stderr, "# load: allocations %u to %u, %u refused\n", first, nth - 1, refused);
}

TEST_F_TIMEOUT(fail_nth_module, exit, TIMEOUT_S)
{
	unsigned int nth = 0;
	bool fired = true;

	while (fired && ++nth < NTH_END) {
		ASSERT_EQ(0, load(self->file));
		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		EXPECT_EQ(0, unload());
		fired = !fault_disarm(&self->fault);
		ASSERT_TRUE(is_gone());
	}
	EXPECT_FALSE(fired);
	fprintf(stderr, "# unload: %u allocations\n", nth - 1);
}

/*
 * INFO makes the cache of a size, and measures it, when it is the first to ask. What it
 * has come to is kept; so where it did without an allocation, a module that knows
 * nothing yet takes its place.
 */
static unsigned int first_use(struct __test_metadata *_metadata,
			      struct _test_data_fail_nth_module *self,
			      const struct memstress_info *question, struct memstress_info *info)
{
	unsigned int nth = 0, survived = 0;
	bool fired = true;
	int fd, ret;

	while (fired && ++nth < NTH_END) {
		fd = session_open();
		ASSERT_LE(0, fd);
		*info = *question;
		ASSERT_EQ(0, fault_arm(&self->fault, nth));
		ret = session_ioctl(fd, MEMSTRESS_IOC_INFO, info);
		fired = !fault_disarm(&self->fault);
		EXPECT_EQ(0, close(fd));
		if (ret) {
			EXPECT_TRUE(fired);
			EXPECT_ERRNO(ENOMEM, ret);
		} else if (fired) {
			ASSERT_EQ(0, unload());
			ASSERT_EQ(0, load(self->file));
			survived++;
		}
	}
	EXPECT_FALSE(fired);
	fprintf(stderr, "# first use of %s: %u allocations, %u refused\n",
		session_kind_name(question->kind), nth - 1, nth - 1 - survived);
	return nth - 1 - survived;
}

/* Large enough to be measured with few objects (kmod/stride.c), and asked for by nobody else */
#define FIRST_USE_SIZE    4000
#define FIRST_USE_OBJECTS 16

/*
 * How many refusals show that the objects' own allocations were among those that failed.
 * Debugging allocates besides, more the first time that it meets a stack than later (the
 * stack depot), so there n moves past some objects; that it met two is enough.
 */
static unsigned int least_refused(void)
{
	return clock_slowness() > 1 ? 2 : FIRST_USE_OBJECTS;
}

TEST_F_TIMEOUT(fail_nth_module, first_use, TIMEOUT_S)
{
	static const __u32 kinds[] = { MEMSTRESS_KIND_KMALLOC, MEMSTRESS_KIND_CACHE };
	unsigned int i;

	ASSERT_EQ(0, load(self->file));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct memstress_alloc alloc =
			session_request(kinds[i], FIRST_USE_SIZE, 1, MEMSTRESS_PAYER_CALLER);
		struct memstress_info question = {
			.size = sizeof(question),
			.kind = kinds[i],
			.object_size = FIRST_USE_SIZE,
		};
		struct memstress_books one;
		struct memstress_info info;

		EXPECT_LE(least_refused(), first_use(_metadata, self, &question, &info));
		ASSERT_EQ(0, books_derive_one(&alloc, &one));
		EXPECT_EQ(one.byte_charged_bytes, info.object_byte_charged_bytes);
	}
	ASSERT_EQ(0, unload());
}

TEST_HARNESS_MAIN
