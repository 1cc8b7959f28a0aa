// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_name.h"
#include "clock.h"
#include "scenario.h"

bool scenario_is_large(const struct scenario *scenario)
{
	const struct scenario_worker *worker = &scenario->workers[0];
	unsigned int i;

	if (scenario->cgroup_count || scenario->time_count || scenario->worker_count > 1)
		return true;
	for (i = 0; i < scenario->expect_count; i++)
		if (scenario->expects[i].quantity != QUANTITY_ALL || scenario->expects[i].is_of)
			return true;
	return scenario->expect_count > 1 ||
	       (scenario->worker_count && (worker->copies > 1 || worker->start_ns));
}

const char *scenario_cgroup_name(const struct scenario *scenario, int cgroup)
{
	return cgroup < 0 ? "/" : scenario->cgroups[cgroup].name;
}

/* "/, a, a/b": those that there are; only those that workers can be in if @leaves. */
static void scenario_list_cgroups(const struct scenario *scenario, bool leaves, char *text,
				  size_t size)
{
	size_t length = 0;
	unsigned int i;

	*text = '\0';
	if (!leaves || !scenario->cgroup_count)
		length = snprintf(text, size, "/");
	for (i = 0; i < scenario->cgroup_count && length < size; i++)
		if (!leaves || !scenario->cgroups[i].is_parent)
			length += snprintf(text + length, size - length, "%s%s", length ? ", " : "",
					   scenario->cgroups[i].name);
}

/* Finds @name, or the job's own if it is not said. */
static int scenario_resolve(const struct scenario *scenario, const char *name, bool leaves,
			    const char *what, unsigned int line, int *cgroup, struct error *error)
{
	char names[512];
	bool is_found;

	*cgroup = -1;
	is_found = !name || !strcmp(name, "/");
	while (!is_found && ++*cgroup < (int)scenario->cgroup_count)
		is_found = !strcmp(scenario->cgroups[*cgroup].name, name);
	if (is_found && (!leaves || (*cgroup < 0 ? !scenario->cgroup_count :
						   !scenario->cgroups[*cgroup].is_parent)))
		return 0;
	scenario_list_cgroups(scenario, leaves, names, sizeof(names));
	if (is_found)
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [%s] cgroup: '%s' is not allowed, as there are some below; "
				 "give one of %s",
				 scenario->file->path, line, what, name ? name : "/", names);
	return error_set(error, STATUS_MISUSE,
			 "%s:%u: [%s] cgroup: '%s' is not allowed; give one of %s",
			 scenario->file->path, line, what, name, names);
}

/* What director.c cannot do with several at a time. */
static int scenario_check_job(const struct scenario *scenario, const struct scenario_worker *worker,
			      struct error *error)
{
	const char *file = scenario->file->path;
	unsigned int i;

	if (worker->job.outside)
		return error_set(error, STATUS_MISUSE,
				 "%s: payer: 'outside' is not allowed; it is for a job of one worker",
				 file);
	for (i = 0; i < worker->job.step_count; i++)
		if (worker->job.steps[i].growth.churn_bytes)
			return error_set(error, STATUS_MISUSE,
					 "%s:%u: churn is not allowed; it is for a job of one worker",
					 file, worker->job.steps[i].line);
	return 0;
}

static int scenario_finish_worker(struct scenario *scenario, struct scenario_worker *worker,
				  struct error *error)
{
	char what[96];

	snprintf(what, sizeof(what), "worker %s", worker->name);
	if (scenario_resolve(scenario, worker->cgroup_name, true, what, worker->line,
			     &worker->cgroup, error))
		return -1;
	worker->job.json = false;
	worker->job.quiet = false;
	if (job_finish(&worker->job, error))
		return -1;
	return scenario_check_job(scenario, worker, error);
}

static int scenario_finish_time(struct scenario *scenario, struct scenario_time *time,
				struct error *error)
{
	bool has_limits = limits_are_set(&time->limits);
	unsigned int i;

	if (has_limits == !!time->worker_name)
		return error_set(error, STATUS_MISUSE,
				 "%s:%u: [at] has not one thing to do; "
				 "give limits of a cgroup, or a worker that is moved into it",
				 scenario->file->path, time->line);
	if (scenario_resolve(scenario, time->cgroup_name, !!time->worker_name, "at", time->line,
			     &time->cgroup, error))
		return -1;
	for (i = 0; time->worker_name && i < scenario->worker_count; i++)
		if (!strcmp(scenario->workers[i].name, time->worker_name))
			time->worker = i;
	if (time->worker_name && time->worker < 0)
		return error_set(error, STATUS_MISUSE, "%s:%u: there is no [worker %s]",
				 scenario->file->path, time->line, time->worker_name);
	return 0;
}

/* In the order of their times; of the same time, in that of the file. */
static int scenario_compare(const void *one, const void *other)
{
	const struct scenario_time *a = one, *b = other;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return a->line < b->line ? -1 : 1;
}

/* The only worker's own becomes that of the whole. */
static int scenario_finish_small(struct scenario *scenario, struct error *error)
{
	struct scenario_worker *worker = &scenario->workers[0];
	struct job *run = &scenario->run;
	int cgroup;

	if (scenario->worker_count) {
		if (scenario_resolve(scenario, worker->cgroup_name, true, "worker", worker->line,
				     &cgroup, error))
			return -1;
		memcpy(run->steps, worker->job.steps, sizeof(run->steps));
		run->step_count = worker->job.step_count;
		run->hold_ns = worker->job.hold_ns;
	}
	if (scenario->expect_count) {
		run->expect = scenario->expects[0].what;
		run->expect_given = true;
	}
	return job_finish(run, error);
}

int scenario_finish(struct scenario *scenario, struct error *error)
{
	unsigned int i;

	for (i = 0; i < scenario->worker_count; i++)
		if (!scenario->workers[i].job.step_count)
			return error_set(error, STATUS_MISUSE,
					 "%s:%u: [worker %s] has no [step] below it",
					 scenario->file->path, scenario->workers[i].line,
					 scenario->workers[i].name);
	if (!scenario_is_large(scenario))
		return scenario_finish_small(scenario, error);
	if (!scenario->worker_count)
		return error_set(error, STATUS_MISUSE, "%s: there is no [step]; nothing to do",
				 scenario->file->path);
	if (job_finish_place(&scenario->run, error))
		return -1;
	for (i = 0; i < scenario->worker_count; i++)
		if (scenario_finish_worker(scenario, &scenario->workers[i], error))
			return -1;
	/* On cgroup v2 there can be no processes where there are cgroups below. */
	scenario->run.outside = scenario->cgroup_count;
	for (i = 0; i < scenario->time_count; i++)
		if (scenario_finish_time(scenario, &scenario->times[i], error))
			return -1;
	qsort(scenario->times, scenario->time_count, sizeof(*scenario->times), scenario_compare);
	if (scenario->run.json && scenario->run.quiet)
		return error_set(error, STATUS_MISUSE, "json and quiet exclude each other");
	return 0;
}

static bool scenario_has_swap(void)
{
	char line[256];
	FILE *swaps = fopen("/proc/swaps", "re");
	unsigned int lines = 0;

	while (swaps && fgets(line, sizeof(line), swaps))
		lines++;
	if (swaps)
		fclose(swaps);
	return lines > 1;
}

static int scenario_lacks(const struct scenario *scenario, const char *what, const char *why,
			  struct error *error)
{
	return error_set(error, STATUS_UNSUPPORTED, "%s:%u: needs: '%s' is not what is here: %s",
			 scenario->file->path, scenario->needs_line, what, why);
}

int scenario_check_needs(const struct scenario *scenario, struct error *error)
{
	struct cg_tree tree;

	if (cgroup_name_find_tree(&tree, error))
		return -1;
	if (scenario->needs[NEED_V1] && tree.ops->version != 1)
		return scenario_lacks(scenario, "v1", "memory is on cgroup v2 here", error);
	if (scenario->needs[NEED_V2] && tree.ops->version != 2)
		return scenario_lacks(scenario, "v2", "memory is on cgroup v1 here", error);
	if (scenario->needs[NEED_SWAP] && !scenario_has_swap())
		return scenario_lacks(scenario, "swap", "there is no swap here", error);
	if (scenario->needs[NEED_NO_SWAP] && scenario_has_swap())
		return scenario_lacks(scenario, "no-swap", "there is swap here", error);
	return 0;
}
