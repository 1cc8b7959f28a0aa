// SPDX-License-Identifier: GPL-2.0
/* A tool that was built without libsystemd can ask nobody, and says so. */
#include <errno.h>
#include <stdio.h>

#include "scope_bus.h"

static int scope_bus_none(struct scope_bus *bus)
{
	bus->bus = NULL;
	snprintf(bus->why, sizeof(bus->why), "this memstress was built without libsystemd");
	return -EOPNOTSUPP;
}

int scope_bus_open(struct scope_bus *bus, enum scope_manager manager, __u64 timeout_ns)
{
	(void)manager;
	(void)timeout_ns;
	return scope_bus_none(bus);
}

void scope_bus_close(struct scope_bus *bus)
{
	(void)bus;
}

int scope_bus_manager_cgroup(struct scope_bus *bus, char *name, size_t size)
{
	(void)name;
	(void)size;
	return scope_bus_none(bus);
}

int scope_bus_unit_cgroup(struct scope_bus *bus, const char *unit, char *name, size_t size)
{
	(void)unit;
	(void)name;
	(void)size;
	return scope_bus_none(bus);
}

int scope_bus_find_unit(struct scope_bus *bus, const char *name, char *unit, size_t size)
{
	(void)name;
	(void)unit;
	(void)size;
	return scope_bus_none(bus);
}

int scope_bus_unit_limit(struct scope_bus *bus, const char *unit, const char *limit, __u64 *bytes)
{
	(void)unit;
	(void)limit;
	(void)bytes;
	return scope_bus_none(bus);
}

int scope_bus_set_unit_limit(struct scope_bus *bus, const char *unit, const char *limit,
			     __u64 bytes)
{
	(void)unit;
	(void)limit;
	(void)bytes;
	return scope_bus_none(bus);
}

int scope_bus_start(struct scope_bus *bus, const char *unit, const char *slice, pid_t pid)
{
	(void)unit;
	(void)slice;
	(void)pid;
	return scope_bus_none(bus);
}
