// SPDX-License-Identifier: GPL-2.0
/* What watch shows: where it is on pages of three sizes, and what stands there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "unit.h"
#include "watch.h"
#include "watch_layout.h"
#include "watch_page.h"

#define MIB 1048576ULL

/* One with a limit, one below it, and one that was removed. */
static struct watch *begin(void)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	static const char *const names[] = { "/job", "/job/child", "/gone" };
	static const char stat[] = "anon 16777216\nfile 8388608\nshmem 8388608\nkernel 4194304\n"
				   "slab 1048576\nslab_reclaimable 1048576\nswap 4096\npgfault 99\n"
				   "inactive_anon 4096\n";
	unsigned int i;

	strcpy(watch->tree.mount, "/sys/fs/cgroup");
	strcpy(watch->time, "12:34:56");
	watch->interval_ns = NS_PER_S;
	watch->count = ARRAY_SIZE(names);
	for (i = 0; i < watch->count; i++) {
		struct watch_cgroup *cgroup = &watch->cgroups[i];

		cgroup->cg.tree = &watch->tree;
		snprintf(cgroup->cg.path, sizeof(cgroup->cg.path), "/sys/fs/cgroup%s", names[i]);
		snapshot_parse_events("", &cgroup->usage.events);
		snapshot_parse_events("", &cgroup->first);
		cgroup->high_bytes = CG_UNLIMITED;
		cgroup->usage.max_bytes = CG_UNLIMITED;
		cgroup->usage.peak_bytes = 60 * MIB;
		cgroup->usage.effective_bytes = 64 * MIB;
		strcpy(cgroup->usage.effective_path, "/sys/fs/cgroup/job");
		cgroup->usage.pids = 3;
	}
	watch->cgroups[0].usage.bytes = 32 * MIB;
	watch->cgroups[0].usage.max_bytes = 64 * MIB;
	snapshot_parse_events("max 35\noom 2\noom_kill 1\n", &watch->cgroups[0].usage.events);
	snapshot_parse_events("max 30\noom 2\noom_kill 1\n", &watch->cgroups[0].first);
	memory_stat_parse(stat, &watch->cgroups[0].stat);
	watch->cgroups[1].usage.bytes = 62 * MIB;
	strcpy(watch->cgroups[1].usage.some_avg10, "12.50");
	watch->cgroups[2].error = -ENODEV;
	return watch;
}

static struct page *draw(const struct watch *watch, int rows, int columns)
{
	struct page *page = calloc(1, sizeof(*page));

	page_init(page, rows, columns);
	watch_page_draw(watch, page);
	return page;
}

static void expect_row(const struct page *page, int row, const char *text)
{
	EXPECT_TRUE(row < page->rows);
	EXPECT_WITHIN(page->text[row], text);
}

static void expect_within(struct watch_field field, int columns)
{
	EXPECT_TRUE(field.column >= 0);
	EXPECT_TRUE(field.width >= 0);
	EXPECT_TRUE(!field.width || field.column + field.width <= columns);
}

static void expect_rows(struct watch_area area, int *next, int rows)
{
	if (!area.rows)
		return;
	EXPECT_TRUE(area.row >= *next);
	*next = area.row + area.rows;
	EXPECT_TRUE(*next <= rows);
}

/* On pages of all sizes nothing is beyond the page, nor on top of anything else. */
static void nothing_overlaps(void)
{
	struct watch_content content;
	int rows, columns;

	for (rows = 0; rows < 70; rows++) {
		for (columns = 0; columns < 210; columns += 7) {
			struct watch_layout layout;
			int next = 0;

			content = (struct watch_content){ rows % 13 + 1, rows % 13, rows % 30,
							  columns % 17 };
			layout = watch_layout(rows, columns, &content);
			expect_rows(layout.title, &next, rows);
			expect_rows(layout.heading, &next, rows);
			expect_rows(layout.list, &next, rows);
			expect_rows(layout.detail, &next, rows);
			expect_rows(layout.stat, &next, rows);
			expect_rows(layout.kills, &next, rows);
			EXPECT_TRUE(!layout.list.rows || layout.first <= content.selected);
			EXPECT_TRUE(!layout.list.rows ||
				    content.selected < layout.first + layout.list.rows);
			if (columns < 40)
				continue;
			expect_within(layout.limit, layout.share.column);
			expect_within(layout.bar, layout.name.column);
			expect_within(layout.name, columns);
			expect_within(layout.stat_value, layout.stat_width);
			expect_within(layout.stat_bar, layout.stat_width);
			expect_within(layout.stat_what, layout.stat_width);
			EXPECT_TRUE((int)layout.stat_columns * layout.stat_width <= columns);
		}
	}
}

static void fits_80x24(void)
{
	struct watch *watch = begin();
	struct kmsg_oom oom = { .time_us = 1, .pid = 4711, .anon_rss_bytes = MIB };
	struct page *page;

	strcpy(oom.task, "dd");
	watch_add_kill(watch, &oom, "/job/child");
	page = draw(watch, 24, 80);
	expect_row(page, 0, "memstress watch  12:34:56  every 1 s");
	expect_row(page, 0, "up, down: another  q: quit");
	expect_row(page, 2, "    usage    limit       %     psi    pids  # used");
	expect_row(page, 3, ">     32M      64M   50.0%       -       3  [#######:::::::.]");
	expect_row(page, 3, "  /job ");
	expect_row(page, 4, "      62M      64M   96.9%   12.50       3  [####");
	expect_row(page, 4, "  /job/child ");
	expect_row(page, 5, "  removed ");
	expect_row(page, 5, "  /gone ");
	expect_row(page, 7, "  /job ");
	expect_row(page, 8, "max 64M  high none  peak 60M ");
	expect_row(page, 9, "events  max 35 (+5)  oom 2  oom_kill 1 ");
	expect_row(page, 11, "  memory.stat ");
	expect_row(page, 12,
		   "  anon                        16M  ##     heaps, stacks, private mappings");
	expect_row(page, 14, "    shmem                      8M  #");
	expect_row(page, 16, "    slab                       1M  #");
	EXPECT_NUMBER(page->style[3][44], PAGE_GOOD);
	EXPECT_NUMBER(page->style[4][44], PAGE_BAD);
	expect_row(page, 22, "  killed by the OOM killer ");
	EXPECT_TRUE(strstr(page->text[23], "4711 (dd) had 1M of anonymous memory, in /job/child"));
	free(page);

	/* Of another one. */
	watch->selected = 1;
	page = draw(watch, 24, 80);
	expect_row(page, 4, ">     62M");
	expect_row(page, 8, "max none  high none  peak 60M  limit of /job ");
	expect_row(page, 9, "events  none ");
	free(page);
	free(watch);
}

static void fits_40x10(void)
{
	struct watch *watch = begin();
	struct page *page = draw(watch, 10, 40);

	expect_row(page, 0, "memstress watch  12:34:56        q: quit");
	expect_row(page, 1, "    usage       %  ");
	expect_row(page, 2, ">     32M   50.0%  ");
	expect_row(page, 2, "/job ");
	expect_row(page, 4, "removed");
	expect_row(page, 5, "  /job ");
	expect_row(page, 8, "  memory.stat ");
	expect_row(page, 9, "  anon                        16M  ");
	free(page);
	/* What is selected is seen. */
	watch->selected = 2;
	watch->count = 3;
	page = draw(watch, 4, 40);
	expect_row(page, 1, "> removed");
	free(page);
	free(watch);
}

static void fits_200x60(void)
{
	struct watch *watch = begin();
	struct page *page = draw(watch, 60, 200);

	expect_row(page, 3, "  /job ");
	expect_row(page, 3, "[#############################:::::::::::::::::::::::::....]");
	expect_row(page, 12, "############");
	expect_row(page, 12, "heaps, stacks, private mappings");
	expect_row(page, 14, "tmpfs, shared memory: has no disk but swap");
	expect_row(page, 19, "  swap  ");
	expect_row(page, 20, "  left over                    4M");
	free(page);
	free(watch);
}

static void fits_nowhere(void)
{
	struct watch *watch = begin();
	int rows, columns;

	/* Under a sanitizer, or by chance, a write beyond the page would be noticed. */
	for (rows = 0; rows < 12; rows++)
		for (columns = 0; columns < 45; columns++)
			free(draw(watch, rows, columns));
	free(draw(watch, PAGE_ROWS_MAX + 1, PAGE_COLUMNS_MAX + 1));
	free(watch);
}

static void expect_gauge(int width, __u64 bytes, __u64 peak_bytes, __u64 high_bytes,
			 const char *expected)
{
	char text[64];

	watch_page_gauge(text, width, bytes, peak_bytes, high_bytes, 100);
	EXPECT_STRING(text, expected);
}

static void draws_gauges(void)
{
	expect_gauge(12, 0, CG_MISSING, CG_MISSING, "[..........]");
	expect_gauge(12, 1, CG_MISSING, CG_MISSING, "[#.........]");
	expect_gauge(12, 50, CG_MISSING, CG_MISSING, "[#####.....]");
	expect_gauge(12, 50, 70, CG_MISSING, "[#####::...]");
	expect_gauge(12, 50, 70, 90, "[#####::..|]");
	expect_gauge(12, 50, 40, 20, "[##|##.....]");
	expect_gauge(12, 100, 100, 100, "[##########]");
	expect_gauge(12, 300, 400, CG_MISSING, "[##########]");
	expect_gauge(3, 50, CG_MISSING, CG_MISSING, "[#]");
	expect_gauge(2, 50, CG_MISSING, CG_MISSING, "");
	expect_gauge(-1, 50, CG_MISSING, CG_MISSING, "");
}

/* No kills, and nothing that could tell of any, are two things */
static void says_that_it_cannot_know(void)
{
	struct watch *watch = begin();
	struct page *page = draw(watch, 24, 80);
	int row = 0;

	while (row < page->rows && !strstr(page->text[row], "killed by the OOM killer"))
		row++;
	EXPECT_NUMBER(row, page->rows);
	free(page);
	watch->log_error = -EPERM;
	page = draw(watch, 24, 80);
	for (row = 0; row < page->rows - 1; row++)
		if (strstr(page->text[row], "killed by the OOM killer"))
			break;
	expect_row(page, row,
		   "killed by the OOM killer: not known, the kernel log says: Operation not");
	free(page);
	free(watch);
}

/* A cgroup and the one above it hear of the same; the latest comes first. */
static void remembers_kills(void)
{
	struct watch *watch = begin();
	struct kmsg_oom oom = {};
	int i;

	for (i = 0; i < WATCH_KILLS_MAX + 4; i++) {
		oom.time_us = i;
		oom.pid = i;
		watch_add_kill(watch, &oom, "/job");
		watch_add_kill(watch, &oom, "/job/child");
	}
	EXPECT_NUMBER(watch->kill_count, WATCH_KILLS_MAX);
	EXPECT_NUMBER(watch->kills[0].pid, WATCH_KILLS_MAX + 3);
	EXPECT_NUMBER(watch->kills[1].pid, WATCH_KILLS_MAX + 2);
	EXPECT_STRING(watch->kills[0].cgroup, "/job");
	free(watch);
}

static void pages_cut_off(void)
{
	struct page *page = calloc(1, sizeof(*page));

	page_init(page, 2, 10);
	page_print(page, 0, 2, 5, PAGE_BOLD, "%s", "abcdefgh");
	EXPECT_STRING(page->text[0], "  abcde   ");
	EXPECT_NUMBER(page->style[0][6], PAGE_BOLD);
	EXPECT_NUMBER(page->style[0][7], PAGE_PLAIN);
	page_print(page, 1, 8, 50, PAGE_PLAIN, "xyz\n");
	page_print(page, 2, 0, 5, PAGE_PLAIN, "no");
	page_print(page, -1, 0, 5, PAGE_PLAIN, "no");
	EXPECT_STRING(page->text[1], "        xy");
	page_print_right(page, 1, 0, 5, PAGE_PLAIN, "\tz");
	EXPECT_STRING(page->text[1], "   ?z   xy");
	page_print_right(page, 1, -3, 5, PAGE_PLAIN, "12345");
	EXPECT_STRING(page->text[1], "45 ?z   xy");
	free(page);
}

const struct unit_test unit_watch_tests[] = {
	{ "watch_nothing_overlaps", nothing_overlaps },
	{ "watch_fits_80x24", fits_80x24 },
	{ "watch_fits_40x10", fits_40x10 },
	{ "watch_fits_200x60", fits_200x60 },
	{ "watch_fits_nowhere", fits_nowhere },
	{ "watch_draws_gauges", draws_gauges },
	{ "watch_says_that_it_cannot_know", says_that_it_cannot_know },
	{ "watch_remembers_kills", remembers_kills },
	{ "watch_pages_cut_off", pages_cut_off },
	{},
};
