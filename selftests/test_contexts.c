// SPDX-License-Identifier: GPL-2.0
/*
 * The contexts that ALLOC sends its rounds to: what becomes of a call whose CPU goes away,
 * whose caller is killed, or whose session dies while another context works for it.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "books.h"
#include "cpu.h"
#include "knob.h"
#include "memstress_test.h"
#include "param.h"
#include "scope.h"
#include "worker.h"

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

#define OFFLINE_OBJECTS 100
#define OFFLINE_NS      (20 * NS_PER_S)
#define KILLED_MAX      (16 << 20)
#define KILLED_RSS      (8 << 20)
#define THROTTLED_HIGH  0x100000
#define THROTTLED_BYTES (64 << 20)
#define DEADMAN_MS      200
#define HOG_NS          (8 * NS_PER_S)

FIXTURE(contexts)
{
	struct scope scope;
	struct scope_snapshot before;
	struct param param;
	int fd;
};

FIXTURE_SETUP(contexts)
{
	ASSERT_EQ(0, scope_create(&self->scope, "contexts", LIMIT_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(contexts)
{
	EXPECT_EQ(0, param_restore(&self->param));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* A thread that takes a CPU offline and back, until it is told to end */
struct hotplug {
	pthread_t thread;
	int cpu;
	int end;
	int ret;
};

static void *hotplug_main(void *data)
{
	struct hotplug *hotplug = data;

	while (!hotplug->ret && !__atomic_load_n(&hotplug->end, __ATOMIC_RELAXED)) {
		hotplug->ret = cpu_set_online(hotplug->cpu, false);
		clock_pause_ns(20 * NS_PER_MS);
		if (!hotplug->ret)
			hotplug->ret = cpu_set_online(hotplug->cpu, true);
		clock_pause_ns(20 * NS_PER_MS);
	}
	return NULL;
}

/* What calls pinned to a CPU that comes and goes have come to */
struct pinned {
	unsigned int done, cut, refused;
};

static int alloc_pinned(struct _test_data_contexts *self, __u32 context, int cpu,
			struct charge *charge, struct pinned *pinned)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, OFFLINE_OBJECTS, self->scope.target.fd);
	int ret;

	alloc.context = context;
	alloc.flags |= MEMSTRESS_ALLOC_CPU;
	alloc.cpu = cpu;
	if (context != MEMSTRESS_CONTEXT_KWORKER)
		alloc.policy = MEMSTRESS_POLICY_NOWAIT;
	ret = session_alloc(self->fd, &alloc);
	if (ret == -ENODEV) {
		pinned->refused++;
		return 0;
	}
	if (ret)
		return ret;
	charge_add(charge, alloc.kind, &alloc.books);
	if (alloc.stop == MEMSTRESS_STOP_DONE && alloc.books.objects == OFFLINE_OBJECTS)
		pinned->done++;
	else if (alloc.stop == MEMSTRESS_STOP_FAILED && alloc.first_errno == ENODEV)
		pinned->cut++;
	else
		return -ERANGE;
	/* Half of what there may be */
	return charge->page_bytes > LIMIT_BYTES / 2 ? -EDQUOT : 0;
}

TEST_F_TIMEOUT(contexts, cpu_goes_offline, TIMEOUT_S)
{
	struct hotplug hotplug = { .cpu = cpu_last_online() };
	struct charge charge = { 0 };
	struct pinned pinned = { 0 };
	struct violation violation;
	__u64 deadline;
	__u32 context;
	int ret = 0;

	ASSERT_LE(0, hotplug.cpu);
	if (!cpu_is_removable(hotplug.cpu))
		SKIP(return, "CPU %d, the last one, cannot go offline", hotplug.cpu);
	ASSERT_EQ(0, pthread_create(&hotplug.thread, NULL, hotplug_main, &hotplug));
	deadline = clock_deadline_ns(OFFLINE_NS);
	for (context = MEMSTRESS_CONTEXT_KWORKER; !ret && clock_now_ns() < deadline;) {
		/* Pages, as older kernels lose bytes with a CPU: see test_hotplug */
		ret = alloc_pinned(self, context, hotplug.cpu, &charge, &pinned);
		if (pinned.refused > 20 && pinned.done > 20)
			break;
		if (++context == MEMSTRESS_CONTEXT_END ||
		    !(self->scope.info.features & MEMSTRESS_FEATURE_CHARGED_INTERRUPTS) ||
		    !(self->scope.info.contexts & (1ULL << context)))
			context = MEMSTRESS_CONTEXT_KWORKER;
	}
	__atomic_store_n(&hotplug.end, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(hotplug.thread, NULL));
	EXPECT_EQ(0, hotplug.ret);
	EXPECT_EQ(0, ret);
	fprintf(stderr, "# calls: %u done, %u cut short, %u refused\n", pinned.done, pinned.cut,
		pinned.refused);
	EXPECT_LT(0, pinned.done);
	EXPECT_LT(0, pinned.refused);

	ret = scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &violation);
	EXPECT_EQ(0, ret)
	balance_report("held", ret, &violation);
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EMPTY_LEDGER(self->fd);
}

/*
 * The OOM killer chooses the caller, whose kernel worker ran into the limit: that ends the
 * worker's allocation too, before the next one is chosen.
 */
TEST_F_TIMEOUT(contexts, killed_caller_ends_the_worker, TIMEOUT_S)
{
	struct worker caller = { 0 }, bystander = { 0 };
	struct memstress_alloc *alloc;
	int status;

	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", KILLED_MAX));
	ASSERT_EQ(0, worker_start(&caller, &self->scope.target));
	ASSERT_EQ(0, worker_start(&bystander, &self->scope.target));
	/* The largest */
	caller.page->bytes = KILLED_RSS;
	ASSERT_EQ(0, worker_ask(&caller, WORKER_TOUCH));
	alloc = &caller.page->alloc;
	*alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 2 * KILLED_MAX / books_page_size(),
				 MEMSTRESS_PAYER_CALLER);
	alloc->context = MEMSTRESS_CONTEXT_KWORKER;
	EXPECT_EQ(-ESRCH, worker_ask(&caller, WORKER_ALLOC));
	EXPECT_EQ(MEMSTRESS_STOP_KILLED, alloc->stop);
	EXPECT_EQ(0, worker_wait(&caller, &status));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(0, worker_ask(&bystander, WORKER_LEDGER));
	EXPECT_EQ(1, cgroup_read_key(&self->scope.target, "memory.events", "oom_kill"));
	EXPECT_EQ(0, worker_stop(&bystander));
	worker_kill(&caller);
}

/*
 * From 6.1 a charge far above memory.high sleeps where it is, two seconds for each batch, and
 * a worker that charges for a memcg does so as well (get_mem_cgroup_from_mm() without an mm).
 */
TEST_F_TIMEOUT(contexts, killed_caller_ends_the_throttling, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_VMALLOC, THROTTLED_BYTES, 1, self->scope.target.fd);
	struct worker caller = { 0 };
	__u64 killed;
	int status;

	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 has no memory.high");
	ASSERT_EQ(0, worker_start(&caller, &self->scope.sibling));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.high", THROTTLED_HIGH));
	alloc.context = MEMSTRESS_CONTEXT_KWORKER;
	caller.page->alloc = alloc;
	worker_tell(&caller, WORKER_ALLOC);
	clock_pause_ns(NS_PER_S);
	killed = clock_now_ns();
	ASSERT_EQ(0, kill(caller.pid, SIGKILL));
	EXPECT_EQ(0, worker_wait(&caller, &status));
	fprintf(stderr, "# dead %llu ms after it was killed\n",
		(clock_now_ns() - killed) / NS_PER_MS);
	worker_kill(&caller);
	EXPECT_EQ(0, cgroup_write(&self->scope.target, "memory.high", "max"));
}

/* The highest priority there is, on one CPU, for a time that is too short to harm */
static pid_t start_hog(int cpu)
{
	const struct sched_param highest = {
		.sched_priority = sched_get_priority_max(SCHED_FIFO),
	};
	__u64 end = clock_now_ns() + HOG_NS;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cpu_run_on(cpu) || sched_setscheduler(0, SCHED_FIFO, &highest))
		_exit(EXIT_FAILURE);
	while (clock_now_ns() < end)
		;
	_exit(EXIT_SUCCESS);
}

/* Where no worker of the kernel's comes to run, a caller that is killed waits for none */
TEST_F_TIMEOUT(contexts, killed_where_no_worker_runs, TIMEOUT_S)
{
	static const char runtime[] = "/proc/sys/kernel/sched_rt_runtime_us";
	struct worker caller = { 0 };
	int cpu = cpu_last_online();
	__u64 killed;
	int status;
	pid_t hog;

	ASSERT_LE(0, cpu);
	if (!cpu)
		SKIP(return, "there is one CPU, which this test needs itself");
	if (knob_write(runtime, "-1"))
		SKIP(return, "no %s", runtime);
	ASSERT_EQ(0, cpu_run_on(0));
	ASSERT_EQ(0, worker_start(&caller, &self->scope.sibling));
	hog = start_hog(cpu);
	ASSERT_LE(0, hog);
	clock_pause_ns(NS_PER_S / 2);
	caller.page->alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	caller.page->alloc.context = MEMSTRESS_CONTEXT_KWORKER;
	caller.page->alloc.flags |= MEMSTRESS_ALLOC_CPU;
	caller.page->alloc.cpu = cpu;
	worker_tell(&caller, WORKER_ALLOC);
	clock_pause_ns(NS_PER_S / 2);
	killed = clock_now_ns();
	EXPECT_EQ(0, kill(caller.pid, SIGKILL));
	EXPECT_EQ(0, worker_wait(&caller, &status));
	EXPECT_TRUE(law_at_most(NULL, "ms from the kill to the death", HOG_NS / 2 / NS_PER_MS,
				(clock_now_ns() - killed) / NS_PER_MS));
	EXPECT_EQ(0, kill(hog, SIGKILL));
	EXPECT_EQ(hog, waitpid(hog, NULL, 0));
	EXPECT_EQ(0, knob_write(runtime, "950000"));
	EXPECT_EQ(0, cpu_run_on(-1));
	worker_kill(&caller);
}

TEST_F_TIMEOUT(contexts, session_dies_meanwhile, TIMEOUT_S)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_KMALLOC, 8, 1000000000, MEMSTRESS_PAYER_CALLER);
	__u32 context;
	int fd;

	ASSERT_EQ(0, param_set_number(&self->param, "deadman_ms", DEADMAN_MS));
	alloc.flags = 0;
	alloc.policy = MEMSTRESS_POLICY_NOWAIT;
	alloc.deadline_ns = 20 * DEADMAN_MS * NS_PER_MS;
	for (context = 0; context < MEMSTRESS_CONTEXT_END; context++) {
		if (!(self->scope.info.contexts & (1ULL << context)))
			continue;
		fd = session_open();
		ASSERT_LE(0, fd);
		alloc.context = context;
		EXPECT_ERRNO(ESTALE, session_alloc(fd, &alloc));
		EXPECT_EQ(0, close(fd));
	}
	EXPECT_EQ(self->scope.total_bytes, session_total_bytes());
}

TEST_HARNESS_MAIN
