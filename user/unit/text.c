// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "text.h"
#include "unit.h"

__printf(2, 3) static char *print(const char *kept, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = text_print(kept, format, args);
	va_end(args);
	return text;
}

static void expect_shown(const char *kept, const char *name, const char *expected)
{
	char *text = print(kept, "(%s)", name);

	EXPECT_STRING(text, expected);
	free(text);
}

static void no_terminal_is_told_what_to_do(void)
{
	expect_shown("", "x\033]0;title\a\033[2J", "(x\\x1b]0;title\\x07\\x1b[2J)");
	expect_shown("", "\x01\x1f\x7f\r\n", "(\\x01\\x1f\\x7f\\x0d\\x0a)");
	expect_shown("\n", "a\nb\t", "(a\nb\\x09)");
	/* CSI, as Unicode has it, and in one byte */
	expect_shown("", "\xc2\x9b[2J \x9b[2J", "(\\x9b[2J \\x9b[2J)");
}

static void letters_are_left_as_they_are(void)
{
	expect_shown("", "a\\x2db.scope", "(a\\x2db.scope)");
	expect_shown("", "\xc3\xa4 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x90\xa7",
		     "(\xc3\xa4 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x90\xa7)");
}

static void what_is_no_utf8_is_shown(void)
{
	/* Alone, cut off, longer than needed, a surrogate, beyond U+10FFFF */
	expect_shown("", "\xff", "(\\xff)");
	expect_shown("", "\xe2\x82", "(\\xe2\\x82)");
	expect_shown("", "\xc0\xaf", "(\\xc0\\xaf)");
	expect_shown("", "\xed\xa0\x80", "(\\xed\\xa0\\x80)");
	expect_shown("", "\xf4\x90\x80\x80", "(\\xf4\\x90\\x80\\x80)");
}

static void expect_mended(const char *text, const char *expected)
{
	char *mended = text_mend(text);

	EXPECT_STRING(mended, expected);
	free(mended);
}

static void json_is_utf8(void)
{
	char *line = text_escape_json("{\"a\":\"\x7f\xc2\x9b\xc3\xa4\"}");

	expect_mended("a\xff\xe2\x82z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
	expect_mended("\033\xc3\xa4", "\033\xc3\xa4");
	EXPECT_STRING(line, "{\"a\":\"\\u007f\\u009b\xc3\xa4\"}");
	free(line);
}

static void columns_are_counted(void)
{
	EXPECT_NUMBER(text_width(""), 0);
	EXPECT_NUMBER(text_width("a\xc3\xa4\xe2\x82\xac"), 3);
}

const struct unit_test unit_text_tests[] = {
	{ "text_no_terminal_is_told_what_to_do", no_terminal_is_told_what_to_do },
	{ "text_letters_are_left_as_they_are", letters_are_left_as_they_are },
	{ "text_what_is_no_utf8_is_shown", what_is_no_utf8_is_shown },
	{ "text_json_is_utf8", json_is_utf8 },
	{ "text_columns_are_counted", columns_are_counted },
	{},
};
