// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "candidate.h"
#include "clock.h"
#include "knob.h"
#include "one_go.h"

#define THREADS     3
#define STACK_BYTES 16384
#define START_NS    (20 * NS_PER_S)
#define END_NS      (20 * NS_PER_S)

/* What the test and the candidate share; the test has touched it, and pays */
struct candidate_page {
	int error; /* 0 or -errno, once it is ready */
	__u32 ready;
	pid_t sharer;
	char stack[STACK_BYTES] __attribute__((aligned(16)));
};

static int take(size_t bytes)
{
	char *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	/* EINVAL: a kernel without huge pages */
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	memset(memory, 1, bytes);
	return 0;
}

static void *wait_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int be_sharer(void *unused)
{
	wait_for_ever(unused);
	return 0;
}

static int take_shape(struct candidate_page *page, enum candidate_shape shape)
{
	pthread_t thread;
	unsigned int i;
	int ret = 0;

	if (shape == CANDIDATE_SHARER) {
		/* Of the same parent, who is to see how it ends */
		page->sharer = clone(be_sharer, page->stack + STACK_BYTES,
				     CLONE_VM | CLONE_PARENT | SIGCHLD, NULL);
		return page->sharer < 0 ? -errno : 0;
	}
	for (i = 0; shape == CANDIDATE_THREADS && i < THREADS && !ret; i++)
		ret = -pthread_create(&thread, NULL, wait_for_ever, NULL);
	return ret;
}

static void candidate_main(struct candidate_page *page, size_t bytes, int adj,
			   enum candidate_shape shape)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = knob_write_oom_score_adj(0, adj);
	if (!ret)
		ret = take(bytes);
	if (!ret)
		ret = one_go_victim(0);
	if (!ret)
		ret = take_shape(page, shape);
	page->error = ret;
	__atomic_store_n(&page->ready, 1, __ATOMIC_RELEASE);
	wait_for_ever(NULL);
}

int candidate_start(struct candidate *candidate, const struct cgroup *cg, size_t bytes,
		    int oom_score_adj, enum candidate_shape shape)
{
	__u64 deadline = clock_deadline_ns(START_NS);
	struct candidate_page *page;
	pid_t pid;

	memset(candidate, 0, sizeof(*candidate));
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	memset(page, 0, sizeof(*page));
	candidate->page = page;
	pid = cgroup_fork(cg);
	if (!pid)
		candidate_main(page, bytes, oom_score_adj, shape);
	if (pid < 0)
		return pid;
	candidate->pid = pid;
	while (!__atomic_load_n(&page->ready, __ATOMIC_ACQUIRE))
		if (!candidate_lives(candidate) || !clock_poll(deadline))
			return -ESRCH;
	candidate->shared = page->sharer > 0;
	if (candidate->shared)
		candidate->sharer = page->sharer;
	return page->error;
}

static bool is_killed(pid_t *pid, __u64 deadline)
{
	int status;

	while (waitpid(*pid, &status, WNOHANG) != *pid)
		if (!clock_poll(deadline))
			return false;
	*pid = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

bool candidate_is_killed(struct candidate *candidate, __u64 deadline_ns)
{
	return is_killed(&candidate->pid, deadline_ns) &&
	       (!candidate->shared || is_killed(&candidate->sharer, deadline_ns));
}

static bool lives(pid_t *pid)
{
	int status;

	if (*pid && waitpid(*pid, &status, WNOHANG) == *pid) {
		fprintf(stderr, "# process %d has ended: wait status %#x\n", *pid, status);
		*pid = 0;
	}
	return *pid;
}

bool candidate_lives(struct candidate *candidate)
{
	return lives(&candidate->pid) && (!candidate->shared || lives(&candidate->sharer));
}

void candidate_end(struct candidate *candidate)
{
	pid_t *const pids[] = { &candidate->pid, &candidate->sharer };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!*pids[i])
			continue;
		kill(*pids[i], SIGKILL);
		is_killed(pids[i], clock_deadline_ns(END_NS));
	}
	if (candidate->page)
		munmap(candidate->page, sizeof(*candidate->page));
	memset(candidate, 0, sizeof(*candidate));
}
