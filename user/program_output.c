// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "program_output.h"

/* Engines may have to start before they answer. */
#define PROGRAM_OUTPUT_TIMEOUT (20 * NS_PER_S)

static int program_output_start(const char *const argv[], int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int ret;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	ret = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* To the end, of which only the beginning is kept. */
static int program_output_read(int fd, char *text, size_t size)
{
	__u64 deadline_ns = clock_now_ns() + PROGRAM_OUTPUT_TIMEOUT;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t length = 0;
	char rest[512];
	ssize_t got;

	text[0] = '\0';
	for (;;) {
		__u64 now_ns = clock_now_ns();

		if (now_ns >= deadline_ns ||
		    poll(&poll_fd, 1, (deadline_ns - now_ns) / NS_PER_MS + 1) <= 0)
			return -ETIME;
		if (length < size - 1)
			got = read(fd, text + length, size - 1 - length);
		else
			got = read(fd, rest, sizeof(rest));
		if (got <= 0)
			return got;
		if (length < size - 1) {
			length += got;
			text[length] = '\0';
		}
	}
}

int program_output(const char *const argv[], char *text, size_t size)
{
	int pipe[2], ret, status;
	pid_t pid;

	if (pipe2(pipe, O_CLOEXEC))
		return -errno;
	ret = program_output_start(argv, pipe[1], &pid);
	close(pipe[1]);
	if (!ret) {
		ret = program_output_read(pipe[0], text, size);
		if (ret)
			kill(pid, SIGKILL);
		/* Where SIGCHLD is ignored there is no status; the text speaks for itself. */
		if (waitpid(pid, &status, 0) == pid && !ret && status)
			ret = -EIO;
	}
	close(pipe[0]);
	return ret;
}
