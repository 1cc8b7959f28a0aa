// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int error_set(struct error *error, enum exit_status status, const char *format, ...)
{
	va_list args;

	error->status = status;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

void error_say(const char *format, ...)
{
	char line[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "memstress: %s\n", line);
}

int error_report(const struct error *error)
{
	fflush(stdout);
	fprintf(stderr, "memstress: %s\n", error->text);
	return error->status;
}
