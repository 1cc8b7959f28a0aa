/* SPDX-License-Identifier: GPL-2.0 */
/* A container is watched while its memory is taken, and its engine asked in the end. */
#ifndef MEMSTRESS_USER_FATE_WATCH_H
#define MEMSTRESS_USER_FATE_WATCH_H

#include "fate.h"
#include "loop.h"

/**
 * struct fate_watch - of one container
 * @loop: hears of its end
 * @root: what is put before /proc
 * @is_container: there is something to watch
 * @container: it
 * @first: its first process
 * @has_ended: that has
 */
struct fate_watch {
	struct loop *loop;
	const char *root;
	bool is_container;
	struct container container;
	struct first_process first;
	bool has_ended;
};

/*
 * Finds out whether @cg is a container's. One that shares the pids of the machine has no PID 1, and
 * its engine is asked who its first process is. fate_watch_end() is needed
 */
void fate_watch_find(struct fate_watch *watch, const struct cgroup *cg);
void fate_watch_end(struct fate_watch *watch);

/* From here on @has_ended is kept up to date by @loop. 0 or -errno */
int fate_watch_begin(struct fate_watch *watch, struct loop *loop);

/* Its first process has been killed, and has not ended yet */
bool fate_watch_is_dying(const struct fate_watch *watch);

/*
 * Asks the engine, until it knows of the end as well, or for @timeout_ns. The kernel's count of
 * kills is in @fate already
 */
void fate_watch_conclude(struct fate_watch *watch, const struct fate_seen *seen, __u64 timeout_ns,
			 struct fate *fate);

#endif /* MEMSTRESS_USER_FATE_WATCH_H */
