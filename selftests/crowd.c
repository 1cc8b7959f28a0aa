// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "crowd.h"

#define START_DEADLINE_NS (30 * NS_PER_S)
#define KILL_DEADLINE_NS  (20 * NS_PER_S)

static void crowd_be(enum crowd_does does, size_t bytes, unsigned int *ready)
{
	char *memory = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (does != CROWD_WAITS) {
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		if (memory == MAP_FAILED)
			_exit(1);
		/* EINVAL: a kernel without huge pages */
		madvise(memory, bytes, MADV_NOHUGEPAGE);
	}
	if (does == CROWD_HOLDS) {
		memset(memory, 1, bytes);
		if (madvise(memory, bytes, MADV_FREE))
			_exit(1);
	}
	__atomic_add_fetch(ready, 1, __ATOMIC_RELEASE);
	while (does == CROWD_CHURNS) {
		memset(memory, 1, bytes);
		madvise(memory, bytes, MADV_FREE);
	}
	for (;;)
		pause();
}

int crowd_start(struct crowd *crowd, const struct cgroup *cg, unsigned int count,
		enum crowd_does does, size_t bytes)
{
	__u64 deadline = clock_deadline_ns(START_DEADLINE_NS);

	memset(crowd, 0, sizeof(*crowd));
	if (count > CROWD_MAX)
		return -E2BIG;
	crowd->ready = mmap(NULL, sizeof(*crowd->ready), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd->ready == MAP_FAILED) {
		crowd->ready = NULL;
		return -errno;
	}
	/* Touched here, so charged here */
	*crowd->ready = 0;
	for (; crowd->count < count; crowd->count++) {
		pid_t pid = cgroup_fork(cg);

		if (!pid)
			crowd_be(does, bytes, crowd->ready);
		if (pid < 0) {
			crowd_kill(crowd);
			return pid;
		}
		crowd->pid[crowd->count] = pid;
	}
	while (__atomic_load_n(crowd->ready, __ATOMIC_ACQUIRE) < count) {
		if (crowd_living(crowd) == count && clock_poll(deadline))
			continue;
		crowd_kill(crowd);
		return -ESRCH;
	}
	return 0;
}

unsigned int crowd_living(struct crowd *crowd)
{
	unsigned int i;
	int status;

	for (i = 0; i < crowd->count; i++) {
		if (!crowd->pid[i] || waitpid(crowd->pid[i], &status, WNOHANG) != crowd->pid[i])
			continue;
		crowd->pid[i] = 0;
		crowd->ended++;
		crowd->killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	return crowd->count - crowd->ended;
}

int crowd_await(struct crowd *crowd, __u64 deadline_ns)
{
	while (crowd_living(crowd))
		if (!clock_poll(deadline_ns))
			return -ETIMEDOUT;
	return 0;
}

void crowd_kill(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < crowd->count; i++)
		if (crowd->pid[i])
			kill(crowd->pid[i], SIGKILL);
	crowd_await(crowd, clock_deadline_ns(KILL_DEADLINE_NS));
	if (crowd->ready)
		munmap(crowd->ready, sizeof(*crowd->ready));
	crowd->ready = NULL;
	crowd->count = 0;
	crowd->ended = 0;
}
