// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "writer.h"

#define KILL_DEADLINE_NS (20 * NS_PER_S)

static void writer_on_signal(int signal)
{
	(void)signal;
}

static void writer_main(struct writer_page *page, int fd, const char *text, unsigned int times)
{
	struct sigaction action = { .sa_handler = writer_on_signal };
	__u64 begin, ns;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(WRITER_SIGNAL, &action, NULL);
	__atomic_store_n(&page->writing, true, __ATOMIC_RELEASE);
	while (times-- && !__atomic_load_n(&page->stop, __ATOMIC_ACQUIRE)) {
		begin = clock_now_ns();
		page->error = pwrite(fd, text, strlen(text), 0) < 0 ? -errno : 0;
		ns = clock_now_ns() - begin;
		if (ns > page->slowest_ns)
			page->slowest_ns = ns;
		page->refused += page->error == -EBUSY;
		__atomic_add_fetch(&page->writes, 1, __ATOMIC_RELEASE);
	}
	_exit(0);
}

int writer_start(struct writer *writer, const struct cgroup *cg, const char *file, const char *text,
		 int flags, unsigned int times)
{
	const char *name = cgroup_file(file);
	int fd;

	memset(writer, 0, sizeof(*writer));
	if (!name)
		return -ENOENT;
	fd = openat(cg->fd, name, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	writer->page = mmap(NULL, sizeof(*writer->page), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (writer->page == MAP_FAILED) {
		writer->page = NULL;
		close(fd);
		return -ENOMEM;
	}
	/* Touched here: what the writer itself charges is nobody's but its own cgroup's */
	memset(writer->page, 0, sizeof(*writer->page));
	writer->page->error = -EINPROGRESS;
	fflush(NULL);
	writer->pid = fork();
	if (!writer->pid)
		writer_main(writer->page, fd, text, times);
	close(fd);
	if (writer->pid > 0)
		return 0;
	writer->pid = 0;
	writer_kill(writer);
	return -EAGAIN;
}

bool writer_has_ended(struct writer *writer)
{
	if (writer->pid && waitpid(writer->pid, &writer->status, WNOHANG) == writer->pid)
		writer->pid = 0;
	return !writer->pid;
}

int writer_await(struct writer *writer, __u64 deadline_ns)
{
	while (!writer_has_ended(writer))
		if (!clock_poll(deadline_ns))
			return -ETIMEDOUT;
	return writer->status ? -ESRCH : writer->page->error;
}

int writer_kill(struct writer *writer)
{
	__u64 deadline = clock_deadline_ns(KILL_DEADLINE_NS);
	int ret = 0;

	if (writer->pid) {
		kill(writer->pid, SIGKILL);
		ret = writer_await(writer, deadline) == -ETIMEDOUT ? -ETIMEDOUT : 0;
	}
	if (writer->page)
		munmap(writer->page, sizeof(*writer->page));
	writer->page = NULL;
	writer->pid = 0;
	return ret;
}
