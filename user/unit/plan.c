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
	struct step step = { .until = UNTIL_USAGE };

	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 0, 8191), 1);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 4096, 8192), 1);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 8192, 8192), 0);
	EXPECT_NUMBER(plan_count(&pages, &step, MIB, 9000, 8192), 0);
	EXPECT_NUMBER(plan_count(&bytes, &step, MIB, 0, 1040), 10);
	step.count = 4;
	EXPECT_NUMBER(plan_count(&bytes, &step, MIB, 0, 1040), 4);
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

const struct unit_test unit_plan_tests[] = {
	{ "plan_size_is_rounded_up", size_is_rounded_up },
	{ "plan_usage_is_not_passed", usage_is_not_passed },
	{ "plan_no_bound_is_none", no_bound_is_none },
	{ "charge_adds_up", charges_add_up },
	{},
};
