/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is asked of systemd over its bus. In scope_bus.c with libsystemd; a tool without it has
 * scope_no_bus.c.
 */
#ifndef MEMSTRESS_USER_SCOPE_BUS_H
#define MEMSTRESS_USER_SCOPE_BUS_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

struct sd_bus;

/**
 * enum scope_manager - who is asked
 * @SCOPE_SYSTEM: the system's manager
 * @SCOPE_OWN: it as well if we are root, else the manager of the user
 */
enum scope_manager {
	SCOPE_SYSTEM,
	SCOPE_OWN,
};

/**
 * struct scope_bus - a connection
 * @bus: it
 * @why: what was wrong at last, in words
 */
struct scope_bus {
	struct sd_bus *bus;
	char why[256];
};

/* A machine that boots has other things to do. */
#define SCOPE_BUS_TIMEOUT 30000000000ULL

/*
 * All return 0, or -errno and say why. Only systemd can be asked that is the machine's init. This,
 * and each question, lasts no longer than @timeout_ns
 */
int scope_bus_open(struct scope_bus *bus, enum scope_manager manager, __u64 timeout_ns);
void scope_bus_close(struct scope_bus *bus);

/* The cgroup of the manager itself, as the kernel calls it; "" is the root */
int scope_bus_manager_cgroup(struct scope_bus *bus, char *name, size_t size);

/* The cgroup of a unit. -ENOENT: there is none */
int scope_bus_unit_cgroup(struct scope_bus *bus, const char *unit, char *name, size_t size);

/*
 * The unit whose cgroup is @name. -ENOENT: none is; -EXDEV: it is below that of the unit, which may
 * have been delegated to another manager
 */
int scope_bus_find_unit(struct scope_bus *bus, const char *name, char *unit, size_t size);

/* A limit of a unit by its name in systemd, such as MemoryMax; CG_UNLIMITED: none is set */
int scope_bus_unit_limit(struct scope_bus *bus, const char *unit, const char *limit, __u64 *bytes);

/* Sets it until the machine boots again. systemd writes it to the cgroup before this returns */
int scope_bus_set_unit_limit(struct scope_bus *bus, const char *unit, const char *limit,
			     __u64 bytes);

/*
 * Starts a delegated scope of this name in @slice, moves @pid into it, and waits until that is so.
 * -EEXIST: there is one already
 */
int scope_bus_start(struct scope_bus *bus, const char *unit, const char *slice, pid_t pid);

#endif /* MEMSTRESS_USER_SCOPE_BUS_H */
