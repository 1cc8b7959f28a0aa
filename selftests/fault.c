// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "knob.h"

/*
 * should_failslab() of mm/failslab.c and should_fail_alloc_page() of
 * mm/fail_page_alloc.c spare most allocations unless told; and they dump the stack
 * of each that fails, which is no news here.
 */
static const struct setting {
	const char *path, *value;
} settings[FAULT_SETTINGS] = {
	{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/failslab/cache-filter", "N" },
	{ "/sys/kernel/debug/failslab/verbose", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
};

static int setting_read(const struct setting *setting, char *buf, size_t size)
{
	int fd = open(setting->path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int ret;

	if (fd < 0)
		return -errno;
	length = read(fd, buf, size - 1);
	ret = length < 0 ? -errno : 0;
	close(fd);
	if (!ret)
		buf[length] = 0;
	return ret;
}

int fault_setup(struct fault *fault)
{
	unsigned int i;
	int ret = 0;

	memset(fault, 0, sizeof(*fault));
	fault->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault->fd < 0)
		return -errno;
	for (i = 0; i < FAULT_SETTINGS && !ret; i++) {
		ret = setting_read(&settings[i], fault->saved[i], sizeof(fault->saved[i]));
		if (!ret)
			ret = knob_write(settings[i].path, settings[i].value);
		fault->set[i] = !ret;
	}
	if (ret)
		fault_restore(fault);
	return ret;
}

int fault_restore(struct fault *fault)
{
	unsigned int i;
	int ret = 0;
	int err;

	for (i = 0; i < FAULT_SETTINGS; i++) {
		err = fault->set[i] ? knob_write(settings[i].path, fault->saved[i]) : 0;
		if (!ret)
			ret = err;
	}
	if (fault->fd > 0)
		close(fault->fd);
	memset(fault, 0, sizeof(*fault));
	return ret;
}

int fault_arm(const struct fault *fault, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fault->fd, text, length, 0) == length ? 0 : -errno;
}

int fault_disarm(const struct fault *fault)
{
	char text[16];
	ssize_t length = pread(fault->fd, text, sizeof(text) - 1, 0);

	if (length < 0)
		return -errno;
	text[length] = 0;
	if (pwrite(fault->fd, "0", 1, 0) != 1)
		return -errno;
	return atoi(text);
}
