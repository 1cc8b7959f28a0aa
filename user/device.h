/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/memstress: one function for each ioctl, which are described in <linux/memstress.h>. Each
 * sets the size of its struct, and returns 0 or -errno.
 */
#ifndef MEMSTRESS_USER_DEVICE_H
#define MEMSTRESS_USER_DEVICE_H

#include <linux/memstress.h>

/* Opens a session; returns its descriptor or -errno */
int device_open(void);

int device_info(int fd, struct memstress_info *info);
int device_alloc(int fd, struct memstress_alloc *alloc);
int device_free(int fd, struct memstress_free *free);
int device_ledger(int fd, struct memstress_ledger *ledger);
int device_settle(int fd, struct memstress_settle *settle);
int device_audit(int fd, struct memstress_audit *audit);

/* "done", "killed", ... */
const char *device_stop_name(__u32 stop);

/* "exact", "moving", "full" */
const char *device_settle_name(__u32 state);

#endif /* MEMSTRESS_USER_DEVICE_H */
