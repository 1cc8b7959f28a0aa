// SPDX-License-Identifier: GPL-2.0
/*
 * The law of churn: threads charge and uncharge, processes move between cgroups while they
 * do, limits change, and cgroups are made and removed with charges, all at once for some
 * seconds. After the quiet, all books balance. SEED= of the environment repeats the choices,
 * if not the moments.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "books.h"
#include "cpu.h"
#include "kernel.h"
#include "memstress_test.h"
#include "moves.h"
#include "scope.h"
#include "seed.h"

LAW("threads, migration, changes of limits and removals at once: after the quiet, books balance");

#define LIMIT_BYTES  (256 << 20)
#define CHILDREN     3
#define PROCESSES    3
#define THREADS      2
#define HOLDINGS_MAX 128
#define ROUNDS_MIN   50
#define RUN_S        3
#define SOAK_RUN_S   60
#define STOP_NS      (20 * NS_PER_S)
#define TIMEOUT_S    120

/* Of one ALLOC; all that is ever held at once is far below the limits: nobody is to be killed */
#define ALLOC_BYTES     (128ULL << 10)
#define CHILD_MAX_BYTES (48LL << 20)
#define ANON_BYTES      (512 << 10)

/* Index of the payer of a holding: a child, or one that has been removed */
#define REMOVED CHILDREN

struct holding {
	__u32 handle;
	unsigned int payer;
	struct charge charge;
};

/* What all processes share */
struct control {
	__u32 stop;
	pid_t pid[PROCESSES];
	__u64 rounds[PROCESSES];
	__u64 moved, limited;
};

FIXTURE(churn)
{
	struct scope scope;
	struct scope_snapshot before;
	struct cgroup child[CHILDREN], brief;
	struct snapshot child_before[CHILDREN];
	struct holding holding[HOLDINGS_MAX];
	unsigned int holdings, removed;
	struct control *control;
	pid_t mover, limiter;
	__u64 seed;
	int fd;
};

static const struct {
	__u32 kind;
	__u64 size;
	__u64 cost; /* at most, in bytes, of one */
} kinds[] = {
	{ MEMSTRESS_KIND_PAGE, 0, 4096 },    { MEMSTRESS_KIND_PAGE, 3, 32768 },
	{ MEMSTRESS_KIND_KMALLOC, 64, 256 }, { MEMSTRESS_KIND_KMALLOC, 12288, 16384 },
	{ MEMSTRESS_KIND_CACHE, 200, 512 },  { MEMSTRESS_KIND_VMALLOC, 9000, 12288 },
	{ MEMSTRESS_KIND_PERCPU, 40, 8192 },
};

static struct memstress_alloc draw_request(__u64 *state, int payer_fd)
{
	unsigned int which = seed_draw(state) % ARRAY_SIZE(kinds);

	return session_request(kinds[which].kind, kinds[which].size,
			       1 + seed_draw(state) % (ALLOC_BYTES / kinds[which].cost), payer_fd);
}

static bool stopped(const struct control *control)
{
	return __atomic_load_n(&control->stop, __ATOMIC_ACQUIRE);
}

struct thread {
	struct control *control;
	__u64 *rounds; /* of its process */
	__u64 state;
	int fd;
};

/* Each thread frees what any of its process has made */
static void *thread_main(void *argument)
{
	struct thread *thread = argument;
	struct memstress_free req = { .size = sizeof(req), .flags = MEMSTRESS_FREE_ALL };
	struct memstress_alloc alloc;
	__u64 round;
	int ret = 0;

	for (round = 0; !ret && !stopped(thread->control); round++) {
		alloc = draw_request(&thread->state, MEMSTRESS_PAYER_CALLER);
		ret = session_alloc(thread->fd, &alloc);
		req.order = seed_draw(&thread->state) % MEMSTRESS_FREE_ORDER_END;
		req.count = round % 4 ? 1 + seed_draw(&thread->state) % 100 : 0;
		if (!ret)
			ret = session_ioctl(thread->fd, MEMSTRESS_IOC_FREE, &req);
		__atomic_add_fetch(thread->rounds, 1, __ATOMIC_RELAXED);
	}
	if (ret)
		_exit(-ret);
	return NULL;
}

/* User memory beside it: mapped, touched, unmapped */
static int churn_user_memory(void)
{
	void *memory =
		mmap(NULL, ANON_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	memset(memory, 1, ANON_BYTES);
	return munmap(memory, ANON_BYTES) ? -errno : 0;
}

static void process_main(struct control *control, unsigned int index, __u64 state)
{
	struct thread thread[THREADS];
	pthread_t id[THREADS];
	int fd = session_open();
	unsigned int i;
	int ret = fd < 0 ? fd : 0;

	for (i = 0; i < THREADS && !ret; i++) {
		thread[i] = (struct thread){
			.control = control,
			.rounds = &control->rounds[index],
			.state = seed_draw(&state),
			.fd = fd,
		};
		ret = -pthread_create(&id[i], NULL, thread_main, &thread[i]);
	}
	while (!ret && !stopped(control))
		ret = churn_user_memory();
	if (ret)
		_exit(-ret);
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	_exit(0);
}

static void mover_main(struct _test_data_churn *self, __u64 state)
{
	struct control *control = self->control;
	int ret = 0;

	while (!ret && !stopped(control)) {
		ret = cgroup_write_number(&self->child[seed_draw(&state) % CHILDREN],
					  "cgroup.procs",
					  control->pid[seed_draw(&state) % PROCESSES]);
		control->moved++;
		clock_pause_ns(seed_draw(&state) % NS_PER_MS);
	}
	/* It may have ended already, as it was told to */
	_exit(ret == -ESRCH && stopped(control) ? 0 : -ret);
}

/* Limits that nobody meets; and SETTLE, which drains the stocks of all CPUs */
static void limiter_main(struct _test_data_churn *self, __u64 state)
{
	struct control *control = self->control;
	int ret = 0;

	while (!ret && !stopped(control)) {
		const struct cgroup *cg = &self->child[seed_draw(&state) % CHILDREN];
		struct memstress_settle settle = {
			.size = sizeof(settle),
			.cgroup_fd = cg->fd,
			.timeout_ns = NS_PER_MS,
		};

		ret = cgroup_write_number(cg, "memory.max",
					  CHILD_MAX_BYTES + (seed_draw(&state) % 1000 << 12));
		/* That it could not be exact is no wonder */
		if (!ret)
			ret = session_ioctl(self->scope.session, MEMSTRESS_IOC_SETTLE, &settle);
		control->limited++;
		clock_pause_ns(seed_draw(&state) % (2 * NS_PER_MS));
	}
	_exit(-ret);
}

static struct charge charge_of(struct memstress_alloc *alloc)
{
	struct charge charge = { 0 };
	struct memstress_books books;

	if (!books_derive(alloc, alloc->books.objects, &books))
		charge_add(&charge, alloc->kind, &books);
	return charge;
}

static int hold(struct _test_data_churn *self, __u64 *state, const struct cgroup *cg,
		unsigned int payer)
{
	struct holding *holding = &self->holding[self->holdings];
	struct memstress_alloc alloc = draw_request(state, cg->fd);
	int ret = session_alloc(self->fd, &alloc);

	if (ret || !alloc.handle)
		return ret;
	*holding = (struct holding){ alloc.handle, payer, charge_of(&alloc) };
	self->holdings++;
	return 0;
}

static int drop(struct _test_data_churn *self, __u64 *state)
{
	unsigned int which = seed_draw(state) % self->holdings;
	int ret = session_free(self->fd, self->holding[which].handle, 0);

	self->holding[which] = self->holding[--self->holdings];
	return ret;
}

/* Made, charged and removed; the charge outlives it */
static int make_and_remove(struct _test_data_churn *self, __u64 *state)
{
	int ret = cgroup_create(&self->brief, &self->scope.target, "brief"), err;

	if (ret)
		return ret;
	ret = hold(self, state, &self->brief, REMOVED);
	err = cgroup_remove(&self->brief);
	self->removed++;
	return ret ? ret : err;
}

/* On a busy host a process may take a while to begin */
static bool all_have_run(const struct control *control)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		if (__atomic_load_n(&control->rounds[i], __ATOMIC_RELAXED) < ROUNDS_MIN)
			return false;
	return true;
}

static int churn(struct _test_data_churn *self, __u64 state)
{
	__u64 end = clock_now_ns() + soak_times(RUN_S, SOAK_RUN_S) * NS_PER_S,
	      deadline = clock_deadline_ns(STOP_NS);
	int ret = 0;

	while (!ret && (clock_now_ns() < end ||
			(!all_have_run(self->control) && clock_now_ns() < deadline))) {
		unsigned int what = seed_draw(&state) % 4;
		unsigned int child = seed_draw(&state) % CHILDREN;

		if (self->holdings == HOLDINGS_MAX || (self->holdings && !what))
			ret = drop(self, &state);
		else if (what == 1)
			ret = make_and_remove(self, &state);
		else
			ret = hold(self, &state, &self->child[child], child);
	}
	return ret;
}

static int wait_for(pid_t pid)
{
	__u64 deadline = clock_deadline_ns(STOP_NS);
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid)
		if (!clock_poll(deadline))
			return -ETIMEDOUT;
	if (WIFSIGNALED(status))
		return -EINTR;
	return -WEXITSTATUS(status);
}

/* Of a test that has given up; 0 is one that has ended, or never began */
static int end_process(pid_t pid)
{
	int ret;

	if (pid <= 0)
		return 0;
	kill(pid, SIGKILL);
	ret = wait_for(pid);
	return ret == -EINTR ? 0 : ret;
}

FIXTURE_SETUP(churn)
{
	char name[32];
	unsigned int i, which;

	ASSERT_EQ(0, scope_create(&self->scope, "churn", LIMIT_BYTES));
	self->seed = seed_take();
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->control = mmap(NULL, sizeof(*self->control), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->control);
	memset(self->control, 0, sizeof(*self->control));
	for (i = 0; i < CHILDREN; i++) {
		snprintf(name, sizeof(name), "child-%u", i);
		ASSERT_EQ(0, cgroup_create(&self->child[i], &self->scope.target, name));
		ASSERT_EQ(0, cgroup_write_number(&self->child[i], "memory.max", CHILD_MAX_BYTES));
	}
	/* Makes the caches that are made on demand, which is not what is measured */
	for (which = 0; which < ARRAY_SIZE(kinds); which++) {
		struct memstress_alloc alloc =
			session_request(kinds[which].kind, kinds[which].size, 1, self->child[0].fd);

		ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	}
	ASSERT_EQ(0, session_free_all(self->fd));
	for (i = 0; i < CHILDREN; i++)
		ASSERT_EQ(0, session_settle(self->scope.session, self->child[i].fd));
	/* Flushes what settling has moved, of the children, too */
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
	for (i = 0; i < CHILDREN; i++)
		ASSERT_EQ(0, snapshot_take(&self->child_before[i], &self->child[i]));
}

FIXTURE_TEARDOWN(churn)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		EXPECT_EQ(0, end_process(self->control->pid[i]));
	EXPECT_EQ(0, end_process(self->mover));
	EXPECT_EQ(0, end_process(self->limiter));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, cgroup_remove(&self->brief));
	for (i = 0; i < CHILDREN; i++)
		EXPECT_EQ(0, cgroup_remove(&self->child[i]));
	EXPECT_EQ(0, munmap(self->control, sizeof(*self->control)));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static void start(struct __test_metadata *_metadata, struct _test_data_churn *self)
{
	struct control *control = self->control;
	__u64 state = self->seed;
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		__u64 own = seed_draw(&state);
		pid_t pid = cgroup_fork(&self->child[i % CHILDREN]);

		ASSERT_LE(0, pid);
		if (!pid)
			process_main(control, i, own);
		/* Not by the child, which shares this memory */
		control->pid[i] = pid;
	}
	self->mover = fork();
	ASSERT_LE(0, self->mover);
	if (!self->mover)
		mover_main(self, seed_draw(&state));
	self->limiter = fork();
	ASSERT_LE(0, self->limiter);
	if (!self->limiter)
		limiter_main(self, seed_draw(&state) + 1);
	EXPECT_EQ(0, churn(self, seed_draw(&state) + 2));
	__atomic_store_n(&control->stop, 1, __ATOMIC_RELEASE);
}

static void end(struct __test_metadata *_metadata, struct _test_data_churn *self)
{
	unsigned int i;

	EXPECT_EQ(0, wait_for(self->mover))
	TH_LOG("of who moves processes");
	self->mover = 0;
	EXPECT_EQ(0, wait_for(self->limiter))
	TH_LOG("of who changes limits");
	self->limiter = 0;
	for (i = 0; i < PROCESSES; i++) {
		EXPECT_EQ(0, wait_for(self->control->pid[i]))
		TH_LOG("of process %u", i);
		self->control->pid[i] = 0;
		fprintf(stderr, "# process %u: %llu rounds\n", i, self->control->rounds[i]);
		EXPECT_LE(ROUNDS_MIN, self->control->rounds[i]);
	}
	fprintf(stderr, "# moved %llu times, %llu changes of limits, %u cgroups removed, %u held\n",
		self->control->moved, self->control->limited, self->removed, self->holdings);
	for (i = 0; i < CHILDREN; i++)
		EXPECT_EQ(0, cgroup_write_number(&self->child[i], "memory.max", CHILD_MAX_BYTES));
}

/* What a child must have, or with REMOVED what the dead have left to the target */
static struct charge held_by(const struct _test_data_churn *self, unsigned int payer)
{
	struct charge sum = { 0 };
	unsigned int i;

	for (i = 0; i < self->holdings; i++)
		if (self->holding[i].payer == payer)
			charge_plus(&sum, &self->holding[i].charge);
	return sum;
}

/* Each of them was charged once, so these are as many cgroups */
static unsigned int held_by_dead(const struct _test_data_churn *self)
{
	unsigned int i, holdings = 0;

	for (i = 0; i < self->holdings; i++)
		holdings += self->holding[i].payer == REMOVED;
	return holdings;
}

/* The law, of children and of all that is above them. Number of wrong lines */
static int law(struct _test_data_churn *self, const char *when)
{
	struct charge of_removed = held_by(self, REMOVED);
	struct moves sum = { 0 };
	/* Newer kernels have an objcg for each node, and each is rounded up by itself */
	const long long rounding = (cpu_count_nodes() - 1) * books_page_size();
	long long remainders = CHILDREN * rounding;
	unsigned int i;
	int wrong = 0;

	for (i = 0; i < CHILDREN; i++) {
		struct charge of_child = held_by(self, i);
		struct moves moves = { 0 };

		moves_add_charge(&moves, &of_child);
		moves_add_range(&moves, "usage", -rounding, rounding);
		moves_add_range(&moves, "kernel", -rounding, rounding);
		moves_add_charge(&sum, &of_child);
		wrong += scope_moves_await(&self->scope, &self->child[i], &self->child_before[i],
					   &moves, MOVES_OF_ANCESTOR, when);
	}
	moves_add_charge(&sum, &of_removed);
	/*
	 * Each CPU may have left less than a page with the objcg of a dead cgroup, which
	 * nobody can settle any more (drain_obj_stock() of mm/memcontrol.c); newer kernels
	 * have an objcg for each node.
	 */
	if (of_removed.byte_bytes)
		remainders += (long long)held_by_dead(self) * cpu_count_nodes() *
			      self->scope.info.online_cpus * books_page_size();
	moves_add_range(&sum, "usage", -CHILDREN * rounding, remainders);
	moves_add_range(&sum, "kernel", -CHILDREN * rounding, remainders);
	wrong += scope_moves_await(&self->scope, &self->scope.target, &self->before.target, &sum,
				   MOVES_OF_ANCESTOR, when);
	return wrong + scope_moves_await(&self->scope, &self->scope.parent, &self->before.parent,
					 &sum, MOVES_OF_ANCESTOR, when);
}

static void is_quiet(struct __test_metadata *_metadata, struct _test_data_churn *self)
{
	/* Before 5.13 pages keep their cgroup, and with it what the cgroup is made of */
	if (!kernel_before(5, 13)) {
		EXPECT_TRUE(law_equal(self->scope.top.path, "dying cgroups", 0,
				      scope_no_dying_await(&self->scope)));
		EXPECT_EQ(0, law(self, "after the quiet"));
	}
	EXPECT_EQ(0, session_free_all(self->fd));
	self->holdings = 0;
	EXPECT_TRUE(law_equal(self->scope.top.path, "dying cgroups", 0,
			      scope_no_dying_await(&self->scope)));
	EXPECT_EQ(0, law(self, "when all is freed"));
	EXPECT_EQ(0, cgroup_read_key(&self->child[0], "memory.events", "oom_kill"));
}

TEST_F_TIMEOUT(churn, all_at_once, TIMEOUT_S)
{
	start(_metadata, self);
	end(_metadata, self);
	is_quiet(_metadata, self);
}

TEST_F_TIMEOUT(churn, red_twin, TIMEOUT_S)
{
	struct memstress_alloc twin =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->child[CHILDREN - 1].fd);
	const struct moves nothing = { 0 };
	struct violation violation;
	struct snapshot now;
	int other = session_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, session_alloc(other, &twin));
	ASSERT_EQ(0, session_settle(self->scope.session, self->child[CHILDREN - 1].fd));
	ASSERT_EQ(0, scope_settle(&self->scope));
	ASSERT_EQ(0, scope_flush(&self->scope));
	ASSERT_EQ(0, snapshot_take(&now, &self->child[CHILDREN - 1]));
	EXPECT_LT(0, moves_check(&self->child_before[CHILDREN - 1], &now, &nothing, MOVES_OF_PAYER,
				 &violation));
	EXPECT_EQ(books_page_size(), violation.seen);
	ASSERT_EQ(0, snapshot_take(&now, &self->scope.target));
	EXPECT_LT(0,
		  moves_check(&self->before.target, &now, &nothing, MOVES_OF_ANCESTOR, &violation));
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(0, law(self, "green again"));
}

TEST_HARNESS_MAIN
