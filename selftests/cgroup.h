/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One directory of the cgroups that have the memory controller: made, limited, read, entered,
 * removed. 0 or -errno.
 *
 * Files and keys have the names of cgroup v2 everywhere. On v1
 *
 *	memory.current, .max, .peak	are memory.usage_in_bytes, .limit_in_bytes and
 *					.max_usage_in_bytes
 *	memory.swap.max			is what memory.memsw.limit_in_bytes allows more
 *	memory.events, .events.local	both tell what happened to the cgroup itself:
 *	  oom_kill			of memory.oom_control
 *	  oom				how often its eventfd was notified
 *	  max				memory.failcnt and memory.memsw.failcnt
 *
 * All others are -ENOENT there, and a test says SKIP.
 */
#ifndef MEMSTRESS_SELFTESTS_CGROUP_H
#define MEMSTRESS_SELFTESTS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

struct cgroup {
	char path[256];
	int fd;     /* of the directory; 0: not made */
	int oom_fd; /* on v1, the eventfd that counts OOMs */
	__u64 id;   /* cgroup_id(): the inode number of the directory */
};

/* Whether the memory controller is on cgroup v1 */
bool cgroup_is_v1(void);

/* The directory of the root */
int cgroup_open_root(void);

/* What this version calls a file; NULL if it has none */
const char *cgroup_file(const char *name);

/* @parent NULL: under the mount. Children get the memory controller */
int cgroup_create(struct cgroup *cg, const struct cgroup *parent, const char *name);

/* Waits for dead tasks to leave, removes, and looks that it is gone */
int cgroup_remove(struct cgroup *cg);

int cgroup_write(const struct cgroup *cg, const char *file, const char *text);
int cgroup_write_number(const struct cgroup *cg, const char *file, long long number);

/* Returns the length, terminated by 0 */
ssize_t cgroup_read(const struct cgroup *cg, const char *file, char *buf, size_t size);

/* The number a file consists of; "max" is LLONG_MAX */
long long cgroup_read_number(const struct cgroup *cg, const char *file);

/* The number behind @key in a file of "key number" lines; -ENOENT if there is none */
long long cgroup_read_key(const struct cgroup *cg, const char *file, const char *key);

/*
 * Removed cgroups that are still there, below @top; on v1, where no cgroup tells, all of
 * the hierarchy that have not been freed
 */
long long cgroup_count_dying(const struct cgroup *top);

/*
 * The cgroup itself and all below it, with those that are removed and still there; but for those on
 * v1, which tells only how many there are on the whole machine
 */
long long cgroup_count(const struct cgroup *cg);

/*
 * Cgroups of the hierarchy with the memory controller that are removed and not freed: those
 * are in /proc/cgroups, too, at each controller of the hierarchy; which is 0 on cgroup v2,
 * where newer kernels list only controllers that v1 has as well. -ENOENT: it does not tell
 */
long long cgroup_count_unfreed(void);

/*
 * fork() into the cgroup: what the fork itself needs is charged to the caller's
 * cgroup, only what the child does from its first instruction on to this one.
 */
pid_t cgroup_fork(const struct cgroup *cg);

#endif /* MEMSTRESS_SELFTESTS_CGROUP_H */
