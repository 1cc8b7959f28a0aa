// SPDX-License-Identifier: GPL-2.0
/*
 * By what systemd says, or by the layout of the tree: systemd.slice(5), and cg_escape() of systemd,
 * which puts "_" before a name that a file of a cgroup could have.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_matches.h"
#include "compiler.h"
#include "scope_bus.h"
#include "systemd_unit.h"

/* The units that have cgroups. */
static const char *const systemd_unit_suffixes[] = { ".service", ".scope", ".slice",
						     ".socket",  ".mount", ".swap" };

/**
 * struct systemd_unit_search - for one unit
 * @unit: its full name
 * @system: those of the system's manager
 * @others: those of users' managers, and of managers in containers
 */
struct systemd_unit_search {
	const char *unit;
	struct cgroup_matches system;
	struct cgroup_matches others;
};

static bool systemd_unit_ends(const char *name, size_t length, const char *suffix)
{
	size_t tail = strlen(suffix);

	return length > tail && !strncmp(name + length - tail, suffix, tail);
}

static void systemd_unit_complete(const char *name, char *unit, size_t size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(systemd_unit_suffixes); i++)
		if (systemd_unit_ends(name, strlen(name), systemd_unit_suffixes[i]))
			break;
	snprintf(unit, size, "%s%s", name, i < ARRAY_SIZE(systemd_unit_suffixes) ? "" : ".service");
}

bool systemd_unit_is_name(const char *name, char *unit, size_t size)
{
	const char *base = strrchr(name, '/') + 1;
	unsigned int i;

	if (*base == '_')
		base++;
	for (i = 0; i < ARRAY_SIZE(systemd_unit_suffixes); i++)
		if (systemd_unit_ends(base, strlen(base), systemd_unit_suffixes[i]))
			break;
	snprintf(unit, size, "%s", base);
	return i < ARRAY_SIZE(systemd_unit_suffixes);
}

/* The system's manager has nothing but slices above its units. */
static bool systemd_unit_is_of_system(const char *name)
{
	const char *last = strrchr(name, '/');

	while (name < last) {
		size_t length = strcspn(++name, "/");

		if (name + length < last + 1 && !systemd_unit_ends(name, length, ".slice"))
			return false;
		name += length;
	}
	return true;
}

static void systemd_unit_see(const char *path, void *context)
{
	struct systemd_unit_search *search = context;
	const char *base = strrchr(path, '/') + 1;

	if (*base == '_')
		base++;
	if (strcmp(base, search->unit))
		return;
	if (systemd_unit_is_of_system(cg_name(search->system.tree, path)))
		cgroup_matches_add(&search->system, path);
	else
		cgroup_matches_add(&search->others, path);
}

/* What systemd knows by another name, too. It is not asked of a tree that is not the machine's. */
static bool systemd_unit_ask(const struct cg_tree *tree, const char *unit, char *path, size_t size)
{
	struct scope_bus bus;
	char name[PATH_MAX];
	bool found;

	if (*tree->root || scope_bus_open(&bus, SCOPE_SYSTEM, SCOPE_BUS_TIMEOUT))
		return false;
	found = !scope_bus_unit_cgroup(&bus, unit, name, sizeof(name)) &&
		snprintf(path, size, "%s%s", tree->mount, name) < (int)size && !access(path, F_OK);
	scope_bus_close(&bus);
	return found;
}

int systemd_unit_find(const struct cg_tree *tree, const char *name, char *path, size_t size,
		      struct error *error)
{
	struct systemd_unit_search search;
	const struct cgroup_matches *found;
	char unit[256];

	if (!*name || strchr(name, '/'))
		return error_set(error, STATUS_MISUSE, "unit:%s: unit: takes the name of a unit",
				 name);
	systemd_unit_complete(name, unit, sizeof(unit));
	if (systemd_unit_ask(tree, unit, path, size))
		return 0;
	search.unit = unit;
	cgroup_matches_init(&search.system, tree);
	cgroup_matches_init(&search.others, tree);
	cg_each_below(tree->mount, systemd_unit_see, &search);
	found = search.system.count ? &search.system : &search.others;
	if (!found->count)
		return error_set(error, STATUS_MISUSE,
				 "unit:%s: no unit %s has a cgroup with memory below %s; does it run?",
				 name, unit, tree->mount);
	if (cgroup_matches_judge(found, unit, error))
		return -1;
	snprintf(path, size, "%s", found->path);
	return 0;
}
