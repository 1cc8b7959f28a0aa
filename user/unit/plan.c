// SPDX-License-Identifier: GPL-2.0
#include "charge.h"
#include "plan.h"
#include "unit.h"

#define MIB 1048576ULL

static const struct plan pages = { .object_bytes = 4096, .object_charge_bytes = 4096 };
static const struct plan bytes = { .object_bytes = 96, .object_charge_bytes = 104 };

static void size_is_rounded_up(void)
{
	struct step step = { .size = { AMOUNT_BYTES, 8193 } };

	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 0), 3);
	step.size.value = 8192;
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 0), 2);
	step.size = (struct amount){ AMOUNT_PERCENT, 50 };
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 0), 128);
}

static void usage_is_not_passed(void)
{
	struct step step = { .kind = &kinds[0], .until = UNTIL_USAGE };

	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 8191), 1);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 4096, 8192), 1);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 8192, 8192), 0);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 9000, 8192), 0);
	EXPECT_NUMBER(plan_count(&bytes, &step, MIB, 0, 1040), 10);
	step.count = 4;
	EXPECT_NUMBER(plan_count(&bytes, &step, MIB, 0, 1040), 4);
}

/* Of user memory, the tables that come with it count */
static void usage_of_user_memory(void)
{
	struct step step = {
		.kind = kind_find("anon"),
		.object_size = 4096,
		.until = UNTIL_USAGE,
	};

	/* Three tables, and one more for each 2 MiB after the first */
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 3 * 4096), 0);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 4 * 4096), 1);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, (512 + 3) * 4096), 512);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, (512 + 4) * 4096), 512);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, (512 + 5) * 4096), 513);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 4096, (512 + 4) * 4096), 512);
	step.count = 7;
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 512 * 4096), 7);
}

static void no_bound_is_none(void)
{
	struct step step = { .until = UNTIL_OOM };

	EXPECT_TRUE(plan_count(&pages, &step, MIB, 0, 0) == PLAN_UNBOUNDED);
}

static void charges_add_up(void)
{
	struct memstress_books slab = { .byte_charged_bytes = 1040 };
	struct memstress_books page = { .page_charged_bytes = 8192 };
	struct charge charge = {};

	charge_add(&charge, MEMSTRESS_KIND_PAGE, &page);
	EXPECT_NUMBER(charge_usage(&charge, 4096), 8192);
	charge_add(&charge, MEMSTRESS_KIND_CACHE, &slab);
	charge_add(&charge, MEMSTRESS_KIND_PERCPU, &slab);
	charge_add(&charge, MEMSTRESS_KIND_VMALLOC, &page);
	EXPECT_NUMBER(charge_usage(&charge, 4096), 16384 + 4096);
	EXPECT_NUMBER(charge.slab_bytes, 1040);
	EXPECT_NUMBER(charge.percpu_bytes, 1040);
	EXPECT_NUMBER(charge.vmalloc_bytes, 8192);
}

/* 10000 bytes are three pages; an objcg may have had the rest of one, and each takes whole pages */
static void bytes_are_in_whole_pages(void)
{
	struct charge charge = { .byte_bytes = 10000, .slab_bytes = 10000 };

	EXPECT_NUMBER(charge_usage(&charge, 4096), 3 * 4096);
	EXPECT_NUMBER(charge_usage_more(&charge, 4096), 0);
	charge.objcgs = 1;
	EXPECT_NUMBER(charge_usage(&charge, 4096), 2 * 4096);
	EXPECT_NUMBER(charge_usage_more(&charge, 4096), 4096);
	EXPECT_NUMBER(charge_stat(&charge, STAT_KERNEL, 4096), 2 * 4096);
	EXPECT_NUMBER(charge_stat_more(&charge, STAT_KERNEL, 4096), 4096);
	EXPECT_NUMBER(charge_stat(&charge, STAT_SLAB, 4096), 10000);
	EXPECT_NUMBER(charge_stat_more(&charge, STAT_SLAB, 4096), 0);
	/* One page each, or two and two pages */
	charge.objcgs = 2;
	EXPECT_NUMBER(charge_usage(&charge, 4096), 4096);
	EXPECT_NUMBER(charge_usage_more(&charge, 4096), 3 * 4096);
	charge.byte_bytes = 0;
	EXPECT_NUMBER(charge_usage(&charge, 4096), 0);
	EXPECT_NUMBER(charge_usage_more(&charge, 4096), 0);
}

static void fallbacks_are_told_apart(void)
{
	/* Three blocks of 8 pages and an area of 5; then one cache object and an area of 2 */
	const struct memstress_books large = {
		.objects = 4,
		.requested_bytes = 4 * 5 * 4096,
		.page_charged_bytes = (3 * 8 + 5) * 4096,
	};
	const struct memstress_books small = {
		.objects = 2,
		.requested_bytes = 2 * 5000,
		.page_charged_bytes = 8192,
		.byte_charged_bytes = 8200,
	};
	struct charge charge = {};

	charge_add(&charge, MEMSTRESS_KIND_KVMALLOC, &large);
	EXPECT_NUMBER(charge.vmalloc_bytes, 5 * 4096);
	EXPECT_NUMBER(charge.slab_bytes, 3 * 8 * 4096);
	charge_add(&charge, MEMSTRESS_KIND_KVMALLOC, &small);
	EXPECT_NUMBER(charge.vmalloc_bytes, 7 * 4096);
	EXPECT_NUMBER(charge.slab_bytes, 3 * 8 * 4096 + 8200);
}

const struct unit_test unit_plan_tests[] = {
	{ "plan_size_is_rounded_up", size_is_rounded_up },
	{ "plan_usage_is_not_passed", usage_is_not_passed },
	{ "plan_usage_of_user_memory", usage_of_user_memory },
	{ "plan_no_bound_is_none", no_bound_is_none },
	{ "charge_adds_up", charges_add_up },
	{ "charge_bytes_are_in_whole_pages", bytes_are_in_whole_pages },
	{ "charge_tells_fallbacks_apart", fallbacks_are_told_apart },
	{},
};
