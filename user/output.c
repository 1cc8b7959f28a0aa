// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "output.h"
#include "signals.h"
#include "text.h"

/* When all is to end, somebody who takes nothing for so long will not do so later. */
#define OUTPUT_PATIENCE_MS 300

static bool output_coloured;
static enum output_style output_style;
static int output_error;
static int output_fd = STDOUT_FILENO;
static __u64 output_deadline_ns;

/* What is no longer than this does not sleep in a pipe that poll() has called ready. */
static char output_buffer[PIPE_BUF];
static size_t output_length;

static const char *const output_codes[] = {
	[OUTPUT_PLAIN] = "\033[0m",   [OUTPUT_HEADING] = "\033[1m", [OUTPUT_FAINT] = "\033[2m",
	[OUTPUT_GOOD] = "\033[1;32m", [OUTPUT_BAD] = "\033[1;31m",
};

/*
 * A write to a pipe or a terminal may sleep although poll() has called it ready, and to be woken by
 * a signal it would have to be one that is not blocked. What is opened anew has a flag of its own
 * for that; others may share the descriptor, and not want it.
 */
static int output_open(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) || !(S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO)))
		return -1;
	return open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void output_init(void)
{
	const char *no_color = getenv("NO_COLOR");
	int fd = output_open();

	if (fd >= 0)
		output_fd = fd;
	output_coloured = isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

void output_set_deadline(__u64 deadline_ns)
{
	output_deadline_ns = deadline_ns;
}

/* A signal that is to end it all waits until somebody listens, whose turn does not come here. */
static bool output_is_to_end(void)
{
	sigset_t ends, pending;

	signals_fill_ends(&ends);
	sigpending(&pending);
	sigandset(&pending, &pending, &ends);
	return !sigisemptyset(&pending) ||
	       (output_deadline_ns && clock_now_ns() >= output_deadline_ns);
}

/* False: it is not waited for any more. */
static bool output_await(void)
{
	struct pollfd out = { .fd = output_fd, .events = POLLOUT };
	bool is_last;
	int ret;

	do {
		is_last = output_is_to_end();
		ret = poll(&out, 1, OUTPUT_PATIENCE_MS);
	} while (ret < 0 || (!ret && !is_last));
	return ret;
}

/* 0, or why nothing more will arrive, as -errno */
static int output_write(const char *text, size_t length)
{
	while (length) {
		ssize_t written;

		if (!output_await())
			return -EAGAIN;
		written = write(output_fd, text, length);
		if (written < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			length -= written;
		}
	}
	return 0;
}

void output_flush(void)
{
	if (!output_error)
		output_error = output_write(output_buffer, output_length);
	output_length = 0;
}

int output_finish(void)
{
	output_flush();
	return output_error;
}

void output_put(const char *text)
{
	if (!text && !output_error)
		output_error = -ENOMEM;
	for (; text && *text; text++) {
		output_buffer[output_length++] = *text;
		if (*text == '\n' || output_length == sizeof(output_buffer))
			output_flush();
	}
}

static void output_vprint(const char *format, va_list args)
{
	char *text = text_print("\n", format, args);

	output_put(text);
	free(text);
}

void output_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_vprint(format, args);
	va_end(args);
}

void output_begin(enum output_style style)
{
	output_style = output_coloured ? style : OUTPUT_PLAIN;
	if (output_style != OUTPUT_PLAIN)
		output_put(output_codes[output_style]);
}

void output_end(void)
{
	if (output_style != OUTPUT_PLAIN)
		output_put(output_codes[OUTPUT_PLAIN]);
	output_style = OUTPUT_PLAIN;
}

void output_styled(enum output_style style, const char *format, ...)
{
	va_list args;

	output_begin(style);
	va_start(args, format);
	output_vprint(format, args);
	va_end(args);
	output_end();
}

void output_table_init(struct output_table *table, const char *align)
{
	memset(table, 0, sizeof(*table));
	table->align = align;
}

void output_table_row(struct output_table *table)
{
	if (table->rows < OUTPUT_ROWS)
		table->rows++;
	table->used = 0;
}

void output_table_cell(struct output_table *table, const char *format, ...)
{
	va_list args;
	char *text;

	if (!table->rows || table->used == OUTPUT_COLUMNS)
		return;
	va_start(args, format);
	text = text_print("", format, args);
	va_end(args);
	free(table->cells[table->rows - 1][table->used]);
	table->cells[table->rows - 1][table->used++] = text;
}

static void output_table_print_row(const struct output_table *table, unsigned int row,
				   const int *widths)
{
	char *const *cells = table->cells[row];
	unsigned int i, last = 0;

	for (i = 0; i < OUTPUT_COLUMNS; i++)
		if (cells[i] && *cells[i])
			last = i;
	for (i = 0; i <= last; i++) {
		const char *text = cells[i] ? cells[i] : "";
		int blanks = widths[i] - text_width(text);

		/* No blanks at the end of a line. */
		if (table->align[i] == 'r')
			output_print("  %*s%s", blanks, "", text);
		else if (i == last)
			output_print("  %s", text);
		else
			output_print("  %s%*s", text, blanks, "");
	}
}

void output_table_print(struct output_table *table)
{
	int widths[OUTPUT_COLUMNS] = {};
	unsigned int row, i;

	for (row = 0; row < table->rows; row++) {
		for (i = 0; i < OUTPUT_COLUMNS; i++) {
			const char *text = table->cells[row][i];
			int width = text ? text_width(text) : 0;

			if (width > widths[i])
				widths[i] = width;
		}
	}
	for (row = 0; row < table->rows; row++) {
		output_begin(row ? OUTPUT_PLAIN : OUTPUT_HEADING);
		output_table_print_row(table, row, widths);
		output_end();
		output_print("\n");
		for (i = 0; i < OUTPUT_COLUMNS; i++)
			free(table->cells[row][i]);
	}
	output_table_init(table, table->align);
}
