// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "json.h"
#include "record.h"
#include "scenario_json.h"

static void scenario_json_add_written(struct json_object *line,
				      const struct record_written *written)
{
	json_add_string(line, "cgroup", written->cgroup);
	json_add_string(line, "limit", written->limit);
	json_add_string(line, "file", written->file);
	json_add_bytes(line, "bytes", written->bytes);
	json_add_bytes(line, "usage_before_bytes", written->before_bytes);
	json_add_bytes(line, "usage_after_bytes", written->after_bytes);
	json_add_number(line, "write_ns", written->write_ns);
	json_add_bool(line, "done", written->is_done);
	json_add_number(line, "errno", -written->error);
}

static void scenario_json_add_moved(struct json_object *line, const struct record_moved *moved)
{
	json_add_string(line, "cgroup", moved->cgroup);
	json_add_bytes(line, "usage_before_bytes", moved->before_bytes);
	json_add_bytes(line, "usage_after_bytes", moved->after_bytes);
	json_add_number(line, "errno", -moved->error);
}

static void scenario_json_add_ended(struct json_object *line, const struct record_ended *ended)
{
	json_add_number(line, "pid", ended->pid);
	json_add_string(line, "cgroup", ended->cgroup);
	json_add_string(line, "outcome", ended->outcome);
	if (ended->signal) {
		json_add_number(line, "signal", ended->signal);
		json_add_null(line, "code");
	} else {
		json_add_null(line, "signal");
		json_add_number(line, "code", ended->code);
	}
	json_add_number(line, "objects", ended->objects);
	json_add_number(line, "requested_bytes", ended->requested_bytes);
	json_add_string(line, "limit_cgroup", *ended->limit ? ended->limit : NULL);
}

static void scenario_json_add_used(struct json_object *line, const struct record_used *used)
{
	json_add_string(line, "cgroup", used->cgroup);
	json_add_number(line, "usage_bytes", used->usage_bytes);
	json_add_bytes(line, "peak_bytes", used->peak_bytes);
	json_add_bytes(line, "swap_bytes", used->swap_bytes);
	json_add_bytes(line, "max_bytes", used->max_bytes);
	json_add_keys(line, "events", snapshot_event_names, used->events.value, EVENT_END);
}

const char *scenario_json_type(const struct record *record)
{
	switch (record->type) {
	case RECORD_WRITTEN:
		return "written";
	case RECORD_MOVED:
		return "moved";
	case RECORD_ENDED:
		return "ended";
	case RECORD_USED:
		return "used";
	case RECORD_EXPECTED:
		return "expected";
	case RECORD_JUDGED:
		return "verdict";
	default:
		return NULL;
	}
}

void scenario_json_add(struct json_object *line, const struct record *record)
{
	switch (record->type) {
	case RECORD_WRITTEN:
		scenario_json_add_written(line, &record->written);
		break;
	case RECORD_MOVED:
		scenario_json_add_moved(line, &record->moved);
		break;
	case RECORD_ENDED:
		scenario_json_add_ended(line, &record->ended);
		break;
	case RECORD_USED:
		scenario_json_add_used(line, &record->used);
		break;
	case RECORD_EXPECTED:
		json_add_string(line, "text", record->expected.text);
		json_add_string(line, "seen", record->expected.seen);
		json_add_bool(line, "holds", record->expected.holds);
		break;
	case RECORD_JUDGED:
		json_add_bool(line, "pass", record->judged.pass);
		json_add_string(line, "reason", record->judged.reason);
		break;
	default:
		break;
	}
}
