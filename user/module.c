// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "module.h"

/* MEMCG_CHARGE_BATCH of include/linux/memcontrol.h; before 6.1 it was half as much. */
#define MODULE_CHARGE_BATCH 64

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

void module_do_without(struct memstress_info *info)
{
	info->page_size = sysconf(_SC_PAGESIZE);
	info->possible_cpus = sysconf(_SC_NPROCESSORS_CONF);
	info->online_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	info->online_nodes = 1;
	info->charge_batch_pages = MODULE_CHARGE_BATCH;
}
