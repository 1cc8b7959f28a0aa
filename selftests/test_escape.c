// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the escape: what the machine has less of, somebody pays for. /proc/meminfo tells
 * how much is taken and for what, the cgroup what it was charged for, and the two agree but
 * for what the kernel needs to keep the books, which is known for each kind.
 *
 * So memory that is allocated for a cgroup, and charged to nobody, is found without asking
 * who should have paid.
 */
#include <fcntl.h>
#include <unistd.h>

#include "books.h"
#include "cpu.h"
#include "fix.h"
#include "kernel.h"
#include "machine.h"
#include "memstress_test.h"
#include "scope.h"
#include "user_memory.h"
#include "worker.h"

LAW("what /proc/meminfo has less of is charged to a cgroup, but for what keeping the books takes");

#define LIMIT_BYTES (192 << 20)
#define TIMEOUT_S   120

#define MIB 1048576LL

/* Others on the machine take and give memory, too: whoever escapes does so each time */
#define ATTEMPTS 5

/* slub_max_order of mm/slub.c is PAGE_ALLOC_COSTLY_ORDER; few caches have such slabs */
#define SLAB_ORDER_MAX 3

/* What is held while it is measured, so that slabs with room for more are full before */
#define WARM_PART 8

/* Before any test: fixtures cannot skip on older kernels' harness */
static void __attribute__((constructor)) skip_where_all_is_recorded(void)
{
	if (kernel_has_symbol("kmemleak_alloc"))
		ksft_exit_skip("kmemleak takes memory of its own for each allocation\n");
}

FIXTURE(escape)
{
	struct scope scope;
	int fd, twin; /* sessions */
};

FIXTURE_VARIANT(escape)
{
	__u32 kind;
	__u64 size;    /* or order */
	long long mib; /* charged, about */
	__u32 context, policy;
};

#define VARIANT_IN(_name, _kind, _size, _mib, _context, _policy)                               \
	FIXTURE_VARIANT_ADD(escape, _name)                                                     \
	{                                                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .mib = _mib,                    \
		.context = MEMSTRESS_CONTEXT_##_context, .policy = MEMSTRESS_POLICY_##_policy, \
	}
#define VARIANT(_name, _kind, _size, _mib) VARIANT_IN(_name, _kind, _size, _mib, TASK, KERNEL)

VARIANT(page_0, PAGE, 0, 32);
VARIANT(page_3, PAGE, 3, 32);
VARIANT(page_9, PAGE, 9, 32);
VARIANT(kmalloc_96, KMALLOC, 96, 16);
VARIANT(kmalloc_1024, KMALLOC, 1024, 32);
VARIANT(kmalloc_16384, KMALLOC, 16384, 32);
VARIANT(cache_1024, CACHE, 1024, 32);
VARIANT(vmalloc_65536, VMALLOC, 65536, 32);
VARIANT(percpu_1024, PERCPU, 1024, 64);
VARIANT(exact_20480, EXACT, 20480, 32);
VARIANT(kvmalloc_65536, KVMALLOC, 65536, 32);
VARIANT_IN(page_0_kworker, PAGE, 0, 32, KWORKER, KERNEL);
VARIANT_IN(page_0_softirq, PAGE, 0, 16, SOFTIRQ, NOWAIT);
VARIANT_IN(kmalloc_1024_softirq, KMALLOC, 1024, 16, SOFTIRQ, NOWAIT);
VARIANT_IN(kmalloc_1024_hardirq, KMALLOC, 1024, 16, HARDIRQ, NOWAIT);

FIXTURE_SETUP(escape)
{
	int cpu = cpu_last_online();

	/* Slabs that each CPU has begun are of one then */
	ASSERT_LE(0, cpu);
	ASSERT_EQ(0, cpu_run_on(cpu));
	ASSERT_EQ(0, scope_create(&self->scope, "escape", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->twin = session_open();
	ASSERT_LE(0, self->twin);
}

FIXTURE_TEARDOWN(escape)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EMPTY_LEDGER(self->twin);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, close(self->twin));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* The machine and the cgroup at one moment, in which nothing is on its way */
struct look {
	struct machine machine;
	long long usage;
};

static int look_take(struct scope *scope, struct look *look)
{
	int ret = session_settle(scope->session, scope->target.fd);

	if (!ret)
		ret = machine_take_quiet(&look->machine);
	look->usage = cgroup_read_number(&scope->target, "memory.current");
	return ret;
}

static long long slab_max_bytes(void)
{
	return books_page_size() << SLAB_ORDER_MAX;
}

/*
 * What any call may need a new slab for: the row of the ledger and the node of the array that
 * has it, the object by which SETTLE settles, and the vector of owners of the slab that it
 * is in.
 */
static long long bookkeeping_bytes(void)
{
	return 4 * slab_max_bytes();
}

/* The pages of a unit, which is what one CPU has of a chunk: pcpu_dump_alloc_info() at boot */
static long long percpu_unit_bytes(void)
{
	const long long pmd =
		2 * MIB; /* atom_size of pcpu_embed_first_chunk(): the most there is */
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	long long bytes = 0;
	char record[2048];
	ssize_t len;

	if (fd < 0)
		return pmd;
	while (!bytes && (len = read(fd, record, sizeof(record) - 1)) > 0) {
		const char *found;

		record[len] = '\0';
		found = strstr(record, "pcpu-alloc: s");
		if (!found || sscanf(found, "pcpu-alloc: s%*d r%*d d%*d u%lld", &bytes) != 1)
			bytes = 0;
	}
	close(fd);
	return bytes > 0 ? bytes : pmd;
}

/* PCPU_MIN_ALLOC_SIZE of mm/percpu-internal.h: each 4 bytes have a pointer to their owner */
static long long owners_bytes(long long bytes)
{
	return bytes / 4 * sizeof(void *);
}

/*
 * mm/percpu.c: a chunk has a vector of owners for all of its unit, of which what is in use is
 * charged (pcpu_obj_full_size()); two bits for each 4 bytes, in maps, and a struct
 * pcpu_block_md for each page, of 64 bytes at most; and PCPU_EMPTY_POP_PAGES_HIGH pages of
 * each CPU that are there and not in use. The last chunk is in use in part.
 */
static long long percpu_bytes(const struct memstress_alloc *alloc)
{
	long long unit = percpu_unit_bytes(), chunks = alloc->object_size * alloc->count / unit + 2;
	long long owners = owners_bytes(unit), maps = 2 * unit / 4 / 8;
	long long blocks = unit / books_page_size() * 64;

	return owners + chunks * (maps + blocks) + 4 * books_page_size() * books_possible_cpus();
}

/*
 * mm/vmalloc.c: a struct vmap_area, a struct vm_struct, each with less than 128 bytes, and an
 * array of the pages, in powers of two; and tables of pages for the addresses, guard page
 * included, which are never given back.
 */
static long long vmalloc_bytes(const struct memstress_alloc *alloc)
{
	long long page = books_page_size(), pages = alloc->object_size / page;
	long long each = 128 + 128 + 2 * pages * sizeof(void *);
	long long tables = (pages + 1) * alloc->count / (page / sizeof(void *)) + 3;

	return each * alloc->count + tables * page + 3 * slab_max_bytes();
}

/*
 * mm/slub.c: what no object of a slab uses; the vector of owners, which is charged with each
 * object and is taken from kmalloc() in powers of two; the last slab of each, begun. The
 * sheaves of a CPU, on newer kernels, are filled before their objects are asked for.
 */
static long long slab_bytes(const struct memstress_alloc *alloc)
{
	const long long sheaves = 2 * 60; /* calculate_sheaf_capacity(), two of a CPU */
	long long waste = 0;

	if (alloc->kind == MEMSTRESS_KIND_KMALLOC)
		waste = books_slab_waste(alloc, alloc->count);
	return waste + alloc->count * sizeof(void *) + 2 * slab_max_bytes() +
	       sheaves * alloc->object_size;
}

static long long bound_bytes(const struct memstress_alloc *alloc)
{
	long long bytes = bookkeeping_bytes();

	switch (alloc->kind) {
	case MEMSTRESS_KIND_KMALLOC:
	case MEMSTRESS_KIND_CACHE:
		/* Larger ones are blocks of pages */
		if ((long long)alloc->object_size <= 2 * books_page_size())
			bytes += slab_bytes(alloc);
		break;
	case MEMSTRESS_KIND_VMALLOC:
		bytes += vmalloc_bytes(alloc);
		break;
	case MEMSTRESS_KIND_PERCPU:
		bytes += percpu_bytes(alloc);
		break;
	}
	return bytes;
}

/* For what the kind must show in /proc/meminfo. Of owners of percpu areas it does not show it */
static const char *line_of(__u32 kind)
{
	switch (kind) {
	case MEMSTRESS_KIND_KMALLOC:
	case MEMSTRESS_KIND_KVMALLOC:
	case MEMSTRESS_KIND_CACHE:
		return "SUnreclaim";
	case MEMSTRESS_KIND_VMALLOC:
		return "VmallocUsed";
	case MEMSTRESS_KIND_PERCPU:
		return "Percpu";
	default:
		return "";
	}
}

static bool line_holds(const struct look *before, const struct look *after, const char *line,
		       long long expected, long long bound)
{
	long long moved = machine_moved(&before->machine, &after->machine, line);
	char text[96];
	bool held;

	snprintf(text, sizeof(text), "/proc/meminfo %s of what was allocated", line);
	held = law_at_least(NULL, text, expected - bound, moved);
	return held & law_at_most(NULL, text, expected + bound, moved);
}

/* Each line of kernel memory has what is its kind's; MemAvailable goes with MemFree */
static bool lines_hold(const struct look *before, const struct look *after,
		       const struct memstress_alloc *alloc, long long bound)
{
	static const char *const lines[] = { "SUnreclaim", "SReclaimable", "VmallocUsed",
					     "Percpu",     "KernelStack",  "PageTables" };
	const struct memstress_books *books = &alloc->books;
	long long charged = books->page_charged_bytes + books->byte_charged_bytes, expected;
	bool held = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		expected = strcmp(lines[i], line_of(alloc->kind)) ? 0 : charged;
		if (expected && alloc->kind == MEMSTRESS_KIND_PERCPU)
			expected = books->requested_bytes * books_possible_cpus();
		/* The vectors of owners of percpu chunks are vmalloc() areas */
		if (!strcmp(lines[i], "VmallocUsed") && alloc->kind == MEMSTRESS_KIND_PERCPU)
			expected = charged - books->requested_bytes * books_possible_cpus();
		held &= line_holds(before, after, lines[i], expected, bound);
	}
	expected = machine_moved(&before->machine, &after->machine, "MemFree");
	return held & line_holds(before, after, "MemAvailable", expected, bound);
}

static struct memstress_alloc request_of(const struct _fixture_variant_escape *variant,
					 int payer_fd)
{
	struct memstress_alloc alloc = session_request(variant->kind, variant->size, 1, payer_fd);
	struct memstress_books one;

	alloc.context = variant->context;
	alloc.policy = variant->policy;
	if (!books_derive_one(&alloc, &one))
		alloc.count =
			variant->mib * MIB / (one.page_charged_bytes + one.byte_charged_bytes);
	return alloc;
}

static int alloc_all(int fd, struct memstress_alloc *alloc)
{
	int ret = session_alloc(fd, alloc);

	return !ret && alloc->stop != MEMSTRESS_STOP_DONE ? -ENOMEM : ret;
}

/* What one object takes at the least */
static long long least_bytes(const struct memstress_alloc *alloc)
{
	if (alloc->kind == MEMSTRESS_KIND_PAGE)
		return books_page_size() << alloc->order;
	if (alloc->kind == MEMSTRESS_KIND_PERCPU)
		return alloc->object_size * books_possible_cpus();
	return alloc->object_size;
}

/* Of the same kind, charged to nobody, and more than the bound on both sides */
static struct memstress_alloc twin_of(const struct memstress_alloc *alloc)
{
	struct memstress_alloc twin = *alloc;

	twin.flags &= ~MEMSTRESS_ALLOC_ACCOUNT;
	twin.payer_fd = MEMSTRESS_PAYER_CALLER;
	twin.count = 2 * bound_bytes(alloc) / least_bytes(alloc) + 1;
	return twin;
}

/* What one attempt has come to */
struct attempt {
	struct look before, after;
	struct memstress_alloc alloc, twin;
	long long bound, unpaid;
};

static void judge(struct attempt *try, long long bound)
{
	long long taken = try->after.machine.taken - try->before.machine.taken;
	long long paid = try->after.usage - try->before.usage;

	try->bound = bound;
	try->unpaid = taken - paid;
	fprintf(stderr, "# taken %lld, paid %lld, by nobody %+lld of at most %lld\n", taken, paid,
		try->unpaid, bound);
}

static bool is_paid_for(const struct scope *scope, const struct attempt *try)
{
	static const char what[] = "bytes that are taken and nobody has paid for";

	return law_at_most(scope->target.path, what, try->bound, try->unpaid) &
	       law_at_least(scope->target.path, what, -try->bound, try->unpaid);
}

static int attempt(struct _test_data_escape *self, const struct _fixture_variant_escape *variant,
		   bool with_twin, struct attempt *try)
{
	int ret, err;

	try->alloc = request_of(variant, self->scope.target.fd);
	try->twin = twin_of(&try->alloc);
	ret = look_take(&self->scope, &try->before);
	if (!ret)
		ret = alloc_all(self->fd, &try->alloc);
	if (!ret && with_twin)
		ret = alloc_all(self->twin, &try->twin);
	if (!ret)
		ret = look_take(&self->scope, &try->after);
	err = session_free(self->fd, try->alloc.handle, 0);
	if (!err && with_twin)
		err = session_free(self->twin, try->twin.handle, 0);
	if (!ret)
		judge(try, bound_bytes(&try->alloc));
	return ret ? ret : err;
}

/* Fills up the slabs and chunks that are begun. Those of the twin are not those of the charged */
static int warm_up(struct _test_data_escape *self, const struct _fixture_variant_escape *variant)
{
	struct memstress_alloc warm = request_of(variant, self->scope.target.fd);
	struct memstress_alloc twin = twin_of(&warm);
	int ret;

	warm.count = warm.count / WARM_PART + 1;
	twin.count = warm.count;
	ret = alloc_all(self->fd, &warm);
	return ret ? ret : alloc_all(self->twin, &twin);
}

/* All that has escaped are owners of percpu areas, for which nobody paid before that */
static bool only_owners_escape(const struct attempt *try)
{
	long long owners = owners_bytes(try->alloc.object_size * try->alloc.count);

	return try->alloc.kind == MEMSTRESS_KIND_PERCPU && try->unpaid > try->bound &&
	       llabs(try->unpaid - owners) <= try->bound;
}

TEST_F_TIMEOUT(escape, is_paid_for, TIMEOUT_S)
{
	const char *missing = fix_missing(FIX_OWNERS_OF_PERCPU);
	unsigned int attempts = 0;
	struct attempt try;

	if (variant->context != MEMSTRESS_CONTEXT_TASK &&
	    variant->context != MEMSTRESS_CONTEXT_KWORKER &&
	    !(self->scope.info.features & MEMSTRESS_FEATURE_CHARGED_INTERRUPTS))
		SKIP(return, "this kernel charges nothing that is allocated in interrupts");
	ASSERT_EQ(0, warm_up(self, variant));
	do {
		ASSERT_EQ(0, attempt(self, variant, false, &try));
	} while (llabs(try.unpaid) > try.bound && ++attempts < ATTEMPTS);
	if (only_owners_escape(&try) && missing) {
		EXPECT_EQ(0, session_free_all(self->fd));
		EXPECT_EQ(0, session_free_all(self->twin));
		XFAIL(return, "%s", missing);
	}
	EXPECT_TRUE(is_paid_for(&self->scope, &try));
	/* A bound that would let half of it escape is none */
	EXPECT_GT(variant->mib * MIB / 2, try.bound);
	EXPECT_TRUE(lines_hold(&try.before, &try.after, &try.alloc, try.bound));

	fprintf(stderr, "# red twin: the law must be broken\n");
	ASSERT_EQ(0, attempt(self, variant, true, &try));
	EXPECT_FALSE(is_paid_for(&self->scope, &try));
	EXPECT_LT(try.bound, try.unpaid);
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, session_free_all(self->twin));
}

FIXTURE(user)
{
	struct _test_data_escape escape;
	struct worker worker;
};

FIXTURE_VARIANT(user)
{
	enum user_memory kind;
	long long bytes;
	const char *line; /* of /proc/meminfo */
};

#define USER(_name, _kind, _bytes, _line)                             \
	FIXTURE_VARIANT_ADD(user, _name)                              \
	{                                                             \
		.kind = USER_##_kind, .bytes = _bytes, .line = _line, \
	}

USER(anon, ANON, 32 * MIB, "AnonPages");
USER(thp, THP, 32 * MIB, "AnonHugePages");
USER(shmem, SHMEM, 32 * MIB, "Shmem");
USER(mapped, MAPPED, 32 * MIB, "Mapped");
USER(file, FILE, 32 * MIB, "Cached");
USER(pagetables, PAGETABLES, MIB / 2, "PageTables");
USER(pipe, PIPE, MIB, NULL);

FIXTURE_SETUP(user)
{
	escape_setup(_metadata, &self->escape, NULL);
	ASSERT_EQ(0, cpu_run_on(-1));
	ASSERT_EQ(0, user_memory_open());
	ASSERT_EQ(0, worker_start(&self->worker, &self->escape.scope.target));
}

FIXTURE_TEARDOWN(user)
{
	EXPECT_EQ(0, worker_stop(&self->worker));
	user_memory_close();
	escape_teardown(_metadata, &self->escape, NULL);
}

/* XA_CHUNK_SIZE of include/linux/xarray.h: pages of a file that one node of its array has */
#define NODE_PAGES 64

/*
 * Slabs of what the process needs besides, as any call may; and nodes of the array of a file,
 * which are charged by the object, in slabs: no slab is half waste and vector.
 */
static long long user_bound_bytes(long long bytes)
{
	long long nodes = bytes / books_page_size() / NODE_PAGES + NODE_PAGES;

	return bookkeeping_bytes() + nodes * books_accounted_object("radix_tree_node");
}

static int user_attempt(struct _test_data_user *self, const struct _fixture_variant_user *variant,
			bool with_twin, struct attempt *try)
{
	long long bound = user_bound_bytes(variant->bytes);
	unsigned long long bytes = variant->bytes;
	int ret = look_take(&self->escape.scope, &try->before), err;

	if (!ret)
		ret = worker_take(&self->worker, variant->kind, &bytes);
	try->twin = session_request(MEMSTRESS_KIND_PAGE, 0, 2 * bound / books_page_size() + 1,
				    MEMSTRESS_PAYER_CALLER);
	try->twin.flags = 0;
	if (!ret && with_twin)
		ret = alloc_all(self->escape.twin, &try->twin);
	if (!ret)
		ret = look_take(&self->escape.scope, &try->after);
	err = worker_give(&self->worker, variant->kind);
	if (!err)
		err = session_free_all(self->escape.twin);
	if (!ret)
		judge(try, bound);
	return ret ? ret : err;
}

TEST_F_TIMEOUT(user, is_paid_for, TIMEOUT_S)
{
	const char *missing = user_memory_missing(variant->kind);
	unsigned long long bytes = variant->bytes;
	unsigned int attempts = 0;
	long long expected = bytes;
	struct attempt try;
	bool held = true;

	if (missing)
		SKIP(return, "%s", missing);
	/* Once before: what it needs besides is there then. Tables stay, so not of those */
	if (variant->kind != USER_PAGETABLES) {
		ASSERT_EQ(0, worker_take(&self->worker, variant->kind, &bytes));
		ASSERT_EQ(0, worker_give(&self->worker, variant->kind));
	}
	do {
		ASSERT_EQ(0, user_attempt(self, variant, false, &try));
	} while (llabs(try.unpaid) > try.bound && ++attempts < ATTEMPTS);
	EXPECT_TRUE(is_paid_for(&self->escape.scope, &try));
	EXPECT_GT(variant->bytes / 2, try.bound);
	/* Each page that is touched is charged, and a table if there was none yet */
	if (variant->kind == USER_PAGETABLES)
		expected = try.after.usage - try.before.usage - variant->bytes;
	if (variant->line)
		held = line_holds(&try.before, &try.after, variant->line, expected, try.bound);
	EXPECT_TRUE(held);

	fprintf(stderr, "# red twin: the law must be broken\n");
	ASSERT_EQ(0, user_attempt(self, variant, true, &try));
	EXPECT_FALSE(is_paid_for(&self->escape.scope, &try));
	EXPECT_LT(try.bound, try.unpaid);
}

TEST_HARNESS_MAIN
