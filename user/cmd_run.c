// SPDX-License-Identifier: GPL-2.0
/* memstress run: the main job. */
#include "commands.h"
#include "job.h"
#include "json.h"
#include "output.h"
#include "record.h"
#include "story.h"
#include "supervisor.h"

static const char run_help_end[] =
	"\n"
	"SIZE takes K, M, G, T (powers of 1024); TIME takes ms, s, m, h.\n"
	"\n"
	"Exit codes: 0 what was expected happened; 1 it did not, or the run failed;\n"
	"2 misuse; 4 it cannot be done here (no module, no permission, no memory\n"
	"controller, not this kind, policy or limit).\n"
	"\n"
	"Examples:\n"
	"  memstress run --kind page --max 64M --until oom\n"
	"  memstress run --max 64M --kind kmalloc,object-size=96 --until 80% --hold 10s\n"
	"  memstress run --max 64M --kind page,order=4 --until enomem\n"
	"  memstress run --max 64M --payer outside --kind percpu --size 1M\n";

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

int cmd_run(int argc, char **argv)
{
	struct error error;
	struct job job;

	job_init(&job);
	switch (option_parse_all(job_options, &job, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		if (!job_finish(&job, &error))
			return run_job(&job, &error);
		break;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
