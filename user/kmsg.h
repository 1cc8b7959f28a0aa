/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel log, from a mark on: what it says about OOM in one cgroup. */
#ifndef MEMSTRESS_USER_KMSG_H
#define MEMSTRESS_USER_KMSG_H

#include <limits.h>
#include <stdbool.h>

#include <linux/types.h>

enum kmsg_what {
	KMSG_OTHER,
	KMSG_CHOSEN,    /* "oom-kill:": a victim was chosen */
	KMSG_KILLED,    /* "Killed process": and killed */
	KMSG_NO_VICTIM, /* "no killable processes": there was nobody to choose */
};

/**
 * struct kmsg_oom - a line of an OOM report
 * @what: which of them; only its fields are set
 * @time_us: when it was written, by the log's own clock
 * @constraint: what ran out: CONSTRAINT_MEMCG, or the whole machine or a part of it
 * @oom_memcg: the cgroup whose limit it was; empty for the whole machine
 * @task_memcg: the victim's cgroup
 * @task: the victim's name
 * @pid: the victim
 * @anon_rss_bytes: what the victim had touched
 */
struct kmsg_oom {
	enum kmsg_what what;
	__u64 time_us;
	char constraint[40];
	char oom_memcg[512];
	char task_memcg[512];
	char task[32];
	int pid;
	__u64 anon_rss_bytes;
};

#define KMSG_VICTIMS 64

/**
 * struct kmsg - a reader of the log
 * @fd: /dev/kmsg
 * @cgroup: name of the cgroup whose OOM is looked for
 * @with_below: those below it are looked for as well
 * @ours: the report being read is about this cgroup
 * @group: a kill of all tasks of this cgroup was announced
 * @victims: chosen, and not yet said to be killed
 * @victim_count: how many
 * @known_pid: a process of the cgroup, of which it is told that it was killed also where the report
 *	around that is left out, as of many in a few seconds; 0: none
 */
struct kmsg {
	int fd;
	char cgroup[PATH_MAX];
	bool with_below;
	bool ours;
	bool group;
	int victims[KMSG_VICTIMS];
	unsigned int victim_count;
	int known_pid;
};

/* Images of containers put something else at its place: -ENODEV. The descriptor, or -errno */
int kmsg_open_device(const char *path);

/* Why it cannot be read */
const char *kmsg_why(int ret);

/* From here on. @cgroup is as cg_name() tells. 0 or -errno */
int kmsg_open(struct kmsg *kmsg, const char *cgroup);
void kmsg_close(struct kmsg *kmsg);

/* Whether the pids that the log tells are those of the tool's own pid namespace */
bool kmsg_knows_pids(void);

/* The next line about the cgroup: 1; 0 if there is none now; or -errno */
int kmsg_next(struct kmsg *kmsg, struct kmsg_oom *oom);

/* Whether what the log calls @name is the cgroup, or with @with_below one below it */
bool kmsg_is_ours(const struct kmsg *kmsg, const char *name);

/* One record as /dev/kmsg gives it; true if it is about the cgroup */
bool kmsg_parse(struct kmsg *kmsg, const char *record, struct kmsg_oom *oom);

#endif /* MEMSTRESS_USER_KMSG_H */
