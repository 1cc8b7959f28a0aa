/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The worker: the process that is placed and does the steps, those of kernel memory by a session
 * that it opens. If somebody has to die of it, the worker volunteers (oom_score_adj 1000).
 *
 * It may be killed at any moment, so everything that it answers lies in memory shared with the
 * supervisor, who made and touched that memory and so pays for it. Each side wakes the other
 * through an eventfd, which takes no memory to write to.
 */
#ifndef MEMSTRESS_USER_WORKER_H
#define MEMSTRESS_USER_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/memstress.h>

#include "cgroup.h"
#include "job.h"

enum worker_command {
	WORKER_START,  /* prepare for all steps; is told by placing it */
	WORKER_ALLOC,  /* alloc, of step */
	WORKER_SHRINK, /* free: count of step, which is of user memory; the newest */
	WORKER_LEDGER, /* ledger */
	WORKER_AUDIT,  /* audit */
	WORKER_FREE,   /* free: a holding of the session, or everything */
	WORKER_EXIT,
};

/**
 * struct worker_page - what supervisor and worker share
 * @command: enum worker_command under way
 * @step: for WORKER_ALLOC and WORKER_SHRINK; after WORKER_START, which one has failed
 * @error: answer to the command: 0 or -errno
 * @alloc: request and answer
 * @free: request and answer
 * @ledger: request and answer
 * @audit: request and answer
 */
struct worker_page {
	__u32 command;
	__u32 step;
	__s32 error;
	struct memstress_alloc alloc;
	struct memstress_free free;
	struct memstress_ledger ledger;
	struct memstress_audit audit;
};

/**
 * struct worker - a worker as its supervisor sees it
 * @pid: 0: there is none
 * @pidfd: readable when it has ended
 * @command_fd: eventfd: there is a command
 * @answer_fd: eventfd: there is an answer
 * @page: shared
 * @is_lean: its memory is not locked, so that it takes little besides what it makes
 */
struct worker {
	pid_t pid;
	int pidfd;
	int command_fd;
	int answer_fd;
	struct worker_page *page;
	bool is_lean;
};

/* In alloc.stop: there is no answer yet. The kernel never gives this as a reason */
#define WORKER_NO_ANSWER MEMSTRESS_STOP_END

/* Makes what is shared. 0 or -errno */
int worker_init(struct worker *worker);

/*
 * Starts it for the steps of @job in @cg, or beside the caller if that is NULL; its first answer is
 * to WORKER_START. While it waits it calls LEDGER every @alive_ns, which keeps the module's
 * dead-man timer content; 0: never. 0 or -errno
 */
int worker_start(struct worker *worker, const struct job *job, const struct cgroup *cg,
		 __u64 alive_ns);

/*
 * Fills in alloc for @count more objects of @step, which is number @i from 0; @payer_fd as in
 * <linux/memstress.h>
 */
void worker_request(struct worker *worker, const struct step *step, unsigned int i, __u64 count,
		    int payer_fd);

/* Gives it a command; answer_fd tells when it is done */
void worker_tell(struct worker *worker, enum worker_command command);

/* Takes the answer off answer_fd; false if there was none */
bool worker_answered(struct worker *worker);

/* Takes the dead one's status. 0 or -errno */
int worker_reap(struct worker *worker, int *signal, int *code);

/* Kills it if it lives, and undoes worker_init() */
void worker_destroy(struct worker *worker);

#endif /* MEMSTRESS_USER_WORKER_H */
