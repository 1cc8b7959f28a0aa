// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the victim: when a cgroup has no more to give, the OOM killer takes the
 * task it should and nobody else, all channels tell the same story of it, and what
 * the victim held comes back.
 */
#include <signal.h>

#include "books.h"
#include "cpu.h"
#include "kernel.h"
#include "kmsg.h"
#include "memstress_test.h"
#include "one_go.h"
#include "scope.h"
#include "twin.h"
#include "worker.h"

LAW("who asks for more than there is dies of it, nobody else, and all channels tell the same");

#define MAX_BYTES    (64LL << 20)
#define PAST_MAX     (2 * MAX_BYTES)
#define TIMEOUT_S    120
#define BYSTANDER    (24ULL << 20) /* bytes, much more than the RSS of a worker */
#define COSTLY_ORDER 4             /* PAGE_ALLOC_COSTLY_ORDER of include/linux/mmzone.h is 3 */

FIXTURE(victim)
{
	struct scope scope;
	struct scope_snapshot empty;
	struct worker worker, bystander;
	struct one_go one_go;
	struct kmsg kmsg;
	pid_t sentinel;
	struct snapshot own; /* the target before the worker allocates */
};

/* What all channels say of one kill */
struct story {
	pid_t victim;
	int status;
	bool sentinel_lives;
	long long oom, oom_kill;             /* of the target's memory.events */
	long long local_oom, local_oom_kill; /* and memory.events.local */
	long long parent_oom_kill, parent_local_oom_kill, sibling_oom_kill;
	long long peak, charge_bytes; /* the largest charge that can fail at once */
	bool log_summary, log_kill;   /* the two records of it in the kernel log */
};

static pid_t start_sentinel(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static bool is_alive(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

FIXTURE_SETUP(victim)
{
	ASSERT_EQ(0, scope_create(&self->scope, "victim", 4 * MAX_BYTES));
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.max", MAX_BYTES));
	/* Without swap no bystander's memory can be pushed out instead; the file may be missing */
	cgroup_write_number(&self->scope.target, "memory.swap.max", 0);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->empty));
	ASSERT_EQ(0, kmsg_await_oom_reports());
	ASSERT_EQ(0, kmsg_mark(&self->kmsg));
	self->sentinel = start_sentinel();
	ASSERT_LT(0, self->sentinel);
	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
}

FIXTURE_TEARDOWN(victim)
{
	worker_kill(&self->worker);
	worker_kill(&self->bystander);
	EXPECT_EQ(0, one_go_end(&self->one_go));
	kill(self->sentinel, SIGKILL);
	EXPECT_EQ(self->sentinel, waitpid(self->sentinel, NULL, 0));
	EXPECT_EQ(0, kmsg_count_splats(&self->kmsg));
	kmsg_close(&self->kmsg);
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static long long event(const struct cgroup *cg, const char *file, const char *key)
{
	return cgroup_read_key(cg, file, key);
}

/* Looks for the records dump_oom_summary() and __oom_kill_process() of mm/oom_kill.c write */
static void read_log(struct _test_data_victim *self, struct story *story)
{
	const char *path = strstr(self->scope.target.path, "/memstress-victim");
	char oom_memcg[300], task_memcg[300], pid[32], killed[64];
	const char *const summary[] = { "oom-kill:constraint=CONSTRAINT_MEMCG", oom_memcg,
					task_memcg, pid, NULL };
	const char *const kill[] = { "Memory cgroup out of memory: Killed process ", killed, NULL };
	struct kmsg_record record;

	snprintf(oom_memcg, sizeof(oom_memcg), ",oom_memcg=%s,", path);
	snprintf(task_memcg, sizeof(task_memcg), ",task_memcg=%s,", path);
	snprintf(pid, sizeof(pid), ",pid=%d,", story->victim);
	snprintf(killed, sizeof(killed), "Killed process %d (", story->victim);
	story->log_summary = kmsg_find(&self->kmsg, &record, summary) == 1;
	story->log_kill = kmsg_find(&self->kmsg, &record, kill) == 1;
}

/*
 * memory.peak came to cgroup v2 with 5.19; before, nothing but the law tells how high it was
 */
static long long read_peak(const struct cgroup *cg)
{
	if (kernel_before(5, 19) && !cgroup_is_v1())
		return MAX_BYTES;
	return cgroup_read_number(cg, "memory.peak");
}

/*
 * What is charged at once for an object: a block of pages, or as many pages as its bytes
 * take (obj_cgroup_charge() of mm/memcontrol.c). vmalloc() takes page by page.
 */
static long long largest_charge(const struct memstress_alloc *alloc)
{
	long long page = books_page_size();
	struct memstress_books one;

	if (alloc->kind == MEMSTRESS_KIND_PAGE)
		return page << alloc->order;
	if (books_derive_one(alloc, &one) || !one.byte_charged_bytes)
		return page;
	return (one.byte_charged_bytes + page - 1) / page * page;
}

static void collect(struct _test_data_victim *self, struct worker *victim, struct story *story)
{
	const struct memstress_alloc *alloc = &self->worker.page->alloc;
	const struct cgroup *target = &self->scope.target, *parent = &self->scope.parent;

	memset(story, 0, sizeof(*story));
	story->victim = victim->pid;
	if (worker_wait(victim, &story->status))
		story->status = -1;
	story->sentinel_lives = is_alive(self->sentinel);
	story->oom = event(target, "memory.events", "oom");
	story->oom_kill = event(target, "memory.events", "oom_kill");
	story->local_oom = event(target, "memory.events.local", "oom");
	story->local_oom_kill = event(target, "memory.events.local", "oom_kill");
	story->parent_oom_kill = event(parent, "memory.events", "oom_kill");
	story->parent_local_oom_kill = event(parent, "memory.events.local", "oom_kill");
	story->sibling_oom_kill = event(&self->scope.sibling, "memory.events", "oom_kill");
	story->peak = read_peak(target);
	story->charge_bytes = largest_charge(alloc);
	read_log(self, story);
}

/* One fact of the story: 1 if it is wrong */
static int wrong(const char *fact, bool right, long long expected, long long seen)
{
	if (right)
		return 0;
	fprintf(stderr, "# %s: expected %lld, seen %lld, difference %lld\n", fact, expected, seen,
		seen - expected);
	return 1;
}

static int wrong_unless_equal(const char *fact, long long expected, long long seen)
{
	return wrong(fact, expected == seen, expected, seen);
}

/*
 * Number of facts that contradict the law for one kill. memory.events counts at the
 * limiting memcg and above, .local only where it happened (memcg_memory_event() of
 * include/linux/memcontrol.h). The killer runs once for each charge that fails, so
 * that oom can be more than oom_kill.
 */
static int contradictions(const struct story *story)
{
	int n = 0;

	n += wrong("wait status", WIFSIGNALED(story->status), SIGKILL, story->status);
	n += wrong_unless_equal("signal", SIGKILL, WTERMSIG(story->status));
	n += wrong_unless_equal("sentinel lives", true, story->sentinel_lives);
	n += wrong("events oom at least", story->oom >= 1, 1, story->oom);
	n += wrong_unless_equal("events oom_kill", 1, story->oom_kill);
	n += wrong_unless_equal("events.local oom", story->oom, story->local_oom);
	n += wrong_unless_equal("events.local oom_kill", 1, story->local_oom_kill);
	/* On cgroup v1 all events are local (memcg_memory_event()) */
	n += wrong_unless_equal("parent's events oom_kill", !cgroup_is_v1(),
				story->parent_oom_kill);
	n += wrong_unless_equal("parent's events.local oom_kill", 0, story->parent_local_oom_kill);
	n += wrong_unless_equal("sibling's events oom_kill", 0, story->sibling_oom_kill);
	/*
	 * The killer is called when this charge does not fit any more, not even without
	 * the batch (try_charge_memcg() retries so), and no charge is forced.
	 */
	n += wrong("memory.peak at most", story->peak <= MAX_BYTES, MAX_BYTES, story->peak);
	n += wrong("memory.peak more than", story->peak > MAX_BYTES - story->charge_bytes,
		   MAX_BYTES - story->charge_bytes, story->peak);
	n += wrong_unless_equal("log has the summary", true, story->log_summary);
	n += wrong_unless_equal("log has the kill", true, story->log_kill);
	return n;
}

/* The law on what stays behind: nothing. Number of lines wrong */
static int left_behind(struct _test_data_victim *self)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	__u64 waited_ns;
	int ret;

	ret = scope_law_await(&self->scope, &self->empty, &nothing, BALANCE_HELD, &violation,
			      &waited_ns);
	balance_report("left behind", ret, &violation);
	fprintf(stderr, "# nothing left after %llu ms\n", waited_ns / 1000000);
	return ret;
}

/* The whole law, looked at once: for its red twins, which waiting does not help */
static int law(struct _test_data_victim *self, const struct story *story)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	int ret = scope_law(&self->scope, &self->empty, &nothing, BALANCE_HELD, &violation);

	return ret < 0 ? ret : ret + contradictions(story);
}

/* Sends the worker to allocate more than there is */
static int allocate_past_max(struct _test_data_victim *self, __u32 kind, __u64 size)
{
	struct memstress_alloc *alloc = &self->worker.page->alloc;
	__u64 object = kind == MEMSTRESS_KIND_PAGE ? (__u64)books_page_size() << size : size;

	struct scope_snapshot own;
	int ret = scope_baseline(&self->scope, &own);

	if (ret)
		return ret;
	self->own = own.target;
	*alloc = session_request(kind, size, PAST_MAX / object, MEMSTRESS_PAYER_CALLER);
	worker_tell(&self->worker, WORKER_ALLOC);
	return 0;
}

FIXTURE(victim_kinds)
{
	struct _test_data_victim victim;
};

FIXTURE_VARIANT(victim_kinds)
{
	__u32 kind;
	__u64 size;
};

#define VARIANT(_name, _kind, _size)                           \
	FIXTURE_VARIANT_ADD(victim_kinds, _name)               \
	{                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, \
	}

VARIANT(page, PAGE, 0);
VARIANT(page_3, PAGE, 3);
VARIANT(kmalloc, KMALLOC, 1024);
VARIANT(cache, CACHE, 1024);
VARIANT(vmalloc, VMALLOC, 65536);
VARIANT(percpu, PERCPU, 1024);

FIXTURE_SETUP(victim_kinds)
{
	victim_setup(_metadata, &self->victim, NULL);
}

FIXTURE_TEARDOWN(victim_kinds)
{
	victim_teardown(_metadata, &self->victim, NULL);
}

TEST_F_TIMEOUT(victim_kinds, the_worker_dies, TIMEOUT_S)
{
	struct _test_data_victim *victim = &self->victim;
	const struct memstress_alloc *alloc = &victim->worker.page->alloc;
	struct memstress_books one, expected;
	struct charge charge = { 0 };
	long long stocks, unknown, bound;
	struct story story;

	ASSERT_EQ(0, allocate_past_max(victim, variant->kind, variant->size));
	collect(victim, &victim->worker, &story);
	EXPECT_EQ(0, contradictions(&story));

	/* The answer outlived the one who asked */
	EXPECT_EQ(MEMSTRESS_STOP_KILLED, alloc->stop)
	TH_LOG("stop %s", session_stop_name(alloc->stop));
	EXPECT_EQ(victim->scope.target.id, alloc->payer_id);
	ASSERT_EQ(0, books_derive_one(alloc, &one));
	ASSERT_EQ(0, books_derive(alloc, alloc->books.objects, &expected));
	EXPECT_TRUE(books_equal("held when killed", &expected, &alloc->books));

	/*
	 * When the killer was called not one more object fitted. What was neither held
	 * nor the worker's own was in the stocks: those of other CPUs are drained in
	 * deferred work (drain_all_stock()). A page more for the row in the ledger, and
	 * an object that was half made.
	 */
	charge.byte_base = charge_byte_base(&victim->own);
	charge_add(&charge, variant->kind, &expected);
	stocks = MAX_BYTES - snapshot_value(&victim->own, "usage") - charge_usage(&charge);
	bound = balance_stock_bound(&victim->scope.info, one.byte_charged_bytes) +
		books_page_size() + one.page_charged_bytes + one.byte_charged_bytes;
	/* Whether the worker's own objects fill their last page is not known */
	unknown = one.byte_charged_bytes && !snapshot_tells_bytes() ? books_page_size() : 0;
	EXPECT_LE(-unknown, stocks);
	EXPECT_GE(bound, stocks);
	fprintf(stderr, "# %s: ledger %llu of %lld, own %lld, the rest %lld (bound %lld)\n",
		session_kind_name(variant->kind),
		alloc->books.page_charged_bytes + alloc->books.byte_charged_bytes, MAX_BYTES,
		snapshot_value(&victim->own, "usage"), stocks, bound);
	EXPECT_EQ(0, left_behind(victim));
}

TEST_F_TIMEOUT(victim, red_twin, TIMEOUT_S)
{
	struct story story;
	int twin;

	ASSERT_EQ(0, allocate_past_max(self, MEMSTRESS_KIND_PAGE, 0));
	collect(self, &self->worker, &story);
	EXPECT_EQ(0, left_behind(self));
	EXPECT_EQ(0, law(self, &story));

	fprintf(stderr, "# what follows is the law going red, as it must\n");
	twin = twin_open_page(&self->scope);
	ASSERT_LE(0, twin);
	EXPECT_LT(0, law(self, &story));
	EXPECT_EQ(0, close(twin));

	twin = twin_open_object(&self->scope);
	ASSERT_LE(0, twin);
	EXPECT_LT(0, law(self, &story));
	EXPECT_EQ(0, close(twin));

	EXPECT_EQ(0, law(self, &story));
	/* One more kill than the law allows, somebody else's death, a charge over the limit */
	story.oom_kill++;
	EXPECT_EQ(1, law(self, &story));
	story.oom_kill--;
	story.sentinel_lives = false;
	EXPECT_EQ(1, law(self, &story));
	story.sentinel_lives = true;
	story.peak += books_page_size();
	EXPECT_EQ(1, law(self, &story));
}

/* mem_cgroup_oom() of mm/memcontrol.c does not kill for more than a costly order */
TEST_F_TIMEOUT(victim, costly_order_kills_nobody, TIMEOUT_S)
{
	struct memstress_alloc *alloc = &self->worker.page->alloc;

	*alloc = session_request(MEMSTRESS_KIND_PAGE, COSTLY_ORDER,
				 PAST_MAX / (books_page_size() << COSTLY_ORDER),
				 MEMSTRESS_PAYER_CALLER);
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc->stop);
	EXPECT_EQ(ENOMEM, alloc->first_errno);
	EXPECT_EQ(1, alloc->failures);
	EXPECT_LT(0, alloc->books.objects);
	EXPECT_EQ(0, event(&self->scope.target, "memory.events", "oom"));
	EXPECT_EQ(0, event(&self->scope.target, "memory.events", "oom_kill"));
	EXPECT_LE(1, event(&self->scope.target, "memory.events", "max"));
	EXPECT_GE(MAX_BYTES, read_peak(&self->scope.target));
	EXPECT_EQ(0, worker_ask(&self->worker, WORKER_FREE));
	EXPECT_EQ(0, worker_stop(&self->worker));
	EXPECT_EQ(0, left_behind(self));
}

/* A payer without tasks: the killer is called, finds nobody, and the caller is told */
TEST_F_TIMEOUT(victim, foreign_caller_lives, TIMEOUT_S)
{
	const char *const nobody[] = { "Out of memory and no killable processes", NULL };
	struct memstress_alloc alloc;
	struct memstress_books expected;
	struct kmsg_record record;
	int fd = session_open();

	EXPECT_EQ(0, worker_stop(&self->worker));
	ASSERT_EQ(0, left_behind(self));
	ASSERT_LE(0, fd);
	alloc = session_request(MEMSTRESS_KIND_PAGE, 0, PAST_MAX / books_page_size(),
				self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, alloc.stop);
	EXPECT_EQ(ENOMEM, alloc.first_errno);
	EXPECT_EQ(1, alloc.failures);
	/* Nothing else is in there, and nothing was in other CPUs' stocks: all of it is ours */
	ASSERT_EQ(0, books_derive(&alloc, alloc.books.objects, &expected));
	EXPECT_TRUE(books_equal("held", &expected, &alloc.books));
	EXPECT_GE(balance_stock_bound(&self->scope.info, 0),
		  MAX_BYTES - (long long)alloc.books.page_charged_bytes);
	EXPECT_GE(MAX_BYTES, alloc.books.page_charged_bytes);
	EXPECT_LE(1, event(&self->scope.target, "memory.events", "oom"));
	EXPECT_EQ(0, event(&self->scope.target, "memory.events", "oom_kill"));
	EXPECT_EQ(MAX_BYTES, read_peak(&self->scope.target));
	EXPECT_TRUE(is_alive(self->sentinel));
	EXPECT_EQ(1, kmsg_find(&self->kmsg, &record, nobody));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, left_behind(self));
}

/* oom_badness() counts what is mapped: kernel memory makes nobody a victim */
TEST_F_TIMEOUT(victim, bystander_dies_first, TIMEOUT_S)
{
	struct memstress_alloc *alloc = &self->worker.page->alloc;
	__u64 bytes = MAX_BYTES - BYSTANDER / 2;
	struct story story;

	ASSERT_EQ(0, worker_start(&self->bystander, &self->scope.target));
	self->bystander.page->bytes = BYSTANDER;
	ASSERT_EQ(0, worker_ask(&self->bystander, WORKER_TOUCH));
	/* Or the worker dies as well */
	ASSERT_EQ(0, one_go_victim(self->bystander.pid));
	ASSERT_EQ(0, cpu_pin(self->worker.pid, 0));
	ASSERT_EQ(0, one_go_begin(&self->one_go));
	*alloc = session_request(MEMSTRESS_KIND_PAGE, 0, bytes / books_page_size(),
				 MEMSTRESS_PAYER_CALLER);
	ASSERT_EQ(0, worker_ask(&self->worker, WORKER_ALLOC));
	collect(self, &self->bystander, &story);
	EXPECT_EQ(0, contradictions(&story));
	/* With the bystander's memory there is enough for the one who wanted it */
	EXPECT_EQ(MEMSTRESS_STOP_DONE, alloc->stop);
	EXPECT_EQ(0, alloc->failures);
	EXPECT_EQ(bytes, alloc->books.page_charged_bytes);
	EXPECT_EQ(0, worker_stop(&self->worker));
	EXPECT_EQ(0, left_behind(self));
}

TEST_F_TIMEOUT(victim, group_dies_together, TIMEOUT_S)
{
	struct story story;
	int status;

	if (cgroup_is_v1())
		SKIP(return, "cgroup v1 has no memory.oom.group");
	ASSERT_EQ(0, cgroup_write_number(&self->scope.target, "memory.oom.group", 1));
	ASSERT_EQ(0, worker_start(&self->bystander, &self->scope.target));
	ASSERT_EQ(0, allocate_past_max(self, MEMSTRESS_KIND_PAGE, 0));
	collect(self, &self->worker, &story);
	EXPECT_TRUE(WIFSIGNALED(story.status));
	EXPECT_EQ(SIGKILL, WTERMSIG(story.status));
	ASSERT_EQ(0, worker_wait(&self->bystander, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_TRUE(story.sentinel_lives);
	EXPECT_EQ(MEMSTRESS_STOP_KILLED, self->worker.page->alloc.stop);
	/*
	 * oom_kill_process() of mm/oom_kill.c kills its victim, and then all members,
	 * the victim among them if it has not left yet.
	 */
	EXPECT_LE(2, story.oom_kill);
	EXPECT_GE(3, story.oom_kill);
	if (!kernel_before(5, 17))
		EXPECT_EQ(1, event(&self->scope.target, "memory.events", "oom_group_kill"));
	EXPECT_EQ(0, left_behind(self));
}

TEST_HARNESS_MAIN
