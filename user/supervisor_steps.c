// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "supervisor_internal.h"
#include "workload.h"

static int supervisor_refused(struct supervisor *s, unsigned int i, int ret, struct error *error)
{
	const struct step *step = &s->job->steps[i];
	enum exit_status status = STATUS_FAILED;

	if (ret == -ENOENT)
		return supervisor_lost(s, ret, error);
	if (ret == -EPERM || ret == -EOPNOTSUPP)
		status = STATUS_UNSUPPORTED;
	if (ret == -EINVAL || ret == -EDQUOT || ret == -ENODEV)
		status = STATUS_MISUSE;
	if (ret == -ENODEV)
		return error_set(error, status, "step %u: there is no CPU %d online", i + 1,
				 step->cpu);
	return error_set(error, status, "step %u: the module refuses %s, %s: %s%s", i + 1,
			 job_objects(step).s, job_manner(step).s, strerror(-ret),
			 ret == -EPERM ? "; this needs root" : "");
}

/* How many objects step @i shall have in the end; tells about it. */
static int supervisor_begin_step(struct supervisor *s, unsigned int i, __u64 *count,
				 struct error *error)
{
	const struct step *step = &s->job->steps[i];
	struct record record = {
		.type = RECORD_STEP,
		.step = {
			.number = i + 1,
			.step = *step,
			.charge_bytes = s->plans[i].object_charge_bytes,
		},
	};
	__u64 usage = 0, effective = s->target.effective_bytes;
	struct record_counters counters;
	int ret;

	/* What CPUs have in stock from the steps before is no usage. */
	if (step->until == UNTIL_USAGE && supervisor_settle(s, &counters, error))
		return -1;
	ret = cg_read_number(&s->target.cg, CG_USAGE, &usage);
	if (ret)
		return supervisor_lost(s, ret, error);
	if (step->until == UNTIL_USAGE)
		record.step.until_bytes = units_resolve(step->usage, effective);
	*count = plan_count(&s->plans[i], step, effective, usage, record.step.until_bytes);
	record.step.count = *count;
	record_add(s->log, &record);
	return 0;
}

static void supervisor_request(struct supervisor *s, unsigned int i, __u64 count)
{
	const struct step *step = &s->job->steps[i];
	int payer_fd = s->job->outside && step->account ? s->target.cg.fd : MEMSTRESS_PAYER_CALLER;

	worker_request(&s->worker, step, i, count, payer_fd);
}

/* False if the answer is lost. */
static bool supervisor_book(struct supervisor *s, unsigned int i)
{
	if (!s->in_flight)
		return true;
	s->in_flight = false;
	return holding_book(&s->holdings[i], &s->job->steps[i], &s->worker.page->alloc);
}

/* The end of step @i is on record, whoever has ended it. */
static void supervisor_tell_end(struct supervisor *s, unsigned int i)
{
	struct holding *holding = &s->holdings[i];
	struct record record = { .type = RECORD_ALLOC };

	s->untold = 0;
	if (s->job->steps[i].kind->workload)
		holding_charge(holding, &s->job->steps[i], &record.alloc.charge);
	record.alloc.number = i + 1;
	record.alloc.kind = s->job->steps[i].kind->id;
	record.alloc.alloc = holding->sum;
	record_add(s->log, &record);
}

void supervisor_tell_alloc(struct supervisor *s)
{
	unsigned int i = s->untold - 1;

	if (!s->untold)
		return;
	if (!s->in_flight)
		s->holdings[i].sum.stop = MEMSTRESS_STOP_KILLED;
	if (supervisor_book(s, i)) {
		supervisor_tell_end(s, i);
		return;
	}
	s->untold = 0;
	record_add_text(s->log, RECORD_NOTE, "step %u ended without an answer", i + 1);
}

static void supervisor_tell_level(struct supervisor *s, unsigned int i, __u64 target)
{
	const struct memstress_books *books = &s->holdings[i].sum.books;
	struct record record = {
		.type = RECORD_LEVEL,
		.level = {
			.number = i + 1,
			.shape = s->job->steps[i].growth.shape,
			.target = target,
			.objects = books->objects,
			.requested_bytes = books->requested_bytes,
		},
	};

	record_add(s->log, &record);
}

/* Asks the kernel to whom it charges what step @i has made, piece by piece. */
static void supervisor_audit(struct supervisor *s, unsigned int i)
{
	const struct holding *holding = &s->holdings[i];
	struct worker_page *page = s->worker.page;
	struct record record = { .type = RECORD_AUDIT, .audit = { .number = i + 1 } };
	struct memstress_audit *sum = &record.audit.audit;
	unsigned int piece;
	__u64 before = 0;

	/* There is none of user memory. A worker that could not be killed has given all back. */
	for (piece = 0; piece < holding->count; piece++) {
		page->audit = (struct memstress_audit){ .handle = holding->pieces[piece].handle };
		if (!supervisor_ask(s, WORKER_AUDIT))
			return;
		if (page->error) {
			record_add_text(s->log, RECORD_NOTE, "step %u cannot be audited: %s", i + 1,
					strerror(-page->error));
			return;
		}
		sum->right_objects += page->audit.right_objects;
		sum->wrong_objects += page->audit.wrong_objects;
		sum->unowned_objects += page->audit.unowned_objects;
		sum->unasked_objects += page->audit.unasked_objects;
		sum->right_id = page->audit.right_id;
		if (page->audit.first_handle && !sum->first_handle) {
			sum->first_handle = page->audit.first_handle;
			sum->first_index = before + page->audit.first_index;
			sum->first_owner_id = page->audit.first_owner_id;
		}
		before += holding->pieces[piece].objects;
	}
	if (holding->count)
		record_add(s->log, &record);
}

int supervisor_make(struct supervisor *s, unsigned int i, __u64 count, bool *done,
		    struct error *error)
{
	*done = false;
	supervisor_request(s, i, count);
	s->in_flight = true;
	if (!supervisor_ask(s, WORKER_ALLOC))
		return 0;
	if (s->worker.page->error) {
		s->in_flight = false;
		return supervisor_refused(s, i, s->worker.page->error, error);
	}
	supervisor_book(s, i);
	*done = s->holdings[i].sum.stop == MEMSTRESS_STOP_DONE;
	return 0;
}

/* The newest @count objects, of a session's holding or of user memory. */
static int supervisor_free_some(struct supervisor *s, unsigned int i, __u32 handle, __u64 count,
				struct error *error)
{
	struct worker_page *page = s->worker.page;

	page->step = i;
	page->free = (struct memstress_free){
		.handle = handle,
		.order = MEMSTRESS_FREE_LIFO,
		.method = handle ? s->job->free_by : MEMSTRESS_FREE_SINGLY,
		.context = handle ? s->job->free_context : MEMSTRESS_CONTEXT_TASK,
		.count = count,
	};
	if (!supervisor_ask(s, handle ? WORKER_FREE : WORKER_SHRINK))
		return 0;
	if (page->error)
		return error_set(error, STATUS_FAILED, "step %u: cannot free a part of it: %s",
				 i + 1, strerror(-page->error));
	holding_take(&s->holdings[i], &page->free.books);
	return 0;
}

int supervisor_shrink(struct supervisor *s, unsigned int i, __u64 count, struct error *error)
{
	struct holding *holding = &s->holdings[i];

	if (s->job->steps[i].kind->workload)
		return count ? supervisor_free_some(s, i, 0, count, error) : 0;
	while (count && holding->count && !supervisor_is_over(s)) {
		const struct holding_piece *piece = &holding->pieces[holding->count - 1];
		__u64 part = count < piece->objects ? count : piece->objects;

		if (supervisor_free_some(s, i, piece->handle, part, error))
			return -1;
		count -= part;
	}
	return 0;
}

/* One move of the growth. Sets *@done to whether there can be another one. */
static int supervisor_move(struct supervisor *s, unsigned int i, __u64 level, bool *done,
			   struct error *error)
{
	__u64 held = s->holdings[i].sum.books.objects;

	*done = true;
	if (level > held)
		return supervisor_make(s, i, level - held, done, error);
	return supervisor_shrink(s, i, held - level, error);
}

/* Sets *@ended to whether the step came to its end before the worker did. */
static int supervisor_grow(struct supervisor *s, unsigned int i, __u64 count, bool *ended,
			   struct error *error)
{
	const struct growth *growth = &s->job->steps[i].growth;
	__u64 begin_ns = clock_now_ns(), at_ns, level;
	struct growth_course course;
	bool done = true;

	*ended = false;
	growth_begin(&course, growth, s->plans[i].object_bytes, count, s->job->seed);
	while (done && growth_next(&course, &at_ns, &level)) {
		if (at_ns &&
		    loop_await(&s->channels.loop, supervisor_is_over, s, begin_ns + at_ns, 0))
			return 0;
		if (supervisor_move(s, i, level, &done, error))
			return -1;
		if (s->in_flight)
			return 0;
		if (growth->shape != GROWTH_ONCE)
			supervisor_tell_level(s, i, level);
	}
	*ended = true;
	return 0;
}

int supervisor_step(struct supervisor *s, unsigned int i, bool *go_on, struct error *error)
{
	const struct memstress_alloc *sum = &s->holdings[i].sum;
	__u64 wait_ns = s->job->steps[i].wait_ns;
	bool ended = true;
	__u64 count;

	*go_on = false;
	if (wait_ns &&
	    loop_await(&s->channels.loop, supervisor_is_over, s, clock_now_ns() + wait_ns, 0))
		return 0;
	if (supervisor_begin_step(s, i, &count, error))
		return -1;
	s->untold = i + 1;
	if (count && supervisor_grow(s, i, count, &ended, error))
		return -1;
	if (!ended)
		return 0;
	supervisor_tell_end(s, i);
	supervisor_audit(s, i);
	*go_on = sum->stop == MEMSTRESS_STOP_DONE ||
		 (sum->stop == MEMSTRESS_STOP_FAILED && s->job->steps[i].until == UNTIL_ENOMEM);
	return 0;
}

/**
 * struct churn - a step that churns
 * @every_ns: between two rounds
 * @next_ns: the next one
 * @part: objects of a round
 * @rounds: done
 * @objects: freed and made again
 */
struct churn {
	__u64 every_ns;
	__u64 next_ns;
	__u64 part;
	__u64 rounds;
	__u64 objects;
};

/* A round of step @i: the newest objects go, and as many come. */
static int supervisor_churn_step(struct supervisor *s, unsigned int i, struct churn *churn,
				 struct error *error)
{
	__u64 objects = churn->part;
	__u64 held = s->holdings[i].sum.books.objects;
	bool done;

	if (objects > held)
		objects = held;
	if (!objects || supervisor_is_over(s))
		return 0;
	if (supervisor_shrink(s, i, objects, error))
		return -1;
	if (supervisor_is_over(s))
		return 0;
	if (supervisor_make(s, i, objects, &done, error))
		return -1;
	if (s->in_flight)
		return 0;
	churn->rounds++;
	churn->objects += objects;
	if (done)
		return 0;
	return error_set(error, STATUS_FAILED, "step %u: what was freed is not given again: %s",
			 i + 1, strerror(s->holdings[i].sum.first_errno));
}

/* Does the rounds that are due. Sets *@first_ns to when the next one is, if that is sooner. */
static int supervisor_churn_once(struct supervisor *s, struct churn *churns, __u64 *first_ns,
				 struct error *error)
{
	unsigned int i;

	for (i = 0; i < s->job->step_count; i++) {
		struct churn *churn = &churns[i];

		if (!churn->part)
			continue;
		if (churn->next_ns <= clock_now_ns()) {
			if (supervisor_churn_step(s, i, churn, error))
				return -1;
			churn->next_ns += churn->every_ns;
		}
		if (churn->next_ns < *first_ns)
			*first_ns = churn->next_ns;
	}
	return 0;
}

static void supervisor_tell_churns(struct supervisor *s, const struct churn *churns)
{
	unsigned int i;

	for (i = 0; i < s->job->step_count; i++) {
		struct record record = {
			.type = RECORD_CHURN,
			.churn = {
				.number = i + 1,
				.rounds = churns[i].rounds,
				.objects = churns[i].objects,
				.held = s->holdings[i].sum.books.objects,
			},
		};

		if (churns[i].part)
			record_add(s->log, &record);
	}
}

int supervisor_churn(struct supervisor *s, __u64 until_ns, struct error *error)
{
	struct churn churns[JOB_STEPS_MAX] = {};
	__u64 first_ns;
	unsigned int i;

	for (i = 0; i < s->job->step_count; i++) {
		const struct growth *growth = &s->job->steps[i].growth;

		churns[i].next_ns = clock_now_ns();
		if (growth->churn_bytes)
			growth_churn(growth, s->plans[i].object_bytes, &churns[i].every_ns,
				     &churns[i].part);
	}
	do {
		first_ns = until_ns;
		if (supervisor_churn_once(s, churns, &first_ns, error))
			return -1;
		/* A rate that is too much for the machine leaves rounds undone. */
	} while (!loop_await(&s->channels.loop, supervisor_is_over, s, first_ns, 0) &&
		 clock_now_ns() < until_ns);
	supervisor_tell_churns(s, churns);
	return 0;
}
