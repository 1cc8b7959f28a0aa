/* SPDX-License-Identifier: GPL-2.0 */
/* One cgroup v2 directory: made, limited, read, entered, removed. 0 or -errno. */
#ifndef MEMSTRESS_SELFTESTS_CGROUP_H
#define MEMSTRESS_SELFTESTS_CGROUP_H

#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

struct cgroup {
	char path[256];
	int fd;   /* of the directory; 0: not made */
	__u64 id; /* cgroup_id(): the inode number of the directory */
};

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
 * fork() into the cgroup: what the fork itself needs is charged to the caller's
 * cgroup, only what the child does from its first instruction on to this one.
 */
pid_t cgroup_fork(const struct cgroup *cg);

#endif /* MEMSTRESS_SELFTESTS_CGROUP_H */
