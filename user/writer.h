/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process of the tool that writes a limit. The write may last for as long as the kernel reclaims
 * and kills for it, or for ever, and is not the tool's own: the tool hears of its end, can end it
 * by a signal, and can write the same limit by another one meanwhile.
 */
#ifndef MEMSTRESS_USER_WRITER_H
#define MEMSTRESS_USER_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgroup.h"
#include "loop.h"

enum writer_what {
	WRITER_WRITE, /* once */
	WRITER_RACE,  /* again and again, until it is told to stop */
	WRITER_STOP,
};

/**
 * struct writer_order - what a writer is to do
 * @what: that
 * @bytes: the limit, as cg_write_number() takes it
 * @swap_bytes: CG_SWAP_MAX, to be written afterwards; CG_MISSING: it is not to be written
 */
struct writer_order {
	enum writer_what what;
	__u64 bytes;
	__u64 swap_bytes;
};

/**
 * struct writer_will - what one does when the tool has died
 * @order: that
 * @corrects: asked afterwards, with @context, whether it should have been another limit; it may
 *	take its time. NULL: it should not
 * @settles: told at last, with @context, that it was done. NULL: nobody has to know
 */
struct writer_will {
	struct writer_order order;
	bool (*corrects)(const void *context, __u64 *bytes);
	void (*settles)(const void *context);
	const void *context;
};

/**
 * struct writer_answer - what came of it
 * @error: of the last write: 0 or -errno
 * @slowest_ns: how long the slowest write took
 * @writes: that have ended; one, unless it was a race
 * @refused: of them, those that failed
 */
struct writer_answer {
	int error;
	__u64 slowest_ns;
	__u64 writes;
	__u64 refused;
};

/**
 * struct writer - one of them
 * @loop: hears of its answers
 * @pid: it; 0: there is none
 * @fd: orders go there, answers come from there
 * @is_busy: it has an order and has not answered
 * @answer: the last one; -ESRCH: it has died
 */
struct writer {
	struct loop *loop;
	pid_t pid;
	int fd;
	bool is_busy;
	struct writer_answer answer;
};

/* Nothing to end yet */
void writer_init(struct writer *writer);

/*
 * Starts one for @file of @cg. @last_will is what it does when the tool has died, and those that
 * were started after it, too; it is in a session of its own. NULL: it dies with the tool. 0 or
 * -errno
 */
int writer_start(struct writer *writer, struct loop *loop, const struct cgroup *cg,
		 enum cg_file file, const struct writer_will *last_will);

/* It must have answered what it was told before, unless this is to stop a race */
void writer_tell(struct writer *writer, const struct writer_order *order);

/* Ends the write that it is in by a signal; it lives, and answers */
void writer_interrupt(const struct writer *writer);

/* Ends it, and with it its write. -ETIMEDOUT: not even that ends it */
int writer_end(struct writer *writer);

#endif /* MEMSTRESS_USER_WRITER_H */
