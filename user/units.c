// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "clock.h"
#include "units.h"

struct unit {
	const char *name;
	__u64 factor;
};

static const struct unit units_of_size[] = {
	{ "", 1 },           { "K", 1ULL << 10 }, { "M", 1ULL << 20 },
	{ "G", 1ULL << 30 }, { "T", 1ULL << 40 },
};

static const struct unit units_of_time[] = {
	{ "", NS_PER_S },       { "ms", NS_PER_MS },      { "s", NS_PER_S },
	{ "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
};

/* Reads digits; @end is set to what follows them. */
static int units_parse_digits(const char *text, __u64 *number, char **end)
{
	/* strtoull() takes signs and blanks, which are no part of a size. */
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, end, 10);
	return errno ? -ERANGE : 0;
}

static int units_parse(const char *text, const struct unit *units, size_t count, __u64 *result)
{
	__u64 number;
	char *end;
	size_t i;
	int ret;

	ret = units_parse_digits(text, &number, &end);
	if (ret)
		return ret;
	for (i = 0; i < count; i++)
		if (!strcasecmp(end, units[i].name))
			break;
	if (i == count)
		return -EINVAL;
	if (__builtin_mul_overflow(number, units[i].factor, result))
		return -ERANGE;
	return 0;
}

int units_parse_number(const char *text, __u64 *number)
{
	char *end;
	int ret;

	ret = units_parse_digits(text, number, &end);
	if (ret)
		return ret;
	return *end ? -EINVAL : 0;
}

int units_parse_bytes(const char *text, __u64 *bytes)
{
	return units_parse(text, units_of_size, ARRAY_SIZE(units_of_size), bytes);
}

int units_parse_ns(const char *text, __u64 *ns)
{
	int ret = units_parse(text, units_of_time, ARRAY_SIZE(units_of_time), ns);

	/* More cannot be added to what a clock says. */
	return !ret && *ns > UNITS_NS_MAX ? -ERANGE : ret;
}

int units_parse_rate(const char *text, __u64 *bytes_per_s)
{
	const char *slash = strchr(text, '/');
	char bytes[32];

	if (!slash || strcmp(slash, "/s") || slash - text >= (long)sizeof(bytes))
		return -EINVAL;
	snprintf(bytes, sizeof(bytes), "%.*s", (int)(slash - text), text);
	return units_parse_bytes(bytes, bytes_per_s);
}

int units_parse_amount(const char *text, struct amount *amount)
{
	__u64 number;
	char *end;
	int ret;

	ret = units_parse_digits(text, &number, &end);
	if (!ret && !strcmp(end, "%")) {
		if (!number || number > 100)
			return -ERANGE;
		*amount = (struct amount){ AMOUNT_PERCENT, number };
		return 0;
	}
	ret = units_parse_bytes(text, &number);
	if (ret)
		return ret;
	*amount = (struct amount){ AMOUNT_BYTES, number };
	return 0;
}

__u64 units_resolve(struct amount amount, __u64 whole)
{
	if (amount.unit != AMOUNT_PERCENT)
		return amount.value;
	return whole / 100 * amount.value + whole % 100 * amount.value / 100;
}

struct units_text units_bytes(__u64 bytes)
{
	struct units_text text;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units_of_size) && bytes >= units_of_size[i + 1].factor)
		i++;
	if (bytes % units_of_size[i].factor)
		snprintf(text.s, sizeof(text.s), "%.1f%s",
			 (double)bytes / (double)units_of_size[i].factor, units_of_size[i].name);
	else
		snprintf(text.s, sizeof(text.s), "%llu%s", bytes / units_of_size[i].factor,
			 units_of_size[i].name);
	return text;
}

struct units_text units_ns(__u64 ns)
{
	struct units_text text;

	if (ns < NS_PER_MS)
		snprintf(text.s, sizeof(text.s), "%.1f us", (double)ns / NS_PER_US);
	else if (ns < NS_PER_S)
		snprintf(text.s, sizeof(text.s), "%.1f ms", (double)ns / NS_PER_MS);
	else if (ns % NS_PER_S)
		snprintf(text.s, sizeof(text.s), "%.2f s", (double)ns / NS_PER_S);
	else
		snprintf(text.s, sizeof(text.s), "%llu s", ns / NS_PER_S);
	return text;
}

struct units_text units_amount(struct amount amount)
{
	struct units_text text;

	if (amount.unit != AMOUNT_PERCENT)
		return units_bytes(amount.value);
	snprintf(text.s, sizeof(text.s), "%llu%%", amount.value);
	return text;
}
