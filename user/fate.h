/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What became of a container whose memory was taken: as the kernel tells, which knows, and as its
 * engine does. Exit codes tell little: 137 is what engines make of SIGKILL, whoever sent it, and
 * what a shell exits with whose child was killed.
 */
#ifndef MEMSTRESS_USER_FATE_H
#define MEMSTRESS_USER_FATE_H

#include "container_report.h"
#include "first_process.h"

/* Of a code that is not known */
#define FATE_NO_CODE (-1)

/**
 * enum fate_how - how its first process has ended
 * @FATE_LIVES: it has not
 * @FATE_SIGNAL: by a signal, as the kernel tells
 * @FATE_EXIT: by itself, as the kernel tells
 * @FATE_ENDED: in one of these ways
 */
enum fate_how {
	FATE_LIVES,
	FATE_SIGNAL,
	FATE_EXIT,
	FATE_ENDED,
};

/* Whether the OOM killer has killed it, by the kernel's log */
enum fate_oom {
	FATE_OOM_UNTOLD,
	FATE_OOM_YES,
	FATE_OOM_NO,
};

/**
 * struct fate - of one container
 * @is_container: else it was none, and nothing else here means anything
 * @container: which
 * @pid: its first process; 0: not known
 * @name: what the kernel calls that
 * @how: how it has ended
 * @oom: whether by the OOM killer
 * @signal: of FATE_SIGNAL
 * @code: as engines have it; FATE_NO_CODE: it lives, or nobody tells
 * @kills: how many the kernel has killed in the cgroup since it was made, for want of memory
 * @report: what the engine says
 * @is_restarted: the engine has started it again
 */
struct fate {
	bool is_container;
	struct container container;
	pid_t pid;
	char name[32];
	enum fate_how how;
	enum fate_oom oom;
	int signal;
	int code;
	__u64 kills;
	struct container_report report;
	bool is_restarted;
};

/**
 * struct fate_seen - what is known when all is over
 * @has_ended: the first process has, or the cgroup is gone
 * @is_victim: the kernel's log tells that the OOM killer has killed it
 * @log_is_complete: the log tells of all kills that were counted
 */
struct fate_seen {
	bool has_ended;
	bool is_victim;
	bool log_is_complete;
};

/* Concludes from @seen, and from what is in @fate of the engine, how @first has ended */
void fate_judge(struct fate *fate, const struct first_process *first, const struct fate_seen *seen);

/* The container has ended, and the engine's OOMKilled is not what the kernel has counted */
bool fate_is_contradicted(const struct fate *fate);

/* "lives", "signal" ... */
const char *fate_how_name(enum fate_how how);

/* For the page: a few lines */
void fate_tell(const struct fate *fate);

#endif /* MEMSTRESS_USER_FATE_H */
