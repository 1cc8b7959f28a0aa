// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "text.h"

static bool output_coloured;
static enum output_style output_style;
static int output_error;

static const char *const output_codes[] = {
	[OUTPUT_PLAIN] = "\033[0m",   [OUTPUT_HEADING] = "\033[1m", [OUTPUT_FAINT] = "\033[2m",
	[OUTPUT_GOOD] = "\033[1;32m", [OUTPUT_BAD] = "\033[1;31m",
};

void output_init(void)
{
	const char *no_color = getenv("NO_COLOR");

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	output_coloured = isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static void output_check(int ret)
{
	if (ret < 0 && !output_error)
		output_error = -errno;
}

int output_finish(void)
{
	output_check(fflush(stdout));
	return output_error;
}

void output_put(const char *text)
{
	output_check(text ? fputs(text, stdout) : -1);
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
