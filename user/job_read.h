/* SPDX-License-Identifier: GPL-2.0 */
/* What the lines of a job file mean: the keys are the options of the command line. */
#ifndef MEMSTRESS_USER_JOB_READ_H
#define MEMSTRESS_USER_JOB_READ_H

#include "job.h"
#include "job_file.h"

/* "JOB.ini:7: size": a line for messages */
struct job_where {
	char s[512];
};

struct job_where job_where(const struct job_file *file, const struct job_line *line);

/* NULL: the section has none with this key */
const struct job_line *job_read_find(const struct job_section *section, const char *key);

/*
 * Sets what the lines of a section say: options of @groups, whose context is @context; and unless
 * @job is NULL, those for its steps, of which a kind begins one. 0 or -1
 */
int job_read_lines(const struct job_file *file, const struct job_section *section,
		   const struct option_group *groups, void *context, struct job *job,
		   struct error *error);

#endif /* MEMSTRESS_USER_JOB_READ_H */
