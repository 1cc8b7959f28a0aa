/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that is run in a cgroup, and for whoever started the tool it is as if the tool were not
 * there: its descriptors, its process group and so its terminal are the tool's own, signals to the
 * tool are passed on, and when it is stopped, so is the tool.
 */
#ifndef MEMSTRESS_USER_PROGRAM_H
#define MEMSTRESS_USER_PROGRAM_H

#include <signal.h>
#include <sys/types.h>

#include "cgroup.h"
#include "ending.h"
#include "kmsg.h"
#include "loop.h"
#include "terminal.h"

/**
 * struct program - one of them
 * @cg: where it is
 * @is_shared: others are there, too, who have nothing to do with it
 * @before: then, what the cgroup had counted before
 * @pid: it
 * @failure_fd: has the errno if it could not be executed
 * @loop: waits for
 * @signal_fd: signals to the tool and from the program, and
 * @kmsg: the kernel log; its fd is -1 if it cannot be read
 * @knows_pids: the log's pids are ours
 * @terminal: of both
 * @old_mask: the signals that were blocked before
 * @old_child: what was to be done at SIGCHLD before
 * @has_ended: so it has; @ending is set
 * @ending: how
 */
struct program {
	const struct cgroup *cg;
	bool is_shared;
	struct snapshot before;
	pid_t pid;
	int failure_fd;
	struct loop loop;
	int signal_fd;
	struct kmsg kmsg;
	bool knows_pids;
	struct terminal terminal;
	sigset_t old_mask;
	struct sigaction old_child;
	bool has_ended;
	struct ending ending;
};

/* From here to program_release() signals do not end the tool, which has to clean up */
void program_init(struct program *program);
void program_release(struct program *program);

/* When a signal has ended it and all that was with it is gone, too, the terminal is put in order */
void program_put_terminal_back(struct program *program);

/*
 * Runs it in @cg to its end. If that is shared, those who are with it are its descendants, and
 * stay. 0 or -errno; *@exec_error is 0, or the errno if it could not be
 * executed.
 */
int program_run(struct program *program, const struct cgroup *cg, bool is_shared, char **argv,
		int *exec_error);

#endif /* MEMSTRESS_USER_PROGRAM_H */
