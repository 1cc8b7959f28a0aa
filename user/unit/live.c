// SPDX-License-Identifier: GPL-2.0
/* The terminal that is taken and put back: a real one, of types that there are everywhere. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "live.h"
#include "unit.h"

#define FAST_KEYS 20000

/**
 * struct terminal_pair - a terminal of its own
 * @master: what is typed and shown
 * @slave: the terminal
 * @before: what it was set to
 */
struct terminal_pair {
	int master;
	int slave;
	struct termios before;
};

static bool begin(struct terminal_pair *pair)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	const char *name;

	pair->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pair->master < 0 || grantpt(pair->master) || unlockpt(pair->master)) {
		unit_skip("no terminals here");
		return false;
	}
	name = ptsname(pair->master);
	pair->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	EXPECT_TRUE(pair->slave >= 0);
	EXPECT_NUMBER(ioctl(pair->slave, TIOCSWINSZ, &size), 0);
	EXPECT_NUMBER(tcgetattr(pair->slave, &pair->before), 0);
	return true;
}

static void end(struct terminal_pair *pair)
{
	close(pair->slave);
	close(pair->master);
}

/* The first key; of many, LIVE_QUIT if all of them come before it. */
static int press(unsigned int count)
{
	enum live_key key;

	for (;;) {
		key = live_key();
		if (key == LIVE_DOWN && count)
			count--;
		else if (key != LIVE_NONE)
			return count ? LIVE_OTHER : key;
		else if (!count)
			clock_pause_ns(NS_PER_MS);
	}
}

/* In a process of its own, as ncurses is there once for a process. Exits with a key. */
static void show(const struct terminal_pair *pair, const char *type, const struct page *page,
		 unsigned int count)
{
	struct error error;
	int rows, columns, key;

	close(pair->master);
	setenv("TERM", type, 1);
	dup2(pair->slave, STDIN_FILENO);
	dup2(pair->slave, STDOUT_FILENO);
	if (live_open(&error))
		_exit(100 + error.status);
	live_measure(&rows, &columns);
	if (rows != 24 || columns != 80)
		_exit(99);
	live_show(page);
	key = press(count);
	live_close();
	_exit(key);
}

/* @count: keys down before the one that it ends with */
static pid_t start(const struct terminal_pair *pair, const char *type, unsigned int count)
{
	static struct page page;
	pid_t pid;

	page_init(&page, 24, 80);
	page_print(&page, 3, 0, 80, PAGE_BOLD, "usage of everything");
	page_print(&page, 23, 70, 10, PAGE_BAD, "the corner");
	pid = fork();
	if (!pid)
		show(pair, type, &page, count);
	return pid;
}

/* All that is shown until @text is, or the end comes. */
static bool await_text(int master, const char *text)
{
	__u64 deadline_ns = clock_now_ns() + 10 * NS_PER_S;
	char shown[16384];
	size_t length = 0;

	fcntl(master, F_SETFL, O_NONBLOCK);
	while (clock_now_ns() < deadline_ns && length < sizeof(shown) - 1) {
		ssize_t more = read(master, shown + length, sizeof(shown) - 1 - length);

		if (more > 0)
			length += more;
		else
			clock_pause_ns(NS_PER_MS);
		shown[length] = '\0';
		if (strstr(shown, text))
			return true;
	}
	return false;
}

static int await_exit(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_as_before(const struct terminal_pair *pair)
{
	struct termios now;

	EXPECT_NUMBER(tcgetattr(pair->slave, &now), 0);
	EXPECT_NUMBER(now.c_lflag, pair->before.c_lflag);
	EXPECT_NUMBER(now.c_iflag, pair->before.c_iflag);
	EXPECT_NUMBER(now.c_oflag, pair->before.c_oflag);
}

static void puts_it_back(void)
{
	static const char *const types[] = { "xterm", "vt100", "linux" };
	struct terminal_pair pair;
	struct termios now;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (!begin(&pair))
			return;
		pid = start(&pair, types[i], 0);
		EXPECT_TRUE(await_text(pair.master, "everything"));
		EXPECT_NUMBER(tcgetattr(pair.slave, &now), 0);
		EXPECT_TRUE(!(now.c_lflag & (ICANON | ECHO)));
		EXPECT_NUMBER(write(pair.master, "q", 1), 1);
		EXPECT_NUMBER(await_exit(pid), LIVE_QUIT);
		expect_as_before(&pair);
		end(&pair);
	}
}

static void reads_keys(void)
{
	static const struct {
		const char *text;
		enum live_key key;
	} keys[] = {
		{ "Q", LIVE_QUIT },    { "j", LIVE_DOWN },      { "k", LIVE_UP },
		{ "\033OA", LIVE_UP }, { "\033OB", LIVE_DOWN }, { "\t", LIVE_DOWN },
		{ "x", LIVE_OTHER },
	};
	struct terminal_pair pair;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!begin(&pair))
			return;
		pid = start(&pair, "xterm", 0);
		EXPECT_TRUE(await_text(pair.master, "everything"));
		EXPECT_NUMBER(write(pair.master, keys[i].text, strlen(keys[i].text)),
			      strlen(keys[i].text));
		EXPECT_NUMBER(await_exit(pid), keys[i].key);
		expect_as_before(&pair);
		end(&pair);
	}
}

/* One that comes right after a look that has found none is no end. */
static void takes_fast_keys(void)
{
	struct terminal_pair pair;
	unsigned int i;
	pid_t pid;

	if (!begin(&pair))
		return;
	pid = start(&pair, "xterm", FAST_KEYS);
	EXPECT_TRUE(await_text(pair.master, "everything"));
	fcntl(pair.master, F_SETFL, 0);
	for (i = 0; i < FAST_KEYS; i++)
		EXPECT_NUMBER(write(pair.master, "j", 1), 1);
	EXPECT_NUMBER(write(pair.master, "q", 1), 1);
	EXPECT_NUMBER(await_exit(pid), LIVE_QUIT);
	end(&pair);
}

/* As when a connection breaks. */
static void notices_that_it_is_gone(void)
{
	struct terminal_pair pair;
	pid_t pid;

	if (!begin(&pair))
		return;
	pid = start(&pair, "vt100", 0);
	EXPECT_TRUE(await_text(pair.master, "everything"));
	end(&pair);
	EXPECT_NUMBER(await_exit(pid), LIVE_QUIT);
}

static void refuses_what_it_does_not_know(void)
{
	struct terminal_pair pair;

	if (!begin(&pair))
		return;
	EXPECT_NUMBER(await_exit(start(&pair, "no-such-terminal", 0)), 100 + STATUS_UNSUPPORTED);
	expect_as_before(&pair);
	end(&pair);
}

const struct unit_test unit_live_tests[] = {
	{ "live_puts_it_back", puts_it_back },
	{ "live_reads_keys", reads_keys },
	{ "live_takes_fast_keys", takes_fast_keys },
	{ "live_notices_that_it_is_gone", notices_that_it_is_gone },
	{ "live_refuses_what_it_does_not_know", refuses_what_it_does_not_know },
	{},
};
