// SPDX-License-Identifier: GPL-2.0
/*
 * ALLOC: objects of one request, in rounds, and their holding.
 *
 * No lock is held while an object is allocated: that is where this module sleeps,
 * is throttled, or is chosen by the OOM killer. A round fills a small batch that only
 * it knows; then the batch is booked under the session's lock, so the dead-man and the
 * relief can take back what is booked while the ALLOC goes on.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/memcontrol.h>
#include <linux/oom.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "internal.h"
#include "trace.h"

/* Few enough not to hold much of a cap that another session wants. */
#define MS_BATCH_BYTES SZ_1M

/**
 * struct ms_alloc_run - an ALLOC under way
 * @session: that it is of
 * @cmd: as it was asked for
 * @caller: who asked
 * @place: where the rounds run
 * @active: memcg to make active for the allocations, or NULL
 * @request: what each object is
 * @begin_ns: when it began
 * @room: objects that the round may make
 * @batch: what the round has made
 * @oldest: the last of @batch
 * @tally: what it has come to
 * @stop: why it ends, when it does
 * @stopped: it ends
 */
struct ms_alloc_run {
	struct ms_session *session;
	const struct memstress_alloc *cmd;
	struct task_struct *caller;
	struct ms_place place;
	struct mem_cgroup *active;
	const struct ms_request *request;
	u64 begin_ns;
	u64 room;
	struct ms_chain batch;
	struct ms_link *oldest;
	struct ms_tally tally;
	u32 stop;
	bool stopped;
};

/* Who pays for an ALLOC that names somebody. NULL: nobody. */
static struct mem_cgroup *ms_alloc_named_payer(const struct memstress_alloc *cmd)
{
	if (cmd->flags & MEMSTRESS_ALLOC_PAYER_PID)
		return ms_memcg_get_pid(cmd->payer_fd);
	if (cmd->payer_fd == MEMSTRESS_PAYER_NOBODY)
		return NULL;
	return ms_memcg_get_fd(cmd->payer_fd);
}

static bool ms_alloc_names_payer(const struct memstress_alloc *cmd)
{
	return cmd->payer_fd != MEMSTRESS_PAYER_CALLER || cmd->flags & MEMSTRESS_ALLOC_PAYER_PID;
}

/*
 * Whose cgroup pays. @active is the memcg to make active for the allocations, NULL
 * where the kernel's own choice is what is asked for. Without accounting nobody pays.
 */
static int ms_alloc_payer(const struct memstress_alloc *cmd, struct mem_cgroup **payer,
			  struct mem_cgroup **active)
{
	*payer = NULL;
	*active = NULL;
	if (!(cmd->flags & MEMSTRESS_ALLOC_ACCOUNT))
		return 0;

	if (ms_alloc_names_payer(cmd))
		*payer = ms_alloc_named_payer(cmd);
	else
		*payer = ms_memcg_get_caller();
	if (IS_ERR(*payer))
		return PTR_ERR(*payer);
	if (!*payer)
		return 0;
	if (ms_limits_require_limit() && !ms_memcg_has_limit(*payer)) {
		ms_memcg_put(*payer);
		return -EDQUOT;
	}
	/* Elsewhere than in the caller nothing tells the kernel who that is. */
	if (ms_alloc_names_payer(cmd) || cmd->context != MEMSTRESS_CONTEXT_TASK)
		*active = *payer;
	return 0;
}

/*
 * Takes the charges off a request that nobody will pay for, accounted or not: the root
 * is never charged. Such memory is only for those who may have unaccounted memory.
 */
static int ms_alloc_check_paid(struct ms_ucmd *ucmd, const struct mem_cgroup *payer,
			       struct ms_request *request)
{
	request->unpaid = !payer || ms_memcg_is_root(payer) || !ms_memcg_accounts_kernel();
	if (!request->unpaid)
		return 0;
	request->unit.page_charged_bytes = 0;
	request->unit.byte_charged_bytes = 0;
	request->fallback.page_charged_bytes = 0;
	request->fallback.byte_charged_bytes = 0;
	return ms_ioctl_privileged(ucmd->file) ? 0 : -EPERM;
}

static int ms_alloc_check_payer(const struct memstress_alloc *cmd)
{
	bool pid = cmd->flags & MEMSTRESS_ALLOC_PAYER_PID;

	if (pid && cmd->payer_fd <= 0)
		return -ESRCH;
	if (cmd->payer_fd < MEMSTRESS_PAYER_NOBODY)
		return -EBADF;
	if (ms_alloc_names_payer(cmd) && !(cmd->flags & MEMSTRESS_ALLOC_ACCOUNT))
		return -EINVAL;
	if (cmd->payer_fd == MEMSTRESS_PAYER_NOBODY && cmd->context == MEMSTRESS_CONTEXT_TASK)
		return -EINVAL;
	return 0;
}

static int ms_alloc_check(struct ms_ucmd *ucmd)
{
	const struct memstress_alloc *cmd = ucmd->cmd;
	bool accounted = cmd->flags & MEMSTRESS_ALLOC_ACCOUNT;
	int ret;

	if (cmd->flags &
	    ~(MEMSTRESS_ALLOC_ACCOUNT | MEMSTRESS_ALLOC_ZERO | MEMSTRESS_ALLOC_CPU |
	      MEMSTRESS_ALLOC_PAYER_PID | MEMSTRESS_ALLOC_SPLITTABLE | MEMSTRESS_ALLOC_MAPPABLE))
		return -EINVAL;
	if (!cmd->count)
		return -EINVAL;
	ret = ms_alloc_check_payer(cmd);
	if (ret)
		return ret;
	if (!ms_session_may_alloc(ucmd->session))
		return -EACCES;
	if ((!accounted || ms_alloc_names_payer(cmd) || ms_policy_forced(cmd->policy) ||
	     ms_context_interrupts(cmd->context)) &&
	    !ms_ioctl_privileged(ucmd->file))
		return -EPERM;
	return 0;
}

/* A task that the OOM killer never selects. */
static bool ms_alloc_unkillable(const struct task_struct *task)
{
	return task->signal->oom_score_adj == OOM_SCORE_ADJ_MIN;
}

/* Whether the ALLOC ends before its next object, and if so why. */
static bool ms_alloc_stops(struct ms_alloc_run *run, u64 now)
{
	const struct memstress_alloc *cmd = run->cmd;
	u64 failures = run->tally.failures;

	if (fatal_signal_pending(run->caller))
		run->stop = MEMSTRESS_STOP_KILLED;
	else if (failures && ms_request_accounted(run->request) && ms_alloc_unkillable(run->caller))
		run->stop = MEMSTRESS_STOP_UNKILLABLE;
	else if (failures > cmd->max_failures)
		run->stop = MEMSTRESS_STOP_FAILED;
	else if (cmd->deadline_ns && now - run->begin_ns >= cmd->deadline_ns)
		run->stop = MEMSTRESS_STOP_DEADLINE;
	else
		return false;
	run->stopped = true;
	return true;
}

static void ms_alloc_keep(struct ms_alloc_run *run, struct ms_link *link)
{
	ms_chain_push(&run->batch, run->request, link);
	run->oldest = run->oldest ?: link;
}

/* One call of the allocator for many objects, of which it may give some. Returns how many. */
static u32 ms_alloc_bulk(struct ms_alloc_run *run)
{
	struct ms_link *links[MS_BULK_OBJECTS];
	u32 wanted = min_t(u64, run->room - run->batch.count.objects, MS_BULK_OBJECTS);
	u32 given = run->request->ops->alloc_bulk(run->request, links, wanted);
	u32 i;

	for (i = 0; i < given; i++)
		ms_alloc_keep(run, links[i]);
	return given;
}

static u32 ms_alloc_single(struct ms_alloc_run *run)
{
	struct ms_link *link = run->request->ops->alloc(run->request);

	if (!link)
		return 0;
	ms_alloc_keep(run, link);
	return 1;
}

/* One attempt. Returns how many objects it gave. */
static u32 ms_alloc_attempt(struct ms_alloc_run *run)
{
	u32 given = run->request->method == MEMSTRESS_ALLOC_BULK ? ms_alloc_bulk(run) :
								   ms_alloc_single(run);

	if (!given && !run->tally.failures++)
		run->tally.first_errno = ENOMEM;
	return given;
}

/* Runs in the context that was asked for. */
static void ms_alloc_round(void *data)
{
	struct ms_alloc_run *run = data;
	struct mem_cgroup *previous = NULL;
	u64 begin = ktime_get_ns();
	u64 now = begin;
	u64 handled = 0;

	if (run->active)
		previous = set_active_memcg(run->active);
	while (run->batch.count.objects < run->room) {
		u64 since = now;

		if (READ_ONCE(run->session->dead) || ms_alloc_stops(run, now) ||
		    ms_context_is_over(&run->place, handled, now - begin))
			break;
		handled += max(ms_alloc_attempt(run), 1U);
		now = ktime_get_ns();
		ms_tally_time(&run->tally, now - since);
		now = ms_context_rest(&run->place, now);
	}
	if (run->active)
		set_active_memcg(previous);
}

/* Frees what nobody has seen, after it was taken out of the ledger or before it got there. */
static void ms_alloc_drop(struct ms_session *session, const struct ms_request *request,
			  struct ms_chain *chain)
{
	struct ms_tally tally = {};

	ms_free_chain(session, request, chain, &tally);
	ms_event_released(session, MEMSTRESS_CAUSE_UNDONE, &tally.books);
}

/* Books what a round has made. False if the session is dead, and frees it then. */
static bool ms_alloc_book(struct ms_alloc_run *run, struct ms_holding *holding)
{
	struct ms_session *session = run->session;
	bool dead;

	ms_limits_release(session, run->request, run->room - run->batch.count.objects);
	ms_kind_add_books(&run->tally.books, run->request, run->batch.count);

	spin_lock(&session->lock);
	dead = session->dead;
	if (!dead) {
		ms_ledger_add(&session->ledger, holding, run->batch.count);
		ms_chain_splice(&holding->chain, &run->batch, run->oldest);
	}
	spin_unlock(&session->lock);
	if (dead)
		ms_alloc_drop(session, run->request, &run->batch);
	return !dead;
}

/*
 * Makes the objects and books them in @holding, a batch at a time.
 * -ESTALE: the session has died.
 */
static int ms_alloc_fill(struct ms_alloc_run *run, struct ms_holding *holding)
{
	u64 batch_max = div64_u64(MS_BATCH_BYTES, run->request->unit.footprint_bytes);
	u64 left = run->cmd->count;

	batch_max = clamp_t(u64, batch_max, 1, MS_BATCH_OBJECTS);
	run->begin_ns = ktime_get_ns();
	run->stop = MEMSTRESS_STOP_DONE;
	while (left && !run->stopped) {
		int ret;

		memset(&run->batch, 0, sizeof(run->batch));
		run->oldest = NULL;
		run->room = ms_limits_reserve(run->session, run->request, min(left, batch_max));
		if (!run->room) {
			run->stop = MEMSTRESS_STOP_LIMIT;
			return 0;
		}
		ret = ms_context_run(&run->place, ms_alloc_round, run);
		left -= run->batch.count.objects;
		if (!ms_alloc_book(run, holding))
			return -ESTALE;
		if (ret == -EINTR) {
			run->stop = MEMSTRESS_STOP_KILLED;
			return 0;
		}
		if (ret) {
			run->stop = MEMSTRESS_STOP_FAILED;
			run->tally.first_errno = run->tally.first_errno ?: -ret;
			return 0;
		}
	}
	return 0;
}

/* Undoes an ALLOC whose holding nobody has seen. */
static void ms_alloc_abort(struct ms_session *session, struct ms_holding *holding)
{
	struct ms_chain chain;

	spin_lock(&session->lock);
	chain = holding->chain;
	ms_ledger_sub(&session->ledger, holding, chain.count);
	ms_ledger_remove(&session->ledger, holding);
	spin_unlock(&session->lock);
	ms_alloc_drop(session, &holding->request, &chain);
	ms_holding_destroy(holding);
}

/* @handle is told only if there is anything to free. payer_id is in the answer already. */
static int ms_alloc_answer(struct ms_ucmd *ucmd, u32 handle, u64 mmap_offset,
			   const struct ms_tally *tally, u32 stop)
{
	struct memstress_alloc *cmd = ucmd->cmd;

	cmd->handle = tally->books.objects ? handle : 0;
	cmd->mmap_offset = tally->books.objects ? mmap_offset : 0;
	cmd->stop = stop;
	cmd->first_errno = tally->first_errno;
	cmd->__reserved2 = 0;
	cmd->books = tally->books;
	cmd->failures = tally->failures;
	cmd->total_ns = tally->total_ns;
	cmd->slowest_ns = tally->slowest_ns;
	if (cmd->histogram && copy_to_user(u64_to_user_ptr(cmd->histogram), tally->histogram,
					   sizeof(tally->histogram)))
		return -EFAULT;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}

/* What happens once the holding is in the ledger: fill, answer, and only then publish. */
static int ms_alloc_run(struct ms_ucmd *ucmd, struct ms_holding *holding, struct mem_cgroup *active)
{
	const struct memstress_alloc *cmd = ucmd->cmd;
	struct ms_session *session = ucmd->session;
	struct ms_alloc_run run = {
		.session = session,
		.cmd = cmd,
		.caller = current,
		.place = {
			.context = cmd->context,
			.pinned = cmd->flags & MEMSTRESS_ALLOC_CPU,
			.cpu = cmd->cpu,
		},
		.active = active,
		.request = &holding->request,
	};
	bool keep;
	int ret;

	ret = ms_alloc_fill(&run, holding);
	trace_memstress_alloc(session, holding, cmd->context, run.stop, &run.tally);
	ms_event_stopped(session, holding, cmd->context, run.stop, ret, &run.tally);
	if (ret)
		goto out_abort;

	if (run.stop == MEMSTRESS_STOP_UNKILLABLE) {
		memset(&run.tally.books, 0, sizeof(run.tally.books));
		ms_alloc_abort(session, holding);
		ms_session_reclaim(session, MEMSTRESS_CAUSE_UNKILLABLE);
		return ms_alloc_answer(ucmd, 0, 0, &run.tally, run.stop);
	}
	ret = ms_alloc_answer(ucmd, holding->handle, ms_mmap_offset(holding), &run.tally, run.stop);
	if (ret)
		goto out_abort;

	spin_lock(&session->lock);
	if (session->dead)
		ret = -ESTALE;
	keep = !ret && holding->chain.first;
	if (keep)
		ms_ledger_publish(&session->ledger, holding);
	spin_unlock(&session->lock);
	if (keep)
		return 0;

out_abort:
	ms_alloc_abort(session, holding);
	return ret;
}

/*
 * A caller that is being killed closes its files only when its mm is gone, which is when
 * the OOM killer takes it for done (MMF_OOM_SKIP) and, should anybody in the cgroup
 * charge before then, looks for the next victim. So it frees what the session holds while
 * it still counts as dying, if nobody else can want that: no other descriptor of the file,
 * and no other thread, whose table of descriptors makes fdget() take a reference. Of a
 * shared session, too: whoever is alone with its file is the last one that had it.
 */
static void ms_alloc_free_of_killed(struct ms_ucmd *ucmd)
{
	if (fatal_signal_pending(current) && file_count(ucmd->file) == 1)
		ms_session_reclaim(ucmd->session, MEMSTRESS_CAUSE_KILLED);
}

int ms_alloc(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	struct memstress_alloc *cmd = ucmd->cmd;
	struct mem_cgroup *payer, *active;
	struct ms_holding *holding;
	struct ms_request request;
	int ret;

	ret = ms_alloc_check(ucmd);
	if (ret)
		return ret;
	ret = ms_kind_check(cmd);
	if (ret)
		return ret;
	ret = ms_alloc_payer(cmd, &payer, &active);
	if (ret)
		return ret;
	ret = ms_kind_prepare(cmd, &request);
	if (ret)
		goto out_put_payer;
	ret = ms_alloc_check_paid(ucmd, payer, &request);
	if (ret)
		goto out_put_payer;

	ret = -ENOMEM;
	holding = ms_holding_create(&request);
	if (!holding)
		goto out_put_payer;
	holding->payer_id = request.unpaid ? 0 : ms_memcg_id(payer);
	if (!request.unpaid)
		ms_lineage_trace(&holding->lineage, payer);
	cmd->payer_id = holding->payer_id;

	spin_lock(&session->lock);
	ret = session->dead ? -ESTALE : 0;
	if (!ret) {
		ms_ledger_insert(&session->ledger, holding);
		session->in_flight++;
	}
	spin_unlock(&session->lock);
	if (ret) {
		ms_holding_destroy(holding);
		goto out_put_payer;
	}

	ret = ms_alloc_run(ucmd, holding, active);

	spin_lock(&session->lock);
	session->in_flight--;
	spin_unlock(&session->lock);
out_put_payer:
	if (payer)
		ms_memcg_put(payer);
	ms_alloc_free_of_killed(ucmd);
	return ret;
}
