// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_loan.h"
#include "cgroup_name.h"
#include "channels.h"
#include "clock.h"
#include "crew.h"
#include "fate_watch.h"
#include "signals.h"
#include "squeezer.h"

/* How long after its event the kernel log may keep its word of it, on a slow machine. */
#define SQUEEZER_LOG_TIMEOUT (2 * NS_PER_S)

/* How long a write may take to notice that its limit is not the one in force, or a signal. */
#define SQUEEZER_NOTICE_TIMEOUT (3 * NS_PER_S)

/* How long putting the limit back may take, on a slow machine. */
#define SQUEEZER_BACK_TIMEOUT (10 * NS_PER_S)

/* How long after a kill the container may take to end of it, and until one that is killed has. */
#define SQUEEZER_FATE_TIMEOUT  NS_PER_S
#define SQUEEZER_DEATH_TIMEOUT (10 * NS_PER_S)
#define SQUEEZER_FATE_LOOK     (50 * NS_PER_MS)

/* How long the engine of a container may take, and if somebody waits for the tool to end. */
#define SQUEEZER_ENGINE_TIMEOUT      (10 * NS_PER_S)
#define SQUEEZER_ENGINE_STOP_TIMEOUT (2 * NS_PER_S)

static const char squeezer_flaw[] = "mm: memcg: stop reclaim when a limit update is superseded";

/* Of a step: against the others, until they have stopped, and once more, so that it is in force. */
enum squeezer_write {
	SQUEEZER_AGAINST,
	SQUEEZER_STOPPING,
	SQUEEZER_ALONE,
};

/* What the cgroup had when a step began. */
struct squeezer_before {
	__u64 usage_bytes;
	__u64 stolen_pages;
	__u64 kills;
	__u64 kills_told;
	struct snapshot_events events;
};

/**
 * struct squeezer - a squeeze under way
 * @order: what to do
 * @log: gets the records
 * @tree: has the cgroup
 * @cg: the cgroup
 * @file: what the limit is called there
 * @old: what is put back in the end
 * @loan: the same, for whoever cleans up after a crash
 * @unit: what systemd has for it
 * @usage_bytes: before it began
 * @first_kills: those that were counted before it began
 * @squeeze: the schedule
 * @channels: what is watched
 * @crew: who writes the limit
 * @watch: the container whose cgroup it is
 * @fate: what has become of it
 * @fate_ns: until when it may end of a kill
 * @write: what the step under way is at
 * @before: it
 * @last_bytes: the limit before it
 * @lowered: what is known of it
 * @is_lowered: something was written
 * @is_back: the limit is what it was
 * @is_gone: it is, with the cgroup
 * @is_foreign: somebody else has written it
 * @is_left: it could not be put back
 * @is_flawed: a write went on for a limit that was not in force any more
 */
struct squeezer {
	const struct squeezer_order *order;
	struct record_log *log;
	struct cg_tree tree;
	struct cgroup cg;
	const char *file;
	struct writer_order old;
	struct cg_loan loan;
	struct systemd_limit unit;
	__u64 usage_bytes;
	__u64 first_kills;
	struct squeeze squeeze;
	struct channels channels;
	struct crew crew;
	struct fate_watch watch;
	struct fate fate;
	__u64 fate_ns;
	enum squeezer_write write;
	struct squeezer_before before;
	__u64 last_bytes;
	struct record_lowered lowered;
	bool is_lowered;
	bool is_back;
	bool is_gone;
	bool is_foreign;
	bool is_left;
	bool is_flawed;
};

static int squeezer_unreadable(const struct squeezer *s, int ret, struct error *error)
{
	if ((ret == -ENOENT || ret == -ENODEV) && s->watch.is_container)
		return error_set(error, STATUS_FAILED,
				 "container %.12s has ended, and cgroup %s is gone",
				 s->watch.container.id, s->cg.path);
	if (ret == -ENOENT || ret == -ENODEV)
		return error_set(error, STATUS_FAILED, "cgroup %s was removed by somebody else",
				 s->cg.path);
	return error_set(error, STATUS_FAILED, "cannot read cgroup %s: %s", s->cg.path,
			 strerror(-ret));
}

/* Who is killed for the limit cannot put it back. */
static bool squeezer_is_inside(const struct squeezer *s)
{
	char own[PATH_MAX];
	struct error error;

	if (cgroup_name_resolve(&s->tree, NULL, own, sizeof(own), &error))
		return false;
	return cg_is_within(own, s->cg.path);
}

static int squeezer_check_file(struct squeezer *s, struct error *error)
{
	const struct squeezer_order *order = s->order;

	s->file = s->tree.ops->files[order->file];
	if (!s->file)
		return error_set(error, STATUS_UNSUPPORTED,
				 "--limit %s: cgroup v1 has no such thing; a soft limit is none",
				 order->limit);
	if (!faccessat(s->cg.fd, s->file, W_OK, AT_EACCESS))
		return 0;
	if (errno == ENOENT)
		return error_set(error, STATUS_UNSUPPORTED,
				 "cgroup %s has no %s: it is the root, which has no limits",
				 s->cg.path, s->file);
	return error_set(error, STATUS_UNSUPPORTED, "cannot write %s of cgroup %s: %s", s->file,
			 s->cg.path, strerror(errno));
}

/* What stays is not lent. */
static int squeezer_lend(struct squeezer *s, struct error *error)
{
	int ret = 0;

	if (!s->order->keep)
		ret = cg_loan_begin(&s->loan, &s->cg, s->order->file);
	if (!ret && s->loan.count && s->tree.ops->max_moves_swap_max)
		ret = cg_loan_begin(&s->loan, &s->cg, CG_SWAP_MAX);
	if (!ret || ret == -EOPNOTSUPP)
		return 0;
	if (cg_loan_explain(&s->cg, s->order->file, ret, error))
		return -1;
	return squeezer_unreadable(s, ret, error);
}

/* From what it uses: a limit far above that does nothing. */
static int squeezer_read(struct squeezer *s, struct error *error)
{
	int ret = cg_read_number(&s->cg, s->order->file, &s->old.bytes);

	s->old.swap_bytes = CG_MISSING;
	if (!ret && s->tree.ops->max_moves_swap_max)
		ret = cg_read_number_if_any(&s->cg, CG_SWAP_MAX, &s->old.swap_bytes);
	if (!ret)
		ret = cg_read_number(&s->cg, CG_USAGE, &s->usage_bytes);
	return ret ? squeezer_unreadable(s, ret, error) : 0;
}

/* Fills in what depends on the cgroup. Limits are pages, and none is below the floor. */
static int squeezer_plan(const struct squeezer *s, struct squeeze_plan *plan, struct error *error)
{
	const struct squeezer_order *order = s->order;
	bool at_once = order->to.unit != AMOUNT_NONE;
	struct amount floor = at_once ? order->to : order->floor;

	*plan = order->plan;
	plan->page_bytes = sysconf(_SC_PAGESIZE);
	plan->start_bytes = s->usage_bytes < s->old.bytes ? s->usage_bytes : s->old.bytes;
	plan->step_bytes = units_resolve(order->step, plan->start_bytes);
	plan->floor_bytes = units_resolve(floor, plan->start_bytes);
	if (plan->floor_bytes % plan->page_bytes)
		plan->floor_bytes += plan->page_bytes - plan->floor_bytes % plan->page_bytes;
	if (plan->floor_bytes < plan->start_bytes)
		return 0;
	return error_set(error, STATUS_MISUSE,
			 "%s %s: cgroup %s uses %s of %s; there is nothing to take",
			 at_once ? "--to" : "--floor", units_bytes(plan->floor_bytes).s, s->cg.path,
			 units_bytes(s->usage_bytes).s,
			 s->old.bytes == CG_UNLIMITED ? "no limit" : units_bytes(s->old.bytes).s);
}

/* All that can be found wrong before anything is changed. */
static int squeezer_find(struct squeezer *s, struct error *error)
{
	s->cg.fd = -1;
	s->watch.first.fd = -1;
	if (cgroup_name_find_tree(&s->tree, error) ||
	    cgroup_name_look(&s->tree, s->order->cgroup, &s->cg, error))
		return -1;
	if (squeezer_check_file(s, error))
		return -1;
	if (squeezer_is_inside(s))
		return error_set(error, STATUS_MISUSE,
				 "the tool itself is in cgroup %s; start it outside of that",
				 s->cg.path);
	fate_watch_find(&s->watch, &s->cg);
	return 0;
}

/* The rest, for which the limit has to be lent. */
static int squeezer_prepare(struct squeezer *s, struct squeeze_plan *plan, struct error *error)
{
	if (squeezer_lend(s, error) || squeezer_read(s, error))
		return -1;
	s->last_bytes = s->old.bytes;
	systemd_limit_find(&s->unit, &s->cg, s->order->file);
	return squeezer_plan(s, plan, error);
}

static void squeezer_tell_begin(struct squeezer *s, const struct squeeze_plan *plan)
{
	struct record record = {
		.type = RECORD_SQUEEZE,
		.squeeze = {
			.id = s->cg.id,
			.version = s->tree.ops->version,
			.limit = s->order->limit,
			.file = s->file,
			.old_bytes = s->old.bytes,
			.usage_bytes = s->usage_bytes,
			.plan = *plan,
			.racers = s->order->racers,
			.keep = s->order->keep,
		},
	};

	strcpy(record.squeeze.path, s->cg.path);
	strcpy(record.squeeze.name, cg_name(&s->tree, s->cg.path));
	record_add(s->log, &record);
}

static __u64 squeezer_counted_kills(const struct squeezer *s)
{
	__u64 kills = s->channels.events.value[EVENT_OOM_KILL];

	return kills == CG_MISSING ? 0 : kills;
}

/*
 * Where there is a failcnt, on v1, the counter is of the cgroup alone, and what was counted when
 * the cgroup vanished cannot be read; the log knows the rest.
 */
static __u64 squeezer_kills(const struct squeezer *s)
{
	__u64 counted = squeezer_counted_kills(s) - s->first_kills;
	__u64 told = s->channels.kills_told;

	if (s->channels.events.value[EVENT_FAILCNT] == CG_MISSING && !s->channels.vanished)
		return counted;
	return counted > told ? counted : told;
}

static bool squeezer_writes_are_over(void *context)
{
	return !crew_is_writing(&((const struct squeezer *)context)->crew);
}

/* Pages that were reclaimed so far; CG_MISSING on v1. */
static __u64 squeezer_stolen(const struct squeezer *s)
{
	static const char *const key[] = { "pgsteal" };
	__u64 pages = CG_MISSING;

	if (cg_read_keys(&s->cg, CG_STAT, key, 1, &pages))
		return CG_MISSING;
	return pages;
}

static void squeezer_lower(struct squeezer *s)
{
	struct squeezer_before *before = &s->before;

	channels_count(&s->channels);
	memset(&s->lowered, 0, sizeof(s->lowered));
	s->lowered.step = s->squeeze.step;
	s->lowered.limit_bytes = s->squeeze.limit_bytes;
	s->lowered.limit_now_bytes = s->squeeze.limit_bytes;
	s->lowered.racers = s->order->racers;
	if (cg_read_number(&s->cg, CG_USAGE, &before->usage_bytes))
		before->usage_bytes = 0;
	before->stolen_pages = squeezer_stolen(s);
	before->events = s->channels.events;
	before->kills = squeezer_kills(s);
	before->kills_told = s->channels.kills_told;
	s->write = s->order->racers ? SQUEEZER_AGAINST : SQUEEZER_ALONE;
	s->is_lowered = true;
	crew_press(&s->crew, s->squeeze.limit_bytes);
	crew_race(&s->crew, s->squeeze.limit_bytes);
}

static void squeezer_see_write(struct squeezer *s)
{
	const struct writer_answer *answer = &s->crew.presser.answer;

	if (answer->slowest_ns > s->lowered.write_ns)
		s->lowered.write_ns = answer->slowest_ns;
	s->lowered.error = answer->error;
}

/* Who removes the cgroup of a container does so because that has ended. */
static void squeezer_stop_vanished(struct squeezer *s)
{
	squeeze_stop(&s->squeeze, s->watch.is_container ? SQUEEZE_ENDED : SQUEEZE_VANISHED);
}

static void squeezer_see_end(struct squeezer *s)
{
	s->lowered.is_done = true;
	if (cg_read_number(&s->cg, CG_USAGE, &s->lowered.usage_after_bytes))
		s->lowered.usage_after_bytes = 0;
	/* It is gone, which its watcher may not have told yet. */
	if (s->lowered.error == -ENODEV)
		squeezer_stop_vanished(s);
	squeeze_written(&s->squeeze, s->lowered.error);
}

/* Goes on with the write of the step when what it waits for is over. */
static void squeezer_go_on(struct squeezer *s)
{
	if (s->write == SQUEEZER_AGAINST && !s->crew.presser.is_busy) {
		squeezer_see_write(s);
		crew_stop_race(&s->crew);
		squeeze_write_again(&s->squeeze, clock_now_ns());
		s->write = SQUEEZER_STOPPING;
	}
	if (s->write == SQUEEZER_STOPPING && !crew_is_racing(&s->crew)) {
		s->lowered.race = crew_race_answer(&s->crew);
		crew_press(&s->crew, s->squeeze.limit_bytes);
		squeeze_write_again(&s->squeeze, clock_now_ns());
		s->write = SQUEEZER_ALONE;
	}
	if (s->write == SQUEEZER_ALONE && !s->crew.presser.is_busy) {
		squeezer_see_write(s);
		squeezer_see_end(s);
	}
}

static void squeezer_observe(struct squeezer *s)
{
	channels_count(&s->channels);
	squeeze_count_kills(&s->squeeze, squeezer_kills(s));
	if (s->watch.has_ended)
		squeeze_stop(&s->squeeze, SQUEEZE_ENDED);
	if (s->channels.vanished)
		squeezer_stop_vanished(s);
	if (s->channels.stopped)
		squeeze_stop(&s->squeeze, SQUEEZE_STOPPED);
	if (s->squeeze.state == SQUEEZE_IS_WRITING)
		squeezer_go_on(s);
}

static bool squeezer_has_news(void *context)
{
	const struct squeezer *s = context;

	bool is_over = s->channels.stopped || s->channels.vanished || s->watch.has_ended;

	if ((is_over && s->squeeze.end == SQUEEZE_GOES_ON) || squeezer_kills(s) != s->squeeze.kills)
		return true;
	if (s->squeeze.state != SQUEEZE_IS_WRITING)
		return false;
	return s->write == SQUEEZER_STOPPING ? !crew_is_racing(&s->crew) : !s->crew.presser.is_busy;
}

static bool squeezer_log_is_complete(void *context)
{
	const struct squeezer *s = context;
	__u64 told = s->channels.kills_told - s->before.kills_told;

	return s->channels.stopped || s->channels.kmsg.fd < 0 ||
	       told >= squeezer_kills(s) - s->before.kills;
}

static void squeezer_subtract(struct snapshot_events *events, const struct snapshot_events *before)
{
	int i;

	for (i = 0; i < EVENT_END; i++)
		if (events->value[i] != CG_MISSING)
			events->value[i] -= before->value[i];
}

static void squeezer_tell_step(struct squeezer *s)
{
	struct record record = { .type = RECORD_LOWERED };
	__u64 stolen;

	/* Who was killed is told before. */
	if (s->lowered.is_done)
		loop_await(&s->channels.loop, squeezer_log_is_complete, s,
			   clock_now_ns() + SQUEEZER_LOG_TIMEOUT, 0);
	channels_count(&s->channels);
	squeeze_count_kills(&s->squeeze, squeezer_kills(s));
	record.lowered = s->lowered;
	if (!s->lowered.is_done) {
		record.lowered.write_ns = clock_now_ns() - s->squeeze.step_ns;
		cg_read_number(&s->cg, CG_USAGE, &record.lowered.usage_after_bytes);
	}
	cg_read_number(&s->cg, s->order->file, &record.lowered.limit_now_bytes);
	record.lowered.usage_before_bytes = s->before.usage_bytes;
	record.lowered.kills = squeezer_kills(s) - s->before.kills;
	record.lowered.events = s->channels.events;
	squeezer_subtract(&record.lowered.events, &s->before.events);
	stolen = squeezer_stolen(s);
	if (stolen != CG_MISSING && s->before.stolen_pages != CG_MISSING)
		record.lowered.reclaimed_bytes =
			(stolen - s->before.stolen_pages) * s->squeeze.plan.page_bytes;
	else if (s->before.usage_bytes > record.lowered.usage_after_bytes)
		record.lowered.reclaimed_bytes =
			s->before.usage_bytes - record.lowered.usage_after_bytes;
	record_add(s->log, &record);
	/* A limit that was refused is not in force. */
	if (record.lowered.is_done && !record.lowered.error)
		s->last_bytes = s->lowered.limit_bytes;
}

static void squeezer_press(struct squeezer *s)
{
	for (;;) {
		squeezer_observe(s);
		switch (squeeze_next(&s->squeeze, clock_now_ns())) {
		case SQUEEZE_LOWER:
			squeezer_lower(s);
			break;
		case SQUEEZE_WAIT:
			loop_await(&s->channels.loop, squeezer_has_news, s, s->squeeze.due_ns, 0);
			break;
		case SQUEEZE_STEP_OVER:
			squeezer_tell_step(s);
			break;
		case SQUEEZE_OVER:
			return;
		}
	}
}

/* Nobody but the squeezer has written it: it is what the last steps wanted, or what it was. */
static bool squeezer_owns(const struct squeezer *s, __u64 bytes)
{
	return bytes == s->squeeze.limit_bytes || bytes == s->last_bytes || bytes == s->old.bytes;
}

static bool squeezer_keeper_is_done(void *context)
{
	return !((const struct squeezer *)context)->crew.keeper.is_busy;
}

/* The limit is in force when its write begins, and what the write does then is of no use. */
static int squeezer_await_keeper(struct squeezer *s, __u64 bytes)
{
	__u64 now_bytes;

	loop_await(&s->channels.loop, squeezer_keeper_is_done, s,
		   clock_now_ns() + SQUEEZER_BACK_TIMEOUT, 0);
	if (!s->crew.keeper.is_busy)
		return s->crew.keeper.answer.error;
	writer_interrupt(&s->crew.keeper);
	if (cg_read_number(&s->cg, s->order->file, &now_bytes) || now_bytes != bytes)
		return -ETIMEDOUT;
	return 0;
}

static int squeezer_write_back(struct squeezer *s, __u64 bytes)
{
	int ret;

	crew_put_back(&s->crew, bytes);
	ret = squeezer_await_keeper(s, bytes);
	/* Somebody has killed the keeper. */
	return ret == -ESRCH ? cg_write_number(&s->cg, s->order->file, bytes) : ret;
}

static int squeezer_put_back(struct squeezer *s, struct error *error)
{
	__u64 now_bytes;
	int ret;

	if (!s->is_lowered)
		return 0;
	ret = cg_read_number(&s->cg, s->order->file, &now_bytes);
	/* After a write that was stuck: what was under way then may have lowered it again. */
	if (!ret && s->is_back && now_bytes == s->old.bytes)
		return 0;
	if (!ret && !squeezer_owns(s, now_bytes)) {
		s->is_foreign = true;
		return 0;
	}
	if (!ret)
		ret = squeezer_write_back(s, s->old.bytes);
	s->is_back = !ret;
	s->is_gone = ret == -ENODEV || ret == -ENOENT;
	if (!ret || s->is_gone)
		return 0;
	s->is_left = true;
	return error_set(error, STATUS_FAILED, "cannot put %s of cgroup %s back to %s: %s", s->file,
			 s->cg.path,
			 s->old.bytes == CG_UNLIMITED ? "none" : units_bytes(s->old.bytes).s,
			 strerror(-ret));
}

/*
 * The limit is back, which does not wait for systemd. If that has been told another one meanwhile,
 * and has written it, a later step has written over it.
 */
static void squeezer_heed_unit(struct squeezer *s)
{
	if (!systemd_limit_has_moved(&s->unit) || !s->is_back)
		return;
	if (!squeezer_write_back(s, systemd_limit_bytes(&s->unit)))
		s->is_foreign = true;
}

/* What is to stay systemd has to know, or it writes its own at the next reload. */
static void squeezer_tell_unit(struct squeezer *s)
{
	__u64 now_bytes;

	if (s->is_lowered && s->squeeze.end != SQUEEZE_STUCK &&
	    !cg_read_number(&s->cg, s->order->file, &now_bytes) && now_bytes == s->last_bytes)
		systemd_limit_set(&s->unit, now_bytes);
}

static void squeezer_settle_unit(struct squeezer *s)
{
	if (s->is_gone)
		return;
	if (s->order->keep)
		squeezer_tell_unit(s);
	else
		squeezer_heed_unit(s);
}

/* What the keeper does, too, when the tool has died. */
static bool squeezer_corrects(const void *context, __u64 *bytes)
{
	struct systemd_limit unit = ((const struct squeezer *)context)->unit;

	if (!systemd_limit_has_moved(&unit))
		return false;
	*bytes = systemd_limit_bytes(&unit);
	return true;
}

static void squeezer_settles(const void *context)
{
	const struct squeezer *s = context;
	struct cg_loan loan = s->loan;

	cg_loan_forget(&loan, &s->cg);
}

static bool squeezer_await_writes(struct squeezer *s)
{
	return loop_await(&s->channels.loop, squeezer_writes_are_over, s,
			  clock_now_ns() + SQUEEZER_NOTICE_TIMEOUT, 0);
}

/* Whoever has asked for the tool's end shall not wait to learn what a higher limit does. */
static enum record_by squeezer_end_writes(struct squeezer *s, struct error *error)
{
	if (s->squeeze.end == SQUEEZE_STUCK) {
		if (squeezer_put_back(s, error))
			error_report(error);
		if (squeezer_await_writes(s))
			return BY_RAISE;
		s->is_flawed = s->is_back && s->tree.ops->limit_comes_first;
	}
	crew_interrupt(&s->crew);
	if (squeezer_await_writes(s))
		return BY_SIGNAL;
	return crew_end_writes(&s->crew) ? BY_NOTHING : BY_KILL;
}

static void squeezer_recover(struct squeezer *s, struct error *error)
{
	struct record record = { .type = RECORD_RECOVERED };
	__u64 begin_ns = clock_now_ns();

	if (squeezer_writes_are_over(s))
		return;
	crew_stop_race(&s->crew);
	record.recovered.by = squeezer_end_writes(s, error);
	record.recovered.since_ns = clock_now_ns() - begin_ns;
	record_add(s->log, &record);
}

/* Ends that are nothing to report, but to be complained of. */
static int squeezer_check_end(const struct squeezer *s, struct error *error)
{
	if (s->squeeze.end == SQUEEZE_VANISHED)
		return squeezer_unreadable(s, -ENODEV, error);
	if (s->squeeze.end == SQUEEZE_FAILED)
		return error_set(error, STATUS_FAILED, "cannot write %s to %s of cgroup %s: %s",
				 units_bytes(s->squeeze.limit_bytes).s, s->file, s->cg.path,
				 strerror(-s->lowered.error));
	return 0;
}

static bool squeezer_container_has_ended(const struct squeezer *s)
{
	return s->watch.has_ended || s->channels.vanished;
}

static bool squeezer_fate_is_settled(void *context)
{
	const struct squeezer *s = context;

	if (squeezer_container_has_ended(s) || s->channels.stopped)
		return true;
	return clock_now_ns() >= s->fate_ns && !fate_watch_is_dying(&s->watch);
}

/* Whom the kernel's log has told of, or who could not be told of any more. */
static bool squeezer_log_tells_all(const struct squeezer *s)
{
	return s->channels.kmsg.fd >= 0 && kmsg_knows_pids() &&
	       s->channels.kills_told >= squeezer_counted_kills(s) - s->first_kills;
}

/*
 * What follows from a kill: of its first process, the end of the container, and of others that it
 * ends by itself. By then the limit is what it was.
 */
static void squeezer_see_fate(struct squeezer *s)
{
	struct fate_seen seen;
	__u64 told;

	if (!s->watch.is_container)
		return;
	s->fate_ns = clock_now_ns() + (squeezer_kills(s) ? SQUEEZER_FATE_TIMEOUT : 0);
	loop_await(&s->channels.loop, squeezer_fate_is_settled, s,
		   clock_now_ns() + SQUEEZER_DEATH_TIMEOUT, SQUEEZER_FATE_LOOK);
	loop_poll(&s->channels.loop);
	seen.has_ended = squeezer_container_has_ended(s);
	seen.is_victim = s->channels.known_is_killed;
	seen.log_is_complete = squeezer_log_tells_all(s);
	if (seen.has_ended)
		squeeze_stop_ended(&s->squeeze);
	told = s->channels.kills_told + s->first_kills;
	s->fate.kills = squeezer_counted_kills(s) > told ? squeezer_counted_kills(s) : told;
	fate_watch_conclude(&s->watch, &seen,
			    s->channels.stopped ? SQUEEZER_ENGINE_STOP_TIMEOUT :
						  SQUEEZER_ENGINE_TIMEOUT,
			    &s->fate);
}

static void squeezer_tell_end(struct squeezer *s)
{
	struct record record = {
		.type = RECORD_SQUEEZED,
		.squeezed = {
			.end = s->squeeze.end,
			.step = s->squeeze.step,
			.limit_bytes = s->squeeze.limit_bytes,
			.kills = squeezer_kills(s),
			.now_bytes = s->old.bytes,
			.left = LEFT_RESTORED,
			.file = s->file,
			.flaw = s->is_flawed ? squeezer_flaw : NULL,
			.unit = s->unit,
			.fate = s->fate,
		},
	};

	if (s->is_gone)
		record.squeezed.left = LEFT_GONE;
	else if (s->is_foreign)
		record.squeezed.left = LEFT_FOREIGN;
	else if (s->is_lowered && !s->is_back)
		record.squeezed.left = LEFT_KEPT;
	cg_read_number(&s->cg, s->order->file, &record.squeezed.now_bytes);
	record_add(s->log, &record);
}

static int squeezer_work(struct squeezer *s, const struct squeeze_plan *plan, struct error *error)
{
	const struct writer_will will = { s->old, squeezer_corrects, squeezer_settles, s };
	struct error back_error;
	int ret;

	ret = crew_start(&s->crew, &s->channels.loop, &s->cg, s->order->file, &will,
			 !s->order->keep, s->order->racers);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot start a writer: %s", strerror(-ret));
	ret = fate_watch_begin(&s->watch, &s->channels.loop);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot watch container %.12s: %s",
				 s->watch.container.id, strerror(-ret));
	s->channels.kmsg.known_pid = kmsg_knows_pids() ? s->watch.first.pid : 0;
	s->first_kills = squeezer_counted_kills(s);
	squeeze_begin(&s->squeeze, plan, clock_now_ns());
	squeezer_press(s);
	squeezer_recover(s, &back_error);
	if (!s->order->keep)
		ret = squeezer_put_back(s, error);
	if (!ret)
		squeezer_settle_unit(s);
	if (!ret)
		squeezer_see_fate(s);
	if (!ret)
		ret = squeezer_check_end(s, error);
	if (!ret)
		squeezer_tell_end(s);
	return ret;
}

static int squeezer_watch(struct squeezer *s, const struct squeeze_plan *plan, struct error *error)
{
	int ret;

	crew_init(&s->crew);
	squeezer_tell_begin(s, plan);
	ret = channels_open(&s->channels, s->log, &s->cg, 0, false);
	if (ret)
		ret = error_set(error, STATUS_FAILED, "cannot watch cgroup %s: %s", s->cg.path,
				strerror(-ret));
	else
		ret = squeezer_work(s, plan, error);
	crew_end(&s->crew);
	fate_watch_end(&s->watch);
	channels_close(&s->channels);
	/* A stream that has begun says why it ends. */
	if (ret)
		record_add_text(s->log, RECORD_ERROR, "%.500s", error->text);
	return ret;
}

int squeezer_run(const struct squeezer_order *order, struct record_log *log, bool *is_held,
		 struct error *error)
{
	struct squeezer s = { .order = order, .log = log };
	struct squeeze_plan plan;
	sigset_t signals;
	int ret;

	ret = squeezer_find(&s, error);
	if (!ret) {
		channels_block_signals(&signals);
		ret = squeezer_prepare(&s, &plan, error);
		if (!ret)
			ret = squeezer_watch(&s, &plan, error);
		if (!s.is_left)
			cg_loan_forget(&s.loan, &s.cg);
		signals_put_back(&signals);
		*is_held = !ret && squeeze_is_held(&s.squeeze);
	}
	fate_watch_end(&s.watch);
	cg_look_away(&s.cg);
	return ret;
}
