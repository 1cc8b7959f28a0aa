// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "squeeze.h"

void squeeze_begin(struct squeeze *squeeze, const struct squeeze_plan *plan, __u64 now_ns)
{
	memset(squeeze, 0, sizeof(*squeeze));
	squeeze->plan = *plan;
	squeeze->begin_ns = now_ns;
	squeeze->limit_bytes = plan->start_bytes;
}

/* What is to be gone by then, from the start. */
static __u64 squeeze_gone(const struct squeeze *squeeze, __u64 now_ns)
{
	const struct squeeze_plan *plan = &squeeze->plan;
	__u64 ns = now_ns - squeeze->begin_ns;
	__u64 bytes = plan->start_bytes;

	switch (plan->pace) {
	case SQUEEZE_BY_STEPS:
		return plan->start_bytes - squeeze->limit_bytes + plan->step_bytes;
	case SQUEEZE_BY_RATE:
		/* The first step has the time in which it lasts. */
		if (__builtin_mul_overflow((ns + plan->every_ns) / NS_PER_MS, plan->bytes_per_s,
					   &bytes))
			return plan->start_bytes;
		return bytes / 1000;
	case SQUEEZE_AT_ONCE:
		break;
	}
	return bytes;
}

/* Each step is lower than the one before it, by a page at least. */
static __u64 squeeze_next_limit(const struct squeeze *squeeze, __u64 now_ns)
{
	const struct squeeze_plan *plan = &squeeze->plan;
	__u64 gone = squeeze_gone(squeeze, now_ns);
	__u64 limit = gone < plan->start_bytes ? plan->start_bytes - gone : 0;

	limit -= limit % plan->page_bytes;
	if (limit + plan->page_bytes > squeeze->limit_bytes)
		limit = squeeze->limit_bytes < plan->page_bytes ?
				0 :
				squeeze->limit_bytes - plan->page_bytes;
	return limit < plan->floor_bytes ? plan->floor_bytes : limit;
}

static void squeeze_finish(struct squeeze *squeeze, enum squeeze_end end)
{
	squeeze->state = SQUEEZE_IS_OVER;
	squeeze->end = end;
}

static bool squeeze_has_killed(const struct squeeze *squeeze)
{
	return squeeze->plan.kills && squeeze->kills >= squeeze->plan.kills;
}

/* After a step, which ends when its time is up, or the squeeze with it. */
static enum squeeze_what squeeze_watch(struct squeeze *squeeze, __u64 now_ns)
{
	if (squeeze_has_killed(squeeze) && squeeze->end != SQUEEZE_ENDED)
		squeeze_finish(squeeze, SQUEEZE_KILLED);
	else if (squeeze->end != SQUEEZE_GOES_ON)
		squeeze_finish(squeeze, squeeze->end);
	else if (now_ns < squeeze->step_ns + squeeze->plan.every_ns)
		return SQUEEZE_WAIT;
	else if (squeeze->limit_bytes <= squeeze->plan.floor_bytes)
		squeeze_finish(squeeze, SQUEEZE_FLOOR);
	else
		squeeze->state = SQUEEZE_IS_READY;
	return SQUEEZE_STEP_OVER;
}

static enum squeeze_what squeeze_lower(struct squeeze *squeeze, __u64 now_ns)
{
	squeeze->state = SQUEEZE_IS_WRITING;
	squeeze->step++;
	squeeze->limit_bytes = squeeze_next_limit(squeeze, now_ns);
	squeeze->step_ns = now_ns;
	squeeze->due_ns = now_ns + squeeze->plan.stuck_after_ns;
	return SQUEEZE_LOWER;
}

/* Where nobody is left in the cgroup, its write ends soon. */
static enum squeeze_what squeeze_write(struct squeeze *squeeze, __u64 now_ns)
{
	bool may_last = squeeze->end == SQUEEZE_GOES_ON || squeeze->end == SQUEEZE_ENDED;

	if (may_last && now_ns < squeeze->due_ns)
		return SQUEEZE_WAIT;
	squeeze_finish(squeeze, may_last ? SQUEEZE_STUCK : squeeze->end);
	return SQUEEZE_STEP_OVER;
}

enum squeeze_what squeeze_next(struct squeeze *squeeze, __u64 now_ns)
{
	switch (squeeze->state) {
	case SQUEEZE_IS_READY:
		if (squeeze->end == SQUEEZE_GOES_ON)
			return squeeze_lower(squeeze, now_ns);
		squeeze_finish(squeeze, squeeze->end);
		return SQUEEZE_OVER;
	case SQUEEZE_IS_WRITING:
		return squeeze_write(squeeze, now_ns);
	case SQUEEZE_IS_WATCHING:
		squeeze->due_ns = squeeze->step_ns + squeeze->plan.every_ns;
		return squeeze_watch(squeeze, now_ns);
	case SQUEEZE_IS_OVER:
		break;
	}
	return SQUEEZE_OVER;
}

void squeeze_write_again(struct squeeze *squeeze, __u64 now_ns)
{
	squeeze->due_ns = now_ns + squeeze->plan.stuck_after_ns;
}

void squeeze_written(struct squeeze *squeeze, int error)
{
	squeeze->state = SQUEEZE_IS_WATCHING;
	if (error == -EBUSY)
		squeeze_stop(squeeze, SQUEEZE_REFUSED);
	else if (error)
		squeeze_stop(squeeze, SQUEEZE_FAILED);
}

void squeeze_count_kills(struct squeeze *squeeze, __u64 kills)
{
	squeeze->kills = kills;
}

void squeeze_stop(struct squeeze *squeeze, enum squeeze_end end)
{
	if (squeeze->end == SQUEEZE_GOES_ON)
		squeeze->end = end;
}

void squeeze_stop_ended(struct squeeze *squeeze)
{
	switch (squeeze->end) {
	case SQUEEZE_GOES_ON:
	case SQUEEZE_KILLED:
	case SQUEEZE_FLOOR:
	case SQUEEZE_REFUSED:
	case SQUEEZE_VANISHED:
		squeeze->end = SQUEEZE_ENDED;
		break;
	default:
		break;
	}
}

bool squeeze_is_held(const struct squeeze *squeeze)
{
	switch (squeeze->end) {
	case SQUEEZE_KILLED:
	case SQUEEZE_FLOOR:
	case SQUEEZE_REFUSED:
		return true;
	case SQUEEZE_ENDED:
		return squeeze->kills;
	default:
		return false;
	}
}

const char *squeeze_end_name(enum squeeze_end end)
{
	static const char *const names[SQUEEZE_ENDS] = {
		[SQUEEZE_GOES_ON] = "goes_on",   [SQUEEZE_KILLED] = "killed",
		[SQUEEZE_FLOOR] = "floor",       [SQUEEZE_REFUSED] = "refused",
		[SQUEEZE_STUCK] = "stuck",       [SQUEEZE_STOPPED] = "stopped",
		[SQUEEZE_VANISHED] = "vanished", [SQUEEZE_FAILED] = "failed",
		[SQUEEZE_ENDED] = "ended",
	};

	return names[end];
}
