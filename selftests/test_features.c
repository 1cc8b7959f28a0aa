// SPDX-License-Identifier: GPL-2.0
/*
 * What can be done on this kernel, as a row of the table in README.md; and where that
 * has a row for this kernel, it must say the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "memstress_test.h"
#include "session.h"

/* Rows of the table in README.md, as "make install" took them from there */
#define ROWS_FILE "features"

struct row {
	char text[512];
};

static void row_add(struct row *row, const char *word)
{
	size_t used = strlen(row->text);

	snprintf(row->text + used, sizeof(row->text) - used, "%s", word);
}

static void row_add_cell(struct row *row, const char *cell)
{
	row_add(row, " ");
	row_add(row, cell);
	row_add(row, " |");
}

/* A cell of the names of all bits that are set */
static void row_add_names(struct row *row, __u64 bitmap, const char *(*name)(__u32 bit))
{
	__u32 bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(bitmap & (1ULL << bit)))
			continue;
		row_add(row, " ");
		row_add(row, name(bit));
	}
	row_add(row, " |");
}

static void row_add_answer(struct row *row, bool answer)
{
	row_add_cell(row, answer ? "yes" : "no");
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/*
 * Whether the kernel was built with the memory controller's files for cgroup v1, of which
 * memory.force_empty is one (mm/memcontrol.c, later mm/memcontrol-v1.c). /proc/cgroups
 * of 6.12 has a line for memory in any case, and to mount it would take it off v2.
 */
static bool has_memory_on_v1(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[1024];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = strstr(line, " mem_cgroup_force_empty_write\n");
	if (symbols)
		fclose(symbols);
	return found;
}

static bool has_tracepoint(void)
{
	return exists("/sys/kernel/tracing/events/oom/mark_victim") ||
	       exists("/sys/kernel/debug/tracing/events/oom/mark_victim");
}

static void describe(const struct memstress_info *info, const char *kernel, struct row *row)
{
	snprintf(row->text, sizeof(row->text), "| %s |", kernel);
	row_add_names(row, info->kinds, session_kind_name);
	row_add_names(row, info->policies, session_policy_name);
	row_add_names(row, info->contexts, session_context_name);
	row_add_answer(row, info->features & MEMSTRESS_FEATURE_PAYER);
	row_add_answer(row, has_memory_on_v1());
	row_add_answer(row, has_tracepoint());
	row_add_answer(row, exists("/proc/self/fail-nth"));
}

/* The row of the file for this kernel; false if there is none */
static bool find_row(const char *kernel, struct row *row)
{
	FILE *file = fopen(ROWS_FILE, "r");
	char begin[64];
	bool found = false;

	snprintf(begin, sizeof(begin), "| %s |", kernel);
	while (file && !found && fgets(row->text, sizeof(row->text), file)) {
		found = !strncmp(row->text, begin, strlen(begin));
		row->text[strcspn(row->text, "\n")] = '\0';
	}
	if (file)
		fclose(file);
	return found;
}

TEST(the_table_is_right)
{
	const char *kernel = getenv("KERNEL");
	struct row seen = { 0 }, expected = { 0 };
	struct memstress_info info;
	int fd = session_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, session_info(fd, 0, &info));
	EXPECT_EQ(0, close(fd));
	describe(&info, kernel ? kernel : "this kernel", &seen);
	fprintf(stderr, "# %s\n", seen.text);
	if (!kernel || !find_row(kernel, &expected))
		SKIP(return, "the table has no row for this kernel");
	EXPECT_STREQ(expected.text, seen.text);
}

TEST_HARNESS_MAIN
