/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal that the tool was started from, for programs that may leave it in disorder. */
#ifndef MEMSTRESS_USER_TERMINAL_H
#define MEMSTRESS_USER_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

/**
 * struct terminal - the controlling terminal
 * @fd: it; -1: there is none
 * @is_ours: the tool was in the foreground
 * @modes: what it was set to then
 */
struct terminal {
	int fd;
	bool is_ours;
	struct termios modes;
};

void terminal_open(struct terminal *terminal);
void terminal_close(struct terminal *terminal);

/*
 * What a shell does when its job has died of a signal: takes the terminal back from whoever is
 * there no more, and sets it to what it was. SIGTTOU has to be blocked.
 */
void terminal_put_back(struct terminal *terminal);

#endif /* MEMSTRESS_USER_TERMINAL_H */
