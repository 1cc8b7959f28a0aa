// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "balance.h"
#include "books.h"
#include "kernel.h"
#include "law.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void charge_add(struct charge *charge, __u32 kind, const struct memstress_books *books)
{
	charge->page_bytes += books->page_charged_bytes;
	charge->byte_bytes += books->byte_charged_bytes;
	switch (kind) {
	case MEMSTRESS_KIND_KMALLOC:
	case MEMSTRESS_KIND_KVMALLOC: /* as long as it does not fall back */
		/* Blocks of pages too: mm/slab_common.c __kmalloc_large_node() */
		charge->slab_unreclaimable += books->page_charged_bytes + books->byte_charged_bytes;
		break;
	case MEMSTRESS_KIND_CACHE:
		charge->slab_unreclaimable += books->byte_charged_bytes;
		break;
	case MEMSTRESS_KIND_VMALLOC:
		charge->vmalloc += books->page_charged_bytes;
		break;
	case MEMSTRESS_KIND_PERCPU:
		charge->percpu += books->byte_charged_bytes;
		break;
	}
}

void charge_add_slab(struct charge *charge, long long bytes)
{
	charge->byte_bytes += bytes;
	charge->slab_unreclaimable += bytes;
}

void charge_plus(struct charge *charge, const struct charge *other)
{
	charge->page_bytes += other->page_bytes;
	charge->byte_bytes += other->byte_bytes;
	charge->slab_unreclaimable += other->slab_unreclaimable;
	charge->percpu += other->percpu;
	charge->vmalloc += other->vmalloc;
}

void charge_minus(struct charge *charge, const struct charge *other)
{
	charge->page_bytes -= other->page_bytes;
	charge->byte_bytes -= other->byte_bytes;
	charge->slab_unreclaimable -= other->slab_unreclaimable;
	charge->percpu -= other->percpu;
	charge->vmalloc -= other->vmalloc;
}

static long long round_up_page(long long bytes)
{
	long long page = books_page_size();

	return (bytes + page - 1) / page * page;
}

long long charge_usage(const struct charge *charge)
{
	return charge->page_bytes + round_up_page(charge->byte_base + charge->byte_bytes) -
	       round_up_page(charge->byte_base);
}

long long charge_byte_base(const struct snapshot *snap)
{
	return snapshot_value(snap, "slab") + snapshot_value(snap, "percpu");
}

/* memcg_vm_event_stat and the workingset_ lines of memory_stats in mm/memcontrol.c */
bool balance_line_counts_events(const char *name)
{
	static const char *const prefixes[] = {
		"pg", "psw", "workingset_", "thp_", "zswp", "swp", "numa_",
	};
	unsigned int i;

	/* memcg_stat_show() has each line twice */
	if (!strncmp(name, "total_", 6))
		name += 6;
	for (i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static long long line_expected(const char *name, const struct charge *charge)
{
	/* MEMCG_KMEM moves with every page that memcg_account_kmem() sees */
	if (snapshot_counts_pages(name) || !strcmp(name, "kernel"))
		return charge_usage(charge);
	if (!strcmp(name, "slab_unreclaimable") || !strcmp(name, "slab"))
		return charge->slab_unreclaimable;
	if (!strcmp(name, "percpu"))
		return charge->percpu;
	if (!strcmp(name, "vmalloc"))
		return charge->vmalloc;
	/* vm_insert_page() takes them for pages of files, whoever they are charged to */
	if (!strcmp(name, "file_mapped") || !strcmp(name, "total_mapped_file"))
		return charge->file_mapped;
	if (!strcmp(name, "mapped_file"))
		return charge->file_mapped_local;
	return 0;
}

/* NR_ANON_THPS and the like were numbers of huge pages */
static bool line_counts_huge_pages(const char *line)
{
	const char *of = strstr(line, "_thp");

	return (of && !of[strlen("_thp")]) || strstr(line, "rss_huge");
}

/*
 * __mod_memcg_state() of mm/memcontrol.c let each CPU keep back a batch of 32 pages or
 * events, and that at both times that the line was read.
 */
long long balance_batch_slack(const char *line)
{
	const long long batch = 32, huge_page = 2 << 20;
	long long unit = balance_line_counts_events(line) ? 1 : books_page_size();

	if (line_counts_huge_pages(line))
		unit = huge_page;
	if (!kernel_batches_stat() || snapshot_counts_pages(line))
		return 0;
	return 2 * batch * unit * sysconf(_SC_NPROCESSORS_ONLN);
}

long long balance_slack(const struct snapshot *before, const struct snapshot *after,
			const char *line)
{
	long long cgroups = before->cgroups > after->cgroups ? before->cgroups : after->cgroups;

	return balance_batch_slack(line) * cgroups;
}

/*
 * How far a line may be off. What a task inside has is not known to the byte where lines
 * are kept back, nor if it fills its last page; neither is it on cgroup v1.
 */
static long long line_slack(const struct snapshot *before, const struct snapshot *after,
			    const char *name, const struct charge *charge, enum balance_lines lines)
{
	if (snapshot_tells_bytes())
		return 0;
	if (snapshot_counts_pages(name))
		return lines == BALANCE_HELD && charge->byte_bytes ? books_page_size() : 0;
	return balance_slack(before, after, name);
}

int balance(const struct snapshot *before, const struct snapshot *after,
	    const struct charge *charge, enum balance_lines lines, struct violation *violation)
{
	long long worst = 0;
	int violations = 0;
	unsigned int i;

	memset(violation, 0, sizeof(*violation));
	for (i = 0; i < after->lines; i++) {
		const struct snapshot_line *line = &after->line[i];
		long long expected = line_expected(line->name, charge);
		long long seen = line->value - snapshot_value(before, line->name);

		if (lines == BALANCE_HELD && balance_line_counts_events(line->name))
			continue;
		if (llabs(seen - expected) <= line_slack(before, after, line->name, charge, lines))
			continue;
		violations++;
		if (llabs(seen - expected) <= worst)
			continue;
		worst = llabs(seen - expected);
		strcpy(violation->line, line->name);
		violation->expected = expected;
		violation->seen = seen;
	}
	return violations;
}

long long balance_line(const struct snapshot *before, const struct snapshot *after,
		       const struct charge *charge, const char *name)
{
	return snapshot_value(after, name) - snapshot_value(before, name) -
	       line_expected(name, charge);
}

void balance_report(const char *what, int ret, const struct violation *violation)
{
	char text[128];

	if (ret < 0)
		fprintf(stderr, "# %s: cannot tell: %s\n", what, strerror(-ret));
	if (ret <= 0)
		return;
	snprintf(text, sizeof(text), "%s: %d lines moved wrongly, the worst is %s", what, ret,
		 violation->line);
	law_report(violation->cgroup, text, violation->expected, violation->seen);
}

/*
 * mm/memcontrol.c: a CPU's memcg_stock_pcp holds at most a batch of pages
 * (__refill_stock() drains what is more), and up to a page and the largest object
 * of pre-charged bytes (comment in obj_cgroup_charge()). Each CPU that cached the
 * objcg may have parked less than a page in objcg->nr_charged_bytes
 * (drain_obj_stock()). Without byte-charged objects none of the latter exist.
 */
long long balance_stock_bound(const struct memstress_info *info, long long object_bytes)
{
	long long page = info->page_size;
	long long per_cpu = info->charge_batch_pages * page;

	if (object_bytes)
		per_cpu += page + object_bytes + page;
	return per_cpu * info->online_cpus;
}
