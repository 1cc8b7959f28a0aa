// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "option.h"
#include "output.h"

#define OPTION_HELP_COLUMN 26

const struct option *option_find(const struct option *options, const char *name)
{
	for (; options->name; options++)
		if (!strcmp(options->name, name))
			return options;
	return NULL;
}

const struct option *option_find_in_groups(const struct option_group *groups, const char *name)
{
	const struct option *option = NULL;

	for (; groups->title && !option; groups++)
		option = option_find(groups->options, name);
	return option;
}

/* @word begins with dashes. @next is what follows it, or NULL; @used is set if that was taken. */
static int option_take(const struct option_group *groups, void *context, const char *word,
		       const char *next, bool *used, struct error *error)
{
	const char *value = strchr(word, '=');
	const struct option *option;
	char name[64], where[72];

	if (!strcmp(word, "-q"))
		word = "--quiet";
	snprintf(name, sizeof(name), "%.*s", value ? (int)(value - word) : (int)strlen(word), word);
	option = strncmp(name, "--", 2) ? NULL : option_find_in_groups(groups, name + 2);
	if (!option)
		return error_set(error, STATUS_MISUSE, "unknown option '%s'; --help lists them",
				 name);
	snprintf(where, sizeof(where), "%s", name);

	*used = false;
	if (value)
		value++;
	if (!option->argument && value)
		return error_set(error, STATUS_MISUSE, "%s takes no argument, not '%s'", where,
				 value);
	if (option->argument && !value) {
		if (!next)
			return error_set(error, STATUS_MISUSE, "%s needs an argument: %s", where,
					 option->argument);
		value = next;
		*used = true;
	}
	return option->set(context, where, value, error);
}

enum option_result option_parse(const struct option_group *groups, void *context, int argc,
				char **argv, int *next, struct error *error)
{
	int i;

	for (i = 1; i < argc; i++) {
		bool used = false;

		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (argv[i][0] != '-')
			break;
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return OPTION_HELP;
		if (option_take(groups, context, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used,
				error))
			return OPTION_ERROR;
		i += used;
	}
	*next = i;
	return OPTION_GO;
}

enum option_result option_parse_all(const struct option_group *groups, void *context, int argc,
				    char **argv, struct error *error)
{
	enum option_result result;
	int next = 0;

	result = option_parse(groups, context, argc, argv, &next, error);
	if (result == OPTION_GO && next < argc) {
		error_set(error, STATUS_MISUSE,
			  "unexpected argument '%s'; --help lists the options", argv[next]);
		return OPTION_ERROR;
	}
	return result;
}

enum option_result option_parse_words(const struct option_group *groups, void *context, int argc,
				      char **argv, const char **words, unsigned int max,
				      unsigned int *count, struct error *error)
{
	enum option_result result;
	int next;

	*count = 0;
	for (;;) {
		result = option_parse(groups, context, argc, argv, &next, error);
		if (result != OPTION_GO || next == argc)
			return result;
		if (*count == max) {
			error_set(error, STATUS_MISUSE,
				  "unexpected argument '%s'; --help lists the options", argv[next]);
			return OPTION_ERROR;
		}
		words[(*count)++] = argv[next];
		argc -= next;
		argv += next;
	}
}

static void option_print_one(const struct option *option)
{
	const char *line = option->help;
	char head[64];

	snprintf(head, sizeof(head), "  --%s%s%s", option->name, option->argument ? " " : "",
		 option->argument ? option->argument : "");
	/* A head that is too long gets a line of its own. */
	if (strlen(head) >= OPTION_HELP_COLUMN) {
		output_print("%s\n", head);
		head[0] = '\0';
	}
	while (line) {
		const char *end = strchr(line, '\n');
		int length = end ? (int)(end - line) : (int)strlen(line);

		output_print("%-*s%.*s\n", OPTION_HELP_COLUMN, head, length, line);
		head[0] = '\0';
		line = end ? end + 1 : NULL;
	}
}

void option_print_help(const struct option_group *groups)
{
	const struct option *option;

	for (; groups->title; groups++) {
		output_styled(OUTPUT_HEADING, "\n%s:\n", groups->title);
		for (option = groups->options; option->name; option++)
			option_print_one(option);
	}
}

int option_set_flag(void *context, const char *where, const char *value, struct error *error)
{
	(void)where;
	(void)value;
	(void)error;
	*(bool *)context = true;
	return 0;
}
