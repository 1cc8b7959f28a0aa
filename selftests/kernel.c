// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <sys/utsname.h>

#include "kernel.h"

bool kernel_before(unsigned int major, unsigned int minor)
{
	unsigned int this_major, this_minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &this_major, &this_minor) != 2)
		return false;
	return this_major < major || (this_major == major && this_minor < minor);
}

bool kernel_batches_stat(void)
{
	return kernel_before(5, 13);
}
