// SPDX-License-Identifier: GPL-2.0
/* What user memory must be charged; and workloads at work, for the process of the test. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "holding.h"
#include "unit.h"
#include "workload.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static struct step step_of(const char *kind)
{
	struct step step = { .kind = kind_find(kind) };

	step.object_size = workload_default_size(&step);
	return step;
}

static struct charge charge_of(const char *kind, __u64 objects, __u64 most)
{
	struct step step = step_of(kind);
	struct charge charge = {};

	step.kind->workload->charge(&step, objects, most, &charge);
	return charge;
}

/* A table for each 2 MiB, each GiB and each 512 GiB */
static void tables_are_charged(void)
{
	struct charge charge = charge_of("anon", GIB / 4096, GIB / 4096);

	EXPECT_NUMBER(charge.anon_bytes, GIB);
	EXPECT_NUMBER(charge.pagetable_bytes, (512 + 1) * 4096);
	EXPECT_NUMBER(charge_stat_more(&charge, STAT_PAGETABLES, 4096), 4096);
	EXPECT_NUMBER(charge_stat_more(&charge, STAT_ANON, 4096), 0);
	EXPECT_NUMBER(charge.page_bytes, GIB + 514 * 4096);
	EXPECT_NUMBER(charge.more_bytes, 0);
	charge = charge_of("anon", GIB / 4096 + 1, GIB / 4096 + 1);
	EXPECT_NUMBER(charge.pagetable_bytes, (513 + 2) * 4096);
	charge = charge_of("pagetable", 513, 513);
	EXPECT_NUMBER(charge.pagetable_bytes, (513 + 2) * 4096);
	EXPECT_NUMBER(charge.page_bytes, (513 + 2 + 1) * 4096);
	EXPECT_NUMBER(charge.anon_bytes, 0);
}

/*
 * An entry that maps 2 MiB stands in a table for each GiB, one that maps 1 GiB in one for each 512.
 * The pages are charged where memory is mounted so, which is not the same on all machines.
 */
static void tables_of_huge_pages_are_charged(void)
{
	struct step step = step_of("hugetlb");
	struct charge charge = {};
	struct cg_tree tree;
	__u64 pages = 0;

	if (!cg_find(&tree, "") && tree.charges_hugetlb)
		pages = 513 * 2 * MIB;
	step.object_size = 2 * MIB;
	step.kind->workload->charge(&step, 513, 513, &charge);
	EXPECT_NUMBER(charge.page_bytes, pages + 3 * 4096);
	EXPECT_NUMBER(charge.pagetable_bytes, 2 * 4096);
	EXPECT_NUMBER(charge_stat_more(&charge, STAT_PAGETABLES, 4096), 2 * 4096);
	EXPECT_NUMBER(charge.hugetlb_bytes, pages);
	EXPECT_NUMBER(charge_stat(&charge, STAT_HUGETLB, 4096), pages);
	EXPECT_NUMBER(charge_stat(&charge, STAT_KERNEL, 4096), 3 * 4096);
	EXPECT_NUMBER(charge.more_bytes, 4096);
	EXPECT_NUMBER(workload_object_charge(&step), pages ? 2 * MIB : 0);
	/* A table that is left, and a page for the rest */
	charge = (struct charge){};
	step.kind->workload->charge(&step, 0, 512, &charge);
	EXPECT_NUMBER(charge.page_bytes, 0);
	EXPECT_NUMBER(charge.more_bytes, 3 * 4096);
	charge = (struct charge){};
	step.object_size = GIB;
	step.kind->workload->charge(&step, 513, 513, &charge);
	EXPECT_NUMBER(charge.page_bytes - charge.hugetlb_bytes, 2 * 4096);
	EXPECT_NUMBER(charge.pagetable_bytes, 0);
	EXPECT_NUMBER(charge.upper_table_bytes, 2 * 4096);
}

/* As /proc/meminfo has it, and then of a size that is on no machine */
static void huge_pages_are_of_the_pool(void)
{
	const struct workload *workload = kind_find("hugetlb")->workload;
	struct step step = step_of("hugetlb");
	unsigned long long kib = 0;
	char line[128];
	FILE *meminfo = fopen("/proc/meminfo", "re");

	while (meminfo && fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "Hugepagesize: %llu kB", &kib) == 1)
			break;
	if (meminfo)
		fclose(meminfo);
	EXPECT_NUMBER(step.object_size, kib ? kib * KIB : 2 * MIB);
	step.count = ~0ULL >> 1;
	EXPECT_TRUE(workload->missing(&step, 2));
	step.object_size = 6 * MIB;
	EXPECT_WITHIN(workload->missing(&step, 2), "no huge pages of 6M");
	step.count = 0;
	step.size = (struct amount){ .unit = AMOUNT_BYTES, .value = 1 };
	EXPECT_WITHIN(workload->missing(&step, 2), "no huge pages of 6M");
}

/* A slab object and a pointer each, by the byte */
static void dentries_are_charged_by_the_byte(void)
{
	FILE *file = fopen("/sys/kernel/slab/dentry/slab_size", "re");
	struct step step = step_of("dentry");
	unsigned long long size = 0;
	struct charge charge = {};

	if (file && fscanf(file, "%llu", &size) != 1)
		size = 0;
	if (file)
		fclose(file);
	if (!size)
		size = step.object_size;
	EXPECT_TRUE(step.object_size >= 128);
	step.kind->workload->charge(&step, 1000, 2000, &charge);
	EXPECT_NUMBER(charge.page_bytes, 0);
	EXPECT_NUMBER(charge.byte_bytes, 1000 * (size + 8));
	EXPECT_NUMBER(charge.slab_bytes, 1000 * (size + 8));
	EXPECT_NUMBER(charge.more_bytes, 0);
	EXPECT_NUMBER(workload_object_charge(&step), size + 8);
	/* RCU gives them back when it likes */
	EXPECT_NUMBER(workload_lingering(&step, 100000), 100000 * (size + 8));
	/* As many as are in whole pages */
	EXPECT_NUMBER(workload_fitting(&step, 10 * 4096, 1000000), 10 * 4096 / (size + 8));
	EXPECT_NUMBER(workload_fitting(&step, 10 * 4096, 7), 7);
}

/* What was there once may have left its tables */
static void dropped_objects_leave_tables(void)
{
	struct charge charge = charge_of("anon", 1, 4 * MIB / 4096);

	EXPECT_NUMBER(charge.page_bytes, 4 * 4096);
	EXPECT_NUMBER(charge.more_bytes, 4096);
	charge = charge_of("pagetable", 0, 513);
	EXPECT_NUMBER(charge.page_bytes, 0);
	EXPECT_NUMBER(charge.more_bytes, 3 * 4096);
}

static void lines_are_of_their_kind(void)
{
	struct charge charge = charge_of("memfd", 256, 256);

	EXPECT_NUMBER(charge.file_bytes, MIB);
	EXPECT_NUMBER(charge.shmem_bytes, MIB);
	EXPECT_NUMBER(charge.page_bytes, MIB);
	/* Four nodes, and one above them */
	EXPECT_NUMBER(charge.more_bytes, 5 * KIB);
	charge = charge_of("file", 256, 256);
	EXPECT_NUMBER(charge.file_bytes, MIB);
	EXPECT_NUMBER(charge.shmem_bytes, 0);
	charge = charge_of("stack", 10, 10);
	EXPECT_NUMBER(charge.stack_bytes, 10 * 16 * KIB);
	EXPECT_NUMBER(charge_stat(&charge, STAT_KERNEL, 4096), 10 * 16 * KIB);
	charge = charge_of("pipe", 10, 10);
	EXPECT_NUMBER(charge_stat(&charge, STAT_KERNEL, 4096), 640 * KIB);
	charge = charge_of("socket", 10, 10);
	EXPECT_NUMBER(charge.sock_bytes, 320 * KIB);
	EXPECT_NUMBER(charge_stat(&charge, STAT_KERNEL, 4096), 0);
}

/* On lists of CPUs, two of 31 pages each */
static void dropped_pages_linger(void)
{
	__u64 most = 2 * 31 * 4096 * (__u64)sysconf(_SC_NPROCESSORS_ONLN);
	struct step anon = step_of("anon"), pipe = step_of("pipe");

	EXPECT_NUMBER(workload_lingering(&anon, 0), 0);
	EXPECT_NUMBER(workload_lingering(&anon, 3), 3 * 4096);
	EXPECT_NUMBER(workload_lingering(&anon, 100000), most);
	EXPECT_NUMBER(workload_lingering(&pipe, 3), 0);
}

static void differences_are_outside_a_range(void)
{
	EXPECT_NUMBER(charge_difference(10, 10, 0), 0);
	EXPECT_NUMBER(charge_difference(9, 10, 5), -1);
	EXPECT_NUMBER(charge_difference(15, 10, 5), 0);
	EXPECT_NUMBER(charge_difference(17, 10, 5), 2);
	EXPECT_NUMBER(charge_difference(-3, 0, 5), -3);
}

/* Makes 10, drops 4, makes 3, and all of it goes in any order */
static void works(const char *kind, __u32 order)
{
	struct memstress_alloc alloc = { .count = 10 };
	struct memstress_free free = { .order = order, .seed = 7 };
	static struct workload_run run;
	struct step step = step_of(kind);

	strcpy(step.dir, ".");
	if (step.kind->workload->missing(&step, 2))
		return;
	EXPECT_NUMBER(workload_open(&run, &step), 0);
	workload_make(&run, &alloc);
	EXPECT_NUMBER(alloc.stop, MEMSTRESS_STOP_DONE);
	EXPECT_NUMBER(alloc.books.objects, 10);
	EXPECT_NUMBER(alloc.books.requested_bytes, 10 * step.object_size);
	EXPECT_TRUE(alloc.slowest_ns <= alloc.total_ns);
	workload_shrink(&run, 4, &free);
	EXPECT_NUMBER(free.books.objects, 4);
	alloc = (struct memstress_alloc){ .count = 3 };
	workload_make(&run, &alloc);
	EXPECT_NUMBER(run.objects, 9);
	memset(&free.books, 0, sizeof(free.books));
	workload_finish(&run, &free);
	EXPECT_NUMBER(free.books.objects, 9);
	EXPECT_NUMBER(free.books.requested_bytes, 9 * step.object_size);
	EXPECT_NUMBER(run.objects, 0);
}

static void work(void)
{
	const struct kind *kind;

	for (kind = kinds; kind->name; kind++) {
		if (!kind->workload)
			continue;
		works(kind->name, MEMSTRESS_FREE_FIFO);
		works(kind->name, MEMSTRESS_FREE_LIFO);
		works(kind->name, MEMSTRESS_FREE_RANDOM);
	}
}

/* What the kernel refuses is no object, and the reason is told */
static void refused_objects_are_not_booked(void)
{
	struct memstress_alloc alloc = { .count = 10 };
	struct memstress_free free = {};
	static struct workload_run run;
	struct step step = step_of("anon");

	/* Two of them fit into the addresses that there are */
	step.object_size = 1ULL << 40;
	EXPECT_NUMBER(workload_open(&run, &step), 0);
	run.objects = 2;
	workload_make(&run, &alloc);
	EXPECT_NUMBER(alloc.stop, MEMSTRESS_STOP_FAILED);
	EXPECT_NUMBER(alloc.first_errno, 12);
	EXPECT_NUMBER(alloc.books.objects, 0);
	run.objects = 0;
	workload_finish(&run, &free);
}

static void holdings_add_up(void)
{
	struct memstress_alloc first = { .handle = 1, .slowest_ns = 9, .total_ns = 10 };
	struct memstress_alloc second = { .handle = 2, .slowest_ns = 3, .total_ns = 5 };
	struct memstress_books freed = { .objects = 7, .page_charged_bytes = 7 * 4096 };
	struct holding holding = {};

	first.books = (struct memstress_books){ .objects = 5, .page_charged_bytes = 5 * 4096 };
	second.books = first.books;
	EXPECT_NUMBER(holding_add(&holding, &first), 0);
	EXPECT_NUMBER(holding_add(&holding, &second), 0);
	EXPECT_NUMBER(holding.sum.books.objects, 10);
	EXPECT_NUMBER(holding.sum.total_ns, 15);
	EXPECT_NUMBER(holding.sum.slowest_ns, 9);
	holding_take(&holding, &freed);
	EXPECT_NUMBER(holding.sum.books.page_charged_bytes, 3 * 4096);
	EXPECT_NUMBER(holding.count, 1);
	EXPECT_NUMBER(holding.pieces[0].handle, 1);
	EXPECT_NUMBER(holding.pieces[0].objects, 3);
	EXPECT_NUMBER(holding.most, 10);
	EXPECT_NUMBER(holding.dropped, 7);
	holding_release(&holding);
}

const struct unit_test unit_workload_tests[] = {
	{ "workload_tables_are_charged", tables_are_charged },
	{ "workload_tables_of_huge_pages_are_charged", tables_of_huge_pages_are_charged },
	{ "workload_huge_pages_are_of_the_pool", huge_pages_are_of_the_pool },
	{ "workload_dentries_are_charged_by_the_byte", dentries_are_charged_by_the_byte },
	{ "workload_dropped_objects_leave_tables", dropped_objects_leave_tables },
	{ "workload_lines_are_of_their_kind", lines_are_of_their_kind },
	{ "workload_dropped_pages_linger", dropped_pages_linger },
	{ "workload_differences_are_outside_a_range", differences_are_outside_a_range },
	{ "workload_works", work },
	{ "workload_refused_objects_are_not_booked", refused_objects_are_not_booked },
	{ "workload_holdings_add_up", holdings_add_up },
	{},
};
