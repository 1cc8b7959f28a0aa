// SPDX-License-Identifier: GPL-2.0
/* The ABI: sizes of structs, refusals and their errno, what is written and what is not. */
#include <assert.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fields.h"
#include "memstress_test.h"
#include "scope.h"

#define LIMIT_BYTES (64 << 20)
#define POISON      0xcc

static_assert(sizeof(struct memstress_books) == 48, "struct memstress_books never grows");
static_assert(sizeof(struct memstress_info) == 216, "struct memstress_info");
static_assert(sizeof(struct memstress_alloc) == 184, "struct memstress_alloc");
static_assert(sizeof(struct memstress_free) == 112, "struct memstress_free");
static_assert(sizeof(struct memstress_ledger) == 144, "struct memstress_ledger");
static_assert(sizeof(struct memstress_settle) == 56, "struct memstress_settle");
static_assert(sizeof(struct memstress_audit) == 88, "struct memstress_audit");
static_assert(sizeof(struct memstress_setup) == 8, "struct memstress_setup");
static_assert(MEMSTRESS_IOC_INFO == 0xbd40, "ioctl numbers are ABI");
static_assert(MEMSTRESS_IOC_SETTLE == 0xbd44, "ioctl numbers are ABI");
static_assert(MEMSTRESS_IOC_SETUP == 0xbd46, "ioctl numbers are ABI");

/* Each test begins and ends with nothing held by anybody */
FIXTURE(session)
{
	struct scope scope;
	int fd;
	struct memstress_alloc alloc; /* good ones, to be spoilt */
	struct memstress_free free;
	struct memstress_ledger ledger;
	struct memstress_settle settle;
	struct memstress_audit audit;
	struct memstress_info info;
};

FIXTURE_SETUP(session)
{
	ASSERT_EQ(0, scope_create(&self->scope, "abi", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	self->free = (struct memstress_free){
		.size = sizeof(self->free),
		.flags = MEMSTRESS_FREE_ALL,
	};
	self->ledger = (struct memstress_ledger){ .size = sizeof(self->ledger) };
	self->settle = (struct memstress_settle){
		.size = sizeof(self->settle),
		.cgroup_fd = self->scope.target.fd,
	};
	self->audit = (struct memstress_audit){ .size = sizeof(self->audit) };
	self->info = (struct memstress_info){ .size = sizeof(self->info) };
}

FIXTURE_TEARDOWN(session)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* @good, with one field changed, must be refused */
#define EXPECT_REFUSED(errno_expected, cmd, good, field, value)                   \
	do {                                                                      \
		__typeof__(good) bad = (good);                                    \
		int seen;                                                         \
		bad.field = (value);                                              \
		seen = -session_ioctl(self->fd, cmd, &bad);                       \
		EXPECT_EQ(errno_expected, seen)                                   \
		TH_LOG("%s: " #field " = " #value ": expected %s, seen %s", #cmd, \
		       strerror(errno_expected), strerror(seen));                 \
	} while (0)

#define INFO_REFUSED(errno_expected, field, value) \
	EXPECT_REFUSED(errno_expected, MEMSTRESS_IOC_INFO, info, field, value)
#define ALLOC_REFUSED(errno_expected, field, value) \
	EXPECT_REFUSED(errno_expected, MEMSTRESS_IOC_ALLOC, alloc, field, value)
#define FREE_REFUSED(errno_expected, field, value) \
	EXPECT_REFUSED(errno_expected, MEMSTRESS_IOC_FREE, req, field, value)
#define LEDGER_REFUSED(errno_expected, field, value) \
	EXPECT_REFUSED(errno_expected, MEMSTRESS_IOC_LEDGER, req, field, value)
#define SETTLE_REFUSED(errno_expected, field, value) \
	EXPECT_REFUSED(errno_expected, MEMSTRESS_IOC_SETTLE, req, field, value)

#define AUDIT_REFUSED(errno_expected, field, value) \
	EXPECT_REFUSED(errno_expected, MEMSTRESS_IOC_AUDIT, req, field, value)

TEST_F(session, info_bad_fields)
{
	struct memstress_info info = self->info;

	INFO_REFUSED(EINVAL, flags, 1);
	INFO_REFUSED(EINVAL, flags, 1U << 31);
	INFO_REFUSED(EINVAL, kind, MEMSTRESS_KIND_END);
	INFO_REFUSED(EINVAL, kind, 99);
	INFO_REFUSED(EINVAL, kind, ~0U);
	INFO_REFUSED(EINVAL, order, 1);
	INFO_REFUSED(EINVAL, object_size, 64);
	INFO_REFUSED(EINVAL, __reserved, 1);

	info.kind = MEMSTRESS_KIND_PAGE;
	ASSERT_EQ(0, session_info(self->fd, info.kind, &self->info));
	INFO_REFUSED(EINVAL, order, self->info.kind_max + 1);
	INFO_REFUSED(EINVAL, object_size, 4096);

	for (info.kind = MEMSTRESS_KIND_KMALLOC; info.kind < MEMSTRESS_KIND_END; info.kind++) {
		ASSERT_EQ(0, session_info(self->fd, info.kind, &self->info));
		info.object_size = 0;
		INFO_REFUSED(EINVAL, order, 1);
		info.object_size = self->info.kind_min;
		INFO_REFUSED(EINVAL, order, 1);
		INFO_REFUSED(EINVAL, object_size, self->info.kind_min - 1);
		INFO_REFUSED(EINVAL, object_size, self->info.kind_max + 1);
		INFO_REFUSED(EINVAL, object_size, ~0ULL);
	}
}

TEST_F(session, info_tells_this_kernel)
{
	struct memstress_info info;

	memset(&info, POISON, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	info.kind = 0;
	info.order = 0;
	info.object_size = 0;
	info.__reserved = 0;
	ASSERT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(MEMSTRESS_ABI_VERSION, info.abi_version);
	EXPECT_EQ(sysconf(_SC_PAGESIZE), info.page_size);
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_CONF), info.possible_cpus);
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), info.online_cpus);
	EXPECT_LE(1, info.online_nodes);
	EXPECT_GE(64, info.online_nodes);
	/* include/linux/memcontrol.h MEMCG_CHARGE_BATCH: 64, and 32 before 5.20 */
	EXPECT_TRUE(info.charge_batch_pages == 64 || info.charge_batch_pages == 32);
	EXPECT_EQ((1 << MEMSTRESS_KIND_END) - 2, info.kinds);
	EXPECT_NE(0, info.contexts & (1 << MEMSTRESS_CONTEXT_TASK));
	EXPECT_EQ(0, info.contexts >> MEMSTRESS_CONTEXT_END);
	EXPECT_NE(0, info.policies & (1 << MEMSTRESS_POLICY_KERNEL));
	EXPECT_EQ(0, info.policies >> MEMSTRESS_POLICY_END);
	EXPECT_NE(0, info.features & MEMSTRESS_FEATURE_KMEM);
	EXPECT_NE(0, info.features & MEMSTRESS_FEATURE_PAYER);
	EXPECT_NE(0, info.features & MEMSTRESS_FEATURE_SETTLE);
	EXPECT_LE(info.session_max_bytes, info.total_max_bytes);
	EXPECT_EQ(self->scope.total_bytes, info.total_bytes);
	EXPECT_EQ(0, info.__reserved);
	/* No kind was asked for */
	EXPECT_EQ(0, info.kind_policies);
	EXPECT_EQ(0, info.kind_contexts);
	EXPECT_EQ(0, info.kind_features);
	EXPECT_EQ(0, info.kind_min);
	EXPECT_EQ(0, info.kind_max);
	EXPECT_EQ(0, info.object_page_charged_bytes);
	EXPECT_EQ(0, info.object_byte_charged_bytes);
	EXPECT_EQ(0, info.object_footprint_bytes);
}

TEST_F(session, alloc_bad_fields)
{
	struct memstress_alloc alloc = self->alloc;

	ALLOC_REFUSED(EINVAL, flags, 1 << 2);
	ALLOC_REFUSED(EINVAL, flags, 1U << 31);
	ALLOC_REFUSED(EINVAL, kind, 0);
	ALLOC_REFUSED(EINVAL, kind, MEMSTRESS_KIND_END);
	ALLOC_REFUSED(EINVAL, kind, 99);
	ALLOC_REFUSED(EINVAL, kind, ~0U);
	ALLOC_REFUSED(EINVAL, context, MEMSTRESS_CONTEXT_END);
	ALLOC_REFUSED(EINVAL, context, ~0U);
	ALLOC_REFUSED(EINVAL, policy, MEMSTRESS_POLICY_END);
	ALLOC_REFUSED(EINVAL, policy, ~0U);
	ALLOC_REFUSED(EINVAL, count, 0);
	ALLOC_REFUSED(EINVAL, cpu, 1);
	ALLOC_REFUSED(EINVAL, method, MEMSTRESS_ALLOC_METHOD_END);
	ALLOC_REFUSED(EINVAL, method, ~0U);
	/* The task is where it is, and pays as it does */
	ALLOC_REFUSED(EINVAL, flags, MEMSTRESS_ALLOC_ACCOUNT | MEMSTRESS_ALLOC_CPU);
	ALLOC_REFUSED(EINVAL, payer_fd, MEMSTRESS_PAYER_NOBODY);
	ALLOC_REFUSED(EINVAL, node, -2);
	ALLOC_REFUSED(EINVAL, node, 1 << 20);
	ALLOC_REFUSED(EINVAL, node, 0x7fffffff);
	/* With a payer, but nothing that it could pay */
	ALLOC_REFUSED(EINVAL, flags, 0);
	ALLOC_REFUSED(EINVAL, flags, MEMSTRESS_ALLOC_ZERO);
}

TEST_F(session, alloc_bad_sizes)
{
	struct memstress_alloc alloc = self->alloc;
	struct memstress_info info;

	ASSERT_EQ(0, session_info(self->fd, MEMSTRESS_KIND_PAGE, &info));
	ALLOC_REFUSED(EINVAL, order, info.kind_max + 1);
	ALLOC_REFUSED(EINVAL, order, ~0U);
	ALLOC_REFUSED(EINVAL, object_size, 1);
	ALLOC_REFUSED(EINVAL, object_size, info.page_size);

	for (alloc.kind = MEMSTRESS_KIND_KMALLOC; alloc.kind < MEMSTRESS_KIND_END; alloc.kind++) {
		ASSERT_EQ(0, session_info(self->fd, alloc.kind, &info));
		alloc.object_size = info.kind_min;
		ALLOC_REFUSED(EINVAL, order, 1);
		ALLOC_REFUSED(EINVAL, object_size, 0);
		ALLOC_REFUSED(EINVAL, object_size, info.kind_min - 1);
		ALLOC_REFUSED(EINVAL, object_size, info.kind_max + 1);
		ALLOC_REFUSED(EINVAL, object_size, ~0ULL);
	}
}

/* Well-formed, but not on this kernel: exactly what INFO does not list */
TEST_F(session, alloc_unsupported)
{
	struct memstress_alloc alloc = self->alloc;
	struct memstress_info info;
	unsigned int policy, context;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	for (alloc.kind = MEMSTRESS_KIND_PAGE; alloc.kind < MEMSTRESS_KIND_END; alloc.kind++) {
		ASSERT_EQ(0, session_info(self->fd, alloc.kind, &info));
		alloc.object_size = alloc.kind == MEMSTRESS_KIND_PAGE ? 0 : 64;
		for (policy = 0; policy < MEMSTRESS_POLICY_END; policy++)
			if (!(info.kind_policies & (1 << policy)))
				ALLOC_REFUSED(EOPNOTSUPP, policy, policy);
		for (context = 0; context < MEMSTRESS_CONTEXT_END; context++)
			if (!(info.kind_contexts & (1 << context)))
				ALLOC_REFUSED(EOPNOTSUPP, context, context);
		if (!(info.kind_features & MEMSTRESS_KIND_FEATURE_NODE))
			ALLOC_REFUSED(EOPNOTSUPP, node, 0);
		if (!info.kind_alignment_max)
			ALLOC_REFUSED(EOPNOTSUPP, alignment, 8);
		if (!(info.kind_features & MEMSTRESS_KIND_FEATURE_MAPPABLE) ||
		    !(info.features & MEMSTRESS_FEATURE_MAPS_CHARGED))
			ALLOC_REFUSED(EOPNOTSUPP, flags,
				      MEMSTRESS_ALLOC_ACCOUNT | MEMSTRESS_ALLOC_MAPPABLE);
	}

	/* An interrupt cannot sleep, and only CPUs that are there have any */
	alloc = self->alloc;
	alloc.context = MEMSTRESS_CONTEXT_SOFTIRQ;
	ALLOC_REFUSED(EOPNOTSUPP, policy, MEMSTRESS_POLICY_KERNEL);
	ALLOC_REFUSED(EOPNOTSUPP, policy, MEMSTRESS_POLICY_NOFAIL);
	alloc.policy = MEMSTRESS_POLICY_NOWAIT;
	alloc.flags |= MEMSTRESS_ALLOC_CPU;
	ALLOC_REFUSED(ENODEV, cpu, cpus);
	ALLOC_REFUSED(ENODEV, cpu, ~0U);
}

/* Pages that nobody pays for can be mapped everywhere: as many as an offset has room for */
TEST_F(session, alloc_mappable)
{
	struct memstress_alloc alloc = self->alloc;
	struct memstress_info info;

	ASSERT_EQ(0, session_info(self->fd, MEMSTRESS_KIND_PAGE, &info));
	EXPECT_NE(0, info.kind_features & MEMSTRESS_KIND_FEATURE_MAPPABLE);
	alloc.flags = MEMSTRESS_ALLOC_MAPPABLE;
	alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	ALLOC_REFUSED(EINVAL, count, MEMSTRESS_MAPPABLE_MAX_BYTES / info.page_size + 1);
	ALLOC_REFUSED(EINVAL, count, ~0ULL);
	ALLOC_REFUSED(EINVAL, flags, MEMSTRESS_ALLOC_MAPPABLE | MEMSTRESS_ALLOC_SPLITTABLE);
	alloc.order = info.kind_max;
	alloc.count = (MEMSTRESS_MAPPABLE_MAX_BYTES / info.page_size >> alloc.order) + 1;
	ALLOC_REFUSED(EINVAL, node, MEMSTRESS_NODE_ANY);
}

TEST_F(session, alloc_bad_payers)
{
	struct memstress_alloc alloc = self->alloc;
	int regular = open("/proc/self/exe", O_RDONLY);
	int directory = open("/", O_RDONLY | O_DIRECTORY);
	int file = openat(self->scope.target.fd, cgroup_file("memory.current"), O_RDONLY);
	int closed = dup(regular);

	ASSERT_LE(0, regular);
	ASSERT_LE(0, directory);
	ASSERT_LE(0, file);
	ASSERT_LE(0, closed);
	ASSERT_EQ(0, close(closed));
	ALLOC_REFUSED(EBADF, payer_fd, closed);
	ALLOC_REFUSED(EBADF, payer_fd, regular);
	ALLOC_REFUSED(EBADF, payer_fd, directory);
	ALLOC_REFUSED(EBADF, payer_fd, file);
	ALLOC_REFUSED(EBADF, payer_fd, -3);
	ALLOC_REFUSED(EBADF, payer_fd, -0x7fffffff - 1);
	alloc.flags |= MEMSTRESS_ALLOC_PAYER_PID;
	ALLOC_REFUSED(ESRCH, payer_fd, 0);
	ALLOC_REFUSED(ESRCH, payer_fd, -1);
	ALLOC_REFUSED(ESRCH, payer_fd, 0x7fffffff);
	close(regular);
	close(directory);
	close(file);
}

/* A directory of cgroup v1 that has other controllers, or none, and one of it that is gone */
TEST_F(session, payers_of_another_hierarchy)
{
	struct memstress_alloc alloc = self->alloc;
	struct memstress_settle req = self->settle;
	char mount_point[] = "/tmp/memstress-XXXXXX", path[64];
	int top, child;

	ASSERT_NE(NULL, mkdtemp(mount_point));
	ASSERT_EQ(0, mount("none", mount_point, "cgroup", 0, "none,name=memstress"));
	snprintf(path, sizeof(path), "%s/child", mount_point);
	ASSERT_EQ(0, mkdir(path, 0755));
	top = open(mount_point, O_RDONLY | O_DIRECTORY);
	child = open(path, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, top);
	ASSERT_LE(0, child);
	ALLOC_REFUSED(EOPNOTSUPP, payer_fd, top);
	ALLOC_REFUSED(EOPNOTSUPP, payer_fd, child);
	SETTLE_REFUSED(EOPNOTSUPP, cgroup_fd, child);
	EXPECT_EQ(0, close(top));
	EXPECT_EQ(0, rmdir(path));
	ALLOC_REFUSED(ENOENT, payer_fd, child);
	EXPECT_EQ(0, close(child));
	EXPECT_EQ(0, umount(mount_point));
	EXPECT_EQ(0, rmdir(mount_point));
}

TEST_F(session, free_bad_fields)
{
	struct memstress_free req = self->free;

	FREE_REFUSED(EINVAL, flags, 1 << 2 | MEMSTRESS_FREE_ALL);
	FREE_REFUSED(EINVAL, flags, MEMSTRESS_FREE_CPU | MEMSTRESS_FREE_ALL);
	FREE_REFUSED(EINVAL, cpu, 1);
	FREE_REFUSED(EINVAL, __reserved, 1);
	FREE_REFUSED(EINVAL, flags, 1U << 31);
	FREE_REFUSED(EINVAL, handle, 1);
	FREE_REFUSED(EINVAL, order, MEMSTRESS_FREE_ORDER_END);
	FREE_REFUSED(EINVAL, order, ~0U);
	FREE_REFUSED(EINVAL, method, MEMSTRESS_FREE_METHOD_END);
	FREE_REFUSED(EINVAL, method, ~0U);
	FREE_REFUSED(EINVAL, context, MEMSTRESS_CONTEXT_END);
	FREE_REFUSED(EINVAL, context, ~0U);
	FREE_REFUSED(EINVAL, seed, 1);
	req.order = MEMSTRESS_FREE_LIFO;
	FREE_REFUSED(EINVAL, seed, 1);
	req = (struct memstress_free){
		.size = sizeof(req),
		.flags = MEMSTRESS_FREE_ALL | MEMSTRESS_FREE_CPU,
		.context = MEMSTRESS_CONTEXT_KWORKER,
	};
	FREE_REFUSED(ENODEV, cpu, sysconf(_SC_NPROCESSORS_CONF));
	FREE_REFUSED(ENODEV, cpu, ~0U);

	req = (struct memstress_free){ .size = sizeof(req) };
	FREE_REFUSED(ENOENT, handle, 0);
	FREE_REFUSED(ENOENT, handle, 1);
	FREE_REFUSED(ENOENT, handle, ~0U);
}

TEST_F(session, ledger_bad_fields)
{
	struct memstress_ledger req = self->ledger;

	LEDGER_REFUSED(EINVAL, flags, 1 << 2);
	LEDGER_REFUSED(EINVAL, flags, 1U << 31);
	LEDGER_REFUSED(EINVAL, kind, MEMSTRESS_KIND_END);
	LEDGER_REFUSED(EINVAL, kind, ~0U);
	LEDGER_REFUSED(ENOENT, handle, 1);
	LEDGER_REFUSED(ENOENT, handle, ~0U);
	LEDGER_REFUSED(ENOENT, flags, MEMSTRESS_LEDGER_NEXT);
	req.kind = MEMSTRESS_KIND_PAGE;
	LEDGER_REFUSED(EINVAL, handle, 1);
	LEDGER_REFUSED(EINVAL, flags, MEMSTRESS_LEDGER_NEXT);
}

TEST_F(session, settle_bad_fields)
{
	struct memstress_settle req = self->settle;
	int regular = open("/proc/self/exe", O_RDONLY);
	int root = cgroup_open_root();

	ASSERT_LE(0, regular);
	ASSERT_LE(0, root);
	SETTLE_REFUSED(EINVAL, flags, 1);
	SETTLE_REFUSED(EINVAL, flags, 1U << 31);
	SETTLE_REFUSED(EINVAL, __reserved, 1);
	SETTLE_REFUSED(EBADF, cgroup_fd, -1);
	SETTLE_REFUSED(EBADF, cgroup_fd, regular);
	close(regular);
	SETTLE_REFUSED(EBADF, cgroup_fd, regular);
	SETTLE_REFUSED(EOPNOTSUPP, cgroup_fd, root);
	close(root);
}

TEST_F(session, audit_bad_fields)
{
	struct memstress_audit req = self->audit;

	AUDIT_REFUSED(EINVAL, flags, 1);
	AUDIT_REFUSED(EINVAL, flags, 1U << 31);
	AUDIT_REFUSED(ENOENT, handle, 1);
	AUDIT_REFUSED(ENOENT, handle, ~0U);
}

TEST_F(session, setup_bad_fields)
{
	struct memstress_setup req = { .size = sizeof(req) };

	EXPECT_REFUSED(EINVAL, MEMSTRESS_IOC_SETUP, req, flags, MEMSTRESS_SETUP_SHARED << 1);
	EXPECT_REFUSED(EINVAL, MEMSTRESS_IOC_SETUP, req, flags, 1U << 31);
}

TEST_F(session, no_such_ioctl)
{
	struct memstress_info info = self->info;
	unsigned int i;
	const unsigned int unknown[] = {
		0,
		MEMSTRESS_IOC_INFO - 1,
		MEMSTRESS_IOC_SETUP + 1,
		~0U,
		_IO(MEMSTRESS_IOC_TYPE, 0xff),
		_IO(MEMSTRESS_IOC_TYPE, 0),
		/* The right number with another type, direction or size */
		_IO(MEMSTRESS_IOC_TYPE + 1, MEMSTRESS_CMD_INFO),
		_IOR(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_INFO, __u32),
		_IOWR(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_INFO, struct memstress_info),
	};

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_ERRNO(ENOTTY, session_ioctl(self->fd, unknown[i], &info));
}

TEST_F(session, histogram)
{
	__u64 slots[MEMSTRESS_HISTOGRAM_SLOTS + 1];
	__u64 attempts = 0;
	unsigned int i;

	memset(slots, POISON, sizeof(slots));
	self->alloc.count = 1000;
	self->alloc.histogram = (__u64)(unsigned long)slots;
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	for (i = 0; i < MEMSTRESS_HISTOGRAM_SLOTS; i++)
		attempts += slots[i];
	EXPECT_EQ(self->alloc.books.objects + self->alloc.failures, attempts);
	EXPECT_EQ(1000, attempts);
	EXPECT_EQ(0xccccccccccccccccULL, slots[i]);
	EXPECT_LE(self->alloc.slowest_ns, self->alloc.total_ns);
	EXPECT_EQ(0, session_free_all(self->fd));

	/* The objects were made before the answer failed: they must be gone */
	self->alloc.histogram = 8;
	EXPECT_ERRNO(EFAULT, session_alloc(self->fd, &self->alloc));
	EXPECT_EMPTY_LEDGER(self->fd);
	self->alloc.histogram = ~0ULL;
	EXPECT_ERRNO(EFAULT, session_alloc(self->fd, &self->alloc));
}

/* A struct of any of the ioctls, in a buffer that may be longer and ends at a hole */
FIXTURE(sized)
{
	struct scope scope;
	int fd;
	size_t page;
	char *memory; /* two pages, and one that is not there */
	union {
		struct memstress_info info;
		struct memstress_alloc alloc;
		struct memstress_free free;
		struct memstress_ledger ledger;
		struct memstress_settle settle;
		struct memstress_audit audit;
		struct memstress_setup setup;
	} good;
};

FIXTURE_VARIANT(sized)
{
	unsigned int cmd;
	size_t size;
	const struct field *fields;
};

/* clang-format off */
#define VARIANT(_name, _NAME)						\
	FIXTURE_VARIANT_ADD(sized, _name)				\
	{								\
		.cmd = MEMSTRESS_IOC_##_NAME,				\
		.size = sizeof(struct memstress_##_name),		\
		.fields = _name##_fields,				\
	}
/* clang-format on */

VARIANT(info, INFO);
VARIANT(alloc, ALLOC);
VARIANT(free, FREE);
VARIANT(ledger, LEDGER);
VARIANT(settle, SETTLE);
VARIANT(audit, AUDIT);
VARIANT(setup, SETUP);

FIXTURE_SETUP(sized)
{
	ASSERT_EQ(0, scope_create(&self->scope, "abi", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->page = sysconf(_SC_PAGESIZE);
	self->memory = mmap(NULL, 3 * self->page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, mprotect(self->memory + 2 * self->page, self->page, PROT_NONE));

	switch (variant->cmd) {
	case MEMSTRESS_IOC_INFO:
		self->good.info.kind = MEMSTRESS_KIND_KMALLOC;
		self->good.info.object_size = 64;
		break;
	case MEMSTRESS_IOC_ALLOC:
		self->good.alloc =
			session_request(MEMSTRESS_KIND_PAGE, 0, 3, self->scope.target.fd);
		break;
	case MEMSTRESS_IOC_FREE:
		self->good.free.flags = MEMSTRESS_FREE_ALL;
		break;
	case MEMSTRESS_IOC_SETTLE:
		self->good.settle.cgroup_fd = self->scope.target.fd;
		break;
	}
	self->good.info.size = variant->size;
}

FIXTURE_TEARDOWN(sized)
{
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, munmap(self->memory, 3 * self->page));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* The good struct with this size, ending where the memory does */
static void *sized_place(char *memory, size_t page, const void *good, size_t good_size, size_t size)
{
	size_t room = size > good_size ? size : good_size;
	char *arg = memory + 2 * page - room;

	memset(memory, 0, 2 * page);
	memcpy(arg, good, good_size);
	memcpy(arg, &(__u32){ size }, sizeof(__u32));
	return arg;
}

TEST_F(sized, short_is_refused)
{
	size_t size;
	void *arg;

	/* All fields of ABI version 1 are mandatory: whoever knows it has them */
	for (size = 0; size < variant->size; size++) {
		arg = sized_place(self->memory, self->page, &self->good, variant->size, size);
		EXPECT_ERRNO(EINVAL, session_ioctl(self->fd, variant->cmd, arg));
	}
}

TEST_F(sized, exact_reads_no_further)
{
	void *arg =
		sized_place(self->memory, self->page, &self->good, variant->size, variant->size);

	EXPECT_ERRNO(0, session_ioctl(self->fd, variant->cmd, arg));
}

TEST_F(sized, longer_with_zeros)
{
	const size_t longer[] = { 1, 4, 8, 64, self->page - variant->size };
	unsigned int i;
	size_t byte;
	char *arg;

	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		arg = sized_place(self->memory, self->page, &self->good, variant->size,
				  variant->size + longer[i]);
		EXPECT_ERRNO(0, session_ioctl(self->fd, variant->cmd, arg));
		for (byte = 0; byte < longer[i]; byte++)
			EXPECT_EQ(0, arg[variant->size + byte]);
	}
}

TEST_F(sized, longer_with_garbage)
{
	const size_t longer[] = { 1, 8, 64, self->page - variant->size };
	unsigned int i;
	char *arg;

	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		arg = sized_place(self->memory, self->page, &self->good, variant->size,
				  variant->size + longer[i]);
		arg[variant->size + longer[i] - 1] = 1;
		EXPECT_ERRNO(E2BIG, session_ioctl(self->fd, variant->cmd, arg));
	}
}

TEST_F(sized, longer_than_a_page)
{
	const __u32 sizes[] = { self->page + 1, 2 * self->page, 1U << 31, ~0U };
	unsigned int i;
	char *arg = self->memory;

	/* Zeros, and memory that is not there: neither is looked at */
	memcpy(arg, &self->good, variant->size);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memcpy(arg, &sizes[i], sizeof(sizes[i]));
		EXPECT_ERRNO(E2BIG, session_ioctl(self->fd, variant->cmd, arg));
	}
}

TEST_F(sized, bad_address)
{
	char *hole = self->memory + 2 * self->page;
	void *arg;

	EXPECT_ERRNO(EFAULT, session_ioctl(self->fd, variant->cmd, NULL));
	EXPECT_ERRNO(EFAULT, session_ioctl(self->fd, variant->cmd, (void *)-4096L));
	EXPECT_ERRNO(EFAULT, session_ioctl(self->fd, variant->cmd, hole));
	/* The size is there, and something is missing */
	arg = memcpy(hole - variant->size + 1, &self->good, variant->size - 1);
	EXPECT_ERRNO(EFAULT, session_ioctl(self->fd, variant->cmd, arg));
	arg = memcpy(hole - sizeof(__u32), &self->good, sizeof(__u32));
	EXPECT_ERRNO(EFAULT, session_ioctl(self->fd, variant->cmd, arg));

	/* It can be read, and the answer not be written: nothing is kept. SETUP has no answer */
	if (variant->cmd == MEMSTRESS_IOC_SETUP)
		return;
	arg = memcpy(self->memory, &self->good, variant->size);
	ASSERT_EQ(0, mprotect(arg, self->page, PROT_READ));
	EXPECT_ERRNO(EFAULT, session_ioctl(self->fd, variant->cmd, arg));
	EXPECT_EMPTY_LEDGER(self->fd);
}

static bool field_is_poison(const struct field *field, const char *arg)
{
	size_t byte;

	for (byte = 0; byte < field->size; byte++)
		if ((unsigned char)arg[field->offset + byte] != POISON)
			return false;
	return true;
}

/* All that is [out] is written, and nothing else is */
TEST_F(sized, writes_what_is_out)
{
	const struct field *field;
	char *before, *arg = self->memory;
	size_t covered = 0;

	memcpy(arg, &self->good, variant->size);
	for (field = variant->fields; field->name; field++) {
		covered += field->size;
		if (field->out)
			memset(arg + field->offset, POISON, field->size);
	}
	ASSERT_EQ(variant->size, covered)
	TH_LOG("this test's table of fields has a hole");

	before = memcpy(self->memory + self->page, arg, variant->size);
	EXPECT_ERRNO(0, session_ioctl(self->fd, variant->cmd, arg));
	for (field = variant->fields; field->name; field++) {
		if (field->out) {
			EXPECT_FALSE(field_is_poison(field, arg))
			TH_LOG("%s was not written", field->name);
		} else {
			EXPECT_EQ(0,
				  memcmp(arg + field->offset, before + field->offset, field->size))
			TH_LOG("%s was written", field->name);
		}
	}
}

TEST_HARNESS_MAIN
