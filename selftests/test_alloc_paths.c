// SPDX-License-Identifier: GPL-2.0
/*
 * The law of conservation for the paths into the allocators that kernels get wrong: in bulk, by
 * krealloc(), aligned, pages that are split before they are given, and kvmalloc() on both sides
 * of the point where it falls back; as long as all goes well, and refused in the middle.
 */
#include "books.h"
#include "cpu.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"

LAW("however objects are made, the books move by what was given, and a refusal leaves nothing");

#define LIMIT_BYTES  (256 << 20)
#define CHARGE_BYTES (4 << 20)
#define MAX_OBJECTS  4096
#define TIMEOUT_S    60

/* What one call of a bulk allocator is asked for (the manual of MEMSTRESS_ALLOC_BULK) */
#define BULK_OBJECTS 32

static const struct charge nothing;

FIXTURE(alloc_paths)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc alloc;
	struct memstress_books one;
	struct violation violation;
	bool can; /* this kernel has the method */
	int fd;
};

FIXTURE_VARIANT(alloc_paths)
{
	__u32 kind;
	__u64 size; /* or order */
	__u32 method;
	__u32 flags;
	__u32 alignment;
};

#define VARIANT(_name, _kind, _size, ...)                                  \
	FIXTURE_VARIANT_ADD(alloc_paths, _name)                            \
	{                                                                  \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, __VA_ARGS__ \
	}
#define METHOD(_method) .method = MEMSTRESS_ALLOC_##_method

VARIANT(page_bulk, PAGE, 0, METHOD(BULK));
VARIANT(page_3_splittable, PAGE, 3, .flags = MEMSTRESS_ALLOC_SPLITTABLE);
VARIANT(cache_bulk, CACHE, 200, METHOD(BULK));
VARIANT(cache_8_bulk, CACHE, 8, METHOD(BULK));
/* Into another cache, within one, into whole pages, and from whole pages to more of them */
VARIANT(kmalloc_grow, KMALLOC, 200, METHOD(GROW));
VARIANT(kmalloc_8_grow, KMALLOC, 8, METHOD(GROW));
VARIANT(kmalloc_large_grow, KMALLOC, 12288, METHOD(GROW));
VARIANT(kmalloc_larger_grow, KMALLOC, 65536, METHOD(GROW));
/* The same the other way around */
VARIANT(kmalloc_shrink, KMALLOC, 200, METHOD(SHRINK));
VARIANT(kmalloc_8_shrink, KMALLOC, 8, METHOD(SHRINK));
VARIANT(kmalloc_large_shrink, KMALLOC, 6000, METHOD(SHRINK));
VARIANT(kmalloc_larger_shrink, KMALLOC, 65536, METHOD(SHRINK));
VARIANT(percpu_64_aligned, PERCPU, 8, .alignment = 64);
VARIANT(percpu_page_aligned, PERCPU, 100, .alignment = 4096);
VARIANT(exact_1_page, EXACT, 100, METHOD(SINGLY));
VARIANT(exact_5_pages, EXACT, 20000, METHOD(SINGLY));
VARIANT(exact_33_pages, EXACT, 33 << 12, METHOD(SINGLY));

FIXTURE_SETUP(alloc_paths)
{
	struct memstress_info info;

	ASSERT_EQ(0, scope_create(&self->scope, "alloc-paths", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, session_info(self->fd, variant->kind, &info));
	self->can = info.kind_alloc_methods & (1ULL << variant->method);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	self->alloc.method = variant->method;
	self->alloc.flags |= variant->flags;
	self->alloc.alignment = variant->alignment;
	if (!self->can) {
		EXPECT_ERRNO(EOPNOTSUPP, session_alloc(self->fd, &self->alloc));
		return;
	}
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, books_derive_one(&self->alloc, &self->one));
	self->alloc.count =
		CHARGE_BYTES / (self->one.page_charged_bytes + self->one.byte_charged_bytes);
	if (self->alloc.count > MAX_OBJECTS)
		self->alloc.count = MAX_OBJECTS;
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(alloc_paths)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int law(struct _test_data_alloc_paths *self, const struct charge *charge)
{
	return scope_law(&self->scope, &self->before, charge, BALANCE_ALL, &self->violation);
}

/* Whether the books of what was given are right; adds them to what must show */
static bool given(struct _test_data_alloc_paths *self, struct charge *charge)
{
	struct memstress_books expected;

	if (books_derive(&self->alloc, self->alloc.books.objects, &expected) ||
	    !books_equal("alloc", &expected, &self->alloc.books))
		return false;
	charge_add(charge, self->alloc.kind, &expected);
	return true;
}

TEST_F_TIMEOUT(alloc_paths, conservation, TIMEOUT_S)
{
	struct charge charge = { 0 };
	int ret;

	if (!self->can)
		SKIP(return, "this kernel exports no such allocator");

	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, self->alloc.stop);
	EXPECT_EQ(self->alloc.count, self->alloc.books.objects);
	EXPECT_EQ(0, self->alloc.failures);
	EXPECT_TRUE(given(self, &charge));
	ret = law(self, &charge);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &self->violation);

	EXPECT_EQ(0, session_free_all(self->fd));
	ret = law(self, &nothing);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);

	/* And if it is not to be charged, nobody is */
	self->alloc.flags &= ~MEMSTRESS_ALLOC_ACCOUNT;
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	EXPECT_EQ(self->alloc.count, self->alloc.books.objects);
	charge = nothing;
	EXPECT_TRUE(given(self, &charge));
	ret = law(self, &charge);
	EXPECT_EQ(0, ret)
	balance_report("unaccounted", ret, &self->violation);
	EXPECT_EQ(0, session_free_all(self->fd));
}

/* The cgroup is full before all objects are made */
TEST_F_TIMEOUT(alloc_paths, refused_in_the_middle, TIMEOUT_S)
{
	__u64 bytes =
		self->alloc.count * (self->one.page_charged_bytes + self->one.byte_charged_bytes);
	struct charge charge = { 0 };
	long long used;
	int ret;

	if (!self->can)
		SKIP(return, "this kernel exports no such allocator");

	used = cgroup_read_number(&self->scope.target, "memory.current");
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", used + bytes / 2));
	self->alloc.policy = MEMSTRESS_POLICY_NORETRY;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, self->alloc.stop);
	EXPECT_EQ(1, self->alloc.failures);
	EXPECT_EQ(ENOMEM, self->alloc.first_errno);
	EXPECT_LT(0, self->alloc.books.objects);
	EXPECT_GT(self->alloc.count, self->alloc.books.objects);
	if (variant->kind == MEMSTRESS_KIND_CACHE)
		EXPECT_EQ(0, self->alloc.books.objects % BULK_OBJECTS);
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", LIMIT_BYTES));
	EXPECT_TRUE(given(self, &charge));
	ret = law(self, &charge);
	EXPECT_EQ(0, ret)
	balance_report("refused in the middle", ret, &self->violation);
	EXPECT_EQ(0, session_free_all(self->fd));
	ret = law(self, &nothing);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
}

TEST_F_TIMEOUT(alloc_paths, red_twin, TIMEOUT_S)
{
	struct charge charge = { 0 };

	if (!self->can)
		SKIP(return, "this kernel exports no such allocator");

	/* What does not fill its last page may hide a small twin there */
	self->alloc.count = books_whole_pages(&self->one);
	do {
		ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
		ASSERT_TRUE(given(self, &charge));
		self->alloc.count = 1;
	} while (charge.byte_bytes % books_page_size());
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));
	EXPECT_EQ(0, session_free_all(self->fd));
}

FIXTURE(thresholds)
{
	struct scope scope;
	struct scope_snapshot before;
	struct violation violation;
	long long page;
	int fd;
};

FIXTURE_SETUP(thresholds)
{
	ASSERT_EQ(0, scope_create(&self->scope, "thresholds", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->page = books_page_size();
	/* What fits under a limit shall not depend on the stocks of several CPUs */
	ASSERT_EQ(0, cpu_run_on(0));
	ASSERT_EQ(0, scope_take_exact(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(thresholds)
{
	EXPECT_EQ(0, cpu_run_on(-1));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int limit_pages(struct _test_data_thresholds *self, long long pages)
{
	return cgroup_write_number(&self->scope.target, "memory.max",
				   snapshot_value(&self->before.target, "usage") +
					   pages * self->page);
}

/* 5 pages are the first of 8, all of which are charged for a moment: make_alloc_exact() */
TEST_F_TIMEOUT(thresholds, exact_charges_the_order_first, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_EXACT, 5 * self->page, 1, self->scope.target.fd);
	struct charge charge = { 0 };
	int ret;

	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	ASSERT_EQ(0, limit_pages(self, 7));
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc.stop);
	EXPECT_EQ(0, alloc.books.objects);

	ASSERT_EQ(0, limit_pages(self, 8));
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
	ASSERT_EQ(0, limit_pages(self, LIMIT_BYTES / self->page));
	charge.page_bytes = 5 * self->page;
	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &self->violation);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &self->violation);
	EXPECT_EQ(0, session_free_all(self->fd));
}

/*
 * 5 pages are a block of 8 as long as that can be charged, and then a vmalloc area of 5: both
 * sides of the point in one holding. It is freed by @method.
 */
static void fall_back(struct __test_metadata *_metadata, struct _test_data_thresholds *self,
		      __u32 method)
{
	const long long blocks = 3;
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_KVMALLOC, 5 * self->page,
						       blocks + 1, self->scope.target.fd);
	struct memstress_free free = { .size = sizeof(free), .method = method };
	struct memstress_books kmalloc, vmalloc, sum;
	struct charge charge = { 0 };
	struct memstress_ledger ledger;
	__u64 waited_ns;
	int ret;

	/* Room for the blocks, and 7 pages more */
	ASSERT_EQ(0, limit_pages(self, blocks * 8 + 7));
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	ASSERT_EQ(0, limit_pages(self, LIMIT_BYTES / self->page));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
	ASSERT_EQ(blocks + 1, alloc.books.objects);
	ASSERT_EQ(0, books_fall_back(&alloc, 1, &kmalloc, &vmalloc));
	sum = kmalloc;
	sum.objects += vmalloc.objects;
	sum.requested_bytes += vmalloc.requested_bytes;
	sum.page_charged_bytes += vmalloc.page_charged_bytes;
	/* The caps count each as a block */
	sum.footprint_bytes += kmalloc.footprint_bytes / blocks;
	EXPECT_TRUE(books_equal("alloc", &sum, &alloc.books));
	EXPECT_EQ(0, session_ledger(self->fd, alloc.handle, &ledger));
	EXPECT_TRUE(books_equal("ledger", &sum, &ledger.books));

	charge_add(&charge, MEMSTRESS_KIND_KMALLOC, &kmalloc);
	charge_add(&charge, MEMSTRESS_KIND_VMALLOC, &vmalloc);
	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &self->violation);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &self->violation);
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));

	free.handle = alloc.handle;
	EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	EXPECT_TRUE(books_equal("free", &sum, &free.books));
	/* In a callback vfree() leaves it to a work item */
	ret = scope_law_await(&self->scope, &self->before, &nothing, BALANCE_ALL, &self->violation,
			      &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &self->violation);
}

TEST_F_TIMEOUT(thresholds, kvmalloc_falls_back, TIMEOUT_S)
{
	fall_back(_metadata, self, MEMSTRESS_FREE_SINGLY);
}

TEST_F_TIMEOUT(thresholds, kvmalloc_falls_back_rcu, TIMEOUT_S)
{
	fall_back(_metadata, self, MEMSTRESS_FREE_RCU);
}

#define ALLOC_REFUSED(_errno, _kind, _size, ...)                                                  \
	do {                                                                                      \
		struct memstress_alloc alloc =                                                    \
			session_request(MEMSTRESS_KIND_##_kind, _size, 1, self->scope.target.fd); \
		const struct memstress_alloc with = { __VA_ARGS__ };                              \
		alloc.method = with.method;                                                       \
		alloc.alignment = with.alignment;                                                 \
		alloc.context = with.context;                                                     \
		alloc.policy = with.policy;                                                       \
		alloc.flags |= with.flags;                                                        \
		EXPECT_ERRNO(_errno, session_alloc(self->fd, &alloc));                            \
	} while (0)

/* What no kind, or no object of this size, can have */
TEST_F(thresholds, refused_methods)
{
	struct memstress_alloc on_node =
		session_request(MEMSTRESS_KIND_KMALLOC, 64, 1, self->scope.target.fd);
	struct memstress_info info;

	on_node.node = 0;
	on_node.method = MEMSTRESS_ALLOC_GROW;
	EXPECT_ERRNO(EOPNOTSUPP, session_alloc(self->fd, &on_node));
	ALLOC_REFUSED(EOPNOTSUPP, PAGE, 1, METHOD(BULK));
	ALLOC_REFUSED(EOPNOTSUPP, PAGE, 0, METHOD(GROW));
	ALLOC_REFUSED(EOPNOTSUPP, KMALLOC, 64, METHOD(BULK));
	ALLOC_REFUSED(EOPNOTSUPP, CACHE, 64, METHOD(SHRINK));
	ALLOC_REFUSED(EOPNOTSUPP, VMALLOC, 4096, METHOD(BULK));
	ALLOC_REFUSED(EOPNOTSUPP, CACHE, 64, .flags = MEMSTRESS_ALLOC_SPLITTABLE);
	if (!kernel_before(5, 15))
		ALLOC_REFUSED(EOPNOTSUPP, CACHE, 64, METHOD(BULK),
			      .context = MEMSTRESS_CONTEXT_HARDIRQ,
			      .policy = MEMSTRESS_POLICY_ATOMIC);
	ALLOC_REFUSED(EOPNOTSUPP, CACHE, 64, .alignment = 64);
	ALLOC_REFUSED(EINVAL, CACHE, 64, .alignment = 3);
	ALLOC_REFUSED(EINVAL, PERCPU, 64, .alignment = 24);

	ASSERT_EQ(0, session_info(self->fd, MEMSTRESS_KIND_PERCPU, &info));
	EXPECT_EQ(self->page, info.kind_alignment_max);
	ALLOC_REFUSED(EINVAL, PERCPU, 64, .alignment = 2 * info.kind_alignment_max);
	ASSERT_EQ(0, session_info(self->fd, MEMSTRESS_KIND_KMALLOC, &info));
	EXPECT_EQ(0, info.kind_alignment_max);
	ALLOC_REFUSED(EOPNOTSUPP, KMALLOC, info.kind_max / 2 + 1, METHOD(SHRINK));
}

/* The same of a FREE; nothing is gone then */
TEST_F(thresholds, refused_frees)
{
	struct memstress_alloc page =
		session_request(MEMSTRESS_KIND_PAGE, 1, 1, self->scope.target.fd);
	struct memstress_alloc tiny =
		session_request(MEMSTRESS_KIND_KMALLOC, 8, 1, self->scope.target.fd);
	struct memstress_free free = { .size = sizeof(free) };
	struct memstress_ledger ledger;

	ASSERT_EQ(0, session_alloc(self->fd, &tiny));
	ASSERT_EQ(0, session_alloc(self->fd, &page));
	free.handle = page.handle;
	free.method = MEMSTRESS_FREE_BULK;
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	/* It is compound */
	free.method = MEMSTRESS_FREE_SPLIT;
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	free.method = MEMSTRESS_FREE_RCU;
	free.context = MEMSTRESS_CONTEXT_KWORKER;
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	/* There is no room for a struct rcu_head, also if it is one of many */
	free.context = MEMSTRESS_CONTEXT_TASK;
	free.handle = tiny.handle;
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	free.handle = 0;
	free.flags = MEMSTRESS_FREE_ALL;
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	free.method = MEMSTRESS_FREE_BULK;
	EXPECT_ERRNO(EOPNOTSUPP, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	EXPECT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(2, ledger.holdings);

	free.method = MEMSTRESS_FREE_SINGLY;
	EXPECT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &free));
	EXPECT_EQ(2, free.books.objects);
}

TEST_HARNESS_MAIN
