// SPDX-License-Identifier: GPL-2.0
/*
 * Victims: whom the OOM killer has marked, and when.
 *
 * mark_oom_victim() calls the tracepoint under oom_lock and the victim's task_lock, with
 * preemption off. So the probe allocates nothing, sleeps nowhere, and takes no lock but raw
 * spinlocks under which nothing else is done. The tracepoint is not exported and is looked
 * for among those of the kernel; a kernel without tracepoints has no victims.
 */
#include <linux/cgroup.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "internal.h"

#define MS_VICTIMS 64

/**
 * struct ms_victim - a thread group that was marked
 * @id: who
 * @ns: when; 0: nobody
 */
struct ms_victim {
	struct ms_process_id id;
	u64 ns;
};

static DEFINE_RAW_SPINLOCK(ms_victims_lock);
static struct ms_victim ms_victims[MS_VICTIMS];
static unsigned int ms_victims_next;

static struct tracepoint *ms_victim_tracepoint;

/* A pid is given to others in time, but not with the same start. An exec changes neither. */
struct ms_process_id ms_victim_id(struct task_struct *task)
{
	struct ms_process_id id = {
		.pid = task_tgid_nr(task),
		.start_ns = task->group_leader->start_time,
	};

	return id;
}

static void ms_victim_marked(struct task_struct *task)
{
	struct ms_victim victim = { .id = ms_victim_id(task), .ns = ktime_get_ns() };
	unsigned long flags;

	raw_spin_lock_irqsave(&ms_victims_lock, flags);
	ms_victims[ms_victims_next++ % MS_VICTIMS] = victim;
	raw_spin_unlock_irqrestore(&ms_victims_lock, flags);
	ms_event_victim(task, victim.ns);
}

static void ms_victim_probe_task(void *unused, struct task_struct *task, uid_t uid)
{
	ms_victim_marked(task);
}

static void ms_victim_probe_pid(void *unused, int pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_PID);
	if (task)
		ms_victim_marked(task);
	rcu_read_unlock();
}

static void *ms_victim_probe(void)
{
	return MS_COMPAT_MARK_VICTIM_HAS_TASK ? (void *)ms_victim_probe_task :
						(void *)ms_victim_probe_pid;
}

/* When the OOM killer marked a process; 0: it did not, or too many others since. */
u64 ms_victim_ns(const struct ms_process_id *id)
{
	unsigned long flags;
	unsigned int i;
	u64 ns = 0;

	raw_spin_lock_irqsave(&ms_victims_lock, flags);
	for (i = 0; i < MS_VICTIMS; i++)
		if (ms_victims[i].ns > ns && ms_victims[i].id.pid == id->pid &&
		    ms_victims[i].id.start_ns == id->start_ns)
			ns = ms_victims[i].ns;
	raw_spin_unlock_irqrestore(&ms_victims_lock, flags);
	return ns;
}

bool ms_victim_attached(void)
{
	return ms_victim_tracepoint;
}

static void ms_victim_find(struct tracepoint *tracepoint, void *unused)
{
	if (!strcmp(tracepoint->name, "mark_victim"))
		ms_victim_tracepoint = tracepoint;
}

/* Not to be told of victims is no reason not to be loaded. */
void ms_victim_init(void)
{
	for_each_kernel_tracepoint(ms_victim_find, NULL);
	if (ms_victim_tracepoint &&
	    tracepoint_probe_register(ms_victim_tracepoint, ms_victim_probe(), NULL))
		ms_victim_tracepoint = NULL;
}

/* When this returns, no probe runs any more. */
void ms_victim_exit(void)
{
	if (!ms_victim_tracepoint)
		return;
	tracepoint_probe_unregister(ms_victim_tracepoint, ms_victim_probe(), NULL);
	tracepoint_synchronize_unregister();
}
