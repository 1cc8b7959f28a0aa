// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "critic.h"

/*
 * What the kernel log says of the death of @pid: the report that it is of, which has chosen it, or
 * another one of the group that is killed with it. NULL: it does not name it.
 */
static const struct kmsg_oom *critic_find_report(const struct record_log *log, int pid)
{
	const struct kmsg_oom *last = NULL, *own = NULL;
	unsigned int i;

	for (i = 0; i < log->count; i++) {
		const struct record *record = log->records[i];

		if (record->type != RECORD_OOM)
			continue;
		if (record->oom.what == KMSG_CHOSEN)
			last = &record->oom;
		if (record->oom.what == KMSG_CHOSEN && record->oom.pid == pid)
			own = &record->oom;
		if (record->oom.what == KMSG_KILLED && record->oom.pid == pid)
			return own ? own : last;
	}
	return NULL;
}

/* Kills of those in the cgroup itself; on cgroup v1 it counts no others. */
static __u64 critic_count_kills(const struct cgroup *cg)
{
	struct snapshot snapshot;
	__u64 kills;

	if (snapshot_take(cg, &snapshot))
		return 0;
	kills = snapshot.events_local.value[EVENT_OOM_KILL];
	if (kills == CG_MISSING)
		kills = snapshot.events.value[EVENT_OOM_KILL];
	return kills == CG_MISSING ? 0 : kills;
}

/* Where the log does not name him: more were killed there than it names. */
static bool critic_is_counted(const struct critique *critique, const struct actor *actors,
			      unsigned int count, const struct stage *stage,
			      const struct record_log *log)
{
	const struct actor *actor = critique->actor;
	__u64 named = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		named += actors[i].cgroup == actor->cgroup &&
			 critic_find_report(log, actors[i].pid);
	return critic_count_kills(stage_cgroup(stage, actor->cgroup)) > named;
}

static bool critic_was_met(const struct cgroup *cg)
{
	struct snapshot snapshot;
	__u64 max;

	return !snapshot_take(cg, &snapshot) && !cg_read_number_if_any(cg, CG_MAX, &max) &&
	       snapshot_has_met(&snapshot, max);
}

/*
 * Without the log, or where it leaves out some of many: if only one of the cgroups that the worker
 * was in has met its limit, that was it.
 */
static void critic_guess_limit(struct critique *critique, const struct stage *stage)
{
	int index = critique->actor->cgroup, met = CRITIC_NO_CGROUP;

	for (;;) {
		if (critic_was_met(stage_cgroup(stage, index))) {
			if (met != CRITIC_NO_CGROUP)
				return;
			met = index;
		}
		if (index < 0)
			break;
		index = stage_parent(stage, index);
	}
	if (met == CRITIC_NO_CGROUP)
		return;
	critique->limit = met;
	snprintf(critique->limit_name, sizeof(critique->limit_name), "%s",
		 scenario_cgroup_name(stage->scenario, met));
}

static void critic_tell_limit(struct critique *critique, const struct stage *stage,
			      const struct kmsg_oom *report)
{
	if (!report) {
		critic_guess_limit(critique, stage);
		return;
	}
	if (!*report->oom_memcg) {
		critique->outcome = OUTCOME_GLOBAL_OOM;
		return;
	}
	critique->limit = stage_find(stage, report->oom_memcg);
	snprintf(critique->limit_name, sizeof(critique->limit_name), "%s",
		 critique->limit == CRITIC_NO_CGROUP ?
			 report->oom_memcg :
			 scenario_cgroup_name(stage->scenario, critique->limit));
}

static void critic_find_outcome(struct critique *critique, const struct actor *actors,
				unsigned int count, const struct stage *stage,
				const struct record_log *log)
{
	const struct actor *actor = critique->actor;
	const struct kmsg_oom *report;

	if (actor->is_dismissed) {
		critique->outcome = OUTCOME_STOPPED;
		return;
	}
	if (!actor->signal) {
		critique->outcome = actor->code ? OUTCOME_DIED : verdict_of_stop(actor->stop);
		return;
	}
	report = critic_find_report(log, actor->pid);
	critique->outcome = OUTCOME_KILLED;
	if (actor->signal == SIGKILL &&
	    (report || critic_is_counted(critique, actors, count, stage, log))) {
		critique->outcome = OUTCOME_OOM;
		critic_tell_limit(critique, stage, report);
	}
}

static void critic_record_end(const struct critique *critique, const struct stage *stage,
			      struct record_log *log)
{
	const struct actor *actor = critique->actor;
	struct record record = {
		.type = RECORD_ENDED,
		.ended = {
			.pid = actor->pid,
			.outcome = verdict_outcome_name(critique->outcome),
			.signal = actor->signal,
			.code = actor->code,
		},
	};

	snprintf(record.whose, sizeof(record.whose), "%s", actor->name);
	snprintf(record.ended.cgroup, sizeof(record.ended.cgroup), "%s",
		 scenario_cgroup_name(stage->scenario, actor->cgroup));
	snprintf(record.ended.limit, sizeof(record.ended.limit), "%s", critique->limit_name);
	record.ended.objects = actor_objects(actor, &record.ended.requested_bytes);
	record_add(log, &record);
}

static void critic_record_use(const struct stage *stage, int index, struct record_log *log)
{
	const struct cgroup *cg = stage_cgroup(stage, index);
	struct record record = { .type = RECORD_USED };
	struct record_used *used = &record.used;
	struct snapshot snapshot;

	if (snapshot_take(cg, &snapshot))
		return;
	snprintf(used->cgroup, sizeof(used->cgroup), "%s",
		 scenario_cgroup_name(stage->scenario, index));
	used->usage_bytes = snapshot.usage_bytes;
	used->peak_bytes = snapshot.peak_bytes;
	used->events = snapshot.events;
	if (cg_read_number_if_any(cg, CG_SWAP, &used->swap_bytes))
		used->swap_bytes = CG_MISSING;
	if (cg_read_number_if_any(cg, CG_MAX, &used->max_bytes))
		used->max_bytes = CG_UNLIMITED;
	record_add(log, &record);
}

void critic_observe(struct critique *critiques, const struct actor *actors, unsigned int count,
		    const struct stage *stage, struct record_log *log)
{
	unsigned int i;
	int index;

	for (i = 0; i < count; i++) {
		critiques[i].actor = &actors[i];
		critiques[i].limit = CRITIC_NO_CGROUP;
		critic_find_outcome(&critiques[i], actors, count, stage, log);
		critic_record_end(&critiques[i], stage, log);
	}
	for (index = -1; index < (int)stage->scenario->cgroup_count; index++)
		critic_record_use(stage, index, log);
}

static bool critic_is_met_by(const struct scenario_expect *expect, const struct critique *critique)
{
	return verdict_holds(expect->what, critique->outcome) &&
	       (!expect->is_of || critique->limit == expect->of);
}

static bool critic_is_same(const struct critique *one, const struct critique *other)
{
	return one->actor->role == other->actor->role && one->outcome == other->outcome &&
	       !strcmp(one->limit_name, other->limit_name);
}

/* "2 oom of a, 38 done": what became of the copies of a role. */
static void critic_tell_seen(const struct critique *critiques, unsigned int count,
			     const struct scenario_worker *role, char *text, size_t size)
{
	size_t length = 0;
	unsigned int i, j, same;

	*text = '\0';
	for (i = 0; i < count && length < size; i++) {
		const struct critique *critique = &critiques[i];

		if (critique->actor->role != role)
			continue;
		for (j = 0; j < i && !critic_is_same(&critiques[j], critique); j++)
			continue;
		if (j < i)
			continue;
		for (same = 0; j < count; j++)
			same += critic_is_same(&critiques[j], critique);
		length += snprintf(text + length, size - length, "%s", length ? ", " : "");
		if (role->copies > 1 && length < size)
			length += snprintf(text + length, size - length, "%u ", same);
		if (length < size)
			length += snprintf(text + length, size - length, "%s%s%s",
					   verdict_outcome_name(critique->outcome),
					   *critique->limit_name ? " of " : "",
					   critique->limit_name);
	}
}

static bool critic_holds(const struct critique *critiques, unsigned int count,
			 const struct scenario_worker *role, const struct scenario_expect *expect)
{
	__u64 met = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		met += critiques[i].actor->role == role && critic_is_met_by(expect, &critiques[i]);
	switch (expect->quantity) {
	case QUANTITY_SOME:
		return met;
	case QUANTITY_NONE:
		return !met;
	case QUANTITY_NUMBER:
		return met == expect->number;
	default:
		return met == role->copies;
	}
}

/* Tells in @text, unless something is there already, what has not held. */
static void critic_expect(const struct critique *critiques, unsigned int count,
			  const struct scenario_worker *role, const struct scenario_expect *expect,
			  struct record_judged *judged, struct record_log *log)
{
	struct record record = { .type = RECORD_EXPECTED };

	snprintf(record.whose, sizeof(record.whose), "%s", role->name);
	snprintf(record.expected.text, sizeof(record.expected.text), "%s", expect->text);
	critic_tell_seen(critiques, count, role, record.expected.seen,
			 sizeof(record.expected.seen));
	record.expected.holds = critic_holds(critiques, count, role, expect);
	record_add(log, &record);
	if (record.expected.holds || !judged->pass)
		return;
	judged->pass = false;
	snprintf(judged->reason, sizeof(judged->reason), "expected of %s %s: %s", role->name,
		 record.expected.text, record.expected.seen);
}

static void critic_expect_of(const struct critique *critiques, unsigned int count,
			     const struct scenario *scenario, unsigned int worker,
			     struct record_judged *judged, struct record_log *log)
{
	const struct scenario_worker *role = &scenario->workers[worker];
	struct scenario_expect follows = { .what = role->job.expect };
	bool is_said = false;
	unsigned int i;

	for (i = 0; i < scenario->expect_count; i++) {
		if (scenario->expects[i].worker != (int)worker)
			continue;
		critic_expect(critiques, count, role, &scenario->expects[i], judged, log);
		is_said = true;
	}
	if (is_said)
		return;
	snprintf(follows.text, sizeof(follows.text), "%s", job_expect_name(follows.what));
	critic_expect(critiques, count, role, &follows, judged, log);
}

void critic_judge(const struct critique *critiques, unsigned int count,
		  const struct scenario *scenario, struct record_log *log)
{
	const struct record *stop = record_last(log, RECORD_STOP);
	struct record record = { .type = RECORD_JUDGED, .judged = { .pass = true } };
	struct record_judged *judged = &record.judged;
	unsigned int i;

	for (i = 0; i < scenario->worker_count; i++)
		critic_expect_of(critiques, count, scenario, i, judged, log);
	if (stop) {
		judged->pass = false;
		snprintf(judged->reason, sizeof(judged->reason), "%s", stop->text);
	} else if (judged->pass && count == 1) {
		snprintf(judged->reason, sizeof(judged->reason), "the worker ended as expected");
	} else if (judged->pass) {
		snprintf(judged->reason, sizeof(judged->reason), "%u workers ended as expected",
			 count);
	}
	record_add(log, &record);
}
