// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* So many bytes, at the most, may stand for one: \u007f. */
#define TEXT_GROWTH 6

/* The bytes of the character at @text, RFC 3629; 0: it is none. */
static unsigned int text_decode(const char *text, unsigned int *code)
{
	static const struct {
		unsigned char mask;
		unsigned char lead;
		unsigned int least;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	unsigned char lead = *text;
	unsigned int more = 0, i;

	while (more < 4 && (lead & forms[more].mask) != forms[more].lead)
		more++;
	if (more == 4)
		return 0;
	*code = lead & (unsigned char)~forms[more].mask;
	for (i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (*code < forms[more].least || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return more + 1;
}

static bool text_is_control(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* @prefix, and two digits, are for control characters that are not @kept, and for other bytes. */
static char *text_escape(const char *text, const char *kept, const char *prefix)
{
	char *escaped = malloc(TEXT_GROWTH * strlen(text) + 1), *end = escaped;

	if (!escaped)
		return NULL;
	while (*text) {
		unsigned int code, length = text_decode(text, &code);

		if (length && (!text_is_control(code) || (code < 0x7f && strchr(kept, code))))
			end = mempcpy(end, text, length);
		else
			end += sprintf(end, "%s%02x", prefix, length ? code : (unsigned char)*text);
		text += length ? length : 1;
	}
	*end = '\0';
	return escaped;
}

char *text_print(const char *kept, const char *format, va_list args)
{
	char *text, *shown;

	if (vasprintf(&text, format, args) < 0)
		return NULL;
	shown = text_escape(text, kept, "\\x");
	free(text);
	return shown;
}

char *text_escape_json(const char *line)
{
	return text_escape(line, "", "\\u00");
}

char *text_mend(const char *text)
{
	static const char mark[] = "\xef\xbf\xbd";
	char *mended = malloc(TEXT_GROWTH * strlen(text) + 1), *end = mended;

	if (!mended)
		return NULL;
	while (*text) {
		unsigned int code, length = text_decode(text, &code);

		end = length ? mempcpy(end, text, length) : stpcpy(end, mark);
		text += length ? length : 1;
	}
	*end = '\0';
	return mended;
}

int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}
