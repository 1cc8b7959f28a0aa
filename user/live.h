/* SPDX-License-Identifier: GPL-2.0 */
/* A terminal that shows pages and is put back afterwards. The only place that knows ncurses. */
#ifndef MEMSTRESS_USER_LIVE_H
#define MEMSTRESS_USER_LIVE_H

#include "error.h"
#include "page.h"

enum live_key {
	LIVE_NONE,
	LIVE_OTHER,
	LIVE_QUIT, /* q, or there is no terminal any more */
	LIVE_UP,
	LIVE_DOWN,
};

/*
 * Takes the terminal of stdin and stdout. Signals that end the tool have to be blocked, for
 * live_close() has to come after it. 0 or -1
 */
int live_open(struct error *error);
void live_close(void);

/* How large it is now */
void live_measure(int *rows, int *columns);

void live_show(const struct page *page);

/* The next key that was pressed; LIVE_NONE: there is none */
enum live_key live_key(void);

#endif /* MEMSTRESS_USER_LIVE_H */
