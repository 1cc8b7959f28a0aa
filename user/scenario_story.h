/* SPDX-License-Identifier: GPL-2.0 */
/* The page of a scenario, as story.h has that of a job of one worker. */
#ifndef MEMSTRESS_USER_SCENARIO_STORY_H
#define MEMSTRESS_USER_SCENARIO_STORY_H

#include "record.h"

/* A view of a log: the head, and a line for most records */
void scenario_story_tell(const struct record *record);

/* How all ended, and the verdict */
void scenario_story_end(const struct record_log *log);

#endif /* MEMSTRESS_USER_SCENARIO_STORY_H */
