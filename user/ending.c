// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ending.h"

static void ending_take_off_events(struct snapshot_events *events,
				   const struct snapshot_events *before)
{
	unsigned int i;

	for (i = 0; i < EVENT_END; i++)
		if (events->value[i] != CG_MISSING)
			events->value[i] -= before->value[i];
}

void ending_take_off(struct ending *ending, const struct snapshot *before)
{
	struct snapshot *snapshot = &ending->snapshot;

	if (!ending->is_read)
		return;
	ending_take_off_events(&snapshot->events, &before->events);
	ending_take_off_events(&snapshot->events_local, &before->events_local);
	ending->peak_is_old = snapshot->peak_bytes == before->peak_bytes;
}

__u64 ending_peak(const struct ending *ending)
{
	return ending->is_read && !ending->peak_is_old ? ending->snapshot.peak_bytes : CG_MISSING;
}

static __u64 ending_count(const struct ending *ending, const struct snapshot_events *events,
			  enum snapshot_event event)
{
	__u64 count = ending->is_read ? events->value[event] : 0;

	return count == CG_MISSING ? 0 : count;
}

__u64 ending_kills(const struct ending *ending)
{
	return ending_count(ending, &ending->snapshot.events, EVENT_OOM_KILL);
}

/*
 * Exit codes say nothing: 137 is what a shell makes of the death of its child. A kill is counted
 * before it is done (__oom_kill_process() in mm/oom_kill.c), so without a count it was somebody
 * else. Where there were kills and the log has told of all of them, it knows who was meant.
 */
enum ending_cause ending_cause(const struct ending *ending)
{
	__u64 kills = ending_kills(ending);

	if (!ending->signal)
		return ENDING_EXIT;
	if (ending->signal != SIGKILL || !kills)
		return ENDING_SIGNAL;
	if (!ending->is_victim && ending->kills_told >= kills)
		return ENDING_SIGNAL;
	return ENDING_OOM;
}

const char *ending_cause_name(enum ending_cause cause)
{
	static const char *const names[] = {
		[ENDING_EXIT] = "exit",
		[ENDING_SIGNAL] = "signal",
		[ENDING_OOM] = "oom",
	};

	return names[cause];
}

/*
 * Without the log: an OOM is counted where the limit is, a kill where the victim was, and both in
 * all those above. v1 counts no OOMs, but a limit that was never met was not it.
 */
enum ending_limit ending_limit(const struct ending *ending)
{
	const struct snapshot *snapshot = &ending->snapshot;

	if (ending->limit_told)
		return ending->limit;
	if (!ending->is_read)
		return LIMIT_UNKNOWN;
	if (snapshot->events_local.value[EVENT_OOM] != CG_MISSING) {
		if (snapshot->events_local.value[EVENT_OOM])
			return LIMIT_OWN;
		return snapshot->events.value[EVENT_OOM] ? LIMIT_BELOW : LIMIT_ABOVE;
	}
	return snapshot_has_met(snapshot, ending->max_bytes) ? LIMIT_UNKNOWN : LIMIT_ABOVE;
}

int ending_exit_code(const struct ending *ending)
{
	return ending->signal ? 128 + ending->signal : ending->code;
}

static void ending_tell_limit(const struct ending *ending, char *text, size_t size)
{
	switch (ending_limit(ending)) {
	case LIMIT_OWN:
		snprintf(text, size, "for the limit of its cgroup");
		break;
	case LIMIT_BELOW:
		snprintf(text, size, "for the limit of a cgroup below its own");
		break;
	case LIMIT_ABOVE:
		if (*ending->limit_name)
			snprintf(text, size, "for the limit of %s, above its cgroup",
				 ending->limit_name);
		else
			snprintf(text, size, "for a limit above its cgroup");
		break;
	case LIMIT_MACHINE:
		snprintf(text, size, "as the whole machine was out of memory");
		break;
	case LIMIT_UNKNOWN:
		snprintf(text, size, "for the limit of its cgroup or of one above it");
		break;
	}
}

struct ending_text ending_tell(const struct ending *ending, const char *program)
{
	enum ending_cause cause = ending_cause(ending);
	__u64 kills = ending_kills(ending);
	char limit[600], others[720] = "";
	struct ending_text text;

	ending_tell_limit(ending, limit, sizeof(limit));
	if (cause == ENDING_OOM && kills > 1)
		snprintf(others, sizeof(others), ", and %llu more", kills - 1);
	else if (cause != ENDING_OOM && kills)
		snprintf(others, sizeof(others),
			 "; the OOM killer killed %llu other process%s in there %s", kills,
			 kills == 1 ? "" : "es", limit);
	switch (cause) {
	case ENDING_EXIT:
		snprintf(text.s, sizeof(text.s), "%.200s exited with code %d%s", program,
			 ending->code, others);
		break;
	case ENDING_SIGNAL:
		snprintf(text.s, sizeof(text.s), "%.200s was killed by signal %d (%.40s)%s%s",
			 program, ending->signal, strsignal(ending->signal),
			 ending->signal == SIGKILL ? ", not by the OOM killer" : "", others);
		break;
	case ENDING_OOM:
		snprintf(text.s, sizeof(text.s), "%.200s was killed by the OOM killer %s%s",
			 program, limit, others);
		break;
	}
	return text;
}
