// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "program_output.h"

/* How long it may take to die of SIGKILL. */
#define PROGRAM_OUTPUT_DEATH (2 * NS_PER_S)

static int program_output_start(const struct program_question *question, int out, pid_t *pid)
{
	const char *const *argv = question->argv;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int ret;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (question->with_complaints)
		posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	else
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	ret = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* False: the time was over before. */
static bool program_output_await(int fd, __u64 deadline_ns)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	__u64 now_ns;
	int ret;

	do {
		now_ns = clock_now_ns();
		if (now_ns >= deadline_ns)
			return false;
		ret = poll(&poll_fd, 1, (deadline_ns - now_ns) / NS_PER_MS + 1);
	} while (ret < 0 && errno == EINTR);
	return ret > 0;
}

/* To the end, of which only the beginning is kept. */
static int program_output_read(int fd, __u64 deadline_ns, char *text, size_t size)
{
	size_t length = 0;
	char rest[512];
	ssize_t got;

	text[0] = '\0';
	for (;;) {
		if (!program_output_await(fd, deadline_ns))
			return -ETIME;
		if (length < size - 1)
			got = read(fd, text + length, size - 1 - length);
		else
			got = read(fd, rest, sizeof(rest));
		if (got <= 0)
			return got < 0 ? -errno : 0;
		if (length < size - 1) {
			length += got;
			text[length] = '\0';
		}
	}
}

/*
 * What has closed its output may live on, and what is killed may not die. Where SIGCHLD is ignored
 * there is no status; the text speaks for itself.
 */
static int program_output_end(pid_t pid, int ret, __u64 deadline_ns)
{
	int status = 0, fd = syscall(SYS_pidfd_open, pid, 0);

	if (!ret && fd >= 0 && !program_output_await(fd, deadline_ns))
		ret = -ETIME;
	if (ret)
		kill(pid, SIGKILL);
	if (fd < 0 || program_output_await(fd, clock_now_ns() + PROGRAM_OUTPUT_DEATH))
		waitpid(pid, &status, 0);
	if (fd >= 0)
		close(fd);
	return !ret && status ? -EIO : ret;
}

int program_output(const struct program_question *question, char *text, size_t size)
{
	__u64 deadline_ns = clock_now_ns() + question->timeout_ns;
	int pipe[2], ret;
	pid_t pid;

	text[0] = '\0';
	if (pipe2(pipe, O_CLOEXEC))
		return -errno;
	ret = program_output_start(question, pipe[1], &pid);
	close(pipe[1]);
	if (!ret) {
		ret = program_output_read(pipe[0], deadline_ns, text, size);
		ret = program_output_end(pid, ret, deadline_ns);
	}
	close(pipe[0]);
	return ret;
}
