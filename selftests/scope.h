/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cgroups a test works on, and a session of its own to settle them:
 *
 *	top
 *	|- pump		charged for a moment to make the kernel flush memory.stat; on v1
 *	|		a worker is in there, as only user memory shows on a line
 *	`- parent	has the limit
 *	   |- level	one in the other, if the target is to be deeper
 *	   |  `- target	pays
 *	   `- sibling	must not notice
 */
#ifndef MEMSTRESS_SELFTESTS_SCOPE_H
#define MEMSTRESS_SELFTESTS_SCOPE_H

#include "balance.h"
#include "cgroup.h"
#include "moves.h"
#include "worker.h"

/* How many levels below its parent a target may be */
#define SCOPE_DEPTH_MAX 10

struct scope {
	struct cgroup top, pump, parent, target, sibling;
	struct cgroup level[SCOPE_DEPTH_MAX - 1]; /* each below the one before it */
	unsigned int depth;
	enum balance_lines sibling_lines; /* BALANCE_HELD where a test puts a process there */
	struct worker pump_worker;
	unsigned int flushes;
	int session;
	struct memstress_info info;
	long long total_bytes; /* of all sessions when the scope was made */
};

/* Where a charge of the target must show, and where it must not */
struct scope_snapshot {
	struct snapshot parent, target, sibling;
	struct snapshot level[SCOPE_DEPTH_MAX - 1];
};

/* @max: the parent's limit in bytes */
int scope_create(struct scope *scope, const char *name, long long max);

/* The same with the target @depth levels below the parent; -EINVAL: not 1 to SCOPE_DEPTH_MAX */
int scope_create_deep(struct scope *scope, const char *name, long long max, unsigned int depth);

/*
 * scope_create(), when no cgroup of before is still being freed: a child's struct is its
 * parent's charge (mem_cgroup_css_alloc() of mm/memcontrol.c), and giving that back puts
 * the dead parent into the stocks of a CPU instead of whoever was there. For tests that
 * count on what is in a stock, or on usage that does not fall by itself.
 */
int scope_create_alone(struct scope *scope, const char *name, long long max);

/* Removes all of it; -EBUSY also if the module's sessions hold more than at first */
int scope_remove(struct scope *scope);

/* Takes the stocks back, from the leaves up */
int scope_settle(struct scope *scope);

/* Makes memory.stat exact */
int scope_flush(struct scope *scope);

int scope_take(struct scope *scope, struct scope_snapshot *snap);

/* The same, settled and flushed */
int scope_take_exact(struct scope *scope, struct scope_snapshot *snap);

/*
 * What a law is measured from: settled, flushed, and nothing on its way. Pages of a
 * task inside that are on their way to the LRU are charged already, and would move
 * the lines of the LRU later (see scope_visit_cpus()).
 */
int scope_baseline(struct scope *scope, struct scope_snapshot *snap);

/*
 * The law that conservation and return share: after SETTLE, target, parent and the
 * levels between them have moved by exactly @charge, and the sibling not at all.
 * Returns 0 when it holds, the number of wrong lines when not, or -errno if it could
 * not be looked at.
 */
int scope_law(struct scope *scope, const struct scope_snapshot *before, const struct charge *charge,
	      enum balance_lines lines, struct violation *violation);

/* The part of it that is about the levels between target and parent */
int scope_law_between(const struct scope *scope, const struct scope_snapshot *before,
		      const struct scope_snapshot *after, const struct charge *charge,
		      enum balance_lines lines, struct violation *violation);

/*
 * scope_law(), tried until it holds: memory of dead tasks is given back after an RCU
 * grace period, and their mm when each CPU has run another (see scope_visit_cpus()).
 * @waited_ns: how long it took.
 */
int scope_law_await(struct scope *scope, const struct scope_snapshot *before,
		    const struct charge *charge, enum balance_lines lines,
		    struct violation *violation, __u64 *waited_ns);

/*
 * A cgroup of the test's own, not only of the scope: it is settled and flushed until its
 * lines have moved by @moves since @before, and all is reported if they never do. Returns
 * as scope_law() does. @what: when this was
 */
int scope_moves_await(struct scope *scope, const struct cgroup *cg, const struct snapshot *before,
		      const struct moves *moves, enum moves_of of, const char *what);

/* Waits until no removed cgroup is there; how many still are, and prints how long it took */
long long scope_no_dying_await(struct scope *scope);

/*
 * The same, without charges of others: the kernel's own drain of the stocks has to do. Not
 * for cgroups whose charges can have left a stock without pages.
 */
long long scope_drained_await(struct scope *scope);

/* Waits until no removed cgroup is still being freed; how many still are */
long long scope_no_unfreed_await(struct scope *scope);

/*
 * Takes back what idle CPUs keep of dead tasks, which may stay there for ever:
 *
 * - the mm of the last task, as lazy mm, and with it charged page tables
 *   (context_switch() of kernel/sched/core.c). Running there once, with an mm of
 *   one's own, lets it go;
 * - up to a folio batch of anonymous pages that were on their way to the LRU when
 *   they were unmapped: charged, and on no line of memory.stat (lru_add_fn() of
 *   mm/swap.c). madvise_cold() drains those of its CPU; munmap() no longer does on
 *   newer kernels.
 */
void scope_visit_cpus(void);

#endif /* MEMSTRESS_SELFTESTS_SCOPE_H */
