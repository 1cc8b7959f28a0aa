/* SPDX-License-Identifier: GPL-2.0 */
/* A page of the size of a terminal: what is to be shown, before a terminal shows it. */
#ifndef MEMSTRESS_USER_PAGE_H
#define MEMSTRESS_USER_PAGE_H

#include "compiler.h"

/* What is beyond this stays empty, on however large a terminal */
#define PAGE_ROWS_MAX    200
#define PAGE_COLUMNS_MAX 400

enum page_style {
	PAGE_PLAIN,
	PAGE_BOLD,
	PAGE_FAINT,
	PAGE_GOOD,
	PAGE_WARNING,
	PAGE_BAD,
	PAGE_STYLES,
};

/**
 * struct page - rows of cells
 * @rows, @columns: its size
 * @text: each row, which has all its columns, and ends with a 0
 * @style: of each cell
 */
struct page {
	int rows;
	int columns;
	char text[PAGE_ROWS_MAX][PAGE_COLUMNS_MAX + 1];
	unsigned char style[PAGE_ROWS_MAX][PAGE_COLUMNS_MAX];
};

/* Empty, of this size, or as large as there may be */
void page_init(struct page *page, int rows, int columns);

/*
 * Prints into @width cells from @column on. What does not fit into them, or onto the page, is left
 * out; what is no ASCII character is a question mark.
 */
__printf(6, 7) void page_print(struct page *page, int row, int column, int width,
			       enum page_style style, const char *format, ...);

/* The same, so that it ends in the last of these cells */
__printf(6, 7) void page_print_right(struct page *page, int row, int column, int width,
				     enum page_style style, const char *format, ...);

#endif /* MEMSTRESS_USER_PAGE_H */
