// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "books.h"
#include "clock.h"
#include "kernel.h"
#include "scope.h"
#include "session.h"
#include "swap.h"

/* The periodic flush of mm/memcontrol.c runs every two seconds (FLUSH_TIME) */
#define FLUSH_DEADLINE_NS (5 * NS_PER_S)
#define FLUSH_PATIENCE_NS (NS_PER_S / 2)
#define AWAIT_DEADLINE_NS (10 * NS_PER_S)
#define STOCK_PATIENCE_NS NS_PER_S

#define PUMP_ORDER 9

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Up to the target, from the parent on */
static int scope_create_levels(struct scope *scope)
{
	const struct cgroup *above = &scope->parent;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < scope->depth - 1 && !ret; i++) {
		ret = cgroup_create(&scope->level[i], above, "level");
		above = &scope->level[i];
	}
	return ret ? ret : cgroup_create(&scope->target, above, "target");
}

static int scope_create_all(struct scope *scope, const char *name, long long max)
{
	static unsigned int serial;
	char unique[64];
	int ret;

	snprintf(unique, sizeof(unique), "memstress-%s-%d-%u", name, getpid(), serial++);
	ret = cgroup_create(&scope->top, NULL, unique);
	if (!ret)
		ret = cgroup_create(&scope->pump, &scope->top, "pump");
	if (!ret)
		ret = cgroup_create(&scope->parent, &scope->top, "parent");
	if (!ret)
		ret = cgroup_write_number(&scope->parent, "memory.max", max);
	if (!ret)
		ret = scope_create_levels(scope);
	if (!ret)
		ret = cgroup_create(&scope->sibling, &scope->parent, "sibling");
	/* The pump must pass a payer's rule that somebody has a limit */
	if (!ret)
		ret = cgroup_write_number(&scope->pump, "memory.max", 64 << 20);
	if (!ret && cgroup_is_v1() && !kernel_batches_stat())
		ret = worker_start(&scope->pump_worker, &scope->pump);
	return ret;
}

int scope_create(struct scope *scope, const char *name, long long max)
{
	return scope_create_deep(scope, name, max, 1);
}

int scope_create_deep(struct scope *scope, const char *name, long long max, unsigned int depth)
{
	int ret;

	memset(scope, 0, sizeof(*scope));
	if (!depth || depth > SCOPE_DEPTH_MAX)
		return -EINVAL;
	scope->depth = depth;
	scope->session = session_open();
	if (scope->session < 0)
		return scope->session;
	ret = session_info(scope->session, 0, &scope->info);
	if (!ret) {
		scope->total_bytes = scope->info.total_bytes;
		ret = scope_create_all(scope, name, max);
	}
	if (ret)
		scope_remove(scope);
	return ret;
}

static int scope_remove_one(struct cgroup *cg)
{
	int ret = cgroup_remove(cg);

	if (ret)
		fprintf(stderr, "# cannot remove %s: %s\n", cg->path, strerror(-ret));
	return ret;
}

int scope_remove(struct scope *scope)
{
	struct cgroup *const above[] = {
		&scope->sibling,
		&scope->parent,
		&scope->pump,
		&scope->top,
	};
	int ret, err;
	unsigned int i;

	if (scope->pump_worker.page)
		worker_kill(&scope->pump_worker);
	if (scope->session > 0)
		close(scope->session);
	scope->session = -1;
	ret = scope_remove_one(&scope->target);
	for (i = SCOPE_DEPTH_MAX - 1; i--;) {
		err = scope_remove_one(&scope->level[i]);
		ret = ret ? ret : err;
	}
	for (i = 0; i < ARRAY_SIZE(above); i++) {
		err = scope_remove_one(above[i]);
		ret = ret ? ret : err;
	}
	if (session_total_bytes() != scope->total_bytes) {
		fprintf(stderr, "# footprint of all sessions: expected %lld, seen %lld\n",
			scope->total_bytes, session_total_bytes());
		ret = -EBUSY;
	}
	return ret;
}

int scope_settle(struct scope *scope)
{
	int ret;

	ret = session_settle(scope->session, scope->target.fd);
	if (!ret)
		ret = session_settle(scope->session, scope->sibling.fd);
	if (!ret)
		ret = session_settle(scope->session, scope->parent.fd);
	return ret;
}

static int scope_await_flush(struct scope *scope, const char *key, long long expected)
{
	__u64 deadline = clock_deadline_ns(FLUSH_PATIENCE_NS);
	long long seen;

	do {
		cgroup_read_key(&scope->top, "memory.stat", key);
		seen = cgroup_read_key(&scope->pump, "memory.stat", key);
	} while (seen != expected && clock_poll(deadline));
	if (seen == expected)
		return 0;
	fprintf(stderr, "# memory.stat is not flushed: expected %s %lld, seen %lld\n", key,
		expected, seen);
	return -ETIMEDOUT;
}

static int scope_flush_v2(struct scope *scope, __u64 updates)
{
	__u64 pages = 1ULL << PUMP_ORDER;
	struct memstress_alloc pump = session_request(MEMSTRESS_KIND_PAGE, PUMP_ORDER,
						      updates / pages + 1, scope->pump.fd);
	int ret, err;

	ret = session_alloc(scope->session, &pump);
	if (ret)
		return ret;
	if (pump.stop != MEMSTRESS_STOP_DONE) {
		session_free_all(scope->session);
		return -ENOMEM;
	}
	ret = scope_await_flush(scope, "kernel", pump.count * pages * books_page_size());
	err = session_free(scope->session, pump.handle, 0);
	return ret ? ret : err;
}

/* Kernel memory is on no line there, so a worker has some user memory, and not of its own kind */
static int scope_flush_v1(struct scope *scope, __u64 updates)
{
	struct worker *worker = &scope->pump_worker;
	int ret, err;

	worker->page->bytes = (updates + 1) * books_page_size();
	ret = worker_ask(worker, WORKER_SHARE);
	if (ret)
		return ret;
	ret = scope_await_flush(scope, "shmem", worker->page->bytes);
	err = worker_ask(worker, WORKER_DROP);
	return ret ? ret : err;
}

/*
 * A reader of memory.stat flushes only when enough updates are pending: 64 pages for
 * each CPU (memcg_rstat_updated() and mem_cgroup_flush_stats() of mm/memcontrol.c;
 * counted for the whole machine up to 6.7, by subtree since). Else the lines are up
 * to two seconds old. So make that many updates beside the family and read its top.
 * The read gives up if somebody else is flushing, hence the look whether the pump's
 * own charge has arrived. The periodic flush may come when a part of the updates is made,
 * and for what is too few then, its next turn may be far away: the timer is deferrable,
 * and waits for an idle CPU to wake. So the pump works again.
 */
int scope_flush(struct scope *scope)
{
	__u64 deadline = clock_deadline_ns(FLUSH_DEADLINE_NS), updates;
	int ret;

	if (kernel_batches_stat())
		return 0;
	do {
		updates = scope->info.charge_batch_pages * scope->info.online_cpus;
		/* Another number than the last one, which may still be on the line */
		updates += scope->flushes++ % 2 << PUMP_ORDER;
		ret = cgroup_is_v1() ? scope_flush_v1(scope, updates) :
				       scope_flush_v2(scope, updates);
	} while (ret == -ETIMEDOUT && clock_now_ns() < deadline);
	return ret;
}

int scope_take(struct scope *scope, struct scope_snapshot *snap)
{
	unsigned int i;
	int ret;

	ret = snapshot_take(&snap->target, &scope->target);
	for (i = 0; i < scope->depth - 1 && !ret; i++)
		ret = snapshot_take(&snap->level[i], &scope->level[i]);
	if (!ret)
		ret = snapshot_take(&snap->sibling, &scope->sibling);
	if (!ret)
		ret = snapshot_take(&snap->parent, &scope->parent);
	return ret;
}

int scope_take_exact(struct scope *scope, struct scope_snapshot *snap)
{
	int ret = scope_settle(scope);

	if (!ret)
		ret = scope_flush(scope);
	return ret ? ret : scope_take(scope, snap);
}

int scope_baseline(struct scope *scope, struct scope_snapshot *snap)
{
	scope_visit_cpus();
	return scope_take_exact(scope, snap);
}

/* What is wrong at @cg, in addition to @wrong lines elsewhere; the first violation stays */
static int scope_law_at(const struct cgroup *cg, const struct snapshot *before,
			const struct snapshot *after, const struct charge *charge,
			enum balance_lines lines, int wrong, struct violation *violation)
{
	struct violation found;
	int ret = balance(before, after, charge, lines, &found);

	found.cgroup = cg->path;
	if (!wrong)
		*violation = found;
	return wrong + ret;
}

static int scope_law_levels(const struct scope *scope, const struct scope_snapshot *before,
			    const struct scope_snapshot *after, const struct charge *above,
			    enum balance_lines lines, int wrong, struct violation *violation)
{
	unsigned int i;

	for (i = 0; i < scope->depth - 1; i++)
		wrong = scope_law_at(&scope->level[i], &before->level[i], &after->level[i], above,
				     lines, wrong, violation);
	return wrong;
}

int scope_law_between(const struct scope *scope, const struct scope_snapshot *before,
		      const struct scope_snapshot *after, const struct charge *charge,
		      enum balance_lines lines, struct violation *violation)
{
	struct charge above = *charge;

	above.file_mapped_local = 0;
	return scope_law_levels(scope, before, after, &above, lines, 0, violation);
}

int scope_law(struct scope *scope, const struct scope_snapshot *before, const struct charge *charge,
	      enum balance_lines lines, struct violation *violation)
{
	const struct charge nothing = { 0 };
	struct charge above = *charge;
	struct scope_snapshot after;
	int ret, wrong;

	ret = scope_take_exact(scope, &after);
	if (ret)
		return ret;

	above.file_mapped_local = 0;
	wrong = scope_law_at(&scope->target, &before->target, &after.target, charge, lines, 0,
			     violation);
	wrong = scope_law_levels(scope, before, &after, &above, lines, wrong, violation);
	wrong = scope_law_at(&scope->parent, &before->parent, &after.parent, &above, lines, wrong,
			     violation);
	return scope_law_at(&scope->sibling, &before->sibling, &after.sibling, &nothing,
			    scope->sibling_lines, wrong, violation);
}

int scope_law_await(struct scope *scope, const struct scope_snapshot *before,
		    const struct charge *charge, enum balance_lines lines,
		    struct violation *violation, __u64 *waited_ns)
{
	__u64 deadline = clock_deadline_ns(AWAIT_DEADLINE_NS);
	__u64 start = clock_now_ns();
	int ret;

	do {
		scope_visit_cpus();
		ret = scope_law(scope, before, charge, lines, violation);
		*waited_ns = clock_now_ns() - start;
	} while (ret && clock_poll(deadline));
	return ret;
}

int scope_moves_await(struct scope *scope, const struct cgroup *cg, const struct snapshot *before,
		      const struct moves *moves, enum moves_of of, const char *what)
{
	__u64 deadline = clock_deadline_ns(AWAIT_DEADLINE_NS);
	struct violation violation = { 0 };
	struct snapshot now;
	int ret;

	do {
		scope_visit_cpus();
		ret = session_settle(scope->session, cg->fd);
		if (!ret)
			ret = scope_flush(scope);
		if (!ret)
			ret = snapshot_take(&now, cg);
		if (!ret)
			ret = moves_check(before, &now, moves, of, &violation);
	} while (ret && clock_poll(deadline));
	violation.cgroup = cg->path;
	balance_report(what, ret, &violation);
	return ret;
}

/* Drains each CPU's batches of pages, and with @scope has the target charged there for a moment */
static void visit_cpus(struct scope *scope)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct memstress_alloc page;
	cpu_set_t own, one;
	void *memory;
	int cpu;

	if (sched_getaffinity(0, sizeof(own), &own))
		return;
	memory = mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (cpu = 0; cpu < cpus; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		/* Those that are offline have nothing */
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		madvise(memory, 1, MADV_COLD);
		if (!scope)
			continue;
		page = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
		if (!session_alloc(scope->session, &page))
			session_free(scope->session, page.handle, 0);
	}
	sched_setaffinity(0, sizeof(own), &own);
	munmap(memory, 1);
}

/*
 * Takes from idle CPUs what keeps removed cgroups, and after @patience_ns also their stocks. A
 * CPU's stock has a reference to whom it is of (refill_stock() of mm/memcontrol.c). Removal
 * drains stocks, but passes by one that happens to have no pages (drain_all_stock()); and where
 * pages keep a cgroup, and are freed after that, the stock is the last to have it. It stays
 * until charges of others take its place on that CPU, or have it drained with theirs. So do
 * freed slots of swap, until others free some (swap_settle()). Returns how many removed cgroups
 * there still are, by @count.
 */
static long long removed_await(struct scope *scope, long long (*count)(const struct cgroup *top),
			       __u64 patience_ns, const char *none)
{
	__u64 deadline = clock_deadline_ns(AWAIT_DEADLINE_NS);
	__u64 start = clock_now_ns();
	bool settled = false;
	long long removed;

	do {
		scope_visit_cpus();
		removed = count(&scope->top);
		if (removed > 0 && clock_now_ns() - start >= patience_ns) {
			visit_cpus(scope);
			if (swap_is_on())
				swap_settle();
			scope_settle(scope);
			settled = true;
		}
	} while (removed > 0 && clock_poll(deadline));
	if (!removed)
		fprintf(stderr, "# %s after %llu ms%s\n", none,
			(clock_now_ns() - start) / NS_PER_MS,
			settled ? ", and what others did" : "");
	return removed;
}

static __u64 stock_patience_ns(void)
{
	return kernel_before(5, 13) ? 0 : STOCK_PATIENCE_NS;
}

static long long count_unfreed(const struct cgroup *anywhere)
{
	(void)anywhere;
	return cgroup_count_unfreed();
}

long long scope_no_dying_await(struct scope *scope)
{
	return removed_await(scope, cgroup_count_dying, stock_patience_ns(), "no dying cgroups");
}

long long scope_drained_await(struct scope *scope)
{
	return removed_await(scope, cgroup_count_dying, kernel_before(5, 13) ? 0 : ~0ULL,
			     "no dying cgroups");
}

long long scope_no_unfreed_await(struct scope *scope)
{
	long long unfreed = removed_await(scope, count_unfreed, stock_patience_ns(),
					  "no cgroups that wait to be freed");

	return unfreed == -ENOENT ? 0 : unfreed;
}

int scope_create_alone(struct scope *scope, const char *name, long long max)
{
	int ret = scope_create(scope, name, max);

	if (!ret && scope_no_unfreed_await(scope))
		ret = -EBUSY;
	return ret;
}

void scope_visit_cpus(void)
{
	visit_cpus(NULL);
}
