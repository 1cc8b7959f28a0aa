// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "param.h"

static int param_open(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/memstress/parameters/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int param_write(const char *name, const char *value)
{
	int fd = param_open(name, O_WRONLY);
	int ret = 0;

	if (fd < 0)
		return fd;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int param_set(struct param *param, const char *name, const char *value)
{
	int fd = param_open(name, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, param->saved, sizeof(param->saved) - 1);
	close(fd);
	if (len <= 0)
		return -EIO;
	param->saved[len] = '\0';
	snprintf(param->name, sizeof(param->name), "%s", name);
	return param_write(name, value);
}

int param_set_number(struct param *param, const char *name, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return param_set(param, name, text);
}

int param_restore(struct param *param)
{
	int ret;

	if (!param->name[0])
		return 0;
	ret = param_write(param->name, param->saved);
	param->name[0] = '\0';
	return ret;
}
