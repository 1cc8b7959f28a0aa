// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/futex.h>

#include "books.h"
#include "clock.h"
#include "session.h"
#include "task.h"
#include "user_memory.h"
#include "worker.h"

/* For the slowest command: many millions of instructions on an emulated CPU */
#define ANSWER_DEADLINE_NS (60 * NS_PER_S)
#define EXIT_DEADLINE_NS   (20 * NS_PER_S)

static void futex_wait(__u32 *word, __u32 value, __u64 ns)
{
	struct timespec ts = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	syscall(SYS_futex, word, FUTEX_WAIT, value, &ts, NULL, 0);
}

static void futex_wake(__u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int worker_touch(__u64 bytes, int flags, void **memory)
{
	*memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	if (*memory == MAP_FAILED)
		return -errno;
	memset(*memory, 1, bytes);
	return 0;
}

static int worker_obey(struct worker_page *page, int fd)
{
	unsigned long long bytes = page->bytes;
	static void *shared;
	int ret;
	void *kept;

	switch (page->command) {
	case WORKER_READY:
		return 0;
	case WORKER_ALLOC:
		return session_alloc(fd, &page->alloc);
	case WORKER_FREE:
		return session_ioctl(fd, MEMSTRESS_IOC_FREE, &page->free);
	case WORKER_LEDGER:
		return session_ledger(fd, 0, &page->ledger);
	case WORKER_AUDIT:
		return session_audit(fd, 0, &page->audit);
	case WORKER_TOUCH:
		return worker_touch(page->bytes, MAP_PRIVATE, &kept);
	case WORKER_SHARE:
		return worker_touch(page->bytes, MAP_SHARED, &shared);
	case WORKER_DROP:
		return munmap(shared, page->bytes) ? -errno : 0;
	case WORKER_MAP:
		return session_map(fd, &page->alloc, &kept);
	case WORKER_TAKE:
		ret = user_memory_take(page->user, &bytes);
		page->bytes = bytes;
		return ret;
	case WORKER_GIVE:
		return user_memory_give(page->user);
	case WORKER_PAGE_OUT:
		return user_memory_page_out();
	default:
		return -EINVAL;
	}
}

/* Faults in the code, the stack and the data that any command touches */
static int worker_warm_up(struct worker_page *page, int fd)
{
	int ret;

	page->alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, MEMSTRESS_PAYER_CALLER);
	page->free = (struct memstress_free){
		.size = sizeof(page->free),
		.flags = MEMSTRESS_FREE_ALL,
	};
	for (page->command = WORKER_ALLOC; page->command < WORKER_TOUCH; page->command++) {
		ret = worker_obey(page, fd);
		if (ret)
			return ret;
	}
	return 0;
}

static void worker_answer(struct worker_page *page, int error)
{
	page->error = error;
	__atomic_add_fetch(&page->answered, 1, __ATOMIC_RELEASE);
	futex_wake(&page->answered);
}

static void worker_main(struct worker_page *page);

/* Who serves, and with which session */
struct worker_post {
	struct worker_page *page;
	int fd;
	int error; /* of the last command */
};

static void *worker_serve(void *data);

/* With a stack of its own, which is not to grow once it has answered */
static void *worker_thread(void *data)
{
	struct worker_post *post = data;

	post->error = worker_warm_up(post->page, post->fd);
	return worker_serve(post);
}

/* Hands the post to a thread that is not the leader */
static int worker_hand_to_thread(struct worker_post *post)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, worker_thread, post);

	if (!ret)
		pthread_join(thread, NULL);
	return -ret;
}

/* Hands the post to a child, which ends when this process does, and this one with it */
static int worker_hand_to_child(struct worker_post *post)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		worker_main(post->page);
	if (pid < 0)
		return -errno;
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Answers for what was done before it, then does what it is told */
static void *worker_serve(void *data)
{
	struct worker_post *post = data;
	struct worker_page *page = post->page;

	page->server = syscall(SYS_gettid);
	for (;;) {
		__u32 done, asked;

		worker_answer(page, post->error);
		done = __atomic_load_n(&page->answered, __ATOMIC_RELAXED);
		while ((asked = __atomic_load_n(&page->asked, __ATOMIC_ACQUIRE)) == done)
			futex_wait(&page->asked, asked, ANSWER_DEADLINE_NS);
		switch (page->command) {
		case WORKER_EXIT:
			_exit(0);
		case WORKER_THREAD:
			post->error = 0;
			post->error = worker_hand_to_thread(post);
			break;
		case WORKER_CHILD:
			post->error = worker_hand_to_child(post);
			break;
		default:
			post->error = worker_obey(page, post->fd);
		}
	}
	return NULL;
}

static void worker_main(struct worker_page *page)
{
	struct worker_post post = { .page = page };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	post.fd = session_open();
	page->fd = post.fd;
	post.error = post.fd < 0 ? post.fd : worker_warm_up(page, post.fd);
	/* Else reclaim at the limit swaps it out, and it is killed when it faults that in */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) && !post.error)
		post.error = -errno;
	if (!post.error)
		post.error = user_memory_begin();
	worker_serve(&post);
}

/* WNOWAIT: whoever waits for it later shall see its status */
static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

int worker_await(struct worker *worker)
{
	__u64 deadline = clock_deadline_ns(ANSWER_DEADLINE_NS);
	__u32 count = worker->page->asked;
	__u32 answered;

	while ((answered = __atomic_load_n(&worker->page->answered, __ATOMIC_ACQUIRE)) != count) {
		if (has_ended(worker->pid))
			return -ESRCH;
		if (clock_now_ns() >= deadline)
			return -ETIMEDOUT;
		futex_wait(&worker->page->answered, answered, 100 * NS_PER_MS);
	}
	return worker->page->error;
}

static bool is_asleep(pid_t tid)
{
	struct task task;

	return !task_read(&task, tid) && task.state == 'S';
}

/*
 * On a busy CPU they go to sleep some time after the answer, who serves and who waits for it, and
 * until then may fault in a page more.
 */
static int worker_await_sleep(const struct worker *worker)
{
	__u64 deadline = clock_deadline_ns(ANSWER_DEADLINE_NS);

	while (!is_asleep(worker->pid) || !is_asleep(worker->page->server)) {
		if (has_ended(worker->pid))
			return -ESRCH;
		if (!clock_poll(deadline))
			return -ETIMEDOUT;
	}
	return 0;
}

int worker_start(struct worker *worker, const struct cgroup *cg)
{
	int ret;

	worker->page = mmap(NULL, sizeof(*worker->page), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (worker->page == MAP_FAILED)
		return -errno;
	/* Touched here, so charged here */
	memset(worker->page, 0, sizeof(*worker->page));
	worker->page->asked = 1;

	worker->pid = cgroup_fork(cg);
	if (!worker->pid)
		worker_main(worker->page);
	ret = worker->pid < 0 ? worker->pid : worker_await(worker);
	if (!ret)
		ret = worker_await_sleep(worker);
	if (ret)
		worker_kill(worker);
	return ret;
}

void worker_tell(struct worker *worker, enum worker_command command)
{
	worker->page->command = command;
	__atomic_add_fetch(&worker->page->asked, 1, __ATOMIC_RELEASE);
	futex_wake(&worker->page->asked);
}

int worker_ask(struct worker *worker, enum worker_command command)
{
	int ret;

	worker_tell(worker, command);
	ret = worker_await(worker);
	if (!ret && (command == WORKER_THREAD || command == WORKER_CHILD))
		ret = worker_await_sleep(worker);
	return ret;
}

int worker_take(struct worker *worker, __u32 user, unsigned long long *bytes)
{
	int ret;

	worker->page->user = user;
	worker->page->bytes = *bytes;
	ret = worker_ask(worker, WORKER_TAKE);
	*bytes = worker->page->bytes;
	return ret;
}

int worker_give(struct worker *worker, __u32 user)
{
	worker->page->user = user;
	return worker_ask(worker, WORKER_GIVE);
}

int worker_wait(struct worker *worker, int *status)
{
	__u64 deadline = clock_deadline_ns(EXIT_DEADLINE_NS);

	while (waitpid(worker->pid, status, WNOHANG) != worker->pid)
		if (!clock_poll(deadline))
			return -ETIMEDOUT;
	worker->pid = 0;
	return 0;
}

static void worker_forget(struct worker *worker)
{
	if (worker->page)
		munmap(worker->page, sizeof(*worker->page));
	worker->page = NULL;
}

int worker_stop(struct worker *worker)
{
	int status = 0, ret;

	worker_tell(worker, WORKER_EXIT);
	ret = worker_wait(worker, &status);
	if (ret)
		worker_kill(worker);
	else if (status)
		ret = -ECHILD;
	worker_forget(worker);
	return ret;
}

void worker_kill(struct worker *worker)
{
	int status;

	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		worker_wait(worker, &status);
	}
	worker_forget(worker);
}
