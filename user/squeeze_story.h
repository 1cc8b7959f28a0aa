/* SPDX-License-Identifier: GPL-2.0 */
/* The page that a person reads of a squeeze: a line for each step, and who was killed. */
#ifndef MEMSTRESS_USER_SQUEEZE_STORY_H
#define MEMSTRESS_USER_SQUEEZE_STORY_H

#include "record.h"

/* A view of a log */
void squeeze_story_tell(const struct record *record);

#endif /* MEMSTRESS_USER_SQUEEZE_STORY_H */
