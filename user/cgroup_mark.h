/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks: attributes of the directory of a cgroup, which say what of it is ours, and stay when a
 * run dies. Who uses what is marked has a shared lock of the directory, which dies with it; so
 * what is marked and can be locked is a leftover. There are kernels without such attributes;
 * there, nothing is marked.
 */
#ifndef MEMSTRESS_USER_CGROUP_MARK_H
#define MEMSTRESS_USER_CGROUP_MARK_H

#include <stdbool.h>
#include <sys/stat.h>

/**
 * enum cg_mark - what a mark says
 * @CG_MADE: a run has made the cgroup
 * @CG_ENABLED: a run has enabled the controller for its children
 * @CG_DELEGATED: it was made for somebody, and stays, whatever other marks he gives it
 */
enum cg_mark {
	CG_MADE,
	CG_ENABLED,
	CG_DELEGATED,
};

/*
 * mkdir() cannot give an attribute, but it gives a mode: until cg_mark() has marked what a run
 * makes it is sticky, which means nothing for a directory that its owner alone may write to.
 */
#define CG_BEGUN S_ISVTX

/* Whether a directory is only begun */
bool cg_is_begun(int fd);

/* CG_MADE: it is begun no longer, marked or not. 0 or -errno */
int cg_mark(int fd, enum cg_mark mark);
void cg_unmark(int fd, enum cg_mark mark);
bool cg_is_marked(int fd, enum cg_mark mark);

/*
 * Waits for who is about to put something in order here. 0 or -errno. -ETIMEDOUT: somebody else has
 * a lock, and keeps it
 */
int cg_lock_shared(int fd);

/* False: somebody has a lock */
bool cg_lock_alone(int fd);

/*
 * In a child that may outlive its parent for a moment: locks are the parent's alone, whose
 * directories are opened again under the same numbers
 */
void cg_leave_locks(void);

/* Whether there is a directory in the directory @fd that is one, @is_one being asked of each */
bool cg_has_child(int fd, bool (*is_one)(int fd));

#endif /* MEMSTRESS_USER_CGROUP_MARK_H */
