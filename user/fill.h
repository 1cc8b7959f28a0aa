/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fill: a worker in a cgroup that is there already makes as much memory as brings its usage to a
 * level, and keeps it there: it frees when others use more, and makes more when they use less.
 */
#ifndef MEMSTRESS_USER_FILL_H
#define MEMSTRESS_USER_FILL_H

#include "record.h"

/**
 * struct fill - what to hold
 * @job: the step that says of what kind, how long to hold it (0: until it is ended), and how to
 *	tell
 * @cgroup: where, as users call it; NULL: where the tool is
 * @amount: the level
 */
struct fill {
	struct job job;
	const char *cgroup;
	struct amount amount;
};

/*
 * Holds it to its end, of which @filled tells; the records go to @log, the last one is
 * RECORD_FILLED. 0, or -1 if it could not be done
 */
int fill_run(const struct fill *fill, struct record_log *log, struct record_filled *filled,
	     struct error *error);

#endif /* MEMSTRESS_USER_FILL_H */
