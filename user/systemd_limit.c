// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "systemd_limit.h"
#include "systemd_unit.h"

#define SYSTEMD_LIMIT_TIMEOUT (5 * NS_PER_S)

/* If it is the machine's init, as sd_booted(3) has it. */
static bool systemd_limit_systemd_runs(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/systemd/system", root);
	return !access(path, F_OK);
}

static int systemd_limit_doubt(struct systemd_limit *limit, const struct scope_bus *bus, int ret)
{
	limit->is_known = !ret;
	if (ret)
		snprintf(limit->why, sizeof(limit->why), "%s", bus->why);
	return ret;
}

static int systemd_limit_open(struct systemd_limit *limit, struct scope_bus *bus)
{
	int ret = scope_bus_open(bus, limit->manager, SYSTEMD_LIMIT_TIMEOUT);

	return systemd_limit_doubt(limit, bus, ret);
}

/* A directory may be called like a unit without being one of systemd's, or not any more. */
int systemd_limit_ask(struct systemd_limit *limit, struct scope_bus *bus)
{
	char unit[sizeof(limit->unit)];
	int ret = scope_bus_find_unit(bus, limit->cgroup, unit, sizeof(unit));

	limit->is_unit = ret != -ENOENT;
	if (ret)
		return systemd_limit_doubt(limit, bus, ret);
	strcpy(limit->unit, unit);
	ret = scope_bus_unit_limit(bus, unit, limit->name, &limit->bytes);
	return systemd_limit_doubt(limit, bus, ret);
}

void systemd_limit_find(struct systemd_limit *limit, const struct cgroup *cg, enum cg_file file)
{
	struct scope_bus bus;

	memset(limit, 0, sizeof(*limit));
	limit->cgroup = cg_name(cg->tree, cg->path);
	limit->name = file == CG_HIGH ? "MemoryHigh" : "MemoryMax";
	limit->is_unit = systemd_unit_is_name(limit->cgroup, limit->unit, sizeof(limit->unit)) &&
			 systemd_limit_systemd_runs(cg->tree->root);
	/* The units of users are their own managers', whom root cannot reach. */
	limit->manager = geteuid() && strstr(limit->cgroup, "/user@") ? SCOPE_OWN : SCOPE_SYSTEM;
	if (!limit->is_unit || systemd_limit_open(limit, &bus))
		return;
	systemd_limit_ask(limit, &bus);
	scope_bus_close(&bus);
}

bool systemd_limit_has_moved(struct systemd_limit *limit)
{
	__u64 old_bytes = limit->bytes;
	struct scope_bus bus;

	if (!limit->is_unit || !limit->is_known || systemd_limit_open(limit, &bus))
		return false;
	systemd_limit_ask(limit, &bus);
	scope_bus_close(&bus);
	return limit->is_known && limit->bytes != old_bytes;
}

int systemd_limit_set(struct systemd_limit *limit, __u64 bytes)
{
	struct scope_bus bus;
	int ret;

	if (!limit->is_known)
		return -EOPNOTSUPP;
	ret = systemd_limit_open(limit, &bus);
	if (ret)
		return ret;
	ret = scope_bus_set_unit_limit(&bus, limit->unit, limit->name, bytes);
	if (ret)
		snprintf(limit->why, sizeof(limit->why), "%s", bus.why);
	else
		limit->bytes = bytes;
	scope_bus_close(&bus);
	return ret;
}

__u64 systemd_limit_bytes(const struct systemd_limit *limit)
{
	__u64 page = sysconf(_SC_PAGESIZE);

	return limit->bytes == CG_UNLIMITED ? CG_UNLIMITED : limit->bytes / page * page;
}
