// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "output.h"
#include "squeeze_story.h"
#include "story.h"

static struct units_text squeeze_story_limit(__u64 bytes)
{
	struct units_text none = { "max" };

	return bytes == CG_UNLIMITED ? none : units_bytes(bytes);
}

static void squeeze_story_tell_pace(const struct squeeze_plan *plan)
{
	if (plan->pace == SQUEEZE_AT_ONCE) {
		output_print("to %s at once", units_bytes(plan->floor_bytes).s);
		return;
	}
	output_print("from %s ", units_bytes(plan->start_bytes).s);
	if (plan->pace == SQUEEZE_BY_STEPS)
		output_print("by %s every %s", units_bytes(plan->step_bytes).s,
			     units_ns(plan->every_ns).s);
	else
		output_print("by %s a second", units_bytes(plan->bytes_per_s).s);
	output_print(", down to %s", units_bytes(plan->floor_bytes).s);
}

static void squeeze_story_tell_begin(const struct record_squeeze *squeeze)
{
	const struct squeeze_plan *plan = &squeeze->plan;

	output_styled(OUTPUT_FAINT, "cgroup  ");
	output_print("%s\n", squeeze->path);
	output_styled(OUTPUT_FAINT, "limit   ");
	output_print("%s %s, usage %s\n", squeeze->file, squeeze_story_limit(squeeze->old_bytes).s,
		     units_bytes(squeeze->usage_bytes).s);
	output_styled(OUTPUT_FAINT, "squeeze ");
	squeeze_story_tell_pace(plan);
	if (plan->kills == 1)
		output_print(", until somebody is killed");
	else if (plan->kills)
		output_print(", until %llu are killed", plan->kills);
	if (squeeze->racers)
		output_print("; %u %s it, too", squeeze->racers,
			     squeeze->racers == 1 ? "other writes" : "others write");
	output_print("\n\n");
	output_styled(OUTPUT_HEADING, "%11s  %4s  %7s  %7s  %7s  %9s  %8s  %s\n", "time", "step",
		      "limit", "before", "after", "reclaimed", "write", "events");
}

static void squeeze_story_time(const struct record *record)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f s", (double)record->time_ns / NS_PER_S);
	output_styled(OUTPUT_FAINT, "%11s  ", text);
}

static void squeeze_story_tell_events(const struct snapshot_events *events)
{
	const char *comma = "";
	int i;

	for (i = 0; i < EVENT_END; i++) {
		if (events->value[i] == CG_MISSING || !events->value[i])
			continue;
		output_print("%s%s +%llu", comma, snapshot_event_names[i], events->value[i]);
		comma = ", ";
	}
	output_print("%s\n", *comma ? "" : "none");
}

static void squeeze_story_tell_lowered(const struct record *record)
{
	const struct record_lowered *lowered = &record->lowered;

	squeeze_story_time(record);
	output_print("%4u  %7s  %7s  %7s  %9s  %8s  ", lowered->step,
		     units_bytes(lowered->limit_bytes).s,
		     units_bytes(lowered->usage_before_bytes).s,
		     units_bytes(lowered->usage_after_bytes).s,
		     units_bytes(lowered->reclaimed_bytes).s, units_ns(lowered->write_ns).s);
	squeeze_story_tell_events(&lowered->events);
	if (!lowered->is_done) {
		squeeze_story_time(record);
		output_print("the write of %s has not ended; the limit is %s now\n",
			     units_bytes(lowered->limit_bytes).s,
			     squeeze_story_limit(lowered->limit_now_bytes).s);
	} else if (lowered->error == -ENODEV) {
		squeeze_story_time(record);
		output_print("%s: the cgroup was gone\n", units_bytes(lowered->limit_bytes).s);
	} else if (lowered->error) {
		squeeze_story_time(record);
		output_print("%s: %s; the limit is still %s\n", units_bytes(lowered->limit_bytes).s,
			     strerror(-lowered->error),
			     squeeze_story_limit(lowered->limit_now_bytes).s);
	} else if (lowered->racers) {
		squeeze_story_time(record);
		output_print("raced by %llu other writes, %llu of them refused, %s the slowest\n",
			     lowered->race.writes, lowered->race.refused,
			     units_ns(lowered->race.slowest_ns).s);
	}
	if (lowered->is_done && !lowered->error &&
	    lowered->limit_now_bytes != lowered->limit_bytes) {
		squeeze_story_time(record);
		output_print("the limit is %s now, as somebody else has written\n",
			     squeeze_story_limit(lowered->limit_now_bytes).s);
	}
}

static void squeeze_story_tell_recovered(const struct record *record)
{
	struct units_text since = units_ns(record->recovered.since_ns);

	squeeze_story_time(record);
	switch (record->recovered.by) {
	case BY_RAISE:
		output_print("raising the limit ended it, %s later\n", since.s);
		break;
	case BY_SIGNAL:
		output_print("a signal ended it, %s later\n", since.s);
		break;
	case BY_KILL:
		output_print("killing the writer ended it, %s later\n", since.s);
		break;
	case BY_NOTHING:
		output_print("not even killing the writer has ended it in %s\n", since.s);
		break;
	}
}

static void squeeze_story_tell_kills(const struct record_squeezed *squeezed)
{
	if (!squeezed->kills)
		output_print("nobody was killed");
	else
		output_print("%llu %s killed", squeezed->kills,
			     squeezed->kills == 1 ? "was" : "were");
}

static void squeeze_story_tell_limit(const struct record_squeezed *squeezed)
{
	struct units_text now = squeeze_story_limit(squeezed->now_bytes);

	switch (squeezed->left) {
	case LEFT_RESTORED:
		output_print("; %s is %s again\n", squeezed->file, now.s);
		break;
	case LEFT_KEPT:
		output_print("; %s stays at %s\n", squeezed->file, now.s);
		break;
	case LEFT_GONE:
		output_print("; %s is gone with the cgroup\n", squeezed->file);
		break;
	case LEFT_FOREIGN:
		output_print("; %s is %s, as somebody else has written, and stays so\n",
			     squeezed->file, now.s);
		break;
	}
}

/* Of a cgroup that is gone nobody has a limit. */
static void squeeze_story_tell_unit(const struct record_squeezed *squeezed)
{
	const struct systemd_limit *unit = &squeezed->unit;
	__u64 bytes = systemd_limit_bytes(unit);

	if (!unit->is_unit || squeezed->left == LEFT_GONE)
		return;
	if (!unit->is_known)
		output_print("systemd cannot be asked what it has for %s: %s\n", unit->unit,
			     unit->why);
	else if (bytes == squeezed->now_bytes)
		output_print("systemd agrees: %s of %s is %s\n", unit->name, unit->unit,
			     squeeze_story_limit(bytes).s);
	else
		output_print("systemd does not agree: %s of %s is %s, which it may write again\n",
			     unit->name, unit->unit, squeeze_story_limit(bytes).s);
}

static void squeeze_story_tell_end(const struct record_squeezed *squeezed)
{
	struct units_text limit = units_bytes(squeezed->limit_bytes);

	output_styled(squeezed->end == SQUEEZE_STUCK ? OUTPUT_BAD : OUTPUT_GOOD, "\n%s",
		      squeeze_end_name(squeezed->end));
	output_print(": ");
	switch (squeezed->end) {
	case SQUEEZE_KILLED:
		output_print("at %s, in step %u, ", limit.s, squeezed->step);
		squeeze_story_tell_kills(squeezed);
		break;
	case SQUEEZE_FLOOR:
		output_print("%s is reached, and ", limit.s);
		squeeze_story_tell_kills(squeezed);
		break;
	case SQUEEZE_REFUSED:
		output_print("%s is less than what cannot be reclaimed, says the kernel", limit.s);
		break;
	case SQUEEZE_ENDED:
		output_print("the container has, at %s, in step %u, and ", limit.s, squeezed->step);
		squeeze_story_tell_kills(squeezed);
		break;
	case SQUEEZE_STUCK:
		output_print("the write of %s did not end by itself", limit.s);
		break;
	default:
		output_print("in step %u, at %s", squeezed->step, limit.s);
	}
	squeeze_story_tell_limit(squeezed);
	if (squeezed->flaw)
		output_print("it went on for a limit that was not in force any more: this kernel\n"
			     "lacks \"%s\"\n"
			     "(which 6.1.188, 6.12.109 and 7.3 have)\n",
			     squeezed->flaw);
	squeeze_story_tell_unit(squeezed);
	if (squeezed->fate.is_container)
		fate_tell(&squeezed->fate);
}

/* What events went up by stands in the steps, and whom the kernel chose in whom it killed. */
static bool squeeze_story_leaves_out(const struct record *record)
{
	return record->type == RECORD_EVENTS || record->type == RECORD_ERROR ||
	       (record->type == RECORD_OOM && record->oom.what == KMSG_CHOSEN);
}

void squeeze_story_tell(const struct record *record)
{
	switch (record->type) {
	case RECORD_SQUEEZE:
		squeeze_story_tell_begin(&record->squeeze);
		break;
	case RECORD_LOWERED:
		squeeze_story_tell_lowered(record);
		break;
	case RECORD_RECOVERED:
		squeeze_story_tell_recovered(record);
		break;
	case RECORD_SQUEEZED:
		squeeze_story_tell_end(&record->squeezed);
		break;
	default:
		if (!squeeze_story_leaves_out(record))
			story_tell(record);
	}
}
