/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process inside a cgroup that does what it is told through a shared page, so
 * that while it waits it charges nothing: a futex is all that it sleeps on. The page
 * belongs to the process that made it and holds the kernel's answers, which arrive
 * there also when the worker is killed in the middle of a call.
 */
#ifndef MEMSTRESS_SELFTESTS_WORKER_H
#define MEMSTRESS_SELFTESTS_WORKER_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/memstress.h>

#include "cgroup.h"

enum worker_command {
	WORKER_READY,  /* what it is asked for by starting it */
	WORKER_ALLOC,  /* worker_page.alloc */
	WORKER_FREE,   /* worker_page.free */
	WORKER_LEDGER, /* worker_page.ledger */
	WORKER_AUDIT,  /* worker_page.audit: of all that it holds */
	WORKER_TOUCH,  /* worker_page.bytes of anonymous memory, and keep them */
	WORKER_SHARE,  /* worker_page.bytes of memory that counts as shmem, until WORKER_DROP */
	WORKER_DROP,
	WORKER_MAP,    /* the holding of worker_page.alloc, and keep it mapped */
	WORKER_THREAD, /* from now on another thread of the worker does what it is told */
	WORKER_CHILD,  /* from now on a child of it does, with a session of its own */
	WORKER_TAKE,   /* worker_page.bytes of worker_page.user, see user_memory.h */
	WORKER_GIVE,
	WORKER_PAGE_OUT, /* what it has of USER_ANON, to swap */
	WORKER_EXIT,
};

struct worker_page {
	__u32 asked, answered; /* futexes: number of commands */
	__u32 command;
	int error;    /* of the last command: 0 or -errno */
	int fd;       /* of its session */
	pid_t server; /* the thread that does what it is told */
	__u32 user;
	__u64 bytes;
	struct memstress_alloc alloc;
	struct memstress_free free;
	struct memstress_ledger ledger;
	struct memstress_audit audit;
};

struct worker {
	pid_t pid;
	struct worker_page *page;
};

/*
 * Starts a worker inside @cg, with a session of its own. It has gone through all
 * commands once and sleeps, so what it needs for itself is charged when this
 * returns; and so it is when WORKER_THREAD or WORKER_CHILD has been answered.
 */
int worker_start(struct worker *worker, const struct cgroup *cg);

/* Gives a command; waits for the answer to it; both. -ESRCH: it died instead */
void worker_tell(struct worker *worker, enum worker_command command);
int worker_await(struct worker *worker);
int worker_ask(struct worker *worker, enum worker_command command);

/* Takes user memory, or gives it back; @bytes as user_memory_take() has it */
int worker_take(struct worker *worker, __u32 user, unsigned long long *bytes);
int worker_give(struct worker *worker, __u32 user);

/* Waits for its end. Returns 0 and its wait status, or -ETIMEDOUT */
int worker_wait(struct worker *worker, int *status);

/* Ends it, whatever it does; the page too */
int worker_stop(struct worker *worker);
void worker_kill(struct worker *worker);

#endif /* MEMSTRESS_SELFTESTS_WORKER_H */
