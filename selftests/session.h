/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session of /dev/memstress: one function per ioctl, and no policy. They return
 * 0 (or a descriptor), else -errno.
 */
#ifndef MEMSTRESS_SELFTESTS_SESSION_H
#define MEMSTRESS_SELFTESTS_SESSION_H

#include <stdbool.h>
#include <linux/memstress.h>

/*
 * Before anything else, and before anybody is in a cgroup: it opens files, which would be charged
 * there until an RCU grace period after they were closed (file_free() of fs/file_table.c)
 */
void session_begin(void);

int session_open(void);
int session_ioctl(int fd, unsigned int cmd, void *arg);
int session_info(int fd, __u32 kind, struct memstress_info *info);

/* An accounted task-context GFP_KERNEL request; @size is an order for the page kind */
struct memstress_alloc session_request(__u32 kind, __u64 size, __u64 count, int payer_fd);
int session_alloc(int fd, struct memstress_alloc *alloc);

/* @count 0: all that the holding has */
int session_free(int fd, __u32 handle, __u64 count);
int session_free_all(int fd);

/* @handle 0: the sums of the session */
int session_ledger(int fd, __u32 handle, struct memstress_ledger *ledger);

/* @handle 0: all holdings of the session */
int session_audit(int fd, __u32 handle, struct memstress_audit *audit);

/* Maps all of a holding that was just made, and makes it count: @alloc->books.requested_bytes */
int session_map(int fd, const struct memstress_alloc *alloc, void **memory);

/* The footprint of all sessions, seen by a session of its own */
long long session_total_bytes(void);

/* Others than the opener may ALLOC in it, too; or not any more */
int session_share(int fd, bool shared);

/* Makes the counters of a cgroup exact; -EAGAIN if SETTLE could not */
int session_settle(int fd, int cgroup_fd);

const char *session_kind_name(__u32 kind);
const char *session_context_name(__u32 context);
const char *session_policy_name(__u32 policy);
const char *session_stop_name(__u32 stop);

#endif /* MEMSTRESS_SELFTESTS_SESSION_H */
