// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what has happened, on its way to those who listen.
 *
 * Who has an event to tell copies it into a ring and goes on, whatever it is doing and
 * whichever locks it holds. A kernel worker takes the events out one by one and makes messages
 * of them. So no listener delays an allocation, nobody's cgroup pays for a message (kernel
 * workers are in the root cgroup, and socket buffers have no __GFP_ACCOUNT), and the order
 * of the events is that of their sequence numbers. What finds the ring full is lost, but not
 * its number.
 *
 * Without listeners there are no events: the functions return before they have begun.
 */
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "internal.h"

/* Room for what happens until the worker gets a CPU. */
#define MS_EVENTS 1024

static DEFINE_RAW_SPINLOCK(ms_events_lock); /* protects what follows */
static struct ms_event *ms_events;
static unsigned int ms_events_first;
static unsigned int ms_events_count;
static u64 ms_events_sequence; /* given last */

static u64 ms_events_epoch;
static u64 ms_events_sent; /* sequence number; the worker's own */
static struct workqueue_struct *ms_event_workqueue;

static void ms_event_store(struct ms_event *event)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ms_events_lock, flags);
	event->sequence = ++ms_events_sequence;
	if (ms_events_count < MS_EVENTS)
		ms_events[(ms_events_first + ms_events_count++) % MS_EVENTS] = *event;
	raw_spin_unlock_irqrestore(&ms_events_lock, flags);
}

static bool ms_event_take(struct ms_event *event)
{
	bool any;

	raw_spin_lock_irq(&ms_events_lock);
	any = ms_events_count;
	if (any) {
		*event = ms_events[ms_events_first];
		ms_events_first = (ms_events_first + 1) % MS_EVENTS;
		ms_events_count--;
	}
	raw_spin_unlock_irq(&ms_events_lock);
	return any;
}

static void ms_event_send(struct work_struct *work)
{
	struct ms_event event;

	while (ms_event_take(&event)) {
		event.epoch = ms_events_epoch;
		event.lost = event.sequence - ms_events_sent - 1;
		if (!ms_netlink_multicast(&event))
			ms_events_sent = event.sequence;
		cond_resched();
	}
}

static DECLARE_WORK(ms_event_work, ms_event_send);

/* Queueing work wakes up a task, which is not for everywhere; raising this interrupt is. */
static void ms_event_raise(struct irq_work *irq_work)
{
	queue_work(ms_event_workqueue, &ms_event_work);
}

static struct irq_work ms_event_irq_work;

static void ms_event_post(struct ms_event *event, u64 ns)
{
	event->ns = ns;
	ms_event_store(event);
	irq_work_queue(&ms_event_irq_work);
}

/* All events up to this one have had their effect on what the caller sees from now on. */
u64 ms_event_sequence(u64 *epoch)
{
	u64 sequence;

	raw_spin_lock_irq(&ms_events_lock);
	sequence = ms_events_sequence;
	raw_spin_unlock_irq(&ms_events_lock);
	*epoch = ms_events_epoch;
	return sequence;
}

void ms_event_opened(const struct ms_session *session)
{
	struct ms_event event = {
		.command = MEMSTRESS_EVENT_OPENED,
		.session = session->id,
		.process.pid = session->opener.pid,
	};

	if (!ms_netlink_listened())
		return;
	get_task_comm(event.process.comm, current->group_leader);
	event.process.cgroup_id = ms_memcg_task_id(current);
	ms_event_post(&event, ktime_get_ns());
}

void ms_event_closed(const struct ms_session *session)
{
	struct ms_event event = {
		.command = MEMSTRESS_EVENT_CLOSED,
		.session = session->id,
		.process.pid = session->opener.pid,
	};

	if (ms_netlink_listened())
		ms_event_post(&event, ktime_get_ns());
}

/* @error: of the call, 0 or -errno. */
void ms_event_stopped(const struct ms_session *session, const struct ms_holding *holding,
		      u32 context, u32 stop, int error, const struct ms_tally *tally)
{
	struct ms_event event = {
		.command = MEMSTRESS_EVENT_STOPPED,
		.session = session->id,
		.process.pid = task_tgid_nr(current),
		.stopped = {
			.stop = stop,
			.error = -error,
			.kind = holding->request.ops->kind,
			.context = context,
			.policy = holding->request.policy,
			.handle = holding->handle,
			.payer_id = holding->payer_id,
			.failures = tally->failures,
			.first_errno = tally->first_errno,
		},
		.books = tally->books,
	};

	if (ms_netlink_listened())
		ms_event_post(&event, ktime_get_ns());
}

void ms_event_released(const struct ms_session *session, enum memstress_cause cause,
		       const struct memstress_books *books)
{
	struct ms_event event = {
		.command = MEMSTRESS_EVENT_RELEASED,
		.session = session->id,
		.released.cause = cause,
		.books = *books,
	};
	u64 now, marked;

	if (!books->objects || !ms_netlink_listened())
		return;
	now = ktime_get_ns();
	marked = ms_victim_ns(&session->opener);
	event.released.is_victim = marked;
	event.released.since_victim_ns = marked ? now - marked : 0;
	ms_event_post(&event, now);
}

/* Under locks of the OOM killer, see victim.c; the victim's task_lock is one of them. */
void ms_event_victim(struct task_struct *task, u64 ns)
{
	struct ms_event event = {
		.command = MEMSTRESS_EVENT_VICTIM,
		.process = {
			.pid = task_tgid_nr(task),
			.tid = task_pid_nr(task),
		},
	};

	if (!ms_netlink_listened())
		return;
	/* Not get_task_comm(), which takes task_lock on kernels before 6.13. */
	strscpy(event.process.comm, task->comm, sizeof(event.process.comm));
	event.process.cgroup_id = ms_memcg_task_id(task);
	ms_event_post(&event, ns);
}

int ms_event_init(void)
{
	ms_events = __vmalloc(array_size(MS_EVENTS, sizeof(*ms_events)),
			      GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!ms_events)
		return -ENOMEM;
	ms_event_workqueue = alloc_workqueue("memstress_events", WQ_UNBOUND, 0);
	if (!ms_event_workqueue) {
		vfree(ms_events);
		return -ENOMEM;
	}
	init_irq_work(&ms_event_irq_work, ms_event_raise);
	ms_events_epoch = ktime_get_ns();
	return 0;
}

/* Nobody has anything to tell any more: sessions and probe are gone. */
void ms_event_exit(void)
{
	irq_work_sync(&ms_event_irq_work);
	destroy_workqueue(ms_event_workqueue);
	vfree(ms_events);
}
