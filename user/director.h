/* SPDX-License-Identifier: GPL-2.0 */
/* The director: has a scenario played, from the empty cgroups to their removal, and watches. */
#ifndef MEMSTRESS_USER_DIRECTOR_H
#define MEMSTRESS_USER_DIRECTOR_H

#include "error.h"
#include "record.h"
#include "scenario.h"

/*
 * Plays @scenario; the records go to @log, the last one is RECORD_JUDGED. Whatever happens, cgroups
 * and workers are gone afterwards. 0, or -1 if it could not be played to its end
 */
int director_run(const struct scenario *scenario, struct record_log *log, struct error *error);

#endif /* MEMSTRESS_USER_DIRECTOR_H */
