// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "knob.h"
#include "lru.h"

#define ENABLED "/sys/kernel/mm/lru_gen/enabled"

bool lru_can_have_generations(void)
{
	return !access(ENABLED, F_OK);
}

int lru_generations(void)
{
	char text[32] = "";
	int fd = open(ENABLED, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 0);
}

int lru_set_generations(int bits)
{
	int ret = knob_write_number(ENABLED, bits);

	return ret == -ENOENT && !bits ? 0 : ret;
}
