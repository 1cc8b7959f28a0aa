/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict: what the records of a run amount to, against what was expected of it. */
#ifndef MEMSTRESS_USER_VERDICT_H
#define MEMSTRESS_USER_VERDICT_H

#include "charge.h"
#include "record.h"

/* Everything that the steps hold by their answers, killed ones included */
void verdict_sum(const struct record_log *log, struct charge *charge);

void verdict_judge(const struct job *job, const struct record_log *log,
		   struct record_verdict *verdict);

#endif /* MEMSTRESS_USER_VERDICT_H */
