// SPDX-License-Identifier: GPL-2.0
/*
 * A million objects in one ALLOC, and not one byte of bookkeeping for each: the memory
 * that the machine has less is what the ledger says, and it comes back in any order.
 */
#include <glob.h>

#include "books.h"
#include "knob.h"
#include "machine.h"
#include "memstress_test.h"
#include "scope.h"

#define LIMIT_BYTES (256 << 20)
#define MILLION     1000000ULL
#define TIMEOUT_S   120
#define QUIET_NS    (5 * NS_PER_S)

/* Where each object is looked at closely, a million would take a quarter of an hour */
#define FEWER_ON_SLOW 4

#define CACHES_MAX    512
#define TELLING_PAGES 8 /* for which a cache is named */

FIXTURE(million)
{
	__u64 objects;
	struct scope scope;
	struct scope_snapshot before;
	int fd;
};

FIXTURE_VARIANT(million)
{
	__u32 order;
};

#define VARIANT(_name, _ORDER)                   \
	FIXTURE_VARIANT_ADD(million, _name)      \
	{                                        \
		.order = MEMSTRESS_FREE_##_ORDER \
	}

VARIANT(fifo, FIFO);
VARIANT(lifo, LIFO);
VARIANT(random, RANDOM);

FIXTURE_SETUP(million)
{
	self->objects = clock_slowness() > 1 ? MILLION / FEWER_ON_SLOW : MILLION;
	ASSERT_EQ(0, scope_create(&self->scope, "million", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(million)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Who has the machine's memory: lines of /proc/meminfo */
static const char *const lines[] = {
	"MemFree", "Slab", "VmallocUsed", "Percpu", "KernelStack", "PageTables",
};

struct slab_cache {
	char name[64];
	long long pages;
};

struct look {
	struct machine machine;
	struct slab_cache caches[CACHES_MAX]; /* those in /proc/slabinfo */
	unsigned int cache_count;
	long long slab_pages; /* of all of them */
};

/*
 * kmemleak has a struct of its own for each object that anybody has (mm/kmemleak.c), and
 * CONFIG_DEBUG_OBJECTS for each timer, work or RCU head (lib/debugobjects.c).
 */
static bool is_of_debugging(const char *cache)
{
	return !strncmp(cache, "kmemleak", strlen("kmemleak")) ||
	       !strcmp(cache, "debug_objects_cache");
}

static int read_slabinfo(struct look *look)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	long long pages_per_slab, slabs;
	struct slab_cache *cache;
	char line[512];

	if (!file)
		return -errno;
	look->slab_pages = 0;
	look->cache_count = 0;
	while (fgets(line, sizeof(line), file) && look->cache_count < CACHES_MAX) {
		cache = &look->caches[look->cache_count];
		if (sscanf(line,
			   "%63s %*d %*d %*d %*d %lld : tunables %*d %*d %*d : slabdata %*d %lld",
			   cache->name, &pages_per_slab, &slabs) != 3 ||
		    is_of_debugging(cache->name))
			continue;
		cache->pages = pages_per_slab * slabs;
		look->slab_pages += cache->pages;
		look->cache_count++;
	}
	fclose(file);
	if (look->cache_count == CACHES_MAX)
		return -E2BIG;
	return look->slab_pages ? 0 : -EINVAL;
}

static long long pages_of(const struct look *look, const char *name)
{
	unsigned int i;

	for (i = 0; i < look->cache_count; i++)
		if (!strcmp(look->caches[i].name, name))
			return look->caches[i].pages;
	return 0;
}

static void shrink_all(const char *pattern)
{
	glob_t files;
	size_t i;
	int ret;

	if (glob(pattern, 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		ret = knob_write(files.gl_pathv[i], "1");
		if (ret)
			fprintf(stderr, "# cannot write %s: %s\n", files.gl_pathv[i],
				strerror(-ret));
	}
	globfree(&files);
}

/*
 * Takes back what the caches of the objects keep for the next one who asks, and then
 * those of the vectors of objcg pointers that went with their slabs. From 6.18 that is
 * some sheaves of objects (mm/slub.c), and freed in random order, each of them may be the
 * last one of its slab. Which kmalloc cache has what depends on the kernel, and with
 * RANDOM_KMALLOC_CACHES on the boot. KASAN keeps what was freed from any cache, up to a
 * thirty-second part of the memory, until the cache is shrunk (mm/kasan/quarantine.c).
 */
static void shrink_caches(void)
{
	shrink_all("/sys/kernel/slab/kmalloc-*64/shrink");
	shrink_all("/sys/kernel/slab/*/shrink");
}

/* When what others have freed before has come back, too: what shrinking finds no more of */
static int look_at_machine(struct look *look)
{
	__u64 deadline = clock_deadline_ns(QUIET_NS);
	long long last;
	int ret;

	look->slab_pages = 0;
	do {
		last = look->slab_pages;
		shrink_caches();
		ret = read_slabinfo(look);
	} while (!ret && look->slab_pages != last && clock_poll(deadline));
	return ret ? ret : machine_take(&look->machine);
}

static long long slab_bytes(const struct look *look)
{
	return look->slab_pages * books_page_size();
}

static void print_looks(const char *what, const struct look *before, const struct look *after,
			long long ledger, __u64 objects)
{
	long long slabs = slab_bytes(after) - slab_bytes(before);
	long long pages;
	unsigned int i;

	fprintf(stderr, "# %s: ledger %lld\n", what, ledger);
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		fprintf(stderr, "#   %-12s %+lld\n", lines[i],
			machine_moved(&before->machine, &after->machine, lines[i]));
	fprintf(stderr, "#   slabs        %+lld; less ledger %+lld, %+.3f an object\n", slabs,
		slabs - ledger, (double)(slabs - ledger) / objects);
	for (i = 0; i < after->cache_count; i++) {
		pages = after->caches[i].pages - pages_of(before, after->caches[i].name);
		if (llabs(pages) >= TELLING_PAGES)
			fprintf(stderr, "#     %-20s %+lld pages\n", after->caches[i].name, pages);
	}
}

/* What the module was charged for itself while it held @count objects; -errno */
static long long bookkeeping_for(struct _test_data_million *self, __u64 count)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_KMALLOC, 64, count, self->scope.target.fd);
	struct memstress_ledger ledger;
	int ret = session_alloc(self->fd, &alloc);

	if (!ret)
		ret = session_ledger(self->fd, 0, &ledger);
	return ret ? ret : (long long)ledger.bookkeeping_bytes;
}

TEST_F_TIMEOUT(million, zero_bytes_an_object, TIMEOUT_S)
{
	struct memstress_free req = { .size = sizeof(req), .flags = MEMSTRESS_FREE_ALL };
	struct memstress_alloc unit = session_request(MEMSTRESS_KIND_KMALLOC, 64, 1, -1);
	struct look before, held, after;
	struct memstress_books expected, one;
	struct memstress_ledger ledger;
	struct charge charge = { 0 };
	struct violation violation;
	long long bookkeeping, surplus;
	int ret;

	bookkeeping = bookkeeping_for(self, 1);
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, look_at_machine(&before));
	/* As many bytes of the module's own for a million as for one */
	EXPECT_EQ(bookkeeping, bookkeeping_for(self, self->objects));
	ASSERT_EQ(0, look_at_machine(&held));

	ASSERT_EQ(0, books_derive_one(&unit, &one));
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(1, ledger.holdings);
	unit.books.uncharged_objects = 0;
	ASSERT_EQ(0, books_derive(&unit, self->objects, &expected));
	EXPECT_TRUE(books_equal("ledger", &expected, &ledger.books));
	print_looks("held", &before, &held, expected.byte_charged_bytes, self->objects);
	/*
	 * The kernel's own vectors of objcg pointers are slab memory too, and charged as
	 * a pointer an object (memcg_alloc_slab_cgroups() and obj_full_size()); but where
	 * there is room between the objects, newer kernels put the pointers there and have no
	 * vectors (SLAB_OBJ_EXT_IN_OBJ of mm/slub.c). The rest are slabs begun before and
	 * not full after, a few pages for each CPU: one byte an object would be far more.
	 */
	surplus = slab_bytes(&held) - slab_bytes(&before) - (long long)expected.byte_charged_bytes;
	EXPECT_GT((long long)self->objects, surplus - books_slab_waste(&unit, self->objects));
	EXPECT_LT(-(1 + (long long)sizeof(void *)) * (long long)self->objects, surplus);

	charge_add(&charge, MEMSTRESS_KIND_KMALLOC, &expected);
	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &violation);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &violation);

	req.order = variant->order;
	ASSERT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &req));
	EXPECT_TRUE(books_equal("free", &expected, &req.books));
	ASSERT_EQ(0, look_at_machine(&after));
	print_looks("freed", &before, &after, 0, self->objects);
	EXPECT_GT(self->objects, llabs(slab_bytes(&after) - slab_bytes(&before)));

	memset(&charge, 0, sizeof(charge));
	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &violation);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &violation);
}

TEST_HARNESS_MAIN
