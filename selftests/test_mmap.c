// SPDX-License-Identifier: GPL-2.0
/*
 * mmap of a holding: what is seen through it, what keeps it from being freed, what it counts
 * as, and what becomes of the pages when their session goes first.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "books.h"
#include "memstress_test.h"
#include "param.h"
#include "scope.h"
#include "twin.h"

#define LIMIT_BYTES     (256 << 20)
#define TIMEOUT_S       120
#define DEAD_MAN_ROUNDS 30
#define POISON          0xa5a5a5a5a5a5a5a5ULL

/* An offset has the handle from this bit on, which users need not know */
#define HANDLE_SHIFT 31

FIXTURE(mapping)
{
	struct scope scope;
	struct scope_snapshot before;
	struct memstress_alloc alloc;
	struct charge charge; /* what the target must have by now */
	struct violation violation;
	long long page;
	__u64 pages; /* of the holding */
	int fd;
	char *memory;    /* all of it, mapped */
	bool payer_gone; /* the target was removed */
	bool stop;       /* to the threads of a race */
};

FIXTURE_VARIANT(mapping)
{
	__u64 order, count;
};

#define VARIANT(_name, _order, _count)                \
	FIXTURE_VARIANT_ADD(mapping, _name)           \
	{                                             \
		.order = (_order), .count = (_count), \
	}

VARIANT(order_0, 0, 1000);
VARIANT(order_3, 3, 100);
VARIANT(order_9, 9, 5);

/* Where charged pages cannot be mapped, nobody pays */
static struct memstress_alloc mappable(const struct memstress_info *info, __u64 order, __u64 count,
				       int payer_fd)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, order, count, payer_fd);

	if (!(info->features & MEMSTRESS_FEATURE_MAPS_CHARGED)) {
		alloc.flags &= ~MEMSTRESS_ALLOC_ACCOUNT;
		alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	}
	alloc.flags |= MEMSTRESS_ALLOC_MAPPABLE;
	return alloc;
}

FIXTURE_SETUP(mapping)
{
	ASSERT_EQ(0, scope_create(&self->scope, "mmap", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->page = books_page_size();
	self->pages = variant->count << variant->order;
	self->alloc =
		mappable(&self->scope.info, variant->order, variant->count, self->scope.target.fd);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(variant->count, self->alloc.books.objects);
	charge_add(&self->charge, MEMSTRESS_KIND_PAGE, &self->alloc.books);
	ASSERT_EQ(0, session_map(self->fd, &self->alloc, (void **)&self->memory));
}

FIXTURE_TEARDOWN(mapping)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	int ret;

	if (self->memory)
		EXPECT_EQ(0, munmap(self->memory, self->pages * self->page));
	if (self->fd >= 0) {
		EXPECT_EQ(0, session_free_all(self->fd));
		EXPECT_EQ(0, close(self->fd));
	}
	if (!self->payer_gone) {
		ret = scope_law(&self->scope, &self->before, &nothing, BALANCE_ALL, &violation);
		EXPECT_EQ(0, ret)
		balance_report("all gone", ret, &violation);
	}
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int unmap_all(struct _test_data_mapping *self)
{
	int ret = munmap(self->memory, self->pages * self->page);

	self->memory = NULL;
	return ret;
}

/* As the ledger has it */
static long long mappings(struct _test_data_mapping *self)
{
	struct memstress_ledger ledger;
	int ret = session_ledger(self->fd, self->alloc.handle, &ledger);

	return ret ? ret : (long long)ledger.mappings;
}

/* The law with @mapped pages of the holding in address spaces */
static int law(struct _test_data_mapping *self, const char *what, __u64 mapped)
{
	int ret;

	/* Nobody is charged for what is not accounted, on this line either */
	self->charge.file_mapped =
		self->alloc.books.page_charged_bytes ? (long long)mapped * self->page : 0;
	self->charge.file_mapped_local = self->charge.file_mapped;
	ret = scope_law(&self->scope, &self->before, &self->charge, BALANCE_ALL, &self->violation);
	balance_report(what, ret, &self->violation);
	return ret;
}

/* Numbers the pages of the holding, seen from its first */
static void number_pages(struct _test_data_mapping *self)
{
	__u64 i;

	for (i = 0; i < self->pages; i++)
		*(__u64 *)(self->memory + i * self->page) = i + 1;
}

/* Whether @pages from @memory on have the numbers from @first on */
static bool are_numbered(struct _test_data_mapping *self, const char *memory, __u64 first,
			 __u64 pages)
{
	__u64 i;

	for (i = 0; i < pages; i++)
		if (*(const __u64 *)(memory + i * self->page) != first + i + 1)
			return false;
	return true;
}

/* Whether memory can be read, as the kernel sees it: SIGBUS is then EFAULT */
static int read_error(const char *memory)
{
	int pipe_fds[2], ret;

	if (pipe(pipe_fds))
		return errno;
	ret = write(pipe_fds[1], memory, 1) == 1 ? 0 : errno;
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return ret;
}

static bool is_filled(const char *memory, size_t bytes, __u64 word)
{
	size_t i;

	for (i = 0; i < bytes; i += sizeof(word))
		if (*(const __u64 *)(memory + i) != word)
			return false;
	return true;
}

static void fill_with(char *memory, size_t bytes, __u64 word)
{
	size_t i;

	for (i = 0; i < bytes; i += sizeof(word))
		*(__u64 *)(memory + i) = word;
}

static long long rss_file(void)
{
	long long kilobytes = -1;
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "RssFile: %lld kB", &kilobytes);
	if (status)
		fclose(status);
	return kilobytes * 1024;
}

TEST_F_TIMEOUT(mapping, shows_zeros_and_what_was_written, TIMEOUT_S)
{
	size_t bytes = self->pages * self->page;
	void *second;

	EXPECT_TRUE(is_filled(self->memory, bytes, 0));
	number_pages(self);
	ASSERT_EQ(0, session_map(self->fd, &self->alloc, &second));
	EXPECT_TRUE(are_numbered(self, second, 0, self->pages));
	EXPECT_EQ(0, munmap(second, bytes));

	/* The same pages again, most likely, and none of what was in them */
	fill_with(self->memory, bytes, POISON);
	ASSERT_EQ(0, unmap_all(self));
	ASSERT_EQ(0, session_free(self->fd, self->alloc.handle, 0));
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_map(self->fd, &self->alloc, (void **)&self->memory));
	EXPECT_TRUE(is_filled(self->memory, bytes, 0));
}

/* The oldest object is first, also when the oldest ones are gone or the chain was turned around */
TEST_F_TIMEOUT(mapping, begins_with_the_oldest, TIMEOUT_S)
{
	__u64 object = 1ULL << variant->order;
	struct memstress_free lifo = {
		.size = sizeof(lifo),
		.handle = self->alloc.handle,
		.order = MEMSTRESS_FREE_LIFO,
		.count = 1,
	};
	char *memory;
	__u64 left = self->pages;

	number_pages(self);
	ASSERT_EQ(0, unmap_all(self));
	ASSERT_EQ(0, session_free(self->fd, self->alloc.handle, 1));
	left -= object;
	memory = mmap(NULL, left * self->page, PROT_READ, MAP_SHARED, self->fd,
		      self->alloc.mmap_offset);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_TRUE(are_numbered(self, memory, object, left));
	EXPECT_EQ(0, munmap(memory, left * self->page));

	ASSERT_EQ(0, session_ioctl(self->fd, MEMSTRESS_IOC_FREE, &lifo));
	left -= object;
	memory = mmap(NULL, left * self->page, PROT_READ, MAP_SHARED, self->fd,
		      self->alloc.mmap_offset);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_TRUE(are_numbered(self, memory, object, left));
	EXPECT_EQ(0, munmap(memory, left * self->page));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, (left + 1) * self->page, PROT_READ, MAP_SHARED, self->fd,
				   self->alloc.mmap_offset));
	EXPECT_EQ(ENXIO, errno);
}

TEST_F_TIMEOUT(mapping, of_a_part, TIMEOUT_S)
{
	const __u64 first[] = { 0, 1, self->pages / 2, self->pages - 1 };
	unsigned int i;

	number_pages(self);
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		__u64 pages = self->pages - first[i];
		char *memory;

		for (; pages; pages /= 7) {
			memory = mmap(NULL, pages * self->page, PROT_READ, MAP_SHARED, self->fd,
				      self->alloc.mmap_offset + first[i] * self->page);
			ASSERT_NE(MAP_FAILED, memory);
			EXPECT_EQ(2, mappings(self));
			EXPECT_TRUE(are_numbered(self, memory, first[i], pages));
			EXPECT_EQ(0, munmap(memory, pages * self->page));
		}
	}
	EXPECT_EQ(1, mappings(self));
}

/* Charged once, and on the line of mapped files for each page that anybody has mapped */
TEST_F_TIMEOUT(mapping, counts_as_a_file, TIMEOUT_S)
{
	size_t bytes = self->pages * self->page;
	long long rss = rss_file();
	void *second;

	EXPECT_EQ(0, law(self, "mapped", self->pages));
	ASSERT_EQ(0, session_map(self->fd, &self->alloc, &second));
	EXPECT_EQ(rss + (long long)bytes, rss_file());
	EXPECT_EQ(0, law(self, "mapped twice", self->pages));
	EXPECT_EQ(0, munmap(second, bytes));
	EXPECT_EQ(0, munmap(self->memory, self->page));
	EXPECT_EQ(rss - self->page, rss_file());
	EXPECT_EQ(0, law(self, "a page less", self->pages - 1));
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &self->charge, BALANCE_ALL));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(rss - (long long)bytes, rss_file());
	EXPECT_EQ(0, law(self, "not mapped", 0));
}

TEST_F_TIMEOUT(mapping, keeps_from_free, TIMEOUT_S)
{
	struct memstress_alloc other =
		session_request(MEMSTRESS_KIND_KMALLOC, 64, 10, self->scope.target.fd);
	struct memstress_ledger ledger;

	ASSERT_EQ(0, session_alloc(self->fd, &other));
	EXPECT_ERRNO(EBUSY, session_free(self->fd, self->alloc.handle, 0));
	EXPECT_ERRNO(EBUSY, session_free(self->fd, self->alloc.handle, 1));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_ERRNO(ENOENT, session_ledger(self->fd, other.handle, &ledger));
	EXPECT_EQ(0, session_ledger(self->fd, self->alloc.handle, &ledger));
	EXPECT_EQ(variant->count, ledger.books.objects);
	EXPECT_EQ(self->alloc.mmap_offset, ledger.mmap_offset);
	EXPECT_EQ(1, ledger.mappings);

	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(0, mappings(self));
	EXPECT_EQ(0, session_free(self->fd, self->alloc.handle, 0));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(0, ledger.lingering_objects);
	EXPECT_EQ(0, ledger.lingering_bytes);
}

TEST_F_TIMEOUT(mapping, in_pieces, TIMEOUT_S)
{
	size_t bytes = self->pages * self->page;
	char *last = self->memory + bytes - self->page;
	char *hole = self->memory + 2 * self->page;
	char *moved;

	number_pages(self);
	EXPECT_EQ(0, mprotect(hole, self->page, PROT_READ));
	EXPECT_EQ(3, mappings(self));
	EXPECT_EQ(0, munmap(hole, self->page));
	EXPECT_EQ(2, mappings(self));
	EXPECT_EQ(0, law(self, "a hole", self->pages - 1));

	moved = mremap(last, self->page, self->page, MREMAP_MAYMOVE | MREMAP_FIXED, hole);
	ASSERT_EQ(hole, moved);
	EXPECT_TRUE(are_numbered(self, moved, self->pages - 1, 1));
	EXPECT_EQ(EFAULT, read_error(last));
	EXPECT_EQ(3, mappings(self));
	EXPECT_EQ(0, law(self, "the last in the hole", self->pages - 1));
	/* What is behind the end was never there, and a copy would have none of the pages */
	EXPECT_EQ(MAP_FAILED, mremap(hole, self->page, 2 * self->page, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(hole, 0, self->page, MREMAP_MAYMOVE));
	EXPECT_EQ(3, mappings(self));

	EXPECT_ERRNO(EBUSY, session_free(self->fd, self->alloc.handle, 0));
	EXPECT_EQ(0, munmap(self->memory, 3 * self->page));
	EXPECT_EQ(1, mappings(self));
	EXPECT_ERRNO(EBUSY, session_free(self->fd, self->alloc.handle, 0));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(0, session_free(self->fd, self->alloc.handle, 0));
}

/* What the kernel offers to do to pages of files, and these are none */
TEST_F_TIMEOUT(mapping, takes_advice, TIMEOUT_S)
{
	const int advices[] = { MADV_WILLNEED, MADV_COLD,     MADV_PAGEOUT,
				MADV_HUGEPAGE, MADV_DONTFORK, MADV_DOFORK,
				MADV_FREE,     MADV_REMOVE,   MADV_MERGEABLE };
	size_t part = (self->pages / 2 + 1) * self->page;
	unsigned int i;

	number_pages(self);
	/* Each may be refused; none may hurt */
	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		madvise(self->memory, part, advices[i]);
		madvise(self->memory, self->page, advices[i]);
	}
	mlock(self->memory, part);
	msync(self->memory, part, MS_SYNC);
	EXPECT_TRUE(are_numbered(self, self->memory, 0, self->pages));
	EXPECT_EQ(0, law(self, "advised", self->pages));

	EXPECT_EQ(0, madvise(self->memory, self->page, MADV_DONTNEED));
	EXPECT_EQ(EFAULT, read_error(self->memory));
	EXPECT_EQ(0, law(self, "a page not needed", self->pages - 1));
	EXPECT_TRUE(are_numbered(self, self->memory + self->page, 1, self->pages - 1));
}

static pid_t fork_to(struct _test_data_mapping *self, bool wait)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (wait)
		for (;;)
			pause();
	if (!are_numbered(self, self->memory, 0, self->pages))
		_exit(1);
	*(__u64 *)self->memory = 77;
	/* The mapping is inherited, and so is the right to undo it */
	if (munmap(self->memory + self->page, self->page))
		_exit(2);
	_exit(0);
}

TEST_F_TIMEOUT(mapping, is_inherited, TIMEOUT_S)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	int status = -1;
	pid_t pid;

	number_pages(self);
	pid = fork_to(self, false);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(77, *(__u64 *)self->memory);
	EXPECT_EQ(1, mappings(self));
	EXPECT_EQ(0, law(self, "a child was there", self->pages));

	pid = fork_to(self, true);
	ASSERT_LT(0, pid);
	EXPECT_EQ(2, mappings(self));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(1, mappings(self));
	EXPECT_EQ(0, law(self, "the child alone", self->pages));
	EXPECT_ERRNO(EBUSY, session_free(self->fd, self->alloc.handle, 0));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* Somebody who looks into its /proc may have its memory for a moment longer */
	while (mappings(self) && clock_poll(deadline))
		;
	EXPECT_EQ(0, mappings(self));
	EXPECT_EQ(0, session_free(self->fd, self->alloc.handle, 0));
}

/* No descriptor is left, and the mapping keeps the session */
TEST_F_TIMEOUT(mapping, outlives_the_descriptor, TIMEOUT_S)
{
	long long bytes = self->alloc.books.footprint_bytes;

	number_pages(self);
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_TRUE(are_numbered(self, self->memory, 0, self->pages));
	EXPECT_EQ(self->scope.total_bytes + bytes, session_total_bytes());
	EXPECT_EQ(0, law(self, "closed", self->pages));
	EXPECT_EQ(0, munmap(self->memory + self->page, (self->pages - 1) * self->page));
	EXPECT_EQ(self->scope.total_bytes + bytes, session_total_bytes());
	EXPECT_EQ(0, law(self, "all but one unmapped", 1));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
}

static int stale_ledger(int fd, struct memstress_ledger *ledger)
{
	*ledger = (struct memstress_ledger){
		.size = sizeof(*ledger),
		.flags = MEMSTRESS_LEDGER_STALE,
	};
	return session_ioctl(fd, MEMSTRESS_IOC_LEDGER, ledger);
}

/* The session's memory is taken back, and the mapping keeps its pages, paid by whom they were */
TEST_F_TIMEOUT(mapping, outlives_the_session, TIMEOUT_S)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	struct param deadman = { 0 };
	struct memstress_ledger ledger;
	void *second;

	number_pages(self);
	ASSERT_EQ(0, param_set_number(&deadman, "deadman_ms", 1));
	while (session_total_bytes() != self->scope.total_bytes)
		ASSERT_TRUE(clock_poll(deadline));
	EXPECT_EQ(0, param_restore(&deadman));
	/* It came for all that were silent */
	EXPECT_EQ(0, close(self->scope.session));
	self->scope.session = session_open();

	EXPECT_ERRNO(ESTALE, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(0, stale_ledger(self->fd, &ledger));
	EXPECT_EQ(0, ledger.books.objects);
	EXPECT_EQ(0, ledger.holdings);
	EXPECT_EQ(variant->count, ledger.lingering_objects);
	EXPECT_EQ(self->alloc.books.footprint_bytes, ledger.lingering_bytes);
	EXPECT_ERRNO(ESTALE, session_map(self->fd, &self->alloc, &second));
	EXPECT_TRUE(are_numbered(self, self->memory, 0, self->pages));
	EXPECT_EQ(0, law(self, "session dead", self->pages));

	/* An object goes when the last of its pages does */
	EXPECT_EQ(0, munmap(self->memory, (self->pages - 1) * self->page));
	self->charge.page_bytes /= variant->count;
	EXPECT_EQ(0, law(self, "one page left", 1));
	EXPECT_TRUE(are_numbered(self, self->memory + (self->pages - 1) * self->page,
				 self->pages - 1, 1));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
}

/* Pages that a pipe has are not seen by FREE, and stay charged until they are read */
TEST_F_TIMEOUT(mapping, spliced_into_a_pipe, TIMEOUT_S)
{
	__u64 object = 1ULL << variant->order;
	struct iovec pages[2] = {
		{ self->memory, self->page },
		{ self->memory + (2 * object - 1) * self->page, self->page },
	};
	struct memstress_ledger ledger;
	int pipe_fds[2];
	__u64 *number;

	number = malloc(self->page);
	ASSERT_NE(NULL, number);
	number_pages(self);
	ASSERT_EQ(0, pipe(pipe_fds));
	ASSERT_EQ(2 * self->page, vmsplice(pipe_fds[1], pages, 2, 0));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(0, session_free(self->fd, self->alloc.handle, 0));

	EXPECT_EMPTY_LEDGER(self->fd);
	ASSERT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(2, ledger.lingering_objects);
	EXPECT_EQ(2 * object * self->page, ledger.lingering_bytes);
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
	self->charge.page_bytes = self->charge.page_bytes / variant->count * 2;
	EXPECT_EQ(0, law(self, "in the pipe", 0));

	ASSERT_EQ(self->page, read(pipe_fds[0], number, self->page));
	EXPECT_EQ(1, *number);
	ASSERT_EQ(self->page, read(pipe_fds[0], number, self->page));
	EXPECT_EQ(2 * object, *number);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	self->charge.page_bytes = 0;
	EXPECT_EQ(0, law(self, "read", 0));
	free(number);
}

/* How far a line of the parent is from where it was */
static long long parent_moved(struct _test_data_mapping *self, const char *line)
{
	struct snapshot now;

	if (session_settle(self->scope.session, self->scope.parent.fd) ||
	    scope_flush(&self->scope) || snapshot_take(&now, &self->scope.parent))
		return -1;
	return snapshot_value(&now, line) - snapshot_value(&self->before.parent, line);
}

/*
 * The payer's cgroup goes first, and what it was charged for goes to its parent, mapped or
 * not. Some time later the parent is given back what the cgroup itself had cost.
 */
TEST_F_TIMEOUT(mapping, outlives_the_payer, TIMEOUT_S)
{
	const char *line = cgroup_is_v1() ? "total_mapped_file" : "file_mapped";

	self->payer_gone = true;
	ASSERT_EQ(0, cgroup_remove(&self->scope.target));
	if (self->alloc.books.page_charged_bytes) {
		EXPECT_EQ(self->pages * self->page, parent_moved(self, line));
		EXPECT_LT(0, parent_moved(self, "usage"));
	}
	EXPECT_EQ(0, munmap(self->memory, self->page));
	if (self->alloc.books.page_charged_bytes)
		EXPECT_EQ((self->pages - 1) * self->page, parent_moved(self, line));
	EXPECT_EQ(0, unmap_all(self));
	EXPECT_EQ(0, session_free(self->fd, self->alloc.handle, 0));
	EXPECT_EQ(0, parent_moved(self, line));
	EXPECT_GE(0, parent_moved(self, "usage"));
}

static int map_error(int fd, __u64 offset, size_t bytes, int flags)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);

	if (memory == MAP_FAILED)
		return -errno;
	munmap(memory, bytes);
	return 0;
}

TEST_F_TIMEOUT(mapping, refused, TIMEOUT_S)
{
	struct memstress_alloc plain =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	__u64 offset = self->alloc.mmap_offset, page = self->page;
	size_t bytes = self->pages * self->page;

	ASSERT_EQ(0, session_alloc(self->fd, &plain));
	EXPECT_EQ(0, plain.mmap_offset);
	EXPECT_ERRNO(EINVAL,
		     map_error(self->fd, (__u64)plain.handle << HANDLE_SHIFT, page, MAP_SHARED));
	EXPECT_ERRNO(EINVAL, map_error(self->fd, offset, bytes, MAP_PRIVATE));
	EXPECT_ERRNO(ENXIO, map_error(self->fd, offset, bytes + page, MAP_SHARED));
	EXPECT_ERRNO(ENXIO, map_error(self->fd, offset + page, bytes, MAP_SHARED));
	EXPECT_ERRNO(ENXIO, map_error(self->fd, offset + bytes, page, MAP_SHARED));
	EXPECT_ERRNO(ENXIO,
		     map_error(self->fd, offset + (1ULL << HANDLE_SHIFT) - page, page, MAP_SHARED));
	EXPECT_ERRNO(ENOENT, map_error(self->fd, offset - page, page, MAP_SHARED));
	EXPECT_ERRNO(ENOENT, map_error(self->fd, 0, page, MAP_SHARED));
	EXPECT_ERRNO(ENOENT, map_error(self->fd, (__u64)~0U << HANDLE_SHIFT, page, MAP_SHARED));
	EXPECT_ERRNO(ENOENT, map_error(self->fd, offset | 1ULL << 63, page, MAP_SHARED));
	EXPECT_EQ(1, mappings(self));
	charge_add(&self->charge, MEMSTRESS_KIND_PAGE, &plain.books);
	EXPECT_EQ(0, law(self, "refused", self->pages));
}

/* A thread that makes, shows and frees holdings as fast as it can */
struct race {
	struct _test_data_mapping *self;
	__u64 offset; /* of the newest holding, guessed by the other one too */
	unsigned long rounds, busy;
	int error;
};

static void *race_free(void *data)
{
	struct race *race = data;
	struct memstress_alloc alloc = race->self->alloc;

	alloc.count = 64;
	alloc.order = 0;
	while (!__atomic_load_n(&race->self->stop, __ATOMIC_RELAXED) && !race->error) {
		race->error = session_alloc(race->self->fd, &alloc);
		if (race->error)
			break;
		__atomic_store_n(&race->offset, alloc.mmap_offset, __ATOMIC_RELAXED);
		while ((race->error = session_free(race->self->fd, alloc.handle, 0)) == -EBUSY)
			race->busy++;
		race->rounds++;
	}
	return NULL;
}

/* What is mapped is whole, and new or what was written to this holding before */
TEST_F_TIMEOUT(mapping, races_with_free, TIMEOUT_S)
{
	struct race race = { .self = self };
	__u64 deadline = clock_deadline_ns(2 * NS_PER_S);
	unsigned long mapped = 0, gone = 0, busy = 0;
	struct memstress_ledger ledger;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, race_free, &race));
	do {
		__u64 offset = __atomic_load_n(&race.offset, __ATOMIC_RELAXED);
		char *memory = mmap(NULL, 64 * self->page, PROT_READ | PROT_WRITE, MAP_SHARED,
				    self->fd, offset);

		if (memory == MAP_FAILED) {
			EXPECT_TRUE(errno == ENOENT || errno == EBUSY)
			TH_LOG("%s", strerror(errno));
			gone += errno == ENOENT;
			busy += errno == EBUSY;
			continue;
		}
		EXPECT_TRUE(is_filled(memory, 64 * self->page, 0) ||
			    is_filled(memory, 64 * self->page, offset));
		fill_with(memory, 64 * self->page, offset);
		EXPECT_EQ(0, munmap(memory, 64 * self->page));
		mapped++;
	} while (clock_now_ns() < deadline);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_ERRNO(0, race.error);
	fprintf(stderr, "# %lu holdings, %lu mappings, %lu too late, %lu busy; %lu frees busy\n",
		race.rounds, mapped, gone, busy, race.busy);
	EXPECT_EQ(0, session_ledger(self->fd, 0, &ledger));
	EXPECT_EQ(variant->count, ledger.books.objects);
	EXPECT_EQ(0, ledger.lingering_objects);
}

/* The session dies in the middle of a mmap: it is mapped, or it was too late */
TEST_F_TIMEOUT(mapping, races_with_the_dead_man, TIMEOUT_S)
{
	struct memstress_alloc alloc = self->alloc;
	unsigned int round, mapped = 0;

	ASSERT_EQ(0, unmap_all(self));
	ASSERT_EQ(0, session_free_all(self->fd));
	for (round = 0; round < DEAD_MAN_ROUNDS; round++) {
		struct param deadman = { 0 };
		int fd = session_open();
		int ret = session_alloc(fd, &alloc);
		char *memory;

		/* It has no call from here on, but mappings */
		ASSERT_EQ(0, param_set_number(&deadman, "deadman_ms", 20));
		while (!ret) {
			memory = mmap(NULL, self->pages * self->page, PROT_READ | PROT_WRITE,
				      MAP_SHARED, fd, alloc.mmap_offset);
			if (memory == MAP_FAILED) {
				ret = -errno;
				break;
			}
			/* All of it is there, whatever becomes of the session */
			*(__u64 *)memory += 1;
			*(__u64 *)(memory + (self->pages - 1) * self->page) += 1;
			EXPECT_EQ(0, munmap(memory, self->pages * self->page));
			mapped++;
		}
		EXPECT_ERRNO(ESTALE, ret);
		EXPECT_EQ(0, param_restore(&deadman));
		EXPECT_EQ(0, close(fd));
	}
	fprintf(stderr, "# %u mappings in %u sessions\n", mapped, round);
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
	/* It came for these, too */
	EXPECT_EQ(0, close(self->scope.session));
	self->scope.session = session_open();
	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
}

/* Who dies in a cgroup that is full: RSS decides, and what is mapped counts */
#define VICTIM_MAX       (128LL << 20)
#define VICTIM_MAPPED    (40LL << 20)
#define VICTIM_BYSTANDER (20LL << 20)

FIXTURE(rss)
{
	struct scope scope;
	struct scope_snapshot empty;
	struct worker worker, bystander;
};

FIXTURE_SETUP(rss)
{
	struct memstress_alloc alloc;

	ASSERT_EQ(0, scope_create(&self->scope, "mmap", LIMIT_BYTES));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", VICTIM_MAX));
	/* Else the bystander's memory is pushed out instead; the file may be missing */
	cgroup_write_number(&self->scope.target, "memory.swap.max", 0);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	ASSERT_EQ(0, worker_start(&self->bystander, &self->scope.target));
	self->bystander.page->bytes = VICTIM_BYSTANDER;
	ASSERT_EQ(0, worker_ask(&self->bystander, WORKER_TOUCH));
	alloc = mappable(&self->scope.info, 0, VICTIM_MAPPED / books_page_size(),
			 MEMSTRESS_PAYER_CALLER);
	self->worker.page->alloc = alloc;
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	ASSERT_EQ(alloc.count, self->worker.page->alloc.books.objects);
}

FIXTURE_TEARDOWN(rss)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	__u64 waited_ns;
	int ret;

	worker_kill(&self->worker);
	worker_kill(&self->bystander);
	ret = scope_law_await(&self->scope, &self->empty, &nothing, BALANCE_HELD, &violation,
			      &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("workers gone", ret, &violation);
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* The worker fills the rest of the cgroup; -ESRCH: it was killed for it */
static int fill(struct _test_data_rss *self)
{
	self->worker.page->alloc = session_request(MEMSTRESS_KIND_PAGE, 0,
						   VICTIM_MAX / books_page_size(),
						   MEMSTRESS_PAYER_CALLER);
	return worker_ask(&self->worker, WORKER_ALLOC);
}

static bool lives(struct worker *worker)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, worker->pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

TEST_F_TIMEOUT(rss, makes_the_victim, TIMEOUT_S)
{
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_MAP));
	EXPECT_ERRNO(ESRCH, fill(self));
	EXPECT_FALSE(lives(&self->worker));
	EXPECT_TRUE(lives(&self->bystander));
	EXPECT_EQ(1, cgroup_read_key(&self->scope.target, "memory.events", "oom_kill"));
}

/* The same without the mapping: what is held is as much, and the other one dies first */
TEST_F_TIMEOUT(rss, is_what_makes_the_victim, TIMEOUT_S)
{
	fill(self);
	EXPECT_FALSE(lives(&self->bystander));
}

/* Killed from outside, with its memory mapped and its descriptor open */
TEST_F_TIMEOUT(rss, comes_back_from_the_killed, TIMEOUT_S)
{
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_MAP));
	worker_kill(&self->worker);
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
}

TEST_HARNESS_MAIN
