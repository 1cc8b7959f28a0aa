// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "json.h"
#include "squeeze_json.h"

static void squeeze_json_add_begin(struct json_object *line, const struct record_squeeze *squeeze)
{
	static const char *const paces[] = {
		[SQUEEZE_BY_STEPS] = "steps",
		[SQUEEZE_BY_RATE] = "rate",
		[SQUEEZE_AT_ONCE] = "at_once",
	};
	const struct squeeze_plan *plan = &squeeze->plan;

	json_add_string(line, "path", squeeze->path);
	json_add_string(line, "name", squeeze->name);
	json_add_number(line, "id", squeeze->id);
	json_add_number(line, "version", squeeze->version);
	json_add_string(line, "limit", squeeze->limit);
	json_add_string(line, "file", squeeze->file);
	json_add_bytes(line, "old_bytes", squeeze->old_bytes);
	json_add_number(line, "usage_bytes", squeeze->usage_bytes);
	json_add_number(line, "start_bytes", plan->start_bytes);
	json_add_number(line, "floor_bytes", plan->floor_bytes);
	json_add_string(line, "pace", paces[plan->pace]);
	json_add_bytes(line, "step_bytes",
		       plan->pace == SQUEEZE_BY_STEPS ? plan->step_bytes : CG_MISSING);
	json_add_bytes(line, "bytes_per_s",
		       plan->pace == SQUEEZE_BY_RATE ? plan->bytes_per_s : CG_MISSING);
	json_add_number(line, "every_ns", plan->every_ns);
	json_add_bytes(line, "kills", plan->kills ? plan->kills : CG_MISSING);
	json_add_number(line, "racers", squeeze->racers);
	json_add_number(line, "stuck_after_ns", plan->stuck_after_ns);
	json_add_bool(line, "keep", squeeze->keep);
}

static void squeeze_json_add_lowered(struct json_object *line, const struct record_lowered *lowered)
{
	struct snapshot_events events = lowered->events;
	int i;

	/* What did not go up is left out, as what there is not. */
	for (i = 0; i < EVENT_END; i++)
		if (!events.value[i])
			events.value[i] = CG_MISSING;
	json_add_number(line, "step", lowered->step);
	json_add_number(line, "limit_bytes", lowered->limit_bytes);
	json_add_bytes(line, "limit_now_bytes", lowered->limit_now_bytes);
	json_add_number(line, "usage_before_bytes", lowered->usage_before_bytes);
	json_add_number(line, "usage_after_bytes", lowered->usage_after_bytes);
	json_add_number(line, "reclaimed_bytes", lowered->reclaimed_bytes);
	json_add_number(line, "write_ns", lowered->write_ns);
	json_add_bool(line, "done", lowered->is_done);
	json_add_number(line, "errno", -lowered->error);
	json_add_number(line, "kills", lowered->kills);
	json_add_keys(line, "events", snapshot_event_names, events.value, EVENT_END);
	if (!lowered->racers)
		return;
	json_add_number(line, "race_writes", lowered->race.writes);
	json_add_number(line, "race_refused", lowered->race.refused);
	json_add_number(line, "race_slowest_ns", lowered->race.slowest_ns);
}

static void squeeze_json_add_recovered(struct json_object *line,
				       const struct record_recovered *recovered)
{
	static const char *const names[] = {
		[BY_NOTHING] = NULL,
		[BY_RAISE] = "raise",
		[BY_SIGNAL] = "signal",
		[BY_KILL] = "kill",
	};

	json_add_string(line, "by", names[recovered->by]);
	json_add_number(line, "since_ns", recovered->since_ns);
}

static void squeeze_json_add_report(struct json_object *object,
				    const struct container_report *report)
{
	struct json_object *said;

	if (report->is_known) {
		said = json_add_object(object, "report");
		json_add_string(said, "status", report->status);
		json_add_bool(said, "running", report->is_running);
		json_add_number(said, "exit_code", report->exit_code);
		json_add_bool(said, "oom_killed", report->oom_killed);
	} else {
		json_add_null(object, "report");
	}
	json_add_string(object, "why", report->is_known ? NULL : report->why);
}

static void squeeze_json_add_fate(struct json_object *line, const struct fate *fate)
{
	struct json_object *object;

	if (!fate->is_container) {
		json_add_null(line, "container");
		return;
	}
	object = json_add_object(line, "container");
	json_add_string(object, "engine",
			fate->container.engine ? fate->container.engine->name : NULL);
	json_add_string(object, "id", fate->container.id);
	json_add_bytes(object, "pid", fate->pid ? (__u64)fate->pid : CG_MISSING);
	json_add_string(object, "name", fate->pid ? fate->name : NULL);
	json_add_string(object, "how", fate_how_name(fate->how));
	if (fate->oom == FATE_OOM_UNTOLD)
		json_add_null(object, "oom_killed");
	else
		json_add_bool(object, "oom_killed", fate->oom == FATE_OOM_YES);
	json_add_bytes(object, "signal",
		       fate->how == FATE_SIGNAL ? (__u64)fate->signal : CG_MISSING);
	json_add_bytes(object, "exit_code",
		       fate->code == FATE_NO_CODE ? CG_MISSING : (__u64)fate->code);
	json_add_number(object, "kernel_kills", fate->kills);
	json_add_bool(object, "restarted", fate->is_restarted);
	json_add_bool(object, "contradicted", fate_is_contradicted(fate));
	squeeze_json_add_report(object, &fate->report);
}

static void squeeze_json_add_unit(struct json_object *line, const struct record_squeezed *squeezed)
{
	const struct systemd_limit *unit = &squeezed->unit;
	struct json_object *object;

	if (!unit->is_unit) {
		json_add_null(line, "unit");
		return;
	}
	object = json_add_object(line, "unit");
	json_add_string(object, "name", unit->unit);
	json_add_string(object, "limit", unit->name);
	json_add_bytes(object, "bytes", unit->is_known ? unit->bytes : CG_MISSING);
	if (unit->is_known)
		json_add_bool(object, "agrees", systemd_limit_bytes(unit) == squeezed->now_bytes);
	else
		json_add_null(object, "agrees");
	json_add_string(object, "why", unit->is_known ? NULL : unit->why);
}

static void squeeze_json_add_end(struct json_object *line, const struct record_squeezed *squeezed)
{
	static const char *const lefts[] = {
		[LEFT_RESTORED] = "restored",
		[LEFT_KEPT] = "kept",
		[LEFT_FOREIGN] = "foreign",
		[LEFT_GONE] = "gone",
	};

	json_add_string(line, "outcome", squeeze_end_name(squeezed->end));
	json_add_number(line, "step", squeezed->step);
	json_add_number(line, "limit_bytes", squeezed->limit_bytes);
	json_add_number(line, "kills", squeezed->kills);
	json_add_bytes(line, "now_bytes", squeezed->now_bytes);
	json_add_string(line, "left", lefts[squeezed->left]);
	json_add_string(line, "flaw", squeezed->flaw);
	squeeze_json_add_unit(line, squeezed);
	squeeze_json_add_fate(line, &squeezed->fate);
}

const char *squeeze_json_type(const struct record *record)
{
	switch (record->type) {
	case RECORD_SQUEEZE:
		return "squeeze";
	case RECORD_LOWERED:
		return "lowered";
	case RECORD_RECOVERED:
		return "recovered";
	case RECORD_SQUEEZED:
		return "squeezed";
	default:
		return NULL;
	}
}

void squeeze_json_add(struct json_object *line, const struct record *record)
{
	switch (record->type) {
	case RECORD_SQUEEZE:
		squeeze_json_add_begin(line, &record->squeeze);
		break;
	case RECORD_LOWERED:
		squeeze_json_add_lowered(line, &record->lowered);
		break;
	case RECORD_RECOVERED:
		squeeze_json_add_recovered(line, &record->recovered);
		break;
	case RECORD_SQUEEZED:
		squeeze_json_add_end(line, &record->squeezed);
		break;
	default:
		break;
	}
}

/* What events went up by stands in the steps. */
void squeeze_json_print(const struct record *record)
{
	if (record->type != RECORD_EVENTS)
		json_print_record(record);
}
