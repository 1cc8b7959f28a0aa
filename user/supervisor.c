// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "channels.h"
#include "clock.h"
#include "device.h"
#include "module.h"
#include "plan.h"
#include "supervisor.h"
#include "target.h"
#include "verdict.h"
#include "worker.h"

/* How often is looked at what no descriptor tells of. */
#define SUPERVISOR_LOOK (10 * NS_PER_MS)

/* How long the charge of a dead worker may take to come back, on a slow machine. */
#define SUPERVISOR_RELEASE_TIMEOUT (10 * NS_PER_S)

/* How long after its event the kernel log may keep its "Killed process" line. */
#define SUPERVISOR_LOG_TIMEOUT (2 * NS_PER_S)

/*
 * What a process leaves behind is freed by and by: by RCU, by work, from caches of stacks. The last
 * look at the counters waits for that, if not for long.
 */
#define SUPERVISOR_REST_TIMEOUT (1 * NS_PER_S)
#define SUPERVISOR_REST_LOOK    (100 * NS_PER_MS)

/* A step has not answered. The kernel never gives this as a reason. */
#define SUPERVISOR_NO_ANSWER MEMSTRESS_STOP_END

/**
 * struct supervisor - a run under way
 * @job: what to do
 * @log: gets the records
 * @device: a session of our own, for what needs no worker
 * @info: what the module says of this machine
 * @plans: of the steps
 * @target: the cgroup that pays
 * @channels: what is watched
 * @worker: the process that allocates
 * @answered: it did what it was told
 * @gone: it has ended
 * @untold: the step under way, from 1, as long as there is no record of its end
 * @can_settle: counters can be made exact
 */
struct supervisor {
	const struct job *job;
	struct record_log *log;
	int device;
	struct memstress_info info;
	struct plan plans[JOB_STEPS_MAX];
	struct target target;
	struct channels channels;
	struct worker worker;
	bool answered;
	bool gone;
	unsigned int untold;
	bool can_settle;
};

/* Everything that can be found wrong before anything is changed. */
static int supervisor_prepare(struct supervisor *s, struct error *error)
{
	bool must_be_limited = false;
	unsigned int i;

	s->device = module_open(&s->info, error);
	if (s->device < 0)
		return -1;
	s->can_settle = s->info.features & MEMSTRESS_FEATURE_SETTLE;
	for (i = 0; i < s->job->step_count; i++) {
		if (plan_make(&s->plans[i], s->device, &s->job->steps[i], i + 1, error))
			return -1;
		if (s->job->steps[i].account)
			must_be_limited = s->info.features & MEMSTRESS_FEATURE_REQUIRE_LIMIT;
	}
	if (target_prepare(&s->target, s->job, must_be_limited, error))
		return -1;
	if (s->target.effective_bytes != CG_UNLIMITED)
		return 0;
	for (i = 0; i < s->job->step_count; i++)
		if (s->job->steps[i].size.unit == AMOUNT_PERCENT ||
		    s->job->steps[i].usage.unit == AMOUNT_PERCENT)
			return error_set(error, STATUS_MISUSE,
					 "step %u (%s): %% of what? no limit is in force; give --max",
					 i + 1, s->job->steps[i].kind->name);
	return 0;
}

static void supervisor_tell_cgroup(struct supervisor *s)
{
	const struct target *target = &s->target;
	struct record record = {
		.type = RECORD_CGROUP,
		.cgroup = {
			.id = target->cg.id,
			.version = target->tree.ops->version,
			.max_bytes = target->max_bytes,
			.high_bytes = target->high_bytes,
			.swap_max_bytes = target->swap_max_bytes,
			.effective_max_bytes = target->effective_bytes,
			.oom_group = s->job->oom_group,
		},
	};

	strcpy(record.cgroup.path, target->path);
	strcpy(record.cgroup.name, cg_name(&target->tree, target->path));
	strcpy(record.cgroup.effective_max_path, target->effective_path);
	record_add(s->log, &record);
}

static int supervisor_begin(struct supervisor *s, struct error *error)
{
	struct record record = { .type = RECORD_RUN };
	struct utsname uts;
	int ret;

	uname(&uts);
	snprintf(record.run.kernel, sizeof(record.run.kernel), "%s", uts.release);
	record.run.info = s->info;
	record_add(s->log, &record);

	if (target_create(&s->target, s->job, error))
		return -1;
	supervisor_tell_cgroup(s);
	/* Known only when there is a cgroup besides the root. */
	ret = device_info(s->device, &s->info);
	if (!ret && !(s->info.features & MEMSTRESS_FEATURE_KMEM))
		return error_set(error, STATUS_UNSUPPORTED,
				 "kernel memory is not charged; boot without cgroup.memory=nokmem");
	return 0;
}

/* The cgroup cannot be read: somebody removed it, or worse. */
static int supervisor_lost(const struct supervisor *s, int ret, struct error *error)
{
	if (ret == -ENOENT || ret == -ENODEV)
		return error_set(error, STATUS_FAILED, "cgroup %s was removed by somebody else",
				 s->target.path);
	return error_set(error, STATUS_FAILED, "cannot read cgroup %s: %s", s->target.path,
			 strerror(-ret));
}

static int supervisor_settle(struct supervisor *s, struct record_counters *counters,
			     struct error *error)
{
	int ret;

	if (!s->can_settle)
		return 0;
	counters->settle.cgroup_fd = s->target.cg.fd;
	ret = device_settle(s->device, &counters->settle);
	if (ret == -EPERM || ret == -EOPNOTSUPP) {
		s->can_settle = false;
		record_add_text(s->log, RECORD_NOTE, "counters cannot be made exact: %s",
				strerror(-ret));
		return 0;
	}
	if (ret)
		return supervisor_lost(s, ret, error);
	counters->settled = true;
	return 0;
}

static int supervisor_measure(struct supervisor *s, enum record_when when, struct error *error)
{
	struct record record = { .type = RECORD_COUNTERS, .counters = { .when = when } };
	int ret;

	/* What has happened up to here is told before. */
	loop_poll(&s->channels.loop);
	channels_look(&s->channels);
	/* Nothing has been charged to an empty one, so there is nothing to settle. */
	if (when != WHEN_EMPTY && supervisor_settle(s, &record.counters, error))
		return -1;
	ret = snapshot_take(&s->target.cg, &record.counters.snapshot);
	if (ret)
		return supervisor_lost(s, ret, error);
	record_add(s->log, &record);
	return 0;
}

static void supervisor_on_answer(void *context)
{
	struct supervisor *s = context;

	if (worker_answered(&s->worker))
		s->answered = true;
}

static void supervisor_on_exit(void *context)
{
	struct supervisor *s = context;
	struct record record = { .type = RECORD_EXIT };

	loop_remove(&s->channels.loop, s->worker.pidfd);
	s->gone = true;
	channels_look(&s->channels);
	if (!worker_reap(&s->worker, &record.exit.signal, &record.exit.code))
		record_add(s->log, &record);
}

static bool supervisor_is_answered(void *context)
{
	const struct supervisor *s = context;

	return s->answered || s->gone || s->channels.stopped || s->channels.vanished;
}

static bool supervisor_is_over(void *context)
{
	const struct supervisor *s = context;

	return s->gone || s->channels.stopped || s->channels.vanished;
}

static bool supervisor_is_gone(void *context)
{
	return ((const struct supervisor *)context)->gone;
}

/* True if the worker has answered, and the run goes on. */
static bool supervisor_await_answer(struct supervisor *s)
{
	loop_await(&s->channels.loop, supervisor_is_answered, s, 0, 0);
	return s->answered && !supervisor_is_over(s);
}

static bool supervisor_ask(struct supervisor *s, enum worker_command command)
{
	s->answered = false;
	worker_tell(&s->worker, command);
	return supervisor_await_answer(s);
}

static int supervisor_place(struct supervisor *s, struct error *error)
{
	const struct cgroup *cg = s->job->outside ? NULL : &s->target.cg;
	struct record record = { .type = RECORD_WORKER };
	int ret;

	ret = loop_add(&s->channels.loop, s->worker.answer_fd, EPOLLIN, supervisor_on_answer, s);
	/* A third of the dead-man time: one wake-up may be late. */
	if (!ret)
		ret = worker_start(&s->worker, cg, s->info.deadman_ms * NS_PER_MS / 3);
	if (!ret)
		ret = loop_add(&s->channels.loop, s->worker.pidfd, EPOLLIN, supervisor_on_exit, s);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot start a worker in %s: %s",
				 cg ? cg->path : "the background", strerror(-ret));
	record.worker.pid = s->worker.pid;
	record.worker.outside = s->job->outside;
	record_add(s->log, &record);
	if (supervisor_await_answer(s) && s->worker.page->error)
		return error_set(error, STATUS_FAILED, "the worker cannot start: %s",
				 strerror(-s->worker.page->error));
	return 0;
}

static int supervisor_refused(struct supervisor *s, unsigned int i, int ret, struct error *error)
{
	const struct step *step = &s->job->steps[i];
	enum exit_status status = STATUS_FAILED;

	if (ret == -ENOENT)
		return supervisor_lost(s, ret, error);
	if (ret == -EPERM || ret == -EOPNOTSUPP)
		status = STATUS_UNSUPPORTED;
	if (ret == -EINVAL || ret == -EDQUOT)
		status = STATUS_MISUSE;
	return error_set(error, status, "step %u: the module refuses %s, policy %s: %s%s", i + 1,
			 job_objects(step).s, kind_policy_name(step->policy), strerror(-ret),
			 ret == -EPERM ? "; this needs root" : "");
}

/* Fills in the request of step @i and tells about it. */
static int supervisor_request(struct supervisor *s, unsigned int i, struct error *error)
{
	const struct step *step = &s->job->steps[i];
	struct memstress_alloc *alloc = &s->worker.page->alloc[i];
	struct record record = {
		.type = RECORD_STEP,
		.step = {
			.number = i + 1,
			.step = *step,
			.charge_bytes = s->plans[i].object_charge_bytes,
		},
	};
	__u64 usage = 0, effective = s->target.effective_bytes;
	int ret;

	ret = cg_read_number(&s->target.cg, CG_USAGE, &usage);
	if (ret)
		return supervisor_lost(s, ret, error);
	if (step->until == UNTIL_USAGE)
		record.step.until_bytes = units_resolve(step->usage, effective);
	*alloc = (struct memstress_alloc){
		.flags = (step->account ? MEMSTRESS_ALLOC_ACCOUNT : 0) |
			 (step->zero ? MEMSTRESS_ALLOC_ZERO : 0),
		.kind = step->kind->id,
		.policy = step->policy,
		.order = step->order,
		.node = step->node,
		.payer_fd = s->job->outside && step->account ? s->target.cg.fd :
							       MEMSTRESS_PAYER_CALLER,
		.object_size = step->kind->has_order ? 0 : step->object_size,
		.count = plan_count(&s->plans[i], step, effective, usage, record.step.until_bytes),
		.stop = SUPERVISOR_NO_ANSWER,
	};
	record.step.count = alloc->count;
	s->worker.page->step = i;
	record_add(s->log, &record);
	return 0;
}

/* What the step under way has made, when the worker answered or was dead. */
static void supervisor_tell_alloc(struct supervisor *s)
{
	struct record record = { .type = RECORD_ALLOC };
	unsigned int number = s->untold;

	if (!number)
		return;
	s->untold = 0;
	record.alloc.number = number;
	record.alloc.kind = s->job->steps[number - 1].kind->id;
	record.alloc.alloc = s->worker.page->alloc[number - 1];
	if (record.alloc.alloc.stop == SUPERVISOR_NO_ANSWER)
		record_add_text(s->log, RECORD_NOTE, "step %u ended without an answer", number);
	else
		record_add(s->log, &record);
}

/* Sets *@go_on to whether there can be a next step. */
static int supervisor_step(struct supervisor *s, unsigned int i, bool *go_on, struct error *error)
{
	struct memstress_alloc *alloc = &s->worker.page->alloc[i];

	*go_on = false;
	if (supervisor_request(s, i, error))
		return -1;
	s->untold = i + 1;
	if (alloc->count && !supervisor_ask(s, WORKER_ALLOC))
		return 0;
	if (!alloc->count)
		alloc->stop = MEMSTRESS_STOP_DONE;
	else if (s->worker.page->error)
		return supervisor_refused(s, i, s->worker.page->error, error);
	supervisor_tell_alloc(s);
	*go_on = alloc->stop == MEMSTRESS_STOP_DONE ||
		 (alloc->stop == MEMSTRESS_STOP_FAILED && s->job->steps[i].until == UNTIL_ENOMEM);
	return 0;
}

static void supervisor_hold(struct supervisor *s)
{
	struct record record = { .type = RECORD_HOLD, .hold = { .hold_ns = s->job->hold_ns } };

	s->worker.page->ledger = (struct memstress_ledger){};
	if (!supervisor_ask(s, WORKER_LEDGER) || s->worker.page->error)
		return;
	record.hold.bookkeeping_bytes = s->worker.page->ledger.bookkeeping_bytes;
	record_add(s->log, &record);
	loop_await(&s->channels.loop, supervisor_is_over, s, clock_now_ns() + s->job->hold_ns, 0);
}

static int supervisor_free(struct supervisor *s, struct error *error)
{
	struct record record = { .type = RECORD_FREE, .free = { .order = s->job->free_order } };

	s->worker.page->free = (struct memstress_free){
		.flags = MEMSTRESS_FREE_ALL,
		.order = s->job->free_order,
		.seed = s->job->seed,
	};
	if (!supervisor_ask(s, WORKER_FREE))
		return 0;
	if (s->worker.page->error == -ESTALE)
		return error_set(error, STATUS_FAILED,
				 "the module took the memory back: dead-man timer or global OOM");
	if (s->worker.page->error)
		return error_set(error, STATUS_FAILED, "cannot free: %s",
				 strerror(-s->worker.page->error));
	record.free.free = s->worker.page->free;
	record_add(s->log, &record);
	return 0;
}

/* What can only be done with a living worker, after the steps. */
static int supervisor_keep_and_free(struct supervisor *s, struct error *error)
{
	if (supervisor_measure(s, WHEN_HELD, error))
		return -1;
	if (s->job->hold_ns)
		supervisor_hold(s);
	if (supervisor_is_over(s))
		return 0;
	if (supervisor_free(s, error))
		return -1;
	if (supervisor_is_over(s))
		return 0;
	return supervisor_measure(s, WHEN_FREED, error);
}

/* Usage has come down to what stocks may keep for the cgroup. */
static bool supervisor_is_released(void *context)
{
	const struct supervisor *s = context;
	const struct record *empty = record_counters(s->log, WHEN_EMPTY);
	__u64 stock = (__u64)s->info.charge_batch_pages * s->info.page_size * s->info.online_cpus;
	__u64 usage;

	if (cg_read_number(&s->target.cg, CG_USAGE, &usage))
		return true;
	return usage <= empty->counters.snapshot.usage_bytes + stock;
}

static bool supervisor_log_is_complete(void *context)
{
	const struct channels *channels = &((const struct supervisor *)context)->channels;

	return channels->kmsg.fd < 0 || channels->kills_told >= channels->kills;
}

/* Settled, usage is what it was without a worker; or it cannot be read any more. */
static bool supervisor_is_as_before(void *context)
{
	struct supervisor *s = context;
	const struct record *empty = record_counters(s->log, WHEN_EMPTY);
	struct record_counters counters = {};
	struct error error;
	__u64 usage;

	if (supervisor_settle(s, &counters, &error) ||
	    cg_read_number(&s->target.cg, CG_USAGE, &usage))
		return true;
	return usage <= empty->counters.snapshot.usage_bytes;
}

/* After the worker's end, that of a killed one above all. */
static int supervisor_conclude(struct supervisor *s, struct error *error)
{
	struct loop *loop = &s->channels.loop;
	struct record record = { .type = RECORD_RELEASE };
	bool released;

	released = loop_await(loop, supervisor_is_released, s,
			      clock_now_ns() + SUPERVISOR_RELEASE_TIMEOUT, SUPERVISOR_LOOK);
	if (s->channels.kill_ns && released &&
	    !cg_read_number(&s->target.cg, CG_USAGE, &record.release.usage_bytes)) {
		record.release.since_kill_ns = clock_now_ns() - s->channels.kill_ns;
		record_add(s->log, &record);
	}
	loop_await(loop, supervisor_log_is_complete, s, clock_now_ns() + SUPERVISOR_LOG_TIMEOUT, 0);
	loop_await(loop, supervisor_is_as_before, s, clock_now_ns() + SUPERVISOR_REST_TIMEOUT,
		   SUPERVISOR_REST_LOOK);
	return supervisor_measure(s, WHEN_AFTER, error);
}

/* The worker ends: asked to, or killed if the run is to stop. */
static void supervisor_dismiss(struct supervisor *s)
{
	if (!supervisor_is_over(s))
		worker_tell(&s->worker, WORKER_EXIT);
	loop_await(&s->channels.loop, supervisor_is_over, s, 0, 0);
	if (!s->gone)
		kill(s->worker.pid, SIGKILL);
	loop_await(&s->channels.loop, supervisor_is_gone, s, 0, 0);
	supervisor_tell_alloc(s);
}

static int supervisor_perform(struct supervisor *s, struct error *error)
{
	bool go_on = true;
	unsigned int i;

	if (supervisor_measure(s, WHEN_EMPTY, error) || supervisor_place(s, error))
		return -1;
	if (!supervisor_is_over(s) && supervisor_measure(s, WHEN_BASELINE, error))
		return -1;
	for (i = 0; i < s->job->step_count && go_on && !supervisor_is_over(s); i++)
		if (supervisor_step(s, i, &go_on, error))
			return -1;
	if (!supervisor_is_over(s) && supervisor_keep_and_free(s, error))
		return -1;
	if (s->channels.vanished)
		return supervisor_lost(s, -ENODEV, error);

	supervisor_dismiss(s);
	return supervisor_conclude(s, error);
}

/* With the cgroup made; removing it is left to the caller. */
static int supervisor_watch(struct supervisor *s, struct error *error)
{
	int ret = worker_init(&s->worker);

	if (ret)
		return error_set(error, STATUS_FAILED, "cannot share memory with a worker: %s",
				 strerror(-ret));
	ret = channels_open(&s->channels, s->log, &s->target.cg, s->job->timeout_ns);
	if (ret)
		ret = error_set(error, STATUS_FAILED, "cannot watch cgroup %s: %s", s->target.path,
				strerror(-ret));
	else
		ret = supervisor_perform(s, error);
	worker_destroy(&s->worker);
	channels_close(&s->channels);
	return ret;
}

int supervisor_run(const struct job *job, struct record_log *log, struct error *error)
{
	struct supervisor s = { .job = job, .log = log };
	struct record verdict = { .type = RECORD_VERDICT };
	struct error remove_error;
	sigset_t signals;
	int ret;

	if (supervisor_prepare(&s, error)) {
		if (s.device >= 0)
			close(s.device);
		return -1;
	}
	channels_block_signals(&signals);
	ret = supervisor_begin(&s, error);
	if (!ret)
		ret = supervisor_watch(&s, error);
	if (target_remove(&s.target, &remove_error) && !ret) {
		*error = remove_error;
		ret = -1;
	}
	close(s.device);
	if (!ret) {
		verdict_judge(job, log, &verdict.verdict);
		record_add(log, &verdict);
	}
	sigprocmask(SIG_SETMASK, &signals, NULL);
	return ret;
}
