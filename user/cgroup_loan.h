/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits of a cgroup that is somebody else's, which are set for a time and then put back, unless
 * somebody has set them again meanwhile. What they were is kept in attributes of its directory as
 * well, under a lock as in cgroup_mark.h, so that memstress clean can put back what a run could not
 * that died. What a user has put there himself is believed where the limit is his, too.
 */
#ifndef MEMSTRESS_USER_CGROUP_LOAN_H
#define MEMSTRESS_USER_CGROUP_LOAN_H

#include "cgroup.h"
#include "error.h"

/* The files that can be set for a time */
#define CG_LOANS 7

/**
 * struct cg_loan - what was set
 * @file: in the order in which it was set
 * @old: what was there before
 * @now: what it was set to, as the kernel tells it
 * @is_set: @now is known
 * @count: how many
 */
struct cg_loan {
	enum cg_file file[CG_LOANS];
	__u64 old[CG_LOANS];
	__u64 now[CG_LOANS];
	bool is_set[CG_LOANS];
	unsigned int count;
};

/*
 * Before a file that has a limit, or CG_OOM_GROUP, is set, for the first time or again. What a dead
 * run has set is put back before. -ETXTBSY: a run that lives has set it; else as cg_read_number()
 */
int cg_loan_begin(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file);

/* Says why, if @ret is what says that somebody else has set it, or keeps the lock; else false */
bool cg_loan_explain(const struct cgroup *cg, enum cg_file file, int ret, struct error *error);

/* After it was set, whenever it was set. Until then, whatever is there is taken for ours */
void cg_loan_is_set(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file);

/* What was begun is as it is to be: nothing of it will be put back */
void cg_loan_forget(struct cg_loan *loan, const struct cgroup *cg);

/* Writes @number to the file, with all of that. As cg_loan_begin() or cg_write_number() */
int cg_lend(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file, __u64 number);

/* Puts all back, the last one first, that is still what it was set to. 0 or -errno */
int cg_take_back(struct cg_loan *loan, const struct cgroup *cg);

/* Whether the directory @fd has something that was set for a time, by whomever */
bool cg_has_loan(const struct cg_ops *ops, int fd);

/* Puts back what a dead run has set. -ETXTBSY: a run that lives uses the cgroup */
int cg_take_back_left(const struct cgroup *cg);

#endif /* MEMSTRESS_USER_CGROUP_LOAN_H */
