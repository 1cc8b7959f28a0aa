// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include "watch_layout.h"

/* Rows of what is said of the cgroup that is selected. */
#define WATCH_DETAIL_ROWS 3

#define WATCH_KILL_ROWS_MAX 5

#define WATCH_GAP       2
#define WATCH_SIZE      7 /* "1023.9M" */
#define WATCH_SHARE     6 /* "100.0%" */
#define WATCH_BAR_MIN   10
#define WATCH_BAR_MAX   60
#define WATCH_NAME_MIN  10
#define WATCH_NAME_MAX  60
#define WATCH_STAT_NAME 22
#define WATCH_STAT_BAR  5
#define WATCH_STAT_MAX  30
#define WATCH_WHAT_MIN  30
#define WATCH_WHAT_MAX  44

/* From here on a page has room for all fields of a row, and from here on for most. */
#define WATCH_WIDE   72
#define WATCH_NARROW 56

static int watch_min(int a, int b)
{
	return a < b ? a : b;
}

static int watch_max(int a, int b)
{
	return a > b ? a : b;
}

/* Takes @rows, with @empty above them if there is room for both; else nothing. */
static struct watch_area watch_take_rows(int *next, int *left, int empty, int rows)
{
	struct watch_area area = { 0, 0 };

	if (rows <= 0 || *left < rows)
		return area;
	if (*left < rows + empty)
		empty = 0;
	area.row = *next + empty;
	area.rows = rows;
	*next += empty + rows;
	*left -= empty + rows;
	return area;
}

/*
 * The list comes first, then the one that is selected, then its memory.stat, which leaves room for
 * kills below.
 */
static void watch_lay_rows(struct watch_layout *layout, int rows,
			   const struct watch_content *content)
{
	int next = 0, left = rows, kills = 0, stat;
	/* A third of the page is the list's. */
	int list = watch_min(content->cgroups, watch_max(1, rows / 3));

	if (rows > 2)
		layout->title = watch_take_rows(&next, &left, 0, 1);
	if (rows > 5)
		layout->heading = watch_take_rows(&next, &left, rows > 16, 1);
	layout->list = watch_take_rows(&next, &left, 0, list);
	if (content->selected >= (unsigned int)list)
		layout->first = content->selected - list + 1;
	layout->detail = watch_take_rows(&next, &left, rows > 16, WATCH_DETAIL_ROWS);
	if (content->kills && left > 5)
		kills = watch_min(content->kills, watch_min(WATCH_KILL_ROWS_MAX, left / 3)) + 1;
	left -= kills;
	stat = watch_min(content->stat_lines + 1, left - (left > 4));
	if (stat > 1)
		layout->stat = watch_take_rows(&next, &left, 1, stat);
	left += kills;
	layout->kills = watch_take_rows(&next, &left, 1, kills);
}

static struct watch_field watch_take_columns(int *next, int width)
{
	struct watch_field field = { *next, width };

	*next += width + WATCH_GAP;
	return field;
}

static void watch_lay_list(struct watch_layout *layout, int columns)
{
	int next = WATCH_GAP, left, bar;

	layout->usage = watch_take_columns(&next, WATCH_SIZE);
	if (columns >= WATCH_NARROW)
		layout->limit = watch_take_columns(&next, WATCH_SIZE);
	layout->share = watch_take_columns(&next, WATCH_SHARE);
	if (columns >= WATCH_WIDE) {
		layout->psi = watch_take_columns(&next, WATCH_SHARE);
		layout->pids = watch_take_columns(&next, WATCH_SHARE);
	}
	/* What is left is the bar's and the name's. */
	left = columns - next - WATCH_GAP;
	bar = watch_min(left / 2, WATCH_BAR_MAX);
	if (bar >= WATCH_BAR_MIN)
		layout->bar = watch_take_columns(&next, bar);
	layout->name = watch_take_columns(&next, watch_max(columns - next, 0));
}

/* In one column with what each line means, or in two, if that makes room for all of them. */
static void watch_lay_stat(struct watch_layout *layout, int columns, unsigned int lines)
{
	int shown = layout->stat.rows - 1, next = 0, left;
	bool is_full = shown > 0 && lines > (unsigned int)shown;

	layout->stat_columns = is_full && columns >= WATCH_WIDE ? 2 : 1;
	layout->stat_width = columns / (int)layout->stat_columns;
	next = WATCH_GAP;
	layout->stat_name =
		watch_take_columns(&next, watch_max(watch_min(WATCH_STAT_NAME,
							      layout->stat_width - 2 * WATCH_GAP -
								      WATCH_SIZE),
						    0));
	layout->stat_value = watch_take_columns(&next, WATCH_SIZE);
	left = layout->stat_width - next;
	if (left >= WATCH_STAT_BAR + WATCH_GAP + WATCH_WHAT_MIN) {
		int bar = watch_min(watch_max(left - WATCH_GAP - WATCH_WHAT_MAX, WATCH_STAT_BAR),
				    WATCH_STAT_MAX);

		layout->stat_bar = watch_take_columns(&next, bar);
		layout->stat_what = watch_take_columns(&next, layout->stat_width - next);
	} else if (left >= WATCH_STAT_BAR) {
		layout->stat_bar = watch_take_columns(&next, watch_min(left, WATCH_STAT_MAX));
	}
}

struct watch_layout watch_layout(int rows, int columns, const struct watch_content *content)
{
	struct watch_layout layout;

	memset(&layout, 0, sizeof(layout));
	watch_lay_rows(&layout, rows, content);
	watch_lay_list(&layout, columns);
	watch_lay_stat(&layout, columns, content->stat_lines);
	return layout;
}
