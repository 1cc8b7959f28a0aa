// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "first_process.h"

/* include/linux/sched.h: PF_EXITING */
#define FIRST_PROCESS_EXITING 0x4

/* include/uapi/linux/pidfd.h since 6.13, and PIDFD_INFO_EXIT since 6.15 */
#define FIRST_PROCESS_INFO_EXIT 0x8

struct first_process_info {
	__u64 mask;
	__u64 others[6];
	__u32 other;
	__s32 exit_code;
};

#define FIRST_PROCESS_GET_INFO _IOWR(0xFF, 11, struct first_process_info)

/* What of /proc/PID/status is of use here. */
struct first_process_card {
	char name[32];
	unsigned int depth; /* pid namespaces that it is in, from the one of /proc on */
	pid_t number;       /* in the last of them */
	__u64 pending;      /* signals, of the process and of its first thread */
};

struct first_process_search {
	const char *root;
	pid_t pid;
	unsigned int depth;
};

static void first_process_read_line(const char *line, struct first_process_card *card)
{
	const char *word = line + strcspn(line, "\t");
	int length;

	if (!strncmp(line, "Name:", 5)) {
		word += strspn(word, "\t");
		snprintf(card->name, sizeof(card->name), "%.*s", (int)strcspn(word, "\n"), word);
	} else if (!strncmp(line, "NSpid:", 6)) {
		for (; sscanf(word, " %d%n", &card->number, &length) == 1; word += length)
			card->depth++;
	} else if (!strncmp(line, "SigPnd:", 7) || !strncmp(line, "ShdPnd:", 7)) {
		card->pending |= strtoull(word, NULL, 16);
	}
}

static bool first_process_read(const char *root, pid_t pid, struct first_process_card *card)
{
	char path[PATH_MAX], line[512];
	FILE *file;

	memset(card, 0, sizeof(*card));
	snprintf(path, sizeof(path), "%s/proc/%d/status", root, pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		first_process_read_line(line, card);
	fclose(file);
	return true;
}

/* Containers may be in there, too, which are deeper. */
static void first_process_see(pid_t pid, void *context)
{
	struct first_process_search *search = context;
	struct first_process_card card;

	if (!first_process_read(search->root, pid, &card) || card.depth < 2 || card.number != 1)
		return;
	if (search->pid && card.depth >= search->depth)
		return;
	search->pid = pid;
	search->depth = card.depth;
}

int first_process_open(struct first_process *first, const char *root, pid_t pid)
{
	struct first_process_card card;

	memset(first, 0, sizeof(*first));
	first->fd = syscall(SYS_pidfd_open, pid, 0);
	if (first->fd < 0)
		return -errno;
	if (!first_process_read(root, pid, &card)) {
		first_process_close(first);
		return -ESRCH;
	}
	first->pid = pid;
	strcpy(first->name, card.name);
	return 0;
}

int first_process_find(struct first_process *first, const struct cgroup *cg)
{
	struct first_process_search search = { .root = cg->tree->root };

	memset(first, 0, sizeof(*first));
	first->fd = -1;
	cg_each_process(cg, first_process_see, &search);
	return search.pid ? first_process_open(first, search.root, search.pid) : -ENOENT;
}

void first_process_close(struct first_process *first)
{
	if (first->fd >= 0)
		close(first->fd);
	first->fd = -1;
}

/* It is told once somebody has waited for it. */
static void first_process_read_status(struct first_process *first)
{
	struct first_process_info info = { .mask = FIRST_PROCESS_INFO_EXIT };

	if (ioctl(first->fd, FIRST_PROCESS_GET_INFO, &info) ||
	    !(info.mask & FIRST_PROCESS_INFO_EXIT))
		return;
	first->has_status = true;
	first->status = info.exit_code;
}

bool first_process_has_ended(struct first_process *first)
{
	struct pollfd poll_fd = { .fd = first->fd, .events = POLLIN };

	if (first->fd < 0 || poll(&poll_fd, 1, 0) <= 0)
		return false;
	if (!first->has_status)
		first_process_read_status(first);
	return true;
}

/* "PID (NAME) STATE PARENT GROUP SESSION TTY TTY_GROUP FLAGS ..." */
static bool first_process_is_exiting(const char *root, pid_t pid)
{
	unsigned int flags = 0;
	char path[PATH_MAX], text[512];
	const char *rest;

	snprintf(path, sizeof(path), "%s/proc/%d", root, pid);
	if (cg_read_path(path, "stat", text, sizeof(text)) < 0)
		return false;
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		return false;
	return flags & FIRST_PROCESS_EXITING;
}

bool first_process_is_dying(const struct first_process *first, const char *root)
{
	struct first_process_card card;

	if (first->fd < 0 || !first_process_read(root, first->pid, &card))
		return false;
	return (card.pending & (1ULL << (SIGKILL - 1))) ||
	       first_process_is_exiting(root, first->pid);
}
