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

int job_read_refuse_key(const struct job_file *file, const struct job_section *section,
			const struct job_line *line, const struct option_group *groups,
			struct error *error)
{
	const struct option *option;
	char names[640] = "";
	size_t length = 0;

	for (; groups->title; groups++)
		for (option = groups->options; option->name && length < sizeof(names); option++)
			length += snprintf(names + length, sizeof(names) - length, "%s%s",
					   length ? ", " : "", option->name);
	if (!*section->name)
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: unknown key '%s'; before the first heading there are %s",
				 file->path, line->number, line->key, names);
	return error_set(error, STATUS_MISUSE, "%s:%u: unknown key '%s'; [%s] has %s", file->path,
			 line->number, line->key, section->name, names);
}

int job_read_check_twice(const struct job_file *file, const struct job_section *section,
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

int job_read_line(const struct job_file *file, const struct job_line *line,
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

static const struct job_line *job_read_find(const struct job_section *section, const char *key)
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
		   const struct option_group *groups, struct job *job, struct error *error)
{
	const struct job_line *kind = job_read_find(section, "kind");
	unsigned int i;

	if (job_read_check_twice(file, section, error))
		return -1;
	if (kind && option_find_in_groups(groups, "kind") && job_read_kind(file, kind, job, error))
		return -1;
	for (i = 0; i < section->count; i++) {
		const struct job_line *line = &section->lines[i];
		int ret;

		if (line == kind && option_find_in_groups(groups, "kind"))
			continue;
		ret = job_read_line(file, line, groups, job, error);

		if (ret < 0)
			return -1;
		if (!ret)
			return job_read_refuse_key(file, section, line, groups, error);
	}
	return 0;
}

/* What the cgroup of the job is, and what limits it has. */
static const struct option_group job_cgroup_groups[] = { { "The cgroup", job_place_options },
							 { "Its limits", limits_options },
							 {} };

static int job_read_section(const struct job_file *file, const struct job_section *section,
			    struct job *job, struct error *error)
{
	if (!*section->name)
		return job_read_lines(file, section, job_options, job, error);
	if (!strcmp(section->name, "cgroup"))
		return job_read_lines(file, section, job_cgroup_groups, job, error);
	if (strcmp(section->name, "step"))
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [%s] is not allowed; there are [cgroup] and [step]",
				 file->path, section->number, section->name);
	if (!job_read_find(section, "kind"))
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [step] has no kind; give kind = KIND, see run --help",
				 file->path, section->number);
	return job_read_lines(file, section, job_step_groups, job, error);
}

int job_read(const struct job_file *file, struct job *job, struct error *error)
{
	unsigned int i;

	job->file = file->path;
	for (i = 0; i < file->count; i++)
		if (job_read_section(file, &file->sections[i], job, error))
			return -1;
	return 0;
}
