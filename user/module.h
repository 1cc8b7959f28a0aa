/* SPDX-License-Identifier: GPL-2.0 */
/* The loaded module: opened and asked, with a reason for people if that cannot be. */
#ifndef MEMSTRESS_USER_MODULE_H
#define MEMSTRESS_USER_MODULE_H

#include <linux/memstress.h>

#include "error.h"

/* Opens a session and asks INFO. Returns the descriptor, or -1 */
int module_open(struct memstress_info *info, struct error *error);

/* What is known of the machine without it */
void module_do_without(struct memstress_info *info);

#endif /* MEMSTRESS_USER_MODULE_H */
