// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "knob.h"

int knob_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int knob_write_number(const char *path, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	return knob_write(path, text);
}

int knob_write_oom_score_adj(pid_t pid, int adj)
{
	char path[64] = "/proc/self/oom_score_adj";

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	return knob_write_number(path, adj);
}
