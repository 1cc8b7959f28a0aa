/* SPDX-License-Identifier: GPL-2.0 */
/* How a program in a cgroup of its own has ended, and what the OOM killer had to do with it. */
#ifndef MEMSTRESS_USER_ENDING_H
#define MEMSTRESS_USER_ENDING_H

#include <limits.h>
#include <stdbool.h>

#include "snapshot.h"

/**
 * enum ending_cause - why it has ended
 * @ENDING_EXIT: it wanted to
 * @ENDING_SIGNAL: a signal, which the OOM killer did not send
 * @ENDING_OOM: the OOM killer
 */
enum ending_cause {
	ENDING_EXIT,
	ENDING_SIGNAL,
	ENDING_OOM,
};

/**
 * enum ending_limit - whose limit the OOM killer acted for
 * @LIMIT_UNKNOWN: nobody tells
 * @LIMIT_OWN: the cgroup's
 * @LIMIT_BELOW: of one that the program has made below it
 * @LIMIT_ABOVE: of one above it, or of the machine
 * @LIMIT_MACHINE: the machine was out of memory
 */
enum ending_limit {
	LIMIT_UNKNOWN,
	LIMIT_OWN,
	LIMIT_BELOW,
	LIMIT_ABOVE,
	LIMIT_MACHINE,
};

/**
 * struct ending - what was seen
 * @signal: that it died of; 0: none
 * @code: else its exit code
 * @is_read: @snapshot could be taken
 * @snapshot: the cgroup's counters when it had ended
 * @max_bytes: its limit then
 * @peak_is_old: its peak is one of the time before
 * @kills_told: kills in the cgroup that the kernel log tells of, with pids that mean something
 * @is_victim: the program's own is one of them
 * @limit_told: the log tells whose limit it was,
 * @limit: namely this one's, and
 * @limit_name: if not the cgroup's, its name; "" if it is not told
 * @left: processes that were left in the cgroup
 * @moved_to: the kernel's name of the one that the program itself was in by then; "": in its own or
 *	below, or not known
 */
struct ending {
	int signal;
	int code;
	bool is_read;
	struct snapshot snapshot;
	__u64 max_bytes;
	bool peak_is_old;
	__u64 kills_told;
	bool is_victim;
	bool limit_told;
	enum ending_limit limit;
	char limit_name[512];
	unsigned int left;
	char moved_to[PATH_MAX / 2];
};

/* Takes off what the cgroup had counted before, which was there already */
void ending_take_off(struct ending *ending, const struct snapshot *before);

/* The highest usage since; CG_MISSING: not known */
__u64 ending_peak(const struct ending *ending);

/* OOM kills in the cgroup, the program's own included */
__u64 ending_kills(const struct ending *ending);

enum ending_cause ending_cause(const struct ending *ending);
const char *ending_cause_name(enum ending_cause cause);

/* Whose limit it was if there were kills, by the log or else by the counters */
enum ending_limit ending_limit(const struct ending *ending);

/* As shells have it: the program's own, or 128 and its signal */
int ending_exit_code(const struct ending *ending);

struct ending_text {
	char s[1600];
};

/* "sh exited with code 3", "dd was killed by the OOM killer for the limit of its cgroup" */
struct ending_text ending_tell(const struct ending *ending, const char *program);

#endif /* MEMSTRESS_USER_ENDING_H */
