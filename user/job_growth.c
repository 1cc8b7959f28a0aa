// SPDX-License-Identifier: GPL-2.0
/* The options for the growth of a step. */
#include <stdio.h>
#include <string.h>

#include "job.h"

static int job_set_growth(void *context, const char *where, const char *value, struct error *error)
{
	int shape = growth_find(value);

	if (shape < 0)
		return job_refuse(error, where, value,
				  "once, linear, geometric, steps, random, spike or leak");
	job_step(context)->growth.shape = shape;
	return 0;
}

/* A size for each second: "10M/s", or "10M". */
static int job_set_a_rate(__u64 *bytes, const char *where, const char *value, struct error *error)
{
	size_t length = strlen(value);
	char text[32];

	if (length > 2 && !strcmp(value + length - 2, "/s"))
		length -= 2;
	snprintf(text, sizeof(text), "%.*s", (int)length, value);
	if (length >= sizeof(text) || units_parse_bytes(text, bytes) || !*bytes)
		return job_refuse(error, where, value, "a size for each second, as 10M/s");
	return 0;
}

static int job_set_rate(void *context, const char *where, const char *value, struct error *error)
{
	return job_set_a_rate(&job_step(context)->growth.rate_bytes, where, value, error);
}

static int job_set_churn(void *context, const char *where, const char *value, struct error *error)
{
	return job_set_a_rate(&job_step(context)->growth.churn_bytes, where, value, error);
}

static int job_set_step(void *context, const char *where, const char *value, struct error *error)
{
	__u64 *bytes = &job_step(context)->growth.step_bytes;

	if (units_parse_bytes(value, bytes) || !*bytes)
		return job_refuse(error, where, value,
				  "a whole number, with K, M, G or T if you like, more than 0");
	return 0;
}

static int job_set_every(void *context, const char *where, const char *value, struct error *error)
{
	__u64 *ns = &job_step(context)->growth.every_ns;

	if (units_parse_ns(value, ns) || !*ns)
		return job_refuse(error, where, value,
				  "a whole number with ms, s, m or h, more than 0");
	return 0;
}

static int job_set_a_number(__u64 *number, const char *where, const char *value,
			    struct error *error)
{
	if (units_parse_number(value, number) || !*number)
		return job_refuse(error, where, value, "a whole number, at least 1");
	return 0;
}

static int job_set_factor(void *context, const char *where, const char *value, struct error *error)
{
	return job_set_a_number(&job_step(context)->growth.factor, where, value, error);
}

static int job_set_times(void *context, const char *where, const char *value, struct error *error)
{
	return job_set_a_number(&job_step(context)->growth.times, where, value, error);
}

const struct option job_growth_options[] = {
	{ "growth", "SHAPE",
	  "how the step comes to its size: once (default), linear (by --rate),\n"
	  "geometric (from --step, --factor times as much --every TIME), steps\n"
	  "(--step more --every TIME), random (up or down by up to --step --every\n"
	  "TIME, --times), spike (up at once, --every TIME down to --step and up\n"
	  "again, --times), leak (--step more --every TIME, of which all but a\n"
	  "--factor-th is freed again)",
	  job_set_growth },
	{ "rate", "SIZE/s", "how fast it grows, of linear", job_set_rate },
	{ "step", "SIZE",
	  "how much at a time; of geometric, to begin with (an object); of spike,\n"
	  "what stays (0)",
	  job_set_step },
	{ "every", "TIME", "time between two moves (1s)", job_set_every },
	{ "factor", "N", "of geometric (2); of leak, which part stays (10)", job_set_factor },
	{ "times", "N", "how many moves of random (10), or spikes (1)", job_set_times },
	{ "churn", "SIZE/s",
	  "while --hold lasts, free as much each second, the newest first, and\n"
	  "make it again",
	  job_set_churn },
	{}
};
