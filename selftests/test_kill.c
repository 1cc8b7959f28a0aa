// SPDX-License-Identifier: GPL-2.0
/*
 * A worker is killed at a random moment while it allocates and frees, again and again.
 * Each time its cgroup is empty afterwards, to the byte, and the kernel has nothing to
 * say about it.
 */
#include <signal.h>
#include <time.h>

#include "clock.h"
#include "kmsg.h"
#include "memstress_test.h"
#include "scope.h"
#include "seed.h"

#define KILLS       200
#define SOAK_KILLS  2000
#define LIMIT_BYTES (16 << 20)
#define LATEST_NS   (30 * NS_PER_MS)
#define TIMEOUT_S   200

/* What a worker holds stays far below the limit: it is to be killed by us alone */
#define HOLDING_BYTES (1024 * 1024)
#define HOLDINGS      4

/* Where the worker is, for the record; it lies in a page that outlives it */
struct position {
	__u32 call; /* 0 none, else an index of calls[] */
	__u32 kind;
	__u64 rounds;
};

static const char *const calls[] = { "between calls", "in ALLOC", "in FREE" };

FIXTURE(kill)
{
	struct scope scope;
	struct scope_snapshot empty;
	struct kmsg kmsg;
	struct position *position;
	__u64 seed;
};

FIXTURE_SETUP(kill)
{
	ASSERT_EQ(0, scope_create(&self->scope, "kill", LIMIT_BYTES));
	self->position = mmap(NULL, sizeof(*self->position), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->position);
	memset(self->position, 0, sizeof(*self->position));
	self->seed = seed_take();
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
	ASSERT_EQ(0, kmsg_mark(&self->kmsg));
}

FIXTURE_TEARDOWN(kill)
{
	EXPECT_EQ(0, kmsg_count_warnings(&self->kmsg));
	kmsg_close(&self->kmsg);
	EXPECT_EQ(0, munmap(self->position, sizeof(*self->position)));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int alloc_some(int fd, __u64 *state, __u32 kind, struct position *position)
{
	static const __u64 sizes[MEMSTRESS_KIND_END][3] = {
		[MEMSTRESS_KIND_PAGE] = { 0, 1, 4 },
		[MEMSTRESS_KIND_KMALLOC] = { 16, 500, 20000 },
		[MEMSTRESS_KIND_CACHE] = { 64, 200, 1000 },
		[MEMSTRESS_KIND_VMALLOC] = { 4096, 10000, 300000 },
		[MEMSTRESS_KIND_PERCPU] = { 8, 64, 1000 },
		[MEMSTRESS_KIND_EXACT] = { 4096, 10000, 300000 },
		[MEMSTRESS_KIND_KVMALLOC] = { 500, 20000, 300000 },
	};
	__u64 size = sizes[kind][seed_draw(state) % 3];
	/* A pointer beside each object, and percpu for two CPUs: at most four times the size */
	__u64 bytes = kind == MEMSTRESS_KIND_PAGE ? 4096ULL << size : 4 * size;
	struct memstress_alloc alloc =
		session_request(kind, size, HOLDING_BYTES / bytes, MEMSTRESS_PAYER_CALLER);

	/* Percpu areas are slow to make, and would have most of the time */
	if (kind == MEMSTRESS_KIND_PERCPU)
		alloc.count /= 16;
	alloc.count = alloc.count ? 1 + seed_draw(state) % alloc.count : 1;
	position->kind = kind;
	__atomic_store_n(&position->call, 1, __ATOMIC_SEQ_CST);
	return session_alloc(fd, &alloc);
}

static int free_some(int fd, __u64 *state, struct position *position, bool all)
{
	struct memstress_free req = {
		.size = sizeof(req),
		.flags = MEMSTRESS_FREE_ALL,
		.order = seed_draw(state) % MEMSTRESS_FREE_ORDER_END,
		.count = all ? 0 : 1 + seed_draw(state) % 1000,
	};

	__atomic_store_n(&position->call, 2, __ATOMIC_SEQ_CST);
	return session_ioctl(fd, MEMSTRESS_IOC_FREE, &req);
}

/* Allocates and frees until it is killed; exits only if something went wrong */
static void churn(struct position *position, __u64 state)
{
	__u32 round = seed_draw(&state) % MEMSTRESS_KIND_END;
	int fd = session_open();
	int ret = fd < 0 ? fd : 0;
	__u32 kind;

	for (; !ret; round++) {
		kind = MEMSTRESS_KIND_PAGE + round % (MEMSTRESS_KIND_END - 1);
		ret = alloc_some(fd, &state, kind, position);
		if (!ret)
			ret = free_some(fd, &state, position, round % HOLDINGS == HOLDINGS - 1);
		__atomic_store_n(&position->call, 0, __ATOMIC_SEQ_CST);
		position->rounds++;
	}
	_exit(-ret);
}

TEST_F_TIMEOUT(kill, at_any_moment, TIMEOUT_S)
{
	unsigned int killed[ARRAY_SIZE(calls)][MEMSTRESS_KIND_END] = {};
	__u64 state = self->seed, worker_state, waited_ns, slowest_ns = 0;
	const struct charge nothing = { 0 };
	struct violation violation;
	unsigned int kills = soak_times(KILLS, SOAK_KILLS), i, kind, call;
	int ret, status;
	pid_t pid;

	for (i = 0; i < kills; i++) {
		/* Drawn before the fork, so that both go on with the same state */
		worker_state = seed_draw(&state);
		pid = cgroup_fork(&self->scope.target);
		ASSERT_LE(0, pid);
		if (!pid)
			churn(self->position, worker_state);
		clock_pause_ns(seed_draw(&state) % LATEST_NS);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status))
		TH_LOG("kill %u: exit status %d, errno of its last call", i, status >> 8);
		call = self->position->call;
		killed[call][self->position->kind]++;
		self->position->call = 0;

		ret = scope_law_await(&self->scope, &self->empty, &nothing, BALANCE_HELD,
				      &violation, &waited_ns);
		ASSERT_EQ(0, ret)
		{
			fprintf(stderr, "# kill %u, %s\n", i, calls[call]);
			balance_report("killed", ret, &violation);
		}
		if (waited_ns > slowest_ns)
			slowest_ns = waited_ns;
	}

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		for (kind = 0; kind < MEMSTRESS_KIND_END; kind++)
			if (killed[i][kind])
				fprintf(stderr, "# killed %3u times %s, kind %s\n", killed[i][kind],
					calls[i], session_kind_name(kind));
	fprintf(stderr, "# %u kills in %llu rounds, all back after %llu ms at the latest\n", kills,
		self->position->rounds, slowest_ns / NS_PER_MS);
	EXPECT_EQ(0, cgroup_read_key(&self->scope.target, "memory.events", "oom"));
}

TEST_HARNESS_MAIN
