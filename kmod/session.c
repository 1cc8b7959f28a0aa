// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: one open file of /dev/memstress, and what ALLOC, FREE and LEDGER mean.
 *
 * No lock is held while an object is allocated: that is where this module sleeps,
 * is throttled, or is chosen by the OOM killer. ALLOC fills a small batch that only
 * it knows, and books it under the session's lock; so the dead-man and the relief
 * can take back what is booked while the ALLOC goes on.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/oom.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "internal.h"

/* Objects booked, and reserved under the caps, at a time: many enough to make the locks cheap. */
#define MS_BATCH_OBJECTS 256
/* Few enough not to hold much of a cap that another session wants. */
#define MS_BATCH_BYTES SZ_1M

/**
 * struct ms_tally - what an ALLOC or a FREE has come to
 * @books: objects made or freed
 * @failures: objects refused
 * @first_errno: of the first refused one
 * @total_ns: time in the allocator
 * @slowest_ns: longest time in it for one object
 * @histogram: attempts by log2 of their time
 */
struct ms_tally {
	struct memstress_books books;
	u64 failures;
	u32 first_errno;
	u64 total_ns;
	u64 slowest_ns;
	u64 histogram[MEMSTRESS_HISTOGRAM_SLOTS];
};

static struct kmem_cache *ms_session_cache;
static struct kmem_cache *ms_holding_cache;
static size_t ms_session_charge;
static size_t ms_holding_charge;
static struct workqueue_struct *ms_session_workqueue;

/*
 * All sessions. Nothing is allocated under this mutex: it is taken on a global OOM,
 * by whoever ran into it.
 */
static DEFINE_MUTEX(ms_sessions_lock);
static LIST_HEAD(ms_sessions);

static void ms_tally_time(struct ms_tally *tally, u64 ns)
{
	int slot = ns ? ilog2(ns) : 0;

	tally->total_ns += ns;
	tally->slowest_ns = max(tally->slowest_ns, ns);
	tally->histogram[min(slot, MEMSTRESS_HISTOGRAM_SLOTS - 1)]++;
}

/* Lets others run if they want to; that is not the allocator's time. Returns the time. */
static u64 ms_session_rest(u64 now)
{
	if (!need_resched())
		return now;
	cond_resched();
	return ktime_get_ns();
}

/*
 * Frees up to @count objects of @chain. If they are still booked in @holding, they
 * are taken out of the ledger as they go. Ends early on a fatal signal if @killable.
 */
static void ms_session_free_objects(struct ms_session *session, const struct ms_request *request,
				    struct ms_chain *chain, u64 count, struct ms_holding *holding,
				    bool killable, struct ms_tally *tally)
{
	while (chain->first && count && !(killable && fatal_signal_pending(current))) {
		struct ms_count before = chain->count;
		u64 now = ktime_get_ns();
		struct ms_count freed;
		u64 batch;

		for (batch = min_t(u64, count, MS_BATCH_OBJECTS); batch; batch--) {
			struct ms_link *link = ms_chain_pop(chain, request);
			u64 since = now;

			if (!link)
				break;
			request->ops->free(request, link);
			now = ktime_get_ns();
			ms_tally_time(tally, now - since);
			now = ms_session_rest(now);
		}
		freed.objects = before.objects - chain->count.objects;
		freed.uncharged = before.uncharged - chain->count.uncharged;
		count -= freed.objects;
		ms_limits_release(session, request, freed.objects);
		ms_kind_add_books(&tally->books, request, freed);
		if (!holding)
			continue;
		spin_lock(&session->lock);
		ms_ledger_sub(&session->ledger, holding, freed);
		spin_unlock(&session->lock);
	}
}

/*
 * Takes any chain out of the ledger for good: of a holding that nobody works on,
 * which then is the caller's to destroy, or what a running ALLOC has booked so far.
 */
static bool ms_session_detach(struct ms_session *session, struct ms_chain *chain,
			      struct ms_request *request, struct ms_holding **owned)
{
	struct ms_ledger *ledger = &session->ledger;
	struct ms_holding *holding = NULL;
	struct rb_node *node;

	spin_lock(&session->lock);
	for (node = rb_first(&ledger->holdings); node; node = rb_next(node)) {
		holding = rb_entry(node, struct ms_holding, node);
		if (holding->state == MS_HOLDING_READY)
			break;
		if (holding->state == MS_HOLDING_FILLING && session->dead && holding->chain.first)
			break;
	}
	if (node) {
		*chain = holding->chain;
		*request = holding->request;
		*owned = holding->state == MS_HOLDING_READY ? holding : NULL;
		memset(&holding->chain, 0, sizeof(holding->chain));
		ms_ledger_sub(ledger, holding, chain->count);
		if (*owned)
			ms_ledger_remove(ledger, holding);
	}
	spin_unlock(&session->lock);
	return node;
}

/*
 * Frees all that can be freed from outside. What a running FREE has taken, or a
 * running ALLOC has not booked yet, those free themselves if the session is dead.
 * Returns the bytes that were freed.
 */
static u64 ms_session_reclaim(struct ms_session *session)
{
	struct ms_tally tally = {};
	struct ms_request request;
	struct ms_holding *owned;
	struct ms_chain chain;

	while (ms_session_detach(session, &chain, &request, &owned)) {
		ms_session_free_objects(session, &request, &chain, U64_MAX, NULL, false, &tally);
		if (owned)
			kmem_cache_free(ms_holding_cache, owned);
	}
	return tally.books.footprint_bytes;
}

static u64 ms_session_kill(struct ms_session *session)
{
	spin_lock(&session->lock);
	session->dead = true;
	spin_unlock(&session->lock);
	return ms_session_reclaim(session);
}

/* On a global OOM: every session gives all it has. Returns the bytes freed. */
u64 ms_session_reclaim_all(void)
{
	struct ms_session *session;
	u64 bytes = 0;

	mutex_lock(&ms_sessions_lock);
	list_for_each_entry(session, &ms_sessions, peers)
		bytes += ms_session_kill(session);
	mutex_unlock(&ms_sessions_lock);
	return bytes;
}

static void ms_session_arm(struct ms_session *session, unsigned long delay)
{
	mod_delayed_work(ms_session_workqueue, &session->deadman, delay);
}

static void ms_session_deadman(struct work_struct *work)
{
	struct ms_session *session = container_of(work, struct ms_session, deadman.work);
	unsigned int deadman_ms = ms_limits_deadman_ms();
	/* One more, as the call may have come at the end of its jiffy. */
	unsigned long due = READ_ONCE(session->active_jiffies) + msecs_to_jiffies(deadman_ms) + 1;

	if (!deadman_ms)
		return;
	if (time_before(jiffies, due))
		ms_session_arm(session, due - jiffies);
	else
		ms_session_kill(session);
}

/* The dead-man's time has changed: every session finds out what it means for it. */
void ms_session_rearm_all(void)
{
	struct ms_session *session;

	mutex_lock(&ms_sessions_lock);
	list_for_each_entry(session, &ms_sessions, peers)
		ms_session_arm(session, 0);
	mutex_unlock(&ms_sessions_lock);
}

void ms_session_touch(struct ms_session *session)
{
	WRITE_ONCE(session->active_jiffies, jiffies);
}

struct ms_session *ms_session_create(void)
{
	struct ms_session *session = kmem_cache_zalloc(ms_session_cache, GFP_KERNEL);

	if (!session)
		return ERR_PTR(-ENOMEM);
	session->owner = get_pid(task_tgid(current));
	spin_lock_init(&session->lock);
	ms_ledger_init(&session->ledger);
	INIT_DELAYED_WORK(&session->deadman, ms_session_deadman);
	ms_session_touch(session);

	mutex_lock(&ms_sessions_lock);
	list_add_tail(&session->peers, &ms_sessions);
	mutex_unlock(&ms_sessions_lock);
	ms_session_arm(session, msecs_to_jiffies(ms_limits_deadman_ms()));
	return session;
}

/* The file is gone, so no ioctl runs; off the list, nobody arms the dead-man again. */
void ms_session_destroy(struct ms_session *session)
{
	mutex_lock(&ms_sessions_lock);
	list_del(&session->peers);
	mutex_unlock(&ms_sessions_lock);
	cancel_delayed_work_sync(&session->deadman);
	ms_session_kill(session);
	put_pid(session->owner);
	kmem_cache_free(ms_session_cache, session);
}

/*
 * Whose cgroup pays. @active is the memcg to make active for the allocations, NULL
 * for the caller's own. Without accounting nobody pays.
 */
static int ms_session_payer(const struct memstress_alloc *cmd, struct mem_cgroup **payer,
			    struct mem_cgroup **active)
{
	*payer = NULL;
	*active = NULL;
	if (!(cmd->flags & MEMSTRESS_ALLOC_ACCOUNT))
		return 0;

	if (cmd->payer_fd == MEMSTRESS_PAYER_CALLER) {
		*payer = ms_memcg_get_caller();
	} else {
		*payer = ms_memcg_get_fd(cmd->payer_fd);
		if (IS_ERR(*payer))
			return PTR_ERR(*payer);
		*active = *payer;
	}
	if (ms_limits_require_limit() && !ms_memcg_has_limit(*payer)) {
		ms_memcg_put(*payer);
		return -EDQUOT;
	}
	return 0;
}

/*
 * Takes the charges off a request that nobody will pay for, accounted or not: the root
 * is never charged. Such memory is only for those who may have unaccounted memory.
 */
static int ms_session_check_paid(struct ms_ucmd *ucmd, const struct mem_cgroup *payer,
				 struct ms_request *request)
{
	request->unpaid = !payer || ms_memcg_is_root(payer) || !ms_memcg_accounts_kernel();
	if (!request->unpaid)
		return 0;
	request->unit.page_charged_bytes = 0;
	request->unit.byte_charged_bytes = 0;
	return ms_ioctl_privileged(ucmd->file) ? 0 : -EPERM;
}

static int ms_session_check_alloc(struct ms_ucmd *ucmd)
{
	const struct memstress_alloc *cmd = ucmd->cmd;
	bool accounted = cmd->flags & MEMSTRESS_ALLOC_ACCOUNT;
	bool foreign = cmd->payer_fd != MEMSTRESS_PAYER_CALLER;

	if (cmd->flags & ~(MEMSTRESS_ALLOC_ACCOUNT | MEMSTRESS_ALLOC_ZERO))
		return -EINVAL;
	if (cmd->__reserved || !cmd->count)
		return -EINVAL;
	if (cmd->payer_fd < MEMSTRESS_PAYER_CALLER)
		return -EBADF;
	if (foreign && !accounted)
		return -EINVAL;
	if (task_tgid(current) != ucmd->session->owner)
		return -EACCES;
	if ((!accounted || foreign || ms_policy_forced(cmd->policy)) &&
	    !ms_ioctl_privileged(ucmd->file))
		return -EPERM;
	return 0;
}

/* A task that the OOM killer never selects. */
static bool ms_unkillable(void)
{
	return current->signal->oom_score_adj == OOM_SCORE_ADJ_MIN;
}

/* Whether the ALLOC ends before its next object, and if so why. */
static bool ms_session_stops(const struct memstress_alloc *cmd, const struct ms_request *request,
			     const struct ms_tally *tally, u64 elapsed_ns, u32 *stop)
{
	if (fatal_signal_pending(current)) {
		*stop = MEMSTRESS_STOP_KILLED;
		return true;
	}
	if (tally->failures && ms_request_accounted(request) && ms_unkillable()) {
		*stop = MEMSTRESS_STOP_UNKILLABLE;
		return true;
	}
	if (tally->failures > cmd->max_failures) {
		*stop = MEMSTRESS_STOP_FAILED;
		return true;
	}
	if (cmd->deadline_ns && elapsed_ns >= cmd->deadline_ns) {
		*stop = MEMSTRESS_STOP_DEADLINE;
		return true;
	}
	return false;
}

/*
 * Makes the objects and books them in @holding, a batch at a time.
 * -ESTALE: the session has died.
 */
static int ms_session_fill(struct ms_session *session, const struct memstress_alloc *cmd,
			   struct ms_holding *holding, struct ms_tally *tally, u32 *stop)
{
	const struct ms_request *request = &holding->request;
	u64 footprint = request->unit.footprint_bytes;
	u64 batch_max = clamp_t(u64, div64_u64(MS_BATCH_BYTES, footprint), 1, MS_BATCH_OBJECTS);
	u64 left = cmd->count;
	u64 begin = ktime_get_ns();
	bool stopped = false;

	*stop = MEMSTRESS_STOP_DONE;
	while (left && !stopped) {
		struct ms_chain batch = {};
		struct ms_link *oldest = NULL;
		u64 room = ms_limits_reserve(session, request, min(left, batch_max));
		u64 now = ktime_get_ns();
		bool dead;

		if (!room) {
			*stop = MEMSTRESS_STOP_LIMIT;
			return 0;
		}
		while (batch.count.objects < room && !READ_ONCE(session->dead)) {
			struct ms_link *link;
			u64 since = now;

			stopped = ms_session_stops(cmd, request, tally, now - begin, stop);
			if (stopped)
				break;
			link = request->ops->alloc(request);
			now = ktime_get_ns();
			ms_tally_time(tally, now - since);
			if (link) {
				ms_chain_push(&batch, request, link);
				oldest = oldest ?: link;
			} else if (!tally->failures++) {
				tally->first_errno = ENOMEM;
			}
			now = ms_session_rest(now);
		}
		ms_limits_release(session, request, room - batch.count.objects);
		left -= batch.count.objects;
		ms_kind_add_books(&tally->books, request, batch.count);

		spin_lock(&session->lock);
		dead = session->dead;
		if (!dead) {
			ms_ledger_add(&session->ledger, holding, batch.count);
			ms_chain_splice(&holding->chain, &batch, oldest);
		}
		spin_unlock(&session->lock);
		if (dead) {
			ms_session_free_objects(session, request, &batch, U64_MAX, NULL, false,
						tally);
			return -ESTALE;
		}
	}
	return 0;
}

/* Undoes an ALLOC whose holding nobody has seen. */
static void ms_session_abort(struct ms_session *session, struct ms_holding *holding)
{
	struct ms_tally tally = {};
	struct ms_chain chain;

	spin_lock(&session->lock);
	chain = holding->chain;
	ms_ledger_sub(&session->ledger, holding, chain.count);
	ms_ledger_remove(&session->ledger, holding);
	spin_unlock(&session->lock);
	ms_session_free_objects(session, &holding->request, &chain, U64_MAX, NULL, false, &tally);
	kmem_cache_free(ms_holding_cache, holding);
}

/* @handle is told only if there is anything to free. payer_id is in the answer already. */
static int ms_session_answer_alloc(struct ms_ucmd *ucmd, u32 handle, const struct ms_tally *tally,
				   u32 stop)
{
	struct memstress_alloc *cmd = ucmd->cmd;

	cmd->handle = tally->books.objects ? handle : 0;
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
static int ms_session_run_alloc(struct ms_ucmd *ucmd, struct ms_holding *holding,
				struct mem_cgroup *active)
{
	struct ms_session *session = ucmd->session;
	struct mem_cgroup *previous = NULL;
	struct ms_tally tally = {};
	bool keep;
	u32 stop;
	int ret;

	if (active)
		previous = set_active_memcg(active);
	ret = ms_session_fill(session, ucmd->cmd, holding, &tally, &stop);
	if (active)
		set_active_memcg(previous);
	if (ret)
		goto out_abort;

	if (stop == MEMSTRESS_STOP_UNKILLABLE) {
		memset(&tally.books, 0, sizeof(tally.books));
		ms_session_abort(session, holding);
		ms_session_reclaim(session);
		return ms_session_answer_alloc(ucmd, 0, &tally, stop);
	}
	ret = ms_session_answer_alloc(ucmd, holding->handle, &tally, stop);
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
	ms_session_abort(session, holding);
	return ret;
}

/*
 * A caller that is being killed closes its files only when its mm is gone, which is when
 * the OOM killer takes it for done (MMF_OOM_SKIP) and, should anybody in the cgroup
 * charge before then, looks for the next victim. So it frees what the session holds while
 * it still counts as dying, if nobody else can want that: no other descriptor of the file,
 * and no other thread, whose table of descriptors makes fdget() take a reference.
 */
static void ms_session_free_of_killed(struct ms_ucmd *ucmd)
{
	if (fatal_signal_pending(current) && file_count(ucmd->file) == 1)
		ms_session_reclaim(ucmd->session);
}

int ms_session_alloc(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	struct memstress_alloc *cmd = ucmd->cmd;
	struct mem_cgroup *payer, *active;
	struct ms_holding *holding;
	struct ms_request request;
	int ret;

	ret = ms_session_check_alloc(ucmd);
	if (ret)
		return ret;
	ret = ms_kind_check(cmd);
	if (ret)
		return ret;
	ret = ms_session_payer(cmd, &payer, &active);
	if (ret)
		return ret;
	ret = ms_kind_prepare(cmd, &request);
	if (ret)
		goto out_put_payer;
	ret = ms_session_check_paid(ucmd, payer, &request);
	if (ret)
		goto out_put_payer;

	ret = -ENOMEM;
	holding = kmem_cache_zalloc(ms_holding_cache, GFP_KERNEL);
	if (!holding)
		goto out_put_payer;
	holding->request = request;
	holding->payer_id = request.unpaid ? 0 : ms_memcg_id(payer);
	cmd->payer_id = holding->payer_id;

	spin_lock(&session->lock);
	ret = session->dead ? -ESTALE : 0;
	if (!ret) {
		ms_ledger_insert(&session->ledger, holding);
		session->in_flight++;
	}
	spin_unlock(&session->lock);
	if (ret) {
		kmem_cache_free(ms_holding_cache, holding);
		goto out_put_payer;
	}

	ret = ms_session_run_alloc(ucmd, holding, active);

	spin_lock(&session->lock);
	session->in_flight--;
	spin_unlock(&session->lock);
out_put_payer:
	if (payer)
		ms_memcg_put(payer);
	ms_session_free_of_killed(ucmd);
	return ret;
}

/*
 * Frees @count objects of @holding, which the caller has put into the state FREEING.
 * Afterwards the holding is back in the ledger, or destroyed if it is empty.
 */
static void ms_session_free_holding(struct ms_session *session, struct ms_holding *holding,
				    const struct memstress_free *cmd, u64 count,
				    struct ms_tally *tally)
{
	struct ms_chain chain = holding->chain;
	bool empty;

	ms_chain_order(&chain, cmd->order, cmd->seed);
	ms_session_free_objects(session, &holding->request, &chain, count, holding, true, tally);

	spin_lock(&session->lock);
	while (session->dead && chain.first) {
		spin_unlock(&session->lock);
		ms_session_free_objects(session, &holding->request, &chain, U64_MAX, holding, false,
					tally);
		spin_lock(&session->lock);
	}
	holding->chain = chain;
	holding->state = MS_HOLDING_READY;
	empty = !chain.first;
	if (empty)
		ms_ledger_remove(&session->ledger, holding);
	spin_unlock(&session->lock);
	if (empty)
		kmem_cache_free(ms_holding_cache, holding);
}

/* The holding to free next, in the state FREEING; NULL if there is none left, or -errno. */
static struct ms_holding *ms_session_take(struct ms_session *session,
					  const struct memstress_free *cmd)
{
	bool all = cmd->flags & MEMSTRESS_FREE_ALL;
	struct ms_holding *holding;

	spin_lock(&session->lock);
	if (session->dead)
		holding = ERR_PTR(-ESTALE);
	else if (all)
		holding = ms_ledger_pick(&session->ledger, cmd->order == MEMSTRESS_FREE_LIFO);
	else
		holding = ms_ledger_find(&session->ledger, cmd->handle) ?: ERR_PTR(-ENOENT);

	if (!IS_ERR_OR_NULL(holding)) {
		if (holding->state == MS_HOLDING_READY)
			holding->state = MS_HOLDING_FREEING;
		else
			holding = ERR_PTR(-EBUSY);
	}
	spin_unlock(&session->lock);
	return holding;
}

static int ms_session_check_free(const struct memstress_free *cmd)
{
	if (cmd->flags & ~MEMSTRESS_FREE_ALL)
		return -EINVAL;
	if (cmd->order >= MEMSTRESS_FREE_ORDER_END || cmd->method >= MEMSTRESS_FREE_METHOD_END ||
	    cmd->context >= MEMSTRESS_CONTEXT_END)
		return -EINVAL;
	if ((cmd->flags & MEMSTRESS_FREE_ALL) && cmd->handle)
		return -EINVAL;
	if (cmd->seed && cmd->order != MEMSTRESS_FREE_RANDOM)
		return -EINVAL;
	if (cmd->context != MEMSTRESS_CONTEXT_TASK)
		return -EOPNOTSUPP;
	return 0;
}

int ms_session_free(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	struct memstress_free *cmd = ucmd->cmd;
	u64 count = cmd->count ?: U64_MAX;
	bool all = cmd->flags & MEMSTRESS_FREE_ALL;
	struct ms_tally tally = {};
	struct ms_holding *holding;
	int ret;

	ret = ms_session_check_free(cmd);
	if (ret)
		return ret;

	spin_lock(&session->lock);
	session->in_flight++;
	spin_unlock(&session->lock);
	do {
		u64 before = tally.books.objects;

		holding = ms_session_take(session, cmd);
		if (IS_ERR_OR_NULL(holding))
			break;
		ms_session_free_holding(session, holding, cmd, count, &tally);
		count -= min(count, tally.books.objects - before);
	} while (all && count && !fatal_signal_pending(current));
	spin_lock(&session->lock);
	session->in_flight--;
	spin_unlock(&session->lock);
	if (IS_ERR(holding))
		return PTR_ERR(holding);

	cmd->books = tally.books;
	cmd->total_ns = tally.total_ns;
	cmd->slowest_ns = tally.slowest_ns;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}

static void ms_session_describe(const struct ms_holding *holding, struct memstress_ledger *cmd)
{
	const struct ms_request *request = &holding->request;

	cmd->handle = holding->handle;
	cmd->kind = request->ops->kind;
	ms_kind_add_books(&cmd->books, request, holding->count);
	cmd->holdings = 1;
	cmd->payer_id = holding->payer_id;
	cmd->object_size = request->size;
	cmd->alloc_flags = request->flags;
	cmd->order = request->order;
	cmd->policy = request->policy;
}

int ms_session_ledger(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	struct memstress_ledger *cmd = ucmd->cmd;
	struct memstress_ledger answer = {
		.size = cmd->size,
		.flags = cmd->flags,
		.handle = cmd->handle,
		.kind = cmd->kind,
	};
	bool next = cmd->flags & MEMSTRESS_LEDGER_NEXT;
	struct ms_holding *holding;
	int ret = 0;

	if (cmd->flags & ~MEMSTRESS_LEDGER_NEXT)
		return -EINVAL;
	if ((cmd->handle || next) && cmd->kind)
		return -EINVAL;
	if (cmd->kind && !ms_kind_get(cmd->kind))
		return -EINVAL;

	spin_lock(&session->lock);
	answer.in_flight = session->in_flight;
	if (session->dead) {
		ret = -ESTALE;
	} else if (cmd->handle || next) {
		holding = next ? ms_ledger_next(&session->ledger, cmd->handle) :
				 ms_ledger_find(&session->ledger, cmd->handle);
		if (holding)
			ms_session_describe(holding, &answer);
		else
			ret = -ENOENT;
	} else {
		ms_ledger_sum(&session->ledger, cmd->kind, &answer);
		if (!cmd->kind)
			answer.bookkeeping_bytes =
				ms_session_charge + answer.holdings * ms_holding_charge;
	}
	spin_unlock(&session->lock);
	if (ret)
		return ret;
	*cmd = answer;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}

/* The module's own structs are charged to whoever makes it allocate them. */
static struct kmem_cache *ms_session_create_cache(const char *name, size_t size, size_t *charge)
{
	struct kmem_cache *cache = ms_compat_cache_create(name, size, SLAB_ACCOUNT);
	size_t stride;

	if (!cache)
		return NULL;
	if (ms_stride_measure(cache, size, GFP_KERNEL, &stride)) {
		kmem_cache_destroy(cache);
		return NULL;
	}
	*charge = stride + sizeof(struct obj_cgroup *);
	return cache;
}

int ms_session_init(void)
{
	ms_session_cache = ms_session_create_cache("memstress_session", sizeof(struct ms_session),
						   &ms_session_charge);
	if (!ms_session_cache)
		return -ENOMEM;
	ms_holding_cache = ms_session_create_cache("memstress_holding", sizeof(struct ms_holding),
						   &ms_holding_charge);
	if (!ms_holding_cache)
		goto err_destroy_session_cache;
	ms_session_workqueue = alloc_workqueue("memstress", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!ms_session_workqueue)
		goto err_destroy_holding_cache;
	return 0;

err_destroy_holding_cache:
	kmem_cache_destroy(ms_holding_cache);
err_destroy_session_cache:
	kmem_cache_destroy(ms_session_cache);
	return -ENOMEM;
}

void ms_session_exit(void)
{
	destroy_workqueue(ms_session_workqueue);
	kmem_cache_destroy(ms_holding_cache);
	kmem_cache_destroy(ms_session_cache);
}
