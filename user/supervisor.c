// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clock.h"
#include "device.h"
#include "lru.h"
#include "module.h"
#include "output.h"
#include "signals.h"
#include "supervisor.h"
#include "supervisor_internal.h"
#include "verdict.h"
#include "workload.h"

/* How often is looked at what no descriptor tells of. */
#define SUPERVISOR_LOOK (10 * NS_PER_MS)

/* How long the charge of a dead worker may take to come back, on a slow machine. */
#define SUPERVISOR_RELEASE_TIMEOUT (10 * NS_PER_S)

/* How long after its event the kernel log, and the module, may keep their word of it. */
#define SUPERVISOR_LOG_TIMEOUT (2 * NS_PER_S)

/*
 * What a process leaves behind is freed by and by: by RCU, by work, from caches of stacks. The last
 * look at the counters waits for that, if not for long.
 */
#define SUPERVISOR_REST_TIMEOUT (1 * NS_PER_S)
#define SUPERVISOR_REST_LOOK    (100 * NS_PER_MS)

/* User memory does without the module, which makes its counters exact if it is there. */
static int supervisor_open_module(struct supervisor *s, struct error *error)
{
	s->device = module_open(&s->info, error);
	if (s->device < 0) {
		if (job_has_kernel_memory(s->job))
			return -1;
		module_do_without(&s->info);
	}
	s->can_settle = s->info.features & MEMSTRESS_FEATURE_SETTLE;
	return 0;
}

/* What limits the steps need: a percentage is of one, and one ends what has no other end. */
static int supervisor_check_limits(const struct supervisor *s, struct error *error)
{
	unsigned int i;

	if (s->target.effective_bytes != CG_UNLIMITED)
		return 0;
	for (i = 0; i < s->job->step_count; i++) {
		const struct step *step = &s->job->steps[i];

		if (plan_is_share(step))
			return error_set(error, STATUS_MISUSE,
					 "step %u (%s): %% of what? no limit is in force; give --max",
					 i + 1, step->kind->name);
		if (step->kind->workload && !plan_is_bounded(step))
			return error_set(error, STATUS_MISUSE,
					 "step %u (%s): only a limit would end it; give --max",
					 i + 1, step->kind->name);
	}
	return 0;
}

/* Everything that can be found wrong before anything is changed. */
static int supervisor_prepare(struct supervisor *s, struct error *error)
{
	bool must_be_limited = false;
	unsigned int i;

	if (supervisor_open_module(s, error))
		return -1;
	for (i = 0; i < s->job->step_count; i++)
		if (!s->job->steps[i].kind->workload && s->job->steps[i].account)
			must_be_limited = s->info.features & MEMSTRESS_FEATURE_REQUIRE_LIMIT;
	if (target_prepare(&s->target, s->job, must_be_limited, error))
		return -1;
	for (i = 0; i < s->job->step_count; i++)
		if (plan_make(&s->plans[i], s->device, s->target.tree.ops->version,
			      &s->job->steps[i], i + 1, error))
			return -1;
	return supervisor_check_limits(s, error);
}

static void supervisor_tell_cgroup(struct supervisor *s)
{
	const struct target *target = &s->target;
	struct record record = {
		.type = RECORD_CGROUP,
		.cgroup = {
			.id = target->cg.id,
			.version = target->tree.ops->version,
			.max_bytes = target->bytes[LIMITS_MAX],
			.high_bytes = target->bytes[LIMITS_HIGH],
			.low_bytes = target->bytes[LIMITS_LOW],
			.min_bytes = target->bytes[LIMITS_MIN],
			.swap_max_bytes = target->bytes[LIMITS_SWAP_MAX],
			.zswap_max_bytes = target->bytes[LIMITS_ZSWAP_MAX],
			.effective_max_bytes = target->effective_bytes,
			.oom_group = target->bytes[LIMITS_OOM_GROUP] == 1,
			.is_found = target->is_found,
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
	if (!job_has_kernel_memory(s->job))
		return 0;
	/* Known only when there is a cgroup besides the root. */
	ret = device_info(s->device, &s->info);
	if (!ret && !(s->info.features & MEMSTRESS_FEATURE_KMEM))
		return error_set(error, STATUS_UNSUPPORTED,
				 "kernel memory is not charged; boot without cgroup.memory=nokmem");
	return 0;
}

int supervisor_lost(const struct supervisor *s, int ret, struct error *error)
{
	if (ret == -ENOENT || ret == -ENODEV)
		return error_set(error, STATUS_FAILED, "cgroup %s was removed by somebody else",
				 s->target.path);
	return error_set(error, STATUS_FAILED, "cannot read cgroup %s: %s", s->target.path,
			 strerror(-ret));
}

int supervisor_settle(struct supervisor *s, struct record_counters *counters, struct error *error)
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

/* What the module was charged for itself; 0 without it, or if nobody can tell */
static __u64 supervisor_bookkeeping(struct supervisor *s)
{
	s->worker.page->ledger = (struct memstress_ledger){};
	if (!supervisor_ask(s, WORKER_LEDGER) || s->worker.page->error)
		return 0;
	return s->worker.page->ledger.bookkeeping_bytes;
}

static int supervisor_measure(struct supervisor *s, enum record_when when, struct error *error)
{
	struct record record = { .type = RECORD_COUNTERS, .counters = { .when = when } };
	int ret;

	if (when == WHEN_HELD && job_has_kernel_memory(s->job))
		record.counters.bookkeeping_bytes = supervisor_bookkeeping(s);
	/* What has happened up to here is told before. */
	loop_poll(&s->channels.loop);
	channels_look(&s->channels);
	/* Nothing has been charged to a new one, so there is nothing to settle. */
	if ((when != WHEN_EMPTY || s->target.is_found) &&
	    supervisor_settle(s, &record.counters, error))
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

bool supervisor_is_over(void *context)
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

bool supervisor_ask(struct supervisor *s, enum worker_command command)
{
	s->answered = false;
	worker_tell(&s->worker, command);
	return supervisor_await_answer(s);
}

int supervisor_start(struct supervisor *s, const struct cgroup *cg)
{
	struct record record = { .type = RECORD_WORKER };
	int ret;

	ret = loop_add(&s->channels.loop, s->worker.answer_fd, EPOLLIN, supervisor_on_answer, s);
	/* A third of the dead-man time: one wake-up may be late. */
	if (!ret)
		ret = worker_start(&s->worker, s->job, cg, s->info.deadman_ms * NS_PER_MS / 3);
	if (!ret)
		ret = loop_add(&s->channels.loop, s->worker.pidfd, EPOLLIN, supervisor_on_exit, s);
	if (ret)
		return ret;
	record.worker.pid = s->worker.pid;
	record.worker.outside = s->job->outside;
	record_add(s->log, &record);
	supervisor_await_answer(s);
	return 0;
}

static int supervisor_place(struct supervisor *s, struct error *error)
{
	const struct cgroup *cg = s->job->outside ? NULL : &s->target.cg;
	int ret = supervisor_start(s, cg);

	if (ret)
		return error_set(error, STATUS_FAILED, "cannot start a worker in %s: %s",
				 cg ? cg->path : "the background", strerror(-ret));
	if (s->answered && !supervisor_is_over(s) && s->worker.page->error)
		return error_set(error, STATUS_FAILED, "the worker cannot prepare for step %u: %s",
				 s->worker.page->step + 1, strerror(-s->worker.page->error));
	if (job_has_kernel_memory(s->job))
		channels_follow(&s->channels, s->worker.pid);
	return 0;
}

static int supervisor_hold(struct supervisor *s, struct error *error)
{
	struct record record = { .type = RECORD_HOLD, .hold = { .hold_ns = s->job->hold_ns } };

	s->worker.page->ledger = (struct memstress_ledger){};
	if (!supervisor_ask(s, WORKER_LEDGER) || s->worker.page->error)
		return 0;
	record.hold.bookkeeping_bytes = s->worker.page->ledger.bookkeeping_bytes;
	record_add(s->log, &record);
	return supervisor_churn(s, clock_now_ns() + s->job->hold_ns, error);
}

static int supervisor_free(struct supervisor *s, struct error *error)
{
	struct record record = { .type = RECORD_FREE };

	s->worker.page->free = (struct memstress_free){
		.flags = MEMSTRESS_FREE_ALL,
		.order = s->job->free_order,
		.method = s->job->free_by,
		.context = s->job->free_context,
		.seed = s->job->seed,
	};
	record.free.order = s->job->free_order;
	record.free.method = s->job->free_by;
	record.free.context = s->job->free_context;
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
	if (s->job->hold_ns && supervisor_hold(s, error))
		return -1;
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

/* The module has told all of the worker, if it can be heard. */
static bool supervisor_session_is_closed(void *context)
{
	const struct channels *channels = &((const struct supervisor *)context)->channels;

	return !channels->session || channels->session_closed;
}

/* Settled, usage is what it was without a worker; or it cannot be read any more. */
static bool supervisor_is_as_before(void *context)
{
	struct supervisor *s = context;
	const struct record *empty = record_counters(s->log, WHEN_EMPTY);
	struct record_counters counters = {};
	struct error error;
	__u64 usage;

	lru_drain();
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
	__u64 released_ns;
	bool released;

	released = loop_await(loop, supervisor_is_released, s,
			      clock_now_ns() + SUPERVISOR_RELEASE_TIMEOUT, SUPERVISOR_LOOK);
	released_ns = clock_now_ns();
	loop_await(loop, supervisor_session_is_closed, s, clock_now_ns() + SUPERVISOR_LOG_TIMEOUT,
		   0);
	if (s->channels.kill_ns && released &&
	    !cg_read_number(&s->target.cg, CG_USAGE, &record.release.usage_bytes)) {
		record.release.since_kill_ns = released_ns - s->channels.kill_ns;
		record.release.is_marked = s->channels.is_marked;
		record.release.since_mark_ns = s->channels.since_mark_ns;
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

/* What the job says, or has time for; growth that has no end needs no longer than the rest. */
static __u64 supervisor_timeout_ns(const struct supervisor *s)
{
	__u64 ns = s->job->timeout_ns;
	unsigned int i;

	for (i = 0; i < s->job->step_count && !s->job->timeout_given; i++) {
		const struct step *step = &s->job->steps[i];
		struct growth_course course;
		__u64 takes_ns;

		growth_begin(&course, &step->growth, s->plans[i].object_bytes,
			     plan_count(&s->plans[i], step, s->target.effective_bytes, 0,
					units_resolve(step->usage, s->target.effective_bytes)),
			     s->job->seed);
		takes_ns = growth_duration_ns(course);
		if (takes_ns < ~0ULL - ns)
			ns += takes_ns;
		if (step->wait_ns < ~0ULL - ns)
			ns += step->wait_ns;
	}
	return ns;
}

/* With the cgroup made; removing it is left to the caller. */
static int supervisor_watch(struct supervisor *s, struct error *error)
{
	int ret = worker_init(&s->worker);

	if (ret)
		return error_set(error, STATUS_FAILED, "cannot share memory with a worker: %s",
				 strerror(-ret));
	ret = channels_open(&s->channels, s->log, &s->target.cg, supervisor_timeout_ns(s),
			    job_has_kernel_memory(s->job));
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
	struct supervisor s = { .job = job, .log = log, .device = -1 };
	struct record verdict = { .type = RECORD_VERDICT };
	struct error remove_error;
	unsigned int i;
	sigset_t signals;
	int ret;

	if (supervisor_prepare(&s, error)) {
		if (s.device >= 0)
			close(s.device);
		return -1;
	}
	channels_block_signals(&signals);
	/* Until the channels are open, who know how long the steps may take. */
	output_set_deadline(clock_in_ns(job->timeout_ns));
	ret = supervisor_begin(&s, error);
	if (!ret)
		ret = supervisor_watch(&s, error);
	if (target_remove(&s.target, &remove_error) && !ret) {
		*error = remove_error;
		ret = -1;
	}
	for (i = 0; i < job->step_count; i++)
		holding_release(&s.holdings[i]);
	if (s.device >= 0)
		close(s.device);
	if (!ret) {
		verdict_judge(job, log, &verdict.verdict);
		record_add(log, &verdict);
	}
	signals_put_back(&signals);
	return ret;
}
