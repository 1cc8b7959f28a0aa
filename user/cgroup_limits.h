/* SPDX-License-Identifier: GPL-2.0 */
/* The limits of a cgroup, by the names of cgroup v2, as the user asked for them. */
#ifndef MEMSTRESS_USER_CGROUP_LIMITS_H
#define MEMSTRESS_USER_CGROUP_LIMITS_H

#include "cgroup.h"
#include "option.h"
#include "units.h"

/* In the order in which they are set: on cgroup v1 that of swap needs the one before */
enum limits_which {
	LIMITS_MAX,
	LIMITS_HIGH,
	LIMITS_LOW,
	LIMITS_MIN,
	LIMITS_SWAP_MAX,
	LIMITS_ZSWAP_MAX,
	LIMITS_OOM_GROUP,
	LIMITS_END,
};

/**
 * struct limits - what was asked for
 * @of: by enum limits_which; AMOUNT_NONE: as it is
 */
struct limits {
	struct amount of[LIMITS_END];
};

/**
 * struct limits_row - what there is to know of one
 * @key: as users write it
 * @file: which it is
 */
struct limits_row {
	const char *key;
	enum cg_file file;
};

extern const struct limits_row limits_rows[LIMITS_END];

/* Their options; the context begins with a struct limits */
extern const struct option limits_options[];

bool limits_are_set(const struct limits *limits);

/*
 * Whether cgroups of this version have all of them; @where is put before a key that they do not
 * have. 0 or -1
 */
int limits_check(const struct limits *limits, const struct cg_ops *ops, const char *where,
		 struct error *error);

/*
 * In bytes; CG_UNLIMITED if it is not set. @whole is 100 % of the max, and of the others if that is
 * no less. @where as above. 0 or -1
 */
int limits_resolve(const struct limits *limits, __u64 whole, __u64 bytes[LIMITS_END],
		   const char *where, struct error *error);

#endif /* MEMSTRESS_USER_CGROUP_LIMITS_H */
