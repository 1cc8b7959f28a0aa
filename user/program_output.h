/* SPDX-License-Identifier: GPL-2.0 */
/* What a program prints. */
#ifndef MEMSTRESS_USER_PROGRAM_OUTPUT_H
#define MEMSTRESS_USER_PROGRAM_OUTPUT_H

#include <stddef.h>

/*
 * Runs @argv, found as a shell finds it, without input, and takes the beginning of its output.
 * -ETIME: it did not end in time, and was killed; -EIO: it failed; or -errno of its start
 */
int program_output(const char *const argv[], char *text, size_t size);

#endif /* MEMSTRESS_USER_PROGRAM_OUTPUT_H */
