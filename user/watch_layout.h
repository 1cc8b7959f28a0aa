/* SPDX-License-Identifier: GPL-2.0 */
/* Where on a page is what of a watch, by the size of the page alone. */
#ifndef MEMSTRESS_USER_WATCH_LAYOUT_H
#define MEMSTRESS_USER_WATCH_LAYOUT_H

/**
 * struct watch_area - some rows
 * @row: the first
 * @rows: how many; 0: it is not shown
 */
struct watch_area {
	int row;
	int rows;
};

/**
 * struct watch_field - some columns
 * @column: the first
 * @width: how many; 0: it is not shown
 */
struct watch_field {
	int column;
	int width;
};

/**
 * struct watch_layout - a page
 * @title: the first row
 * @heading: of the list
 * @list: a row for each cgroup
 * @first: the one in the first of them
 * @detail: of the one that is selected
 * @stat: its memory.stat, with a heading
 * @kills: the last ones, with a heading
 * @usage, @limit, @share, @bar, @psi, @pids, @name: of a row of the list
 * @stat_columns: of lines of memory.stat
 * @stat_width: of each of them
 * @stat_name, @stat_value, @stat_bar, @stat_what: within that
 */
struct watch_layout {
	struct watch_area title;
	struct watch_area heading;
	struct watch_area list;
	unsigned int first;
	struct watch_area detail;
	struct watch_area stat;
	struct watch_area kills;
	struct watch_field usage;
	struct watch_field limit;
	struct watch_field share;
	struct watch_field bar;
	struct watch_field psi;
	struct watch_field pids;
	struct watch_field name;
	unsigned int stat_columns;
	int stat_width;
	struct watch_field stat_name;
	struct watch_field stat_value;
	struct watch_field stat_bar;
	struct watch_field stat_what;
};

/**
 * struct watch_content - how much there is to be shown
 * @cgroups: how many
 * @selected: which of them
 * @stat_lines: of memory.stat, that are not 0
 * @kills: how many
 */
struct watch_content {
	unsigned int cgroups;
	unsigned int selected;
	unsigned int stat_lines;
	unsigned int kills;
};

struct watch_layout watch_layout(int rows, int columns, const struct watch_content *content);

#endif /* MEMSTRESS_USER_WATCH_LAYOUT_H */
