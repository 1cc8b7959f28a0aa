// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "device.h"
#include "output.h"
#include "plan.h"
#include "story.h"
#include "tally.h"

struct units_text story_limit(__u64 bytes)
{
	struct units_text none = { "none" };

	return bytes == CG_UNLIMITED ? none : units_bytes(bytes);
}

static void story_head(const char *name)
{
	output_styled(OUTPUT_FAINT, "%-8s", name);
}

static void story_tell_run(const struct record_run *run)
{
	const struct memstress_info *info = &run->info;

	story_head("kernel");
	output_print("%s, %u CPU%s; a CPU takes charges %u pages of %s at a time\n", run->kernel,
		     info->online_cpus, info->online_cpus == 1 ? "" : "s", info->charge_batch_pages,
		     units_bytes(info->page_size).s);
}

static void story_tell_cgroup(const struct record_cgroup *cgroup)
{
	story_head("cgroup");
	output_print("%s%s\n", cgroup->path, cgroup->is_found ? ", which was there before" : "");
	story_head("limits");
	output_print("max %s, high %s, swap %s", story_limit(cgroup->max_bytes).s,
		     story_limit(cgroup->high_bytes).s, story_limit(cgroup->swap_max_bytes).s);
	if (cgroup->zswap_max_bytes != CG_UNLIMITED)
		output_print(", zswap %s", story_limit(cgroup->zswap_max_bytes).s);
	if (cgroup->low_bytes && cgroup->low_bytes != CG_UNLIMITED)
		output_print("; low %s", story_limit(cgroup->low_bytes).s);
	if (cgroup->min_bytes && cgroup->min_bytes != CG_UNLIMITED)
		output_print("; min %s", story_limit(cgroup->min_bytes).s);
	if (cgroup->oom_group)
		output_print(", killed as a group");
	if (cgroup->effective_max_bytes != cgroup->max_bytes)
		output_print("; above it %s has max %s", cgroup->effective_max_path,
			     units_bytes(cgroup->effective_max_bytes).s);
	output_print("\n\n");
}

static void story_tell_fill(const struct record_fill *fill)
{
	story_head("fill");
	output_print("%s to %s", fill->group_path, units_bytes(fill->level_bytes).s);
	if (fill->amount.unit == AMOUNT_PERCENT)
		output_print(", %s of its max %s", units_amount(fill->amount).s,
			     units_bytes(fill->effective_max_bytes).s);
	output_print(", by %s, %s\n", job_objects(&fill->step).s, job_manner(&fill->step).s);
	if (strcmp(fill->path, fill->group_path)) {
		story_head("from");
		output_print("%s\n", fill->path);
	}
	if (fill->view_ends) {
		story_head("view");
		output_print("ends at the root of what can be seen here; above it may be limits\n");
	}
	output_print("\n");
}

/* Small ones go on all the time. */
static bool story_is_big(const struct record_fill_move *move)
{
	__u64 by = move->held_bytes > move->before_bytes ? move->held_bytes - move->before_bytes :
							   move->before_bytes - move->held_bytes;

	return by > move->level_bytes / 100;
}

static void story_tell_fill_move(const struct record_fill_move *move)
{
	output_print("usage is %s: ", units_bytes(move->usage_bytes).s);
	if (move->held_bytes > move->before_bytes)
		output_print("made %s more", units_bytes(move->held_bytes - move->before_bytes).s);
	else
		output_print("freed %s", units_bytes(move->before_bytes - move->held_bytes).s);
	output_print(", %s held\n", units_bytes(move->held_bytes).s);
}

static void story_tell_filled(const struct record_filled *filled)
{
	if (!filled->looks) {
		output_print("the level was not reached\n");
		return;
	}
	output_print("%s for %s: usage was %s to %s, more than 1%% off at %llu of %llu looks\n",
		     filled->reached ? "held" : "tried", units_ns(filled->held_ns).s,
		     units_bytes(filled->lowest_bytes).s, units_bytes(filled->highest_bytes).s,
		     filled->looks_off, filled->looks);
}

void story_time(const struct record *record)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f s", (double)record->time_ns / NS_PER_S);
	output_styled(OUTPUT_FAINT, "%11s  ", text);
}

static void story_tell_step(const struct record_step *record)
{
	const struct step *step = &record->step;

	output_print("step %u: ", record->number);
	if (record->count != PLAN_UNBOUNDED)
		output_print("%llu objects of ", record->count);
	output_print("%s, %s", job_objects(step).s, job_manner(step).s);
	if (step->growth.shape != GROWTH_ONCE)
		output_print(", %s", growth_describe(&step->growth).s);
	if (step->wait_ns)
		output_print(", after a wait of %s", units_ns(step->wait_ns).s);
	if (step->node != MEMSTRESS_NODE_ANY)
		output_print(", node %d", step->node);
	if (step->zero)
		output_print(", zeroed");
	if (!step->account)
		output_print(", charged to nobody");
	if (step->until == UNTIL_USAGE)
		output_print(", until usage is %s", units_bytes(record->until_bytes).s);
	else if (step->until != UNTIL_DONE)
		output_print(", until %s", job_until_name(step->until));
	output_print("\n");
}

/* What has a rate moves more often than people can read: one move a second of it is told. */
static bool story_has_time_for(const struct record *record)
{
	static unsigned int number;
	static __u64 last_ns;

	if (record->level.shape == GROWTH_LINEAR && record->level.number == number &&
	    record->time_ns - last_ns < NS_PER_S)
		return false;
	number = record->level.number;
	last_ns = record->time_ns;
	return true;
}

/* Of the worker's cgroup, where there are several; without swap there is nothing to say of it. */
static void story_tell_level_usage(const struct record_level *record)
{
	output_print("; usage %s", units_bytes(record->usage_bytes).s);
	if (record->swap_bytes && record->swap_bytes != CG_MISSING)
		output_print(" and %s swapped out", units_bytes(record->swap_bytes).s);
}

static void story_tell_level(const struct record_level *record)
{
	output_print("step %u: at %s, %llu objects", record->number,
		     units_bytes(record->requested_bytes).s, record->objects);
	if (record->objects != record->target)
		output_print(" of %llu", record->target);
	if (record->usage_bytes)
		story_tell_level_usage(record);
	output_print("\n");
}

static void story_tell_alloc(const struct record_alloc *record)
{
	const struct memstress_alloc *alloc = &record->alloc;
	const char *how = device_stop_name(alloc->stop);

	if (alloc->stop == MEMSTRESS_STOP_FAILED)
		how = "refused";
	else if (alloc->stop == MEMSTRESS_STOP_LIMIT)
		how = "a cap of the module is reached";
	output_print("step %u: %s; ", record->number, how);
	output_print("%llu objects in %s, the slowest took %s\n", alloc->books.objects,
		     units_ns(alloc->total_ns).s, units_ns(alloc->slowest_ns).s);
}

/* Objects that are charged by the byte have nothing to tell. */
static void story_tell_audit(const struct record_audit *record)
{
	const struct memstress_audit *audit = &record->audit;

	output_print("step %u: ", record->number);
	if (!audit->right_objects && !audit->first_handle) {
		output_print("charged by the byte, so the kernel does not tell to whom\n");
		return;
	}
	output_print("the kernel charges %llu objects to whom it should", audit->right_objects);
	if (audit->unasked_objects)
		output_print(", tells nothing of %llu", audit->unasked_objects);
	if (audit->wrong_objects)
		output_print(", %llu to another cgroup", audit->wrong_objects);
	if (audit->unowned_objects)
		output_print(", %llu to nobody", audit->unowned_objects);
	output_print("\n");
}

static void story_tell_events(const struct snapshot_events *events)
{
	const char *comma = "";
	int i;

	output_print("%s: ", snapshot_events_source(events));
	for (i = 0; i < EVENT_END; i++) {
		if (events->value[i] == CG_MISSING || !events->value[i])
			continue;
		output_print("%s%s +%llu", comma, snapshot_event_names[i], events->value[i]);
		comma = ", ";
	}
	output_print("\n");
}

static void story_tell_oom(const struct kmsg_oom *oom)
{
	if (oom->what == KMSG_NO_VICTIM)
		output_print("kernel log: out of memory, and nobody there to kill\n");
	else if (oom->what == KMSG_KILLED)
		output_print("kernel log: killed %d (%s), which had %s of anonymous memory\n",
			     oom->pid, oom->task, units_bytes(oom->anon_rss_bytes).s);
	else
		output_print("kernel log: out of memory in %s, chosen %d (%s) of %s\n",
			     *oom->oom_memcg ? oom->oom_memcg : "the whole machine", oom->pid,
			     oom->task, oom->task_memcg);
}

static void story_tell_exit(const struct record_exit *end)
{
	if (end->signal)
		output_print("worker died of signal %d (%s)\n", end->signal,
			     strsignal(end->signal));
	else if (end->code)
		output_print("worker ended with code %d\n", end->code);
	else
		output_print("worker ended\n");
}

static void story_tell_free(const struct record_free *record)
{
	output_print("freed %llu objects, %s", record->free.books.objects,
		     job_free_order_name(record->order));
	if (record->method != MEMSTRESS_FREE_SINGLY)
		output_print(", by %s", kind_free_method_name(record->method));
	if (record->context != MEMSTRESS_CONTEXT_TASK)
		output_print(", in %s", kind_context_name(record->context));
	output_print(", in %s\n", units_ns(record->free.total_ns).s);
}

static void story_tell_release(const struct record_release *release)
{
	output_print("usage is down to %s, %s after the kill", units_bytes(release->usage_bytes).s,
		     units_ns(release->since_kill_ns).s);
	if (release->is_marked)
		output_print("; the module had freed it %s after the choice",
			     units_ns(release->since_mark_ns).s);
	output_print("\n");
}

/* A line for each; the numbers of counters and verdict stand in the tables. */
void story_tell(const struct record *record)
{
	switch (record->type) {
	case RECORD_RUN:
		story_tell_run(&record->run);
		return;
	case RECORD_CGROUP:
		story_tell_cgroup(&record->cgroup);
		return;
	case RECORD_COUNTERS:
	case RECORD_VERDICT:
	case RECORD_ERROR:
		return;
	case RECORD_FILL:
		story_tell_fill(&record->fill);
		return;
	case RECORD_FILL_MOVE:
		if (!story_is_big(&record->fill_move))
			return;
		break;
	case RECORD_LEVEL:
		if (!story_has_time_for(record))
			return;
		break;
	default:
		break;
	}
	story_time(record);
	if (*record->whose)
		output_print("%s: ", record->whose);
	switch (record->type) {
	case RECORD_WORKER:
		if (*record->worker.cgroup) {
			output_print("worker %d started in %s\n", record->worker.pid,
				     record->worker.cgroup);
			break;
		}
		output_print("worker %d %s\n", record->worker.pid,
			     record->worker.outside ? "started outside; the cgroup will pay" :
						      "placed in the cgroup, pays for itself");
		break;
	case RECORD_STEP:
		story_tell_step(&record->step);
		break;
	case RECORD_LEVEL:
		story_tell_level(&record->level);
		break;
	case RECORD_AUDIT:
		story_tell_audit(&record->audit);
		break;
	case RECORD_ALLOC:
		story_tell_alloc(&record->alloc);
		break;
	case RECORD_EVENTS:
		story_tell_events(&record->events);
		break;
	case RECORD_OOM:
		story_tell_oom(&record->oom);
		break;
	case RECORD_HOLD:
		output_print("holding for %s\n", units_ns(record->hold.hold_ns).s);
		break;
	case RECORD_FILL_MOVE:
		story_tell_fill_move(&record->fill_move);
		break;
	case RECORD_FILLED:
		story_tell_filled(&record->filled);
		break;
	case RECORD_CHURN:
		output_print("step %u: %llu objects freed and made again, in %llu rounds\n",
			     record->churn.number, record->churn.objects, record->churn.rounds);
		break;
	case RECORD_FREE:
		story_tell_free(&record->free);
		break;
	case RECORD_EXIT:
		story_tell_exit(&record->exit);
		break;
	case RECORD_RELEASE:
		story_tell_release(&record->release);
		break;
	default:
		output_print("%s\n", record->text);
	}
}

void story_end(const struct record_log *log)
{
	const struct record *record = record_last(log, RECORD_VERDICT);

	tally_print(log);
	output_styled(record->verdict.pass ? OUTPUT_GOOD : OUTPUT_BAD, "\n%s",
		      record->verdict.pass ? "PASS" : "FAIL");
	output_print(": %s\n", record->verdict.reason);
}
