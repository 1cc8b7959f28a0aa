/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict: what the records of a run amount to, against what was expected of it. */
#ifndef MEMSTRESS_USER_VERDICT_H
#define MEMSTRESS_USER_VERDICT_H

#include "charge.h"
#include "record.h"

/**
 * enum outcome - how a worker ended, whatever was expected
 * @OUTCOME_DONE: every step made all that it was told to
 * @OUTCOME_ENOMEM: the last step was refused memory
 * @OUTCOME_OOM: it was OOM-killed for a limit of a cgroup
 * @OUTCOME_GLOBAL_OOM: it was OOM-killed because the machine was full
 * @OUTCOME_KILLED: it was killed otherwise
 * @OUTCOME_DIED: it ended by itself
 * @OUTCOME_CAP: a cap of the module was in the way
 * @OUTCOME_UNKILLABLE: the module gave all memory back to let it live
 * @OUTCOME_STOPPED: by a signal to the tool, or the timeout
 */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_ENOMEM,
	OUTCOME_OOM,
	OUTCOME_GLOBAL_OOM,
	OUTCOME_KILLED,
	OUTCOME_DIED,
	OUTCOME_CAP,
	OUTCOME_UNKILLABLE,
	OUTCOME_STOPPED,
};

/* "done", "enomem" ... */
const char *verdict_outcome_name(enum outcome outcome);

/* That of one who lives, by why its last step has stopped */
enum outcome verdict_of_stop(__u32 stop);

bool verdict_holds(enum expect expected, enum outcome outcome);

/* Everything that the steps hold by their answers, killed ones included */
void verdict_sum(const struct record_log *log, struct charge *charge);

void verdict_judge(const struct job *job, const struct record_log *log,
		   struct record_verdict *verdict);

#endif /* MEMSTRESS_USER_VERDICT_H */
