// SPDX-License-Identifier: GPL-2.0
/* What is in a cgroup and in those that somebody made below it. */
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cgroup.h"
#include "process.h"

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

static void cg_count(pid_t pid, void *context)
{
	(void)pid;
	++*(unsigned int *)context;
}

unsigned int cg_count_processes(const struct cgroup *cg)
{
	unsigned int processes = 0;

	cg_each_process(cg, cg_count, &processes);
	return processes;
}

/* So many are opened at a time. */
#define CG_SIGNAL_BATCH 64

/**
 * struct cg_signal - a signal to all in a cgroup
 * @cg: it
 * @signal: what they get
 * @count: those who are open
 * @receivers: they
 * @pid: of one
 * @fd: as process_open() has it
 * @is_there: it was seen in the cgroup since
 */
struct cg_signal {
	const struct cgroup *cg;
	int signal;
	unsigned int count;
	struct cg_receiver {
		pid_t pid;
		int fd;
		bool is_there;
	} receivers[CG_SIGNAL_BATCH];
};

static void cg_signal_see(pid_t pid, void *context)
{
	struct cg_signal *batch = context;
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		if (batch->receivers[i].pid == pid)
			batch->receivers[i].is_there = true;
}

static void cg_signal_send(struct cg_signal *batch)
{
	unsigned int i;

	if (!batch->count)
		return;
	cg_each_process(batch->cg, cg_signal_see, batch);
	for (i = 0; i < batch->count; i++) {
		struct cg_receiver *receiver = &batch->receivers[i];

		if (receiver->is_there)
			process_send(receiver->fd, receiver->pid, batch->signal);
		process_close(receiver->fd);
	}
	batch->count = 0;
}

static void cg_signal_open(pid_t pid, void *context)
{
	struct cg_signal *batch = context;
	int fd;

	if (process_open(pid, &fd))
		return;
	batch->receivers[batch->count++] = (struct cg_receiver){ .pid = pid, .fd = fd };
	if (batch->count == CG_SIGNAL_BATCH)
		cg_signal_send(batch);
}

/*
 * The kernel writes the list in pieces, and who stands there may have ended. Whom a descriptor is
 * of is known when the number is seen there again.
 */
void cg_signal(const struct cgroup *cg, int signal)
{
	struct cg_signal batch = { .cg = cg, .signal = signal };

	cg_each_process(cg, cg_signal_open, &batch);
	cg_signal_send(&batch);
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
