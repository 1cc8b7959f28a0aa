// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: where a piece of work runs, on which CPU, and how long at a stretch.
 *
 * The caller cuts its work into rounds and waits for each, so between two of them it can
 * look for signals and book what there is. Interrupts are made by timers that are due at
 * once: SOFT ones run in HRTIMER_SOFTIRQ, others in the timer's own interrupt, but on
 * PREEMPT_RT. There only HARD ones would, which may take no spinlock_t, as allocators do;
 * lockdep knows that. A timer fires on the CPU that started it, so for a given CPU a
 * kernel worker there starts it.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "internal.h"

#define MS_CONTEXT_IRQ_OBJECTS 64
#define MS_CONTEXT_IRQ_NS      (100 * NSEC_PER_USEC)

/**
 * struct ms_context_call - one round under way
 * @place: where
 * @round: what
 * @data: for @round
 * @ret: 0, or why it was not run: -ENODEV: it came to another CPU. -EINTR: the caller was killed
 */
struct ms_context_call {
	const struct ms_place *place;
	void (*round)(void *data);
	void *data;
	int ret;
};

/**
 * struct ms_context_errand - a round that begins in a kernel worker, and who waits for it
 * @call: to be run
 * @work: queued
 * @done: it was run
 * @lock: protects what follows
 * @worker: who runs it now
 * @killed: who waits for it is being killed
 */
struct ms_context_errand {
	struct ms_context_call *call;
	struct work_struct work;
	struct completion done;
	spinlock_t lock; /* protects what follows */
	struct task_struct *worker;
	bool killed;
};

/**
 * struct ms_context_interrupt - a timer and who waits for it
 * @call: to be run
 * @timer: whose interrupt it is
 * @done: it was run
 */
struct ms_context_interrupt {
	struct ms_context_call *call;
	struct hrtimer timer;
	struct completion done;
};

/* Only a given CPU has a worker of its own; the others go wherever there is room. */
static struct workqueue_struct *ms_context_unbound;
static struct workqueue_struct *ms_context_bound;

/* Those that this kernel has. A hardirq may not take the locks of the allocator on PREEMPT_RT. */
u64 ms_context_bitmap(void)
{
	return BIT_ULL(MEMSTRESS_CONTEXT_TASK) | BIT_ULL(MEMSTRESS_CONTEXT_KWORKER) |
	       BIT_ULL(MEMSTRESS_CONTEXT_SOFTIRQ) |
	       (IS_ENABLED(CONFIG_PREEMPT_RT) ? 0 : BIT_ULL(MEMSTRESS_CONTEXT_HARDIRQ));
}

bool ms_context_interrupts(u32 context)
{
	return context == MEMSTRESS_CONTEXT_SOFTIRQ || context == MEMSTRESS_CONTEXT_HARDIRQ;
}

/* 0, or what is wrong with the place that a request names. */
int ms_context_check(u32 context, bool pinned, u32 cpu)
{
	if (context >= MEMSTRESS_CONTEXT_END)
		return -EINVAL;
	if (!pinned && cpu)
		return -EINVAL;
	if (pinned && context == MEMSTRESS_CONTEXT_TASK)
		return -EINVAL;
	if (!(ms_context_bitmap() & BIT_ULL(context)))
		return -EOPNOTSUPP;
	if (pinned && (cpu >= nr_cpu_ids || !cpu_online(cpu)))
		return -ENODEV;
	return 0;
}

/* Whether a round ends here: an interrupt must not keep its CPU for long. */
bool ms_context_is_over(const struct ms_place *place, u64 objects, u64 ns)
{
	return ms_context_interrupts(place->context) &&
	       (objects >= MS_CONTEXT_IRQ_OBJECTS || ns >= MS_CONTEXT_IRQ_NS);
}

/* Lets others run if they want to; that is not the allocator's time. Returns the time. */
u64 ms_context_rest(const struct ms_place *place, u64 now)
{
	if (ms_context_interrupts(place->context) || !need_resched())
		return now;
	cond_resched();
	return ktime_get_ns();
}

static void ms_context_call(struct ms_context_call *call)
{
	const struct ms_place *place = call->place;

	/* What was meant for a CPU that has gone offline runs elsewhere. */
	if (place->pinned && raw_smp_processor_id() != place->cpu)
		call->ret = -ENODEV;
	else
		call->round(call->data);
}

static enum hrtimer_restart ms_context_fire(struct hrtimer *timer)
{
	struct ms_context_interrupt *interrupt =
		container_of(timer, struct ms_context_interrupt, timer);

	ms_context_call(interrupt->call);
	complete(&interrupt->done);
	return HRTIMER_NORESTART;
}

static void ms_context_interrupt(struct ms_context_call *call)
{
	enum hrtimer_mode mode = call->place->context == MEMSTRESS_CONTEXT_HARDIRQ ?
					 HRTIMER_MODE_REL_PINNED :
					 HRTIMER_MODE_REL_PINNED_SOFT;
	struct ms_context_interrupt interrupt = { .call = call };

	init_completion(&interrupt.done);
	ms_compat_hrtimer_setup_on_stack(&interrupt.timer, ms_context_fire, CLOCK_MONOTONIC, mode);
	hrtimer_start(&interrupt.timer, 0, mode);
	wait_for_completion(&interrupt.done);
	/* The timer is not ours as long as its function has not returned. */
	hrtimer_cancel(&interrupt.timer);
	destroy_hrtimer_on_stack(&interrupt.timer);
}

static void ms_context_work(struct work_struct *work)
{
	struct ms_context_errand *errand = container_of(work, struct ms_context_errand, work);

	allow_kernel_signal(SIGKILL);
	spin_lock(&errand->lock);
	errand->worker = current;
	if (errand->killed)
		send_sig(SIGKILL, current, 1);
	spin_unlock(&errand->lock);

	if (ms_context_interrupts(errand->call->place->context))
		ms_context_interrupt(errand->call);
	else
		ms_context_call(errand->call);

	spin_lock(&errand->lock);
	errand->worker = NULL;
	spin_unlock(&errand->lock);
	/* The worker is the kernel's, and has others to run. */
	disallow_signal(SIGKILL);
	flush_signals(current);
	complete(&errand->done);
}

/*
 * A fatal signal of who waits becomes one of the worker, which so stops as the caller would:
 * it is not throttled any longer, gets no more pages for vmalloc(), and its charge fails
 * once the OOM killer has run.
 */
static void ms_context_kill(struct ms_context_errand *errand)
{
	spin_lock(&errand->lock);
	errand->killed = true;
	if (errand->worker)
		send_sig(SIGKILL, errand->worker, 1);
	spin_unlock(&errand->lock);
}

static void ms_context_send(struct ms_context_call *call)
{
	const struct ms_place *place = call->place;
	struct ms_context_errand errand = { .call = call };

	init_completion(&errand.done);
	spin_lock_init(&errand.lock);
	INIT_WORK_ONSTACK(&errand.work, ms_context_work);
	if (place->pinned)
		queue_work_on(place->cpu, ms_context_bound, &errand.work);
	else
		queue_work(ms_context_unbound, &errand.work);
	if (wait_for_completion_killable(&errand.done)) {
		ms_context_kill(&errand);
		/* Its CPU may be busy with what lets no worker run, and for ever. */
		if (cancel_work_sync(&errand.work))
			call->ret = -EINTR;
	}
	/* The work is not ours as long as its function has not returned. */
	flush_work(&errand.work);
	destroy_work_on_stack(&errand.work);
}

/**
 * ms_context_run - run a round where it belongs, and wait for it
 * @place: a place that was checked
 * @round: what to do; ends when ms_context_is_over()
 * @data: for @round
 *
 * Return: 0, or nothing was done: -ENODEV: the CPU is offline. -EINTR: the caller was killed.
 */
int ms_context_run(const struct ms_place *place, void (*round)(void *data), void *data)
{
	struct ms_context_call call = { .place = place, .round = round, .data = data };

	if (place->context == MEMSTRESS_CONTEXT_TASK)
		ms_context_call(&call);
	else if (ms_context_interrupts(place->context) && !place->pinned)
		ms_context_interrupt(&call);
	else
		ms_context_send(&call);
	return call.ret;
}

int ms_context_init(void)
{
	ms_context_unbound = alloc_workqueue("memstress_unbound", WQ_UNBOUND, 0);
	if (!ms_context_unbound)
		return -ENOMEM;
	/* A round may take longer than others of the CPU shall wait for. */
	ms_context_bound =
		alloc_workqueue("memstress_bound", MS_COMPAT_WQ_PERCPU | WQ_CPU_INTENSIVE, 0);
	if (!ms_context_bound) {
		destroy_workqueue(ms_context_unbound);
		return -ENOMEM;
	}
	return 0;
}

void ms_context_exit(void)
{
	destroy_workqueue(ms_context_bound);
	destroy_workqueue(ms_context_unbound);
}
