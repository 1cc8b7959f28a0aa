/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The schedule of a squeeze: to which limit is lowered when, and when that is over. It does nothing
 * itself and knows no clock: who writes the limits tells it what happened, and when.
 */
#ifndef MEMSTRESS_USER_SQUEEZE_H
#define MEMSTRESS_USER_SQUEEZE_H

#include <stdbool.h>

#include <linux/types.h>

enum squeeze_pace {
	SQUEEZE_BY_STEPS,
	SQUEEZE_BY_RATE,
	SQUEEZE_AT_ONCE,
};

/**
 * struct squeeze_plan - what was asked for
 * @pace: how it goes down
 * @start_bytes: where from
 * @floor_bytes: where to, at most
 * @step_bytes: of SQUEEZE_BY_STEPS
 * @bytes_per_s: of SQUEEZE_BY_RATE
 * @every_ns: how long a step lasts, or its write, if that takes longer
 * @stuck_after_ns: how long a write may last
 * @kills: after how many it is over; 0: it goes on, whoever is killed
 * @page_bytes: limits are multiples of
 */
struct squeeze_plan {
	enum squeeze_pace pace;
	__u64 start_bytes;
	__u64 floor_bytes;
	__u64 step_bytes;
	__u64 bytes_per_s;
	__u64 every_ns;
	__u64 stuck_after_ns;
	__u64 kills;
	__u64 page_bytes;
};

/* Why it is over */
enum squeeze_end {
	SQUEEZE_GOES_ON,
	SQUEEZE_KILLED,   /* as many as were asked for */
	SQUEEZE_FLOOR,    /* there is no lower limit */
	SQUEEZE_REFUSED,  /* the kernel says EBUSY: it cannot be reclaimed */
	SQUEEZE_STUCK,    /* a write did not end in time */
	SQUEEZE_STOPPED,  /* a signal to the tool */
	SQUEEZE_VANISHED, /* the cgroup is gone */
	SQUEEZE_ENDED,    /* it was a container's, which has ended */
	SQUEEZE_FAILED,   /* a write failed in another way */
	SQUEEZE_ENDS,
};

enum squeeze_what {
	SQUEEZE_LOWER, /* write limit_bytes; and squeeze_written() when that is done */
	SQUEEZE_WAIT,  /* until something happens, or due_ns */
	SQUEEZE_STEP_OVER,
	SQUEEZE_OVER,
};

enum squeeze_state {
	SQUEEZE_IS_READY,
	SQUEEZE_IS_WRITING,
	SQUEEZE_IS_WATCHING, /* what comes of it, until the next step is due */
	SQUEEZE_IS_OVER,
};

/**
 * struct squeeze - one that goes on
 * @plan: the plan
 * @state: where it is
 * @begin_ns: when it began, @step_ns: when the step did
 * @due_ns: CLOCK_MONOTONIC until when to wait
 * @step: from 1
 * @limit_bytes: of the step
 * @kills: so far
 * @end: why it is over
 */
struct squeeze {
	struct squeeze_plan plan;
	enum squeeze_state state;
	__u64 begin_ns;
	__u64 step_ns;
	__u64 due_ns;
	unsigned int step;
	__u64 limit_bytes;
	__u64 kills;
	enum squeeze_end end;
};

void squeeze_begin(struct squeeze *squeeze, const struct squeeze_plan *plan, __u64 now_ns);

/* What is to be done now. SQUEEZE_STEP_OVER comes once for each step, before what is next */
enum squeeze_what squeeze_next(struct squeeze *squeeze, __u64 now_ns);

/* Another write of the same step begins, and has as much time as the one before */
void squeeze_write_again(struct squeeze *squeeze, __u64 now_ns);

/* The write of the step has ended: 0 or -errno */
void squeeze_written(struct squeeze *squeeze, int error);

/* So many were killed since it began */
void squeeze_count_kills(struct squeeze *squeeze, __u64 kills);

/* It is to end for a reason that the schedule does not know of */
void squeeze_stop(struct squeeze *squeeze, enum squeeze_end end);

/*
 * The container has ended, which may be seen when the squeeze is over for what has led to it. What
 * the tool itself has met, a signal or a write that does not end, stays the reason
 */
void squeeze_stop_ended(struct squeeze *squeeze);

/* It is over as it was to be; of a container that has ended, because somebody was killed */
bool squeeze_is_held(const struct squeeze *squeeze);

/* "killed", "floor" ... */
const char *squeeze_end_name(enum squeeze_end end);

#endif /* MEMSTRESS_USER_SQUEEZE_H */
