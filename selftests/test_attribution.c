// SPDX-License-Identifier: GPL-2.0
/*
 * The law of attribution: who pays is the target at the time of the charge, to the byte, in
 * whatever context the kernel allocates, and nobody else does. A row of the matrix is a kind
 * in a context with a payer; each is freed in another context than it was made in.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "books.h"
#include "cpu.h"
#include "depth.h"
#include "kernel.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"
#include "worker.h"

LAW("who pays is the target at the time of the charge, in every context, and nobody else");

#define LIMIT_BYTES (256 << 20)
#define TIMEOUT_S   120

/* More than an interrupt makes at a time, where that is not too much to zero */
#define ROW_OBJECTS 80
#define ROW_BYTES   (2 << 20)

/* Long enough to be moved meanwhile */
#define FLIGHT_BYTES (64 << 20)
#define FLIGHT_NS    (200 * NS_PER_MS)
#define FLIGHT_TRIES 20

FIXTURE(attribution)
{
	struct scope scope;
	struct scope_snapshot before;
	struct worker worker; /* who is inside and makes the calls, if anybody */
	struct memstress_info kind;
	struct memstress_books one;
	struct memstress_alloc alloc; /* of the row */
	enum balance_lines lines;
	int fd;
	int cpu; /* that contexts are pinned to */
};

FIXTURE_VARIANT(attribution)
{
	__u32 kind;
	__u64 size;       /* or order */
	const char *line; /* of memory.stat, exact to the byte */
	unsigned int row; /* of depth_choose() */
};

#define VARIANT(_name, _kind, _size, _line)                                                    \
	FIXTURE_VARIANT_ADD(attribution, _name)                                                \
	{                                                                                      \
		.kind = MEMSTRESS_KIND_##_kind, .size = _size, .line = _line, .row = __LINE__, \
	}

VARIANT(page_0, PAGE, 0, "kernel");
VARIANT(page_5, PAGE, 5, "kernel");
VARIANT(kmalloc_64, KMALLOC, 64, "slab_unreclaimable");
VARIANT(kmalloc_65536, KMALLOC, 65536, "slab_unreclaimable");
VARIANT(cache_200, CACHE, 200, "slab_unreclaimable");
VARIANT(vmalloc_65536, VMALLOC, 65536, "vmalloc");
VARIANT(percpu_64, PERCPU, 64, "percpu");

/*
 * From 7.0 a memcg has an objcg for each node, and each rounds up its own bytes: with one
 * node it does not matter where objects are made, with more they are all made on CPU 0.
 */
static int other_cpu(const struct memstress_info *info)
{
	return info->online_nodes > 1 ? 0 : cpu_last_online();
}

FIXTURE_SETUP(attribution)
{
	__u64 step;

	ASSERT_EQ(0, scope_create_deep(&self->scope, "attribution", LIMIT_BYTES,
				       depth_choose(variant->row)));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, session_info(self->fd, variant->kind, &self->kind));
	self->cpu = other_cpu(&self->kind);
	ASSERT_LE(0, self->cpu);
	self->alloc = session_request(variant->kind, variant->size, 1, self->scope.target.fd);
	/* Makes the caches that are made on demand, which is not what is measured */
	ASSERT_EQ(0, session_alloc(self->fd, &self->alloc));
	ASSERT_EQ(0, session_free_all(self->fd));

	ASSERT_EQ(0, books_derive_one(&self->alloc, &self->one));
	step = books_whole_pages(&self->one);
	while (self->alloc.count < ROW_OBJECTS &&
	       self->alloc.count * self->one.footprint_bytes < ROW_BYTES)
		self->alloc.count += step;
	self->alloc.count = self->alloc.count / step * step;
	self->lines = BALANCE_ALL;
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
}

FIXTURE_TEARDOWN(attribution)
{
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static bool interrupts(__u32 context)
{
	return context == MEMSTRESS_CONTEXT_SOFTIRQ || context == MEMSTRESS_CONTEXT_HARDIRQ;
}

/* Why this kernel cannot do a row; NULL: it can */
static const char *why_not(const struct _test_data_attribution *self)
{
	__u32 context = self->alloc.context;

	if (!(self->kind.contexts & (1ULL << context)))
		return "PREEMPT_RT: no allocator may be called in a hardirq";
	if (!(self->kind.kind_contexts & (1ULL << context)))
		return "the allocator may sleep";
	if (interrupts(context) && self->alloc.flags & MEMSTRESS_ALLOC_ACCOUNT &&
	    !(self->kind.features & MEMSTRESS_FEATURE_CHARGED_INTERRUPTS))
		return "this kernel charges nothing in interrupts";
	return NULL;
}

/* The caller is on CPU 0, so that a pinned context is on another one, where there is one */
static int call_alloc(struct _test_data_attribution *self)
{
	int ret;

	if (self->worker.page) {
		self->worker.page->alloc = self->alloc;
		ret = worker_ask(&self->worker, WORKER_ALLOC);
		self->alloc = self->worker.page->alloc;
		return ret;
	}
	ret = cpu_run_on(0);
	if (!ret)
		ret = session_alloc(self->fd, &self->alloc);
	cpu_run_on(-1);
	return ret;
}

static int call_free(struct _test_data_attribution *self, struct memstress_free *request)
{
	int ret;

	if (!self->worker.page)
		return session_ioctl(self->fd, MEMSTRESS_IOC_FREE, request);
	self->worker.page->free = *request;
	ret = worker_ask(&self->worker, WORKER_FREE);
	*request = self->worker.page->free;
	return ret;
}

/* What the session of whoever is inside has cost its cgroup; without one it costs nobody here */
static long long bookkeeping(struct _test_data_attribution *self)
{
	if (!self->worker.page || worker_ask(&self->worker, WORKER_LEDGER))
		return 0;
	return self->worker.page->ledger.bookkeeping_bytes;
}

/* The worker and its heirs stay on CPU 0. @hand_over: to whom it leaves the calls */
static int start_inside(struct _test_data_attribution *self, const struct cgroup *cg,
			enum worker_command hand_over)
{
	int ret = cpu_run_on(0);

	if (!ret)
		ret = worker_start(&self->worker, cg);
	cpu_run_on(-1);
	if (!ret && hand_over != WORKER_READY)
		ret = worker_ask(&self->worker, hand_over);
	self->lines = BALANCE_HELD;
	if (cg == &self->scope.sibling)
		self->scope.sibling_lines = BALANCE_HELD;
	return ret ? ret : scope_baseline(&self->scope, &self->before);
}

static void print_row(struct _test_data_attribution *self,
		      const struct _fixture_variant_attribution *variant, const char *payer,
		      const char *told)
{
	char what[32], where[32] = "";

	snprintf(what, sizeof(what), "%s %llu", session_kind_name(variant->kind), variant->size);
	if (self->alloc.flags & MEMSTRESS_ALLOC_CPU)
		snprintf(where, sizeof(where), "cpu%u", self->alloc.cpu);
	fprintf(stderr, "# %-13s  %-7s %-4s  %-19s  %s\n", what,
		session_context_name(self->alloc.context), where, payer, told);
}

/* What was charged for the objects, and how far that is from the ledger, by counter and line */
static void print_charged(struct _test_data_attribution *self,
			  const struct _fixture_variant_attribution *variant, const char *payer,
			  const struct charge *charge)
{
	const char *line = snapshot_best_line(variant->line);
	const struct memstress_books *books = &self->alloc.books;
	long long off_usage, off_line;
	struct scope_snapshot now;
	char told[128];

	if (scope_take(&self->scope, &now))
		return;
	off_usage = balance_line(&self->before.target, &now.target, charge, "usage");
	off_line = balance_line(&self->before.target, &now.target, charge, line);
	snprintf(told, sizeof(told),
		 "%3llu objects, charged %7lld, differs by %lld (usage), %lld (%s)", books->objects,
		 (long long)(books->page_charged_bytes + books->byte_charged_bytes) + off_line,
		 off_usage, off_line, line);
	print_row(self, variant, payer, told);
}

/* While there is memory, only percpu may stop early */
static bool stop_is_sound(struct _test_data_attribution *self)
{
	const struct memstress_alloc *alloc = &self->alloc;

	if (alloc->stop == MEMSTRESS_STOP_DONE)
		return alloc->books.objects == alloc->count && !alloc->failures;
	/* Where it may not sleep it takes pages that are populated already: pcpu_alloc() */
	return alloc->stop == MEMSTRESS_STOP_FAILED && alloc->kind == MEMSTRESS_KIND_PERCPU &&
	       interrupts(alloc->context) && alloc->first_errno == ENOMEM;
}

static bool is_charged(const struct _test_data_attribution *self)
{
	return self->alloc.flags & MEMSTRESS_ALLOC_ACCOUNT &&
	       self->alloc.payer_fd != MEMSTRESS_PAYER_NOBODY;
}

/* ALLOC, and what its answer must be. The charge that the answer stands for in @charge */
static int make(struct _test_data_attribution *self, __u64 payer_id, struct charge *charge)
{
	struct memstress_books expected;
	long long before = bookkeeping(self);
	int ret = call_alloc(self);

	memset(charge, 0, sizeof(*charge));
	if (!ret)
		ret = books_derive(&self->alloc, self->alloc.books.objects, &expected);
	if (ret)
		return ret;
	if (!is_charged(self)) {
		expected.page_charged_bytes = 0;
		expected.byte_charged_bytes = 0;
		payer_id = 0;
	}
	if (!stop_is_sound(self) || !books_equal("alloc", &expected, &self->alloc.books) ||
	    !law_equal(NULL, "payer_id", payer_id, self->alloc.payer_id))
		return -ERANGE;
	charge_add(charge, self->alloc.kind, &expected);
	charge_add_slab(charge, bookkeeping(self) - before);
	return 0;
}

/* FREE of all, in the context after the row's. vfree() in an interrupt leaves it to a worker */
static int give_back(struct _test_data_attribution *self, __u64 objects)
{
	const struct charge nothing = { 0 };
	struct memstress_free request = {
		.size = sizeof(request),
		.flags = MEMSTRESS_FREE_ALL,
		.context = (self->alloc.context + 1) % MEMSTRESS_CONTEXT_END,
	};
	struct violation violation;
	__u64 waited_ns;
	int ret;

	if (!(self->kind.contexts & (1ULL << request.context)))
		request.context = MEMSTRESS_CONTEXT_TASK;
	ret = call_free(self, &request);
	if (ret)
		return ret;
	if (!law_equal(NULL, "objects freed", objects, request.books.objects))
		return -ERANGE;
	if (self->alloc.kind != MEMSTRESS_KIND_VMALLOC || !interrupts(request.context))
		return 0;
	ret = scope_law_await(&self->scope, &self->before, &nothing, self->lines, &violation,
			      &waited_ns);
	balance_report("freed in an interrupt", ret, &violation);
	return ret;
}

static void set_place(struct _test_data_attribution *self, __u32 context, bool pinned)
{
	self->alloc.context = context;
	self->alloc.policy = interrupts(context) ? MEMSTRESS_POLICY_NOWAIT :
						   MEMSTRESS_POLICY_KERNEL;
	self->alloc.flags &= ~MEMSTRESS_ALLOC_CPU;
	self->alloc.cpu = 0;
	if (context != MEMSTRESS_CONTEXT_TASK && (pinned || self->kind.online_nodes > 1)) {
		self->alloc.flags |= MEMSTRESS_ALLOC_CPU;
		self->alloc.cpu = self->cpu;
	}
}

/* What the kernel cannot do it must refuse */
static int refused(struct _test_data_attribution *self,
		   const struct _fixture_variant_attribution *variant, const char *payer)
{
	print_row(self, variant, payer, why_not(self));
	return call_alloc(self) == -EOPNOTSUPP ? 0 : -EBADE;
}

/* One row: 0 when the law holds, and where the kernel cannot, when it is refused */
static int row(struct _test_data_attribution *self,
	       const struct _fixture_variant_attribution *variant, const char *payer, __u32 context,
	       bool pinned)
{
	struct violation violation;
	struct charge charge;
	int ret, err;

	set_place(self, context, pinned);
	if (why_not(self))
		return refused(self, variant, payer);
	ret = make(self, self->scope.target.id, &charge);
	if (ret)
		return ret;
	if (self->lines == BALANCE_HELD)
		charge.byte_base = charge_byte_base(&self->before.target);
	ret = scope_law(&self->scope, &self->before, &charge, self->lines, &violation);
	balance_report(payer, ret, &violation);
	print_charged(self, variant, payer, &charge);
	err = give_back(self, self->alloc.books.objects);
	return ret ? ret : err;
}

/* All contexts that @payer is for, from @first on; half of them pinned. Then the law of return */
static int rows(struct _test_data_attribution *self,
		const struct _fixture_variant_attribution *variant, const char *payer, __u32 first)
{
	const struct charge nothing = { 0 };
	struct violation violation;
	int ret = 0, wrong;
	__u32 context;

	for (context = first; context < MEMSTRESS_CONTEXT_END; context++) {
		wrong = row(self, variant, payer, context, context % 2);
		if (wrong)
			fprintf(stderr, "# %s in context %s: %d\n", payer,
				session_context_name(context), wrong);
		ret = ret ? ret : wrong;
	}
	wrong = scope_law(&self->scope, &self->before, &nothing, self->lines, &violation);
	balance_report("freed", wrong, &violation);
	return ret ? ret : wrong;
}

TEST_F_TIMEOUT(attribution, foreign, TIMEOUT_S)
{
	__u32 context;

	EXPECT_EQ(0, rows(self, variant, "foreign", MEMSTRESS_CONTEXT_TASK));
	/* Where rows() has not pinned it, and the other way round */
	for (context = MEMSTRESS_CONTEXT_KWORKER; context < MEMSTRESS_CONTEXT_END; context++)
		EXPECT_EQ(0, row(self, variant, "foreign", context, context % 2 == 0));
}

static int inside(struct _test_data_attribution *self,
		  const struct _fixture_variant_attribution *variant, const char *payer,
		  enum worker_command hand_over)
{
	int ret = start_inside(self, &self->scope.target, hand_over);

	if (ret)
		return ret;
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	ret = rows(self, variant, payer, MEMSTRESS_CONTEXT_TASK);
	worker_kill(&self->worker);
	return ret;
}

TEST_F_TIMEOUT(attribution, self, TIMEOUT_S)
{
	EXPECT_EQ(0, inside(self, variant, "self", WORKER_READY));
}

TEST_F_TIMEOUT(attribution, thread, TIMEOUT_S)
{
	EXPECT_EQ(0, inside(self, variant, "thread", WORKER_THREAD));
}

TEST_F_TIMEOUT(attribution, child, TIMEOUT_S)
{
	EXPECT_EQ(0, inside(self, variant, "child", WORKER_CHILD));
}

/* Nobody, though who asks is inside */
TEST_F_TIMEOUT(attribution, unaccounted, TIMEOUT_S)
{
	self->alloc.flags = 0;
	EXPECT_EQ(0, inside(self, variant, "unaccounted", WORKER_READY));
}

/* Who pays is inside and does nothing, who asks is outside */
TEST_F_TIMEOUT(attribution, process, TIMEOUT_S)
{
	struct worker idle;

	ASSERT_EQ(0, start_inside(self, &self->scope.target, WORKER_READY));
	idle = self->worker;
	self->worker.page = NULL;
	self->alloc.flags |= MEMSTRESS_ALLOC_PAYER_PID;
	self->alloc.payer_fd = idle.pid;
	EXPECT_EQ(0, rows(self, variant, "process", MEMSTRESS_CONTEXT_TASK));
	EXPECT_EQ(0, worker_stop(&idle));
}

/* A process of the target that is always running on @cpu, for interrupts to interrupt */
static pid_t start_spinning(const struct cgroup *cg, int cpu)
{
	__u64 *rounds = mmap(NULL, sizeof(*rounds), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	__u64 deadline = clock_deadline_ns(10 * NS_PER_S);
	pid_t pid;

	if (rounds == MAP_FAILED)
		return -errno;
	pid = cgroup_fork(cg);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		cpu_run_on(cpu);
		for (;;)
			__atomic_add_fetch(rounds, 1, __ATOMIC_RELAXED);
	}
	while (pid > 0 && __atomic_load_n(rounds, __ATOMIC_RELAXED) < 1000 && clock_poll(deadline))
		;
	munmap(rounds, sizeof(*rounds));
	return pid;
}

/*
 * Nobody is named: the kernel charges nobody for what no task asks for, neither in kernel
 * workers nor in interrupts of a task of the target, __GFP_ACCOUNT or not.
 */
TEST_F_TIMEOUT(attribution, nobody, TIMEOUT_S)
{
	pid_t pid = start_spinning(&self->scope.target, self->cpu);
	__u32 context;

	ASSERT_LT(0, pid);
	self->lines = BALANCE_HELD;
	self->alloc.payer_fd = MEMSTRESS_PAYER_NOBODY;
	EXPECT_EQ(0, scope_baseline(&self->scope, &self->before));
	EXPECT_EQ(0, rows(self, variant, "nobody", MEMSTRESS_CONTEXT_KWORKER));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	/* Which of the two a pinned one interrupts, its worker or that process, is not known. */
	ASSERT_EQ(0, start_inside(self, &self->scope.target, WORKER_READY));
	for (context = MEMSTRESS_CONTEXT_SOFTIRQ; context <= MEMSTRESS_CONTEXT_HARDIRQ; context++)
		EXPECT_EQ(0, row(self, variant, "nobody, inside", context, false));
	worker_kill(&self->worker);
}

static int create_plain(struct cgroup *plain, const struct cgroup *parent)
{
	memset(plain, 0, sizeof(*plain));
	if (snprintf(plain->path, sizeof(plain->path), "%s/plain", parent->path) >=
	    (int)sizeof(plain->path))
		return -ENAMETOOLONG;
	if (mkdir(plain->path, 0755))
		return -errno;
	plain->fd = open(plain->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return plain->fd < 0 ? -errno : 0;
}

/* A cgroup that the controller is not enabled in: its nearest ancestor that has it pays */
TEST_F_TIMEOUT(attribution, controller_disabled, TIMEOUT_S)
{
	struct cgroup plain;

	if (cgroup_is_v1())
		SKIP(return, "all cgroups of a v1 hierarchy have its controllers");
	ASSERT_EQ(0, create_plain(&plain, &self->scope.target));
	self->alloc.payer_fd = plain.fd;
	EXPECT_EQ(0, scope_baseline(&self->scope, &self->before));
	EXPECT_EQ(0, rows(self, variant, "controller disabled", MEMSTRESS_CONTEXT_TASK));

	EXPECT_EQ(0, start_inside(self, &plain, WORKER_READY));
	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	EXPECT_EQ(0, rows(self, variant, "disabled, self", MEMSTRESS_CONTEXT_TASK));
	worker_kill(&self->worker);
	EXPECT_EQ(0, cgroup_remove(&plain));
}

/* Without tasks or charges of its own the parent has what its two children have */
static int parent_is_sum(struct _test_data_attribution *self, const struct scope_snapshot *after)
{
	static const char *const lines[] = {
		"usage", "memsw", "kernel", "slab_unreclaimable", "percpu", "vmalloc",
	};
	const struct scope_snapshot *before = &self->before;
	int wrong = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *line = lines[i];
		long long children = snapshot_value(&after->target, line) -
				     snapshot_value(&before->target, line) +
				     snapshot_value(&after->sibling, line) -
				     snapshot_value(&before->sibling, line);

		/* To the byte at no time */
		if (kernel_batches_stat() && !snapshot_counts_pages(line))
			continue;
		wrong += !law_equal(self->scope.parent.path, line, children,
				    snapshot_value(&after->parent, line) -
					    snapshot_value(&before->parent, line));
	}
	return wrong;
}

/* The law for two who pay */
static int law_of_two(struct _test_data_attribution *self, struct charge *target,
		      struct charge *sibling)
{
	struct scope_snapshot after;
	struct violation violation;
	int ret, wrong;

	ret = scope_take_exact(&self->scope, &after);
	if (ret)
		return ret;
	target->byte_base = charge_byte_base(&self->before.target);
	sibling->byte_base = charge_byte_base(&self->before.sibling);
	wrong = balance(&self->before.target, &after.target, target, BALANCE_HELD, &violation);
	balance_report("target", wrong, &violation);
	ret = scope_law_between(&self->scope, &self->before, &after, target, BALANCE_HELD,
				&violation);
	balance_report("between target and parent", ret, &violation);
	wrong += ret;
	ret = balance(&self->before.sibling, &after.sibling, sibling, BALANCE_HELD, &violation);
	balance_report("sibling", ret, &violation);
	return wrong + ret + parent_is_sum(self, &after);
}

static int move(struct _test_data_attribution *self, const struct cgroup *to)
{
	return cgroup_write_number(to, "cgroup.procs", self->worker.pid);
}

/* An ALLOC in the sibling, a move, an ALLOC in the target: each pays for its own */
static int row_of_migration(struct _test_data_attribution *self,
			    const struct _fixture_variant_attribution *variant, __u32 context)
{
	struct charge sibling, target;
	__u64 objects;
	int ret, err;

	set_place(self, context, context % 2);
	if (why_not(self))
		return refused(self, variant, "migrated");
	ret = move(self, &self->scope.sibling);
	if (!ret)
		ret = make(self, self->scope.sibling.id, &sibling);
	objects = self->alloc.books.objects;
	if (!ret)
		ret = move(self, &self->scope.target);
	if (!ret)
		ret = make(self, self->scope.target.id, &target);
	if (ret)
		return ret;
	ret = law_of_two(self, &target, &sibling);
	print_charged(self, variant, "migrated", &target);
	err = give_back(self, objects + self->alloc.books.objects);
	return ret ? ret : err;
}

TEST_F_TIMEOUT(attribution, migrated, TIMEOUT_S)
{
	struct charge nothing[2] = { { 0 } };
	__u32 context;

	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	ASSERT_EQ(0, start_inside(self, &self->scope.sibling, WORKER_READY));
	for (context = 0; context < MEMSTRESS_CONTEXT_END; context++)
		EXPECT_EQ(0, row_of_migration(self, variant, context))
	TH_LOG("in context %s", session_context_name(context));
	EXPECT_EQ(0, law_of_two(self, &nothing[0], &nothing[1]));
	EXPECT_EQ(0, worker_stop(&self->worker));
}

static long long moved(const struct snapshot *before, const struct snapshot *after,
		       const char *line)
{
	return snapshot_value(after, line) - snapshot_value(before, line);
}

/* What a cgroup's usage must have moved by for what moved on its lines of objects */
static long long usage_of_lines(const struct snapshot *before, const struct snapshot *after)
{
	struct charge charge = {
		.byte_base = charge_byte_base(before),
		.byte_bytes = charge_byte_base(after) - charge_byte_base(before),
	};

	return charge_usage(&charge);
}

/*
 * The law for a caller that moves to and fro meanwhile: how much each of the two pays is
 * as it comes, but both together pay for all, line by line. Each rounds its own bytes up.
 */
static int law_in_flight(struct _test_data_attribution *self,
			 const struct _fixture_variant_attribution *variant,
			 const struct charge *charge)
{
	/* Where lines are kept back, by up to a batch, usage alone is up to date */
	const char *line = kernel_batches_stat() && !cgroup_is_v1() ?
				   "usage" :
				   snapshot_best_line(variant->line);
	const struct scope_snapshot *before = &self->before;
	struct scope_snapshot after;
	struct violation violation;
	struct charge all = *charge;
	long long target, sibling;
	int ret, wrong;
	char told[128];

	ret = scope_take_exact(&self->scope, &after);
	if (ret)
		return ret;
	target = moved(&before->target, &after.target, line);
	sibling = moved(&before->sibling, &after.sibling, line);
	snprintf(told, sizeof(told), "%llu objects, charged %lld + %lld, ledger %lld (%s)",
		 self->alloc.books.objects, target, sibling,
		 charge->page_bytes + charge->byte_bytes, line);
	print_row(self, variant, "in flight", told);
	wrong = parent_is_sum(self, &after);
	/* Nothing but the row in the ledger, which is paid where the caller is when it is made */
	if (self->alloc.context != MEMSTRESS_CONTEXT_TASK)
		wrong += !law_at_most(NULL, "moved where nobody pays", books_page_size(),
				      self->alloc.payer_id == self->scope.target.id ? sibling :
										      target);
	if (!snapshot_tells_bytes()) {
		/* Of the bytes each of the two has rounded up less than a page, before and after */
		long long off = moved(&before->parent, &after.parent, "usage") -
				charge->page_bytes - charge->byte_bytes;

		return wrong + (llabs(off) >= 2 * books_page_size());
	}
	/* Blocks of pages that kmalloc() took are on the lines as well */
	if (self->alloc.kind == MEMSTRESS_KIND_KMALLOC)
		all.page_bytes = 0;
	all.page_bytes += usage_of_lines(&before->target, &after.target) +
			  usage_of_lines(&before->sibling, &after.sibling);
	all.byte_bytes = 0;
	ret = balance(&before->parent, &after.parent, &all, BALANCE_HELD, &violation);
	balance_report("both", ret, &violation);
	return wrong + ret;
}

/* Moves the worker to and fro until it has answered. Returns how often, or -errno */
static int move_in_flight(struct _test_data_attribution *self)
{
	const struct worker_page *page = self->worker.page;
	int moves = 0, ret = 0;

	while (!ret && __atomic_load_n(&page->answered, __ATOMIC_ACQUIRE) != page->asked) {
		ret = move(self, moves % 2 ? &self->scope.sibling : &self->scope.target);
		moves += __atomic_load_n(&page->answered, __ATOMIC_ACQUIRE) != page->asked;
	}
	return ret ? ret : moves;
}

/* Leaves @moves at how often it was moved while it allocated */
static int row_in_flight(struct _test_data_attribution *self,
			 const struct _fixture_variant_attribution *variant, __u32 context,
			 int *moves)
{
	struct memstress_books expected;
	long long before = bookkeeping(self);
	struct charge charge = { 0 };
	int ret;

	set_place(self, context, true);
	ret = move(self, &self->scope.sibling);
	if (ret)
		return ret;
	self->worker.page->alloc = self->alloc;
	worker_tell(&self->worker, WORKER_ALLOC);
	*moves = move_in_flight(self);
	ret = worker_await(&self->worker);
	if (*moves < 0 || ret)
		return *moves < 0 ? *moves : ret;
	self->alloc = self->worker.page->alloc;
	ret = books_derive(&self->alloc, self->alloc.books.objects, &expected);
	if (ret)
		return ret;
	if (!books_equal("alloc", &expected, &self->alloc.books))
		return -ERANGE;
	charge_add(&charge, variant->kind, &expected);
	charge_add_slab(&charge, bookkeeping(self) - before);
	ret = law_in_flight(self, variant, &charge);
	return ret ? ret : give_back(self, self->alloc.books.objects);
}

/*
 * The caller is moved while it allocates: in its own context it pays where it is at each
 * charge, in another one where it was at the start of the call.
 */
TEST_F_TIMEOUT(attribution, migrated_in_flight, TIMEOUT_S)
{
	struct charge nothing[2] = { { 0 } };
	int tries, moves = 0;
	__u32 context;

	self->alloc.payer_fd = MEMSTRESS_PAYER_CALLER;
	self->alloc.count = FLIGHT_BYTES / self->one.footprint_bytes;
	self->alloc.deadline_ns = FLIGHT_NS;
	ASSERT_EQ(0, start_inside(self, &self->scope.sibling, WORKER_READY));
	for (context = 0; context <= MEMSTRESS_CONTEXT_KWORKER; context++) {
		/* A move waits for an RCU grace period, which may take longer than the call */
		for (tries = 0; !tries || (!moves && tries < FLIGHT_TRIES); tries++)
			ASSERT_EQ(0, row_in_flight(self, variant, context, &moves));
		EXPECT_LT(0, moves);
		fprintf(stderr, "# moved %d times, at try %d\n", moves, tries);
	}
	ASSERT_EQ(0, move(self, &self->scope.sibling));
	EXPECT_EQ(0, law_of_two(self, &nothing[0], &nothing[1]));
	EXPECT_EQ(0, worker_stop(&self->worker));
}

TEST_F_TIMEOUT(attribution, red_twin, TIMEOUT_S)
{
	struct memstress_alloc elsewhere;
	struct violation violation;
	struct charge charge, more;

	self->alloc.context = MEMSTRESS_CONTEXT_KWORKER;
	self->alloc.flags |= MEMSTRESS_ALLOC_CPU;
	self->alloc.cpu = self->cpu;
	ASSERT_EQ(0, make(self, self->scope.target.id, &charge));
	/* See the red twin of test_conservation */
	self->alloc.count = 1;
	while (charge.byte_bytes % books_page_size()) {
		ASSERT_EQ(0, make(self, self->scope.target.id, &more));
		charge_add(&charge, self->alloc.kind, &self->alloc.books);
	}
	EXPECT_TRUE(twin_page_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));
	EXPECT_TRUE(twin_object_is_seen(&self->scope, &self->before, &charge, BALANCE_ALL));

	/* And one of those that the target should pay for, if somebody else does */
	elsewhere = self->alloc;
	elsewhere.payer_fd = self->scope.sibling.fd;
	ASSERT_EQ(0, session_alloc(self->fd, &elsewhere));
	charge_add(&charge, elsewhere.kind, &elsewhere.books);
	EXPECT_LT(0, scope_law(&self->scope, &self->before, &charge, BALANCE_ALL, &violation));
	EXPECT_EQ(0, session_free_all(self->fd));
}

TEST_HARNESS_MAIN
