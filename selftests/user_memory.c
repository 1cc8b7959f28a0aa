// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/futex.h>
#include <linux/sock_diag.h>

#include "books.h"
#include "clock.h"
#include "kernel.h"
#include "user_memory.h"

#define MIB        (1024ULL * 1024)
#define GIB        (1024 * MIB)
#define TABLE_SPAN (2 * MIB) /* of one page of entries of a page table */

/*
 * All mappings are in one GiB that begins with a page of the worker's own: so the tables
 * above those of 2 MiB are there before anything is measured.
 */
#define ANON_OFFSET   (64 * MIB)
#define TABLES_OFFSET (128 * MIB)
#define THP_OFFSET    (512 * MIB)
#define MAPPED_OFFSET (768 * MIB)
#define MAPPED_SPAN   (64 * MIB)

#define CHUNK_BYTES  65536
#define PACKET_BYTES 16384
#define QUEUE_BYTES  (8 << 20)
#define SOCK_NS      (10 * NS_PER_S)
#define PIPE_BYTES   (1024 * 1024)

#define STACKS        32
#define THREAD_MEMORY 8192

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Of one process that has opened, and of its children */
static struct {
	char *base; /* of the mappings; NULL: not open */
	char *reserved;
	int written, mapped; /* memfds */
	int file;
	int pipe[2];
	int sock;
	char mount[32];
	char chunk[CHUNK_BYTES];
	__u32 go; /* futex: threads end when it is not 0 */
	pid_t thread[STACKS];
	char memory[STACKS][THREAD_MEMORY] __attribute__((aligned(16)));
} user;

static int user_map(void)
{
	user.reserved = mmap(NULL, 2 * GIB, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (user.reserved == MAP_FAILED)
		return -errno;
	user.base = (char *)(((unsigned long)user.reserved + GIB - 1) & ~(GIB - 1));
	/* EINVAL: a kernel without huge pages, which makes small ones of all */
	madvise(user.base, GIB, MADV_NOHUGEPAGE);
	madvise(user.base + THP_OFFSET, MAPPED_OFFSET - THP_OFFSET, MADV_HUGEPAGE);
	if (mmap(user.base + MAPPED_OFFSET, MAPPED_SPAN, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, user.mapped, 0) == MAP_FAILED)
		return -errno;
	return 0;
}

/* The file is unlinked and the mount detached at once: what holds both is the descriptor */
static int user_open_ramfs(void)
{
	char path[64];

	strcpy(user.mount, "/tmp/memstress-XXXXXX");
	if (!mkdtemp(user.mount))
		return -errno;
	if (!mount("ramfs", user.mount, "ramfs", 0, NULL)) {
		snprintf(path, sizeof(path), "%s/file", user.mount);
		user.file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		umount2(user.mount, MNT_DETACH);
	}
	rmdir(user.mount);
	return user.file < 0 ? -errno : 0;
}

int user_memory_open(void)
{
	int ret;

	memset(&user, 0, sizeof(user));
	user.written = memfd_create("memstress-written", MFD_CLOEXEC);
	user.mapped = memfd_create("memstress-mapped", MFD_CLOEXEC);
	user.file = -1;
	if (user.written < 0 || user.mapped < 0 || ftruncate(user.mapped, MAPPED_SPAN))
		return -errno;
	ret = user_open_ramfs();
	if (!ret && pipe2(user.pipe, O_CLOEXEC | O_NONBLOCK))
		ret = -errno;
	if (!ret && fcntl(user.pipe[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
		ret = -errno;
	return ret ? ret : user_map();
}

void user_memory_close(void)
{
	if (!user.base)
		return;
	close(user.written);
	close(user.mapped);
	close(user.file);
	close(user.pipe[0]);
	close(user.pipe[1]);
	munmap(user.reserved, 2 * GIB);
	user.base = NULL;
}

/* A socket is of the cgroup that makes it (mem_cgroup_sk_alloc() in mm/memcontrol.c) */
static int user_open_sock(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(to);
	int bytes = QUEUE_BYTES;

	user.sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (user.sock < 0 || bind(user.sock, (struct sockaddr *)&to, length) ||
	    getsockname(user.sock, (struct sockaddr *)&to, &length) ||
	    connect(user.sock, (struct sockaddr *)&to, length) ||
	    setsockopt(user.sock, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		return -errno;
	return 0;
}

int user_memory_begin(void)
{
	if (!user.base)
		return 0;
	/* Or it could not be given back with madvise() */
	if (munlock(user.base, GIB))
		return -errno;
	user.base[0] = 1;
	user.base[MIB] = 1;
	memset(user.chunk, 1, sizeof(user.chunk));
	memset(user.memory, 1, sizeof(user.memory));
	return user_open_sock();
}

static void touch_every(unsigned long long offset, unsigned long long bytes,
			unsigned long long step)
{
	unsigned long long at;

	for (at = 0; at < bytes; at += step)
		memset(user.base + offset + at, 1, 1);
}

static int discard(unsigned long long offset, unsigned long long bytes, int advice)
{
	return madvise(user.base + offset, bytes, advice) ? -errno : 0;
}

static int write_all(int fd, unsigned long long bytes)
{
	unsigned long long done = 0;
	ssize_t n;

	while (done < bytes) {
		n = write(fd, user.chunk, bytes - done < CHUNK_BYTES ? bytes - done : CHUNK_BYTES);
		if (n <= 0)
			return n ? -errno : -EIO;
		done += n;
	}
	return 0;
}

static int empty_file(int fd)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		return -errno;
	return 0;
}

static int read_all(int fd)
{
	ssize_t n;

	do {
		n = read(fd, user.chunk, CHUNK_BYTES);
	} while (n > 0);
	return n < 0 && errno != EAGAIN ? -errno : 0;
}

/*
 * What it has charged is what it has in its queue, and what it may queue before it asks
 * again (__sk_mem_raise_allocated() in net/core/sock.c is asked for whole pages).
 */
static int take_sock(unsigned long long *bytes)
{
	__u64 deadline = clock_deadline_ns(SOCK_NS);
	__u32 info[SK_MEMINFO_VARS];
	socklen_t length = sizeof(info);
	unsigned long long sent;

	for (sent = 0; sent < *bytes; sent += PACKET_BYTES)
		if (send(user.sock, user.chunk, PACKET_BYTES, 0) != PACKET_BYTES)
			return -errno;
	/* On a busy machine packets may wait for ksoftirqd */
	do {
		if (getsockopt(user.sock, SOL_SOCKET, SO_MEMINFO, info, &length))
			return -errno;
		if (info[SK_MEMINFO_RMEM_ALLOC] >= sent)
			break;
	} while (clock_poll(deadline));
	if (info[SK_MEMINFO_RMEM_ALLOC] < sent)
		return -ETIMEDOUT;
	*bytes = info[SK_MEMINFO_RMEM_ALLOC] + (int)info[SK_MEMINFO_FWD_ALLOC];
	return 0;
}

/* Runs on the memory of a thread that has no thread-local variables of its own */
static int thread_main(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&user.go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &user.go, FUTEX_WAIT, 0, NULL, NULL, 0);
	syscall(SYS_exit, 0);
	return 0;
}

static int take_stacks(unsigned long long *bytes)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	unsigned int i;

	user.go = 0;
	for (i = 0; i < STACKS; i++) {
		user.thread[i] = 1;
		if (clone(thread_main, user.memory[i] + THREAD_MEMORY, flags, NULL, NULL, NULL,
			  &user.thread[i]) < 0)
			return -errno;
	}
	*bytes = STACKS;
	return 0;
}

static int give_stacks(void)
{
	unsigned int i;
	pid_t still;

	user.go = 1;
	syscall(SYS_futex, &user.go, FUTEX_WAKE, STACKS, NULL, NULL, 0);
	for (i = 0; i < STACKS; i++)
		while ((still = __atomic_load_n(&user.thread[i], __ATOMIC_ACQUIRE)))
			syscall(SYS_futex, &user.thread[i], FUTEX_WAIT, still, NULL, NULL, 0);
	return 0;
}

int user_memory_take(enum user_memory kind, unsigned long long *bytes)
{
	switch (kind) {
	case USER_ANON:
		touch_every(ANON_OFFSET, *bytes, books_page_size());
		return 0;
	case USER_THP:
		touch_every(THP_OFFSET, *bytes, TABLE_SPAN);
		return 0;
	case USER_PAGETABLES:
		touch_every(TABLES_OFFSET, *bytes / books_page_size() * TABLE_SPAN, TABLE_SPAN);
		return 0;
	case USER_SHMEM:
		return write_all(user.written, *bytes);
	case USER_MAPPED:
		touch_every(MAPPED_OFFSET, *bytes, books_page_size());
		return 0;
	case USER_FILE:
		return write_all(user.file, *bytes);
	case USER_PIPE:
		return write_all(user.pipe[1], *bytes);
	case USER_SOCK:
		return take_sock(bytes);
	case USER_STACKS:
		return take_stacks(bytes);
	default:
		return -EINVAL;
	}
}

int user_memory_give(enum user_memory kind)
{
	switch (kind) {
	case USER_ANON:
		return discard(ANON_OFFSET, TABLES_OFFSET - ANON_OFFSET, MADV_DONTNEED);
	case USER_THP:
		return discard(THP_OFFSET, MAPPED_OFFSET - THP_OFFSET, MADV_DONTNEED);
	case USER_PAGETABLES:
		return discard(TABLES_OFFSET, THP_OFFSET - TABLES_OFFSET, MADV_DONTNEED);
	case USER_SHMEM:
		return empty_file(user.written);
	case USER_MAPPED:
		return discard(MAPPED_OFFSET, MAPPED_SPAN, MADV_REMOVE);
	case USER_FILE:
		return empty_file(user.file);
	case USER_PIPE:
		return read_all(user.pipe[0]);
	case USER_SOCK:
		return read_all(user.sock);
	case USER_STACKS:
		return give_stacks();
	default:
		return -EINVAL;
	}
}

int user_memory_page_out(void)
{
	return discard(0, TABLES_OFFSET, MADV_PAGEOUT);
}

/* Documentation/admin-guide/mm/pagemap.rst; a page that is in the swap cache alone is in swap */
#define PAGEMAP_PRESENT 0x8000000000000000ULL
#define PAGEMAP_SWAPPED 0x4000000000000000ULL

int user_memory_find(pid_t worker, struct user_memory_place *place)
{
	const long long page = books_page_size();
	const unsigned long first = (unsigned long)user.base / page;
	unsigned long pages = TABLES_OFFSET / page, i;
	__u64 *entries = malloc(pages * sizeof(*entries));
	ssize_t length = -1;
	char path[32];
	int fd;

	memset(place, 0, sizeof(*place));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", worker);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && entries)
		length = pread(fd, entries, pages * sizeof(*entries), first * sizeof(*entries));
	for (i = 0; length > 0 && i < length / sizeof(*entries); i++) {
		place->resident += entries[i] & PAGEMAP_PRESENT ? page : 0;
		place->swapped += entries[i] & PAGEMAP_SWAPPED ? page : 0;
	}
	free(entries);
	if (fd >= 0)
		close(fd);
	return length == (ssize_t)(pages * sizeof(*entries)) ? 0 : -EIO;
}

const char *user_memory_name(enum user_memory kind)
{
	static const char *const names[] = {
		[USER_ANON] = "anonymous pages",
		[USER_THP] = "huge pages",
		[USER_PAGETABLES] = "page tables",
		[USER_SHMEM] = "shmem",
		[USER_MAPPED] = "mapped shmem",
		[USER_FILE] = "page cache",
		[USER_PIPE] = "pipe",
		[USER_SOCK] = "socket",
		[USER_STACKS] = "kernel stacks",
	};

	return names[kind];
}

static bool file_says(const char *path, const char *words)
{
	char text[128] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool says;

	says = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, words);
	if (fd >= 0)
		close(fd);
	return says;
}

const char *user_memory_missing(enum user_memory kind)
{
	static const char enabled[] = "/sys/kernel/mm/transparent_hugepage/enabled";

	if (kind == USER_THP && (access(enabled, F_OK) || file_says(enabled, "[never]")))
		return "there are no transparent huge pages";
	return NULL;
}

/* XA_CHUNK_SHIFT of include/linux/xarray.h, without CONFIG_BASE_SMALL */
#define NODE_SLOTS 64

/* Those that pages 0 to @pages - 1 of a file have in its empty mapping */
static long long xarray_nodes(long long pages)
{
	long long nodes = 0, below = pages;

	while (below > 1) {
		below = (below + NODE_SLOTS - 1) / NODE_SLOTS;
		nodes += below;
	}
	return nodes;
}

static void moves_add_cache(struct moves *moves, long long bytes, const struct snapshot *before)
{
	long long nodes = xarray_nodes(bytes / books_page_size());

	moves_add(moves, "file", bytes);
	moves_add(moves, "usage", bytes);
	moves_add(moves, MOVES_LRU, bytes);
	moves_add_slab(moves, before, "slab_reclaimable",
		       nodes * books_accounted_object("radix_tree_node"));
}

static void moves_add_tables(struct moves *moves, long long tables)
{
	long long bytes = tables * books_page_size();

	moves_add(moves, "pagetables", bytes);
	moves_add(moves, "kernel", bytes);
	moves_add(moves, "usage", bytes);
}

static void moves_add_anon(struct moves *moves, long long bytes, long long tables)
{
	moves_add(moves, "anon", bytes);
	moves_add(moves, MOVES_LRU, bytes);
	moves_add(moves, "usage", bytes);
	moves_add_tables(moves, tables);
}

/* THREAD_SIZE of arch/x86/include/asm/page_64_types.h, which KASAN doubles */
static long long stack_bytes(void)
{
	static long long bytes;

	if (!bytes)
		bytes = kernel_has_symbol("kasan_report") ? 32768 : 16384;
	return bytes;
}

void user_memory_moves(struct moves *moves, enum user_memory kind, unsigned long long bytes,
		       const struct snapshot *before)
{
	long long pages = bytes / books_page_size();

	switch (kind) {
	case USER_ANON:
		moves_add_anon(moves, bytes, bytes / TABLE_SPAN);
		break;
	case USER_THP:
		/* A table is put aside for each (pgtable_trans_huge_deposit()) */
		moves_add_anon(moves, bytes, bytes / TABLE_SPAN);
		moves_add(moves, "anon_thp", bytes);
		break;
	case USER_PAGETABLES:
		moves_add_anon(moves, bytes, pages);
		break;
	case USER_MAPPED:
		moves_add(moves, "shmem", bytes);
		moves_add(moves, "file_mapped", bytes);
		moves_add_tables(moves, bytes / TABLE_SPAN);
		moves_add_cache(moves, bytes, before);
		break;
	case USER_SHMEM:
		moves_add(moves, "shmem", bytes);
		moves_add_cache(moves, bytes, before);
		break;
	case USER_FILE:
		moves_add_cache(moves, bytes, before);
		break;
	case USER_PIPE:
		/* anon_pipe_write() of fs/pipe.c: accounted pages of the kernel */
		moves_add(moves, "kernel", bytes);
		moves_add(moves, "usage", bytes);
		break;
	case USER_SOCK:
		/* On v1 they have a counter of their own, kmem.tcp */
		moves_add(moves, "sock", cgroup_is_v1() ? 0 : bytes);
		moves_add(moves, "usage", cgroup_is_v1() ? 0 : bytes);
		break;
	case USER_STACKS:
		moves_add(moves, "kernel_stack", bytes * stack_bytes());
		/* struct task_struct and what else a thread is made of */
		moves_allow(moves, "slab_unreclaimable");
		moves_allow(moves, "slab_reclaimable");
		moves_allow(moves, "slab");
		moves_add_range(moves, "kernel", bytes * stack_bytes(), 4 * bytes * stack_bytes());
		moves_add_range(moves, "usage", bytes * stack_bytes(), 4 * bytes * stack_bytes());
		break;
	default:
		break;
	}
}

/* Tables stay until the range is unmapped; newer kernels free empty ones (PT_RECLAIM) */
static void moves_keep_tables(struct moves *moves, long long tables)
{
	long long bytes = tables * books_page_size();

	moves_add_range(moves, "pagetables", 0, bytes);
	moves_add_range(moves, "kernel", 0, bytes);
	moves_add_range(moves, "usage", 0, bytes);
}

void user_memory_moves_given(struct moves *moves, enum user_memory kind, unsigned long long bytes)
{
	const long long page = books_page_size();

	switch (kind) {
	case USER_ANON:
	case USER_MAPPED:
		moves_keep_tables(moves, bytes / TABLE_SPAN);
		break;
	case USER_PAGETABLES:
		moves_keep_tables(moves, bytes / page);
		break;
	case USER_PIPE:
		/* pipe->tmp_page, of which newer kernels have two */
		moves_add_range(moves, "kernel", 0, 2 * page);
		moves_add_range(moves, "usage", 0, 2 * page);
		break;
	case USER_SOCK:
		/* What is not asked for again is kept (SK_RECLAIM_THRESHOLD; sk_mem_reclaim()) */
		moves_add_range(moves, "sock", 0, cgroup_is_v1() ? 0 : bytes);
		moves_add_range(moves, "usage", 0, cgroup_is_v1() ? 0 : bytes);
		break;
	default:
		break;
	}
}
