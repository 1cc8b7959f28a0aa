// SPDX-License-Identifier: GPL-2.0
/* FREE: objects given back, in rounds, in an order, from a context. */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "internal.h"
#include "trace.h"

/* Freed by one grace period: enough that there are few of those, and signals are looked for. */
#define MS_FREE_RCU_OBJECTS 8192

/* How many holdings are looked at before others get the lock. */
#define MS_FREE_CHECK_HOLDINGS 1024

/**
 * struct ms_free_run - some objects being freed
 * @request: what they are
 * @chain: where they come from
 * @method: enum memstress_free_method
 * @place: where the rounds run
 * @room: objects that the round may free
 * @tally: what it has come to
 */
struct ms_free_run {
	const struct ms_request *request;
	struct ms_chain *chain;
	u32 method;
	struct ms_place place;
	u64 room;
	struct ms_tally *tally;
};

/* The next object, which somebody may go on referencing when it is freed. */
static struct ms_link *ms_free_pop(struct ms_free_run *run)
{
	struct ms_link *link = ms_chain_pop(run->chain, run->request);

	ms_tally_lingering(run->tally, run->request, link);
	return link;
}

/* One call of the allocator, for up to @room objects of a chain that is not empty. */
static u32 ms_free_some(struct ms_free_run *run, u64 room)
{
	const struct ms_kind_ops *ops = run->request->ops;
	struct ms_link *links[MS_BULK_OBJECTS];
	u32 count = 0;

	switch (run->method) {
	case MEMSTRESS_FREE_BULK:
		while (count < min_t(u64, room, MS_BULK_OBJECTS) && run->chain->first)
			links[count++] = ms_free_pop(run);
		ops->free_bulk(run->request, links, count);
		return count;
	case MEMSTRESS_FREE_SPLIT:
		ops->free_split(run->request, ms_free_pop(run));
		return 1;
	default:
		ops->free(run->request, ms_free_pop(run));
		return 1;
	}
}

/* Runs in the context that was asked for. */
static void ms_free_round(void *data)
{
	struct ms_free_run *run = data;
	u64 begin = ktime_get_ns();
	u64 now = begin;
	u64 freed = 0;

	while (freed < run->room && run->chain->first) {
		u64 since = now;

		if (ms_context_is_over(&run->place, freed, now - begin))
			break;
		freed += ms_free_some(run, run->room - freed);
		now = ktime_get_ns();
		ms_tally_time(run->tally, now - since);
		now = ms_context_rest(&run->place, now);
	}
}

/* Frees some objects, and takes them out of the ledger if they are still booked in @holding. */
static int ms_free_batch(struct ms_session *session, struct ms_free_run *run,
			 struct ms_holding *holding)
{
	u64 lingering_objects = run->tally->lingering_objects;
	u64 lingering_bytes = run->tally->lingering_bytes;
	struct ms_count before = run->chain->count;
	struct ms_count freed;
	int ret = 0;

	if (run->method == MEMSTRESS_FREE_RCU)
		ms_rcu_free(run->request, run->chain, run->room, run->tally);
	else
		ret = ms_context_run(&run->place, ms_free_round, run);
	freed = ms_count_sub(before, run->chain->count);
	ms_limits_release(session, run->request, freed.objects);
	ms_kind_add_books(&run->tally->books, run->request, freed);
	spin_lock(&session->lock);
	if (holding)
		ms_ledger_sub(&session->ledger, holding, freed);
	session->ledger.lingering_objects += run->tally->lingering_objects - lingering_objects;
	session->ledger.lingering_bytes += run->tally->lingering_bytes - lingering_bytes;
	spin_unlock(&session->lock);
	return ret;
}

/* Frees all of a chain that is in no holding any more, or in @holding, whatever signals come. */
static void ms_free_all_of(struct ms_session *session, const struct ms_request *request,
			   struct ms_chain *chain, struct ms_holding *holding,
			   struct ms_tally *tally)
{
	struct ms_free_run run = {
		.request = request,
		.chain = chain,
		.place = { .context = MEMSTRESS_CONTEXT_TASK },
		.room = MS_BATCH_OBJECTS,
		.tally = tally,
	};

	while (chain->first)
		ms_free_batch(session, &run, holding);
}

/* The same, of a chain that nothing else knows of. */
void ms_free_chain(struct ms_session *session, const struct ms_request *request,
		   struct ms_chain *chain, struct ms_tally *tally)
{
	ms_free_all_of(session, request, chain, NULL, tally);
}

/*
 * Frees @count objects of @holding, which the caller has put into the state FREEING.
 * Afterwards the holding is back in the ledger, or destroyed if it is empty.
 * -ENODEV: the CPU asked for went offline.
 */
static int ms_free_holding(struct ms_session *session, struct ms_holding *holding,
			   const struct memstress_free *cmd, u64 count, struct ms_tally *tally)
{
	struct ms_chain chain = holding->chain;
	struct ms_free_run run = {
		.request = &holding->request,
		.chain = &chain,
		.method = cmd->method,
		.place = {
			.context = cmd->context,
			.pinned = cmd->flags & MEMSTRESS_FREE_CPU,
			.cpu = cmd->cpu,
		},
		.tally = tally,
	};
	u64 batch_max = cmd->method == MEMSTRESS_FREE_RCU ? MS_FREE_RCU_OBJECTS : MS_BATCH_OBJECTS;
	u64 target = tally->books.objects + count;
	bool empty;
	int ret = 0;

	if (target < count)
		target = U64_MAX;
	ms_chain_order(&chain, cmd->order, cmd->seed);
	while (chain.first && tally->books.objects < target && !ret &&
	       !fatal_signal_pending(current)) {
		run.room = min(target - tally->books.objects, batch_max);
		ret = ms_free_batch(session, &run, holding);
	}

	spin_lock(&session->lock);
	while (session->dead && chain.first) {
		spin_unlock(&session->lock);
		ms_free_all_of(session, &holding->request, &chain, holding, tally);
		spin_lock(&session->lock);
	}
	holding->chain = chain;
	holding->state = MS_HOLDING_READY;
	empty = !chain.first;
	if (empty)
		ms_ledger_remove(&session->ledger, holding);
	spin_unlock(&session->lock);
	if (empty)
		ms_holding_destroy(holding);
	return ret;
}

/* Nothing is freed if some of the holdings that a call with FREE_ALL means cannot be, like that. */
static int ms_free_check_all(struct ms_session *session, u32 method)
{
	struct ms_holding *holding = NULL;
	u32 handle = 0;
	int ret = 0;

	do {
		u32 left = MS_FREE_CHECK_HOLDINGS;

		spin_lock(&session->lock);
		while (left-- && !ret && (holding = ms_ledger_next(&session->ledger, handle))) {
			handle = holding->handle;
			if (holding->state == MS_HOLDING_READY)
				ret = ms_kind_check_free(&holding->request, method);
		}
		spin_unlock(&session->lock);
		cond_resched();
	} while (!ret && holding && !fatal_signal_pending(current));
	return ret;
}

/* The holding to free next, in the state FREEING; NULL if there is none left, or -errno. */
static struct ms_holding *ms_free_take(struct ms_session *session, const struct memstress_free *cmd)
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
		int ret = ms_kind_check_free(&holding->request, cmd->method);

		if (holding->state != MS_HOLDING_READY || holding->mappings)
			holding = ERR_PTR(-EBUSY);
		else if (ret)
			holding = ERR_PTR(ret);
		else
			holding->state = MS_HOLDING_FREEING;
	}
	spin_unlock(&session->lock);
	return holding;
}

static int ms_free_check(struct ms_ucmd *ucmd)
{
	const struct memstress_free *cmd = ucmd->cmd;

	if (cmd->flags & ~(MEMSTRESS_FREE_ALL | MEMSTRESS_FREE_CPU))
		return -EINVAL;
	if (cmd->order >= MEMSTRESS_FREE_ORDER_END || cmd->method >= MEMSTRESS_FREE_METHOD_END ||
	    cmd->__reserved)
		return -EINVAL;
	if ((cmd->flags & MEMSTRESS_FREE_ALL) && cmd->handle)
		return -EINVAL;
	if (cmd->seed && cmd->order != MEMSTRESS_FREE_RANDOM)
		return -EINVAL;
	/* kmem_cache_free_bulk() wants interrupts enabled; RCU has a context of its own. */
	if (cmd->method == MEMSTRESS_FREE_BULK && cmd->context == MEMSTRESS_CONTEXT_HARDIRQ)
		return -EOPNOTSUPP;
	if (cmd->method == MEMSTRESS_FREE_RCU && cmd->context != MEMSTRESS_CONTEXT_TASK)
		return -EOPNOTSUPP;
	if (ms_context_interrupts(cmd->context) && !ms_ioctl_privileged(ucmd->file))
		return -EPERM;
	return ms_context_check(cmd->context, cmd->flags & MEMSTRESS_FREE_CPU, cmd->cpu);
}

int ms_free(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	struct memstress_free *cmd = ucmd->cmd;
	u64 count = cmd->count ?: U64_MAX;
	bool all = cmd->flags & MEMSTRESS_FREE_ALL;
	struct ms_tally tally = {};
	struct ms_holding *holding;
	int ret;

	ret = ms_free_check(ucmd);
	if (!ret && all)
		ret = ms_free_check_all(session, cmd->method);
	if (ret)
		return ret;

	spin_lock(&session->lock);
	session->in_flight++;
	spin_unlock(&session->lock);
	do {
		u64 before = tally.books.objects;

		holding = ms_free_take(session, cmd);
		if (IS_ERR_OR_NULL(holding))
			break;
		ret = ms_free_holding(session, holding, cmd, count, &tally);
		count -= min(count, tally.books.objects - before);
	} while (all && count && !ret && !fatal_signal_pending(current));
	spin_lock(&session->lock);
	session->in_flight--;
	spin_unlock(&session->lock);
	if (tally.books.objects)
		trace_memstress_free(session, cmd->handle, cmd->context, &tally);
	ms_event_released(session, MEMSTRESS_CAUSE_FREE, &tally.books);
	if (IS_ERR(holding))
		return PTR_ERR(holding);
	/* What was freed before the CPU went away is worth telling. */
	if (ret && !tally.books.objects)
		return ret;

	cmd->books = tally.books;
	cmd->total_ns = tally.total_ns;
	cmd->slowest_ns = tally.slowest_ns;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}
