// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "verdict.h"

static const char *const verdict_outcomes[] = {
	[OUTCOME_DONE] = "done",       [OUTCOME_ENOMEM] = "enomem",
	[OUTCOME_OOM] = "oom",         [OUTCOME_GLOBAL_OOM] = "global_oom",
	[OUTCOME_KILLED] = "killed",   [OUTCOME_DIED] = "died",
	[OUTCOME_CAP] = "cap",         [OUTCOME_UNKILLABLE] = "unkillable",
	[OUTCOME_STOPPED] = "stopped",
};

const char *verdict_outcome_name(enum outcome outcome)
{
	return verdict_outcomes[outcome];
}

/* What the module is charged for itself, bytes of which usage takes whole pages */
static __u64 verdict_bookkeeping(const struct record_log *log)
{
	const struct record *run = record_last(log, RECORD_RUN);
	const struct record *held = record_counters(log, WHEN_HELD);
	__u64 page = run ? run->run.info.page_size : 0;

	if (!held || !page)
		return 0;
	return (held->counters.bookkeeping_bytes + page - 1) / page * page;
}

static __u64 verdict_nodes(const struct record_log *log)
{
	const struct record *run = record_last(log, RECORD_RUN);

	return run && run->run.info.online_nodes ? run->run.info.online_nodes : 1;
}

void verdict_sum(const struct record_log *log, struct charge *charge)
{
	bool has_kernel_memory = false, has_user_memory = false;
	unsigned int i;

	memset(charge, 0, sizeof(*charge));
	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type != RECORD_ALLOC)
			continue;
		if (record->alloc.kind < MEMSTRESS_KIND_END) {
			charge_add(charge, record->alloc.kind, &record->alloc.alloc.books);
			has_kernel_memory = true;
		} else {
			charge_join(charge, &record->alloc.charge);
			has_user_memory = true;
		}
	}
	if (has_kernel_memory && has_user_memory)
		charge->module_bytes = verdict_bookkeeping(log);
	/* The worker is in the cgroup; newer kernels have an objcg for each node. */
	if (has_user_memory)
		charge->objcgs = verdict_nodes(log);
}

static __u64 verdict_kills(const struct record_log *log)
{
	__u64 kills = 0;
	unsigned int i;

	for (i = 0; i < log->count; i++)
		if (log->records[i]->type == RECORD_EVENTS)
			kills += log->records[i]->events.value[EVENT_OOM_KILL];
	return kills;
}

/* What the kernel log said of the worker; NULL if nothing. */
static const struct kmsg_oom *verdict_find_oom(const struct record_log *log, enum kmsg_what what,
					       int pid)
{
	unsigned int i;

	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type == RECORD_OOM && record->oom.what == what &&
		    record->oom.pid == pid)
			return &record->oom;
	}
	return NULL;
}

static int verdict_worker_pid(const struct record_log *log)
{
	const struct record *worker = record_last(log, RECORD_WORKER);

	return worker ? worker->worker.pid : 0;
}

static enum outcome verdict_of_death(const struct record_log *log, const struct record_exit *end)
{
	const struct kmsg_oom *chosen = verdict_find_oom(log, KMSG_CHOSEN, verdict_worker_pid(log));

	if (!end->signal)
		return OUTCOME_DIED;
	/* memory.events counts both kinds of OOM; only the log tells them apart. */
	if (end->signal == SIGKILL && verdict_kills(log))
		return chosen && !*chosen->oom_memcg ? OUTCOME_GLOBAL_OOM : OUTCOME_OOM;
	return OUTCOME_KILLED;
}

enum outcome verdict_of_stop(__u32 stop)
{
	switch (stop) {
	case MEMSTRESS_STOP_DONE:
		return OUTCOME_DONE;
	case MEMSTRESS_STOP_LIMIT:
		return OUTCOME_CAP;
	case MEMSTRESS_STOP_UNKILLABLE:
		return OUTCOME_UNKILLABLE;
	default:
		return OUTCOME_ENOMEM;
	}
}

static enum outcome verdict_outcome(const struct record_log *log)
{
	const struct record *end = record_last(log, RECORD_EXIT);
	const struct record *alloc = record_last(log, RECORD_ALLOC);

	if (record_last(log, RECORD_STOP))
		return OUTCOME_STOPPED;
	if (end && (end->exit.signal || end->exit.code))
		return verdict_of_death(log, &end->exit);
	return alloc ? verdict_of_stop(alloc->alloc.alloc.stop) : OUTCOME_DIED;
}

bool verdict_holds(enum expect expected, enum outcome outcome)
{
	switch (expected) {
	case EXPECT_DONE:
		return outcome == OUTCOME_DONE;
	case EXPECT_OOM:
		return outcome == OUTCOME_OOM;
	case EXPECT_ENOMEM:
		return outcome == OUTCOME_ENOMEM;
	case EXPECT_KILLED:
		return outcome == OUTCOME_OOM || outcome == OUTCOME_GLOBAL_OOM ||
		       outcome == OUTCOME_KILLED;
	case EXPECT_SURVIVE:
		return outcome == OUTCOME_DONE || outcome == OUTCOME_ENOMEM ||
		       outcome == OUTCOME_CAP || outcome == OUTCOME_UNKILLABLE;
	default:
		return false;
	}
}

/* The first record that tells of a kill; NULL if there is none. */
static const struct record *verdict_first_kill(const struct record_log *log)
{
	unsigned int i;

	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type == RECORD_OOM && record->oom.what == KMSG_KILLED)
			return record;
		if (record->type == RECORD_EVENTS && record->events.value[EVENT_OOM_KILL])
			return record;
	}
	return NULL;
}

static void verdict_tell_oom(const struct record_log *log, char *text, size_t size)
{
	const struct record *cgroup = record_last(log, RECORD_CGROUP);
	const struct record *step = record_last(log, RECORD_STEP);
	const struct record *kill = verdict_first_kill(log);
	int pid = verdict_worker_pid(log);
	const struct kmsg_oom *chosen = verdict_find_oom(log, KMSG_CHOSEN, pid);
	const struct record *release = record_last(log, RECORD_RELEASE);
	const char *whose = "";
	char when[64] = "", freed[80] = "";

	if (chosen && cgroup)
		whose = strcmp(chosen->oom_memcg, cgroup->cgroup.name) ?
				" for the limit of an ancestor" :
				" for the limit of its cgroup";
	if (step && kill)
		snprintf(when, sizeof(when), ", %s after step %u began",
			 units_ns(kill->time_ns - step->time_ns).s, step->step.number);
	if (release && release->release.is_marked)
		snprintf(freed, sizeof(freed), "; %s after it was chosen its memory was free",
			 units_ns(release->release.since_mark_ns).s);
	snprintf(text, size, "the OOM killer killed worker %d%s%s%s", pid, whose, when, freed);
}

static void verdict_tell_enomem(const struct record_log *log, char *text, size_t size)
{
	const struct record *alloc = record_last(log, RECORD_ALLOC);
	const struct record *oom = record_last(log, RECORD_OOM);

	snprintf(text, size, "step %u was refused memory after %llu objects%s", alloc->alloc.number,
		 alloc->alloc.alloc.books.objects,
		 oom && oom->oom.what == KMSG_NO_VICTIM ?
			 "; the OOM killer found nobody to kill in the cgroup" :
			 "");
}

static void verdict_tell(const struct record_log *log, enum outcome outcome, char *text,
			 size_t size)
{
	const struct record *end = record_last(log, RECORD_EXIT);
	const struct record *stop = record_last(log, RECORD_STOP);
	int pid = verdict_worker_pid(log);

	switch (outcome) {
	case OUTCOME_DONE:
		snprintf(text, size, "every step was done");
		break;
	case OUTCOME_ENOMEM:
		verdict_tell_enomem(log, text, size);
		break;
	case OUTCOME_OOM:
		verdict_tell_oom(log, text, size);
		break;
	case OUTCOME_GLOBAL_OOM:
		snprintf(text, size,
			 "the whole machine was out of memory and the OOM killer took worker %d",
			 pid);
		break;
	case OUTCOME_KILLED:
		snprintf(text, size,
			 "worker %d died of signal %d (%s), and the OOM killer did not send it",
			 pid, end->exit.signal, strsignal(end->exit.signal));
		break;
	case OUTCOME_DIED:
		snprintf(text, size, "worker %d ended before it was done", pid);
		break;
	case OUTCOME_CAP:
		snprintf(text, size, "a cap of the module was reached first; see memstress doctor");
		break;
	case OUTCOME_UNKILLABLE:
		snprintf(text, size, "the worker could not be killed, so the module freed it all");
		break;
	case OUTCOME_STOPPED:
		snprintf(text, size, "%s", stop->text);
		break;
	}
}

/*
 * By how much usage moved, against the books. Byte charges are rounded up to a page for each
 * objcg, of which newer kernels have one a node; which node paid what, nobody tells.
 */
static bool verdict_moved_exactly(const struct memstress_info *info, const struct charge *charge,
				  const struct snapshot *from, const struct snapshot *to)
{
	__u64 expected = charge_usage(charge, info->page_size);
	__u64 moved = to->usage_bytes - from->usage_bytes;
	__u64 more_pages = charge->byte_bytes ? info->online_nodes - 1 : 0;

	return moved >= expected && moved - expected <= more_pages * info->page_size;
}

static bool verdict_has_user_memory(const struct record_log *log)
{
	unsigned int i;

	for (i = 0; i < log->count; i++)
		if (log->records[i]->type == RECORD_ALLOC &&
		    log->records[i]->alloc.kind >= MEMSTRESS_KIND_END)
			return true;
	return false;
}

/* Something was reclaimed, or may have been: what was made need not be there any more. */
static bool verdict_was_under_pressure(const struct snapshot *from, const struct snapshot *to)
{
	static const enum snapshot_event events[] = { EVENT_HIGH, EVENT_MAX, EVENT_FAILCNT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (from->events.value[events[i]] != to->events.value[events[i]])
			return true;
	return false;
}

static bool verdict_is_exact(const struct record_counters *counters)
{
	return counters->settled && counters->settle.state == MEMSTRESS_SETTLE_EXACT;
}

/*
 * The lines of memory.stat that user memory moves. They may be late by a batch for each CPU that is
 * not yet added up, and as much that is not yet worth adding up (memcg_vmstats_needs_flush() in
 * mm/memcontrol.c), at both looks.
 */
static bool verdict_stat_holds(const struct charge *charge, const struct snapshot *from,
			       const struct snapshot *to, __u64 page_size, __u64 late,
			       bool *is_exact)
{
	static const enum snapshot_stat lines[] = {
		STAT_ANON, STAT_FILE,         STAT_SHMEM,      STAT_HUGETLB,
		STAT_SOCK, STAT_KERNEL_STACK, STAT_PAGETABLES,
	};
	unsigned int i;

	*is_exact = !charge->more_bytes;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		__u64 before = from->stat[lines[i]], after = to->stat[lines[i]];
		__u64 least = charge_stat(charge, lines[i], page_size);
		long long difference;

		if (after == CG_MISSING)
			continue;
		difference = charge_difference((long long)(after - before), least,
					       charge_stat_more(charge, lines[i], page_size));
		*is_exact &= !difference;
		if (difference > (long long)late || difference < -(long long)late)
			return false;
	}
	return true;
}

/*
 * User memory is paid for by the worker, which is in the cgroup itself; but all that it needs for
 * itself is there before the first step. So usage moves by the charge, and what CPUs have in stock
 * unless that could be settled.
 */
static enum record_books verdict_user_books(const struct record_log *log,
					    struct record_verdict *verdict)
{
	const struct record *run = record_last(log, RECORD_RUN);
	const struct record *base = record_counters(log, WHEN_BASELINE);
	const struct record *held = record_counters(log, WHEN_HELD);
	const struct memstress_info *info;
	const struct snapshot *from, *to;
	__u64 stock, slack;
	struct charge charge;
	long long difference;

	if (!run || !base || !held)
		return BOOKS_NOT_JUDGED;
	info = &run->run.info;
	from = &base->counters.snapshot;
	to = &held->counters.snapshot;
	if (verdict_was_under_pressure(from, to))
		return BOOKS_NOT_JUDGED;
	verdict_sum(log, &charge);
	stock = (__u64)info->charge_batch_pages * info->page_size * info->online_cpus;
	slack = verdict_is_exact(&base->counters) && verdict_is_exact(&held->counters) ? 0 : stock;
	difference = charge_difference((long long)(to->usage_bytes - from->usage_bytes),
				       charge_usage(&charge, info->page_size),
				       charge_usage_more(&charge, info->page_size));
	verdict->bound_bytes = charge_usage_more(&charge, info->page_size) + slack;
	if (difference > (long long)slack || difference < -(long long)slack ||
	    !verdict_stat_holds(&charge, from, to, info->page_size, 4 * stock,
				&verdict->stat_is_exact))
		return BOOKS_WRONG;
	return verdict->bound_bytes ? BOOKS_WITHIN : BOOKS_EXACT;
}

/*
 * Only a new and empty cgroup has exact books: in others memory of the worker, or of others, moves
 * too. The counters are judged where they could be settled.
 */
static enum record_books verdict_books(const struct job *job, const struct record_log *log,
				       struct record_verdict *verdict)
{
	const struct record *run = record_last(log, RECORD_RUN);
	const struct record *cgroup = record_last(log, RECORD_CGROUP);
	const struct record *base = record_counters(log, WHEN_BASELINE);
	const struct record *held = record_counters(log, WHEN_HELD);
	const struct record *freed = record_counters(log, WHEN_FREED);
	enum record_books books = BOOKS_NOT_JUDGED;
	struct charge charge;

	if (cgroup && cgroup->cgroup.is_found)
		return books;
	if (verdict_has_user_memory(log))
		return verdict_user_books(log, verdict);
	if (!job->outside || !run || !base || !base->counters.settled)
		return books;
	verdict_sum(log, &charge);
	if (held && held->counters.settled &&
	    held->counters.settle.state == MEMSTRESS_SETTLE_EXACT) {
		if (!verdict_moved_exactly(&run->run.info, &charge, &base->counters.snapshot,
					   &held->counters.snapshot))
			return BOOKS_WRONG;
		books = BOOKS_EXACT;
	}
	if (freed && freed->counters.settled &&
	    freed->counters.settle.state == MEMSTRESS_SETTLE_EXACT) {
		if (freed->counters.snapshot.usage_bytes != base->counters.snapshot.usage_bytes)
			return BOOKS_WRONG;
		books = BOOKS_EXACT;
	}
	return books;
}

/* Objects that the kernel charges to somebody else, or to nobody, as far as it can be asked. */
static __u64 verdict_misplaced(const struct record_log *log)
{
	__u64 objects = 0;
	unsigned int i;

	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type == RECORD_AUDIT)
			objects += record->audit.audit.wrong_objects +
				   record->audit.audit.unowned_objects;
	}
	return objects;
}

void verdict_judge(const struct job *job, const struct record_log *log,
		   struct record_verdict *verdict)
{
	enum outcome outcome = verdict_outcome(log);
	__u64 misplaced = verdict_misplaced(log);
	char told[512];

	memset(verdict, 0, sizeof(*verdict));
	verdict->expected = job->expect;
	verdict->outcome = verdict_outcomes[outcome];
	verdict->books = verdict_books(job, log, verdict);
	verdict->pass = verdict_holds(job->expect, outcome);
	verdict_tell(log, outcome, told, sizeof(told));
	if (verdict->pass && misplaced) {
		verdict->pass = false;
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "%s, but %llu objects are not charged to whom they should be", told,
			 misplaced);
	} else if (verdict->pass && verdict->books == BOOKS_WRONG) {
		verdict->pass = false;
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "%s, but the books do not balance", told);
	} else if (verdict->pass && verdict->books == BOOKS_WITHIN) {
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "%s, and the books balance within %s%s", told,
			 units_bytes(verdict->bound_bytes).s,
			 verdict->stat_is_exact ? ", memory.stat to the byte" : "");
	} else if (verdict->pass) {
		snprintf(verdict->reason, sizeof(verdict->reason), "%s%s", told,
			 verdict->books == BOOKS_EXACT ? ", and the books balance to the byte" :
							 "");
	} else {
		snprintf(verdict->reason, sizeof(verdict->reason), "expected %s: %s",
			 job_expect_name(job->expect), told);
	}
}
