/* SPDX-License-Identifier: GPL-2.0 */
/* The page that a person reads: what happened, as it happens, and in the end how it adds up. */
#ifndef MEMSTRESS_USER_STORY_H
#define MEMSTRESS_USER_STORY_H

#include "record.h"

/* A view of a log: the head, and a line for most records */
void story_tell(const struct record *record);

/* The beginning of a line that has a time */
void story_time(const struct record *record);

/* "none" where there is no limit */
struct units_text story_limit(__u64 bytes);

/* The sums and the verdict */
void story_end(const struct record_log *log);

#endif /* MEMSTRESS_USER_STORY_H */
