// SPDX-License-Identifier: GPL-2.0
/* Who gets a signal that is for a cgroup, or for a process and its descendants. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "fixture.h"
#include "process.h"
#include "unit.h"

#define PROCESS_CG       "/cg"
#define PROCESS_CHILDREN 40

/* It does not outlive a test that has failed for long. */
static pid_t begin_victim(void)
{
	pid_t pid = fork();

	if (!pid) {
		alarm(30);
		pause();
		_exit(0);
	}
	return pid;
}

/* What the victim has died of; 0: it lives, and is ended now. */
static int end_victim(pid_t pid, bool is_to_die)
{
	int status = 0;

	if (!is_to_die && !waitpid(pid, &status, WNOHANG)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 0;
	}
	if (is_to_die)
		waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void look_at(struct cgroup *cg, const struct fixture *fixture)
{
	memset(cg, 0, sizeof(*cg));
	snprintf(cg->path, sizeof(cg->path), "%s" PROCESS_CG, fixture->root);
}

static void reaches_all_below(void)
{
	struct fixture fixture = fixture_create();
	pid_t victims[2], other = begin_victim();
	struct cgroup cg;
	char text[64];
	int i;

	for (i = 0; i < 2; i++) {
		victims[i] = begin_victim();
		snprintf(text, sizeof(text), "0\n%d\n", victims[i]);
		fixture_write(&fixture,
			      i ? PROCESS_CG "/below/cgroup.procs" : PROCESS_CG "/cgroup.procs",
			      text);
	}
	look_at(&cg, &fixture);
	cg_signal(&cg, SIGTERM);
	EXPECT_NUMBER(end_victim(victims[0], true), SIGTERM);
	EXPECT_NUMBER(end_victim(victims[1], true), SIGTERM);
	EXPECT_NUMBER(end_victim(other, false), 0);
	fixture_destroy(&fixture);
}

/* Lists @pid to the first one who reads @path, and nobody to the second. */
static pid_t list_once(const char *path, pid_t pid)
{
	int watch = inotify_init1(IN_CLOEXEC);
	char event[sizeof(struct inotify_event) + NAME_MAX + 1];
	pid_t lister;
	int fd;

	EXPECT_NUMBER(mkfifo(path, 0600), 0);
	EXPECT_TRUE(inotify_add_watch(watch, path, IN_CLOSE_NOWRITE) >= 0);
	lister = fork();
	if (!lister) {
		fd = open(path, O_WRONLY);
		dprintf(fd, "%d\n", pid);
		close(fd);
		/* The first one has closed it. */
		if (read(watch, event, sizeof(event)) > 0)
			close(open(path, O_WRONLY));
		_exit(0);
	}
	close(watch);
	return lister;
}

/* The number was that of one in the cgroup, who has ended. */
static void spares_who_has_got_the_number(void)
{
	struct fixture fixture = fixture_create();
	pid_t stranger = begin_victim(), lister;
	char path[PATH_MAX];
	struct cgroup cg;

	fixture_mkdir(&fixture, PROCESS_CG);
	look_at(&cg, &fixture);
	snprintf(path, sizeof(path), "%s" PROCESS_CG "/cgroup.procs", fixture.root);
	lister = list_once(path, stranger);
	cg_signal(&cg, SIGKILL);
	EXPECT_NUMBER(end_victim(stranger, false), 0);
	end_victim(lister, false);
	fixture_destroy(&fixture);
}

/* The first one dies of it at once, and the others are nobody's children any more. */
static void reaches_a_tree(void)
{
	pid_t parent, other = begin_victim();
	struct pollfd end = { .events = POLLIN };
	int pipe_fds[2], i;
	char byte;

	EXPECT_NUMBER(pipe(pipe_fds), 0);
	parent = fork();
	if (!parent) {
		close(pipe_fds[0]);
		for (i = 0; i < PROCESS_CHILDREN; i++)
			begin_victim();
		EXPECT_NUMBER(write(pipe_fds[1], "", 1), 1);
		pause();
		_exit(0);
	}
	close(pipe_fds[1]);
	EXPECT_NUMBER(read(pipe_fds[0], &byte, 1), 1);
	process_signal_tree("", parent, SIGTERM);
	EXPECT_NUMBER(end_victim(parent, true), SIGTERM);
	/* The children have the other end of the pipe. */
	end.fd = pipe_fds[0];
	EXPECT_NUMBER(poll(&end, 1, 10000), 1);
	EXPECT_TRUE(end.revents & POLLHUP);
	close(pipe_fds[0]);
	EXPECT_NUMBER(end_victim(other, false), 0);
}

const struct unit_test unit_process_tests[] = {
	{ "process_reaches_all_below", reaches_all_below },
	{ "process_spares_who_has_got_the_number", spares_who_has_got_the_number },
	{ "process_reaches_a_tree", reaches_a_tree },
	{},
};
