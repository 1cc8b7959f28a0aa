/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channels that a run is watched on: memory.events, the kernel log, the module's own events,
 * signals to the tool and the clock. What comes on them becomes records, and what the supervisor
 * must know of it.
 */
#ifndef MEMSTRESS_USER_CHANNELS_H
#define MEMSTRESS_USER_CHANNELS_H

#include <signal.h>

#include "events.h"
#include "kmsg.h"
#include "loop.h"
#include "record.h"

/**
 * struct channels - what is watched and what was seen
 * @loop: waits for all of it; the supervisor adds its worker
 * @log: gets the records
 * @cg: the cgroup that is watched
 * @kmsg: the kernel log; its fd is -1 if it cannot be read
 * @events_fd: memory.events, or what stands for it
 * @notice_fd: on cgroup v1, the eventfd that counts OOMs; else -1
 * @events: the last values
 * @removal_fd: removals beside the cgroup, and its own
 * @signal_fd: signals that end a process
 * @timer_fd: the time allowed
 * @stopped: one of the latter two came: the run shall end
 * @vanished: the cgroup is gone
 * @kill_ns: first sign of an OOM kill, CLOCK_MONOTONIC; 0: there was none
 * @kills_before: oom_kill events of the cgroup before anything was watched
 * @kills: and those since then
 * @kills_told: "Killed process" lines since the start
 * @known_is_killed: one of them is of the process that @kmsg knows
 * @module: the module's events; not open if they cannot be heard
 * @session: the worker's; 0: it is not known
 * @session_closed: the module has told that it is
 * @is_marked: so it has that the worker was marked by the OOM killer, and
 * @since_mark_ns: how long after that all that the worker had was free
 */
struct channels {
	struct loop loop;
	struct record_log *log;
	const struct cgroup *cg;
	struct kmsg kmsg;
	int events_fd;
	int notice_fd;
	struct snapshot_events events;
	int removal_fd;
	int signal_fd;
	int timer_fd;
	bool stopped;
	bool vanished;
	__u64 kill_ns;
	__u64 kills_before;
	__u64 kills;
	__u64 kills_told;
	bool known_is_killed;
	struct events module;
	__u64 session;
	bool session_closed;
	bool is_marked;
	__u64 since_mark_ns;
};

/*
 * Keeps the signals that end a run from ending the tool. They have to be blocked before there is
 * anything to clean up; @old is for signals_put_back().
 */
void channels_block_signals(sigset_t *old);

/*
 * @timeout_ns 0: there is no end of the time allowed. The module's events are left out unless
 * @with_module. 0 or -errno; channels_close() is needed in
 * both cases
 */
int channels_open(struct channels *channels, struct record_log *log, const struct cgroup *cg,
		  __u64 timeout_ns, bool with_module);
/* Only what ends a run: the signals. As above */
int channels_open_ends(struct channels *channels, struct record_log *log);

void channels_close(struct channels *channels);

/* From here on the module's events of the session that @pid has opened are listened for */
void channels_follow(struct channels *channels, int pid);

/* Looks for events that no descriptor tells of: on cgroup v1, what came of an OOM */
void channels_look(struct channels *channels);

/* Brings @events up to date, which a descriptor may tell of some milliseconds later */
void channels_count(struct channels *channels);

#endif /* MEMSTRESS_USER_CHANNELS_H */
