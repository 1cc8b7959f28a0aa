/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that others have written, such as names of cgroups and processes, which may hold almost any
 * byte, made fit for a terminal and for JSON. The results are the caller's to free; NULL: out of
 * memory.
 */
#ifndef MEMSTRESS_USER_TEXT_H
#define MEMSTRESS_USER_TEXT_H

#include <stdarg.h>

/*
 * Prints it so that no terminal obeys it: control characters, unless they are among @kept, and
 * bytes that are no UTF-8 are shown as \xNN.
 */
char *text_print(const char *kept, const char *format, va_list args);

/* What is no UTF-8 becomes U+FFFD */
char *text_mend(const char *text);

/* A line of JSON in UTF-8: the control characters that need not be escaped are, too */
char *text_escape_json(const char *line);

/* How many columns a terminal needs for it, if it has no control and no wide characters */
int text_width(const char *text);

#endif /* MEMSTRESS_USER_TEXT_H */
