// SPDX-License-Identifier: GPL-2.0
/* Sockets: each has sent itself a datagram, which nobody receives. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"

/* What a datagram can have, less its headers, in whole pages. */
#define SOCKET_SIZE_MAX (60 << 10)

/* The kernel's default limit may be too small; twice as much is what it may count for the data. */
#define SOCKET_QUEUE (4 * SOCKET_SIZE_MAX)

/* The datagram is there when it is sent, unless ksoftirqd has to deliver it. */
#define SOCKET_DELIVERY_MS 5000

static void socket_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "a datagram each, not received");
}

/* A socket that is connected to itself; or -errno. */
static int socket_create(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(address);
	int queue = SOCKET_QUEUE, ret;

	if (fd < 0)
		return -errno;
	/* For root; and for others, as much as they may. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &queue, sizeof(queue)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
	if (!bind(fd, (struct sockaddr *)&address, length) &&
	    !getsockname(fd, (struct sockaddr *)&address, &length) &&
	    !connect(fd, (struct sockaddr *)&address, length))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static int socket_fill(int fd, __u64 bytes)
{
	static const char data[SOCKET_SIZE_MAX];
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	if (send(fd, data, bytes, 0) != (ssize_t)bytes)
		return -errno;
	/* What the limit has no room for is not delivered. */
	return poll(&poll_fd, 1, SOCKET_DELIVERY_MS) == 1 ? 0 : -ENOBUFS;
}

static const char *socket_missing(const struct step *step, unsigned int version)
{
	int fd, ret;

	(void)step;
	if (version == 1)
		return "cgroup v1 counts sockets apart from all other memory";
	fd = socket_create();
	ret = fd < 0 ? fd : socket_fill(fd, 1);
	if (fd >= 0)
		close(fd);
	return ret ? "nothing can be sent to 127.0.0.1; is the network interface lo up?" : NULL;
}

/*
 * Whole pages, for a buffer that is the next power of two of the data and what describes it, less
 * than a page; and what a socket may use before it is charged again, less than another.
 */
static void socket_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	__u64 page = workload_page_size(),
	      bytes = objects * workload_whole_pages(step->object_size);
	__u64 highest = 2 * (step->object_size + page) + 2 * page + DESCRIPTORS_BYTES;

	charge->page_bytes += bytes;
	charge->user_bytes += bytes;
	charge->sock_bytes += bytes;
	charge->more_bytes += most * highest - bytes;
}

static int socket_make(struct workload_run *run, __u64 index)
{
	int fds[2] = { socket_create(), -1 };
	int ret = fds[0] < 0 ? fds[0] : socket_fill(fds[0], run->step->object_size);

	if (!ret)
		ret = descriptors_keep(run, index, fds);
	if (ret && fds[0] >= 0)
		close(fds[0]);
	return ret;
}

const struct workload workload_socket = {
	.size_max = SOCKET_SIZE_MAX,
	.size_unit = 1,
	.may_be_refused = true,
	.describe = socket_describe,
	.missing = socket_missing,
	.charge = socket_charge,
	.open = descriptors_open,
	.make = socket_make,
	.drop = descriptors_drop,
	.close = descriptors_close,
};
