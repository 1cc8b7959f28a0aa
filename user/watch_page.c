// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "watch_layout.h"
#include "watch_page.h"

/* From these shares of its limit on, in percent, a cgroup is near it. */
#define WATCH_PAGE_WARNING 80
#define WATCH_PAGE_BAD     95

/* From so many columns on, all of the title has room, and from so many its end. */
#define WATCH_PAGE_WIDE   72
#define WATCH_PAGE_NARROW 36

#define WATCH_PAGE_LINES_MAX 64

/**
 * struct watch_line - a line of memory.stat that is shown
 * @name: of it
 * @depth: how many lines it is within
 * @value: bytes
 * @what: what it means
 */
struct watch_line {
	const char *name;
	unsigned int depth;
	__u64 value;
	const char *what;
};

struct watch_lines {
	unsigned int count;
	struct watch_line lines[WATCH_PAGE_LINES_MAX];
};

/* Cells of @cells that @bytes of @whole are; something is never nothing. */
static int watch_page_cells(__u64 bytes, __u64 whole, int cells)
{
	double share = whole ? (double)bytes / (double)whole : 1;

	if (!bytes)
		return 0;
	if (share >= 1)
		return cells;
	return share * cells < 1 ? 1 : (int)(share * cells);
}

void watch_page_gauge(char *text, int width, __u64 bytes, __u64 peak_bytes, __u64 high_bytes,
		      __u64 limit_bytes)
{
	int cells = width - 2, used, peak, high;

	*text = '\0';
	if (cells < 1)
		return;
	used = watch_page_cells(bytes, limit_bytes, cells);
	peak = peak_bytes == CG_MISSING ? 0 : watch_page_cells(peak_bytes, limit_bytes, cells);
	high = high_bytes >= limit_bytes ? cells : watch_page_cells(high_bytes, limit_bytes, cells);
	memset(text, '.', width);
	if (peak > used)
		memset(text + 1, ':', peak);
	memset(text + 1, '#', used);
	if (high < cells)
		text[1 + high] = '|';
	text[0] = '[';
	text[width - 1] = ']';
	text[width] = '\0';
}

static struct units_text watch_page_size(__u64 bytes, const char *missing)
{
	struct units_text text;

	if (bytes != CG_MISSING)
		return units_bytes(bytes);
	snprintf(text.s, sizeof(text.s), "%s", missing);
	return text;
}

static enum page_style watch_page_style(const struct usage *usage)
{
	double share;

	if (usage->bytes == CG_MISSING || usage->effective_bytes == CG_UNLIMITED)
		return PAGE_PLAIN;
	share = usage->effective_bytes ?
			100.0 * (double)usage->bytes / (double)usage->effective_bytes :
			100;
	if (share >= WATCH_PAGE_BAD)
		return PAGE_BAD;
	return share >= WATCH_PAGE_WARNING ? PAGE_WARNING : PAGE_GOOD;
}

static void watch_page_draw_title(const struct watch *watch, const struct watch_layout *layout,
				  struct page *page)
{
	int row = layout->title.row, columns = page->columns;
	bool is_wide = columns >= WATCH_PAGE_WIDE;

	if (!layout->title.rows)
		return;
	page_print(page, row, 0, columns, PAGE_BOLD, "memstress watch");
	page_print(page, row, 17, columns - 17, PAGE_PLAIN, "%s", watch->time);
	if (is_wide)
		page_print(page, row, 27, columns - 27, PAGE_PLAIN, "every %s",
			   units_ns(watch->interval_ns).s);
	if (columns >= WATCH_PAGE_NARROW)
		page_print_right(page, row, columns - 30, 30, PAGE_FAINT, "%sq: quit",
				 is_wide && watch->count > 1 ? "up, down: another  " : "");
}

static void watch_page_right(struct page *page, int row, struct watch_field field,
			     enum page_style style, const char *text)
{
	if (field.width)
		page_print_right(page, row, field.column, field.width, style, "%s", text);
}

static void watch_page_left(struct page *page, int row, struct watch_field field,
			    enum page_style style, const char *text)
{
	if (field.width)
		page_print(page, row, field.column, field.width, style, "%s", text);
}

static void watch_page_draw_heading(const struct watch_layout *layout, struct page *page)
{
	int row = layout->heading.row;

	if (!layout->heading.rows)
		return;
	watch_page_right(page, row, layout->usage, PAGE_BOLD, "usage");
	watch_page_right(page, row, layout->limit, PAGE_BOLD, "limit");
	watch_page_right(page, row, layout->share, PAGE_BOLD, "%");
	watch_page_right(page, row, layout->psi, PAGE_BOLD, "psi");
	watch_page_right(page, row, layout->pids, PAGE_BOLD, "pids");
	watch_page_left(page, row, layout->bar, PAGE_BOLD, "# used  : peak");
	watch_page_left(page, row, layout->name, PAGE_BOLD, "cgroup");
}

static void watch_page_draw_gauge(const struct watch_cgroup *cgroup, struct watch_field field,
				  int row, struct page *page)
{
	const struct usage *usage = &cgroup->usage;
	char text[PAGE_COLUMNS_MAX + 1];

	if (!field.width)
		return;
	if (usage->effective_bytes == CG_UNLIMITED || usage->bytes == CG_MISSING) {
		watch_page_left(page, row, field, PAGE_FAINT, "no limit");
		return;
	}
	watch_page_gauge(text, field.width, usage->bytes, usage->peak_bytes, cgroup->high_bytes,
			 usage->effective_bytes);
	watch_page_left(page, row, field, watch_page_style(usage), text);
}

/* Of a long name the end tells more. */
static void watch_page_draw_name(const char *name, struct watch_field field, int row,
				 enum page_style style, struct page *page)
{
	int length = strlen(name);

	if (length <= field.width || field.width < 4)
		watch_page_left(page, row, field, style, name);
	else
		page_print(page, row, field.column, field.width, style, "..%s",
			   name + length - field.width + 2);
}

static const char *watch_page_error(int error)
{
	return error == -ENOENT || error == -ENODEV ? "removed" : strerror(-error);
}

static void watch_page_draw_row(const struct watch *watch, unsigned int index,
				const struct watch_layout *layout, int row, struct page *page)
{
	const struct watch_cgroup *cgroup = &watch->cgroups[index];
	bool is_selected = index == watch->selected && watch->count > 1;
	const struct usage *usage = &cgroup->usage;
	char pids[24];

	if (is_selected)
		page_print(page, row, 0, 1, PAGE_BOLD, ">");
	watch_page_draw_name(cg_name(cgroup->cg.tree, cgroup->cg.path), layout->name, row,
			     is_selected ? PAGE_BOLD : PAGE_PLAIN, page);
	if (cgroup->error) {
		page_print(page, row, layout->usage.column,
			   layout->name.column - layout->usage.column - 2, PAGE_BAD, "%s",
			   watch_page_error(cgroup->error));
		return;
	}
	snprintf(pids, sizeof(pids), "%llu", usage->pids);
	watch_page_right(page, row, layout->usage, PAGE_PLAIN,
			 watch_page_size(usage->bytes, "-").s);
	watch_page_right(page, row, layout->limit, PAGE_PLAIN,
			 watch_page_size(usage->effective_bytes, "max").s);
	watch_page_right(page, row, layout->share, watch_page_style(usage), usage_share(usage).s);
	watch_page_right(page, row, layout->psi, PAGE_PLAIN,
			 *usage->some_avg10 ? usage->some_avg10 : "-");
	watch_page_right(page, row, layout->pids, PAGE_PLAIN,
			 usage->pids == CG_MISSING ? "-" : pids);
	watch_page_draw_gauge(cgroup, layout->bar, row, page);
}

static void watch_page_draw_list(const struct watch *watch, const struct watch_layout *layout,
				 struct page *page)
{
	int i;

	for (i = 0; i < layout->list.rows; i++)
		watch_page_draw_row(watch, layout->first + i, layout, layout->list.row + i, page);
}

/* Those that there were, and in brackets how many since the beginning. */
static void watch_page_print_events(const struct watch_cgroup *cgroup, char *text, size_t size)
{
	size_t length = snprintf(text, size, "events");
	int i;

	for (i = 0; i < EVENT_END && length < size; i++) {
		__u64 now = cgroup->usage.events.value[i], first = cgroup->first.value[i];

		if (!now || now == CG_MISSING)
			continue;
		length += snprintf(text + length, size - length, "  %s %llu",
				   snapshot_event_names[i], now);
		if (now > first && length < size)
			length += snprintf(text + length, size - length, " (+%llu)", now - first);
	}
	if (length == strlen("events"))
		snprintf(text, size, "events  none");
}

static void watch_page_draw_detail(const struct watch_cgroup *cgroup,
				   const struct watch_layout *layout, struct page *page)
{
	const struct usage *usage = &cgroup->usage;
	const struct cg_tree *tree = cgroup->cg.tree;
	int row = layout->detail.row, width = page->columns - 2;
	const char *owner = usage->effective_path;
	char text[512];

	if (!layout->detail.rows)
		return;
	page_print(page, row, 2, width, PAGE_BOLD, "%s", cg_name(tree, cgroup->cg.path));
	if (cgroup->error)
		return;
	snprintf(text, sizeof(text), "max %s  high %s  peak %s",
		 watch_page_size(usage->max_bytes, "none").s,
		 watch_page_size(cgroup->high_bytes, "none").s,
		 watch_page_size(usage->peak_bytes, "-").s);
	if (*owner && strcmp(owner, cgroup->cg.path))
		page_print(page, row + 1, 2, width, PAGE_PLAIN, "%s  limit of %s", text,
			   cg_name(tree, owner));
	else
		page_print(page, row + 1, 2, width, PAGE_PLAIN, "%s", text);
	watch_page_print_events(cgroup, text, sizeof(text));
	page_print(page, row + 2, 2, width, PAGE_PLAIN, "%s", text);
}

static void watch_page_add_line(struct watch_lines *lines, const char *name, unsigned int depth,
				__u64 value, const char *what)
{
	if (!value || value == CG_MISSING || lines->count == WATCH_PAGE_LINES_MAX)
		return;
	lines->lines[lines->count++] = (struct watch_line){ name, depth, value, what };
}

/* What usage is made of. Without a line for all that is the kernel's, its parts stand alone. */
static void watch_page_list_lines(const struct watch_cgroup *cgroup, struct watch_lines *lines)
{
	const struct memory_stat *stat = &cgroup->stat;
	bool has_kernel = memory_stat_value(stat, "kernel") != CG_MISSING;
	__u64 sum = memory_stat_sum(stat), other = memory_stat_other_kernel(stat);
	const struct memory_stat_row *row;

	lines->count = 0;
	if (cgroup->error)
		return;
	for (row = memory_stat_rows; row->name; row++) {
		bool is_kernel = row->group == MEMORY_STAT_KERNEL;

		if (row->group == MEMORY_STAT_SWAP && other) {
			watch_page_add_line(lines, "other", 1, other, "on no line: pipes, BPF ...");
			other = 0;
		}
		if (row->group > MEMORY_STAT_SWAP)
			continue;
		watch_page_add_line(lines, row->name,
				    row->depth - (is_kernel && !has_kernel && row->depth),
				    memory_stat_value(stat, row->name), row->what);
	}
	if (cgroup->usage.bytes != CG_MISSING && cgroup->usage.bytes > sum)
		watch_page_add_line(lines, "left over", 0, cgroup->usage.bytes - sum,
				    "charged ahead for CPUs, and on no line");
}

static void watch_page_draw_line(const struct watch_line *line, const struct watch_cgroup *cgroup,
				 const struct watch_layout *layout, int row, int column,
				 struct page *page)
{
	struct watch_field name = layout->stat_name, value = layout->stat_value;
	struct watch_field bar = layout->stat_bar, what = layout->stat_what;
	__u64 whole = cgroup->usage.bytes == CG_MISSING ? line->value : cgroup->usage.bytes;
	int cells = watch_page_cells(line->value, whole, bar.width), indent = 2 * line->depth;
	char text[PAGE_COLUMNS_MAX + 1];

	page_print(page, row, column + name.column + indent, name.width - indent, PAGE_PLAIN, "%s",
		   line->name);
	page_print_right(page, row, column + value.column, value.width, PAGE_PLAIN, "%s",
			 units_bytes(line->value).s);
	memset(text, '#', cells);
	text[cells] = '\0';
	page_print(page, row, column + bar.column, bar.width, PAGE_GOOD, "%s", text);
	page_print(page, row, column + what.column, what.width, PAGE_FAINT, "%s", line->what);
}

static void watch_page_draw_stat(const struct watch_cgroup *cgroup, const struct watch_lines *lines,
				 const struct watch_layout *layout, struct page *page)
{
	unsigned int rows = layout->stat.rows - 1, i;

	if (!layout->stat.rows)
		return;
	page_print(page, layout->stat.row, 2, page->columns - 2, PAGE_BOLD, "memory.stat");
	for (i = 0; i < lines->count && i < rows * layout->stat_columns; i++)
		watch_page_draw_line(&lines->lines[i], cgroup, layout,
				     layout->stat.row + 1 + i % rows,
				     (int)(i / rows) * layout->stat_width, page);
}

static void watch_page_draw_kill(const struct watch_kill *kill, int row, struct page *page)
{
	struct watch_field place = { .column = 2 };
	char text[128];

	place.column += snprintf(text, sizeof(text), "%s  %d (%s) had %s of anonymous memory, in ",
				 kill->time, kill->pid, kill->task,
				 units_bytes(kill->anon_rss_bytes).s);
	place.width = page->columns - place.column;
	page_print(page, row, 2, page->columns - 2, PAGE_PLAIN, "%s", text);
	watch_page_draw_name(kill->cgroup, place, row, PAGE_PLAIN, page);
}

static void watch_page_draw_kills(const struct watch *watch, const struct watch_layout *layout,
				  struct page *page)
{
	int row = layout->kills.row, i;

	if (!layout->kills.rows)
		return;
	if (watch->log_error)
		page_print(page, row, 2, page->columns - 2, PAGE_BOLD,
			   "killed by the OOM killer: not known, the kernel log says: %s",
			   strerror(-watch->log_error));
	else
		page_print(page, row, 2, page->columns - 2, PAGE_BOLD, "killed by the OOM killer");
	for (i = 0; i + 1 < layout->kills.rows && i < (int)watch->kill_count; i++)
		watch_page_draw_kill(&watch->kills[i], row + 1 + i, page);
}

void watch_page_draw(const struct watch *watch, struct page *page)
{
	const struct watch_cgroup *selected = &watch->cgroups[watch->selected];
	struct watch_content content = {
		.cgroups = watch->count,
		.selected = watch->selected,
		/* If nobody can know of any, that has a heading */
		.kills = watch->log_error && !watch->kill_count ? 1 : watch->kill_count,
	};
	struct watch_layout layout;
	struct watch_lines lines;

	watch_page_list_lines(selected, &lines);
	content.stat_lines = lines.count;
	layout = watch_layout(page->rows, page->columns, &content);
	watch_page_draw_title(watch, &layout, page);
	watch_page_draw_heading(&layout, page);
	watch_page_draw_list(watch, &layout, page);
	watch_page_draw_detail(selected, &layout, page);
	watch_page_draw_stat(selected, &lines, &layout, page);
	watch_page_draw_kills(watch, &layout, page);
}
