// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "device.h"
#include "json.h"
#include "output.h"
#include "plan.h"
#include "record.h"
#include "scenario_json.h"
#include "squeeze_json.h"
#include "text.h"
#include "version.h"

/* A name may be no UTF-8, which JSON has to be. */
static struct json_object *json_new_string(const char *value)
{
	char *mended = text_mend(value);
	struct json_object *string = mended ? json_object_new_string(mended) : NULL;

	free(mended);
	return string;
}

void json_add_string(struct json_object *line, const char *key, const char *value)
{
	json_object_object_add(line, key, value ? json_new_string(value) : NULL);
}

void json_add_number(struct json_object *line, const char *key, __u64 value)
{
	json_object_object_add(line, key, json_object_new_uint64(value));
}

void json_add_bool(struct json_object *line, const char *key, bool value)
{
	json_object_object_add(line, key, json_object_new_boolean(value));
}

void json_add_null(struct json_object *line, const char *key)
{
	json_object_object_add(line, key, NULL);
}

void json_add_decimal(struct json_object *line, const char *key, const char *text)
{
	json_object_object_add(line, key, json_object_new_double_s(strtod(text, NULL), text));
}

void json_add_strings(struct json_object *line, const char *key, const char *const *values)
{
	struct json_object *array = json_object_new_array();

	for (; *values; values++)
		json_object_array_add(array, json_new_string(*values));
	json_object_object_add(line, key, array);
}

struct json_object *json_add_object(struct json_object *line, const char *key)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(line, key, object);
	return object;
}

void json_add_books(struct json_object *line, const struct memstress_books *books)
{
	json_add_number(line, "objects", books->objects);
	json_add_number(line, "uncharged_objects", books->uncharged_objects);
	json_add_number(line, "requested_bytes", books->requested_bytes);
	json_add_number(line, "page_charged_bytes", books->page_charged_bytes);
	json_add_number(line, "byte_charged_bytes", books->byte_charged_bytes);
	json_add_number(line, "footprint_bytes", books->footprint_bytes);
}

struct json_object *json_begin(const char *type)
{
	struct json_object *line = json_object_new_object();

	json_add_number(line, "schema", RECORD_SCHEMA);
	json_add_string(line, "type", type);
	return line;
}

static char *json_text(struct json_object *line)
{
	int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;

	return text_escape_json(json_object_to_json_string_ext(line, flags));
}

void json_end(struct json_object *line)
{
	char *text = json_text(line);

	output_put(text);
	output_put("\n");
	free(text);
	json_object_put(line);
}

void json_end_aside(struct json_object *line)
{
	char *text = json_text(line);

	fprintf(stderr, "%s\n", text ? text : strerror(ENOMEM));
	free(text);
	json_object_put(line);
}

/* null if @is_known is not so. */
static void json_add_known(struct json_object *line, const char *key, __u64 value, bool is_known)
{
	if (is_known)
		json_add_number(line, key, value);
	else
		json_add_null(line, key);
}

void json_add_bytes(struct json_object *line, const char *key, __u64 bytes)
{
	json_add_known(line, key, bytes, bytes != CG_UNLIMITED);
}

void json_add_keys(struct json_object *line, const char *key, const char *const *names,
		   const __u64 *values, unsigned int count)
{
	struct json_object *object = json_object_new_object();
	unsigned int i;

	for (i = 0; i < count; i++)
		if (values[i] != CG_MISSING)
			json_add_number(object, names[i], values[i]);
	json_object_object_add(line, key, object);
}

static void json_add_run(struct json_object *line, const struct record_run *run)
{
	json_add_string(line, "version", MEMSTRESS_VERSION);
	json_add_string(line, "kernel", run->kernel);
	json_add_number(line, "page_bytes", run->info.page_size);
	json_add_number(line, "possible_cpus", run->info.possible_cpus);
	json_add_number(line, "online_cpus", run->info.online_cpus);
	json_add_number(line, "charge_batch_pages", run->info.charge_batch_pages);
}

static void json_add_cgroup(struct json_object *line, const struct record_cgroup *cgroup)
{
	json_add_string(line, "path", cgroup->path);
	json_add_string(line, "name", cgroup->name);
	json_add_number(line, "id", cgroup->id);
	json_add_number(line, "version", cgroup->version);
	json_add_bytes(line, "max_bytes", cgroup->max_bytes);
	json_add_bytes(line, "high_bytes", cgroup->high_bytes);
	json_add_bytes(line, "low_bytes", cgroup->low_bytes);
	json_add_bytes(line, "min_bytes", cgroup->min_bytes);
	json_add_bytes(line, "swap_max_bytes", cgroup->swap_max_bytes);
	json_add_bytes(line, "zswap_max_bytes", cgroup->zswap_max_bytes);
	json_add_bytes(line, "effective_max_bytes", cgroup->effective_max_bytes);
	json_add_string(line, "effective_max_path",
			*cgroup->effective_max_path ? cgroup->effective_max_path : NULL);
	json_add_bool(line, "oom_group", cgroup->oom_group);
	json_add_bool(line, "existed", cgroup->is_found);
}

/* What a shape does not have is null. */
static void json_add_growth(struct json_object *line, const struct growth *growth)
{
	json_add_string(line, "growth", growth_name(growth->shape));
	json_add_known(line, "rate_bytes", growth->rate_bytes, growth->rate_bytes);
	json_add_known(line, "step_bytes", growth->step_bytes, growth->step_bytes);
	json_add_known(line, "factor", growth->factor, growth->factor);
	json_add_known(line, "every_ns", growth->every_ns, growth->every_ns);
	json_add_known(line, "times", growth->times, growth->times);
	json_add_known(line, "churn_bytes", growth->churn_bytes, growth->churn_bytes);
}

static void json_add_step(struct json_object *line, const struct record_step *record)
{
	const struct step *step = &record->step;
	bool is_user = step->kind->workload;

	json_add_number(line, "step", record->number);
	json_add_string(line, "kind", step->kind->name);
	json_add_string(line, "policy", is_user ? NULL : kind_policy_name(step->policy));
	json_add_string(line, "context", is_user ? NULL : kind_context_name(step->context));
	json_add_known(line, "cpu", step->cpu, step->cpu != JOB_CPU_ANY);
	json_add_string(line, "method", is_user ? NULL : kind_alloc_method_name(step->method));
	json_add_known(line, "alignment", step->alignment, step->alignment);
	if (step->kind->has_order)
		json_add_number(line, "order", step->order);
	else
		json_add_number(line, "object_bytes", step->object_size);
	json_add_known(line, "node", step->node, step->node != MEMSTRESS_NODE_ANY);
	json_add_bool(line, "zero", step->zero);
	json_add_bool(line, "account", step->account);
	json_add_known(line, "count", record->count, record->count != PLAN_UNBOUNDED);
	json_add_string(line, "until", job_until_name(step->until));
	json_add_known(line, "until_bytes", record->until_bytes, step->until == UNTIL_USAGE);
	json_add_number(line, "wait_ns", step->wait_ns);
	json_add_number(line, "charge_bytes", record->charge_bytes);
	json_add_string(line, "manner", is_user ? job_manner(step).s : NULL);
	json_add_growth(line, &step->growth);
}

static void json_add_alloc(struct json_object *line, const struct record_alloc *record)
{
	const struct memstress_alloc *alloc = &record->alloc;

	json_add_number(line, "step", record->number);
	json_add_string(line, "stop", device_stop_name(alloc->stop));
	json_add_books(line, &alloc->books);
	json_add_number(line, "failures", alloc->failures);
	json_add_number(line, "first_errno", alloc->first_errno);
	json_add_number(line, "total_ns", alloc->total_ns);
	json_add_number(line, "slowest_ns", alloc->slowest_ns);
	json_add_number(line, "payer_id", alloc->payer_id);
	json_add_number(line, "more_bytes", record->charge.more_bytes);
}

void json_add_audit(struct json_object *line, const struct memstress_audit *audit)
{
	json_add_number(line, "right_objects", audit->right_objects);
	json_add_number(line, "wrong_objects", audit->wrong_objects);
	json_add_number(line, "unowned_objects", audit->unowned_objects);
	json_add_number(line, "unasked_objects", audit->unasked_objects);
	json_add_number(line, "right_id", audit->right_id);
	json_add_known(line, "first_index", audit->first_index, audit->first_handle);
	json_add_known(line, "first_owner_id", audit->first_owner_id, audit->first_handle);
}

static void json_add_counters(struct json_object *line, const struct record_counters *record)
{
	const struct snapshot *snapshot = &record->snapshot;

	json_add_string(line, "when", record_when_name(record->when));
	json_add_number(line, "usage_bytes", snapshot->usage_bytes);
	json_add_bytes(line, "peak_bytes", snapshot->peak_bytes);
	json_add_string(line, "settle",
			record->settled ? device_settle_name(record->settle.state) : NULL);
	json_add_known(line, "bound_bytes", record->settle.bound_bytes, record->settled);
	json_add_keys(line, "stat", snapshot_stat_names, snapshot->stat, STAT_END);
	json_add_keys(line, "events", snapshot_event_names, snapshot->events.value, EVENT_END);
	json_add_keys(line, "events_local", snapshot_event_names, snapshot->events_local.value,
		      EVENT_END);
}

static void json_add_events(struct json_object *line, const struct snapshot_events *events)
{
	int i;

	for (i = 0; i < EVENT_END; i++)
		if (events->value[i] != CG_MISSING && events->value[i])
			json_add_number(line, snapshot_event_names[i], events->value[i]);
}

static void json_add_oom(struct json_object *line, const struct kmsg_oom *oom)
{
	json_add_number(line, "log_us", oom->time_us);
	if (oom->what == KMSG_NO_VICTIM)
		return;
	json_add_number(line, "pid", oom->pid);
	json_add_string(line, "name", oom->task);
	if (oom->what == KMSG_KILLED) {
		json_add_number(line, "anon_rss_bytes", oom->anon_rss_bytes);
		return;
	}
	json_add_string(line, "constraint", oom->constraint);
	json_add_string(line, "oom_cgroup", *oom->oom_memcg ? oom->oom_memcg : NULL);
	json_add_string(line, "task_cgroup", oom->task_memcg);
}

static void json_add_free(struct json_object *line, const struct record_free *record)
{
	json_add_string(line, "order", job_free_order_name(record->order));
	json_add_string(line, "method", kind_free_method_name(record->method));
	json_add_string(line, "context", kind_context_name(record->context));
	json_add_number(line, "objects", record->free.books.objects);
	json_add_number(line, "total_ns", record->free.total_ns);
	json_add_number(line, "slowest_ns", record->free.slowest_ns);
}

static void json_add_verdict(struct json_object *line, const struct record_verdict *verdict)
{
	static const char *const books[] = {
		[BOOKS_NOT_JUDGED] = NULL,
		[BOOKS_EXACT] = "exact",
		[BOOKS_WITHIN] = "within",
		[BOOKS_WRONG] = "wrong",
	};

	json_add_bool(line, "pass", verdict->pass);
	json_add_string(line, "expected", job_expect_name(verdict->expected));
	json_add_string(line, "outcome", verdict->outcome);
	json_add_string(line, "reason", verdict->reason);
	json_add_string(line, "books", books[verdict->books]);
	json_add_known(line, "bound_bytes", verdict->bound_bytes, verdict->books == BOOKS_WITHIN);
	json_add_bool(line, "stat_exact", verdict->stat_is_exact);
}

static void json_add_fill(struct json_object *line, const struct record_fill *fill)
{
	const struct step *step = &fill->step;

	json_add_string(line, "path", fill->path);
	json_add_string(line, "group_path", fill->group_path);
	json_add_number(line, "level_bytes", fill->level_bytes);
	json_add_known(line, "percent", fill->amount.value, fill->amount.unit == AMOUNT_PERCENT);
	json_add_bytes(line, "effective_max_bytes", fill->effective_max_bytes);
	json_add_string(line, "effective_max_path",
			*fill->effective_max_path ? fill->effective_max_path : NULL);
	json_add_bool(line, "view_ends", fill->view_ends);
	json_add_string(line, "kind", step->kind ? step->kind->name : NULL);
	json_add_number(line, "object_bytes", step->object_size);
}

static void json_add_filled(struct json_object *line, const struct record_filled *filled)
{
	json_add_number(line, "level_bytes", filled->level_bytes);
	json_add_bool(line, "reached", filled->reached);
	json_add_number(line, "held_ns", filled->held_ns);
	json_add_number(line, "lowest_bytes", filled->lowest_bytes);
	json_add_number(line, "highest_bytes", filled->highest_bytes);
	json_add_number(line, "looks", filled->looks);
	json_add_number(line, "looks_off", filled->looks_off);
	json_add_number(line, "moves", filled->moves);
	json_add_bool(line, "worker_died", filled->worker_died);
}

static const char *json_record_type(const struct record *record)
{
	static const char *const types[] = {
		[RECORD_RUN] = "run",
		[RECORD_CGROUP] = "cgroup",
		[RECORD_WORKER] = "worker",
		[RECORD_STEP] = "step",
		[RECORD_AUDIT] = "audit",
		[RECORD_ALLOC] = "alloc",
		[RECORD_COUNTERS] = "counters",
		[RECORD_EVENTS] = "events",
		[RECORD_OOM] = "oom",
		[RECORD_HOLD] = "hold",
		[RECORD_FREE] = "free",
		[RECORD_EXIT] = "exit",
		[RECORD_RELEASE] = "release",
		[RECORD_STOP] = "stop",
		[RECORD_NOTE] = "note",
		[RECORD_VERDICT] = "verdict",
		[RECORD_ERROR] = "error",
		[RECORD_LEVEL] = "level",
		[RECORD_CHURN] = "churn",
		[RECORD_FILL] = "fill",
		[RECORD_FILL_MOVE] = "fill_move",
		[RECORD_FILLED] = "filled",
	};

	if (record->type == RECORD_OOM && record->oom.what == KMSG_KILLED)
		return "killed";
	if (record->type == RECORD_OOM && record->oom.what == KMSG_NO_VICTIM)
		return "no_victim";
	if (squeeze_json_type(record))
		return squeeze_json_type(record);
	if (scenario_json_type(record))
		return scenario_json_type(record);
	return types[record->type];
}

static void json_add_record(struct json_object *line, const struct record *record)
{
	switch (record->type) {
	case RECORD_RUN:
		json_add_run(line, &record->run);
		break;
	case RECORD_CGROUP:
		json_add_cgroup(line, &record->cgroup);
		break;
	case RECORD_WORKER:
		json_add_number(line, "pid", record->worker.pid);
		json_add_string(line, "payer", record->worker.outside ? "outside" : "inside");
		if (*record->whose)
			json_add_string(line, "cgroup", record->worker.cgroup);
		break;
	case RECORD_STEP:
		json_add_step(line, &record->step);
		break;
	case RECORD_LEVEL:
		json_add_number(line, "step", record->level.number);
		json_add_number(line, "target_objects", record->level.target);
		json_add_number(line, "objects", record->level.objects);
		json_add_number(line, "requested_bytes", record->level.requested_bytes);
		if (*record->whose) {
			json_add_bytes(line, "usage_bytes", record->level.usage_bytes);
			json_add_bytes(line, "swap_bytes", record->level.swap_bytes);
		}
		break;
	case RECORD_ALLOC:
		json_add_alloc(line, &record->alloc);
		break;
	case RECORD_AUDIT:
		json_add_number(line, "step", record->audit.number);
		json_add_audit(line, &record->audit.audit);
		break;
	case RECORD_COUNTERS:
		json_add_counters(line, &record->counters);
		break;
	case RECORD_EVENTS:
		json_add_events(line, &record->events);
		break;
	case RECORD_OOM:
		json_add_oom(line, &record->oom);
		break;
	case RECORD_HOLD:
		json_add_number(line, "hold_ns", record->hold.hold_ns);
		json_add_number(line, "bookkeeping_bytes", record->hold.bookkeeping_bytes);
		break;
	case RECORD_CHURN:
		json_add_number(line, "step", record->churn.number);
		json_add_number(line, "rounds", record->churn.rounds);
		json_add_number(line, "objects", record->churn.objects);
		json_add_number(line, "held_objects", record->churn.held);
		break;
	case RECORD_FREE:
		json_add_free(line, &record->free);
		break;
	case RECORD_EXIT:
		json_add_known(line, "signal", record->exit.signal, record->exit.signal);
		json_add_known(line, "code", record->exit.code, !record->exit.signal);
		break;
	case RECORD_RELEASE:
		json_add_number(line, "usage_bytes", record->release.usage_bytes);
		json_add_number(line, "since_kill_ns", record->release.since_kill_ns);
		json_add_known(line, "since_mark_ns", record->release.since_mark_ns,
			       record->release.is_marked);
		break;
	case RECORD_VERDICT:
		json_add_verdict(line, &record->verdict);
		break;
	case RECORD_FILL:
		json_add_fill(line, &record->fill);
		break;
	case RECORD_FILL_MOVE:
		json_add_number(line, "usage_bytes", record->fill_move.usage_bytes);
		json_add_number(line, "level_bytes", record->fill_move.level_bytes);
		json_add_number(line, "before_bytes", record->fill_move.before_bytes);
		json_add_number(line, "held_bytes", record->fill_move.held_bytes);
		break;
	case RECORD_FILLED:
		json_add_filled(line, &record->filled);
		break;
	case RECORD_STOP:
	case RECORD_NOTE:
	case RECORD_ERROR:
		json_add_string(line, "text", record->text);
		break;
	default:
		squeeze_json_add(line, record);
		scenario_json_add(line, record);
	}
}

void json_print_record(const struct record *record)
{
	struct json_object *line = json_begin(json_record_type(record));

	json_add_number(line, "time_ns", record->time_ns);
	if (*record->whose)
		json_add_string(line, "worker_name", record->whose);
	json_add_record(line, record);
	json_end(line);
}
