/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process outside of the cgroup that writes a limit of it, so that a write that does not
 * end is not the test's own: the test waits for it, sends it a signal, and can kill it.
 */
#ifndef MEMSTRESS_SELFTESTS_WRITER_H
#define MEMSTRESS_SELFTESTS_WRITER_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "cgroup.h"

/* The signal that ends a write without killing the writer */
#define WRITER_SIGNAL SIGUSR1

struct writer_page {
	bool writing;          /* it is at it, or will be in a moment */
	bool stop;             /* another write is not wanted */
	int error;             /* of the last write: 0 or -errno */
	__u32 writes, refused; /* that have ended; of them with -EBUSY */
	__u64 slowest_ns;
};

struct writer {
	pid_t pid; /* 0: it has ended, or was never started */
	int status;
	struct writer_page *page;
};

/*
 * Writes @text to a file @times times, one after the other, or fewer if it is to stop.
 * @flags: of open(2), such as O_NONBLOCK, besides O_WRONLY.
 */
int writer_start(struct writer *writer, const struct cgroup *cg, const char *file, const char *text,
		 int flags, unsigned int times);

/* Whether it has ended; its wait status is there then */
bool writer_has_ended(struct writer *writer);

/* Waits for its end: what the last write returned. -ETIMEDOUT: it goes on; -ESRCH: killed */
int writer_await(struct writer *writer, __u64 deadline_ns);

/* Ends it, whatever it does. -ETIMEDOUT: not even SIGKILL ends it */
int writer_kill(struct writer *writer);

#endif /* MEMSTRESS_SELFTESTS_WRITER_H */
