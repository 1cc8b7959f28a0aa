/* SPDX-License-Identifier: GPL-2.0 */
/* The plan of a step: what the module says of its objects, and how many there shall be. */
#ifndef MEMSTRESS_USER_PLAN_H
#define MEMSTRESS_USER_PLAN_H

#include <stdbool.h>

#include <linux/memstress.h>

#include "error.h"
#include "job.h"

/* A count: the step goes on until something stops it */
#define PLAN_UNBOUNDED (~0ULL)

/**
 * struct plan - a step in numbers
 * @object_bytes: what is asked for with one object, as the books count it
 * @object_charge_bytes: the charge of one object; of user memory, what it is for sure
 */
struct plan {
	__u64 object_bytes;
	__u64 object_charge_bytes;
};

/*
 * Asks the module at @fd about step @number, from 1, of @job; or this machine, whose cgroups are of
 * @version, if it is of user memory. 0, or -1 if it cannot be done, or not here
 */
int plan_make(struct plan *plan, int fd, unsigned int version, const struct step *step,
	      unsigned int number, struct error *error);

/* Whether the step is told as a part of the limit that is in force */
bool plan_is_share(const struct step *step);

/* Whether it says itself how much it is, so that it ends without a limit */
bool plan_is_bounded(const struct step *step);

/*
 * Objects to make: as many as --size or --count says and as bring the usage to @target_bytes,
 * without passing it. Without either it is PLAN_UNBOUNDED
 */
__u64 plan_count(const struct plan *plan, const struct step *step, __u64 effective_bytes,
		 __u64 usage_bytes, __u64 target_bytes);

#endif /* MEMSTRESS_USER_PLAN_H */
