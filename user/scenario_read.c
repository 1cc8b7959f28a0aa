// SPDX-License-Identifier: GPL-2.0
/* What the headings of a job file mean. */
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "job_read.h"
#include "scenario.h"

#define SCENARIO_HEADINGS "[cgroup], [cgroup NAME], [worker NAME], [step], [at TIME] and [expect]"

static const char *const scenario_needs[NEED_END] = {
	[NEED_V1] = "v1",
	[NEED_V2] = "v2",
	[NEED_SWAP] = "swap",
	[NEED_NO_SWAP] = "no-swap",
};

static int scenario_set_needs(void *context, const char *where, const char *value,
			      struct error *error)
{
	struct scenario *scenario = context;
	char text[64], *word, *rest = NULL;
	unsigned int i;

	snprintf(text, sizeof(text), "%s", value);
	for (word = strtok_r(text, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		for (i = 0; i < NEED_END && strcmp(word, scenario_needs[i]); i++)
			continue;
		if (i == NEED_END)
			return job_refuse(error, where, word, "some of v1, v2, swap and no-swap");
		scenario->needs[i] = true;
	}
	return 0;
}

static const struct option scenario_options[] = {
	{ "needs", "WHAT", "what the machine must have: v1, v2, swap, no-swap",
	  scenario_set_needs },
	{}
};

static const struct option_group scenario_groups[] = { { "The job", scenario_options },
						       { "The cgroup", job_place_options },
						       { "Its limits", limits_options },
						       { "The run", job_run_options },
						       {} };

static const struct option_group scenario_own_cgroup_groups[] = { { "The cgroup",
								    job_place_options },
								  { "Its limits", limits_options },
								  {} };

static const struct option_group scenario_cgroup_groups[] = { { "Its limits", limits_options },
							      {} };

static int scenario_set_worker_cgroup(void *context, const char *where, const char *value,
				      struct error *error)
{
	(void)where;
	(void)error;
	((struct scenario_worker *)context)->cgroup_name = value;
	return 0;
}

static int scenario_set_copies(void *context, const char *where, const char *value,
			       struct error *error)
{
	struct scenario_worker *worker = context;
	__u64 copies;

	if (units_parse_number(value, &copies) || !copies || copies > SCENARIO_COPIES_MAX)
		return job_refuse(error, where, value, "a whole number from 1 to 64");
	worker->copies = copies;
	return 0;
}

/* Whose options these are is the one that was begun last, so that the others stand before it. */
static int scenario_set_after(void *context, const char *where, const char *value,
			      struct error *error)
{
	struct scenario_worker *worker = context, *above = worker;

	while (worker->after < 0 && above->index) {
		above--;
		if (!strcmp(above->name, value))
			worker->after = above->index;
	}
	if (worker->after < 0)
		return job_refuse(error, where, value, "the name of a [worker] that stands above");
	return 0;
}

static int scenario_set_start(void *context, const char *where, const char *value,
			      struct error *error)
{
	struct scenario_worker *worker = context;

	if (units_parse_ns(value, &worker->start_ns))
		return job_refuse(error, where, value, "a whole number with ms, s, m or h");
	return 0;
}

static int scenario_set_hold(void *context, const char *where, const char *value,
			     struct error *error)
{
	struct scenario_worker *worker = context;

	return option_find(job_run_options, "hold")->set(&worker->job, where, value, error);
}

static const struct option scenario_worker_options[] = {
	{ "cgroup", "NAME", "where it begins; / is the job's own", scenario_set_worker_cgroup },
	{ "copies", "N", "how many there are of it (1)", scenario_set_copies },
	{ "after", "NAME", "start it when this one, which is above, has ended",
	  scenario_set_after },
	{ "start", "TIME", "start it so long after that, or the beginning (0)",
	  scenario_set_start },
	{ "hold", "TIME", "how long it holds what it has made (0)", scenario_set_hold },
	{}
};

static const struct option_group scenario_worker_groups[] = { { "The worker",
								scenario_worker_options },
							      {} };

static int scenario_set_time_cgroup(void *context, const char *where, const char *value,
				    struct error *error)
{
	(void)where;
	(void)error;
	((struct scenario_time *)context)->cgroup_name = value;
	return 0;
}

static int scenario_set_time_worker(void *context, const char *where, const char *value,
				    struct error *error)
{
	(void)where;
	(void)error;
	((struct scenario_time *)context)->worker_name = value;
	return 0;
}

static const struct option scenario_time_options[] = {
	{ "cgroup", "NAME", "whose limits; or into which it is moved", scenario_set_time_cgroup },
	{ "worker", "NAME", "the worker that is moved", scenario_set_time_worker },
	{}
};

static const struct option_group scenario_time_groups[] = { { "What happens",
							      scenario_time_options },
							    { "Limits", limits_options },
							    {} };

static int scenario_too_many(const struct scenario *scenario, const struct job_section *section,
			     unsigned int max, struct error *error)
{
	return error_set(error, STATUS_MISUSE, "%s:%u: [%s] is one too many; up to %u are allowed",
			 scenario->file->path, section->number, section->name, max);
}

static struct scenario_cgroup *scenario_find_cgroup(struct scenario *scenario, const char *name,
						    size_t length)
{
	unsigned int i;

	for (i = 0; i < scenario->cgroup_count; i++)
		if (strlen(scenario->cgroups[i].name) == length &&
		    !strncmp(scenario->cgroups[i].name, name, length))
			return &scenario->cgroups[i];
	return NULL;
}

/* Each name of the path has at least a letter, and is not "." or "..". */
static bool scenario_is_path(const char *name)
{
	for (;;) {
		size_t length = strcspn(name, "/");

		if (!length || !strncmp(name, ".", length) || !strncmp(name, "..", length))
			return false;
		if (!name[length])
			return true;
		name += length + 1;
	}
}

/* @name, and those above it that are not there. */
static int scenario_read_cgroup(struct scenario *scenario, const struct job_section *section,
				const char *name, struct error *error)
{
	struct scenario_cgroup *cgroup = NULL;
	size_t length = 0;

	if (!scenario_is_path(name))
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [%s] is not allowed; "
				 "give a path below the job's cgroup, such as a or a/b",
				 scenario->file->path, section->number, section->name);
	do {
		length += strcspn(name + length + !!length, "/") + !!length;
		cgroup = scenario_find_cgroup(scenario, name, length);
		if (!cgroup && scenario->cgroup_count == SCENARIO_CGROUPS_MAX)
			return scenario_too_many(scenario, section, SCENARIO_CGROUPS_MAX, error);
		if (!cgroup)
			cgroup = &scenario->cgroups[scenario->cgroup_count++];
		snprintf(cgroup->name, sizeof(cgroup->name), "%.*s", (int)length, name);
		if (name[length])
			cgroup->is_parent = true;
	} while (name[length]);
	if (cgroup->line)
		return error_set(error, STATUS_MISUSE, "%s:%u: [%s] is in line %u as well",
				 scenario->file->path, section->number, section->name,
				 cgroup->line);
	cgroup->line = section->number;
	return job_read_lines(scenario->file, section, scenario_cgroup_groups, cgroup, NULL, error);
}

static int scenario_read_worker(struct scenario *scenario, const struct job_section *section,
				const char *name, struct error *error)
{
	struct scenario_worker *worker = &scenario->workers[scenario->worker_count];
	unsigned int i;

	for (i = 0; i < scenario->worker_count; i++)
		if (!strcmp(scenario->workers[i].name, name))
			return error_set(error, STATUS_MISUSE, "%s:%u: [%s] is in line %u as well",
					 scenario->file->path, section->number, section->name,
					 scenario->workers[i].line);
	if (scenario->worker_count == SCENARIO_WORKERS_MAX)
		return scenario_too_many(scenario, section, SCENARIO_WORKERS_MAX, error);
	if (scenario->run.step_count)
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [%s] comes after a step; workers come before theirs",
				 scenario->file->path, section->number, section->name);
	scenario->worker_count++;
	worker->job = scenario->run;
	snprintf(worker->name, sizeof(worker->name), "%s", name);
	worker->line = section->number;
	worker->index = scenario->worker_count - 1;
	worker->cgroup = -1;
	worker->copies = 1;
	worker->after = -1;
	return job_read_lines(scenario->file, section, scenario_worker_groups, worker, &worker->job,
			      error);
}

static int scenario_read_step(struct scenario *scenario, const struct job_section *section,
			      struct error *error)
{
	static const struct option_group none[] = { {} };
	struct job *job = &scenario->run;

	if (scenario->worker_count)
		job = &scenario->workers[scenario->worker_count - 1].job;
	if (!job_read_find(section, "kind"))
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [step] has no kind; give kind = KIND, see run --help",
				 scenario->file->path, section->number);
	return job_read_lines(scenario->file, section, none, NULL, job, error);
}

static int scenario_read_time(struct scenario *scenario, const struct job_section *section,
			      const char *text, struct error *error)
{
	struct scenario_time *time = &scenario->times[scenario->time_count];

	if (scenario->time_count == SCENARIO_TIMES_MAX)
		return scenario_too_many(scenario, section, SCENARIO_TIMES_MAX, error);
	scenario->time_count++;
	time->line = section->number;
	time->cgroup = -1;
	time->worker = -1;
	if (units_parse_ns(text, &time->at_ns))
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: at: '%s' is not allowed; "
				 "give a whole number with ms, s, m or h",
				 scenario->file->path, section->number, text);
	return job_read_lines(scenario->file, section, scenario_time_groups, time, NULL, error);
}

static int scenario_read_heading(struct scenario *scenario, const struct job_section *section,
				 struct error *error)
{
	size_t length = strcspn(section->name, " \t");
	const char *rest = section->name + length + strspn(section->name + length, " \t");
	char word[16];

	snprintf(word, sizeof(word), "%.*s", (int)length, section->name);
	if (!strcmp(word, "cgroup") && *rest)
		return scenario_read_cgroup(scenario, section, rest, error);
	if (!strcmp(word, "cgroup"))
		return job_read_lines(scenario->file, section, scenario_own_cgroup_groups, scenario,
				      NULL, error);
	if (!strcmp(word, "worker") && *rest)
		return scenario_read_worker(scenario, section, rest, error);
	if (!strcmp(word, "step") && !*rest)
		return scenario_read_step(scenario, section, error);
	if (!strcmp(word, "at") && *rest)
		return scenario_read_time(scenario, section, rest, error);
	return error_set(error, STATUS_MISUSE, "%s:%u: [%s] is not allowed; there are %s",
			 scenario->file->path, section->number, section->name, SCENARIO_HEADINGS);
}

static int scenario_find_worker(const struct scenario *scenario, const char *name)
{
	unsigned int i;

	for (i = 0; i < scenario->worker_count; i++)
		if (!strcmp(scenario->workers[i].name, name))
			return i;
	return -1;
}

/* "oom", "all oom of a/b", "3 done": [QUANTITY] WHAT [of CGROUP] */
static int scenario_parse_expect(struct scenario *scenario, struct scenario_expect *expect,
				 const char *where, const char *text, struct error *error)
{
	char quantity[32] = "all", what[32] = "", of[8] = "", name[64] = "", more[8] = "";
	struct scenario_cgroup *cgroup;
	struct job scratch = {};
	int words;

	snprintf(expect->text, sizeof(expect->text), "%s", text);
	words = sscanf(text, " %31s %31s %7s %63s %7s", quantity, what, of, name, more);
	if (words == 1 || (words == 3 && !strcmp(what, "of"))) {
		snprintf(quantity, sizeof(quantity), "all");
		words = sscanf(text, " %31s %7s %63s %7s", what, of, name, more) + 1;
	}
	if (!strcmp(quantity, "all"))
		expect->quantity = QUANTITY_ALL;
	else if (!strcmp(quantity, "some"))
		expect->quantity = QUANTITY_SOME;
	else if (!strcmp(quantity, "none"))
		expect->quantity = QUANTITY_NONE;
	else if (!units_parse_number(quantity, &expect->number))
		expect->quantity = QUANTITY_NUMBER;
	else
		words = 0;
	if ((words != 2 && words != 4) || (words == 4 && strcmp(of, "of")))
		return job_refuse(error, where, text,
				  "[all|some|none|N] WHAT [of CGROUP], WHAT as of --expect");
	if (option_find(job_run_options, "expect")->set(&scratch, where, what, error))
		return -1;
	expect->what = scratch.expect;
	expect->is_of = words == 4;
	expect->of = -1;
	if (expect->is_of && expect->what != EXPECT_OOM)
		return job_refuse(error, where, text, "of CGROUP with oom only");
	if (!expect->is_of || !strcmp(name, "/"))
		return 0;
	cgroup = scenario_find_cgroup(scenario, name, strlen(name));
	if (!cgroup)
		return job_refuse(error, where, name, "the name of a [cgroup], or /");
	expect->of = cgroup - scenario->cgroups;
	return 0;
}

/* WORKER = EXPECTATION, and more of them behind commas. */
static int scenario_read_expect(struct scenario *scenario, const struct job_line *line,
				struct error *error)
{
	struct job_where where = job_where(scenario->file, line);
	int worker = scenario_find_worker(scenario, line->key);
	char text[256], *item, *rest = NULL;

	if (worker < 0)
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: there is no [worker %s]; give WORKER = WHAT",
				 scenario->file->path, line->number, line->key);
	snprintf(text, sizeof(text), "%s", line->value);
	item = strtok_r(text, ",", &rest);
	if (!item)
		return job_refuse(error, where.s, line->value,
				  "[all|some|none|N] WHAT [of CGROUP], WHAT as of --expect");
	for (; item; item = strtok_r(NULL, ",", &rest)) {
		struct scenario_expect *expect = &scenario->expects[scenario->expect_count];

		if (scenario->expect_count == SCENARIO_EXPECTS_MAX)
			return error_set(error, STATUS_MISUSE,
					 "%s: this is one too many; up to %u are allowed", where.s,
					 SCENARIO_EXPECTS_MAX);
		expect->line = line->number;
		expect->worker = worker;
		if (scenario_parse_expect(scenario, expect, where.s, item + strspn(item, " \t"),
					  error))
			return -1;
		scenario->expect_count++;
	}
	return 0;
}

/* Names are known when all else was read. */
static int scenario_read_expects(struct scenario *scenario, struct error *error)
{
	unsigned int i, j;

	for (i = 0; i < scenario->file->count; i++) {
		const struct job_section *section = &scenario->file->sections[i];

		for (j = 0; !strcmp(section->name, "expect") && j < section->count; j++)
			if (scenario_read_expect(scenario, &section->lines[j], error))
				return -1;
	}
	return 0;
}

/* Steps that stand below no [worker] are of one that has this name. */
static void scenario_name_worker(struct scenario *scenario)
{
	struct scenario_worker *worker = &scenario->workers[0];

	if (scenario->worker_count || !scenario->run.step_count)
		return;
	scenario->worker_count = 1;
	snprintf(worker->name, sizeof(worker->name), "%s", SCENARIO_WORKER_NAME);
	worker->job = scenario->run;
	worker->cgroup = -1;
	worker->copies = 1;
	worker->after = -1;
}

int scenario_read(struct scenario *scenario, const struct job_file *file, struct error *error)
{
	const struct job_line *needs = job_read_find(&file->sections[0], "needs");
	unsigned int i;

	memset(scenario, 0, sizeof(*scenario));
	scenario->file = file;
	job_init(&scenario->run);
	scenario->run.file = file->path;
	scenario->needs_line = needs ? needs->number : 0;
	if (job_read_lines(file, &file->sections[0], scenario_groups, scenario, &scenario->run,
			   error))
		return -1;
	for (i = 1; i < file->count; i++)
		if (strcmp(file->sections[i].name, "expect") &&
		    scenario_read_heading(scenario, &file->sections[i], error))
			return -1;
	scenario_name_worker(scenario);
	return scenario_read_expects(scenario, error);
}
