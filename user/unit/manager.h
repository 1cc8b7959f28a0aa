/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that answers as systemd's manager does, of one unit. In manager.c with libsystemd; a
 * tool without it has no_manager.c.
 */
#ifndef MEMSTRESS_USER_UNIT_MANAGER_H
#define MEMSTRESS_USER_UNIT_MANAGER_H

#include <stdbool.h>
#include <sys/types.h>

#include "scope_bus.h"

/* Its unit, where that is, and what may be asked of it */
#define MANAGER_UNIT   "job.service"
#define MANAGER_CGROUP "/system.slice/job.service"
#define MANAGER_MAX    209715200ULL

/**
 * struct manager - one
 * @pid: it
 * @bus: to it
 */
struct manager {
	pid_t pid;
	struct scope_bus bus;
};

/* False: there can be none. One that @is_mute reads and never answers */
bool manager_begin(struct manager *manager, bool is_mute);
void manager_end(struct manager *manager);

#endif /* MEMSTRESS_USER_UNIT_MANAGER_H */
