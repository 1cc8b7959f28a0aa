// SPDX-License-Identifier: GPL-2.0
/* memstress squeeze: a limit of a live cgroup is lowered until something happens. */
#include <stdio.h>
#include <string.h>

#include "cgroup_name.h"
#include "clock.h"
#include "commands.h"
#include "crew.h"
#include "option.h"
#include "output.h"
#include "squeeze_json.h"
#include "squeeze_story.h"
#include "squeezer.h"

#define SQUEEZE_STEP_NS  NS_PER_S
#define SQUEEZE_RATE_NS  (100 * NS_PER_MS)
#define SQUEEZE_STUCK_NS (8 * NS_PER_S)

#define SQUEEZE_SIZE_HELP "a whole number, with K, M, G or T if you like, or 1% to 100%"

/**
 * struct squeeze_command - what was asked for
 * @order: most of it
 * @json: JSON lines
 */
struct squeeze_command {
	struct squeezer_order order;
	bool json;
};

static int squeeze_refuse(struct error *error, const char *where, const char *value,
			  const char *allowed)
{
	return error_set(error, STATUS_MISUSE, "%s: '%s' is not allowed; give %s", where, value,
			 allowed);
}

static int squeeze_set_limit(void *context, const char *where, const char *value,
			     struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	if (!strcmp(value, "max"))
		order->file = CG_MAX;
	else if (!strcmp(value, "high"))
		order->file = CG_HIGH;
	else
		return squeeze_refuse(error, where, value, "max or high");
	order->limit = value;
	return 0;
}

static int squeeze_set_step(void *context, const char *where, const char *value,
			    struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	if (units_parse_amount(value, &order->step) || !order->step.value)
		return squeeze_refuse(error, where, value, SQUEEZE_SIZE_HELP ", more than 0");
	return 0;
}

static int squeeze_set_rate(void *context, const char *where, const char *value,
			    struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	if (units_parse_rate(value, &order->plan.bytes_per_s) || !order->plan.bytes_per_s)
		return squeeze_refuse(error, where, value, "a size and /s, such as 10M/s");
	return 0;
}

static int squeeze_set_to(void *context, const char *where, const char *value, struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	if (units_parse_amount(value, &order->to))
		return squeeze_refuse(error, where, value, SQUEEZE_SIZE_HELP);
	return 0;
}

static int squeeze_set_floor(void *context, const char *where, const char *value,
			     struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	if (units_parse_amount(value, &order->floor))
		return squeeze_refuse(error, where, value, SQUEEZE_SIZE_HELP);
	return 0;
}

static int squeeze_parse_time(const char *where, const char *value, __u64 *ns, struct error *error)
{
	if (units_parse_ns(value, ns) || !*ns)
		return squeeze_refuse(error, where, value,
				      "a whole number with ms, s, m or h, more than 0");
	return 0;
}

static int squeeze_set_every(void *context, const char *where, const char *value,
			     struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	return squeeze_parse_time(where, value, &order->plan.every_ns, error);
}

static int squeeze_set_stuck_after(void *context, const char *where, const char *value,
				   struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	return squeeze_parse_time(where, value, &order->plan.stuck_after_ns, error);
}

static int squeeze_set_kills(void *context, const char *where, const char *value,
			     struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;

	if (units_parse_number(value, &order->plan.kills))
		return squeeze_refuse(error, where, value, "a whole number; 0: never");
	return 0;
}

static int squeeze_set_racers(void *context, const char *where, const char *value,
			      struct error *error)
{
	struct squeezer_order *order = &((struct squeeze_command *)context)->order;
	__u64 racers;

	if (units_parse_number(value, &racers) || racers > CREW_RACERS_MAX)
		return squeeze_refuse(error, where, value, "a whole number, at most 8");
	order->racers = racers;
	return 0;
}

static int squeeze_set_keep(void *context, const char *where, const char *value,
			    struct error *error)
{
	return option_set_flag(&((struct squeeze_command *)context)->order.keep, where, value,
			       error);
}

static int squeeze_set_json(void *context, const char *where, const char *value,
			    struct error *error)
{
	return option_set_flag(&((struct squeeze_command *)context)->json, where, value, error);
}

static const struct option squeeze_pace_options[] = {
	{ "step", "SIZE|N%", "by so much, and again", squeeze_set_step },
	{ "every", "TIME", "a step lasts so long, or its write (1s; of a rate: 100ms)",
	  squeeze_set_every },
	{ "rate", "SIZE/s", "by so much a second", squeeze_set_rate },
	{ "to", "SIZE|N%", "to this, at once", squeeze_set_to },
	{}
};

static const struct option squeeze_end_options[] = {
	{ "kills", "N", "when so many are killed (1); 0: whoever is killed", squeeze_set_kills },
	{ "floor", "SIZE|N%", "when this is reached (0)", squeeze_set_floor },
	{ "stuck-after", "TIME", "when a write lasts so long (8s); it is ended then",
	  squeeze_set_stuck_after },
	{}
};

static const struct option squeeze_options[] = {
	{ "limit", "max|high", "the limit that is lowered (max)", squeeze_set_limit },
	{ "racers", "N",
	  "N others write it all the time that the step does, up to 8: the\n"
	  "first raises it, the second lowers it as the step does, and so on;\n"
	  "then the step writes once more, alone",
	  squeeze_set_racers },
	{ "keep", NULL, "leave the limit as it is in the end", squeeze_set_keep },
	{ "json", NULL, "JSON lines, one for each step", squeeze_set_json },
	{}
};

static const struct option_group squeeze_groups[] = { { "How it goes down", squeeze_pace_options },
						      { "When it is over", squeeze_end_options },
						      { "Options", squeeze_options },
						      {} };

static const char squeeze_help_end[] =
	"\n" CGROUP_NAME_HELP "\n\n"
	"It begins at what the cgroup uses, or at its limit if that is lower; N% is of that.\n"
	"It is also over when the kernel refuses a limit, as cgroup v1 does (EBUSY) instead\n"
	"of killing, and at ^C, SIGTERM and any other signal that ends a process. Then the\n"
	"limit is put back, but for what somebody else, such as systemd at a reload, has\n"
	"written meanwhile. If memstress itself is killed, a process that it leaves for that\n"
	"puts it back; if that is killed, too, memstress clean does. Of a unit, systemd is\n"
	"asked in the end whether it has the same limit, and what it was told meanwhile\n"
	"counts; with --keep, it is told, until the machine boots again.\n"
	"\n"
	"  before, after  usage when the step began, and when its write was over\n"
	"  reclaimed      by pgsteal of memory.stat; on v1, what usage went down by\n"
	"  write          how long the write of the limit took: the kernel reclaims, and on\n"
	"                 v2 kills, before it returns\n"
	"  events         what memory.events counted in the step\n"
	"\n"
	"When a container ends whose cgroup it is, that is the end. Of one, it says how its\n"
	"first process fares, as the kernel tells, and how it has ended: 137 can be the OOM\n"
	"killer, SIGKILL of somebody else, or an exit code of its own. Its engine is asked\n"
	"for its state and its flag OOMKilled, for ten seconds at most and when the limit is\n"
	"back; where the flag is not what the kernel has counted, that is said.\n"
	"\n"
	"Who was killed stands there as far as the kernel log tells, which may be read by\n"
	"root, and leaves out some of many in a few seconds.\n"
	"\n"
	"Exit codes: 0 it is over as it was to be (killed, floor, refused, or a container\n"
	"ended of a kill); 1 a write did not end, or it was stopped, or failed, or the\n"
	"container ended of something else; 2 misuse; 4 it cannot be done here.\n"
	"\n"
	"Examples:\n"
	"  memstress squeeze job1 --step 10M --every 2s --floor 20M\n"
	"  memstress squeeze job1 --rate 10M/s --limit high\n"
	"  memstress squeeze job1 --to 6M --racers 1\n";

void cmd_squeeze_help(void)
{
	option_print_help(squeeze_groups);
	output_print("%s", squeeze_help_end);
}

static int squeeze_finish_command(struct squeeze_command *command, struct error *error)
{
	struct squeezer_order *order = &command->order;
	struct squeeze_plan *plan = &order->plan;
	bool by_steps = order->step.unit != AMOUNT_NONE;
	bool at_once = order->to.unit != AMOUNT_NONE;
	bool by_rate = plan->bytes_per_s;

	if (!order->cgroup)
		return error_set(error, STATUS_MISUSE,
				 "which cgroup? give its path, pid:N, unit:NAME or docker:NAME");
	if (by_steps + at_once + by_rate != 1)
		return error_set(error, STATUS_MISUSE,
				 "how does it go down? give one of --step, --rate and --to");
	if (at_once && order->floor.unit != AMOUNT_NONE)
		return error_set(error, STATUS_MISUSE, "--to and --floor exclude each other");
	plan->pace = by_steps ? SQUEEZE_BY_STEPS : by_rate ? SQUEEZE_BY_RATE : SQUEEZE_AT_ONCE;
	if (!plan->every_ns)
		plan->every_ns = by_rate ? SQUEEZE_RATE_NS : SQUEEZE_STEP_NS;
	return 0;
}

static int squeeze_do(const struct squeeze_command *command)
{
	struct record_log log;
	struct error error;
	bool is_held = false;
	int ret;

	record_log_init(&log, command->json ? squeeze_json_print : squeeze_story_tell);
	log.is_stream = true;
	ret = squeezer_run(&command->order, &log, &is_held, &error);
	record_log_free(&log);
	if (ret)
		return error_report(&error);
	return is_held ? STATUS_HELD : STATUS_FAILED;
}

/* Options may stand on either side of the cgroup. */
static enum option_result squeeze_parse(struct squeeze_command *command, int argc, char **argv,
					struct error *error)
{
	enum option_result result;
	int next = 0;

	result = option_parse(squeeze_groups, command, argc, argv, &next, error);
	if (result != OPTION_GO || next == argc)
		return result;
	command->order.cgroup = argv[next];
	return option_parse_all(squeeze_groups, command, argc - next, argv + next, error);
}

int cmd_squeeze(int argc, char **argv)
{
	struct squeeze_command command = {
		.order = {
			.limit = "max",
			.file = CG_MAX,
			.plan = { .kills = 1, .stuck_after_ns = SQUEEZE_STUCK_NS },
		},
	};
	struct error error;

	switch (squeeze_parse(&command, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		if (!squeeze_finish_command(&command, &error))
			return squeeze_do(&command);
		break;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
