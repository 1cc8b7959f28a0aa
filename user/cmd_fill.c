// SPDX-License-Identifier: GPL-2.0
/* memstress fill: the usage of a cgroup held at a level. */
#include "commands.h"
#include "fill.h"
#include "json.h"
#include "output.h"
#include "story.h"

static int fill_set_in(void *context, const char *where, const char *value, struct error *error)
{
	(void)where;
	(void)error;
	((struct fill *)context)->cgroup = value;
	return 0;
}

static int fill_set_kind(void *context, const char *where, const char *value, struct error *error)
{
	struct fill *fill = context;

	if (fill->job.step_count)
		return error_set(error, STATUS_MISUSE, "%s: there can be only one", where);
	return job_begin_step(&fill->job, where, value, error);
}

static int fill_set_hold(void *context, const char *where, const char *value, struct error *error)
{
	__u64 *ns = &((struct fill *)context)->job.hold_ns;

	if (units_parse_ns(value, ns) || !*ns)
		return job_refuse(error, where, value,
				  "a whole number with ms, s, m or h, more than 0");
	return 0;
}

static int fill_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct fill *)context)->job.json, where, value, error);
}

static int fill_set_quiet(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct fill *)context)->job.quiet, where, value, error);
}

static const struct option fill_options[] = {
	{ "in", "CGROUP",
	  "where: a path, pid:N, unit:NAME, docker:NAME, podman:NAME or the\n"
	  "beginning of a container's id (the tool's own)",
	  fill_set_in },
	{ "kind", "KIND[,KEY=VALUE]...",
	  "by what: any kind of run, with the options that say how it is made;\n"
	  "memstress kinds lists them (anon)",
	  fill_set_kind },
	{ "hold", "TIME", "end after as much time at the level (when a signal comes)",
	  fill_set_hold },
	{ "json", NULL, "JSON lines, one for everything that is done", fill_set_json },
	{ "quiet", NULL, "print nothing but the reason of a failure", fill_set_quiet },
	{}
};

static const struct option_group fill_groups[] = { { "Options", fill_options }, {} };

static const char fill_help_end[] =
	"\n"
	"A percentage is of the effective limit, the tightest of the cgroup and those above\n"
	"it that can be seen here, and it is the usage of whoever has that limit that is\n"
	"brought to the level: what others use in there counts. A size is for the usage of\n"
	"the cgroup itself.\n"
	"\n"
	"Ten times a second the usage is looked at, and what is too much is freed, what is\n"
	"missing made. If others come to the limit before that, it is the memory of this tool\n"
	"that the OOM killer takes.\n"
	"\n"
	"Exit codes: 0 it was held until it was ended; 1 the level was never reached, or the\n"
	"holder was killed; 2 misuse; 4 it cannot be done here.\n"
	"\n"
	"Examples:\n"
	"  memstress fill 80%\n"
	"  memstress fill --in system.slice/some.service --hold 10m 512M\n"
	"  memstress fill --kind page 70%\n";

void cmd_fill_help(void)
{
	option_print_help(fill_groups);
	output_print("%s", fill_help_end);
}

/* What a level takes the place of. */
static int fill_check_step(const struct step *step, struct error *error)
{
	const char *key = NULL;

	if (step->count || step->size.unit != AMOUNT_NONE)
		key = "size and count";
	else if (step->until != UNTIL_DONE)
		key = "until";
	else if (step->growth.shape != GROWTH_ONCE || step->growth.churn_bytes)
		key = "growth and churn";
	else if (!step->account)
		key = "noaccount";
	if (key)
		return error_set(error, STATUS_MISUSE,
				 "--kind %s: %s are not for fill: it is the level that says how much",
				 step->kind->name, key);
	return 0;
}

static int fill_finish(struct fill *fill, const char *level, struct error *error)
{
	struct step *step = &fill->job.steps[0];

	if (!fill->job.step_count && job_begin_step(&fill->job, "--kind", "anon", error))
		return -1;
	if (fill_check_step(step, error))
		return -1;
	if (units_parse_amount(level, &fill->amount) || !fill->amount.value)
		return error_set(error, STATUS_MISUSE,
				 "'%s' is no level; "
				 "give a size, with K, M, G or T if you like, or 1%% to 100%%",
				 level);
	step->size = fill->amount;
	return job_finish(&fill->job, error);
}

static int fill_conclude(const struct record_filled *filled)
{
	struct error error;

	if (filled->reached && !filled->worker_died)
		return STATUS_HELD;
	if (filled->worker_died)
		error_set(&error, STATUS_FAILED, "the process that held the memory was killed");
	else if (filled->looks)
		error_set(&error, STATUS_FAILED, "%s was not reached: usage was %s to %s",
			  units_bytes(filled->level_bytes).s, units_bytes(filled->lowest_bytes).s,
			  units_bytes(filled->highest_bytes).s);
	else
		error_set(&error, STATUS_FAILED, "%s was not reached when it was ended",
			  units_bytes(filled->level_bytes).s);
	return error_report(&error);
}

static int fill_do(const struct fill *fill, struct error *error)
{
	const struct job *job = &fill->job;
	struct record_filled filled = {};
	struct record_log log;
	int ret;

	record_log_init(&log, job->json ? json_print_record : job->quiet ? NULL : story_tell);
	log.is_stream = true;
	ret = fill_run(fill, &log, &filled, error);
	record_log_free(&log);
	return ret ? error_report(error) : fill_conclude(&filled);
}

/* The options may stand before the level and after it. */
static enum option_result fill_parse(struct fill *fill, int argc, char **argv, const char **level,
				     struct error *error)
{
	enum option_result result;
	int next = 0;

	result = option_parse(fill_groups, fill, argc, argv, &next, error);
	if (result != OPTION_GO)
		return result;
	if (next == argc) {
		error_set(error, STATUS_MISUSE, "how much? give a size or a percentage");
		return OPTION_ERROR;
	}
	*level = argv[next];
	return option_parse_all(fill_groups, fill, argc - next, argv + next, error);
}

int cmd_fill(int argc, char **argv)
{
	const char *level = NULL;
	struct fill fill = {};
	struct error error;

	job_init(&fill.job);
	switch (fill_parse(&fill, argc, argv, &level, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		if (!fill_finish(&fill, level, &error))
			return fill_do(&fill, &error);
		break;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
