// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "job_read.h"

struct job_where job_where(const struct job_file *file, const struct job_line *line)
{
	struct job_where where;

	snprintf(where.s, sizeof(where.s), "%s:%u: %s", file->path, line->number, line->key);
	return where;
}

/* What there is besides, of the steps. */
static size_t job_read_list(const struct option_group *groups, char *names, size_t length,
			    size_t size)
{
	const struct option *option;

	for (; groups->title; groups++)
		for (option = groups->options; option->name && length < size; option++)
			length += snprintf(names + length, size - length, "%s%s",
					   length ? ", " : "", option->name);
	return length;
}

static int job_read_refuse(const struct job_file *file, const struct job_section *section,
			   const struct job_line *line, const struct option_group *groups,
			   bool has_steps, struct error *error)
{
	char names[640] = "";
	size_t length = job_read_list(groups, names, 0, sizeof(names));

	if (has_steps)
		job_read_list(job_step_groups, names, length, sizeof(names));
	if (!*section->name)
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: unknown key '%s'; before the first heading there are %s",
				 file->path, line->number, line->key, names);
	return error_set(error, STATUS_MISUSE, "%s:%u: unknown key '%s'; [%s] has %s", file->path,
			 line->number, line->key, section->name, names);
}

static int job_read_check_twice(const struct job_file *file, const struct job_section *section,
				struct error *error)
{
	unsigned int i, j;

	for (i = 0; i < section->count; i++)
		for (j = 0; j < i; j++)
			if (!strcmp(section->lines[i].key, section->lines[j].key))
				return error_set(error, STATUS_MISUSE,
						 "%s: it is in line %u as well; give it once",
						 job_where(file, &section->lines[i]).s,
						 section->lines[j].number);
	return 0;
}

/* 1, 0 if none of @groups has the key, or -1 */
static int job_read_line(const struct job_file *file, const struct job_line *line,
			 const struct option_group *groups, void *context, struct error *error)
{
	const struct option *option = option_find_in_groups(groups, line->key);
	struct job_where where = job_where(file, line);

	if (!option)
		return 0;
	if (!option->argument && strcmp(line->value, "yes"))
		return error_set(error, STATUS_MISUSE,
				 "%s: '%s' is not allowed; give yes, or leave it out", where.s,
				 line->value);
	return option->set(context, where.s, line->value, error) ? -1 : 1;
}

const struct job_line *job_read_find(const struct job_section *section, const char *key)
{
	unsigned int i;

	for (i = 0; i < section->count; i++)
		if (!strcmp(section->lines[i].key, key))
			return &section->lines[i];
	return NULL;
}

/* A kind comes first, wherever it stands: the other keys are of the step that it begins. */
static int job_read_kind(const struct job_file *file, const struct job_line *kind, struct job *job,
			 struct error *error)
{
	if (job_begin_step(job, job_where(file, kind).s, kind->value, error))
		return -1;
	job->steps[job->step_count - 1].line = kind->number;
	return 0;
}

int job_read_lines(const struct job_file *file, const struct job_section *section,
		   const struct option_group *groups, void *context, struct job *job,
		   struct error *error)
{
	const struct job_line *kind = job ? job_read_find(section, "kind") : NULL;
	unsigned int i;

	if (job_read_check_twice(file, section, error) ||
	    (kind && job_read_kind(file, kind, job, error)))
		return -1;
	for (i = 0; i < section->count; i++) {
		const struct job_line *line = &section->lines[i];
		int ret = line == kind ? 1 : job_read_line(file, line, groups, context, error);

		if (!ret && job)
			ret = job_read_line(file, line, job_step_groups, job, error);
		if (ret < 0)
			return -1;
		if (!ret)
			return job_read_refuse(file, section, line, groups, job, error);
	}
	return 0;
}
