/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes and times as people write them: "64M", "80%", "10s". */
#ifndef MEMSTRESS_USER_UNITS_H
#define MEMSTRESS_USER_UNITS_H

#include <linux/types.h>

enum amount_unit {
	AMOUNT_NONE,
	AMOUNT_BYTES,
	AMOUNT_PERCENT,
};

/**
 * struct amount - a size as it was given
 * @unit: AMOUNT_NONE: it was not given
 * @value: bytes, or percent of something that is known later
 */
struct amount {
	enum amount_unit unit;
	__u64 value;
};

/* Longest text that units_bytes() and units_ns() make, by value to be used within printf() */
struct units_text {
	char s[32];
};

/*
 * Each takes the whole text or refuses it: -EINVAL is malformed, -ERANGE does not fit.
 * Sizes are whole numbers with K, M, G or T (powers of 1024) or nothing; an amount may also be
 * a percentage from 1% to 100%. A rate is a size and "/s". Times have ms, s, m, h or nothing, which
 * means seconds.
 */
int units_parse_number(const char *text, __u64 *number);
int units_parse_bytes(const char *text, __u64 *bytes);
int units_parse_rate(const char *text, __u64 *bytes_per_s);
int units_parse_amount(const char *text, struct amount *amount);
/* -ERANGE: more than UNITS_NS_MAX, which are 146 years */
#define UNITS_NS_MAX (~0ULL / 4)
int units_parse_ns(const char *text, __u64 *ns);

/* Of @amount, @whole being 100 % */
__u64 units_resolve(struct amount amount, __u64 whole);

/* "63.8M", four digits at most; exact numbers are for %llu */
struct units_text units_bytes(__u64 bytes);

/* "0.5 us", "19.2 ms", "2.01 s", "10 s" */
struct units_text units_ns(__u64 ns);

/* "48M", "80%" */
struct units_text units_amount(struct amount amount);

#endif /* MEMSTRESS_USER_UNITS_H */
