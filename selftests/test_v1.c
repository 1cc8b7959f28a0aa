// SPDX-License-Identifier: GPL-2.0
/*
 * What is cgroup v1's own: the OOM killer switched off, failcnt, the limit of memory and
 * swap together, the hierarchies beside the one of the memory controller, and SETTLE,
 * which goes another way there.
 */
#include <limits.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "books.h"
#include "clock.h"
#include "memstress_test.h"
#include "scope.h"
#include "worker.h"

LAW("cgroup v1's own limits and counters hold, and SETTLE leaves them as they are");

#define LIMIT_BYTES (256 << 20)
#define MAX_BYTES   (16LL << 20)
#define REFUSALS    10
#define TIMEOUT_S   120

FIXTURE(v1)
{
	struct scope scope;
	struct scope_snapshot empty;
	struct worker worker;
	int fd;
};

FIXTURE_SETUP(v1)
{
	ASSERT_EQ(0, scope_create(&self->scope, "v1", LIMIT_BYTES));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", MAX_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
}

FIXTURE_TEARDOWN(v1)
{
	worker_kill(&self->worker);
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static struct memstress_alloc pages_request(__u64 bytes, int payer_fd)
{
	return session_request(MEMSTRESS_KIND_PAGE, 0, bytes / books_page_size(), payer_fd);
}

static int left_behind(struct _test_data_v1 *self)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	__u64 waited_ns;
	int ret = scope_law_await(&self->scope, &self->empty, &nothing, BALANCE_HELD, &violation,
				  &waited_ns);

	balance_report("left behind", ret, &violation);
	return ret;
}

static long long event(struct _test_data_v1 *self, const char *key)
{
	return cgroup_read_key(&self->scope.target, "memory.events", key);
}

static long long control(struct _test_data_v1 *self, const char *key)
{
	return cgroup_read_key(&self->scope.target, "memory.oom_control", key);
}

/* Until what @read tells of @key is @min to @max */
static bool await(struct _test_data_v1 *self,
		  long long (*read)(struct _test_data_v1 *self, const char *key), const char *key,
		  long long min, long long max)
{
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	long long value;

	while ((value = read(self, key)) < min || value > max)
		if (!clock_poll(deadline))
			return false;
	return true;
}

static bool await_under_oom(struct _test_data_v1 *self, long long value)
{
	return await(self, control, "under_oom", value, value);
}

/* Who listens is told a little later than that is so (mem_cgroup_oom_synchronize()). */
static bool await_oom(struct _test_data_v1 *self)
{
	return await(self, event, "oom", 1, LLONG_MAX);
}

/*
 * mem_cgroup_oom() of mm/memcontrol.c puts nobody to sleep for a charge that no page
 * fault has asked for: it is refused, and nobody is notified. With the killer switched
 * on again, the same worker dies of the same request.
 */
TEST_F_TIMEOUT(v1, oom_kill_disable_refuses_kernel_memory, TIMEOUT_S)
{
	struct memstress_alloc *alloc;
	int status;

	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.oom_control", "1"));
	ASSERT_EQ(1, control(self, "oom_kill_disable"));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	alloc = &self->worker.page->alloc;
	*alloc = pages_request(2 * MAX_BYTES, MEMSTRESS_PAYER_CALLER);
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc->stop);
	EXPECT_EQ(ENOMEM, alloc->first_errno);
	EXPECT_EQ(1, alloc->failures);
	EXPECT_LT(0, alloc->books.objects);
	EXPECT_GE(MAX_BYTES, (long long)alloc->books.page_charged_bytes);
	EXPECT_EQ(0, control(self, "under_oom"));
	EXPECT_EQ(0, event(self, "oom"));
	EXPECT_EQ(0, event(self, "oom_kill"));
	EXPECT_GE(MAX_BYTES, cgroup_read_number(&self->scope.target, "memory.peak"));

	EXPECT_EQ(0, worker_ask(&self->worker, WORKER_FREE));
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.oom_control", "0"));
	*alloc = pages_request(2 * MAX_BYTES, MEMSTRESS_PAYER_CALLER);
	worker_tell(&self->worker, WORKER_ALLOC);
	ASSERT_EQ(0, worker_wait(&self->worker, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ(MEMSTRESS_STOP_KILLED, alloc->stop);
	EXPECT_LE(1, event(self, "oom"));
	EXPECT_EQ(1, event(self, "oom_kill"));
	EXPECT_EQ(0, left_behind(self));
}

/* User memory is what waits there (mem_cgroup_oom_synchronize()), until there is room */
TEST_F_TIMEOUT(v1, oom_kill_disable_suspends_user_memory, TIMEOUT_S)
{
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.oom_control", "1"));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	self->worker.page->bytes = 2 * MAX_BYTES;
	worker_tell(&self->worker, WORKER_TOUCH);
	EXPECT_TRUE(await_under_oom(self, 1));
	EXPECT_TRUE(await_oom(self));
	EXPECT_EQ(0, event(self, "oom_kill"));
	/* When it was refused a page the rest was in the stocks, which are drained by then */
	EXPECT_LE(MAX_BYTES - balance_stock_bound(&self->scope.info, 0) - books_page_size(),
		  cgroup_read_number(&self->scope.target, "memory.current"));

	/* Enlarging the limit wakes it (mem_cgroup_resize_max()) */
	EXPECT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", 4 * MAX_BYTES));
	EXPECT_EQ(0, worker_await(&self->worker));
	EXPECT_TRUE(await_under_oom(self, 0));
	EXPECT_EQ(0, event(self, "oom_kill"));
	EXPECT_EQ(0, worker_stop(&self->worker));
	/* The limit is on a line of memory.stat, too */
	EXPECT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", MAX_BYTES));
	EXPECT_EQ(0, left_behind(self));
}

/*
 * page_counter_try_charge() counts each attempt that does not fit; a refused charge has
 * made one at least. What fits counts nothing.
 */
TEST_F(v1, failcnt_counts_refusals)
{
	const struct cgroup *target = &self->scope.target;
	struct memstress_alloc alloc = pages_request(MAX_BYTES / 2, target->fd);

	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc.stop);
	EXPECT_EQ(0, cgroup_read_number(target, "memory.failcnt"));

	alloc = pages_request(2 * MAX_BYTES, target->fd);
	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	alloc.max_failures = REFUSALS - 1;
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc.stop);
	EXPECT_EQ(REFUSALS, alloc.failures);
	fprintf(stderr, "# %d refusals, failcnt %lld\n", REFUSALS,
		cgroup_read_number(target, "memory.failcnt"));
	EXPECT_LE(REFUSALS, cgroup_read_number(target, "memory.failcnt"));
	EXPECT_GE(MAX_BYTES, cgroup_read_number(target, "memory.peak"));

	EXPECT_EQ(0, cgroup_write(target, "memory.failcnt", "0"));
	EXPECT_EQ(0, cgroup_read_number(target, "memory.failcnt"));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, left_behind(self));
}

/* try_charge() asks the counter of both first, so of two equal limits that one is met */
TEST_F(v1, memory_and_swap_together)
{
	static const char both_max[] = "memory.memsw.limit_in_bytes";
	const struct cgroup *target = &self->scope.target;
	struct memstress_alloc alloc = pages_request(2 * MAX_BYTES, target->fd);

	if (cgroup_read_number(target, both_max) == -ENOENT)
		SKIP(return, "swap is not accounted: no memory.memsw.limit_in_bytes");
	ASSERT_EQ(0, cgroup_write_number(target, both_max, MAX_BYTES));
	/* Memory may never be allowed more than both (mem_cgroup_resize_max()) */
	EXPECT_ERRNO(EINVAL, cgroup_write_number(target, both_max, MAX_BYTES / 2));
	EXPECT_ERRNO(EINVAL, cgroup_write_number(target, "memory.max", 2 * MAX_BYTES));
	EXPECT_EQ(MAX_BYTES, cgroup_read_number(target, both_max));
	EXPECT_EQ(MAX_BYTES, cgroup_read_number(target, "memory.max"));

	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc.stop);
	EXPECT_LE(1, cgroup_read_number(target, "memory.memsw.failcnt"));
	EXPECT_EQ(0, cgroup_read_number(target, "memory.failcnt"));
	EXPECT_EQ(cgroup_read_number(target, "memory.current"),
		  cgroup_read_number(target, "memory.memsw.usage_in_bytes"));
	EXPECT_GE(MAX_BYTES, cgroup_read_number(target, "memory.memsw.max_usage_in_bytes"));
	EXPECT_EQ(0, session_free_all(self->fd));
	/* The limit is on a line of memory.stat, too */
	EXPECT_EQ(0, cgroup_write(target, both_max, "-1"));
	EXPECT_EQ(0, left_behind(self));
}

/* A cgroup of v2 on a host whose memory controller is on v1 is nobody's payer */
TEST_F(v1, hybrid_host)
{
	struct memstress_alloc alloc = pages_request(books_page_size(), -1);
	char mount_point[] = "/tmp/memstress-XXXXXX", path[64];
	int child;

	ASSERT_NE(NULL, mkdtemp(mount_point));
	ASSERT_EQ(0, mount("cgroup2", mount_point, "cgroup2", 0, NULL));
	snprintf(path, sizeof(path), "%s/memstress", mount_point);
	ASSERT_EQ(0, mkdir(path, 0755));
	alloc.payer_fd = open(mount_point, O_RDONLY | O_DIRECTORY);
	child = open(path, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, alloc.payer_fd);
	ASSERT_LE(0, child);
	EXPECT_TRUE(cgroup_is_v1());
	EXPECT_ERRNO(EOPNOTSUPP, session_alloc(self->fd, &alloc));
	EXPECT_ERRNO(EOPNOTSUPP, session_settle(self->fd, alloc.payer_fd));
	EXPECT_EQ(0, close(alloc.payer_fd));
	alloc.payer_fd = child;
	EXPECT_ERRNO(EOPNOTSUPP, session_alloc(self->fd, &alloc));
	EXPECT_ERRNO(EOPNOTSUPP, session_settle(self->fd, child));
	EXPECT_EQ(0, close(child));
	EXPECT_EQ(0, rmdir(path));
	EXPECT_EQ(0, umount(mount_point));
	EXPECT_EQ(0, rmdir(mount_point));
}

#define TRACE       "/sys/kernel/tracing/instances/memstress"
#define TRACE_EVENT TRACE "/events/vmscan/mm_vmscan_memcg_reclaim_begin/enable"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* How often a cgroup was reclaimed from since the last call; -1: not known */
static int count_reclaims(void)
{
	FILE *trace = fopen(TRACE "/trace", "r");
	char line[256];
	int count = 0;

	if (!trace)
		return -1;
	while (fgets(line, sizeof(line), trace))
		count += !!strstr(line, "mm_vmscan_memcg_reclaim_begin:");
	fclose(trace);
	return write_file(TRACE "/trace", "") ? count : -1;
}

/*
 * SETTLE writes memory.force_empty, which reclaims all that it can unless it is stopped
 * right after it has drained. The same write without that is what it would look like.
 */
TEST_F_TIMEOUT(v1, settle_neither_limits_nor_reclaims, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target;
	struct memstress_alloc alloc = pages_request(MAX_BYTES / 2, target->fd);
	int settled, emptied;

	if (mkdir(TRACE, 0755))
		SKIP(return, "no tracefs, which tells of reclaim");
	EXPECT_TRUE(write_file(TRACE_EVENT, "1"));
	EXPECT_EQ(0, worker_start(&self->worker, target));
	EXPECT_EQ(0, session_alloc(self->fd, &alloc));
	count_reclaims();
	EXPECT_EQ(0, session_settle(self->fd, target->fd));
	settled = count_reclaims();
	EXPECT_EQ(0, cgroup_write(target, "memory.force_empty", "0"));
	emptied = count_reclaims();
	EXPECT_TRUE(write_file(TRACE_EVENT, "0"));
	EXPECT_EQ(0, rmdir(TRACE));
	fprintf(stderr, "# reclaimed from %d times by SETTLE, %d times by force_empty alone\n",
		settled, emptied);
	EXPECT_EQ(0, settled);
	EXPECT_LE(1, emptied);
	EXPECT_EQ(MAX_BYTES, cgroup_read_number(target, "memory.max"));
	EXPECT_EQ(0, event(self, "max"));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EQ(0, worker_stop(&self->worker));
	EXPECT_EQ(0, left_behind(self));
}

int main(int argc, char **argv)
{
	if (cgroup_is_v1())
		return test_harness_run(argc, argv);
	printf("1..0 # SKIP the memory controller is not on cgroup v1\n");
	return KSFT_SKIP;
}
