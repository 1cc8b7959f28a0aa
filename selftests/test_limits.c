// SPDX-License-Identifier: GPL-2.0
/*
 * The safety rails: caps, who may ask for what, payers that are refused, the dead-man,
 * and what happens to a caller that the OOM killer may not kill.
 */
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "clock.h"
#include "knob.h"
#include "memstress_test.h"
#include "param.h"
#include "scope.h"
#include "worker.h"

#define LIMIT_BYTES (256 << 20)
/* Not a whole page, nor a whole batch of what the module does at a time */
#define CAP_PAGES  300
#define CAP_BYTES  (CAP_PAGES * sysconf(_SC_PAGESIZE) + 100)
#define DEADMAN_MS 200
#define TIMEOUT_S  60

FIXTURE(limits)
{
	struct scope scope;
	struct param param;
	int fd;
};

FIXTURE_SETUP(limits)
{
	ASSERT_EQ(0, scope_create(&self->scope, "limits", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, param_restore(&self->param));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* Pages that a request for too many gets before it meets a cap; -errno */
static long long pages_until_limit(int fd, int payer_fd, __u32 flags, __u32 policy)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 4 * CAP_PAGES, payer_fd);
	int ret;

	alloc.flags = flags;
	alloc.policy = policy;
	ret = session_alloc(fd, &alloc);
	if (ret)
		return ret;
	if (alloc.stop != MEMSTRESS_STOP_LIMIT || alloc.failures || alloc.first_errno)
		return -ERANGE;
	return alloc.books.objects;
}

TEST_F(limits, session_cap)
{
	struct memstress_info info;
	int other = session_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, param_set_number(&self->param, "session_max_bytes", CAP_BYTES));
	ASSERT_EQ(0, session_info(self->fd, 0, &info));
	EXPECT_EQ(CAP_BYTES, info.session_max_bytes);
	EXPECT_EQ(CAP_PAGES, pages_until_limit(self->fd, self->scope.target.fd,
					       MEMSTRESS_ALLOC_ACCOUNT, MEMSTRESS_POLICY_KERNEL));
	/* Full: not one more, and no holding of nothing. Another session has its own cap */
	EXPECT_EQ(0, pages_until_limit(self->fd, self->scope.target.fd, MEMSTRESS_ALLOC_ACCOUNT,
				       MEMSTRESS_POLICY_KERNEL));
	EXPECT_EQ(CAP_PAGES, pages_until_limit(other, self->scope.target.fd,
					       MEMSTRESS_ALLOC_ACCOUNT, MEMSTRESS_POLICY_KERNEL));
	/* What was given back can be had again */
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(CAP_PAGES, pages_until_limit(self->fd, self->scope.target.fd,
					       MEMSTRESS_ALLOC_ACCOUNT, MEMSTRESS_POLICY_KERNEL));
	EXPECT_EQ(0, close(other));
}

TEST_F(limits, total_cap)
{
	struct memstress_info info;
	int other = session_open();
	long long first, second;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, param_set_number(&self->param, "total_max_bytes",
				      self->scope.total_bytes + CAP_BYTES));
	ASSERT_EQ(0, session_info(self->fd, 0, &info));
	EXPECT_EQ(self->scope.total_bytes + CAP_BYTES, info.total_max_bytes);
	first = pages_until_limit(self->fd, self->scope.target.fd, MEMSTRESS_ALLOC_ACCOUNT,
				  MEMSTRESS_POLICY_KERNEL);
	second = pages_until_limit(other, self->scope.target.fd, MEMSTRESS_ALLOC_ACCOUNT,
				   MEMSTRESS_POLICY_KERNEL);
	EXPECT_EQ(CAP_PAGES, first);
	EXPECT_EQ(0, second);
	EXPECT_EQ(0, close(other));
}

TEST_F(limits, unaccounted_cap)
{
	struct memstress_info info;

	ASSERT_EQ(0, param_set_number(&self->param, "unaccounted_max_bytes", CAP_BYTES));
	ASSERT_EQ(0, session_info(self->fd, 0, &info));
	EXPECT_EQ(CAP_BYTES, info.unaccounted_max_bytes);
	EXPECT_EQ(CAP_PAGES,
		  pages_until_limit(self->fd, MEMSTRESS_PAYER_CALLER, 0, MEMSTRESS_POLICY_KERNEL));
}

TEST_F(limits, forced_cap)
{
	struct memstress_info info;

	ASSERT_EQ(0, param_set_number(&self->param, "forced_max_bytes", CAP_BYTES));
	ASSERT_EQ(0, session_info(self->fd, 0, &info));
	EXPECT_EQ(CAP_BYTES, info.forced_max_bytes);
	EXPECT_EQ(CAP_PAGES, pages_until_limit(self->fd, self->scope.target.fd,
					       MEMSTRESS_ALLOC_ACCOUNT, MEMSTRESS_POLICY_ATOMIC));
	EXPECT_EQ(0, pages_until_limit(self->fd, self->scope.target.fd, MEMSTRESS_ALLOC_ACCOUNT,
				       MEMSTRESS_POLICY_NOFAIL));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(CAP_PAGES, pages_until_limit(self->fd, self->scope.target.fd,
					       MEMSTRESS_ALLOC_ACCOUNT, MEMSTRESS_POLICY_NOFAIL));
}

TEST_F(limits, payer_without_limit)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.top.fd);
	int root = cgroup_open_root();

	ASSERT_LE(0, root);
	ASSERT_EQ(0, param_set(&self->param, "require_limit", "Y"));
	EXPECT_ERRNO(EDQUOT, session_alloc(self->fd, &alloc));
	alloc.payer_fd = root;
	EXPECT_ERRNO(EDQUOT, session_alloc(self->fd, &alloc));
	/* This process is in the root */
	alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	EXPECT_ERRNO(EDQUOT, session_alloc(self->fd, &alloc));
	/* The parent has a limit, the target has not */
	alloc.payer_fd = self->scope.target.fd;
	EXPECT_ERRNO(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(self->scope.target.id, alloc.payer_id);
	ASSERT_EQ(0, cgroup_write(&self->scope.parent, "memory.max", "max"));
	EXPECT_ERRNO(EDQUOT, session_alloc(self->fd, &alloc));
	EXPECT_EQ(0, param_restore(&self->param));

	ASSERT_EQ(0, param_set(&self->param, "require_limit", "N"));
	EXPECT_ERRNO(0, session_alloc(self->fd, &alloc));
	/* The root is charged for nothing */
	alloc.payer_fd = root;
	EXPECT_ERRNO(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(1, alloc.books.objects);
	EXPECT_EQ(0, alloc.books.page_charged_bytes);
	EXPECT_EQ(0, alloc.books.byte_charged_bytes);
	close(root);
}

/* True when all sessions hold what they held at first */
static bool total_is_back(const struct scope *scope)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);

	while (session_total_bytes() != scope->total_bytes)
		if (!clock_poll(deadline))
			return false;
	return true;
}

TEST_F_TIMEOUT(limits, deadman_frees, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 100, self->scope.target.fd);
	struct memstress_ledger ledger;
	struct memstress_info info;
	__u64 begin = clock_now_ns();

	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	ASSERT_EQ(0, param_set_number(&self->param, "deadman_ms", DEADMAN_MS));
	EXPECT_TRUE(total_is_back(&self->scope));
	/* It counts jiffies, from the one that the call began in: HZ is 100 at least */
	EXPECT_LE((DEADMAN_MS - 10) * NS_PER_MS, clock_now_ns() - begin);
	EXPECT_ERRNO(ESTALE, session_alloc(self->fd, &alloc));
	EXPECT_ERRNO(ESTALE, session_free(self->fd, alloc.handle, 0));
	EXPECT_ERRNO(ESTALE, session_free_all(self->fd));
	EXPECT_ERRNO(ESTALE, session_ledger(self->fd, 0, &ledger));
	EXPECT_ERRNO(0, session_info(self->fd, 0, &info));
	EXPECT_EQ(DEADMAN_MS, info.deadman_ms);
}

TEST_F_TIMEOUT(limits, deadman_is_kept_off_by_calls, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, 100, self->scope.target.fd);
	struct memstress_ledger ledger;
	__u64 end;

	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	ASSERT_EQ(0, param_set_number(&self->param, "deadman_ms", 10 * DEADMAN_MS));
	end = clock_now_ns() + 15 * DEADMAN_MS * NS_PER_MS;
	do {
		ASSERT_EQ(0, session_ledger(self->fd, alloc.handle, &ledger));
	} while (clock_poll(end));
	EXPECT_EQ(100, ledger.books.objects);
}

struct call {
	pthread_t thread;
	int fd;
	struct memstress_alloc alloc;
	int ret;
};

static void *call_alloc(void *arg)
{
	struct call *call = arg;

	call->ret = session_alloc(call->fd, &call->alloc);
	return NULL;
}

/* Starts an ALLOC that takes much longer than anything this waits for */
static int start_long_alloc(struct call *call, int fd, int payer_fd)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	struct memstress_ledger ledger;
	int ret;

	call->fd = fd;
	call->alloc = session_request(MEMSTRESS_KIND_KMALLOC, 8, 1000000000, payer_fd);
	call->alloc.deadline_ns = 2 * NS_PER_S;
	ret = pthread_create(&call->thread, NULL, call_alloc, call);
	if (ret)
		return -ret;
	do {
		ret = session_ledger(fd, 0, &ledger);
		if (ret || ledger.books.objects)
			return ret;
	} while (clock_poll(deadline));
	return -ETIMEDOUT;
}

TEST_F_TIMEOUT(limits, deadman_stops_alloc_in_flight, TIMEOUT_S)
{
	struct call call;

	ASSERT_EQ(0, start_long_alloc(&call, self->fd, self->scope.target.fd));
	ASSERT_EQ(0, param_set_number(&self->param, "deadman_ms", DEADMAN_MS));
	ASSERT_EQ(0, pthread_join(call.thread, NULL));
	EXPECT_ERRNO(ESTALE, call.ret);
	EXPECT_TRUE(total_is_back(&self->scope));
}

/* Makes what follows the act of somebody who is root, and has no CAP_SYS_ADMIN */
static int drop_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* In a child inside the target. Returns the number of the step that went wrong */
static int try_unprivileged(const struct scope *scope)
{
	struct memstress_alloc good =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, MEMSTRESS_PAYER_CALLER);
	struct memstress_alloc alloc = good;
	int fd = session_open();
	int late;

	if (fd < 0 || drop_sys_admin())
		return 1;
	late = session_open();
	if (late < 0)
		return 2;
	if (session_settle(fd, scope->target.fd) != -EPERM)
		return 3;
	alloc.flags = 0;
	if (session_alloc(fd, &alloc) != -EPERM)
		return 4;
	alloc = good;
	alloc.payer_fd = scope->target.fd;
	if (session_alloc(fd, &alloc) != -EPERM)
		return 5;
	alloc = good;
	alloc.policy = MEMSTRESS_POLICY_ATOMIC;
	if (session_alloc(fd, &alloc) != -EPERM)
		return 6;
	alloc.policy = MEMSTRESS_POLICY_NOFAIL;
	if (session_alloc(fd, &alloc) != -EPERM)
		return 7;
	/* What costs only oneself is allowed, to whoever could open the device */
	if (session_alloc(fd, &good) || good.stop != MEMSTRESS_STOP_DONE)
		return 8;
	if (session_alloc(late, &good) || good.stop != MEMSTRESS_STOP_DONE)
		return 9;
	if (session_free_all(fd) || session_free_all(late))
		return 10;
	/* A size that no other test asks for: the cache stays until the module goes */
	alloc = session_request(MEMSTRESS_KIND_CACHE, 4072, 1, MEMSTRESS_PAYER_CALLER);
	if (session_alloc(fd, &alloc) != -EPERM)
		return 11;
	return 0;
}

TEST_F(limits, privileges)
{
	pid_t pid = cgroup_fork(&self->scope.target);
	int status;

	if (!pid)
		_exit(try_unprivileged(&self->scope));
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* In a child in the root cgroup, which is never charged. As try_unprivileged() */
static int try_root_payer(void)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_KMALLOC, 64, 1, MEMSTRESS_PAYER_CALLER);
	int fd = session_open();

	if (fd < 0 || session_alloc(fd, &alloc) || alloc.stop != MEMSTRESS_STOP_DONE)
		return 1;
	if (alloc.payer_id || alloc.books.byte_charged_bytes || alloc.books.page_charged_bytes)
		return 2;
	if (drop_sys_admin() || session_alloc(fd, &alloc) != -EPERM)
		return 3;
	return 0;
}

/* Accounted or not, what the root pays for nobody does, so it takes the same privilege */
TEST_F(limits, root_payer_is_nobody)
{
	pid_t pid;
	int status;

	ASSERT_EQ(0, param_set(&self->param, "require_limit", "N"));
	pid = fork();
	if (!pid)
		_exit(try_root_payer());
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* It opens a session without privilege and keeps it for a parent that has it */
static void open_for_parent(int *fd)
{
	if (drop_sys_admin())
		_exit(1);
	__atomic_store_n(fd, session_open(), __ATOMIC_RELEASE);
	for (;;)
		pause();
}

/* The caller has what it takes, but whoever opened the session had not */
TEST_F(limits, opener_without_privilege)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	int *child_fd, pidfd, fd;
	pid_t pid;

	child_fd = mmap(NULL, sizeof(*child_fd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	ASSERT_NE(MAP_FAILED, child_fd);
	pid = fork();
	if (!pid)
		open_for_parent(child_fd);
	ASSERT_LT(0, pid);
	while (!__atomic_load_n(child_fd, __ATOMIC_ACQUIRE))
		ASSERT_TRUE(clock_poll(deadline));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	fd = syscall(SYS_pidfd_getfd, pidfd, *child_fd, 0);
	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EPERM, session_settle(fd, self->scope.target.fd));
	EXPECT_ERRNO(0, session_settle(self->fd, self->scope.target.fd));
	close(fd);
	close(pidfd);
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

/*
 * A task that is never selected, and whose charge failed, would fault for ever on its
 * way back to user mode (mem_cgroup_oom_synchronize() and pagefault_out_of_memory()).
 * So everything it held is freed first, and it goes on.
 */
TEST_F_TIMEOUT(limits, unkillable_lives, TIMEOUT_S)
{
	struct memstress_alloc *alloc;
	struct worker worker;

	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", 16 << 20));
	ASSERT_EQ(0, worker_start(&worker, &self->scope.target));
	ASSERT_EQ(0, knob_write_oom_score_adj(worker.pid, -1000));
	alloc = &worker.page->alloc;

	*alloc = session_request(MEMSTRESS_KIND_KMALLOC, 1024, 1000, MEMSTRESS_PAYER_CALLER);
	ASSERT_EQ(0, worker_ask(&worker, WORKER_ALLOC));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	*alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 32 * CAP_PAGES, MEMSTRESS_PAYER_CALLER);
	ASSERT_EQ(0, worker_ask(&worker, WORKER_ALLOC));
	EXPECT_EQ(MEMSTRESS_STOP_UNKILLABLE, alloc->stop)
	TH_LOG("stop %s", session_stop_name(alloc->stop));
	EXPECT_EQ(ENOMEM, alloc->first_errno);
	EXPECT_EQ(1, alloc->failures);
	EXPECT_EQ(0, alloc->handle);
	EXPECT_EQ(0, alloc->books.objects);
	EXPECT_EQ(0, alloc->books.footprint_bytes);
	ASSERT_EQ(0, worker_ask(&worker, WORKER_LEDGER));
	EXPECT_EQ(0, worker.page->ledger.books.objects);
	EXPECT_EQ(0, worker.page->ledger.holdings);
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
	EXPECT_LE(1, cgroup_read_key(&self->scope.target, "memory.events", "oom"));
	EXPECT_EQ(0, cgroup_read_key(&self->scope.target, "memory.events", "oom_kill"));

	/* Alive, and able to do it again */
	*alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, MEMSTRESS_PAYER_CALLER);
	EXPECT_EQ(0, worker_ask(&worker, WORKER_ALLOC));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	EXPECT_EQ(0, worker_stop(&worker));
}

/*
 * The payer is removed while a call charges it. From then on the parent pays
 * (__get_obj_cgroup_from_memcg() of mm/memcontrol.c goes up from a cgroup without an
 * objcg), what was charged is reparented, and all of it comes back.
 */
TEST_F_TIMEOUT(limits, payer_removed_in_flight, TIMEOUT_S)
{
	const struct charge nothing = { 0 };
	struct scope_snapshot before;
	struct violation violation;
	struct cgroup doomed;
	struct call call;
	__u64 waited_ns;
	int fd, ret;

	ASSERT_EQ(0, scope_baseline(&self->scope, &before));
	ASSERT_EQ(0, cgroup_create(&doomed, &self->scope.parent, "doomed"));
	fd = dup(doomed.fd);
	ASSERT_LE(0, fd);

	ASSERT_EQ(0, start_long_alloc(&call, self->fd, fd));
	EXPECT_EQ(0, cgroup_remove(&doomed));
	ASSERT_EQ(0, pthread_join(call.thread, NULL));
	EXPECT_ERRNO(0, call.ret);
	EXPECT_LT(0, call.alloc.books.objects);
	EXPECT_EQ(doomed.id, call.alloc.payer_id);
	fprintf(stderr, "# %llu objects made, payer removed meanwhile\n", call.alloc.books.objects);

	EXPECT_ERRNO(ENOENT, session_alloc(self->fd, &call.alloc));
	EXPECT_ERRNO(ENOENT, session_settle(self->fd, fd));
	EXPECT_EQ(0, session_free_all(self->fd));
	close(fd);
	/* The cgroup itself was charged to its parent, and is freed in the background */
	ret = scope_law_await(&self->scope, &before, &nothing, BALANCE_ALL, &violation, &waited_ns);
	EXPECT_EQ(0, ret)
	balance_report("payer removed", ret, &violation);
	fprintf(stderr, "# nothing left after %llu ms\n", waited_ns / 1000000);
}

TEST_HARNESS_MAIN
