// SPDX-License-Identifier: GPL-2.0
/* Pipes: pages of the kernel, full of what nobody reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "descriptors.h"

#define PIPE_SIZE_MAX 1048576

/* What a new pipe takes, where the user has not too many of them. */
#define PIPE_SIZE_USUAL 65536

/* Of a slot: struct pipe_buffer, twice that after rounding up; more where slabs are debugged. */
#define PIPE_SLOT_BYTES 128

static void pipe_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "full");
}

static const char *pipe_missing(const struct step *step, unsigned int version)
{
	(void)step;
	(void)version;
	return NULL;
}

static void pipe_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	__u64 slots = step->object_size / workload_page_size();

	charge->page_bytes += objects * step->object_size;
	charge->more_bytes += most * (DESCRIPTORS_BYTES + slots * PIPE_SLOT_BYTES);
}

/* A page in each slot, since a slot that is written in full is never added to. */
static int pipe_fill(int fd, __u64 bytes)
{
	static const char page[PIPE_SIZE_USUAL];
	__u64 done;

	for (done = 0; done < bytes; done += workload_page_size()) {
		ssize_t n = write(fd, page, workload_page_size());

		/* It has less slots: the user's pipes have as many as they may (pipe(7)). */
		if (n != (ssize_t)workload_page_size())
			return n < 0 && errno != EAGAIN ? -errno : -ENOBUFS;
	}
	return 0;
}

static int pipe_make(struct workload_run *run, __u64 index)
{
	__u64 size = run->step->object_size;
	int fds[2], ret = 0;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	if (size > PIPE_SIZE_USUAL && fcntl(fds[1], F_SETPIPE_SZ, (int)size) < 0)
		ret = -errno;
	if (!ret)
		ret = pipe_fill(fds[1], size);
	if (!ret)
		ret = descriptors_keep(run, index, fds);
	if (ret) {
		close(fds[0]);
		close(fds[1]);
	}
	return ret;
}

const struct workload workload_pipe = {
	.size_max = PIPE_SIZE_MAX,
	.describe = pipe_describe,
	.missing = pipe_missing,
	.charge = pipe_charge,
	.open = descriptors_open,
	.make = pipe_make,
	.drop = descriptors_drop,
	.close = descriptors_close,
};
