/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A job file as text: headings in brackets, and below each of them lines of KEY = VALUE. What they
 * mean is not known here.
 */
#ifndef MEMSTRESS_USER_JOB_FILE_H
#define MEMSTRESS_USER_JOB_FILE_H

#include "error.h"

/**
 * struct job_line - KEY = VALUE
 * @number: of the line, from 1
 * @key: without blanks around it
 * @value: the same; without a comment
 */
struct job_line {
	unsigned int number;
	char *key;
	char *value;
};

/**
 * struct job_section - a heading and what stands below it
 * @number: of the heading's line; 0: before the first heading
 * @name: what stands in the brackets; "" before the first
 * @lines: in their order
 * @count: number of them
 */
struct job_section {
	unsigned int number;
	char *name;
	struct job_line *lines;
	unsigned int count;
};

/**
 * struct job_file - all of it
 * @path: as the user calls it
 * @sections: in their order; the first is what stands before the first heading
 * @count: number of them
 */
struct job_file {
	const char *path;
	struct job_section *sections;
	unsigned int count;
};

/* 0, or -1 and there is nothing to free */
int job_file_read(struct job_file *file, const char *path, struct error *error);
void job_file_free(struct job_file *file);

#endif /* MEMSTRESS_USER_JOB_FILE_H */
