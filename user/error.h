/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages and exit codes.
 *
 * The lower layers return -errno. Whoever knows the object and the reason makes one line of it
 * with error_set(), and the command reports that line, once.
 */
#ifndef MEMSTRESS_USER_ERROR_H
#define MEMSTRESS_USER_ERROR_H

#include "compiler.h"

/**
 * enum exit_status - what the tool's exit code says
 * @STATUS_HELD: the expectation held; done
 * @STATUS_FAILED: it did not hold, or something failed on the way
 * @STATUS_MISUSE: the command line asks for nonsense
 * @STATUS_UNSUPPORTED: this cannot be done here: no module, no permission, no memory controller
 * @STATUS_NOT_EXECUTED: as shells have it, a command that cannot be executed,
 * @STATUS_NOT_FOUND: or is not there
 */
enum exit_status {
	STATUS_HELD = 0,
	STATUS_FAILED = 1,
	STATUS_MISUSE = 2,
	STATUS_UNSUPPORTED = 4,
	STATUS_NOT_EXECUTED = 126,
	STATUS_NOT_FOUND = 127,
};

/**
 * struct error - what went wrong, in one line
 * @status: the exit code that it leads to
 * @text: the line, without the name of the program and the newline
 */
struct error {
	enum exit_status status;
	char text[1024];
};

/* Returns -1, so that a function can end with it */
__printf(3, 4) int error_set(struct error *error, enum exit_status status, const char *format, ...);

/*
 * Writes a line to stderr: what is told there because stdout is somebody else's. Control characters
 * in it are shown as \xNN
 */
__printf(1, 2) void error_say(const char *format, ...);

/* Writes the line to stderr; returns the exit code */
int error_report(const struct error *error);

#endif /* MEMSTRESS_USER_ERROR_H */
