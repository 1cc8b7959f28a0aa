// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup_mark.h"
#include "compiler.h"
#include "clock.h"
#include "device.h"
#include "worker.h"
#include "workload.h"

int worker_init(struct worker *worker)
{
	memset(worker, 0, sizeof(*worker));
	worker->pidfd = -1;
	worker->answer_fd = -1;
	worker->page = mmap(NULL, sizeof(*worker->page), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (worker->page == MAP_FAILED)
		worker->page = NULL;
	worker->command_fd = worker->page ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	if (worker->command_fd >= 0)
		worker->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->answer_fd < 0) {
		int ret = -errno;

		worker_destroy(worker);
		return ret;
	}
	/* Touched here, so charged here. */
	memset(worker->page, 0, sizeof(*worker->page));
	return 0;
}

/*
 * The OOM killer goes by RSS, which the worker's kernel memory is no part of. Where the tool itself
 * is below the limit that is reached, it would be chosen, and nobody were left to clean up.
 */
static int worker_volunteer(void)
{
	static const char score[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, score, strlen(score)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/**
 * struct worker_self - what the worker has for itself
 * @page: shared
 * @job: what its steps are
 * @fd: the session; -1: it needs none
 * @runs: of the steps of user memory
 */
struct worker_self {
	struct worker_page *page;
	const struct job *job;
	int fd;
	struct workload_run runs[JOB_STEPS_MAX];
};

static int worker_alloc(struct worker_self *self)
{
	struct worker_page *page = self->page;

	if (!self->job->steps[page->step].kind->workload)
		return device_alloc(self->fd, &page->alloc);
	workload_make(&self->runs[page->step], &page->alloc);
	return 0;
}

/* The session first, whose answer is no sum. */
static int worker_free(struct worker_self *self)
{
	struct memstress_free *free = &self->page->free;
	int ret = self->fd < 0 ? 0 : device_free(self->fd, free);
	unsigned int i;

	for (i = 0; !ret && free->flags & MEMSTRESS_FREE_ALL && i < self->job->step_count; i++)
		if (self->job->steps[i].kind->workload)
			workload_finish(&self->runs[i], free);
	return ret;
}

static int worker_obey(struct worker_self *self)
{
	struct worker_page *page = self->page;

	switch (page->command) {
	case WORKER_ALLOC:
		return worker_alloc(self);
	case WORKER_SHRINK:
		workload_shrink(&self->runs[page->step], page->free.count, &page->free);
		return 0;
	case WORKER_LEDGER:
		return self->fd < 0 ? 0 : device_ledger(self->fd, &page->ledger);
	case WORKER_AUDIT:
		return device_audit(self->fd, &page->audit);
	case WORKER_FREE:
		return worker_free(self);
	default:
		return -EINVAL;
	}
}

/* Waits for a command. The LEDGER calls meanwhile say that its session is not forgotten. */
static void worker_await(const struct worker *worker, int fd, __u64 alive_ns)
{
	struct pollfd poll_fd = { .fd = worker->command_fd, .events = POLLIN };
	int timeout_ms = alive_ns && fd >= 0 ? (int)(alive_ns / NS_PER_MS) : -1;
	struct memstress_ledger ledger = {};
	eventfd_t count;

	while (poll(&poll_fd, 1, timeout_ms) <= 0)
		device_ledger(fd, &ledger);
	eventfd_read(worker->command_fd, &count);
}

/* Faults in what the steps will touch, so that it is part of the baseline. */
static void worker_warm_up(struct worker_page *page, int fd)
{
	struct memstress_ledger ledger = {};
	char *bytes = (char *)page;
	size_t i;

	for (i = 0; i < sizeof(*page); i += 4096)
		__atomic_fetch_add(&bytes[i], 0, __ATOMIC_RELAXED);
	if (fd >= 0)
		device_ledger(fd, &ledger);
}

/* All that has to be there before the first step. */
static int worker_prepare(struct worker_self *self)
{
	const struct job *job = self->job;
	unsigned int i;
	int ret = 0;

	self->fd = -1;
	if (job_has_kernel_memory(job)) {
		self->fd = device_open();
		if (self->fd < 0)
			return self->fd;
	}
	worker_warm_up(self->page, self->fd);
	for (i = 0; i < job->step_count && !ret; i++) {
		self->page->step = i;
		if (job->steps[i].kind->workload)
			ret = workload_open(&self->runs[i], &job->steps[i]);
	}
	return ret ? ret : worker_volunteer();
}

/*
 * At the limit reclaim would swap out what it finds, which is the worker itself, and bringing that
 * back would be a charge that must not fail: the worker would be killed where only its objects were
 * to be refused. Best effort: it may lack the privilege.
 *
 * What it makes as user memory is to be as others have it, so only what is there already is locked;
 * and touched, for its own pages are counted by the same lines as that.
 */
static void worker_lock(const struct job *job)
{
	mlockall(MCL_CURRENT | (job_has_user_memory(job) ? 0 : MCL_FUTURE | MCL_ONFAULT));
}

static noreturn void worker_main(struct worker *worker, const struct job *job, pid_t parent,
				 __u64 alive_ns)
{
	static struct worker_self self;
	struct worker_page *page = worker->page;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	cg_leave_locks();
	if (!worker->is_lean)
		worker_lock(job);
	/* Of its own group, so that ^C reaches the supervisor alone, who then ends all in order. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	self.page = page;
	self.job = job;
	page->error = worker_prepare(&self);
	for (;;) {
		eventfd_write(worker->answer_fd, 1);
		worker_await(worker, self.fd, alive_ns);
		if (page->command == WORKER_EXIT)
			_exit(EXIT_SUCCESS);
		page->error = worker_obey(&self);
	}
}

int worker_start(struct worker *worker, const struct job *job, const struct cgroup *cg,
		 __u64 alive_ns)
{
	pid_t parent = getpid();
	pid_t pid;

	worker->page->command = WORKER_START;
	pid = cg_fork(cg, &worker->pidfd);
	if (!pid)
		worker_main(worker, job, parent, alive_ns);
	if (pid < 0)
		return pid;
	worker->pid = pid;
	return 0;
}

void worker_request(struct worker *worker, const struct step *step, unsigned int i, __u64 count,
		    int payer_fd)
{
	worker->page->step = i;
	worker->page->alloc = (struct memstress_alloc){
		.flags = (step->account ? MEMSTRESS_ALLOC_ACCOUNT : 0) |
			 (step->zero ? MEMSTRESS_ALLOC_ZERO : 0) |
			 (step->free_by == MEMSTRESS_FREE_SPLIT ? MEMSTRESS_ALLOC_SPLITTABLE : 0) |
			 (step->cpu != JOB_CPU_ANY ? MEMSTRESS_ALLOC_CPU : 0),
		.kind = step->kind->id,
		.context = step->context,
		.cpu = step->cpu != JOB_CPU_ANY ? step->cpu : 0,
		.policy = step->policy,
		.order = step->order,
		.node = step->node,
		.payer_fd = payer_fd,
		.object_size = step->kind->has_order ? 0 : step->object_size,
		.count = count,
		.method = step->method,
		.alignment = step->alignment,
		.stop = WORKER_NO_ANSWER,
	};
}

void worker_tell(struct worker *worker, enum worker_command command)
{
	worker->page->command = command;
	eventfd_write(worker->command_fd, 1);
}

bool worker_answered(struct worker *worker)
{
	eventfd_t count;

	return !eventfd_read(worker->answer_fd, &count);
}

int worker_reap(struct worker *worker, int *signal, int *code)
{
	int status;

	if (waitpid(worker->pid, &status, 0) < 0)
		return -errno;
	worker->pid = 0;
	*signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	return 0;
}

void worker_destroy(struct worker *worker)
{
	int signal, code;

	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		worker_reap(worker, &signal, &code);
	}
	if (worker->pidfd >= 0)
		close(worker->pidfd);
	if (worker->command_fd >= 0)
		close(worker->command_fd);
	if (worker->answer_fd >= 0)
		close(worker->answer_fd);
	if (worker->page)
		munmap(worker->page, sizeof(*worker->page));
	memset(worker, 0, sizeof(*worker));
	worker->pidfd = -1;
	worker->command_fd = -1;
	worker->answer_fd = -1;
}
