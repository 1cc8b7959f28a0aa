/* SPDX-License-Identifier: GPL-2.0 */
/* What its engine says of a container. */
#ifndef MEMSTRESS_USER_CONTAINER_REPORT_H
#define MEMSTRESS_USER_CONTAINER_REPORT_H

#include <stdbool.h>
#include <sys/types.h>

#include "container.h"

/**
 * struct container_report - what it says
 * @is_known: it has said something; else @why says why not
 * @why: in words
 * @status: "running", "exited" and the like, in the engine's own words
 * @is_running: by the engine
 * @pid: of its first process; 0: there is none
 * @exit_code: of that; 0 as long as it runs
 * @oom_killed: the engine's flag of that name
 */
struct container_report {
	bool is_known;
	char why[200];
	char status[24];
	bool is_running;
	pid_t pid;
	int exit_code;
	bool oom_killed;
};

/* Asks the engine's program, which is ended after @timeout_ns */
void container_report_ask(const struct container *container, __u64 timeout_ns,
			  struct container_report *report);

#endif /* MEMSTRESS_USER_CONTAINER_REPORT_H */
