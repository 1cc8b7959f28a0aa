/* SPDX-License-Identifier: GPL-2.0 */
/* The tables below the story: the books of the steps against the kernel's own counters. */
#ifndef MEMSTRESS_USER_TALLY_H
#define MEMSTRESS_USER_TALLY_H

#include "record.h"

void tally_print(const struct record_log *log);

#endif /* MEMSTRESS_USER_TALLY_H */
