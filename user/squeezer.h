/* SPDX-License-Identifier: GPL-2.0 */
/* The squeezer: lowers a limit of a live cgroup by a schedule, watches, and puts it back. */
#ifndef MEMSTRESS_USER_SQUEEZER_H
#define MEMSTRESS_USER_SQUEEZER_H

#include "cgroup.h"
#include "error.h"
#include "record.h"
#include "squeeze.h"
#include "units.h"

/**
 * struct squeezer_order - what is to be done
 * @cgroup: as users call it
 * @limit: "max" or "high", and @file is the file of it
 * @plan: what of it does not depend on the cgroup
 * @step: AMOUNT_NONE: not by steps
 * @to: AMOUNT_NONE: not at once
 * @floor: AMOUNT_NONE: there is none
 * @racers: others that write at the same time
 * @keep: the limit stays as it is in the end
 */
struct squeezer_order {
	const char *cgroup;
	const char *limit;
	enum cg_file file;
	struct squeeze_plan plan;
	struct amount step;
	struct amount to;
	struct amount floor;
	unsigned int racers;
	bool keep;
};

/*
 * Does it; the records go to @log, the last one is RECORD_SQUEEZED, and @is_held as
 * squeeze_is_held() has it. The limit is what it was before, unless @order says otherwise. 0, or -1
 * if it could not be done
 */
int squeezer_run(const struct squeezer_order *order, struct record_log *log, bool *is_held,
		 struct error *error);

#endif /* MEMSTRESS_USER_SQUEEZER_H */
