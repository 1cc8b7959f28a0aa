/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel log from a mark of one's own on. */
#ifndef MEMSTRESS_SELFTESTS_KMSG_H
#define MEMSTRESS_SELFTESTS_KMSG_H

#include <stddef.h>

#define KMSG_ERR     3
#define KMSG_WARNING 4

struct kmsg {
	int fd;
};

struct kmsg_record {
	int level; /* 0 to 7 */
	unsigned long long time_us;
	char text[1024];
};

/* What is logged from now on; a second reader has a mark of its own */
int kmsg_mark(struct kmsg *kmsg);
void kmsg_close(struct kmsg *kmsg);

/* 1: a record; 0: no more for now; -EPIPE: some were overwritten unread */
int kmsg_next(struct kmsg *kmsg, struct kmsg_record *record);

/*
 * Reads on until a record contains all of the strings given (NULL ends them).
 * 1: found; 0: not there.
 */
int kmsg_find(struct kmsg *kmsg, struct kmsg_record *record, const char *const *strings);

/*
 * oom_kill_process() of mm/oom_kill.c reports ten OOMs in five seconds, and no more: waits
 * until it would report half as many again. 0 or -errno
 */
int kmsg_await_oom_reports(void);

/* Prints and counts what was logged at warning level or worse */
int kmsg_count_warnings(struct kmsg *kmsg);

/* Prints and counts records by which the kernel accuses itself */
int kmsg_count_splats(struct kmsg *kmsg);

#endif /* MEMSTRESS_SELFTESTS_KMSG_H */
