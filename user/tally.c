// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "charge.h"
#include "device.h"
#include "output.h"
#include "tally.h"
#include "verdict.h"

/* The kind and size of a step stand in the record of its beginning. */
static const struct step *tally_find_step(const struct record_log *log, unsigned int number)
{
	unsigned int i;

	for (i = 0; i < log->count; i++)
		if (log->records[i]->type == RECORD_STEP && log->records[i]->step.number == number)
			return &log->records[i]->step.step;
	return NULL;
}

/* "4096", or "4096 to 8192" */
static void tally_cell_of_charge(struct output_table *table, __u64 least, __u64 more)
{
	if (more)
		output_table_cell(table, "%llu to %llu", least, least + more);
	else
		output_table_cell(table, "%llu", least);
}

static void tally_print_steps(const struct record_log *log)
{
	struct output_table table;
	unsigned int i;

	output_table_init(&table, "rllrrr");
	output_table_row(&table);
	output_table_cell(&table, "step");
	output_table_cell(&table, "objects of");
	output_table_cell(&table, "ended");
	output_table_cell(&table, "objects");
	output_table_cell(&table, "requested");
	output_table_cell(&table, "must be charged");
	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];
		const struct memstress_books *books = &record->alloc.alloc.books;
		const struct step *step;

		if (record->type != RECORD_ALLOC)
			continue;
		step = tally_find_step(log, record->alloc.number);
		output_table_row(&table);
		output_table_cell(&table, "%u", record->alloc.number);
		output_table_cell(&table, "%s", step ? job_objects(step).s : "");
		output_table_cell(&table, "%s", device_stop_name(record->alloc.alloc.stop));
		output_table_cell(&table, "%llu", books->objects);
		output_table_cell(&table, "%llu", books->requested_bytes);
		tally_cell_of_charge(&table, books->page_charged_bytes + books->byte_charged_bytes,
				     record->alloc.charge.more_bytes);
	}
	output_print("\n");
	output_table_print(&table);
}

/* What the files of this run's cgroup are called. */
static const struct cg_ops *tally_ops(const struct record_log *log)
{
	return cg_ops_of(record_last(log, RECORD_CGROUP)->cgroup.version);
}

static long long tally_row(struct output_table *table, const char *name, __u64 before, __u64 after,
			   __u64 expected, __u64 more)
{
	long long moved = (long long)(after - before);
	long long difference = charge_difference(moved, expected, more);

	output_table_row(table);
	output_table_cell(table, "%s", name);
	output_table_cell(table, "%llu", before);
	output_table_cell(table, "%llu", after);
	output_table_cell(table, "%lld", moved);
	tally_cell_of_charge(table, expected, more);
	output_table_cell(table, "%lld", difference);
	return difference;
}

/* Returns by how much usage differs from the books. */
static long long tally_print_counters(const struct record_log *log,
				      const struct record_counters *base,
				      const struct record_counters *held, __u64 page_size)
{
	const struct cg_ops *ops = tally_ops(log);
	struct output_table table;
	struct charge charge;
	long long difference;
	int i;

	verdict_sum(log, &charge);
	output_table_init(&table, "lrrrrr");
	output_table_row(&table);
	output_table_cell(&table, "bytes");
	output_table_cell(&table, "baseline");
	output_table_cell(&table, "held");
	output_table_cell(&table, "moved by");
	output_table_cell(&table, "must be");
	output_table_cell(&table, "difference");
	difference = tally_row(&table, ops->files[CG_USAGE], base->snapshot.usage_bytes,
			       held->snapshot.usage_bytes, charge_usage(&charge, page_size),
			       charge_usage_more(&charge, page_size));
	for (i = 0; i < STAT_END; i++) {
		__u64 before = base->snapshot.stat[i], after = held->snapshot.stat[i];
		__u64 expected = charge_stat(&charge, i, page_size);
		const char *file = i == STAT_KERNEL ? ops->files[CG_KERNEL] : NULL;
		char name[40];

		if (after == CG_MISSING || (before == after && !expected))
			continue;
		snprintf(name, sizeof(name), "memory.stat %s", ops->key(snapshot_stat_names[i]));
		tally_row(&table, file ? file : name, before, after, expected,
			  charge_stat_more(&charge, i, page_size));
	}
	output_print("\n");
	output_table_print(&table);
	return difference;
}

/*
 * Nothing could be read while a killed worker held its memory, but its height is on record.
 * Returns by how much it differs from the books. What a cgroup that was there before has once been
 * higher tells nothing.
 */
static long long tally_print_peak(const struct record_log *log, const struct record_counters *empty,
				  const struct record_counters *base,
				  const struct record_counters *after, __u64 page_size)
{
	struct output_table table;
	struct charge charge;
	__u64 charged, sum;

	if (after->snapshot.peak_bytes == CG_MISSING ||
	    after->snapshot.peak_bytes == empty->snapshot.peak_bytes)
		return 0;
	verdict_sum(log, &charge);
	charged = charge_usage(&charge, page_size);
	sum = base->snapshot.usage_bytes + charged;
	output_table_init(&table, "lrrrrr");
	output_table_row(&table);
	output_table_cell(&table, "bytes");
	output_table_cell(&table, "baseline");
	output_table_cell(&table, "must be charged");
	output_table_cell(&table, "sum");
	output_table_cell(&table, "peak");
	output_table_cell(&table, "difference");
	output_table_row(&table);
	output_table_cell(&table, "%s", tally_ops(log)->files[CG_PEAK]);
	output_table_cell(&table, "%llu", base->snapshot.usage_bytes);
	output_table_cell(&table, "%llu", charged);
	output_table_cell(&table, "%llu", sum);
	output_table_cell(&table, "%llu", after->snapshot.peak_bytes);
	output_table_cell(&table, "%lld", (long long)(after->snapshot.peak_bytes - sum));
	output_print("\n");
	output_table_print(&table);
	return (long long)(after->snapshot.peak_bytes - sum);
}

static __u64 tally_stock(const struct record_log *log)
{
	const struct memstress_info *info = &record_last(log, RECORD_RUN)->run.info;

	return (__u64)info->charge_batch_pages * info->page_size * info->online_cpus;
}

static bool tally_is_exact(const struct record_counters *counters)
{
	return counters->settled && counters->settle.state == MEMSTRESS_SETTLE_EXACT;
}

/* What else is in a difference. @held is NULL if it is that of the peak. */
static void tally_explain(const struct record_log *log, const struct record_counters *held)
{
	bool outside = record_last(log, RECORD_WORKER)->worker.outside;

	output_begin(OUTPUT_FAINT);
	if (record_last(log, RECORD_CGROUP)->cgroup.is_found)
		output_print("  The difference is what else is charged there, and in stock.");
	else if (held && tally_is_exact(held))
		output_print("  %s",
			     outside ? "Settled, and the cgroup is empty: there should be none." :
				       "The difference is the worker's own memory.");
	else
		output_print("  The difference is %swhat CPUs keep in stock (up to %s)%s.",
			     outside ? "" : "the worker's own memory, ",
			     units_bytes(tally_stock(log)).s,
			     held ? "" : ", and what there was of an object that was refused");
	output_end();
	output_print("\n");
}

static bool tally_has_event(const struct snapshot_events *events, enum snapshot_event event)
{
	return events->value[event] != CG_MISSING && events->value[event];
}

static void tally_row_of_event(struct output_table *table, enum snapshot_event event,
			       const struct snapshot *before, const struct snapshot *after,
			       bool local)
{
	output_table_row(table);
	output_table_cell(table, "%s", snapshot_event_names[event]);
	output_table_cell(table, "%llu", before->events.value[event]);
	output_table_cell(table, "%llu", after->events.value[event]);
	if (!local)
		return;
	output_table_cell(table, "%llu", before->events_local.value[event]);
	output_table_cell(table, "%llu", after->events_local.value[event]);
}

/* Those that there were. */
static void tally_print_events(const struct snapshot *before, const struct snapshot *after)
{
	const char *source = snapshot_events_source(&after->events);
	bool local = after->events_local.value[EVENT_OOM_KILL] != CG_MISSING;
	struct output_table table;
	int i = 0;

	while (i < EVENT_END && !tally_has_event(&after->events, i))
		i++;
	if (i == EVENT_END) {
		output_print("\n  %s: none\n", source);
		return;
	}
	output_table_init(&table, local ? "lrrrr" : "lrr");
	output_table_row(&table);
	output_table_cell(&table, "%s", source);
	output_table_cell(&table, "before");
	output_table_cell(&table, "after");
	if (local) {
		output_table_cell(&table, ".local before");
		output_table_cell(&table, "after");
	}
	for (i = 0; i < EVENT_END; i++)
		if (tally_has_event(&after->events, i))
			tally_row_of_event(&table, i, before, after, local);
	output_print("\n");
	output_table_print(&table);
}

static void tally_print_rest(const struct record_log *log, const struct snapshot *empty,
			     const struct record_counters *after)
{
	const struct snapshot *snapshot = &after->snapshot;
	long long rest = (long long)(snapshot->usage_bytes - empty->usage_bytes);
	const char *comma = "";
	int i;

	output_print("\n");
	if (!rest) {
		output_print("  All is back: usage is %llu bytes, as before the worker came.\n",
			     snapshot->usage_bytes);
		return;
	}
	output_print("  All but %lld bytes is back; what there is: ", rest);
	for (i = 0; i < STAT_END; i++) {
		if (snapshot->stat[i] == CG_MISSING || !snapshot->stat[i])
			continue;
		output_print("%s%s %llu", comma, snapshot_stat_names[i], snapshot->stat[i]);
		comma = ", ";
	}
	output_print("%s", *comma ? "" : "nothing in memory.stat");
	if (!tally_is_exact(after))
		output_print(", and CPUs may keep up to %s in stock",
			     units_bytes(tally_stock(log)).s);
	output_print(".\n");
}

void tally_print(const struct record_log *log)
{
	const struct record *run = record_last(log, RECORD_RUN);
	const struct record *empty = record_counters(log, WHEN_EMPTY);
	const struct record *base = record_counters(log, WHEN_BASELINE);
	const struct record *held = record_counters(log, WHEN_HELD);
	const struct record *after = record_counters(log, WHEN_AFTER);
	__u64 page_size = run->run.info.page_size;
	long long difference = 0;

	if (record_last(log, RECORD_ALLOC))
		tally_print_steps(log);
	if (base && held)
		difference = tally_print_counters(log, &base->counters, &held->counters, page_size);
	else if (empty && base && after)
		difference = tally_print_peak(log, &empty->counters, &base->counters,
					      &after->counters, page_size);
	if (difference)
		tally_explain(log, held ? &held->counters : NULL);
	if (empty && after) {
		tally_print_events(&empty->counters.snapshot, &after->counters.snapshot);
		tally_print_rest(log, &empty->counters.snapshot, &after->counters);
	}
}
