// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "module.h"

static int module_tell_open(int ret, struct error *error)
{
	switch (ret) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return error_set(error, STATUS_UNSUPPORTED,
				 MEMSTRESS_DEVICE ": %s; load it with: modprobe memstress",
				 strerror(-ret));
	case -EACCES:
	case -EPERM:
		return error_set(error, STATUS_UNSUPPORTED,
				 MEMSTRESS_DEVICE ": %s; be root, or of the group that may open it",
				 strerror(-ret));
	default:
		return error_set(error, STATUS_FAILED, "cannot open " MEMSTRESS_DEVICE ": %s",
				 strerror(-ret));
	}
}

int module_open(struct memstress_info *info, struct error *error)
{
	int fd = device_open();
	int ret;

	if (fd < 0)
		return module_tell_open(fd, error);
	memset(info, 0, sizeof(*info));
	ret = device_info(fd, info);
	if (!ret)
		return fd;
	close(fd);
	return error_set(error, STATUS_FAILED, "cannot ask " MEMSTRESS_DEVICE ": %s",
			 strerror(-ret));
}
