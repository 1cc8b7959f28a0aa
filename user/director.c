// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "actor.h"
#include "change.h"
#include "channels.h"
#include "clock.h"
#include "critic.h"
#include "director.h"
#include "module.h"
#include "output.h"
#include "signals.h"
#include "stage.h"

#define DIRECTOR_TIMEOUT_NS (300 * NS_PER_S)

/* How often is looked at what no descriptor tells of. */
#define DIRECTOR_LOOK (100 * NS_PER_MS)

/* How long after its event the kernel log may keep its word of it, on a slow machine. */
#define DIRECTOR_LOG_TIMEOUT (2 * NS_PER_S)

/**
 * struct director - a scenario under way
 * @scenario: it
 * @log: gets the records
 * @device: a session of our own, to ask the module; -1: there is none
 * @info: what the module says of this machine, or what is known without it
 * @stage: the cgroups
 * @channels: what is watched
 * @actors: the workers
 * @actor_count: number of them
 * @critiques: how they ended
 * @changes: what happens when, in the order of the scenario's times
 * @changed: how many of them have begun
 * @begin_ns: CLOCK_MONOTONIC when it began
 */
struct director {
	const struct scenario *scenario;
	struct record_log *log;
	int device;
	struct memstress_info info;
	struct stage stage;
	struct channels channels;
	struct actor *actors;
	unsigned int actor_count;
	struct critique critiques[SCENARIO_COPIES_MAX];
	struct change changes[SCENARIO_TIMES_MAX];
	unsigned int changed;
	__u64 begin_ns;
};

static bool director_has_kernel_memory(const struct director *d)
{
	unsigned int i;

	for (i = 0; i < d->scenario->worker_count; i++)
		if (job_has_kernel_memory(&d->scenario->workers[i].job))
			return true;
	return false;
}

static int director_open_module(struct director *d, struct error *error)
{
	d->device = module_open(&d->info, error);
	if (d->device >= 0)
		return 0;
	if (director_has_kernel_memory(d))
		return -1;
	module_do_without(&d->info);
	return 0;
}

/* A limit that the worker comes under at a time that has not passed. */
static bool director_limit_comes(const struct director *d, unsigned int worker)
{
	const struct scenario *scenario = d->scenario;
	unsigned int i;

	for (i = 0; i < scenario->time_count; i++) {
		const struct scenario_time *time = &scenario->times[i];
		const struct amount *max = &time->limits.of[LIMITS_MAX];

		if (i < d->changed && !d->changes[i].is_writing)
			continue;
		if ((max->unit && max->value != CG_UNLIMITED) ||
		    (time->worker == (int)worker &&
		     stage_effective(&d->stage, time->cgroup) != CG_UNLIMITED))
			return true;
	}
	return false;
}

/* Or one that it is under in the beginning. */
static bool director_is_limited(const struct director *d, unsigned int worker)
{
	const struct scenario_worker *role = &d->scenario->workers[worker];

	return stage_effective(&d->stage, role->cgroup) != CG_UNLIMITED ||
	       director_limit_comes(d, worker);
}

static void director_foresee(struct director *d)
{
	unsigned int i;

	for (i = 0; i < d->actor_count; i++)
		d->actors[i].limit_comes =
			director_limit_comes(d, d->actors[i].role - d->scenario->workers);
}

/* As for a job of one worker: what is a share of nothing, and what nothing would end. */
static int director_check_step(const struct director *d, unsigned int worker, unsigned int i,
			       struct error *error)
{
	const struct scenario_worker *role = &d->scenario->workers[worker];
	const struct step *step = &role->job.steps[i];
	const char *what = NULL;

	if (plan_is_share(step) && stage_effective(&d->stage, role->cgroup) == CG_UNLIMITED)
		what = "% of what? no limit is in force where it begins; give max";
	else if (!step->kind->workload && step->account &&
		 d->info.features & MEMSTRESS_FEATURE_REQUIRE_LIMIT &&
		 stage_effective(&d->stage, role->cgroup) == CG_UNLIMITED)
		what = "it would have no limit, which is not safe; give max";
	else if (!plan_is_bounded(step) && !director_is_limited(d, worker))
		what = "only a limit would end it; give max";
	if (!what)
		return 0;
	return error_set(error, STATUS_MISUSE, "%s:%u: step %u (%s): %s", d->scenario->file->path,
			 step->line, i + 1, step->kind->name, what);
}

static int director_prepare_actors(struct director *d, struct error *error)
{
	unsigned int version = d->stage.top.tree.ops->version, i, j, k;

	for (i = 0; i < d->scenario->worker_count; i++)
		d->actor_count += d->scenario->workers[i].copies;
	if (d->actor_count > SCENARIO_COPIES_MAX)
		return error_set(error, STATUS_MISUSE,
				 "%s: %u workers are too many; up to %d are allowed",
				 d->scenario->file->path, d->actor_count, SCENARIO_COPIES_MAX);
	d->actors = calloc(d->actor_count, sizeof(*d->actors));
	if (!d->actors)
		return error_set(error, STATUS_FAILED, "out of memory");
	d->actor_count = 0;
	for (i = 0; i < d->scenario->worker_count; i++) {
		const struct scenario_worker *role = &d->scenario->workers[i];

		for (j = 1; j <= role->copies; j++) {
			struct actor *actor = &d->actors[d->actor_count];
			int ret = actor_init(actor, role, j, &d->channels.loop, d->log);

			if (ret)
				return error_set(error, STATUS_FAILED,
						 "cannot share memory with a worker: %s",
						 strerror(-ret));
			d->actor_count++;
			/* A third of the dead-man time: one wake-up may be late. */
			actor->alive_ns = d->info.deadman_ms * NS_PER_MS / 3;
			for (k = 0; k < role->job.step_count; k++)
				if (plan_make(&actor->plans[k], d->device, version,
					      &role->job.steps[k], k + 1, error))
					return -1;
		}
	}
	return 0;
}

/* Everything that can be found wrong before anything is changed. */
static int director_prepare(struct director *d, struct error *error)
{
	unsigned int i, j;

	if (director_open_module(d, error) || stage_prepare(&d->stage, d->scenario, error))
		return -1;
	for (i = 0; i < d->scenario->worker_count; i++)
		for (j = 0; j < d->scenario->workers[i].job.step_count; j++)
			if (director_check_step(d, i, j, error))
				return -1;
	return director_prepare_actors(d, error);
}

static void director_tell_cgroup(struct director *d, int index)
{
	const struct cgroup *cg = stage_cgroup(&d->stage, index);
	const __u64 *bytes = index < 0 ? d->stage.top.bytes : d->stage.bytes[index];
	struct record record = {
		.type = RECORD_CGROUP,
		.cgroup = {
			.id = cg->id,
			.version = cg->tree->ops->version,
			.max_bytes = bytes[LIMITS_MAX],
			.high_bytes = bytes[LIMITS_HIGH],
			.low_bytes = bytes[LIMITS_LOW],
			.min_bytes = bytes[LIMITS_MIN],
			.swap_max_bytes = bytes[LIMITS_SWAP_MAX],
			.zswap_max_bytes = bytes[LIMITS_ZSWAP_MAX],
			.oom_group = bytes[LIMITS_OOM_GROUP] == 1,
			.is_found = index < 0 && d->stage.top.is_found,
			.is_one_of_many = true,
		},
	};

	strcpy(record.cgroup.path, cg->path);
	strcpy(record.cgroup.name, cg_name(cg->tree, cg->path));
	if (cg_effective_max(cg->tree, cg->path, &record.cgroup.effective_max_bytes,
			     record.cgroup.effective_max_path,
			     sizeof(record.cgroup.effective_max_path)))
		record.cgroup.effective_max_bytes = CG_UNLIMITED;
	record_add(d->log, &record);
}

static int director_begin(struct director *d, struct error *error)
{
	struct record record = { .type = RECORD_RUN };
	struct utsname uts;
	int i;

	uname(&uts);
	snprintf(record.run.kernel, sizeof(record.run.kernel), "%s", uts.release);
	record.run.info = d->info;
	record_add(d->log, &record);
	if (stage_create(&d->stage, error))
		return -1;
	for (i = -1; i < (int)d->scenario->cgroup_count; i++)
		director_tell_cgroup(d, i);
	return 0;
}

/* What is more than anybody waits for is left out. */
static __u64 director_add_ns(__u64 sum_ns, __u64 ns)
{
	return ns < UNITS_NS_MAX - sum_ns ? sum_ns + ns : sum_ns;
}

/* What the steps of a worker take, but for those that have no end; the rest is the same. */
static __u64 director_role_ns(const struct director *d, const struct actor *actor)
{
	const struct scenario_worker *role = actor->role;
	__u64 effective = stage_effective(&d->stage, role->cgroup);
	__u64 ns = director_add_ns(role->start_ns, role->job.hold_ns);
	unsigned int i;

	for (i = 0; i < role->job.step_count; i++) {
		const struct step *step = &role->job.steps[i];
		struct growth_course course;

		growth_begin(&course, &step->growth, actor->plans[i].object_bytes,
			     plan_count(&actor->plans[i], step, effective, 0,
					units_resolve(step->usage, effective)),
			     role->job.seed);
		ns = director_add_ns(ns, growth_duration_ns(course));
		ns = director_add_ns(ns, step->wait_ns);
	}
	return ns;
}

static __u64 director_timeout_ns(const struct director *d)
{
	__u64 sum_ns = 0;
	unsigned int i;

	if (d->scenario->run.timeout_given)
		return d->scenario->run.timeout_ns;
	/* One may begin after another one. */
	for (i = 0; i < d->actor_count; i++)
		sum_ns = director_add_ns(sum_ns, director_role_ns(d, &d->actors[i]));
	return DIRECTOR_TIMEOUT_NS + sum_ns;
}

static bool director_is_empty(const struct director *d)
{
	unsigned int i;

	for (i = 0; i < d->actor_count; i++)
		if (d->actors[i].state != ACTOR_IS_GONE)
			return false;
	return true;
}

static const struct actor *director_failed_actor(const struct director *d)
{
	unsigned int i;

	for (i = 0; i < d->actor_count; i++)
		if (d->actors[i].has_failed)
			return &d->actors[i];
	return NULL;
}

static bool director_is_over(const struct director *d)
{
	return d->channels.stopped || d->channels.vanished || director_is_empty(d) ||
	       director_failed_actor(d);
}

static bool director_has_news(void *context)
{
	struct director *d = context;
	bool has_news = director_is_over(d);
	unsigned int i;

	channels_look(&d->channels);
	for (i = 0; i < d->actor_count; i++) {
		has_news |= d->actors[i].has_news;
		d->actors[i].has_news = false;
	}
	for (i = 0; i < d->changed; i++)
		has_news |= change_is_due(&d->changes[i]);
	return has_news;
}

/* A worker that has ended cannot be moved, nor one that has not begun, which begins there then. */
static void director_move(struct director *d, struct change *change)
{
	unsigned int i;

	for (i = 0; i < d->actor_count; i++) {
		struct actor *actor = &d->actors[i];

		if (actor->role != &d->scenario->workers[change->time->worker])
			continue;
		if (actor->state == ACTOR_IS_GONE) {
			record_add_text(d->log, RECORD_NOTE, "%s is not moved: it has ended",
					actor->name);
		} else if (actor->state == ACTOR_IS_AWAITED) {
			actor_place(actor, change->cg, change->time->cgroup,
				    scenario_cgroup_name(d->scenario, change->time->cgroup));
		} else {
			change_move(change, actor);
		}
	}
}

static int director_change(struct director *d, struct error *error)
{
	struct change *change = &d->changes[d->changed++];

	if (change->time->worker >= 0) {
		director_move(d, change);
		return 0;
	}
	return change_begin(change, error);
}

/* Those that wait for others to end are due when these have. */
static void director_follow(struct director *d, struct actor *actor)
{
	const struct scenario_worker *before = &d->scenario->workers[actor->role->after];
	unsigned int i;

	for (i = 0; i < d->actor_count; i++)
		if (d->actors[i].role == before && d->actors[i].state != ACTOR_IS_GONE)
			return;
	actor->due_ns = clock_now_ns() + actor->role->start_ns;
}

/* Does what is due, and tells in *@next_ns when something is next. 0 or -1 */
static int director_do_due(struct director *d, __u64 *next_ns, struct error *error)
{
	const struct scenario *scenario = d->scenario;
	unsigned int i;

	*next_ns = 0;
	for (i = 0; i < d->changed; i++) {
		if (!change_is_due(&d->changes[i]))
			continue;
		if (change_go_on(&d->changes[i], error))
			return -1;
		director_foresee(d);
	}
	while (d->changed < scenario->time_count &&
	       d->begin_ns + scenario->times[d->changed].at_ns <= clock_now_ns()) {
		if (director_change(d, error))
			return -1;
		director_foresee(d);
	}
	for (i = 0; i < d->actor_count; i++)
		if (d->actors[i].state == ACTOR_IS_AWAITED && !d->actors[i].due_ns)
			director_follow(d, &d->actors[i]);
	for (i = 0; i < d->actor_count; i++)
		if (d->actors[i].due_ns && d->actors[i].due_ns <= clock_now_ns())
			actor_go_on(&d->actors[i]);
	for (i = 0; i < d->actor_count; i++)
		if (d->actors[i].due_ns && (!*next_ns || d->actors[i].due_ns < *next_ns))
			*next_ns = d->actors[i].due_ns;
	if (d->changed < scenario->time_count) {
		__u64 at_ns = d->begin_ns + scenario->times[d->changed].at_ns;

		if (!*next_ns || at_ns < *next_ns)
			*next_ns = at_ns;
	}
	return 0;
}

static int director_play(struct director *d, struct error *error)
{
	__u64 next_ns;
	unsigned int i;

	d->begin_ns = clock_now_ns();
	for (i = 0; i < d->actor_count; i++) {
		struct actor *actor = &d->actors[i];

		actor_place(actor, stage_cgroup(&d->stage, actor->role->cgroup),
			    actor->role->cgroup,
			    scenario_cgroup_name(d->scenario, actor->role->cgroup));
		if (actor->role->after < 0)
			actor->due_ns = d->begin_ns + actor->role->start_ns;
	}
	for (i = 0; i < d->scenario->time_count; i++)
		change_init(&d->changes[i], &d->stage, &d->scenario->times[i], &d->channels.loop,
			    d->log);
	director_foresee(d);
	while (!director_is_over(d)) {
		if (director_do_due(d, &next_ns, error))
			return -1;
		loop_await(&d->channels.loop, director_has_news, d, next_ns, DIRECTOR_LOOK);
	}
	return 0;
}

static bool director_is_empty_now(void *context)
{
	return director_is_empty(context);
}

static void director_dismiss(struct director *d)
{
	unsigned int i;

	for (i = 0; i < d->changed; i++)
		change_end(&d->changes[i]);
	for (i = d->changed; i < d->scenario->time_count && !d->channels.stopped; i++)
		record_add_text(d->log, RECORD_NOTE,
				"line %u, at %s, was not done: all workers had ended",
				d->scenario->times[i].line,
				units_ns(d->scenario->times[i].at_ns).s);
	for (i = 0; i < d->actor_count; i++)
		actor_kill(&d->actors[i]);
	loop_await(&d->channels.loop, director_is_empty_now, d, 0, 0);
}

/* Nobody but the OOM killer has sent SIGKILL, as far as is known. */
static bool director_log_is_complete(void *context)
{
	const struct director *d = context;
	__u64 killed = 0;
	unsigned int i;

	for (i = 0; i < d->actor_count; i++)
		killed += d->actors[i].signal == SIGKILL && !d->actors[i].is_dismissed;
	return d->channels.kmsg.fd < 0 || d->channels.kills_told >= killed;
}

static int director_conclude(struct director *d, struct error *error)
{
	const struct actor *failed = director_failed_actor(d);

	director_dismiss(d);
	if (failed) {
		*error = failed->error;
		return -1;
	}
	if (d->channels.vanished)
		return error_set(error, STATUS_FAILED, "cgroup %s was removed by somebody else",
				 d->stage.top.path);
	loop_await(&d->channels.loop, director_log_is_complete, d,
		   clock_now_ns() + DIRECTOR_LOG_TIMEOUT, 0);
	critic_observe(d->critiques, d->actors, d->actor_count, &d->stage, d->log);
	return 0;
}

/* With the cgroups made; removing them is left to the caller. */
static int director_watch(struct director *d, struct error *error)
{
	int ret;

	ret = channels_open(&d->channels, d->log, &d->stage.top.cg, director_timeout_ns(d), false);
	if (ret) {
		ret = error_set(error, STATUS_FAILED, "cannot watch cgroup %s: %s",
				d->stage.top.path, strerror(-ret));
	} else {
		d->channels.kmsg.with_below = true;
		ret = director_play(d, error);
		if (ret)
			director_dismiss(d);
		else
			ret = director_conclude(d, error);
	}
	channels_close(&d->channels);
	return ret;
}

static int director_do(struct director *d, struct error *error)
{
	struct error remove_error;
	sigset_t signals;
	int ret;

	if (director_prepare(d, error))
		return -1;
	channels_block_signals(&signals);
	output_set_deadline(clock_in_ns(director_timeout_ns(d)));
	ret = director_begin(d, error);
	if (!ret)
		ret = director_watch(d, error);
	if (stage_remove(&d->stage, &remove_error) && !ret) {
		*error = remove_error;
		ret = -1;
	}
	if (!ret)
		critic_judge(d->critiques, d->actor_count, d->scenario, d->log);
	signals_put_back(&signals);
	return ret;
}

int director_run(const struct scenario *scenario, struct record_log *log, struct error *error)
{
	struct director *d = calloc(1, sizeof(*d));
	unsigned int i;
	int ret;

	if (!d)
		return error_set(error, STATUS_FAILED, "out of memory");
	d->scenario = scenario;
	d->log = log;
	d->device = -1;
	ret = director_do(d, error);
	for (i = 0; i < d->actor_count; i++)
		actor_release(&d->actors[i]);
	free(d->actors);
	if (d->device >= 0)
		close(d->device);
	free(d);
	return ret;
}
