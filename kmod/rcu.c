// SPDX-License-Identifier: GPL-2.0
/*
 * FREE by RCU: each object is queued with call_rcu() on its own, and freed by its callback.
 *
 * An object has room for its rcu_head where its link was, in its first words or in page->lru,
 * and for nothing else. So what a callback must know beside is the same for all that are queued,
 * and one FREE at a time queues any.
 */
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "internal.h"

static DEFINE_MUTEX(ms_rcu_lock);

/* Protects the tally: callbacks run on each CPU that has queued any. */
static DEFINE_SPINLOCK(ms_rcu_tally_lock);

/**
 * struct ms_rcu_run - objects that wait for a grace period
 * @request: what they are
 * @tally: what freeing them has come to
 * @pending: callbacks that have not run, and one until the last is queued
 * @done: there are none any more
 */
struct ms_rcu_run {
	const struct ms_request *request;
	struct ms_tally *tally;
	atomic_t pending;
	struct completion done;
};

/* Written under ms_rcu_lock when no callback is queued. */
static struct ms_rcu_run ms_rcu_run;

static void ms_rcu_done(void)
{
	if (atomic_dec_and_test(&ms_rcu_run.pending))
		complete(&ms_rcu_run.done);
}

/* In a softirq, or with softirqs disabled in a thread (rcu_nocbs=). */
static void ms_rcu_callback(struct rcu_head *head)
{
	u64 begin = ktime_get_ns();
	u64 ns;

	ms_rcu_run.request->ops->free(ms_rcu_run.request, (struct ms_link *)head);
	ns = ktime_get_ns() - begin;
	spin_lock(&ms_rcu_tally_lock);
	ms_tally_time(ms_rcu_run.tally, ns);
	spin_unlock(&ms_rcu_tally_lock);
	ms_rcu_done();
}

/**
 * ms_rcu_free - free objects by callbacks of RCU, and wait for all of them
 * @request: what the objects are: with room for an rcu_head
 * @chain: popped for each
 * @count: how many at the most; fewer if a fatal signal comes
 * @tally: the time that freeing them took
 */
void ms_rcu_free(const struct ms_request *request, struct ms_chain *chain, u64 count,
		 struct ms_tally *tally)
{
	struct ms_link *link;
	u64 queued;

	mutex_lock(&ms_rcu_lock);
	ms_rcu_run.request = request;
	ms_rcu_run.tally = tally;
	atomic_set(&ms_rcu_run.pending, 1);
	init_completion(&ms_rcu_run.done);
	for (queued = 0; queued < count && chain->first; queued++) {
		if (fatal_signal_pending(current))
			break;
		link = ms_chain_pop(chain, request);
		ms_tally_lingering(tally, request, link);
		atomic_inc(&ms_rcu_run.pending);
		call_rcu_hurry((struct rcu_head *)link, ms_rcu_callback);
		cond_resched();
	}
	ms_rcu_done();
	wait_for_completion(&ms_rcu_run.done);
	mutex_unlock(&ms_rcu_lock);
}

/* A callback that has ended its FREE may not have returned. */
void ms_rcu_exit(void)
{
	rcu_barrier();
}
