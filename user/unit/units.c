// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "clock.h"
#include "unit.h"
#include "units.h"

static void parses_sizes(void)
{
	__u64 bytes = 0;

	EXPECT_NUMBER(units_parse_bytes("0", &bytes), 0);
	EXPECT_NUMBER(bytes, 0);
	EXPECT_NUMBER(units_parse_bytes("4096", &bytes), 0);
	EXPECT_NUMBER(bytes, 4096);
	EXPECT_NUMBER(units_parse_bytes("64M", &bytes), 0);
	EXPECT_NUMBER(bytes, 64 << 20);
	EXPECT_NUMBER(units_parse_bytes("3g", &bytes), 0);
	EXPECT_NUMBER(bytes, 3LL << 30);
	EXPECT_NUMBER(units_parse_bytes("16777215T", &bytes), 0);
}

static void refuses_sizes(void)
{
	static const char *const malformed[] = { "",   "M",   " 1",   "1 ",   "-1",  "+1",
						 "1X", "1MB", "0x10", "1.5G", "1K1", "max" };
	unsigned int i;
	__u64 bytes;

	for (i = 0; i < ARRAY_SIZE(malformed); i++)
		EXPECT_NUMBER(units_parse_bytes(malformed[i], &bytes), -EINVAL);
	EXPECT_NUMBER(units_parse_bytes("16777216T", &bytes), -ERANGE);
	EXPECT_NUMBER(units_parse_bytes("99999999999999999999", &bytes), -ERANGE);
}

static void parses_amounts(void)
{
	struct amount amount = {};

	EXPECT_NUMBER(units_parse_amount("80%", &amount), 0);
	EXPECT_NUMBER(amount.unit, AMOUNT_PERCENT);
	EXPECT_NUMBER(amount.value, 80);
	EXPECT_NUMBER(units_parse_amount("80K", &amount), 0);
	EXPECT_NUMBER(amount.unit, AMOUNT_BYTES);
	EXPECT_NUMBER(amount.value, 80 << 10);
	EXPECT_NUMBER(units_parse_amount("0%", &amount), -ERANGE);
	EXPECT_NUMBER(units_parse_amount("101%", &amount), -ERANGE);
	EXPECT_NUMBER(units_parse_amount("%", &amount), -EINVAL);
	EXPECT_NUMBER(units_parse_amount("5%%", &amount), -EINVAL);
}

static void resolves_percentages(void)
{
	struct amount tenth = { AMOUNT_PERCENT, 10 };
	struct amount all = { AMOUNT_PERCENT, 100 };
	struct amount bytes = { AMOUNT_BYTES, 5 };

	EXPECT_NUMBER(units_resolve(tenth, 1000), 100);
	EXPECT_NUMBER(units_resolve(tenth, 999), 99);
	EXPECT_NUMBER(units_resolve(all, 0x7fffffffffffffff), 0x7fffffffffffffff);
	EXPECT_NUMBER(units_resolve(bytes, 1000), 5);
}

static void parses_rates(void)
{
	__u64 bytes = 0;

	EXPECT_NUMBER(units_parse_rate("10M/s", &bytes), 0);
	EXPECT_NUMBER(bytes, 10 << 20);
	EXPECT_NUMBER(units_parse_rate("4096/s", &bytes), 0);
	EXPECT_NUMBER(bytes, 4096);
	EXPECT_NUMBER(units_parse_rate("10M", &bytes), -EINVAL);
	EXPECT_NUMBER(units_parse_rate("10M/m", &bytes), -EINVAL);
	EXPECT_NUMBER(units_parse_rate("/s", &bytes), -EINVAL);
	EXPECT_NUMBER(units_parse_rate("10%/s", &bytes), -EINVAL);
	EXPECT_NUMBER(units_parse_rate("99999999999999999999/s", &bytes), -ERANGE);
	EXPECT_NUMBER(units_parse_rate("00000000000000000000000000000000001/s", &bytes), -EINVAL);
}

static void parses_times(void)
{
	__u64 ns = 0;

	EXPECT_NUMBER(units_parse_ns("250ms", &ns), 0);
	EXPECT_NUMBER(ns, 250 * NS_PER_MS);
	EXPECT_NUMBER(units_parse_ns("10", &ns), 0);
	EXPECT_NUMBER(ns, 10 * NS_PER_S);
	EXPECT_NUMBER(units_parse_ns("2m", &ns), 0);
	EXPECT_NUMBER(ns, 120 * NS_PER_S);
	EXPECT_NUMBER(units_parse_ns("1h", &ns), 0);
	EXPECT_NUMBER(ns, 3600 * NS_PER_S);
	EXPECT_NUMBER(units_parse_ns("1d", &ns), -EINVAL);
	EXPECT_NUMBER(units_parse_ns("s", &ns), -EINVAL);
	EXPECT_NUMBER(units_parse_ns("1281023h", &ns), 0);
	EXPECT_NUMBER(units_parse_ns("1281024h", &ns), -ERANGE);
	EXPECT_NUMBER(units_parse_ns("6000000h", &ns), -ERANGE);
}

static void shows_sizes(void)
{
	EXPECT_STRING(units_bytes(0).s, "0");
	EXPECT_STRING(units_bytes(1023).s, "1023");
	EXPECT_STRING(units_bytes(64 << 20).s, "64M");
	EXPECT_STRING(units_bytes(1536).s, "1.5K");
	EXPECT_STRING(units_bytes((1ULL << 40) * 3).s, "3T");
}

static void shows_times(void)
{
	EXPECT_STRING(units_ns(500).s, "0.5 us");
	EXPECT_STRING(units_ns(19200000).s, "19.2 ms");
	EXPECT_STRING(units_ns(2010000000).s, "2.01 s");
	EXPECT_STRING(units_ns(10 * NS_PER_S).s, "10 s");
}

const struct unit_test unit_units_tests[] = {
	{ "units_parses_sizes", parses_sizes },
	{ "units_refuses_sizes", refuses_sizes },
	{ "units_parses_amounts", parses_amounts },
	{ "units_resolves_percentages", resolves_percentages },
	{ "units_parses_rates", parses_rates },
	{ "units_parses_times", parses_times },
	{ "units_shows_sizes", shows_sizes },
	{ "units_shows_times", shows_times },
	{},
};
