// SPDX-License-Identifier: GPL-2.0
/* The options for steps of user memory. */
#include <stdio.h>
#include <string.h>

#include "workload.h"

/* The step, unless it is of a kind that has nothing like it. */
static struct step *job_user_step(struct job *job, unsigned int option, const char *where,
				  struct error *error)
{
	struct step *step = job_step(job);
	const struct kind *kind;
	char names[64] = "";

	if (!step->kind || (step->kind->workload && step->kind->workload->options & option))
		return step;
	for (kind = kinds; kind->name; kind++) {
		size_t length = strlen(names);

		if (kind->workload && kind->workload->options & option)
			snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
				 kind->name);
	}
	error_set(error, STATUS_MISUSE, "%s: this is for the kind %s, not for %s", where, names,
		  step->kind->name);
	return NULL;
}

static int job_set_thp(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_user_step(context, WORKLOAD_THP, where, error);

	if (!step)
		return -1;
	step->thp = !strcmp(value, "on");
	if (!step->thp && strcmp(value, "off"))
		return job_refuse(error, where, value, "on or off");
	return 0;
}

static int job_set_mlock(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_user_step(context, WORKLOAD_MLOCK, where, error);

	(void)value;
	if (!step)
		return -1;
	step->mlock = true;
	return 0;
}

static int job_set_clean(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_user_step(context, WORKLOAD_CLEAN, where, error);

	(void)value;
	if (!step)
		return -1;
	step->clean = true;
	return 0;
}

/* As a key it is of a text that is gone when the step is done. */
static int job_set_dir(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_user_step(context, WORKLOAD_DIR, where, error);

	if (!step)
		return -1;
	if (!*value || strlen(value) >= sizeof(step->dir))
		return job_refuse(error, where, value, "the path of a directory");
	strcpy(step->dir, value);
	return 0;
}

const struct option job_user_options[] = {
	{ "thp", "on|off",
	  "anon: in huge pages, where the kernel has them, or small ones (off);\n"
	  "object-size is then a multiple of 2M",
	  job_set_thp },
	{ "mlock", NULL, "anon: locked in memory, so that it cannot be swapped out",
	  job_set_mlock },
	{ "clean", NULL,
	  "file: read from a hole, so that it can be reclaimed at once; else it\n"
	  "is written, and reclaimed when it is on the disk",
	  job_set_clean },
	{ "dir", "DIR", "file: where the file is, which has no name (/var/tmp)", job_set_dir },
	{}
};

/* A default that a kind has no use for is meant for the others. */
static void job_forget_others(struct step *step)
{
	unsigned int options = step->kind->workload->options;

	step->thp &= !!(options & WORKLOAD_THP);
	step->mlock &= !!(options & WORKLOAD_MLOCK);
	step->clean &= !!(options & WORKLOAD_CLEAN);
}

static int job_check_size(const struct step *step, const char *where, struct error *error)
{
	__u64 unit = workload_size_unit(step), max = workload_size_max(step);

	if (!step->kind->workload->size_max && step->object_size != max)
		return error_set(error, STATUS_MISUSE,
				 "%s: object-size %llu is not allowed; it is always %llu", where,
				 step->object_size, max);
	if (!step->kind->workload->size_max)
		return 0;
	if (step->object_size % unit || step->object_size > max)
		return error_set(error, STATUS_MISUSE,
				 "%s: object-size %llu is not allowed; "
				 "give a multiple of %llu, up to %llu",
				 where, step->object_size, unit, max);
	return 0;
}

int job_finish_user(const struct job *job, struct step *step, const char *where,
		    struct error *error)
{
	job_forget_others(step);
	if (!step->object_size)
		step->object_size = workload_default_size(step);
	if (job_check_size(step, where, error))
		return -1;
	if (job->outside)
		return error_set(error, STATUS_MISUSE,
				 "%s: user memory is paid for by whoever uses it; "
				 "give no --payer outside",
				 where);
	/* What was written is reclaimed as well, when it is on the disk, which would be filled. */
	if (step->kind->id == KIND_FILE &&
	    (step->until == UNTIL_OOM || step->until == UNTIL_ENOMEM))
		return error_set(error, STATUS_MISUSE,
				 "%s: page cache is reclaimed at a limit, and nobody is killed; "
				 "give --size",
				 where);
	/* Neither of the pool nor of the cgroup (__GFP_RETRY_MAYFAIL in mm/hugetlb.c). */
	if (step->kind->id == KIND_HUGETLB && step->until == UNTIL_OOM)
		return error_set(error, STATUS_MISUSE,
				 "%s: where there are no more it is refused, and nobody is killed; "
				 "give --until enomem or --size",
				 where);
	if (step->until == UNTIL_ENOMEM && !step->kind->workload->may_be_refused)
		return error_set(error, STATUS_MISUSE,
				 "%s: at a limit it is not refused, but the OOM killer acts; "
				 "give --until oom",
				 where);
	return 0;
}
