// SPDX-License-Identifier: GPL-2.0
/*
 * The law of isolation: whatever is done to a cgroup, nothing changes for those beside it.
 * Sentinels (cgroups with known bytes, and tasks) are looked at before and after: every
 * line, event and stall of theirs is what it was, and they live.
 */
#include <signal.h>
#include <sys/wait.h>

#include "books.h"
#include "knob.h"
#include "memstress_test.h"
#include "scope.h"
#include "worker.h"

LAW("what happens to a cgroup changes no counter, event or life outside of it");

#define LIMIT_BYTES (128 << 20)
#define MAX_BYTES   (16LL << 20)
#define HELD_BYTES  (8LL << 20)
#define KILLS       3
#define ROUNDS      20
#define TIMEOUT_S   120

/* What a cgroup is asked besides memory.stat; what it has not, it has neither time */
static const char *const files[] = {
	"memory.events",      "memory.events.local", "memory.peak",  "memory.max",
	"memory.high",        "memory.low",          "memory.min",   "memory.swap.current",
	"memory.swap.events", "memory.oom.group",    "cgroup.procs", "cgroup.events",
	"memory.failcnt",     "pids.current",
};

struct sentinel {
	struct cgroup cg;
	struct snapshot before;
	char text[ARRAY_SIZE(files)][256];
	long long stalled_us; /* memory.pressure: some and full together */
};

FIXTURE(isolation)
{
	struct scope scope;
	struct sentinel with_task, with_kernel_memory;
	struct worker sentinel; /* in the first one */
	struct worker worker;   /* in the target */
	pid_t likely_victim;    /* outside of all, and the OOM killer's first choice */
	int fd, sentinels_fd;
};

/* The microseconds that tasks of a cgroup have stalled; 0 if nobody counts them */
static long long stalled_us(const struct cgroup *cg)
{
	long long sum = 0, total;
	char buf[512], *at = buf;

	if (cgroup_read(cg, "memory.pressure", buf, sizeof(buf)) < 0)
		return 0;
	while ((at = strstr(at, "total="))) {
		if (sscanf(at, "total=%lld", &total) == 1)
			sum += total;
		at++;
	}
	return sum;
}

static void read_text(const struct cgroup *cg, unsigned int which, char *text, size_t size)
{
	if (cgroup_read(cg, files[which], text, size) < 0)
		strcpy(text, "not there");
}

static int sentinel_watch(struct sentinel *sentinel)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		read_text(&sentinel->cg, i, sentinel->text[i], sizeof(sentinel->text[i]));
	sentinel->stalled_us = stalled_us(&sentinel->cg);
	return snapshot_take(&sentinel->before, &sentinel->cg);
}

/*
 * Number of things that are not as they were, reported unless @when is NULL. Not even
 * usage may fall by what stocks hold: watch() has left nothing in them.
 */
static int sentinel_changes(const struct sentinel *sentinel, const char *when)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	char text[256];
	struct snapshot now;
	unsigned int i;
	int changes;

	if (snapshot_take(&now, &sentinel->cg))
		return -1;
	changes = balance(&sentinel->before, &now, &nothing, BALANCE_ALL, &violation);
	violation.cgroup = sentinel->cg.path;
	if (when)
		balance_report(when, changes, &violation);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		read_text(&sentinel->cg, i, text, sizeof(text));
		if (!strcmp(text, sentinel->text[i]))
			continue;
		changes++;
		if (when)
			fprintf(stderr, "# %s: %s/%s was\n%s# and is\n%s", when, sentinel->cg.path,
				files[i], sentinel->text[i], text);
	}
	if (stalled_us(&sentinel->cg) == sentinel->stalled_us)
		return changes;
	if (when)
		law_report(sentinel->cg.path, "microseconds of memory.pressure",
			   sentinel->stalled_us, stalled_us(&sentinel->cg));
	return changes + 1;
}

/* Who dies of an OOM that is not its own: the largest, and first in line */
static pid_t start_likely_victim(void)
{
	pid_t pid = fork();
	char *memory;

	if (pid)
		return pid;
	memory = mmap(NULL, 2 * LIMIT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (knob_write_oom_score_adj(0, 1000) || memory == MAP_FAILED)
		_exit(1);
	memset(memory, 1, 2 * MAX_BYTES);
	for (;;)
		pause();
}

static int fill_sentinels(struct _test_data_isolation *self)
{
	static const struct {
		__u32 kind;
		__u64 size, count;
	} held[] = {
		{ MEMSTRESS_KIND_PAGE, 0, 1000 },   { MEMSTRESS_KIND_KMALLOC, 96, 3000 },
		{ MEMSTRESS_KIND_CACHE, 200, 500 }, { MEMSTRESS_KIND_VMALLOC, 10000, 50 },
		{ MEMSTRESS_KIND_PERCPU, 64, 100 },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(held) && !ret; i++) {
		struct memstress_alloc alloc = session_request(held[i].kind, held[i].size,
							       held[i].count,
							       self->with_kernel_memory.cg.fd);

		ret = session_alloc(self->sentinels_fd, &alloc);
		if (!ret && alloc.stop != MEMSTRESS_STOP_DONE)
			ret = -ENOMEM;
	}
	self->sentinel.page->bytes = HELD_BYTES;
	return ret ? ret : worker_ask(&self->sentinel, WORKER_TOUCH);
}

static int watch(struct _test_data_isolation *self)
{
	int ret;

	scope_visit_cpus();
	ret = session_settle(self->scope.session, self->with_task.cg.fd);
	if (!ret)
		ret = session_settle(self->scope.session, self->with_kernel_memory.cg.fd);
	if (!ret)
		ret = scope_flush(&self->scope);
	if (!ret)
		ret = sentinel_watch(&self->with_task);
	return ret ? ret : sentinel_watch(&self->with_kernel_memory);
}

FIXTURE_SETUP(isolation)
{
	ASSERT_EQ(0, scope_create(&self->scope, "isolation", LIMIT_BYTES));
	ASSERT_EQ(0, cgroup_create(&self->with_task.cg, &self->scope.top, "with-task"));
	ASSERT_EQ(0, cgroup_create(&self->with_kernel_memory.cg, &self->scope.top,
				   "with-kernel-memory"));
	ASSERT_EQ(0, cgroup_write_number(&self->with_task.cg, "memory.max", 4 * MAX_BYTES));
	ASSERT_EQ(0, cgroup_write_number(&self->with_kernel_memory.cg, "memory.max", MAX_BYTES));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	self->sentinels_fd = session_open();
	ASSERT_LE(0, self->sentinels_fd);
	ASSERT_EQ(0, worker_start(&self->sentinel, &self->with_task.cg));
	ASSERT_EQ(0, fill_sentinels(self));
	self->likely_victim = start_likely_victim();
	ASSERT_LT(0, self->likely_victim);
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", MAX_BYTES));
	ASSERT_EQ(0, watch(self));
}

FIXTURE_TEARDOWN(isolation)
{
	int status;

	worker_kill(&self->worker);
	worker_kill(&self->sentinel);
	EXPECT_EQ(0, kill(self->likely_victim, SIGKILL));
	EXPECT_EQ(self->likely_victim, waitpid(self->likely_victim, &status, 0));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, close(self->sentinels_fd));
	EXPECT_EQ(0, cgroup_remove(&self->with_task.cg));
	EXPECT_EQ(0, cgroup_remove(&self->with_kernel_memory.cg));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* The law. The sentinel is asked last: its answer costs it something */
static void nothing_has_changed(struct __test_metadata *_metadata,
				struct _test_data_isolation *self, const char *when)
{
	EXPECT_EQ(0, scope_flush(&self->scope));
	EXPECT_EQ(0, sentinel_changes(&self->with_task, when));
	EXPECT_EQ(0, sentinel_changes(&self->with_kernel_memory, when));
	EXPECT_EQ(0, waitpid(self->likely_victim, NULL, WNOHANG));
	EXPECT_EQ(0, worker_ask(&self->sentinel, WORKER_READY));
}

static int oom(struct _test_data_isolation *self, enum worker_command command)
{
	int status, ret = worker_start(&self->worker, &self->scope.target);

	if (ret)
		return ret;
	self->worker.page->alloc = session_request(MEMSTRESS_KIND_PAGE, 0,
						   2 * MAX_BYTES / books_page_size(),
						   MEMSTRESS_PAYER_CALLER);
	self->worker.page->bytes = 2 * MAX_BYTES;
	worker_tell(&self->worker, command);
	ret = worker_wait(&self->worker, &status);
	if (!ret && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
		ret = -ECHILD;
	worker_kill(&self->worker);
	return ret;
}

TEST_F_TIMEOUT(isolation, of_ooms_by_kernel_memory, TIMEOUT_S)
{
	unsigned int i;

	for (i = 0; i < KILLS; i++)
		ASSERT_EQ(0, oom(self, WORKER_ALLOC));
	EXPECT_EQ(KILLS, cgroup_read_key(&self->scope.target, "memory.events", "oom_kill"));
	nothing_has_changed(_metadata, self, "after OOMs by kernel memory");
}

TEST_F_TIMEOUT(isolation, of_ooms_by_user_memory, TIMEOUT_S)
{
	unsigned int i;

	for (i = 0; i < KILLS; i++)
		ASSERT_EQ(0, oom(self, WORKER_TOUCH));
	EXPECT_EQ(KILLS, cgroup_read_key(&self->scope.target, "memory.events", "oom_kill"));
	nothing_has_changed(_metadata, self, "after OOMs by user memory");
}

/* Its parent's limit is what it meets: the family has to pay, and nobody else */
TEST_F_TIMEOUT(isolation, of_an_oom_of_the_parent, TIMEOUT_S)
{
	ASSERT_EQ(0, cgroup_write(&self->scope.target, "memory.max", "max"));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.parent, "memory.max", MAX_BYTES));
	ASSERT_EQ(0, oom(self, WORKER_ALLOC));
	ASSERT_EQ(0, oom(self, WORKER_TOUCH));
	nothing_has_changed(_metadata, self, "after OOMs of the parent");
}

TEST_F_TIMEOUT(isolation, of_refusals, TIMEOUT_S)
{
	struct memstress_alloc alloc = session_request(MEMSTRESS_KIND_PAGE, 0,
						       2 * MAX_BYTES / books_page_size(),
						       self->scope.target.fd);

	alloc.policy = MEMSTRESS_POLICY_NORETRY;
	alloc.max_failures = 99;
	ASSERT_EQ(0, session_alloc(self->fd, &alloc));
	EXPECT_EQ(100, alloc.failures);
	EXPECT_EQ(0, session_free_all(self->fd));
	nothing_has_changed(_metadata, self, "after refusals");
}

TEST_F_TIMEOUT(isolation, of_limits, TIMEOUT_S)
{
	unsigned int i;

	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", 4 * MAX_BYTES));
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	self->worker.page->bytes = HELD_BYTES;
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_TOUCH));
	for (i = 0; i < ROUNDS; i++) {
		/* v1 refuses what it cannot make room for */
		cgroup_write_number(&self->scope.target, "memory.high", HELD_BYTES - (i << 14));
		ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max",
						 2 * MAX_BYTES + (i << 12)));
		cgroup_write(&self->scope.target, "memory.high", "max");
	}
	/* Below what it holds, which nobody can reclaim: it is killed, or on v1 refused */
	cgroup_write_number(&self->scope.target, "memory.max", HELD_BYTES / 2);
	worker_kill(&self->worker);
	nothing_has_changed(_metadata, self, "after changes of limits");
}

TEST_F_TIMEOUT(isolation, of_removals, TIMEOUT_S)
{
	struct memstress_alloc alloc;
	struct cgroup cg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, cgroup_create(&cg, &self->scope.target, "child"));
		alloc = session_request(i % 2 ? MEMSTRESS_KIND_PAGE : MEMSTRESS_KIND_KMALLOC,
					i % 2 ? 0 : 64, 50, cg.fd);
		ASSERT_EQ(0, session_alloc(self->fd, &alloc));
		ASSERT_EQ(0, cgroup_remove(&cg));
	}
	EXPECT_EQ(0, session_free_all(self->fd));
	nothing_has_changed(_metadata, self, "after removals");
}

/* A page that is charged, and one that is refused, of which only an event tells */
TEST_F_TIMEOUT(isolation, red_twin, TIMEOUT_S)
{
	const struct cgroup *cg = &self->with_kernel_memory.cg;
	struct memstress_alloc page = session_request(MEMSTRESS_KIND_PAGE, 0, 1, cg->fd);
	struct memstress_alloc refused =
		session_request(MEMSTRESS_KIND_PAGE, 0, 2 * MAX_BYTES / books_page_size(), cg->fd);

	ASSERT_EQ(0, session_alloc(self->fd, &page));
	EXPECT_LT(0, sentinel_changes(&self->with_kernel_memory, NULL));
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, watch(self));
	EXPECT_EQ(0, sentinel_changes(&self->with_kernel_memory, "green again"));

	refused.policy = MEMSTRESS_POLICY_NORETRY;
	ASSERT_EQ(0, session_alloc(self->fd, &refused));
	EXPECT_LT(0, refused.failures);
	ASSERT_EQ(0, session_free_all(self->fd));
	ASSERT_EQ(0, session_settle(self->scope.session, cg->fd));
	EXPECT_LT(0, sentinel_changes(&self->with_kernel_memory, NULL));
	ASSERT_EQ(0, watch(self));
	nothing_has_changed(_metadata, self, "green again");
}

TEST_HARNESS_MAIN
