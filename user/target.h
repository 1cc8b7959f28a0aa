/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The target of a run: the cgroup that pays, with its limits, from finding a place to removal; or
 * one of somebody else, until it is as before.
 */
#ifndef MEMSTRESS_USER_TARGET_H
#define MEMSTRESS_USER_TARGET_H

#include "cgroup.h"
#include "cgroup_loan.h"
#include "error.h"
#include "job.h"
#include "scope.h"

/**
 * struct target - the cgroup that pays
 * @tree: where it is
 * @path: of its directory
 * @is_found: it is somebody else's, and stays
 * @is_in_scope: it is in a scope of systemd of its own,
 * @scope: namely this one
 * @cg: it, once it is made or entered
 * @loan: what was set of it, if it is somebody else's
 * @bytes: its limits, by enum limits_which; CG_UNLIMITED if not set
 * @effective_bytes: the tightest of its own max and those of its ancestors
 * @effective_path: who has it; "" if nobody
 */
struct target {
	struct cg_tree tree;
	char path[PATH_MAX];
	bool is_found;
	bool is_in_scope;
	struct scope scope;
	struct cgroup cg;
	struct cg_loan loan;
	__u64 bytes[LIMITS_END];
	__u64 effective_bytes;
	char effective_path[PATH_MAX];
};

/* Finds a place for it and what its limits will be; changes nothing. 0 or -1 */
int target_prepare(struct target *target, const struct job *job, bool must_be_limited,
		   struct error *error);

/* Makes it, or enters the one that is there, and sets its limits. 0 or -1 */
int target_create(struct target *target, const struct job *job, struct error *error);

/* Removes it, if it was made, and leaves the rest to target_remove(). 0 or -1 */
int target_remove_cgroup(struct target *target, struct error *error);

/* Removes it, if it was made; puts the limits of one that was there back. 0 or -1 */
int target_remove(struct target *target, struct error *error);

#endif /* MEMSTRESS_USER_TARGET_H */
