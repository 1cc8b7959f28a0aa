// SPDX-License-Identifier: GPL-2.0
#include <ncurses.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "live.h"

/* How long, in ms, an escape may wait for the rest of a key: ssh sends it in one piece. */
#define LIVE_ESCAPE 25

static SCREEN *live_screen;
static chtype live_styles[PAGE_STYLES];

static void live_set_styles(void)
{
	static const short colours[PAGE_STYLES] = {
		[PAGE_GOOD] = COLOR_GREEN,
		[PAGE_WARNING] = COLOR_YELLOW,
		[PAGE_BAD] = COLOR_RED,
	};
	const char *no_color = getenv("NO_COLOR");
	int style;

	live_styles[PAGE_PLAIN] = A_NORMAL;
	live_styles[PAGE_BOLD] = A_BOLD;
	live_styles[PAGE_FAINT] = A_DIM;
	live_styles[PAGE_GOOD] = A_NORMAL;
	live_styles[PAGE_WARNING] = A_BOLD;
	live_styles[PAGE_BAD] = A_BOLD;
	if (!has_colors() || (no_color && *no_color) || start_color() == ERR ||
	    use_default_colors() == ERR)
		return;
	for (style = 0; style < PAGE_STYLES; style++) {
		if (!colours[style])
			continue;
		init_pair(style, colours[style], -1);
		live_styles[style] |= COLOR_PAIR(style);
	}
}

int live_open(struct error *error)
{
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(error, STATUS_UNSUPPORTED,
				 "watch needs a terminal; memstress stat shows the same once");
	live_screen = newterm(NULL, stdout, stdin);
	if (!live_screen)
		return error_set(error, STATUS_UNSUPPORTED,
				 "TERM: nothing is known of '%s' here; memstress stat needs no TERM",
				 type ? type : "");
	set_escdelay(LIVE_ESCAPE);
	cbreak();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	live_set_styles();
	return 0;
}

void live_close(void)
{
	if (!live_screen)
		return;
	endwin();
	delscreen(live_screen);
	live_screen = NULL;
}

void live_measure(int *rows, int *columns)
{
	struct winsize size;

	/* ncurses has asked once, and does so again only in a handler of its own. */
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col &&
	    (size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
	*rows = LINES;
	*columns = COLS;
}

void live_show(const struct page *page)
{
	int row, column;

	erase();
	for (row = 0; row < page->rows; row++)
		for (column = 0; column < page->columns; column++)
			mvaddch(row, column,
				(unsigned char)page->text[row][column] |
					live_styles[page->style[row][column]]);
	refresh();
}

/*
 * ncurses does not tell that there is nothing from that there is nobody. A key may have come since
 * it has looked.
 */
static bool live_is_gone(void)
{
	struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };
	int waiting;

	if (poll(&terminal, 1, 0) <= 0)
		return false;
	return terminal.revents & ~POLLIN || ioctl(STDIN_FILENO, FIONREAD, &waiting) || !waiting;
}

enum live_key live_key(void)
{
	switch (getch()) {
	case ERR:
		return live_is_gone() ? LIVE_QUIT : LIVE_NONE;
	case 'q':
	case 'Q':
		return LIVE_QUIT;
	case KEY_UP:
	case 'k':
		return LIVE_UP;
	case KEY_DOWN:
	case 'j':
	case '\t':
		return LIVE_DOWN;
	default:
		return LIVE_OTHER;
	}
}
