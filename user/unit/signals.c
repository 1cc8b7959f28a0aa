// SPDX-License-Identifier: GPL-2.0
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channels.h"
#include "compiler.h"
#include "record.h"
#include "signals.h"
#include "unit.h"

static bool ends_a_process(int number)
{
	const struct rlimit no_core = {};
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setrlimit(RLIMIT_CORE, &no_core);
		signal(number, SIG_DFL);
		raise(number);
		_exit(0);
	}
	waitpid(pid, &status, WUNTRACED);
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return false;
	}
	return WIFSIGNALED(status);
}

static bool is_left_alone(int number)
{
	static const int others[] = { SIGKILL, SIGSTOP, SIGPIPE, SIGSEGV, SIGBUS,
				      SIGFPE,  SIGILL,  SIGTRAP, SIGSYS,  SIGABRT };
	unsigned int i;

	/* Those of the C library itself. */
	if (number > SIGSYS && number < SIGRTMIN)
		return true;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (number == others[i])
			return true;
	return false;
}

static void all_that_end_a_process_are_there(void)
{
	sigset_t set;
	int number;

	signals_fill_ends(&set);
	for (number = 1; number <= SIGRTMAX; number++) {
		if (is_left_alone(number))
			continue;
		if (sigismember(&set, number) != ends_a_process(number))
			unit_fail(__FILE__, __LINE__, "signal %d is in the wrong set", number);
	}
	EXPECT_TRUE(!sigismember(&set, SIGPIPE));
	EXPECT_TRUE(!sigismember(&set, SIGSEGV));
}

static void each_of_them_stops_a_run(void)
{
	static const int numbers[] = { SIGINT, SIGQUIT, SIGUSR1, SIGALRM, SIGXCPU };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct channels channels;
		struct record_log log;
		sigset_t old, now;

		record_log_init(&log, NULL);
		channels_block_signals(&old);
		EXPECT_NUMBER(channels_open_ends(&channels, &log), 0);
		raise(numbers[i]);
		loop_poll(&channels.loop);
		EXPECT_TRUE(channels.stopped);
		channels_close(&channels);
		signals_put_back(&old);
		record_log_free(&log);
		sigprocmask(SIG_BLOCK, NULL, &now);
		EXPECT_NUMBER(sigismember(&now, numbers[i]), sigismember(&old, numbers[i]));
	}
}

/* One that comes when a run cleans up ends nothing any more, least of all with a core. */
static void no_core_is_left(void)
{
	sigset_t old;
	pid_t pid = fork();
	int status;

	if (!pid) {
		channels_block_signals(&old);
		raise(SIGQUIT);
		raise(SIGXCPU);
		signals_put_back(&old);
		_exit(7);
	}
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

const struct unit_test unit_signals_tests[] = {
	{ "signals_all_that_end_a_process_are_there", all_that_end_a_process_are_there },
	{ "signals_each_of_them_stops_a_run", each_of_them_stops_a_run },
	{ "signals_no_core_is_left", no_core_is_left },
	{},
};
