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

/* A line has a key that the section does not know. -1 */
int job_read_refuse_key(const struct job_file *file, const struct job_section *section,
			const struct job_line *line, const struct option_group *groups,
			struct error *error);

/* The same key in two lines of a section. 0 or -1 */
int job_read_check_twice(const struct job_file *file, const struct job_section *section,
			 struct error *error);

/* Sets what a line says, if one of @groups has its key. 1, 0 if none has, or -1 */
int job_read_line(const struct job_file *file, const struct job_line *line,
		  const struct option_group *groups, void *context, struct error *error);

/* The same with all lines of a section, which may begin a step. 0 or -1 */
int job_read_lines(const struct job_file *file, const struct job_section *section,
		   const struct option_group *groups, struct job *job, struct error *error);

/* All of the file into @job, which keeps texts of it. 0 or -1 */
int job_read(const struct job_file *file, struct job *job, struct error *error);

#endif /* MEMSTRESS_USER_JOB_READ_H */
