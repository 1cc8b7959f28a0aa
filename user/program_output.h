/* SPDX-License-Identifier: GPL-2.0 */
/* What a program prints. */
#ifndef MEMSTRESS_USER_PROGRAM_OUTPUT_H
#define MEMSTRESS_USER_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* Engines may have to start before they answer. */
#define PROGRAM_OUTPUT_TIMEOUT 20000000000ULL

/**
 * struct program_question - what is run
 * @argv: it, found as a shell finds it
 * @with_complaints: what it writes to standard error is taken as well
 * @timeout_ns: how long it may take
 */
struct program_question {
	const char *const *argv;
	bool with_complaints;
	__u64 timeout_ns;
};

/*
 * Runs it without input, and takes the beginning of its output. -ETIME: it did not end in time, and
 * was killed; -EIO: it failed, and @text has what it said; or -errno of its start
 */
int program_output(const struct program_question *question, char *text, size_t size);

#endif /* MEMSTRESS_USER_PROGRAM_OUTPUT_H */
