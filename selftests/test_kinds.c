// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind, of many sizes, with every policy, accounted or not, zeroed or not: it is
 * made, and the books say of it what can be derived without the module.
 */
#include "books.h"
#include "memstress_test.h"
#include "scope.h"

#define LIMIT_BYTES (256 << 20)
#define OBJECTS     3
#define TIMEOUT_S   120

/* PAGE_ALLOC_COSTLY_ORDER of include/linux/mmzone.h: above it any request may fail */
#define COSTLY_ORDER 3

FIXTURE(kinds)
{
	struct scope scope;
	struct memstress_info info;
	int fd;
};

FIXTURE_VARIANT(kinds)
{
	__u32 kind;
	const __u64 *sizes; /* or orders */
	unsigned int count;
};

static const __u64 page_orders[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

/* Both sides of every edge between kmalloc caches, and of the edge to whole pages */
static const __u64 kmalloc_sizes[] = { 8,    9,    16,   17,    32,    33,    64,      65,
				       96,   97,   128,  129,   192,   193,   256,     257,
				       512,  513,  1024, 1025,  2048,  2049,  4096,    4097,
				       8192, 8193, 9000, 16384, 16385, 65537, 1 << 20, 4 << 20 };

static const __u64 cache_sizes[] = { 8, 20, 64, 100, 1000, 1024, 4096, 5000, 16384 };
static const __u64 vmalloc_sizes[] = { 8, 4095, 4096, 4097, 65536, 70000, 1 << 20, 5 << 20 };
static const __u64 percpu_sizes[] = { 8, 9, 12, 64, 100, 1000, 4096, 32768 };

static const __u64 exact_sizes[] = { 8, 4096, 4097, 12288, 20000, 70000, 1 << 20, (2 << 20) + 1 };

/* Above a page any may become a vmalloc area if kmalloc() has no block at hand */
static const __u64 kvmalloc_sizes[] = { 8, 9, 96, 97, 1024, 2049, 4096 };

#define VARIANT(_name, _kind, _sizes)                                                         \
	FIXTURE_VARIANT_ADD(kinds, _name)                                                     \
	{                                                                                     \
		.kind = MEMSTRESS_KIND_##_kind, .sizes = _sizes, .count = ARRAY_SIZE(_sizes), \
	}

VARIANT(page, PAGE, page_orders);
VARIANT(kmalloc, KMALLOC, kmalloc_sizes);
VARIANT(cache, CACHE, cache_sizes);
VARIANT(vmalloc, VMALLOC, vmalloc_sizes);
VARIANT(percpu, PERCPU, percpu_sizes);
VARIANT(exact, EXACT, exact_sizes);
VARIANT(kvmalloc, KVMALLOC, kvmalloc_sizes);

FIXTURE_SETUP(kinds)
{
	ASSERT_EQ(0, scope_create(&self->scope, "kinds", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, session_info(self->fd, variant->kind, &self->info));
}

FIXTURE_TEARDOWN(kinds)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static bool is_costly(const struct memstress_alloc *alloc)
{
	if (alloc->kind == MEMSTRESS_KIND_PAGE)
		return alloc->order > COSTLY_ORDER;
	return (alloc->kind == MEMSTRESS_KIND_KMALLOC || alloc->kind == MEMSTRESS_KIND_EXACT) &&
	       (long long)alloc->object_size > books_page_size() << COSTLY_ORDER;
}

/* Whether the kernel may refuse it on a machine with free memory */
static bool may_fail(const struct memstress_alloc *alloc)
{
	bool blocks = alloc->policy != MEMSTRESS_POLICY_NOWAIT &&
		      alloc->policy != MEMSTRESS_POLICY_ATOMIC;

	/* mm/percpu.c pcpu_alloc(): without blocking it takes only what is populated */
	if (alloc->kind == MEMSTRESS_KIND_PERCPU)
		return !blocks;
	return is_costly(alloc) || alloc->policy == MEMSTRESS_POLICY_NOLOCK;
}

/* What INFO and the manual say of this kind and policy; @known: books_can_be_known() */
static int expected_ret(const struct memstress_info *info, const struct memstress_alloc *alloc,
			bool known)
{
	long long size = alloc->object_size;

	if (!(info->kind_policies & (1ULL << alloc->policy)) || !known)
		return -EOPNOTSUPP;
	/* No large objects, and no orders that no CPU keeps lists of */
	if (alloc->policy == MEMSTRESS_POLICY_NOLOCK &&
	    (alloc->order > COSTLY_ORDER || size > books_page_size() << 1))
		return -EOPNOTSUPP;
	if (alloc->policy != MEMSTRESS_POLICY_NOFAIL)
		return 0;
	/* Above order 1 the page allocator would warn; vmalloc() takes single pages */
	if (alloc->order > 1)
		return -EOPNOTSUPP;
	if (alloc->kind != MEMSTRESS_KIND_VMALLOC && size > books_page_size() << 1)
		return -EOPNOTSUPP;
	return 0;
}

/* The holding as LEDGER shows it, and then as FREE gives it back */
static bool holding_matches(int fd, const struct memstress_alloc *alloc,
			    const struct memstress_books *expected)
{
	struct memstress_free req = { .size = sizeof(req), .handle = alloc->handle };
	struct memstress_ledger ledger;
	bool matches;

	if (session_ledger(fd, alloc->handle, &ledger))
		return false;
	matches = ledger.kind == alloc->kind && ledger.object_size == alloc->object_size &&
		  ledger.order == alloc->order && ledger.policy == alloc->policy &&
		  ledger.alloc_flags == alloc->flags && ledger.payer_id == alloc->payer_id;
	matches &= books_equal("ledger", expected, &ledger.books);
	if (session_ioctl(fd, MEMSTRESS_IOC_FREE, &req))
		return false;
	return matches & books_equal("free", expected, &req.books);
}

struct outcome {
	unsigned int done, unsupported, failed;
};

/* One request, all of its books. False and a line printed if anything is wrong */
static bool attempt(struct _test_data_kinds *self, struct memstress_alloc *alloc, bool known,
		    struct outcome *outcome)
{
	int expected_error = expected_ret(&self->info, alloc, known);
	int ret = session_alloc(self->fd, alloc);
	struct memstress_books expected;
	__u64 payer_id = alloc->flags & MEMSTRESS_ALLOC_ACCOUNT ? self->scope.target.id : 0;

	if (ret != expected_error)
		goto wrong;
	if (ret) {
		outcome->unsupported++;
		return true;
	}
	if (books_derive(alloc, alloc->books.objects, &expected) ||
	    !books_equal("alloc", &expected, &alloc->books) || alloc->payer_id != payer_id)
		goto wrong;
	if (alloc->handle && !holding_matches(self->fd, alloc, &expected))
		goto wrong;
	if (alloc->stop == MEMSTRESS_STOP_DONE && alloc->books.objects == OBJECTS) {
		outcome->done++;
		return true;
	}
	outcome->failed++;
	if (may_fail(alloc) && alloc->stop == MEMSTRESS_STOP_FAILED &&
	    alloc->first_errno == ENOMEM && alloc->failures == 1)
		return true;
wrong:
	fprintf(stderr, "# %s flags %u: expected %s, seen %s; stop %s, %llu objects\n",
		session_policy_name(alloc->policy), alloc->flags, strerror(-expected_error),
		strerror(-ret), session_stop_name(alloc->stop), alloc->books.objects);
	return false;
}

/* All policies and flags for one size; the number of requests that went wrong */
static unsigned int all_policies(struct _test_data_kinds *self, __u32 kind, __u64 size)
{
	const __u32 all_flags = MEMSTRESS_ALLOC_ACCOUNT | MEMSTRESS_ALLOC_ZERO;
	struct memstress_alloc alloc;
	struct outcome outcome = { 0 };
	unsigned int wrong = 0;
	__u32 flags, policy;
	bool known;

	for (flags = 0; flags <= all_flags; flags++) {
		alloc = session_request(kind, size, OBJECTS, self->scope.target.fd);
		alloc.flags = flags;
		known = books_can_be_known(&alloc);
		for (policy = 0; policy < MEMSTRESS_POLICY_END; policy++) {
			alloc = session_request(kind, size, OBJECTS, self->scope.target.fd);
			alloc.flags = flags;
			alloc.policy = policy;
			if (!(flags & MEMSTRESS_ALLOC_ACCOUNT))
				alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
			wrong += !attempt(self, &alloc, known, &outcome);
		}
	}
	fprintf(stderr, "# %-8s %8llu: %2u done, %2u not supported, %u failed, %u wrong\n",
		session_kind_name(kind), size, outcome.done, outcome.unsupported, outcome.failed,
		wrong);
	return wrong;
}

TEST_F_TIMEOUT(kinds, books_of_all_policies, TIMEOUT_S)
{
	unsigned int i;

	for (i = 0; i < variant->count; i++)
		EXPECT_EQ(0, all_policies(self, variant->kind, variant->sizes[i]));
}

/* What INFO says an object costs is what one costs */
TEST_F(kinds, info_agrees)
{
	struct memstress_alloc alloc;
	struct memstress_books expected;
	struct memstress_info info;
	unsigned int i;

	for (i = 0; i < variant->count; i++) {
		alloc = session_request(variant->kind, variant->sizes[i], 1, -1);
		info = (struct memstress_info){
			.size = sizeof(info),
			.kind = variant->kind,
			.order = alloc.order,
			.object_size = alloc.object_size,
		};
		if (!books_can_be_known(&alloc)) {
			EXPECT_ERRNO(EOPNOTSUPP,
				     session_ioctl(self->fd, MEMSTRESS_IOC_INFO, &info));
			continue;
		}
		ASSERT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_INFO, &info));
		ASSERT_EQ(0, books_derive_one(&alloc, &expected));
		EXPECT_EQ(expected.page_charged_bytes, info.object_page_charged_bytes);
		EXPECT_EQ(expected.byte_charged_bytes, info.object_byte_charged_bytes);
		EXPECT_EQ(expected.footprint_bytes, info.object_footprint_bytes);
		EXPECT_LE(info.kind_min, variant->sizes[i]);
		EXPECT_GE(info.kind_max, variant->sizes[i]);
	}
}

TEST_F(kinds, edges_of_the_range)
{
	struct memstress_alloc alloc;

	alloc = session_request(variant->kind, self->info.kind_min, 1, self->scope.target.fd);
	EXPECT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
	EXPECT_EQ(0, session_free_all(self->fd));

	alloc = session_request(variant->kind, self->info.kind_max + 1, 1, self->scope.target.fd);
	EXPECT_ERRNO(EINVAL, session_alloc(self->fd, &alloc));

	/* The largest vmalloc() is as large as the machine: the caps are there for that */
	alloc = session_request(variant->kind, self->info.kind_max, 1, self->scope.target.fd);
	EXPECT_ERRNO(books_can_be_known(&alloc) ? 0 : EOPNOTSUPP, session_alloc(self->fd, &alloc));
	if (!books_can_be_known(&alloc)) {
		EXPECT_EQ(0, alloc.handle);
	} else if (variant->kind == MEMSTRESS_KIND_VMALLOC) {
		EXPECT_EQ(MEMSTRESS_STOP_LIMIT, alloc.stop);
		EXPECT_EQ(0, alloc.handle);
	} else {
		EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
	}
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_F(kinds, numa_node)
{
	bool can = self->info.kind_features & MEMSTRESS_KIND_FEATURE_NODE;
	struct memstress_alloc alloc =
		session_request(variant->kind, variant->sizes[0], OBJECTS, self->scope.target.fd);

	alloc.node = 0;
	EXPECT_ERRNO(can ? 0 : EOPNOTSUPP, session_alloc(self->fd, &alloc));
	if (can) {
		EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
		EXPECT_EQ(0, session_free_all(self->fd));
	}
	/* Node numbers of a machine begin at 0 and have no holes where nothing was hot-plugged */
	alloc.node = self->info.online_nodes;
	EXPECT_ERRNO(EINVAL, session_alloc(self->fd, &alloc));
}

TEST_HARNESS_MAIN
