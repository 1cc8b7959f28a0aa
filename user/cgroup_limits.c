// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "cgroup_limits.h"

const struct limits_row limits_rows[LIMITS_END] = {
	[LIMITS_MAX] = { "max", CG_MAX },
	[LIMITS_HIGH] = { "high", CG_HIGH },
	[LIMITS_LOW] = { "low", CG_LOW },
	[LIMITS_MIN] = { "min", CG_MIN },
	[LIMITS_SWAP_MAX] = { "swap-max", CG_SWAP_MAX },
	[LIMITS_ZSWAP_MAX] = { "zswap-max", CG_ZSWAP_MAX },
	[LIMITS_OOM_GROUP] = { "oom-group", CG_OOM_GROUP },
};

static int limits_set(struct amount *amount, const char *where, const char *value,
		      struct error *error)
{
	if (!strcmp(value, "max"))
		*amount = (struct amount){ AMOUNT_BYTES, CG_UNLIMITED };
	else if (units_parse_amount(value, amount))
		return error_set(error, STATUS_MISUSE,
				 "%s: '%s' is not allowed; give %s, or 1%% to 100%%, or max", where,
				 value, "a whole number, with K, M, G or T if you like");
	return 0;
}

static int limits_set_max(void *context, const char *where, const char *value, struct error *error)
{
	return limits_set(&((struct limits *)context)->of[LIMITS_MAX], where, value, error);
}

static int limits_set_high(void *context, const char *where, const char *value, struct error *error)
{
	return limits_set(&((struct limits *)context)->of[LIMITS_HIGH], where, value, error);
}

static int limits_set_low(void *context, const char *where, const char *value, struct error *error)
{
	return limits_set(&((struct limits *)context)->of[LIMITS_LOW], where, value, error);
}

static int limits_set_min(void *context, const char *where, const char *value, struct error *error)
{
	return limits_set(&((struct limits *)context)->of[LIMITS_MIN], where, value, error);
}

static int limits_set_swap_max(void *context, const char *where, const char *value,
			       struct error *error)
{
	return limits_set(&((struct limits *)context)->of[LIMITS_SWAP_MAX], where, value, error);
}

static int limits_set_zswap_max(void *context, const char *where, const char *value,
				struct error *error)
{
	return limits_set(&((struct limits *)context)->of[LIMITS_ZSWAP_MAX], where, value, error);
}

static int limits_set_oom_group(void *context, const char *where, const char *value,
				struct error *error)
{
	(void)where;
	(void)value;
	(void)error;
	((struct limits *)context)->of[LIMITS_OOM_GROUP] = (struct amount){ AMOUNT_BYTES, 1 };
	return 0;
}

const struct option limits_options[] = {
	{ "max", "SIZE", "its memory.max; % of what its parent may use", limits_set_max },
	{ "high", "SIZE", "its memory.high; % of the effective limit; not on v1", limits_set_high },
	{ "low", "SIZE", "its memory.low, the same", limits_set_low },
	{ "min", "SIZE", "its memory.min, the same", limits_set_min },
	{ "swap-max", "SIZE", "its memory.swap.max; % of the effective limit",
	  limits_set_swap_max },
	{ "zswap-max", "SIZE", "its memory.zswap.max, the same; not on v1", limits_set_zswap_max },
	{ "oom-group", NULL, "its memory.oom.group: an OOM kills all of it; not on v1",
	  limits_set_oom_group },
	{}
};

bool limits_are_set(const struct limits *limits)
{
	unsigned int i;

	for (i = 0; i < LIMITS_END; i++)
		if (limits->of[i].unit)
			return true;
	return false;
}

int limits_check(const struct limits *limits, const struct cg_ops *ops, const char *where,
		 struct error *error)
{
	unsigned int i;

	for (i = 0; i < LIMITS_END; i++)
		if (limits->of[i].unit && !ops->files[limits_rows[i].file])
			return error_set(error, STATUS_UNSUPPORTED,
					 "%s%s: cgroup v%u has no such thing, only max and swap-max",
					 where, limits_rows[i].key, ops->version);
	return 0;
}

int limits_resolve(const struct limits *limits, __u64 whole, __u64 bytes[LIMITS_END],
		   const char *where, struct error *error)
{
	unsigned int i;

	for (i = 0; i < LIMITS_END; i++) {
		struct amount amount = limits->of[i];

		bytes[i] = CG_UNLIMITED;
		if (amount.unit == AMOUNT_NONE)
			continue;
		if (amount.unit == AMOUNT_PERCENT && whole == CG_UNLIMITED)
			return error_set(error, STATUS_MISUSE,
					 "%s%s: %llu%% of what? no limit is in force there; "
					 "give a size",
					 where, limits_rows[i].key, amount.value);
		bytes[i] = units_resolve(amount, whole);
		if (i == LIMITS_MAX && bytes[i] < whole)
			whole = bytes[i];
	}
	return 0;
}
