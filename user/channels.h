/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channels that a run is watched on: memory.events, the kernel log, signals to the tool and
 * the clock. What comes on them becomes records, and what the supervisor must know of it.
 */
#ifndef MEMSTRESS_USER_CHANNELS_H
#define MEMSTRESS_USER_CHANNELS_H

#include <signal.h>

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
 * @signal_fd: SIGINT, SIGTERM, SIGHUP
 * @timer_fd: the time allowed
 * @stopped: one of the latter two came: the run shall end
 * @vanished: the cgroup is gone
 * @kill_ns: first sign of an OOM kill, CLOCK_MONOTONIC; 0: there was none
 * @kills: oom_kill events of the cgroup
 * @kills_told: "Killed process" lines since the start
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
	__u64 kills;
	__u64 kills_told;
};

/*
 * Keeps the signals that end a run from ending the tool. They have to be blocked before there is
 * anything to clean up; @old is for putting that back.
 */
void channels_block_signals(sigset_t *old);

/* 0 or -errno; channels_close() is needed in both cases */
int channels_open(struct channels *channels, struct record_log *log, const struct cgroup *cg,
		  __u64 timeout_ns);
void channels_close(struct channels *channels);

/* Looks for events that no descriptor tells of: on cgroup v1, what came of an OOM */
void channels_look(struct channels *channels);

#endif /* MEMSTRESS_USER_CHANNELS_H */
