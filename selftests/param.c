// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "knob.h"
#include "param.h"

#define PARAM_PATH_MAX 128

static void param_path(const char *name, char *path)
{
	snprintf(path, PARAM_PATH_MAX, "/sys/module/memstress/parameters/%s", name);
}

static int param_write(const char *name, const char *value)
{
	char path[PARAM_PATH_MAX];

	param_path(name, path);
	return knob_write(path, value);
}

int param_set(struct param *param, const char *name, const char *value)
{
	char path[PARAM_PATH_MAX];
	ssize_t len;
	int fd;

	param_path(name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
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
