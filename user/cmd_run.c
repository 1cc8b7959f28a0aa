// SPDX-License-Identifier: GPL-2.0
/* memstress run: the main job. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "director.h"
#include "job.h"
#include "json.h"
#include "output.h"
#include "record.h"
#include "scenario.h"
#include "scenario_story.h"
#include "story.h"
#include "supervisor.h"

static const char run_help_end[] =
	"\n"
	"SIZE takes K, M, G, T (powers of 1024); TIME takes ms, s, m, h.\n"
	"\n"
	"A job file says the same, and more, in lines of KEY = VALUE. Keys are named as the\n"
	"options; those without an argument take yes. Comments begin with # or ;, or behind\n"
	"a value with a blank and a ;. Below the headings stands\n"
	"\n"
	"  (none)         any of the above, and what is for steps is for all of them; needs,\n"
	"                 what the machine must have: v1, v2, swap, no-swap\n"
	"  [cgroup]       which one is the job's own, and its limits\n"
	"  [cgroup a/b]   one below it, and its limits\n"
	"  [worker NAME]  cgroup, where it begins; copies, how many; after, the worker above\n"
	"                 that must have ended; start, so long after that; hold; and what is\n"
	"                 for all its steps\n"
	"  [step]         kind, and the rest of a step, of the worker above\n"
	"  [at TIME]      cgroup, and its limits, which are written then; or worker, and\n"
	"                 cgroup, into which it is moved then\n"
	"  [expect]       WORKER = [all|some|none|N] WHAT [of CGROUP], also several with\n"
	"                 commas; WHAT as of --expect, and of CGROUP, whose limit it was. What\n"
	"                 stands for no worker follows from its last step\n"
	"\n"
	"Workers are in cgroups that have none below. / is the job's own cgroup, \"worker\" the\n"
	"name of one without a heading. Times are from the beginning; what is at the same\n"
	"time in several [at] is written at once, by a process each. A job of one worker\n"
	"alone is told and judged as one by options; payer outside and churn are for that.\n"
	"\n"
	"Options beside a job file count more than it: those for steps for all its steps,\n"
	"and with a --kind those steps are done instead.\n"
	"\n"
	"Exit codes: 0 what was expected happened; 1 it did not, or the run failed;\n"
	"2 misuse; 4 it cannot be done here (no module, no permission, no memory\n"
	"controller, not this kind, policy or limit).\n"
	"\n"
	"Examples:\n"
	"  memstress run --kind page --max 64M --until oom\n"
	"  memstress run --max 64M --kind kmalloc,object-size=96 --until 80% --hold 10s\n"
	"  memstress run --max 64M --kind page,order=4 --until enomem\n"
	"  memstress run --max 64M --payer outside --kind percpu --size 1M\n"
	"  memstress run jobs/growing_shell.ini --every 3s\n";

void cmd_run_help(void)
{
	option_print_help(job_options);
	output_print("%s", run_help_end);
}

/* A run that nobody reads tells only why it failed. */
static int run_conclude(const struct job *job, const struct record_log *log)
{
	const struct record *record = record_last(log, RECORD_VERDICT);
	struct error error;

	if (!job->json && !job->quiet)
		story_end(log);
	if (record->verdict.pass)
		return STATUS_HELD;
	if (!job->quiet)
		return STATUS_FAILED;
	error_set(&error, STATUS_FAILED, "%s", record->verdict.reason);
	return error_report(&error);
}

static int run_job(const struct job *job, struct error *error)
{
	struct record_log log;
	int status;

	record_log_init(&log, job->json ? json_print_record : job->quiet ? NULL : story_tell);
	if (supervisor_run(job, &log, error)) {
		/* A stream that has begun says why it ends. */
		if (log.count)
			record_add_text(&log, RECORD_ERROR, "%.500s", error->text);
		status = error_report(error);
	} else {
		status = run_conclude(job, &log);
	}
	record_log_free(&log);
	return status;
}

static int run_large_conclude(const struct job *run, const struct record_log *log)
{
	const struct record *record = record_last(log, RECORD_JUDGED);
	struct error error;

	if (!run->json && !run->quiet)
		scenario_story_end(log);
	if (record->judged.pass)
		return STATUS_HELD;
	if (!run->quiet)
		return STATUS_FAILED;
	error_set(&error, STATUS_FAILED, "%s", record->judged.reason);
	return error_report(&error);
}

static int run_large(const struct scenario *scenario, struct error *error)
{
	const struct job *run = &scenario->run;
	struct record_log log;
	int status;

	record_log_init(&log, run->json  ? json_print_record :
			      run->quiet ? NULL :
					   scenario_story_tell);
	if (director_run(scenario, &log, error)) {
		/* A stream that has begun says why it ends. */
		if (log.count)
			record_add_text(&log, RECORD_ERROR, "%.500s", error->text);
		status = error_report(error);
	} else {
		status = run_large_conclude(run, &log);
	}
	record_log_free(&log);
	return status;
}

/* What cannot be said beside what the command line says gives way. */
static void run_give_way(struct job *job, const struct job *line)
{
	if (line->cgroup)
		job->in = NULL;
	if (line->in)
		job->cgroup = NULL;
	if (line->json)
		job->quiet = false;
	if (line->quiet)
		job->json = false;
	if (line->step_count)
		job->step_count = 0;
}

static int run_apply(struct job *job, int argc, char **argv, struct error *error)
{
	const char *words[1];
	unsigned int count;

	return option_parse_words(job_options, job, argc, argv, words, 1, &count, error) ==
			       OPTION_GO ?
		       0 :
		       -1;
}

/* Its options for steps are those of all steps there are, unless it has steps of its own. */
static int run_override_job(struct job *job, const struct job *line, int argc, char **argv,
			    struct error *error)
{
	unsigned int steps = line->step_count ? 0 : job->step_count;
	int ret = 0;

	run_give_way(job, line);
	if (!steps)
		return run_apply(job, argc, argv, error);
	for (job->chosen = 1; !ret && job->chosen <= steps; job->chosen++)
		ret = run_apply(job, argc, argv, error);
	job->chosen = 0;
	return ret;
}

/* The command line, which @line has alone, is read once more on top of the file. */
static int run_override(struct scenario *scenario, const struct job *line, int argc, char **argv,
			struct error *error)
{
	unsigned int i;
	int ret;

	if (line->step_count && scenario->worker_count > 1)
		return error_set(error, STATUS_MISUSE,
				 "--kind: whose steps? %s has several workers",
				 scenario->file->path);
	if (line->expect_given)
		scenario->expect_count = 0;
	ret = run_override_job(&scenario->run, line, argc, argv, error);
	for (i = 0; !ret && i < scenario->worker_count; i++)
		ret = run_override_job(&scenario->workers[i].job, line, argc, argv, error);
	return ret;
}

/* What is wrong as a whole is of no line. */
static int run_finish(struct scenario *scenario, struct error *error)
{
	const char *path = scenario->file->path;
	struct error whole;

	if (!scenario_finish(scenario, &whole))
		return scenario_check_needs(scenario, error);
	if (!strncmp(whole.text, path, strlen(path)))
		*error = whole;
	else
		error_set(error, whole.status, "%s: %.900s", path, whole.text);
	return -1;
}

/* 0 or -1 */
static int run_read(struct scenario *scenario, const struct job_file *file, const struct job *line,
		    int argc, char **argv, struct error *error)
{
	if (scenario_read(scenario, file, error) || run_override(scenario, line, argc, argv, error))
		return -1;
	return run_finish(scenario, error);
}

/* What is not needed for a job of one worker is not there either when its worker is made. */
static int run_from_file(const struct job_file *file, const struct job *line, int argc, char **argv)
{
	struct scenario *scenario = malloc(sizeof(*scenario));
	struct error error;
	struct job job;
	int status;

	error_set(&error, STATUS_FAILED, "out of memory");
	if (!scenario || run_read(scenario, file, line, argc, argv, &error)) {
		status = error_report(&error);
	} else if (scenario_is_large(scenario)) {
		status = run_large(scenario, &error);
	} else {
		job = scenario->run;
		free(scenario);
		return run_job(&job, &error);
	}
	free(scenario);
	return status;
}

static int run_file(const char *path, const struct job *line, int argc, char **argv)
{
	struct job_file file;
	struct error error;
	int status;

	if (job_file_read(&file, path, &error))
		return error_report(&error);
	status = run_from_file(&file, line, argc, argv);
	job_file_free(&file);
	return status;
}

int cmd_run(int argc, char **argv)
{
	const char *words[1];
	struct error error;
	unsigned int count;
	struct job job;

	job_init(&job);
	switch (option_parse_words(job_options, &job, argc, argv, words, 1, &count, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		if (count)
			return run_file(words[0], &job, argc, argv);
		if (!job_finish(&job, &error))
			return run_job(&job, &error);
		break;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
