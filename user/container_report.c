// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "container_report.h"
#include "program_output.h"
#include "units.h"

/* Programs of engines may have warnings for us as well. */
#define CONTAINER_REPORT_MARK "memstress-report"

#define CONTAINER_REPORT_FORMAT                                                      \
	CONTAINER_REPORT_MARK " {{.State.Status}} {{.State.Running}} {{.State.Pid}}" \
			      " {{.State.ExitCode}} {{.State.OOMKilled}}"

static void container_report_parse(const char *text, struct container_report *report)
{
	const char *line = strstr(text, CONTAINER_REPORT_MARK);
	char running[8], oom_killed[8];

	if (!line || sscanf(line, CONTAINER_REPORT_MARK " %23s %7s %d %d %7s", report->status,
			    running, &report->pid, &report->exit_code, oom_killed) != 5) {
		snprintf(report->why, sizeof(report->why), "its answer makes no sense");
		return;
	}
	report->is_running = !strcmp(running, "true");
	report->oom_killed = !strcmp(oom_killed, "true");
	report->is_known = true;
}

/* The last line that a program has said, which is what made it give up. */
static void container_report_complain(char *text, struct container_report *report)
{
	char *line, *last = "it has failed";

	while ((line = strsep(&text, "\n")))
		if (line[strspn(line, " \t")])
			last = line;
	snprintf(report->why, sizeof(report->why), "%s", last);
}

void container_report_ask(const struct container *container, __u64 timeout_ns,
			  struct container_report *report)
{
	const char *const argv[] = {
		container->engine ? container->engine->name : NULL,
		"inspect",
		"--type",
		"container",
		"--format",
		CONTAINER_REPORT_FORMAT,
		"--",
		container->id,
		NULL,
	};
	const struct program_question question = { argv, true, timeout_ns };
	char text[1024];
	int ret;

	memset(report, 0, sizeof(*report));
	if (!container->engine) {
		snprintf(report->why, sizeof(report->why),
			 "memstress knows no engine that calls cgroups '%s-'", container->label);
		return;
	}
	ret = program_output(&question, text, sizeof(text));
	if (!ret)
		container_report_parse(text, report);
	else if (ret == -EIO)
		container_report_complain(text, report);
	else if (ret == -ETIME)
		snprintf(report->why, sizeof(report->why), "it has not answered in %s",
			 units_ns(timeout_ns).s);
	else
		snprintf(report->why, sizeof(report->why), "cannot run its program: %s",
			 strerror(-ret));
}
