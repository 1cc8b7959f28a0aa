// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "output.h"
#include "text.h"

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
	va_list args;
	char *line;

	va_start(args, format);
	line = text_print("", format, args);
	va_end(args);
	fprintf(stderr, "memstress: %s\n", line ? line : strerror(ENOMEM));
	free(line);
}

int error_report(const struct error *error)
{
	output_flush();
	error_say("%s", error->text);
	return error->status;
}
