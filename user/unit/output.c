// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "output.h"
#include "unit.h"

/* Of 64 bytes: more than a pipe has room for. */
#define LINES 4096

/* A process that prints so many lines into a pipe; its exit code is what output_finish() says. */
static int start(int *fd, bool is_interrupted, __u64 timeout_ns)
{
	int pipe_fds[2], i;
	sigset_t set;
	pid_t pid;

	if (pipe(pipe_fds))
		return -1;
	*fd = pipe_fds[0];
	pid = fork();
	if (pid) {
		close(pipe_fds[1]);
		return pid;
	}
	dup2(pipe_fds[1], STDOUT_FILENO);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	output_init();
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (is_interrupted)
		raise(SIGINT);
	output_set_deadline(timeout_ns ? clock_now_ns() + timeout_ns : 0);
	for (i = 0; i < LINES; i++)
		output_print("%062d\n", i);
	_exit(-output_finish());
}

static int end(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_all_lines(int fd, __u64 pause_ns)
{
	FILE *file = fdopen(fd, "r");
	char line[128];
	int i = 0;

	while (fgets(line, sizeof(line), file)) {
		EXPECT_NUMBER(atoi(line), i);
		if (i++ % 256 == 0)
			clock_pause_ns(pause_ns);
	}
	EXPECT_NUMBER(i, LINES);
	fclose(file);
}

static void slow_readers_get_all(void)
{
	pid_t pid;
	int fd;

	pid = start(&fd, false, 0);
	clock_pause_ns(NS_PER_S);
	expect_all_lines(fd, 0);
	EXPECT_NUMBER(end(pid), 0);
	pid = start(&fd, true, 0);
	expect_all_lines(fd, 20 * NS_PER_MS);
	EXPECT_NUMBER(end(pid), 0);
	pid = start(&fd, false, NS_PER_MS);
	expect_all_lines(fd, 20 * NS_PER_MS);
	EXPECT_NUMBER(end(pid), 0);
}

static void expect_no_wait(bool is_interrupted, __u64 timeout_ns)
{
	__u64 begin_ns = clock_now_ns();
	int fd, pid = start(&fd, is_interrupted, timeout_ns);

	EXPECT_NUMBER(end(pid), EAGAIN);
	EXPECT_TRUE(clock_now_ns() - begin_ns < 10 * NS_PER_S);
	close(fd);
}

static void nobody_is_waited_for_in_the_end(void)
{
	expect_no_wait(true, 0);
	expect_no_wait(false, 100 * NS_PER_MS);
}

const struct unit_test unit_output_tests[] = {
	{ "output_slow_readers_get_all", slow_readers_get_all },
	{ "output_nobody_is_waited_for_in_the_end", nobody_is_waited_for_in_the_end },
	{},
};
