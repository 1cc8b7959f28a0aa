/* SPDX-License-Identifier: GPL-2.0 */
/* Cgroups that are watched: what they have now, what was counted since, and who was killed. */
#ifndef MEMSTRESS_USER_WATCH_H
#define MEMSTRESS_USER_WATCH_H

#include "kmsg.h"
#include "memory_stat.h"
#include "usage.h"

#define WATCH_CGROUPS_MAX 12
#define WATCH_KILLS_MAX   16

/**
 * struct watch_cgroup - one of them
 * @cg: it
 * @error: 0, or why it cannot be read, as -errno
 * @usage: now
 * @high_bytes: memory.high, or CG_MISSING
 * @stat: memory.stat
 * @first: what had been counted when it was looked at first
 * @kmsg: the kernel log; its fd is -1 if it cannot be read
 * @chosen: what that said last of somebody who was chosen
 */
struct watch_cgroup {
	struct cgroup cg;
	int error;
	struct usage usage;
	__u64 high_bytes;
	struct memory_stat stat;
	struct snapshot_events first;
	struct kmsg kmsg;
	struct kmsg_oom chosen;
};

/**
 * struct watch_kill - somebody that was killed
 * @time: when that was heard
 * @log_us: when it was, by the log's clock
 * @pid: who
 * @task: its name
 * @anon_rss_bytes: what it had
 * @cgroup: where it was
 */
struct watch_kill {
	char time[16];
	__u64 log_us;
	int pid;
	char task[32];
	__u64 anon_rss_bytes;
	char cgroup[128];
};

/**
 * struct watch - all that is shown
 * @tree: has the cgroups
 * @interval_ns: how often they are looked at
 * @time: when that was last
 * @count: of cgroups
 * @selected: the one whose memory.stat is shown
 * @kills: the last ones, the latest first
 * @kill_count: of these
 * @log_error: 0, or why the log cannot be read, as -errno
 */
struct watch {
	struct cg_tree tree;
	__u64 interval_ns;
	char time[16];
	unsigned int count;
	unsigned int selected;
	struct watch_cgroup cgroups[WATCH_CGROUPS_MAX];
	struct watch_kill kills[WATCH_KILLS_MAX];
	unsigned int kill_count;
	int log_error;
};

/* Looks at @cg, which is the watch's from then on */
void watch_add(struct watch *watch, const struct cgroup *cg);
void watch_close(struct watch *watch);

/* Reads what all of them have */
void watch_look(struct watch *watch);

/* Reads what the log has to say of one of them. 0, or -errno: it cannot be read any more */
int watch_hear(struct watch *watch, struct watch_cgroup *cgroup);

/* Somebody was killed: the first to be shown, unless that was known */
void watch_add_kill(struct watch *watch, const struct kmsg_oom *killed, const char *cgroup);

#endif /* MEMSTRESS_USER_WATCH_H */
