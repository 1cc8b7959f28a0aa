// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel.h"

static bool kernel_parse(const char *text, struct kernel_release *release)
{
	return sscanf(text, "%u.%u.%u", &release->major, &release->minor, &release->patch) >= 2;
}

/*
 * uname -r of Debian has the series and its own ABI number ("6.1.0-56-amd64"), and
 * uname -v the stable release it was made from ("#1 SMP Debian 6.1.192-2 (2026-10-01)").
 */
struct kernel_release kernel_release(void)
{
	struct kernel_release release = { 0 };
	struct utsname name;
	const char *debian;

	if (uname(&name))
		return release;
	debian = strstr(name.version, "Debian ");
	if (!debian || !kernel_parse(debian + strlen("Debian "), &release))
		kernel_parse(name.release, &release);
	return release;
}

bool kernel_before(unsigned int major, unsigned int minor)
{
	struct kernel_release this = kernel_release();

	return this.major < major || (this.major == major && this.minor < minor);
}

bool kernel_has_symbol(const char *name)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[512], symbol[256];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*s %255s", symbol) == 1 && !strcmp(symbol, name);
	if (symbols)
		fclose(symbols);
	return found;
}

bool kernel_batches_stat(void)
{
	return kernel_before(5, 13);
}
