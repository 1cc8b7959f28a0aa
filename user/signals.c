// SPDX-License-Identifier: GPL-2.0
#include <time.h>

#include "compiler.h"
#include "signals.h"

static void signals_remove(sigset_t *set, const int *signals, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		sigdelset(set, signals[i]);
}

void signals_fill(sigset_t *set)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };

	sigfillset(set);
	signals_remove(set, faults, ARRAY_SIZE(faults));
}

void signals_fill_ends(sigset_t *set)
{
	/* They stop it, or let it go on, or do nothing unless somebody asks for them. */
	static const int others[] = { SIGTSTP, SIGTTIN,  SIGTTOU, SIGCONT,
				      SIGCHLD, SIGWINCH, SIGURG,  SIGPIPE };

	signals_fill(set);
	signals_remove(set, others, ARRAY_SIZE(others));
}

void signals_put_back(const sigset_t *old)
{
	static const int cores[] = { SIGQUIT, SIGXCPU, SIGXFSZ };
	const struct timespec now = {};
	unsigned int i;
	sigset_t set;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(cores); i++)
		if (!sigismember(old, cores[i]))
			sigaddset(&set, cores[i]);
	while (sigtimedwait(&set, NULL, &now) > 0)
		continue;
	sigprocmask(SIG_SETMASK, old, NULL);
}
