// SPDX-License-Identifier: GPL-2.0
/* Sessions: one open file of /dev/memstress, from its birth to its death, and its LEDGER. */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "internal.h"

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
static u64 ms_sessions_last_id;

/* Paid by the caller. NULL: there is no memory. */
struct ms_holding *ms_holding_create(const struct ms_request *request)
{
	struct ms_holding *holding = kmem_cache_zalloc(ms_holding_cache, GFP_KERNEL);

	if (holding)
		holding->request = *request;
	return holding;
}

void ms_holding_destroy(struct ms_holding *holding)
{
	kmem_cache_free(ms_holding_cache, holding);
}

/*
 * Takes any chain out of the ledger for good: of a holding that nobody works on,
 * which then is the caller's to destroy, or what a running ALLOC has booked so far. What
 * is mapped stays as long as the session lives: it would stay charged anyway.
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
		if (holding->state == MS_HOLDING_READY && (session->dead || !holding->mappings))
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
 * Returns the bytes that were freed, without what somebody else still references.
 */
u64 ms_session_reclaim(struct ms_session *session, enum memstress_cause cause)
{
	struct ms_tally tally = {};
	struct ms_request request;
	struct ms_holding *owned;
	struct ms_chain chain;

	while (ms_session_detach(session, &chain, &request, &owned)) {
		ms_free_chain(session, &request, &chain, &tally);
		if (owned)
			ms_holding_destroy(owned);
	}
	ms_event_released(session, cause, &tally.books);
	return tally.books.footprint_bytes - tally.lingering_bytes;
}

static u64 ms_session_kill(struct ms_session *session, enum memstress_cause cause)
{
	spin_lock(&session->lock);
	session->dead = true;
	session->cause = cause;
	spin_unlock(&session->lock);
	return ms_session_reclaim(session, cause);
}

static struct ms_holding *ms_session_begin_read(struct ms_session *session,
						struct ms_holding *holding)
{
	lockdep_assert_held(&session->lock);
	if (session->dead)
		return ERR_PTR(-ESTALE);
	if (!holding)
		return ERR_PTR(-ENOENT);
	if (holding->state != MS_HOLDING_READY)
		return ERR_PTR(-EBUSY);
	holding->state = MS_HOLDING_READING;
	return holding;
}

/* A holding whose chain nobody else shall touch until ms_session_read_done(); or ERR_PTR. */
struct ms_holding *ms_session_read(struct ms_session *session, u32 handle)
{
	struct ms_holding *holding;

	spin_lock(&session->lock);
	holding = ms_session_begin_read(session, ms_ledger_find(&session->ledger, handle));
	spin_unlock(&session->lock);
	return holding;
}

/* The same for the one behind *@handle, which moves on to it also if it is busy. */
struct ms_holding *ms_session_read_next(struct ms_session *session, u32 *handle)
{
	struct ms_holding *holding;

	spin_lock(&session->lock);
	holding = ms_ledger_next(&session->ledger, *handle);
	if (holding)
		*handle = holding->handle;
	holding = ms_session_begin_read(session, holding);
	spin_unlock(&session->lock);
	return holding;
}

void ms_session_read_done(struct ms_session *session, struct ms_holding *holding)
{
	enum memstress_cause cause;
	bool dead;

	spin_lock(&session->lock);
	holding->state = MS_HOLDING_READY;
	dead = session->dead;
	cause = session->cause;
	spin_unlock(&session->lock);
	/* Whoever took the session's memory back had to leave this out. */
	if (dead)
		ms_session_reclaim(session, cause);
}

/* On a global OOM: every session gives all it has. Returns the bytes freed. */
u64 ms_session_reclaim_all(void)
{
	struct ms_session *session;
	u64 bytes = 0;

	mutex_lock(&ms_sessions_lock);
	list_for_each_entry(session, &ms_sessions, peers)
		bytes += ms_session_kill(session, MEMSTRESS_CAUSE_RELIEF);
	mutex_unlock(&ms_sessions_lock);
	return bytes;
}

/* Not later than it may have been armed to by somebody else. */
static void ms_session_arm(struct ms_session *session, unsigned long delay)
{
	queue_delayed_work(ms_session_workqueue, &session->deadman, delay);
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
		ms_session_kill(session, MEMSTRESS_CAUSE_DEADMAN);
}

/* The dead-man's time has changed: every session finds out what it means for it. */
void ms_session_rearm_all(void)
{
	struct ms_session *session;

	mutex_lock(&ms_sessions_lock);
	list_for_each_entry(session, &ms_sessions, peers)
		mod_delayed_work(ms_session_workqueue, &session->deadman, 0);
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
	session->opener = ms_victim_id(current);
	spin_lock_init(&session->lock);
	ms_ledger_init(&session->ledger);
	INIT_DELAYED_WORK(&session->deadman, ms_session_deadman);
	ms_session_touch(session);

	mutex_lock(&ms_sessions_lock);
	session->id = ++ms_sessions_last_id;
	list_add_tail(&session->peers, &ms_sessions);
	ms_event_opened(session);
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
	ms_session_kill(session, MEMSTRESS_CAUSE_CLOSE);
	ms_event_closed(session);
	put_pid(session->owner);
	kmem_cache_free(ms_session_cache, session);
}

/**
 * ms_session_walk - look at sessions
 * @after: id of the last one not to look at; 0: all
 * @visit: called for each in the order of ids, under the mutex of the list: must not allocate
 * @data: for @visit
 *
 * Return: 0, or what @visit has returned, which ends the walk unless it is 0.
 */
int ms_session_walk(u64 after, int (*visit)(struct ms_session *session, void *data), void *data)
{
	struct ms_session *session;
	int ret = 0;

	mutex_lock(&ms_sessions_lock);
	list_for_each_entry(session, &ms_sessions, peers) {
		if (session->id <= after)
			continue;
		ret = visit(session, data);
		if (ret)
			break;
	}
	mutex_unlock(&ms_sessions_lock);
	return ret;
}

/* The same for one of them. -ENOENT: there is none with this id. */
int ms_session_visit(u64 id, int (*visit)(struct ms_session *session, void *data), void *data)
{
	struct ms_session *session;
	int ret = -ENOENT;

	mutex_lock(&ms_sessions_lock);
	list_for_each_entry(session, &ms_sessions, peers)
		if (session->id == id)
			ret = visit(session, data);
	mutex_unlock(&ms_sessions_lock);
	return ret;
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
	cmd->mappings = holding->mappings;
	cmd->mmap_offset = ms_mmap_offset(holding);
}

/* What the module's own structs for a session are charged. The caller holds its lock. */
u64 ms_session_bookkeeping(const struct ms_session *session)
{
	struct memstress_ledger sum = {};

	lockdep_assert_held(&session->lock);
	ms_ledger_sum(&session->ledger, 0, &sum);
	return ms_session_charge + sum.holdings * ms_holding_charge;
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

	if (cmd->flags & ~(MEMSTRESS_LEDGER_NEXT | MEMSTRESS_LEDGER_STALE))
		return -EINVAL;
	if ((cmd->handle || next) && cmd->kind)
		return -EINVAL;
	if (cmd->kind && !ms_kind_get(cmd->kind))
		return -EINVAL;

	spin_lock(&session->lock);
	answer.in_flight = session->in_flight;
	answer.session_flags = session->shared ? MEMSTRESS_SETUP_SHARED : 0;
	if (session->dead && !(cmd->flags & MEMSTRESS_LEDGER_STALE)) {
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
			answer.bookkeeping_bytes = ms_session_bookkeeping(session);
	}
	spin_unlock(&session->lock);
	if (ret)
		return ret;
	*cmd = answer;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}

static bool ms_session_is_owner(const struct ms_session *session)
{
	return task_tgid(current) == session->owner;
}

/* Whether the caller may; it can only be asked of its own call. */
bool ms_session_may_alloc(const struct ms_session *session)
{
	return ms_session_is_owner(session) || READ_ONCE(session->shared);
}

int ms_session_setup(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	const struct memstress_setup *cmd = ucmd->cmd;
	int ret = 0;

	if (cmd->flags & ~MEMSTRESS_SETUP_SHARED)
		return -EINVAL;
	if (!ms_session_is_owner(session))
		return -EACCES;
	spin_lock(&session->lock);
	if (session->dead)
		ret = -ESTALE;
	else
		WRITE_ONCE(session->shared, cmd->flags & MEMSTRESS_SETUP_SHARED);
	spin_unlock(&session->lock);
	return ret;
}

/* The module's own structs are charged to whoever makes it allocate them. */
static struct kmem_cache *ms_session_create_cache(const char *name, size_t size, size_t *charge)
{
	struct kmem_cache *cache = ms_compat_cache_create(name, size, SLAB_ACCOUNT);
	size_t stride;

	if (!cache)
		return NULL;
	if (ms_stride_measure(cache, size, GFP_KERNEL, &stride) || !stride) {
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
