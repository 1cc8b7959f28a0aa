// SPDX-License-Identifier: GPL-2.0
/* Job files by inih, which nobody else knows of. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "job_file.h"

/* inih cuts off what is more in the brackets. */
#define JOB_HEADING_MAX 49

/*
 * inih tells neither of the lines' numbers nor of headings without a key. So each line is given to
 * it with another one behind it, which is empty, or after a heading has this key; no line of a file
 * can have it.
 */
#define JOB_HEADING_KEY "\x01"

/**
 * struct job_reader - a file that is being read
 * @file: what becomes of it
 * @stream: it
 * @number: of the line that was given last
 * @is_between: the line behind that comes next
 * @is_heading: that line was a heading
 * @failed_at: the line in which @error was found; 0: there is none
 * @error: what is wrong first
 */
struct job_reader {
	struct job_file *file;
	FILE *stream;
	unsigned int number;
	bool is_between;
	bool is_heading;
	unsigned int failed_at;
	struct error *error;
};

static int job_reader_fail(struct job_reader *reader, const char *what)
{
	reader->failed_at = reader->number;
	error_set(reader->error, STATUS_MISUSE, "%s:%u: %s", reader->file->path, reader->number,
		  what);
	return 0;
}

static int job_reader_run_out(struct job_reader *reader)
{
	reader->failed_at = reader->number;
	error_set(reader->error, STATUS_FAILED, "out of memory");
	return 0;
}

/* Makes room for one more of @size at the end of an array. */
static void *job_reader_grow(struct job_reader *reader, void *array, unsigned int count,
			     size_t size)
{
	char *grown = realloc(array, (count + 1) * size);

	if (!grown) {
		job_reader_run_out(reader);
		return NULL;
	}
	memset(grown + count * size, 0, size);
	return grown;
}

static int job_reader_begin(struct job_reader *reader, unsigned int number, const char *name)
{
	struct job_file *file = reader->file;
	struct job_section *sections;

	sections = job_reader_grow(reader, file->sections, file->count, sizeof(*sections));
	if (!sections)
		return 0;
	file->sections = sections;
	sections[file->count].number = number;
	sections[file->count].name = strdup(name);
	return sections[file->count++].name ? 1 : job_reader_run_out(reader);
}

static int job_reader_add(struct job_reader *reader, const char *key, const char *value)
{
	struct job_section *section = &reader->file->sections[reader->file->count - 1];
	struct job_line *lines, *line;

	lines = job_reader_grow(reader, section->lines, section->count, sizeof(*lines));
	if (!lines)
		return 0;
	section->lines = lines;
	line = &lines[section->count++];
	line->number = reader->number;
	line->key = strdup(key);
	line->value = strdup(value);
	return line->key && line->value ? 1 : job_reader_run_out(reader);
}

#define JOB_NO_LINE "this is neither KEY = VALUE nor a [heading]"

/*
 * As inih wants it: not 0 if all is well. It may have been built to tell of headings by themselves,
 * or to take a key alone.
 */
static int job_reader_take(void *context, const char *section, const char *key, const char *value)
{
	struct job_reader *reader = context;

	if (reader->failed_at)
		return 0;
	if (!key)
		return 1;
	if (!value)
		return job_reader_fail(reader, JOB_NO_LINE);
	if (!strcmp(key, JOB_HEADING_KEY))
		return job_reader_begin(reader, reader->number, section);
	if (!*key)
		return job_reader_fail(reader, "there is no key before the =");
	return job_reader_add(reader, key, value);
}

/* inih overlooks what stands behind the brackets. */
static void job_reader_check_heading(struct job_reader *reader, const char *line)
{
	const char *end = strchr(line, ']');

	if (!end) {
		job_reader_fail(reader, "the heading has no ] at its end");
		return;
	}
	if (end - line - 1 > JOB_HEADING_MAX) {
		job_reader_fail(reader, "the heading is longer than 49 letters");
		return;
	}
	end++;
	end += strspn(end, " \t");
	if (*end && *end != ';' && *end != '#')
		job_reader_fail(reader, "behind a heading, the line must end");
}

static bool job_reader_is_text(const char *line, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
			return false;
	return true;
}

/*
 * The next line, without blanks before it: to inih they would say that it goes on with the line
 * above. False at the end, or if something is wrong.
 */
static bool job_reader_next(struct job_reader *reader, char *text, int size)
{
	size_t space = 0, length;
	char *line = NULL, *begin;

	if (getline(&line, &space, reader->stream) < 0) {
		free(line);
		return false;
	}
	reader->number++;
	length = strcspn(line, "\r\n");
	begin = line;
	/* Some editors begin a file with this. */
	if (reader->number == 1 && !strncmp(begin, "\xef\xbb\xbf", 3))
		begin += 3;
	begin += strspn(begin, " \t");
	if (!job_reader_is_text(line, length))
		job_reader_fail(reader, "this is no text");
	else if (length + 3 > (size_t)size)
		job_reader_fail(reader, "the line is too long");
	reader->is_heading = *begin == '[';
	line[length] = '\0';
	if (reader->is_heading && !reader->failed_at)
		job_reader_check_heading(reader, begin);
	if (!reader->failed_at)
		snprintf(text, size, "%s\n", begin);
	free(line);
	return !reader->failed_at;
}

/* As fgets(). */
static char *job_reader_give(char *text, int size, void *context)
{
	struct job_reader *reader = context;

	if (reader->failed_at)
		return NULL;
	if (reader->is_between) {
		snprintf(text, size, reader->is_heading ? JOB_HEADING_KEY " =\n" : "\n");
		reader->is_between = false;
		return text;
	}
	reader->is_between = true;
	return job_reader_next(reader, text, size) ? text : NULL;
}

/* What inih itself finds wrong is the first of all, if it is before what was found here. */
static int job_reader_finish(struct job_reader *reader, int wrong)
{
	unsigned int number = wrong > 0 ? (wrong + 1) / 2 : 0;

	if (ferror(reader->stream))
		return error_set(reader->error, STATUS_FAILED, "cannot read %s: %s",
				 reader->file->path, strerror(errno));
	if (wrong < 0)
		return error_set(reader->error, STATUS_FAILED, "out of memory");
	if (number && (!reader->failed_at || number < reader->failed_at))
		return error_set(reader->error, STATUS_MISUSE, "%s:%u: " JOB_NO_LINE,
				 reader->file->path, number);
	return reader->failed_at ? -1 : 0;
}

int job_file_read(struct job_file *file, const char *path, struct error *error)
{
	struct job_reader reader = { .file = file, .error = error };
	int ret;

	memset(file, 0, sizeof(*file));
	file->path = path;
	reader.stream = fopen(path, "re");
	if (!reader.stream)
		return error_set(error, STATUS_MISUSE, "cannot open the job %s: %s", path,
				 strerror(errno));
	ret = -1;
	if (job_reader_begin(&reader, 0, ""))
		ret = job_reader_finish(&reader, ini_parse_stream(job_reader_give, &reader,
								  job_reader_take, &reader));
	fclose(reader.stream);
	if (ret)
		job_file_free(file);
	return ret;
}

static void job_file_free_section(struct job_section *section)
{
	unsigned int i;

	for (i = 0; i < section->count; i++) {
		free(section->lines[i].key);
		free(section->lines[i].value);
	}
	free(section->lines);
	free(section->name);
}

void job_file_free(struct job_file *file)
{
	unsigned int i;

	for (i = 0; i < file->count; i++)
		job_file_free_section(&file->sections[i]);
	free(file->sections);
	memset(file, 0, sizeof(*file));
}
