// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "page.h"

static int page_clamp(int value, int max)
{
	if (value < 0)
		return 0;
	return value > max ? max : value;
}

void page_init(struct page *page, int rows, int columns)
{
	int row;

	memset(page, 0, sizeof(*page));
	page->rows = page_clamp(rows, PAGE_ROWS_MAX);
	page->columns = page_clamp(columns, PAGE_COLUMNS_MAX);
	for (row = 0; row < page->rows; row++)
		memset(page->text[row], ' ', page->columns);
}

static void page_put(struct page *page, int row, int column, enum page_style style,
		     const char *text, int length)
{
	int i;

	if (row < 0 || row >= page->rows)
		return;
	for (i = 0; i < length && column + i < page->columns; i++) {
		if (column + i < 0)
			continue;
		page->text[row][column + i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
		page->style[row][column + i] = style;
	}
}

void page_print(struct page *page, int row, int column, int width, enum page_style style,
		const char *format, ...)
{
	char text[PAGE_COLUMNS_MAX + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	page_put(page, row, column, style, text, page_clamp(strlen(text), width));
}

void page_print_right(struct page *page, int row, int column, int width, enum page_style style,
		      const char *format, ...)
{
	char text[PAGE_COLUMNS_MAX + 1];
	va_list args;
	int length;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = page_clamp(strlen(text), width);
	page_put(page, row, column + width - length, style, text, length);
}
