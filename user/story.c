// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "device.h"
#include "output.h"
#include "plan.h"
#include "story.h"
#include "tally.h"

static struct units_text story_limit(__u64 bytes)
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
	output_print("%s\n", cgroup->path);
	story_head("limits");
	output_print("max %s, high %s, swap %s", story_limit(cgroup->max_bytes).s,
		     story_limit(cgroup->high_bytes).s, story_limit(cgroup->swap_max_bytes).s);
	if (cgroup->oom_group)
		output_print(", killed as a group");
	if (cgroup->effective_max_bytes != cgroup->max_bytes)
		output_print("; above it %s has max %s", cgroup->effective_max_path,
			     units_bytes(cgroup->effective_max_bytes).s);
	output_print("\n\n");
}

static void story_time(const struct record *record)
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
	output_print("%s, policy %s", job_objects(step).s, kind_policy_name(step->policy));
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
	output_print("freed %llu objects, %s, in %s\n", record->free.books.objects,
		     job_free_order_name(record->order), units_ns(record->free.total_ns).s);
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
	default:
		story_time(record);
	}
	switch (record->type) {
	case RECORD_WORKER:
		output_print("worker %d %s\n", record->worker.pid,
			     record->worker.outside ? "started outside; the empty cgroup will pay" :
						      "placed in the cgroup, pays for itself");
		break;
	case RECORD_STEP:
		story_tell_step(&record->step);
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
	case RECORD_FREE:
		story_tell_free(&record->free);
		break;
	case RECORD_EXIT:
		story_tell_exit(&record->exit);
		break;
	case RECORD_RELEASE:
		output_print("usage is down to %s, %s after the kill\n",
			     units_bytes(record->release.usage_bytes).s,
			     units_ns(record->release.since_kill_ns).s);
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
