/* SPDX-License-Identifier: GPL-2.0 */
/* Options of a command: one table makes both the parser and the help. */
#ifndef MEMSTRESS_USER_OPTION_H
#define MEMSTRESS_USER_OPTION_H

#include <stdbool.h>

#include "error.h"

/**
 * struct option - one option
 * @name: without the dashes; NULL ends a table
 * @argument: what its argument is called in the help, or NULL if it takes none
 * @help: what it does; lines after the first are indented below it
 * @set: takes the argument. @where says how the user wrote the option, for messages.
 *	Returns 0, or -1 with @error
 */
struct option {
	const char *name;
	const char *argument;
	const char *help;
	int (*set)(void *context, const char *where, const char *value, struct error *error);
};

/**
 * struct option_group - options that stand together in the help
 * @title: NULL ends an array of groups
 */
struct option_group {
	const char *title;
	const struct option *options;
};

enum option_result {
	OPTION_ERROR = -1,
	OPTION_GO = 0,
	OPTION_HELP = 1,
};

/* NULL: there is none of this name */
const struct option *option_find(const struct option *options, const char *name);

/* The same in several of them */
const struct option *option_find_in_groups(const struct option_group *groups, const char *name);

/*
 * Reads options up to the end, to "--" or to the first word that is none, and tells in @next
 * where that is. --help is known to every command, and -q is short for --quiet.
 */
enum option_result option_parse(const struct option_group *groups, void *context, int argc,
				char **argv, int *next, struct error *error);

/* For commands that take options only */
enum option_result option_parse_all(const struct option_group *groups, void *context, int argc,
				    char **argv, struct error *error);

/*
 * For commands that take up to @max words as well: options may stand before, between and after
 * them, and "--" ends the options.
 */
enum option_result option_parse_words(const struct option_group *groups, void *context, int argc,
				      char **argv, const char **words, unsigned int max,
				      unsigned int *count, struct error *error);

void option_print_help(const struct option_group *groups);

/* Says yes: for options without an argument whose context is a bool */
int option_set_flag(void *context, const char *where, const char *value, struct error *error);

#endif /* MEMSTRESS_USER_OPTION_H */
