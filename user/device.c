// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "device.h"

int device_open(void)
{
	int fd = open(MEMSTRESS_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int device_ioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

int device_info(int fd, struct memstress_info *info)
{
	info->size = sizeof(*info);
	return device_ioctl(fd, MEMSTRESS_IOC_INFO, info);
}

int device_alloc(int fd, struct memstress_alloc *alloc)
{
	alloc->size = sizeof(*alloc);
	return device_ioctl(fd, MEMSTRESS_IOC_ALLOC, alloc);
}

int device_free(int fd, struct memstress_free *free)
{
	free->size = sizeof(*free);
	return device_ioctl(fd, MEMSTRESS_IOC_FREE, free);
}

int device_ledger(int fd, struct memstress_ledger *ledger)
{
	ledger->size = sizeof(*ledger);
	return device_ioctl(fd, MEMSTRESS_IOC_LEDGER, ledger);
}

int device_settle(int fd, struct memstress_settle *settle)
{
	settle->size = sizeof(*settle);
	return device_ioctl(fd, MEMSTRESS_IOC_SETTLE, settle);
}

int device_audit(int fd, struct memstress_audit *audit)
{
	audit->size = sizeof(*audit);
	return device_ioctl(fd, MEMSTRESS_IOC_AUDIT, audit);
}

const char *device_stop_name(__u32 stop)
{
	static const char *const names[MEMSTRESS_STOP_END] = {
		[MEMSTRESS_STOP_DONE] = "done",         [MEMSTRESS_STOP_FAILED] = "failed",
		[MEMSTRESS_STOP_KILLED] = "killed",     [MEMSTRESS_STOP_LIMIT] = "limit",
		[MEMSTRESS_STOP_DEADLINE] = "deadline", [MEMSTRESS_STOP_UNKILLABLE] = "unkillable",
	};

	return stop < MEMSTRESS_STOP_END ? names[stop] : "unknown";
}

const char *device_settle_name(__u32 state)
{
	static const char *const names[MEMSTRESS_SETTLE_END] = {
		[MEMSTRESS_SETTLE_EXACT] = "exact",
		[MEMSTRESS_SETTLE_MOVING] = "moving",
		[MEMSTRESS_SETTLE_FULL] = "full",
	};

	return state < MEMSTRESS_SETTLE_END ? names[state] : "unknown";
}
