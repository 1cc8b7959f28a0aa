// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "scenario_story.h"
#include "story.h"

static void scenario_story_limit(const char **comma, const char *name, __u64 bytes)
{
	if (bytes == CG_UNLIMITED)
		return;
	output_print("%s%s %s", *comma, name, units_bytes(bytes).s);
	*comma = ", ";
}

/* Those of its limits that were set. */
static void scenario_story_tell_cgroup(const struct record_cgroup *cgroup)
{
	const char *comma = ": ";

	output_styled(OUTPUT_FAINT, "%-8s", "cgroup");
	output_print("%s", cgroup->path);
	scenario_story_limit(&comma, "max", cgroup->max_bytes);
	scenario_story_limit(&comma, "high", cgroup->high_bytes);
	scenario_story_limit(&comma, "low", cgroup->low_bytes);
	scenario_story_limit(&comma, "min", cgroup->min_bytes);
	scenario_story_limit(&comma, "swap", cgroup->swap_max_bytes);
	scenario_story_limit(&comma, "zswap", cgroup->zswap_max_bytes);
	if (cgroup->oom_group)
		output_print("%skilled as a group", comma);
	output_print("\n");
}

static struct units_text scenario_story_bytes(__u64 bytes)
{
	struct units_text none = { "-" };

	return bytes == CG_MISSING ? none : units_bytes(bytes);
}

static void scenario_story_tell_written(const struct record_written *written)
{
	struct units_text max = { "max" };

	output_print("%s: %s %s, ", written->cgroup, written->file,
		     written->bytes == CG_UNLIMITED ? max.s : units_bytes(written->bytes).s);
	if (!written->is_done)
		output_print("whose write has not ended in %s", units_ns(written->write_ns).s);
	else if (written->error)
		output_print("refused after %s: %s", units_ns(written->write_ns).s,
			     strerror(-written->error));
	else
		output_print("written in %s", units_ns(written->write_ns).s);
	output_print("; usage was %s, is %s\n", scenario_story_bytes(written->before_bytes).s,
		     scenario_story_bytes(written->after_bytes).s);
}

static void scenario_story_tell_moved(const struct record_moved *moved)
{
	if (moved->error)
		output_print("cannot be moved into %s: %s\n", moved->cgroup,
			     strerror(-moved->error));
	else
		output_print("moved into %s, whose usage was %s, is %s\n", moved->cgroup,
			     scenario_story_bytes(moved->before_bytes).s,
			     scenario_story_bytes(moved->after_bytes).s);
}

static void scenario_story_line(const struct record *record)
{
	story_time(record);
	if (record->type == RECORD_WRITTEN) {
		scenario_story_tell_written(&record->written);
		return;
	}
	output_print("%s: ", record->whose);
	scenario_story_tell_moved(&record->moved);
}

/* What is left out stands in the tables, or in other lines. */
void scenario_story_tell(const struct record *record)
{
	static bool is_head = true;

	if (record->type == RECORD_CGROUP) {
		scenario_story_tell_cgroup(&record->cgroup);
		return;
	}
	if (is_head && record->type != RECORD_RUN) {
		output_print("\n");
		is_head = false;
	}
	switch (record->type) {
	case RECORD_ENDED:
	case RECORD_USED:
	case RECORD_EXPECTED:
	case RECORD_JUDGED:
		break;
	case RECORD_WRITTEN:
	case RECORD_MOVED:
		scenario_story_line(record);
		break;
	default:
		story_tell(record);
	}
}

/* "oom of a", "killed, signal 15" */
static void scenario_story_print_end(struct output_table *table, const struct record_ended *ended)
{
	if (*ended->limit)
		output_table_cell(table, "%s of %s", ended->outcome, ended->limit);
	else if (ended->signal && strcmp(ended->outcome, "oom"))
		output_table_cell(table, "%s, signal %d", ended->outcome, ended->signal);
	else
		output_table_cell(table, "%s", ended->outcome);
}

static void scenario_story_print_workers(const struct record_log *log)
{
	struct output_table table;
	unsigned int i;

	output_table_init(&table, "lrlrrl");
	output_table_row(&table);
	output_table_cell(&table, "worker");
	output_table_cell(&table, "process");
	output_table_cell(&table, "cgroup");
	output_table_cell(&table, "objects");
	output_table_cell(&table, "requested");
	output_table_cell(&table, "ended");
	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type != RECORD_ENDED)
			continue;
		output_table_row(&table);
		output_table_cell(&table, "%s", record->whose);
		output_table_cell(&table, "%d", record->ended.pid);
		output_table_cell(&table, "%s", record->ended.cgroup);
		output_table_cell(&table, "%llu", record->ended.objects);
		output_table_cell(&table, "%s", units_bytes(record->ended.requested_bytes).s);
		scenario_story_print_end(&table, &record->ended);
	}
	output_print("\n");
	output_table_print(&table);
}

/* "max 35, oom 1": those that there were. */
static void scenario_story_print_events(struct output_table *table,
					const struct snapshot_events *events)
{
	char text[256] = "none";
	size_t length = 0;
	int i;

	for (i = 0; i < EVENT_END && length < sizeof(text); i++)
		if (events->value[i] && events->value[i] != CG_MISSING)
			length += snprintf(text + length, sizeof(text) - length, "%s%s %llu",
					   length ? ", " : "", snapshot_event_names[i],
					   events->value[i]);
	output_table_cell(table, "%s", text);
}

static void scenario_story_print_cgroups(const struct record_log *log)
{
	struct output_table table;
	unsigned int i;

	output_table_init(&table, "lrrrrl");
	output_table_row(&table);
	output_table_cell(&table, "cgroup");
	output_table_cell(&table, "max");
	output_table_cell(&table, "peak");
	output_table_cell(&table, "usage");
	output_table_cell(&table, "swap");
	output_table_cell(&table, "events");
	for (i = 0; i < log->count; i++) {
		const struct record_used *used = &log->records[i]->used;

		if (log->records[i]->type != RECORD_USED)
			continue;
		output_table_row(&table);
		output_table_cell(&table, "%s", used->cgroup);
		output_table_cell(&table, "%s", story_limit(used->max_bytes).s);
		output_table_cell(&table, "%s", scenario_story_bytes(used->peak_bytes).s);
		output_table_cell(&table, "%s", units_bytes(used->usage_bytes).s);
		output_table_cell(&table, "%s", scenario_story_bytes(used->swap_bytes).s);
		scenario_story_print_events(&table, &used->events);
	}
	output_print("\n");
	output_table_print(&table);
}

static void scenario_story_print_expectations(const struct record_log *log)
{
	struct output_table table;
	unsigned int i;

	output_table_init(&table, "llll");
	output_table_row(&table);
	output_table_cell(&table, "expected of");
	output_table_cell(&table, "is");
	output_table_cell(&table, "seen");
	output_table_cell(&table, "holds");
	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type != RECORD_EXPECTED)
			continue;
		output_table_row(&table);
		output_table_cell(&table, "%s", record->whose);
		output_table_cell(&table, "%s", record->expected.text);
		output_table_cell(&table, "%s", record->expected.seen);
		output_table_cell(&table, "%s", record->expected.holds ? "yes" : "NO");
	}
	output_print("\n");
	output_table_print(&table);
}

void scenario_story_end(const struct record_log *log)
{
	const struct record *record = record_last(log, RECORD_JUDGED);

	scenario_story_print_workers(log);
	scenario_story_print_cgroups(log);
	scenario_story_print_expectations(log);
	output_styled(record->judged.pass ? OUTPUT_GOOD : OUTPUT_BAD, "\n%s",
		      record->judged.pass ? "PASS" : "FAIL");
	output_print(": %s\n", record->judged.reason);
}
