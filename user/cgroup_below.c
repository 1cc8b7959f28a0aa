// SPDX-License-Identifier: GPL-2.0
/* What is in a cgroup and in those that somebody made below it. */
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cgroup.h"

static int cg_compare(const FTSENT **one, const FTSENT **other)
{
	return strcmp((*one)->fts_name, (*other)->fts_name);
}

/* Files are not looked at: there are scores of them in a cgroup. */
static FTS *cg_walk(const char *path)
{
	char *const paths[] = { (char *)path, NULL };

	return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, cg_compare);
}

void cg_each_below(const char *path, void (*see)(const char *path, void *context), void *context)
{
	FTS *walk = cg_walk(path);
	FTSENT *entry;

	if (!walk)
		return;
	while ((entry = fts_read(walk)))
		if (entry->fts_info == FTS_D && entry->fts_level > FTS_ROOTLEVEL)
			see(entry->fts_path, context);
	fts_close(walk);
}

static void cg_each_listed(const char *path, void (*see)(pid_t pid, void *context), void *context)
{
	char name[PATH_MAX + 16];
	FILE *list;
	pid_t pid;

	snprintf(name, sizeof(name), "%s/cgroup.procs", path);
	list = fopen(name, "re");
	if (!list)
		return;
	/* 0 is a process that this pid namespace cannot see; to kill() it would be ourselves. */
	while (fscanf(list, "%d", &pid) == 1)
		if (pid > 0)
			see(pid, context);
	fclose(list);
}

void cg_each_process(const struct cgroup *cg, void (*see)(pid_t pid, void *context), void *context)
{
	FTS *walk = cg_walk(cg->path);
	FTSENT *entry;

	if (!walk)
		return;
	while ((entry = fts_read(walk)))
		if (entry->fts_info == FTS_D)
			cg_each_listed(entry->fts_path, see, context);
	fts_close(walk);
}

void cg_remove_below(const struct cgroup *cg)
{
	FTS *walk = cg_walk(cg->path);
	FTSENT *entry;

	if (!walk)
		return;
	while ((entry = fts_read(walk)))
		if (entry->fts_info == FTS_DP && entry->fts_level > FTS_ROOTLEVEL)
			rmdir(entry->fts_path);
	fts_close(walk);
}
