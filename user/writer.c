// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "writer.h"

/* Ends a write, and not the writer. */
#define WRITER_SIGNAL SIGUSR1

/* How long a writer, or those that die with the tool, may take to die on a slow machine. */
#define WRITER_END_TIMEOUT (10 * NS_PER_S)

/**
 * struct writer_desk - what a writer has to do with
 * @cg: the cgroup
 * @file: the limit
 * @fd: orders come from there, answers go there
 * @tool: a pidfd; -1: it dies with the tool
 * @last_will: what it does when the tool has died
 */
struct writer_desk {
	const struct cgroup *cg;
	enum cg_file file;
	int fd;
	int tool;
	struct writer_will last_will;
};

static void writer_on_signal(int signal)
{
	(void)signal;
}

/*
 * Keys of the terminal and whoever ends the tool shall not end what puts the limit back. Without
 * SA_RESTART, the signal that is left ends a system call.
 */
static void writer_set_signals(void)
{
	struct sigaction action = { .sa_handler = writer_on_signal };
	sigset_t set;

	sigaction(WRITER_SIGNAL, &action, NULL);
	sigfillset(&set);
	sigdelset(&set, WRITER_SIGNAL);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static int writer_write(const struct writer_desk *desk, const struct writer_order *order)
{
	int ret = cg_write_number(desk->cg, desk->file, order->bytes);

	if (!ret && order->swap_bytes != CG_MISSING)
		ret = cg_write_number(desk->cg, CG_SWAP_MAX, order->swap_bytes);
	return ret;
}

static void writer_write_once(const struct writer_desk *desk, const struct writer_order *order,
			      struct writer_answer *answer)
{
	__u64 begin_ns = clock_now_ns(), ns;

	answer->error = writer_write(desk, order);
	ns = clock_now_ns() - begin_ns;
	if (ns > answer->slowest_ns)
		answer->slowest_ns = ns;
	answer->refused += answer->error != 0;
	answer->writes++;
}

/* Waits for an order, or looks whether there is one. False when the tool has died. */
static bool writer_await(const struct writer_desk *desk, int timeout_ms, bool *has_order)
{
	struct pollfd fds[] = {
		{ .fd = desk->fd, .events = POLLIN },
		{ .fd = desk->tool, .events = POLLIN },
	};
	int ret = poll(fds, 2, timeout_ms);

	*has_order = ret > 0 && fds[0].revents;
	return ret <= 0 || !fds[1].revents;
}

static void writer_do(const struct writer_desk *desk, const struct writer_order *order)
{
	struct writer_answer answer = {};
	bool is_told = false;

	if (order->what == WRITER_STOP)
		return;
	do {
		writer_write_once(desk, order, &answer);
	} while (order->what == WRITER_RACE && writer_await(desk, 0, &is_told) && !is_told);
	/* Whoever is not there any more needs no answer. */
	if (send(desk->fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
		return;
}

/*
 * At once, for that may end what others are at. They die with the tool, and one of them may still
 * have written after that: whoever was started later has the other end of the orders open.
 */
static void writer_carry_out(const struct writer_desk *desk)
{
	const struct writer_will *will = &desk->last_will;
	struct writer_order order = will->order;
	struct pollfd others = { .fd = desk->fd };

	int ret;

	ret = writer_write(desk, &order);
	if (poll(&others, 1, WRITER_END_TIMEOUT / NS_PER_MS) > 0)
		ret = writer_write(desk, &order);
	if (will->corrects && will->corrects(will->context, &order.bytes))
		ret = writer_write(desk, &order);
	if (will->settles && !ret)
		will->settles(will->context);
}

static noreturn void writer_main(const struct writer_desk *desk)
{
	struct writer_order order;
	bool is_told;

	while (writer_await(desk, -1, &is_told)) {
		ssize_t length = is_told ? recv(desk->fd, &order, sizeof(order), 0) : -1;

		if (length == sizeof(order))
			writer_do(desk, &order);
		else if (!length)
			break;
	}
	if (desk->tool >= 0)
		writer_carry_out(desk);
	_exit(EXIT_SUCCESS);
}

static noreturn void writer_begin(const struct writer_desk *desk, pid_t tool)
{
	writer_set_signals();
	if (desk->tool >= 0) {
		setsid();
	} else {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The tool may have died before. */
		if (getppid() != tool)
			_exit(EXIT_FAILURE);
	}
	writer_main(desk);
}

static void writer_on_answer(void *context)
{
	struct writer *writer = context;
	ssize_t length = recv(writer->fd, &writer->answer, sizeof(writer->answer), MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length != sizeof(writer->answer)) {
		loop_remove(writer->loop, writer->fd);
		writer->answer = (struct writer_answer){ .error = -ESRCH };
	}
	writer->is_busy = false;
}

void writer_init(struct writer *writer)
{
	memset(writer, 0, sizeof(*writer));
	writer->fd = -1;
}

/* The tool can be waited for from before the writer is there: it may die at any time. */
static int writer_fork(struct writer *writer, struct writer_desk *desk,
		       const struct writer_will *last_will)
{
	sigset_t set, old_set;
	pid_t tool = getpid();
	int ret;

	if (last_will) {
		desk->last_will = *last_will;
		desk->tool = syscall(SYS_pidfd_open, tool, 0);
		if (desk->tool < 0)
			return -errno;
	}
	/* It is not ended by what is to end a write, should that come before it knows. */
	sigemptyset(&set);
	sigaddset(&set, WRITER_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, &old_set);
	writer->pid = fork();
	if (!writer->pid) {
		close(writer->fd);
		writer_begin(desk, tool);
	}
	ret = writer->pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &old_set, NULL);
	if (desk->tool >= 0)
		close(desk->tool);
	return ret;
}

int writer_start(struct writer *writer, struct loop *loop, const struct cgroup *cg,
		 enum cg_file file, const struct writer_will *last_will)
{
	struct writer_desk desk = { .cg = cg, .file = file, .tool = -1 };
	int fds[2], ret;

	writer_init(writer);
	writer->loop = loop;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	writer->fd = fds[0];
	desk.fd = fds[1];
	ret = loop_add(loop, writer->fd, EPOLLIN, writer_on_answer, writer);
	if (!ret)
		ret = writer_fork(writer, &desk, last_will);
	close(desk.fd);
	if (ret) {
		writer->pid = 0;
		writer_end(writer);
	}
	return ret;
}

void writer_tell(struct writer *writer, const struct writer_order *order)
{
	/* One that has died has told so, or will. */
	writer->is_busy = true;
	if (send(writer->fd, order, sizeof(*order), MSG_NOSIGNAL) == sizeof(*order))
		return;
	writer->answer = (struct writer_answer){ .error = -ESRCH };
	writer->is_busy = false;
}

void writer_interrupt(const struct writer *writer)
{
	if (writer->pid)
		kill(writer->pid, WRITER_SIGNAL);
}

/* Returns -ETIMEDOUT if it has not died by then. */
static int writer_await_death(pid_t pid)
{
	struct pollfd death = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int ret = death.fd < 0 ? 1 : poll(&death, 1, WRITER_END_TIMEOUT / NS_PER_MS);

	if (death.fd >= 0)
		close(death.fd);
	if (ret != 1)
		return -ETIMEDOUT;
	waitpid(pid, NULL, 0);
	return 0;
}

int writer_end(struct writer *writer)
{
	int ret = 0;

	/* Before it sees the end of its orders, which would be the tool's. */
	if (writer->pid) {
		kill(writer->pid, SIGKILL);
		ret = writer_await_death(writer->pid);
	}
	if (writer->fd >= 0) {
		loop_remove(writer->loop, writer->fd);
		close(writer->fd);
	}
	writer_init(writer);
	return ret;
}
