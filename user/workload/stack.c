// SPDX-License-Identifier: GPL-2.0
/* Kernel stacks: threads that wait. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/futex.h>

#include "workload.h"

#define STACK_THREADS_MAX 4194304 /* PID_MAX_LIMIT of include/linux/threads.h */

/**
 * struct stack_slot - a thread, on whose memory it runs; a multiple of 16, as stacks have to be
 * @go: futex: it ends when this is not 0
 * @thread: futex: it has ended when this is 0
 * @memory: what it calls needs less than this
 */
struct stack_slot {
	__u32 go;
	pid_t thread;
	char memory[2040];
};

static void stack_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "a thread each");
}

static const char *stack_missing(const struct step *step, unsigned int version)
{
	(void)step;
	(void)version;
	return NULL;
}

/*
 * A stack is four pages, and eight where KASAN needs them (THREAD_SIZE of x86). A struct
 * task_struct, and what else a thread is made of, take less than two stacks.
 */
static void stack_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	__u64 page = workload_page_size();
	__u64 bytes = objects * step->object_size;

	charge->page_bytes += bytes;
	charge->stack_bytes += bytes;
	charge->more_bytes += most * (4 * step->object_size + page) - bytes;
}

static int stack_open(struct workload_run *run)
{
	run->state.threads.slots = workload_reserve(STACK_THREADS_MAX * sizeof(struct stack_slot));
	return run->state.threads.slots ? 0 : -ENOMEM;
}

static struct stack_slot *stack_slot(struct workload_run *run, __u64 index)
{
	return (struct stack_slot *)run->state.threads.slots + index;
}

/* It shares the thread-local variables of the one that made it, and uses none. */
static int stack_thread(void *context)
{
	struct stack_slot *slot = context;

	while (!__atomic_load_n(&slot->go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &slot->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	syscall(SYS_exit, 0);
	return 0;
}

static int stack_make(struct workload_run *run, __u64 index)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	struct stack_slot *slot = stack_slot(run, index);

	if (index >= STACK_THREADS_MAX)
		return -EAGAIN;
	slot->go = 0;
	slot->thread = 1;
	if (clone(stack_thread, slot->memory + sizeof(slot->memory), flags, slot, NULL, NULL,
		  &slot->thread) < 0)
		return -errno;
	return 0;
}

static void stack_drop(struct workload_run *run, __u64 index)
{
	struct stack_slot *slot = stack_slot(run, index);
	pid_t still;

	__atomic_store_n(&slot->go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &slot->go, FUTEX_WAKE, 1, NULL, NULL, 0);
	while ((still = __atomic_load_n(&slot->thread, __ATOMIC_ACQUIRE)))
		syscall(SYS_futex, &slot->thread, FUTEX_WAIT, still, NULL, NULL, 0);
}

static void stack_close(struct workload_run *run)
{
	while (run->objects)
		stack_drop(run, --run->objects);
	munmap(run->state.threads.slots, STACK_THREADS_MAX * sizeof(struct stack_slot));
}

const struct workload workload_stack = {
	.describe = stack_describe,
	.missing = stack_missing,
	.charge = stack_charge,
	.open = stack_open,
	.make = stack_make,
	.drop = stack_drop,
	.close = stack_close,
};
