/* SPDX-License-Identifier: GPL-2.0 */
/* The supervisor: stays outside, does a job from the empty cgroup to its removal, and watches. */
#ifndef MEMSTRESS_USER_SUPERVISOR_H
#define MEMSTRESS_USER_SUPERVISOR_H

#include "error.h"
#include "job.h"
#include "record.h"

/*
 * Does @job; the records go to @log, the last one is the verdict. Whatever happens, the cgroup and
 * the worker are gone afterwards. 0, or -1 if the job could not be done to its end
 */
int supervisor_run(const struct job *job, struct record_log *log, struct error *error);

#endif /* MEMSTRESS_USER_SUPERVISOR_H */
