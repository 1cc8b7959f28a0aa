/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors of objects by their numbers: as many as the process may have open. */
#ifndef MEMSTRESS_USER_WORKLOAD_DESCRIPTORS_H
#define MEMSTRESS_USER_WORKLOAD_DESCRIPTORS_H

#include "workload.h"

/* At most, for the files of an object, of which there may be two, and where they are listed */
#define DESCRIPTORS_BYTES 8192

/* 0 or -errno */
int descriptors_open(struct workload_run *run);

/* The second may be -1. -EMFILE: there is no room for @index */
int descriptors_keep(struct workload_run *run, __u64 index, const int fds[2]);
void descriptors_drop(struct workload_run *run, __u64 index);

/* Drops all that there are */
void descriptors_close(struct workload_run *run);

#endif /* MEMSTRESS_USER_WORKLOAD_DESCRIPTORS_H */
