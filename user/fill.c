// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cgroup_name.h"
#include "clock.h"
#include "fill.h"
#include "module.h"
#include "output.h"
#include "signals.h"
#include "supervisor_internal.h"
#include "workload.h"

/* How often is looked at the usage, of which nothing tells when it changes. */
#define FILL_LOOK (100 * NS_PER_MS)

/* What others may move by before something is done: a quarter of what is promised, 1 %. */
#define FILL_BAND 400
#define FILL_OFF  100

/* Made at a time: between two pieces is looked at what the others do. */
#define FILL_PIECE (64ULL << 20)

/**
 * struct fill_course - a fill under way
 * @fill: what to hold
 * @s: the worker, and what it holds
 * @group: the cgroup whose usage is to be at the level
 * @level_bytes: this level
 * @since_ns: when there was nothing more to do for it; 0: there still is
 * @story: what came of it
 */
struct fill_course {
	const struct fill *fill;
	struct supervisor s;
	struct cgroup group;
	__u64 level_bytes;
	__u64 since_ns;
	struct record_filled story;
};

/*
 * Where a process may be without a memory controller of its own, its memory is counted above. On
 * cgroup v2 the root of all has no usage: there is nothing to be held.
 */
static int fill_find_counted(const struct cg_tree *tree, char *path, struct error *error)
{
	const char *usage = tree->ops->files[CG_USAGE];
	char file[PATH_MAX + 64], *slash;

	for (;;) {
		snprintf(file, sizeof(file), "%s/%s", path, usage);
		if (!access(file, F_OK))
			return 0;
		slash = strrchr(path, '/');
		if (!strcmp(path, tree->mount) || !slash)
			return error_set(error, STATUS_UNSUPPORTED,
					 "the memory of the root cgroup is not counted; "
					 "give --in CGROUP");
		*slash = '\0';
	}
}

/* The level, and of which cgroup it is: a share is of a limit, and of the usage that it limits. */
static int fill_find_level(struct fill_course *course, struct error *error)
{
	const struct amount *amount = &course->fill->amount;
	struct target *target = &course->s.target;
	int ret;

	ret = cg_effective_max(&target->tree, target->path, &target->effective_bytes,
			       target->effective_path, sizeof(target->effective_path));
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read the limits of %s: %s",
				 target->path, strerror(-ret));
	if (amount->unit == AMOUNT_PERCENT && target->effective_bytes == CG_UNLIMITED)
		return error_set(error, STATUS_MISUSE,
				 "%llu%% of what? no limit is in force in %s; give a size",
				 amount->value, target->path);
	course->level_bytes = units_resolve(*amount, target->effective_bytes);
	if (course->level_bytes > target->effective_bytes)
		return error_set(error, STATUS_MISUSE, "%s is more than the limit of %s, %s",
				 units_bytes(course->level_bytes).s, target->effective_path,
				 units_bytes(target->effective_bytes).s);
	ret = cg_look(&course->group, &target->tree,
		      amount->unit == AMOUNT_PERCENT ? target->effective_path : target->path);
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot look at cgroup %s: %s",
				 course->group.path, strerror(-ret));
	return 0;
}

static int fill_find_place(struct fill_course *course, struct error *error)
{
	struct target *target = &course->s.target;
	int ret;

	if (cgroup_name_find_tree(&target->tree, error) ||
	    cgroup_name_resolve(&target->tree, course->fill->cgroup, target->path,
				sizeof(target->path), error))
		return -1;
	ret = cg_look(&target->cg, &target->tree, target->path);
	if (ret == -ENOENT || ret == -ENOTDIR)
		return error_set(error, STATUS_MISUSE, "there is no cgroup %s", target->path);
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot look at cgroup %s: %s",
				 target->path, strerror(-ret));
	return fill_find_counted(&target->tree, target->path, error);
}

static int fill_prepare(struct fill_course *course, struct error *error)
{
	const struct job *job = &course->fill->job;
	struct supervisor *s = &course->s;

	if (job_has_kernel_memory(job)) {
		s->device = module_open(&s->info, error);
		if (s->device < 0)
			return -1;
	}
	if (fill_find_place(course, error) || fill_find_level(course, error))
		return -1;
	if (plan_make(&s->plans[0], s->device, s->target.tree.ops->version, &job->steps[0], 1,
		      error))
		return -1;
	if (!s->plans[0].object_charge_bytes)
		return error_set(error, STATUS_UNSUPPORTED,
				 "--kind %s: nobody pays for it here, so usage stays as it is",
				 job->steps[0].kind->name);
	return 0;
}

static void fill_tell_begin(struct fill_course *course)
{
	const struct target *target = &course->s.target;
	struct record record = { .type = RECORD_FILL };
	struct record_fill *begin = &record.fill;

	snprintf(begin->path, sizeof(begin->path), "%s", target->path);
	snprintf(begin->group_path, sizeof(begin->group_path), "%s", course->group.path);
	begin->level_bytes = course->level_bytes;
	begin->amount = course->fill->amount;
	begin->effective_max_bytes = target->effective_bytes;
	snprintf(begin->effective_max_path, sizeof(begin->effective_max_path), "%s",
		 target->effective_bytes == CG_UNLIMITED ? "" : target->effective_path);
	begin->view_ends = !target->tree.ops->is_root(target->tree.mount);
	begin->step = course->fill->job.steps[0];
	record_add(course->s.log, &record);
}

static int fill_place(struct fill_course *course, struct error *error)
{
	struct supervisor *s = &course->s;
	const char *name = course->fill->cgroup;
	int ret = supervisor_start(s, name ? &s->target.cg : NULL);

	if (ret == -EBUSY)
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s shares its memory with cgroups below it; name one of them",
				 s->target.path);
	if (ret == -EACCES || ret == -EPERM)
		return error_set(error, STATUS_UNSUPPORTED, "no process may be put into %s: %s",
				 s->target.path, strerror(-ret));
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot start a worker in %s: %s",
				 s->target.path, strerror(-ret));
	if (!supervisor_is_over(s) && s->worker.page->error)
		return error_set(error, STATUS_FAILED, "the worker cannot prepare: %s",
				 strerror(-s->worker.page->error));
	return 0;
}

static void fill_tell_move(struct fill_course *course, __u64 usage, __u64 held_before)
{
	const struct memstress_books *books = &course->s.holdings[0].sum.books;
	struct record record = { .type = RECORD_FILL_MOVE };

	record.fill_move.usage_bytes = usage;
	record.fill_move.level_bytes = course->level_bytes;
	record.fill_move.before_bytes = held_before;
	record.fill_move.held_bytes = books->requested_bytes;
	course->story.moves++;
	record_add(course->s.log, &record);
}

/* What is seen after the first time that nothing was left to do. */
static void fill_watch(struct fill_course *course, __u64 usage)
{
	struct record_filled *story = &course->story;
	__u64 off = usage > course->level_bytes ? usage - course->level_bytes :
						  course->level_bytes - usage;

	story->looks++;
	if (off > course->level_bytes / FILL_OFF)
		story->looks_off++;
	else
		story->reached = true;
	if (!story->lowest_bytes || usage < story->lowest_bytes)
		story->lowest_bytes = usage;
	if (usage > story->highest_bytes)
		story->highest_bytes = usage;
}

/* Objects that are missing; what is held is never more than the level, wherever it has gone. */
static __u64 fill_missing(const struct fill_course *course, __u64 usage)
{
	const struct plan *plan = &course->s.plans[0];
	__u64 held = course->s.holdings[0].sum.books.objects;
	__u64 room = course->level_bytes / plan->object_charge_bytes;
	__u64 piece = FILL_PIECE / plan->object_charge_bytes + 1;
	__u64 missing = (course->level_bytes - usage) / plan->object_charge_bytes;

	room = room > held ? room - held : 0;
	if (missing > room)
		missing = room;
	return missing < piece ? missing : piece;
}

/*
 * Makes or frees what brings the usage to the level. Sets *@again if there may be more to do at
 * once: a piece was made, and usage has a batch of charges that nobody has used yet.
 */
static int fill_adjust(struct fill_course *course, bool *again, struct error *error)
{
	struct supervisor *s = &course->s;
	const struct memstress_books *books = &s->holdings[0].sum.books;
	__u64 usage, band = course->level_bytes / FILL_BAND, before = books->requested_bytes;
	__u64 charge = s->plans[0].object_charge_bytes, count = 0;
	bool done = true;
	int ret;

	*again = false;
	ret = cg_read_number(&course->group, CG_USAGE, &usage);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read the usage of %s: %s",
				 course->group.path, strerror(-ret));
	if (course->since_ns)
		fill_watch(course, usage);
	if (usage + band < course->level_bytes) {
		count = fill_missing(course, usage);
		if (count && supervisor_make(s, 0, count, &done, error))
			return -1;
	} else if (usage > course->level_bytes + band) {
		count = (usage - course->level_bytes + charge - 1) / charge;
		if (count > books->objects)
			count = books->objects;
		if (count && supervisor_shrink(s, 0, count, error))
			return -1;
	}
	if (!done && !supervisor_is_over(s))
		return error_set(error, STATUS_FAILED, "%s was refused at a usage of %s: %s",
				 job_objects(&course->fill->job.steps[0]).s, units_bytes(usage).s,
				 strerror(s->holdings[0].sum.first_errno));
	if (count && !supervisor_is_over(s)) {
		fill_tell_move(course, usage, before);
		*again = true;
	} else if (!count && !course->since_ns) {
		course->since_ns = clock_now_ns();
		fill_watch(course, usage);
	}
	return 0;
}

static int fill_hold(struct fill_course *course, struct error *error)
{
	__u64 hold_ns = course->fill->job.hold_ns, end_ns = 0, look_ns;
	struct supervisor *s = &course->s;
	bool again;

	while (!supervisor_is_over(s)) {
		if (fill_adjust(course, &again, error))
			return -1;
		if (course->since_ns && hold_ns)
			end_ns = course->since_ns + hold_ns;
		output_set_deadline(end_ns);
		/* What has come meanwhile is heard between two pieces, too. */
		look_ns = clock_now_ns() + (again && !course->since_ns ? 0 : FILL_LOOK);
		if (end_ns && look_ns > end_ns)
			look_ns = end_ns;
		if (loop_await(&s->channels.loop, supervisor_is_over, s, look_ns, 0))
			break;
		if (end_ns && clock_now_ns() >= end_ns)
			break;
	}
	return 0;
}

static void fill_tell_end(struct fill_course *course)
{
	const struct supervisor *s = &course->s;
	struct record record = { .type = RECORD_FILLED };
	struct record_filled *story = &course->story;

	story->level_bytes = course->level_bytes;
	if (course->since_ns)
		story->held_ns = clock_now_ns() - course->since_ns;
	story->worker_died = s->gone && !s->channels.stopped;
	record.filled = *story;
	record_add(s->log, &record);
}

static int fill_perform(struct fill_course *course, struct error *error)
{
	struct supervisor *s = &course->s;
	int ret = worker_init(&s->worker);

	if (ret)
		return error_set(error, STATUS_FAILED, "cannot share memory with a worker: %s",
				 strerror(-ret));
	ret = channels_open_ends(&s->channels, s->log);
	if (ret) {
		ret = error_set(error, STATUS_FAILED, "cannot watch for signals: %s",
				strerror(-ret));
	} else {
		fill_tell_begin(course);
		ret = fill_place(course, error);
		if (!ret)
			ret = fill_hold(course, error);
		if (!ret)
			fill_tell_end(course);
	}
	/* What it holds goes with it. */
	worker_destroy(&s->worker);
	channels_close(&s->channels);
	return ret;
}

int fill_run(const struct fill *fill, struct record_log *log, struct record_filled *filled,
	     struct error *error)
{
	struct fill_course course = { .fill = fill, .group = { .fd = -1 } };
	struct supervisor *s = &course.s;
	sigset_t signals;
	int ret;

	s->job = &fill->job;
	s->log = log;
	s->device = -1;
	s->target.cg.fd = -1;
	ret = fill_prepare(&course, error);
	if (!ret) {
		channels_block_signals(&signals);
		ret = fill_perform(&course, error);
		signals_put_back(&signals);
		*filled = course.story;
		/* A stream that has begun says why it ends. */
		if (ret)
			record_add_text(log, RECORD_ERROR, "%.500s", error->text);
	}
	holding_release(&s->holdings[0]);
	cg_look_away(&course.group);
	cg_look_away(&s->target.cg);
	if (s->device >= 0)
		close(s->device);
	return ret;
}
