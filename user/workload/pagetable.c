// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables: what is read and was never written to is a page of zeros that all share and nobody
 * pays for, but for the tables that it stands in.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "arena.h"

static void pagetable_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "one for each %s that is read", units_bytes(arena_table_span()).s);
}

static const char *pagetable_missing(const struct step *step, unsigned int version)
{
	(void)step;
	(void)version;
	return NULL;
}

static void pagetable_charge(const struct step *step, __u64 objects, __u64 most,
			     struct charge *charge)
{
	__u64 span = arena_table_span(), page = workload_page_size();
	__u64 upper = arena_tables(objects * span, page) - objects;

	(void)step;
	arena_charge(objects * span, page, charge);
	/* Those above them go when the last one does. */
	charge->more_bytes += (arena_tables(most * span, page) - most - upper) * page;
}

static int pagetable_open(struct workload_run *run)
{
	return arena_open(&run->state.arena, PROT_READ, MADV_NOHUGEPAGE);
}

static int pagetable_make(struct workload_run *run, __u64 index)
{
	__u64 at = index * arena_table_span();
	int ret = arena_extend(&run->state.arena, at + arena_table_span(), false);

	if (!ret)
		(void)__atomic_load_n(run->state.arena.base + at, __ATOMIC_RELAXED);
	return ret;
}

static void pagetable_drop(struct workload_run *run, __u64 index)
{
	arena_renew(&run->state.arena, index * arena_table_span(), arena_table_span());
}

static void pagetable_close(struct workload_run *run)
{
	arena_close(&run->state.arena);
}

const struct workload workload_pagetable = {
	.describe = pagetable_describe,
	.missing = pagetable_missing,
	.charge = pagetable_charge,
	.open = pagetable_open,
	.make = pagetable_make,
	.drop = pagetable_drop,
	.close = pagetable_close,
};
