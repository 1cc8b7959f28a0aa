// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

int loop_init(struct loop *loop)
{
	unsigned int i;

	for (i = 0; i < LOOP_SOURCES_MAX; i++)
		loop->sources[i].fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_destroy(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int loop_add(struct loop *loop, int fd, __u32 events, void (*handle)(void *context), void *context)
{
	struct epoll_event event = { .events = events };
	unsigned int i = 0;

	while (i < LOOP_SOURCES_MAX && loop->sources[i].fd >= 0)
		i++;
	if (i == LOOP_SOURCES_MAX)
		return -ENOSPC;
	event.data.u32 = i;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	loop->sources[i] = (struct loop_source){ fd, handle, context };
	return 0;
}

void loop_remove(struct loop *loop, int fd)
{
	unsigned int i;

	for (i = 0; i < LOOP_SOURCES_MAX; i++) {
		if (loop->sources[i].fd != fd)
			continue;
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		loop->sources[i].fd = -1;
	}
}

static void loop_step(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[LOOP_SOURCES_MAX];
	bool ready[LOOP_SOURCES_MAX] = {};
	int count = epoll_wait(loop->epoll_fd, events, LOOP_SOURCES_MAX, timeout_ms);
	int i;

	for (i = 0; i < count; i++)
		ready[events[i].data.u32] = true;
	/* Of what came at the same time, what was added first is told first. */
	for (i = 0; i < LOOP_SOURCES_MAX; i++)
		if (ready[i] && loop->sources[i].fd >= 0)
			loop->sources[i].handle(loop->sources[i].context);
}

void loop_poll(struct loop *loop)
{
	loop_step(loop, 0);
}

static int loop_timeout_ms(__u64 now_ns, __u64 deadline_ns, __u64 look_ns)
{
	__u64 ns = look_ns;

	if (deadline_ns && (!ns || deadline_ns - now_ns < ns))
		ns = deadline_ns - now_ns;
	if (!ns)
		return -1;
	/* Rounded up, or the end of a wait would be spent in rounds of 0 ms. */
	ns = (ns + NS_PER_MS - 1) / NS_PER_MS;
	return ns > INT_MAX ? INT_MAX : (int)ns;
}

bool loop_await(struct loop *loop, bool (*is_true)(void *context), void *context, __u64 deadline_ns,
		__u64 look_ns)
{
	while (!is_true(context)) {
		__u64 now_ns = clock_now_ns();

		if (deadline_ns && now_ns >= deadline_ns)
			return false;
		loop_step(loop, loop_timeout_ms(now_ns, deadline_ns, look_ns));
	}
	return true;
}
