/* SPDX-License-Identifier: GPL-2.0 */
/* Every byte that goes to stdout. */
#ifndef MEMSTRESS_USER_OUTPUT_H
#define MEMSTRESS_USER_OUTPUT_H

#include <stdbool.h>

#include <linux/types.h>

#include "compiler.h"

/* Colours by what they say; nothing is coloured unless stdout is a terminal without NO_COLOR */
enum output_style {
	OUTPUT_PLAIN,
	OUTPUT_HEADING,
	OUTPUT_FAINT,
	OUTPUT_GOOD,
	OUTPUT_BAD,
};

#define OUTPUT_COLUMNS 8
#define OUTPUT_ROWS    80

/**
 * struct output_table - rows of text whose columns are lined up when it is printed
 * @align: a letter for each column, 'l' or 'r'
 * @rows: number of rows begun; the first is the heading
 * @cells: the texts, owned by the table
 * @used: cells in the last row
 */
struct output_table {
	const char *align;
	unsigned int rows;
	unsigned int used;
	char *cells[OUTPUT_ROWS][OUTPUT_COLUMNS];
};

/* Once, at the start: each line is written when it is complete */
void output_init(void);

/*
 * Each write waits for whoever reads, but not for ever: when a signal that is blocked would end the
 * tool, or the deadline is over, somebody who takes nothing for a moment gets nothing any more. So
 * whoever has to clean up has his turn.
 *
 * @deadline_ns is a time of CLOCK_MONOTONIC; 0: there is none
 */
void output_set_deadline(__u64 deadline_ns);

/* What has been printed of a line that is not complete is written, too */
void output_flush(void);

/* 0, or why some of the output did not arrive, as -errno */
int output_finish(void);

/*
 * As it is; no text of others, which may tell a terminal to do what it wants. NULL: there was no
 * memory for it
 */
void output_put(const char *text);

/*
 * As all that follows, shows control characters but for newlines, and bytes that are no UTF-8, as
 * \xNN: names that others have given may hold them
 */
__printf(1, 2) void output_print(const char *format, ...);

/* Everything between the two has the style */
void output_begin(enum output_style style);
void output_end(void);
__printf(2, 3) void output_styled(enum output_style style, const char *format, ...);

void output_table_init(struct output_table *table, const char *align);
void output_table_row(struct output_table *table);
__printf(2, 3) void output_table_cell(struct output_table *table, const char *format, ...);

/* Prints the table and empties it */
void output_table_print(struct output_table *table);

#endif /* MEMSTRESS_USER_OUTPUT_H */
