/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workloads: the kinds of user memory, and of kernel memory that every process gets by what it
 * asks of the kernel. The worker makes them itself, without the module. Each stands in a file of
 * its own in user/workload/, with what the kernel must charge for it.
 *
 * Objects of a step are numbered from 0. Those that there are have no gap between them, but while
 * all are being dropped.
 */
#ifndef MEMSTRESS_USER_WORKLOAD_H
#define MEMSTRESS_USER_WORKLOAD_H

#include "charge.h"
#include "job.h"

/* Where a kind's object sizes end that has no other end */
#define WORKLOAD_SIZE_MAX 1073741824ULL

/**
 * enum workload_option - what --kind takes for some of them
 * @WORKLOAD_THP: thp=on or off
 * @WORKLOAD_MLOCK: mlock
 * @WORKLOAD_CLEAN: clean
 * @WORKLOAD_DIR: dir=DIR
 */
enum workload_option {
	WORKLOAD_THP = 1 << 0,
	WORKLOAD_MLOCK = 1 << 1,
	WORKLOAD_CLEAN = 1 << 2,
	WORKLOAD_DIR = 1 << 3,
};

/**
 * struct workload_run - a step's objects, in the worker
 * @step: what they are
 * @objects: how many there are
 * @state: the kind's own
 */
struct workload_run {
	const struct step *step;
	__u64 objects;
	union {
		struct arena {
			char *reserved;
			char *base;
			__u64 committed;
			int protection;
		} arena;
		struct {
			int fd;
			__u64 bytes;
		} file;
		struct {
			int (*fds)[2];
		} descriptors;
		struct {
			char *slots;
		} threads;
		struct {
			int fd;
		} directory;
	} state;
};

/**
 * struct workload - how a kind of user memory is made
 * @options: enum workload_option
 * @size_max: of an object; 0: there is one size only
 * @size_unit: what sizes are a multiple of; 0: of a page, or a huge one
 * @is_on_lru: objects are pages that reclaim has on its lists
 * @is_freed_by_rcu: what is dropped is given back by a callback of call_rcu()
 * @may_be_refused: at a limit an object may be refused; else the OOM killer acts
 * @default_size: what the kernel of this machine says it is; NULL: it is the same on all
 * @describe: puts into words how objects of @step are made
 * @missing: why this machine cannot do @step, in a text that is valid until the next call; NULL
 *	if it can. @version is that of the cgroups
 * @charge: what must be charged for @objects, after there were up to @most. Sizes have been
 *	checked
 * @open: what has to be there before the first object. 0 or -errno
 * @make: object @index. 0 or -errno
 * @drop: object @index; what cannot be dropped singly goes with @close
 * @close: the rest
 */
struct workload {
	unsigned int options;
	__u64 size_max;
	__u64 size_unit;
	bool is_on_lru;
	bool is_freed_by_rcu;
	bool may_be_refused;
	__u64 (*default_size)(void);
	void (*describe)(const struct step *step, char *text, size_t size);
	const char *(*missing)(const struct step *step, unsigned int version);
	void (*charge)(const struct step *step, __u64 objects, __u64 most, struct charge *charge);
	int (*open)(struct workload_run *run);
	int (*make)(struct workload_run *run, __u64 index);
	void (*drop)(struct workload_run *run, __u64 index);
	void (*close)(struct workload_run *run);
};

extern const struct workload workload_anon;
extern const struct workload workload_dentry;
extern const struct workload workload_file;
extern const struct workload workload_hugetlb;
extern const struct workload workload_memfd;
extern const struct workload workload_pagetable;
extern const struct workload workload_pipe;
extern const struct workload workload_socket;
extern const struct workload workload_stack;

__u64 workload_page_size(void);

/* @bytes, rounded up */
__u64 workload_whole_pages(__u64 bytes);

/*
 * Addresses for what a workload needs for itself, that take a page where they are used. NULL: there
 * are none
 */
void *workload_reserve(__u64 bytes);

/* Of an object of @step, if the user does not say; and what others are a multiple of */
__u64 workload_default_size(const struct step *step);
__u64 workload_size_unit(const struct step *step);

/* The largest; the default one where there is only one */
__u64 workload_size_max(const struct step *step);

/* What an object of @step takes for sure, by the byte or in whole pages; 0: nobody pays for it */
__u64 workload_object_charge(const struct step *step);

/* What of @dropped objects may be charged for a while after they were dropped */
__u64 workload_lingering(const struct step *step, __u64 dropped);

/*
 * Objects that charge no more than @bytes, but not more than @limit, to a cgroup that has none of
 * them yet
 */
__u64 workload_fitting(const struct step *step, __u64 bytes, __u64 limit);

/* In the worker: has everything there that is needed before the first object. 0 or -errno */
int workload_open(struct workload_run *run, const struct step *step);

/*
 * Makes as many more as @alloc->count says, and books each in @alloc before the next one, so that
 * whoever shares its memory knows them even if this process is killed
 */
void workload_make(struct workload_run *run, struct memstress_alloc *alloc);

/* Drops the newest @count, and tells that in @free */
void workload_shrink(struct workload_run *run, __u64 count, struct memstress_free *free);

/* Drops all, in the order that @free asks for, closes, and adds them to its answer */
void workload_finish(struct workload_run *run, struct memstress_free *free);

#endif /* MEMSTRESS_USER_WORKLOAD_H */
