// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "terminal.h"

void terminal_open(struct terminal *terminal)
{
	terminal->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	terminal->is_ours = terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp() &&
			    !tcgetattr(terminal->fd, &terminal->modes);
}

void terminal_close(struct terminal *terminal)
{
	if (terminal->fd >= 0)
		close(terminal->fd);
	terminal->fd = -1;
}

void terminal_put_back(struct terminal *terminal)
{
	pid_t foreground;

	if (!terminal->is_ours)
		return;
	foreground = tcgetpgrp(terminal->fd);
	if (foreground < 0)
		return;
	/* A shell that has put the tool into the background goes on with its own work. */
	if (foreground != getpgrp() && (!kill(-foreground, 0) || errno != ESRCH))
		return;
	tcsetpgrp(terminal->fd, getpgrp());
	tcsetattr(terminal->fd, TCSADRAIN, &terminal->modes);
}
