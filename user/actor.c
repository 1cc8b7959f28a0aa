// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "actor.h"
#include "clock.h"

int actor_init(struct actor *actor, const struct scenario_worker *role, unsigned int copy,
	       struct loop *loop, struct record_log *log)
{
	int ret;

	memset(actor, 0, sizeof(*actor));
	actor->role = role;
	actor->loop = loop;
	actor->log = log;
	if (role->copies > 1)
		snprintf(actor->name, sizeof(actor->name), "%s.%u", role->name, copy);
	else
		snprintf(actor->name, sizeof(actor->name), "%s", role->name);
	ret = worker_init(&actor->worker);
	if (ret)
		return ret;
	/* Where there are many, what each takes for itself counts. */
	actor->worker.is_lean = true;
	return 0;
}

void actor_release(struct actor *actor)
{
	unsigned int i;

	worker_destroy(&actor->worker);
	for (i = 0; i < JOB_STEPS_MAX; i++)
		holding_release(&actor->holdings[i]);
}

static void actor_record(struct actor *actor, struct record *record)
{
	snprintf(record->whose, sizeof(record->whose), "%s", actor->name);
	record_add(actor->log, record);
}

void actor_place(struct actor *actor, const struct cgroup *cg, int cgroup, const char *place)
{
	actor->cg = cg;
	actor->cgroup = cgroup;
	actor->place = place;
}

static const struct step *actor_step(const struct actor *actor)
{
	return &actor->role->job.steps[actor->step];
}

/* @why is put behind @what. */
static void actor_give_up(struct actor *actor, enum exit_status status, const char *what,
			  const char *why)
{
	actor->has_failed = true;
	actor->due_ns = 0;
	error_set(&actor->error, status, "worker %s, step %u (%s): %s%s", actor->name,
		  actor->step + 1, job_objects(actor_step(actor)).s, what, why);
}

static void actor_fail(struct actor *actor, enum exit_status status, const char *what, int ret)
{
	char why[128];

	snprintf(why, sizeof(why), ": %s%s", strerror(-ret),
		 ret == -EPERM ? "; this needs root" : "");
	actor_give_up(actor, status, what, why);
}

/* The module says why it does not even try. */
static void actor_refused(struct actor *actor, int ret)
{
	enum exit_status status = STATUS_FAILED;

	if (ret == -EPERM || ret == -EOPNOTSUPP)
		status = STATUS_UNSUPPORTED;
	if (ret == -EINVAL || ret == -EDQUOT || ret == -ENODEV)
		status = STATUS_MISUSE;
	actor_fail(actor, status, "the module refuses it", ret);
}

static void actor_tell(struct actor *actor, enum worker_command command, enum actor_state state)
{
	actor->state = state;
	actor->due_ns = 0;
	worker_tell(&actor->worker, command);
}

static void actor_wait(struct actor *actor, enum actor_state state, __u64 due_ns)
{
	actor->state = state;
	actor->due_ns = due_ns;
}

/* What there is to say of the usage, where it can be read. */
static void actor_read_usage(const struct actor *actor, __u64 *usage, __u64 *swap)
{
	if (cg_read_number_if_any(actor->cg, CG_USAGE, usage))
		*usage = CG_MISSING;
	if (swap && cg_read_number_if_any(actor->cg, CG_SWAP, swap))
		*swap = CG_MISSING;
}

static void actor_tell_level(struct actor *actor)
{
	const struct memstress_books *books = &actor->holdings[actor->step].sum.books;
	const struct step *step = actor_step(actor);
	struct record record = {
		.type = RECORD_LEVEL,
		.level = {
			.number = actor->step + 1,
			.shape = step->growth.shape,
			.target = actor->level,
			.objects = books->objects,
			.requested_bytes = books->requested_bytes,
		},
	};

	if (step->growth.shape == GROWTH_ONCE)
		return;
	actor_read_usage(actor, &record.level.usage_bytes, &record.level.swap_bytes);
	actor_record(actor, &record);
}

static void actor_tell_end(struct actor *actor)
{
	struct holding *holding = &actor->holdings[actor->step];
	struct record record = { .type = RECORD_ALLOC };

	actor->is_in_step = false;
	if (actor_step(actor)->kind->workload)
		holding_charge(holding, actor_step(actor), &record.alloc.charge);
	record.alloc.number = actor->step + 1;
	record.alloc.kind = actor_step(actor)->kind->id;
	record.alloc.alloc = holding->sum;
	actor->stop = holding->sum.stop;
	actor_record(actor, &record);
}

static void actor_free(struct actor *actor)
{
	const struct job *job = &actor->role->job;

	actor->worker.page->free = (struct memstress_free){
		.flags = MEMSTRESS_FREE_ALL,
		.order = job->free_order,
		.method = job->free_by,
		.context = job->free_context,
		.seed = job->seed,
	};
	actor_tell(actor, WORKER_FREE, ACTOR_FREES);
}

static void actor_hold(struct actor *actor)
{
	struct record record = {
		.type = RECORD_HOLD,
		.hold = { .hold_ns = actor->role->job.hold_ns },
	};

	if (!record.hold.hold_ns) {
		actor_free(actor);
		return;
	}
	actor_record(actor, &record);
	actor_wait(actor, ACTOR_HOLDS, clock_now_ns() + record.hold.hold_ns);
}

static void actor_begin_step(struct actor *actor);

/* Begins the next step, or waits for it; or there is none. */
static void actor_next_step(struct actor *actor)
{
	__u64 wait_ns;

	if (actor->step == actor->role->job.step_count) {
		actor->step--;
		actor_hold(actor);
		return;
	}
	wait_ns = actor_step(actor)->wait_ns;
	if (wait_ns)
		actor_wait(actor, ACTOR_PAUSES, clock_now_ns() + wait_ns);
	else
		actor_begin_step(actor);
}

/* There is a next step after one that was done, or was to be refused. */
static void actor_end_step(struct actor *actor)
{
	bool is_done;

	actor_tell_end(actor);
	is_done = actor->stop == MEMSTRESS_STOP_DONE || (actor->stop == MEMSTRESS_STOP_FAILED &&
							 actor_step(actor)->until == UNTIL_ENOMEM);
	if (!is_done) {
		actor_hold(actor);
		return;
	}
	actor->step++;
	actor_next_step(actor);
}

static void actor_shrink(struct actor *actor, __u64 count)
{
	const struct holding *holding = &actor->holdings[actor->step];
	struct memstress_free *free = &actor->worker.page->free;

	actor->worker.page->step = actor->step;
	*free = (struct memstress_free){
		.order = MEMSTRESS_FREE_LIFO,
		.method = MEMSTRESS_FREE_SINGLY,
		.context = MEMSTRESS_CONTEXT_TASK,
		.count = count,
	};
	if (actor_step(actor)->kind->workload) {
		actor_tell(actor, WORKER_SHRINK, ACTOR_SHRINKS);
		return;
	}
	/* The newest piece of it; the rest when that is done. */
	free->handle = holding->pieces[holding->count - 1].handle;
	free->method = actor->role->job.free_by;
	free->context = actor->role->job.free_context;
	if (free->count > holding->pieces[holding->count - 1].objects)
		free->count = holding->pieces[holding->count - 1].objects;
	actor_tell(actor, WORKER_FREE, ACTOR_SHRINKS);
}

/* False if there is nothing to move. */
static bool actor_move(struct actor *actor)
{
	const struct holding *holding = &actor->holdings[actor->step];
	__u64 held = holding->sum.books.objects;

	if (actor->level > held) {
		worker_request(&actor->worker, actor_step(actor), actor->step, actor->level - held,
			       MEMSTRESS_PAYER_CALLER);
		actor->is_in_flight = true;
		actor_tell(actor, WORKER_ALLOC, ACTOR_MAKES);
		return true;
	}
	if (actor->level == held || (!actor_step(actor)->kind->workload && !holding->count))
		return false;
	actor_shrink(actor, held - actor->level);
	return true;
}

/* Does the next move, or waits for it; or there is none. */
static void actor_next_move(struct actor *actor)
{
	__u64 at_ns, due_ns;

	do {
		if (!growth_next(&actor->course, &at_ns, &actor->level)) {
			actor_end_step(actor);
			return;
		}
		due_ns = actor->step_ns + at_ns;
		if (at_ns && due_ns > clock_now_ns()) {
			actor_wait(actor, ACTOR_GROWS, due_ns);
			return;
		}
	} while (!actor_move(actor));
}

/* What was in force when the job began may not be so any more. False: the step cannot begin. */
static bool actor_read_limit(struct actor *actor, __u64 *bytes)
{
	const struct step *step = actor_step(actor);
	const char *what = NULL;
	char owner[PATH_MAX];
	int ret;

	ret = cg_effective_max(actor->cg->tree, actor->cg->path, bytes, owner, sizeof(owner));
	if (ret) {
		actor_fail(actor, STATUS_FAILED, "cannot read its limit", ret);
		return false;
	}
	if (*bytes != CG_UNLIMITED)
		return true;
	if (plan_is_share(step))
		what = "% of what?";
	else if (!plan_is_bounded(step) && !actor->limit_comes)
		what = "nothing would end it:";
	if (what)
		actor_give_up(actor, STATUS_MISUSE, what, " no limit is in force any more");
	return !what;
}

static void actor_begin_step(struct actor *actor)
{
	const struct step *step = actor_step(actor);
	const struct plan *plan = &actor->plans[actor->step];
	struct record record = {
		.type = RECORD_STEP,
		.step = {
			.number = actor->step + 1,
			.step = *step,
			.charge_bytes = plan->object_charge_bytes,
		},
	};
	__u64 usage = 0, effective;

	if (!actor_read_limit(actor, &effective))
		return;
	actor_read_usage(actor, &usage, NULL);
	if (step->until == UNTIL_USAGE)
		record.step.until_bytes = units_resolve(step->usage, effective);
	record.step.count = plan_count(plan, step, effective, usage, record.step.until_bytes);
	actor_record(actor, &record);
	actor->is_in_step = true;
	actor->step_ns = clock_now_ns();
	actor->holdings[actor->step].sum.stop = MEMSTRESS_STOP_DONE;
	if (!record.step.count) {
		actor_end_step(actor);
		return;
	}
	growth_begin(&actor->course, &step->growth, plan->object_bytes, record.step.count,
		     actor->role->job.seed);
	actor_next_move(actor);
}

static void actor_made(struct actor *actor)
{
	struct worker_page *page = actor->worker.page;
	struct holding *holding = &actor->holdings[actor->step];

	actor->is_in_flight = false;
	if (page->error) {
		actor_refused(actor, page->error);
		return;
	}
	holding_book(holding, actor_step(actor), &page->alloc);
	actor_tell_level(actor);
	if (holding->sum.stop == MEMSTRESS_STOP_DONE)
		actor_next_move(actor);
	else
		actor_end_step(actor);
}

static void actor_shrunk(struct actor *actor)
{
	struct worker_page *page = actor->worker.page;

	if (page->error) {
		actor_fail(actor, STATUS_FAILED, "cannot free a part of it", page->error);
		return;
	}
	holding_take(&actor->holdings[actor->step], &page->free.books);
	if (actor->holdings[actor->step].sum.books.objects > actor->level && actor_move(actor))
		return;
	actor_tell_level(actor);
	actor_next_move(actor);
}

static void actor_freed(struct actor *actor)
{
	struct worker_page *page = actor->worker.page;
	struct record record = { .type = RECORD_FREE };

	if (page->error) {
		actor_fail(actor, STATUS_FAILED, "cannot free", page->error);
		return;
	}
	record.free.order = actor->role->job.free_order;
	record.free.method = actor->role->job.free_by;
	record.free.context = actor->role->job.free_context;
	record.free.free = page->free;
	actor_record(actor, &record);
	actor_tell(actor, WORKER_EXIT, ACTOR_LEAVES);
}

static void actor_on_answer(void *context)
{
	struct actor *actor = context;

	if (!worker_answered(&actor->worker))
		return;
	actor->has_news = true;
	switch (actor->state) {
	case ACTOR_PREPARES:
		if (actor->worker.page->error) {
			actor->step = actor->worker.page->step;
			actor_fail(actor, STATUS_FAILED, "cannot prepare for it",
				   actor->worker.page->error);
			break;
		}
		actor_next_step(actor);
		break;
	case ACTOR_MAKES:
		actor_made(actor);
		break;
	case ACTOR_SHRINKS:
		actor_shrunk(actor);
		break;
	case ACTOR_FREES:
		actor_freed(actor);
		break;
	default:
		break;
	}
}

/* A step that the worker's end has ended; user memory is known all the same. */
static void actor_tell_killed(struct actor *actor)
{
	struct holding *holding = &actor->holdings[actor->step];

	if (!actor->is_in_step)
		return;
	if (actor->is_in_flight)
		holding_book(holding, actor_step(actor), &actor->worker.page->alloc);
	holding->sum.stop = MEMSTRESS_STOP_KILLED;
	actor_tell_end(actor);
}

static void actor_on_exit(void *context)
{
	struct actor *actor = context;
	struct record record = { .type = RECORD_EXIT };

	loop_remove(actor->loop, actor->worker.pidfd);
	loop_remove(actor->loop, actor->worker.answer_fd);
	worker_reap(&actor->worker, &actor->signal, &actor->code);
	actor_tell_killed(actor);
	actor_wait(actor, ACTOR_IS_GONE, 0);
	actor->has_news = true;
	record.exit.signal = actor->signal;
	record.exit.code = actor->code;
	actor_record(actor, &record);
}

static void actor_start(struct actor *actor)
{
	struct worker *worker = &actor->worker;
	struct record record = { .type = RECORD_WORKER };
	int ret;

	actor_wait(actor, ACTOR_PREPARES, 0);
	ret = loop_add(actor->loop, worker->answer_fd, EPOLLIN, actor_on_answer, actor);
	if (!ret)
		ret = worker_start(worker, &actor->role->job, actor->cg, actor->alive_ns);
	if (!ret)
		ret = loop_add(actor->loop, worker->pidfd, EPOLLIN, actor_on_exit, actor);
	if (ret) {
		actor_fail(actor, STATUS_FAILED, "cannot start it", ret);
		return;
	}
	actor->pid = worker->pid;
	record.worker.pid = worker->pid;
	snprintf(record.worker.cgroup, sizeof(record.worker.cgroup), "%s", actor->place);
	actor_record(actor, &record);
}

void actor_go_on(struct actor *actor)
{
	actor->due_ns = 0;
	switch (actor->state) {
	case ACTOR_IS_AWAITED:
		actor_start(actor);
		break;
	case ACTOR_PAUSES:
		actor_begin_step(actor);
		break;
	case ACTOR_GROWS:
		if (!actor_move(actor))
			actor_next_move(actor);
		break;
	case ACTOR_HOLDS:
		actor_free(actor);
		break;
	default:
		break;
	}
}

void actor_kill(struct actor *actor)
{
	actor->is_dismissed = actor->state != ACTOR_IS_GONE;
	if (actor->state == ACTOR_IS_AWAITED)
		actor_wait(actor, ACTOR_IS_GONE, 0);
	else if (actor->worker.pid > 0)
		kill(actor->worker.pid, SIGKILL);
	else
		actor->state = ACTOR_IS_GONE;
}

__u64 actor_objects(const struct actor *actor, __u64 *requested_bytes)
{
	__u64 objects = 0;
	unsigned int i;

	*requested_bytes = 0;
	for (i = 0; i < actor->role->job.step_count; i++) {
		objects += actor->holdings[i].most;
		*requested_bytes += actor->holdings[i].most * actor->plans[i].object_bytes;
	}
	return objects;
}
