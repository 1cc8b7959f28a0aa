// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "verdict.h"

/* How a run ended, whatever was expected. */
enum outcome {
	OUTCOME_DONE,       /* every step made all that it was told to */
	OUTCOME_ENOMEM,     /* the last step was refused memory */
	OUTCOME_OOM,        /* the worker was OOM-killed for a limit of a cgroup */
	OUTCOME_GLOBAL_OOM, /* the worker was OOM-killed because the machine was full */
	OUTCOME_KILLED,     /* the worker was killed otherwise */
	OUTCOME_DIED,       /* the worker ended by itself */
	OUTCOME_CAP,        /* a cap of the module was in the way */
	OUTCOME_UNKILLABLE, /* the module gave all memory back to let the worker live */
	OUTCOME_STOPPED,    /* by a signal to the tool, or the timeout */
};

static const char *const verdict_outcomes[] = {
	[OUTCOME_DONE] = "done",       [OUTCOME_ENOMEM] = "enomem",
	[OUTCOME_OOM] = "oom",         [OUTCOME_GLOBAL_OOM] = "global_oom",
	[OUTCOME_KILLED] = "killed",   [OUTCOME_DIED] = "died",
	[OUTCOME_CAP] = "cap",         [OUTCOME_UNKILLABLE] = "unkillable",
	[OUTCOME_STOPPED] = "stopped",
};

void verdict_sum(const struct record_log *log, struct charge *charge)
{
	unsigned int i;

	memset(charge, 0, sizeof(*charge));
	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type == RECORD_ALLOC)
			charge_add(charge, record->alloc.kind, &record->alloc.alloc.books);
	}
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

static enum outcome verdict_of_stop(__u32 stop)
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

static bool verdict_holds(enum expect expected, enum outcome outcome)
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
	const char *whose = "";
	char when[64] = "";

	if (chosen && cgroup)
		whose = strcmp(chosen->oom_memcg, cgroup->cgroup.name) ?
				" for the limit of an ancestor" :
				" for the limit of its cgroup";
	if (step && kill)
		snprintf(when, sizeof(when), ", %s after step %u began",
			 units_ns(kill->time_ns - step->time_ns).s, step->step.number);
	snprintf(text, size, "the OOM killer killed worker %d%s%s", pid, whose, when);
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

/*
 * Only an empty cgroup has exact books: in the other ones the worker's own memory moves too. The
 * counters are judged where they could be settled.
 */
static enum record_books verdict_books(const struct job *job, const struct record_log *log)
{
	const struct record *run = record_last(log, RECORD_RUN);
	const struct record *base = record_counters(log, WHEN_BASELINE);
	const struct record *held = record_counters(log, WHEN_HELD);
	const struct record *freed = record_counters(log, WHEN_FREED);
	enum record_books books = BOOKS_NOT_JUDGED;
	struct charge charge;

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

void verdict_judge(const struct job *job, const struct record_log *log,
		   struct record_verdict *verdict)
{
	enum outcome outcome = verdict_outcome(log);
	char told[512];

	memset(verdict, 0, sizeof(*verdict));
	verdict->expected = job->expect;
	verdict->outcome = verdict_outcomes[outcome];
	verdict->books = verdict_books(job, log);
	verdict->pass = verdict_holds(job->expect, outcome);
	verdict_tell(log, outcome, told, sizeof(told));
	if (verdict->pass && verdict->books == BOOKS_WRONG) {
		verdict->pass = false;
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "%s, but the books do not balance", told);
	} else if (verdict->pass) {
		snprintf(verdict->reason, sizeof(verdict->reason), "%s%s", told,
			 verdict->books == BOOKS_EXACT ? ", and the books balance to the byte" :
							 "");
	} else {
		snprintf(verdict->reason, sizeof(verdict->reason), "expected %s: %s",
			 job_expect_name(job->expect), told);
	}
}
