/* SPDX-License-Identifier: GPL-2.0 */
/* Pages of a file in memory: written at their place, and what the kernel needs to find them. */
#ifndef MEMSTRESS_USER_WORKLOAD_CACHE_H
#define MEMSTRESS_USER_WORKLOAD_CACHE_H

#include "workload.h"

/* At most, for the tree of a file whose first @bytes are there */
__u64 cache_tree_bytes(__u64 bytes);

/* 0 or -errno */
int cache_write(int fd, __u64 offset, __u64 bytes);

/* Frees them; what is at the end, also where holes cannot be made */
void cache_drop(int fd, __u64 offset, __u64 bytes, bool is_last);

#endif /* MEMSTRESS_USER_WORKLOAD_CACHE_H */
