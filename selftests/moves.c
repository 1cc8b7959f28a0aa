// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "books.h"
#include "cpu.h"
#include "kernel.h"
#include "moves.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* memcg1_stat_names in mm/memcontrol-v1.c; "kernel" is a counter (see snapshot.h) */
static const struct {
	const char *v1, *name;
} v1_lines[] = {
	{ "cache", "file" },        { "rss", "anon" },
	{ "rss_huge", "anon_thp" }, { "mapped_file", "file_mapped" },
	{ "dirty", "file_dirty" },  { "writeback", "file_writeback" },
	{ "memsw", "usage" },
};

static struct move *moves_find(struct moves *moves, const char *line)
{
	unsigned int i;

	for (i = 0; i < moves->count; i++)
		if (!strcmp(moves->move[i].line, line))
			return &moves->move[i];
	return NULL;
}

void moves_add_range(struct moves *moves, const char *line, long long least, long long most)
{
	struct move *move = moves_find(moves, line);

	if (!move && moves->count == MOVES_MAX)
		abort();
	if (!move) {
		move = &moves->move[moves->count++];
		*move = (struct move){ .line = line };
	}
	if (move->least != LLONG_MIN) {
		move->least += least;
		move->most += most;
	}
}

void moves_add(struct moves *moves, const char *line, long long amount)
{
	moves_add_range(moves, line, amount, amount);
}

void moves_allow(struct moves *moves, const char *line)
{
	moves_add(moves, line, 0);
	*moves_find(moves, line) = (struct move){ line, LLONG_MIN, LLONG_MAX };
}

void moves_add_charge(struct moves *moves, const struct charge *charge)
{
	moves_add(moves, "usage", charge_usage(charge));
	moves_add(moves, "kernel", charge_usage(charge));
	moves_add(moves, "slab_unreclaimable", charge->slab_unreclaimable);
	moves_add(moves, "slab", charge->slab_unreclaimable);
	moves_add(moves, "percpu", charge->percpu);
	moves_add(moves, "vmalloc", charge->vmalloc);
}

void moves_add_slab(struct moves *moves, const struct snapshot *before, const char *line,
		    long long bytes)
{
	const struct charge charge = {
		.byte_bytes = bytes,
		.byte_base = charge_byte_base(before),
	};
	long long pages = charge_usage(&charge);
	/* Newer kernels have an objcg for each node, and each is rounded up by itself */
	long long slack = (cpu_count_nodes() - snapshot_tells_bytes()) * books_page_size();

	moves_add(moves, line, bytes);
	moves_add(moves, "slab", bytes);
	moves_add_range(moves, "usage", pages - slack, pages + slack);
	moves_add_range(moves, "kernel", pages - slack, pages + slack);
}

/* What cgroup v2 calls a line of this cgroup's; NULL if it is not one that tells of it */
static const char *line_name(const char *line, enum moves_of of)
{
	bool total = !strncmp(line, "total_", 6);
	unsigned int i;

	if (!cgroup_is_v1())
		return line;
	if (of == MOVES_OF_ANCESTOR && !total && !snapshot_counts_pages(line))
		return NULL;
	if (total)
		line += 6;
	for (i = 0; i < ARRAY_SIZE(v1_lines); i++)
		if (!strcmp(line, v1_lines[i].v1))
			return v1_lines[i].name;
	return line;
}

static bool is_part(const char *sum, const char *name)
{
	const char *at = strstr(sum, name);
	size_t length = strlen(name);

	while (at) {
		if ((at == sum || at[-1] == '+') && (!at[length] || at[length] == '+'))
			return true;
		at = strstr(at + 1, name);
	}
	return false;
}

static const struct move *moves_of_line(const struct moves *moves, const char *name)
{
	unsigned int i;

	for (i = 0; name && i < moves->count; i++)
		if (is_part(moves->move[i].line, name))
			return &moves->move[i];
	return NULL;
}

/* By how much @seen is outside of what was said */
static long long moves_excess(const struct move *move, long long seen, long long slack)
{
	if (move->least == LLONG_MIN)
		return 0;
	if (seen < move->least - slack)
		return seen - move->least;
	return seen > move->most + slack ? seen - move->most : 0;
}

static int moves_judge(const char *line, const struct move *move, long long seen, long long slack,
		       struct violation *violation)
{
	long long excess = moves_excess(move, seen, slack);

	if (!excess)
		return 0;
	if (llabs(excess) > llabs(violation->seen - violation->expected) || !violation->line[0]) {
		snprintf(violation->line, sizeof(violation->line), "%s", line);
		violation->seen = seen;
		violation->expected = seen - excess;
	}
	return 1;
}

/* Of v1 the plain or the total_ lines; both are of the payer, and tell the same */
static long long sum_moved(const struct snapshot *before, const struct snapshot *after,
			   const char *sum, enum moves_of of)
{
	long long moved = 0;
	unsigned int i;

	for (i = 0; i < after->lines; i++) {
		const char *line = after->line[i].name;
		const char *name = line_name(line, of);

		if (!name || !is_part(sum, name) ||
		    (of == MOVES_OF_PAYER && !strncmp(line, "total_", 6)))
			continue;
		moved += after->line[i].value - snapshot_value(before, line);
	}
	return moved;
}

int moves_check(const struct snapshot *before, const struct snapshot *after,
		const struct moves *moves, enum moves_of of, struct violation *violation)
{
	static const struct move none;
	int wrong = 0;
	unsigned int i;

	memset(violation, 0, sizeof(*violation));
	for (i = 0; i < after->lines; i++) {
		const char *line = after->line[i].name;
		const struct move *move = moves_of_line(moves, line_name(line, of));

		if (balance_line_counts_events(line) || (move && strchr(move->line, '+')))
			continue;
		wrong += moves_judge(line, move ? move : &none,
				     after->line[i].value - snapshot_value(before, line),
				     balance_slack(before, after, line), violation);
	}
	for (i = 0; i < moves->count; i++) {
		const struct move *move = &moves->move[i];

		if (!strchr(move->line, '+'))
			continue;
		wrong += moves_judge(move->line, move, sum_moved(before, after, move->line, of),
				     2 * balance_slack(before, after, move->line), violation);
	}
	return wrong;
}

static long long total_value(const struct snapshot *snap, const char *v1, const char *name)
{
	return snapshot_value(snap, cgroup_is_v1() ? v1 : name);
}

/*
 * What charges pages is mem_cgroup_charge(), whose pages are NR_ANON_MAPPED or
 * NR_FILE_PAGES; memcg_account_kmem(); and mem_cgroup_charge_skmem(). Pages of the swap
 * cache can be both of the first. Before 5.19 there is no line for the kernel.
 */
static int check_explained(const struct snapshot *snap, struct violation *violation)
{
	long long told = total_value(snap, "total_rss", "anon") +
			 total_value(snap, "total_cache", "file") + snapshot_value(snap, "kernel") +
			 snapshot_value(snap, "sock");
	const struct move exactly = { .least = told, .most = told };

	if (kernel_before(5, 19) || snapshot_value(snap, "swapcached") ||
	    snapshot_value(snap, "total_swap"))
		return 0;
	return moves_judge("usage, of which lines tell", &exactly, snapshot_value(snap, "usage"), 0,
			   violation);
}

int moves_check_sanity(const struct snapshot *snap, struct violation *violation)
{
	struct sysinfo machine = { 0 };
	struct move possible = { 0 };
	int wrong = 0;
	unsigned int i;

	memset(violation, 0, sizeof(*violation));
	sysinfo(&machine);
	possible.most = (long long)(machine.totalram + machine.totalswap) * machine.mem_unit;
	for (i = 0; i < snap->lines; i++) {
		/* Limits may be as large as they like; events are no bytes, but few */
		if (!strncmp(snap->line[i].name, "hierarchical_", 13))
			continue;
		wrong += moves_judge(snap->line[i].name, &possible, snap->line[i].value, 0,
				     violation);
	}
	return wrong + check_explained(snap, violation);
}
