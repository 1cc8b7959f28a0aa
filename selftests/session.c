// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "cpu.h"
#include "session.h"

int session_open(void)
{
	int fd = open(MEMSTRESS_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int session_ioctl(int fd, unsigned int cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

int session_info(int fd, __u32 kind, struct memstress_info *info)
{
	*info = (struct memstress_info){ .size = sizeof(*info), .kind = kind };
	return session_ioctl(fd, MEMSTRESS_IOC_INFO, info);
}

struct memstress_alloc session_request(__u32 kind, __u64 size, __u64 count, int payer_fd)
{
	struct memstress_alloc alloc = {
		.size = sizeof(alloc),
		.flags = MEMSTRESS_ALLOC_ACCOUNT,
		.kind = kind,
		.node = MEMSTRESS_NODE_ANY,
		.payer_fd = payer_fd,
		.count = count,
	};

	if (kind == MEMSTRESS_KIND_PAGE)
		alloc.order = size;
	else
		alloc.object_size = size;
	return alloc;
}

static bool session_has_nodes;

void session_begin(void)
{
	session_has_nodes = cpu_count_nodes() > 1;
}

/*
 * 7.3 has an objcg for each node (__get_obj_cgroup_from_memcg() of mm/memcontrol.c),
 * which keeps the rest of a page: who changes nodes meanwhile is charged one page more.
 */
int session_alloc(int fd, struct memstress_alloc *alloc)
{
	cpu_set_t own;
	int ret;

	if (!session_has_nodes || sched_getaffinity(0, sizeof(own), &own))
		return session_ioctl(fd, MEMSTRESS_IOC_ALLOC, alloc);
	cpu_run_on(sched_getcpu());
	ret = session_ioctl(fd, MEMSTRESS_IOC_ALLOC, alloc);
	sched_setaffinity(0, sizeof(own), &own);
	return ret;
}

int session_free(int fd, __u32 handle, __u64 count)
{
	struct memstress_free req = {
		.size = sizeof(req),
		.handle = handle,
		.count = count,
	};

	return session_ioctl(fd, MEMSTRESS_IOC_FREE, &req);
}

int session_free_all(int fd)
{
	struct memstress_free req = { .size = sizeof(req), .flags = MEMSTRESS_FREE_ALL };

	return session_ioctl(fd, MEMSTRESS_IOC_FREE, &req);
}

int session_ledger(int fd, __u32 handle, struct memstress_ledger *ledger)
{
	*ledger = (struct memstress_ledger){ .size = sizeof(*ledger), .handle = handle };
	return session_ioctl(fd, MEMSTRESS_IOC_LEDGER, ledger);
}

int session_audit(int fd, __u32 handle, struct memstress_audit *audit)
{
	*audit = (struct memstress_audit){ .size = sizeof(*audit), .handle = handle };
	return session_ioctl(fd, MEMSTRESS_IOC_AUDIT, audit);
}

/*
 * Before 6.2 a thread keeps the RSS of what a driver has inserted to itself until its 64th
 * page fault, or until it unmaps a page (check_sync_rss_stat() and add_mm_rss_vec() of
 * mm/memory.c); neither /proc nor the OOM killer knows of it before.
 */
static void session_tell_rss(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	*memory = 1;
	munmap(memory, page);
}

int session_map(int fd, const struct memstress_alloc *alloc, void **memory)
{
	*memory = mmap(NULL, alloc->books.requested_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       alloc->mmap_offset);
	if (*memory == MAP_FAILED)
		return -errno;
	session_tell_rss();
	return 0;
}

long long session_total_bytes(void)
{
	struct memstress_info info;
	int fd = session_open();
	int ret;

	if (fd < 0)
		return fd;
	ret = session_info(fd, 0, &info);
	close(fd);
	return ret ? ret : (long long)info.total_bytes;
}

int session_share(int fd, bool shared)
{
	struct memstress_setup setup = {
		.size = sizeof(setup),
		.flags = shared ? MEMSTRESS_SETUP_SHARED : 0,
	};

	return session_ioctl(fd, MEMSTRESS_IOC_SETUP, &setup);
}

int session_settle(int fd, int cgroup_fd)
{
	struct memstress_settle settle = { .size = sizeof(settle), .cgroup_fd = cgroup_fd };
	__u64 begin = clock_now_ns();
	int ret = session_ioctl(fd, MEMSTRESS_IOC_SETTLE, &settle);

	if (ret || settle.state == MEMSTRESS_SETTLE_EXACT)
		return ret;
	fprintf(stderr, "# not settled: state %u after %u passes in %llu ms, usage %llu\n",
		settle.state, settle.passes, (clock_now_ns() - begin) / NS_PER_MS,
		settle.usage_bytes);
	return -EAGAIN;
}

const char *session_kind_name(__u32 kind)
{
	static const char *const name[MEMSTRESS_KIND_END] = {
		[0] = "none",
		[MEMSTRESS_KIND_PAGE] = "page",
		[MEMSTRESS_KIND_KMALLOC] = "kmalloc",
		[MEMSTRESS_KIND_CACHE] = "cache",
		[MEMSTRESS_KIND_VMALLOC] = "vmalloc",
		[MEMSTRESS_KIND_PERCPU] = "percpu",
		[MEMSTRESS_KIND_EXACT] = "exact",
		[MEMSTRESS_KIND_KVMALLOC] = "kvmalloc",
	};

	return kind < MEMSTRESS_KIND_END ? name[kind] : "?";
}

const char *session_context_name(__u32 context)
{
	static const char *const name[MEMSTRESS_CONTEXT_END] = {
		[MEMSTRESS_CONTEXT_TASK] = "task",
		[MEMSTRESS_CONTEXT_KWORKER] = "kworker",
		[MEMSTRESS_CONTEXT_SOFTIRQ] = "softirq",
		[MEMSTRESS_CONTEXT_HARDIRQ] = "hardirq",
	};

	return context < MEMSTRESS_CONTEXT_END ? name[context] : "?";
}

const char *session_policy_name(__u32 policy)
{
	static const char *const name[MEMSTRESS_POLICY_END] = {
		[MEMSTRESS_POLICY_KERNEL] = "kernel",
		[MEMSTRESS_POLICY_NOWAIT] = "nowait",
		[MEMSTRESS_POLICY_ATOMIC] = "atomic",
		[MEMSTRESS_POLICY_NOIO] = "noio",
		[MEMSTRESS_POLICY_NOFS] = "nofs",
		[MEMSTRESS_POLICY_NORETRY] = "noretry",
		[MEMSTRESS_POLICY_RETRY_MAYFAIL] = "retry_mayfail",
		[MEMSTRESS_POLICY_NOFAIL] = "nofail",
		[MEMSTRESS_POLICY_NOLOCK] = "nolock",
	};

	return policy < MEMSTRESS_POLICY_END ? name[policy] : "?";
}

const char *session_stop_name(__u32 stop)
{
	static const char *const name[MEMSTRESS_STOP_END] = {
		[MEMSTRESS_STOP_DONE] = "done",         [MEMSTRESS_STOP_FAILED] = "failed",
		[MEMSTRESS_STOP_KILLED] = "killed",     [MEMSTRESS_STOP_LIMIT] = "limit",
		[MEMSTRESS_STOP_DEADLINE] = "deadline", [MEMSTRESS_STOP_UNKILLABLE] = "unkillable",
	};

	return stop < MEMSTRESS_STOP_END ? name[stop] : "?";
}
