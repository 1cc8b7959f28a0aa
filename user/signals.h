/* SPDX-License-Identifier: GPL-2.0 */
/* Which signals the tool takes into its own hands. */
#ifndef MEMSTRESS_USER_SIGNALS_H
#define MEMSTRESS_USER_SIGNALS_H

#include <signal.h>

/* All but those that a fault of the tool itself raises */
void signals_fill(sigset_t *set);

/* Of these, all that end a process, but for SIGPIPE, which is told by write() */
void signals_fill_ends(sigset_t *set);

/*
 * Of those that were blocked, what waits to be told may now end the tool, as it would any other;
 * but it leaves no core file.
 */
void signals_put_back(const sigset_t *old);

#endif /* MEMSTRESS_USER_SIGNALS_H */
