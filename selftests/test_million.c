// SPDX-License-Identifier: GPL-2.0
/*
 * A million objects in one ALLOC, and not one byte of bookkeeping for each: the memory
 * that the machine has less is what the ledger says, and it comes back in any order.
 */
#include <fcntl.h>
#include <glob.h>

#include "books.h"
#include "memstress_test.h"
#include "scope.h"

#define LIMIT_BYTES (256 << 20)
#define OBJECTS     1000000ULL
#define TIMEOUT_S   120

FIXTURE(million)
{
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

/* The machine's memory, by who has it: lines of /proc/meminfo */
static const char *const meminfo_lines[] = {
	"MemFree", "Slab", "VmallocUsed", "Percpu", "KernelStack", "PageTables",
};

struct machine {
	long long bytes[ARRAY_SIZE(meminfo_lines)];
	long long slab_pages; /* of the caches in /proc/slabinfo */
};

static int read_meminfo(struct machine *machine)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned int i, found = 0;
	char name[64], unit[8];
	long long kib;
	char line[128];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %lld %7s", name, &kib, unit) != 3)
			continue;
		for (i = 0; i < ARRAY_SIZE(meminfo_lines); i++) {
			if (strcmp(name, meminfo_lines[i]))
				continue;
			machine->bytes[i] = kib * 1024;
			found++;
		}
	}
	fclose(file);
	return found == ARRAY_SIZE(meminfo_lines) ? 0 : -ENOENT;
}

/* kmemleak has a struct of its own for each object that anybody has (mm/kmemleak.c) */
static bool is_of_debugging(const char *cache)
{
	return !strncmp(cache, "kmemleak", strlen("kmemleak"));
}

static int read_slabinfo(struct machine *machine)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	long long pages_per_slab, slabs;
	char line[512], cache[64];

	if (!file)
		return -errno;
	machine->slab_pages = 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line,
			   "%63s %*d %*d %*d %*d %lld : tunables %*d %*d %*d : slabdata %*d %lld",
			   cache, &pages_per_slab, &slabs) == 3 &&
		    !is_of_debugging(cache))
			machine->slab_pages += pages_per_slab * slabs;
	fclose(file);
	return machine->slab_pages ? 0 : -EINVAL;
}

static void shrink_all(const char *pattern)
{
	glob_t files;
	size_t i;
	int fd;

	if (glob(pattern, 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		fd = open(files.gl_pathv[i], O_WRONLY);
		if (fd < 0 || write(fd, "1", 1) != 1)
			fprintf(stderr, "# cannot write %s: %s\n", files.gl_pathv[i],
				strerror(errno));
		if (fd >= 0)
			close(fd);
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

static int look_at_machine(struct machine *machine)
{
	int ret;

	shrink_caches();
	ret = read_meminfo(machine);
	return ret ? ret : read_slabinfo(machine);
}

static long long slab_bytes(const struct machine *machine)
{
	return machine->slab_pages * books_page_size();
}

static void print_machine(const char *what, const struct machine *before,
			  const struct machine *after, long long ledger)
{
	unsigned int i;

	fprintf(stderr, "# %s: ledger %lld\n", what, ledger);
	for (i = 0; i < ARRAY_SIZE(meminfo_lines); i++)
		fprintf(stderr, "#   %-12s %12lld -> %12lld: %+lld\n", meminfo_lines[i],
			before->bytes[i], after->bytes[i], after->bytes[i] - before->bytes[i]);
	fprintf(stderr, "#   slab pages   %12lld -> %12lld: %+lld bytes\n", before->slab_pages,
		after->slab_pages, slab_bytes(after) - slab_bytes(before));
	fprintf(stderr, "#   slab less ledger: %+lld bytes, %+.3f an object\n",
		slab_bytes(after) - slab_bytes(before) - ledger,
		(double)(slab_bytes(after) - slab_bytes(before) - ledger) / OBJECTS);
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
	struct machine before, held, after;
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
	EXPECT_EQ(bookkeeping, bookkeeping_for(self, OBJECTS));
	ASSERT_EQ(0, look_at_machine(&held));

	ASSERT_EQ(0, books_derive_one(&unit, &one));
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(1, ledger.holdings);
	unit.books.uncharged_objects = 0;
	ASSERT_EQ(0, books_derive(&unit, OBJECTS, &expected));
	EXPECT_TRUE(books_equal("ledger", &expected, &ledger.books));
	print_machine("held", &before, &held, expected.byte_charged_bytes);
	/*
	 * The kernel's own vectors of objcg pointers are slab memory too, and charged as
	 * a pointer an object (memcg_alloc_slab_cgroups() and obj_full_size()); but where
	 * there is room between the objects, newer kernels put the pointers there and have no
	 * vectors (SLAB_OBJ_EXT_IN_OBJ of mm/slub.c). The rest are slabs begun before and
	 * not full after, a few pages for each CPU: one byte an object would be a million.
	 */
	surplus = slab_bytes(&held) - slab_bytes(&before) - (long long)expected.byte_charged_bytes;
	EXPECT_GT((long long)OBJECTS, surplus - books_slab_waste(&unit, OBJECTS));
	EXPECT_LT(-(1 + (long long)sizeof(void *)) * (long long)OBJECTS, surplus);

	charge_add(&charge, MEMSTRESS_KIND_KMALLOC, &expected);
	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &violation);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &violation);

	req.order = variant->order;
	ASSERT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &req));
	EXPECT_TRUE(books_equal("free", &expected, &req.books));
	ASSERT_EQ(0, look_at_machine(&after));
	print_machine("freed", &before, &after, 0);
	EXPECT_GT(OBJECTS, llabs(slab_bytes(&after) - slab_bytes(&before)));

	memset(&charge, 0, sizeof(charge));
	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &violation);
	EXPECT_EQ(0, ret)
	balance_report("freed", ret, &violation);
}

TEST_HARNESS_MAIN
