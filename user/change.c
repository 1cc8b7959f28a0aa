// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "clock.h"

void change_init(struct change *change, struct stage *stage, const struct scenario_time *time,
		 struct loop *loop, struct record_log *log)
{
	struct error error;

	memset(change, 0, sizeof(*change));
	change->time = time;
	change->stage = stage;
	change->cg = stage_cgroup(stage, time->cgroup);
	change->loan = stage_loan(stage, time->cgroup);
	change->loop = loop;
	change->log = log;
	writer_init(&change->writer);
	/* It was tried before anything was made. */
	stage_resolve(stage, time, change->bytes, &error);
}

static void change_read_usage(const struct change *change, __u64 *bytes)
{
	if (cg_read_number_if_any(change->cg, CG_USAGE, bytes))
		*bytes = CG_MISSING;
}

static void change_copy_name(const struct change *change, char *name, size_t size)
{
	snprintf(name, size, "%s",
		 scenario_cgroup_name(change->stage->scenario, change->time->cgroup));
}

/* The next limit that is set, if there is one. */
static int change_write_next(struct change *change, struct error *error)
{
	struct writer_order order = { .what = WRITER_WRITE, .swap_bytes = CG_MISSING };
	enum cg_file file;
	int ret;

	while (change->next < LIMITS_END && !change->time->limits.of[change->next].unit)
		change->next++;
	if (change->next == LIMITS_END)
		return 0;
	file = limits_rows[change->next].file;
	order.bytes = change->bytes[change->next];
	ret = change->loan ? cg_loan_begin(change->loan, change->cg, file) : 0;
	if (!ret)
		ret = writer_start(&change->writer, change->loop, change->cg, file, NULL);
	if (ret && !cg_loan_explain(change->cg, file, ret, error))
		error_set(error, STATUS_FAILED, "cannot write %s of cgroup %s: %s",
			  change->cg->tree->ops->files[file], change->cg->path, strerror(-ret));
	if (ret)
		return -1;
	change->next++;
	change->is_writing = true;
	change_read_usage(change, &change->before_bytes);
	change->begin_ns = clock_now_ns();
	writer_tell(&change->writer, &order);
	return 0;
}

int change_begin(struct change *change, struct error *error)
{
	change->next = 0;
	return change_write_next(change, error);
}

bool change_is_due(const struct change *change)
{
	return change->is_writing && !change->writer.is_busy;
}

static void change_see_written(struct change *change)
{
	if (change->loan && !change->writer.is_busy)
		cg_loan_is_set(change->loan, change->cg, limits_rows[change->next - 1].file);
}

static void change_tell_written(struct change *change)
{
	const struct limits_row *row = &limits_rows[change->next - 1];
	struct record record = {
		.type = RECORD_WRITTEN,
		.written = {
			.limit = row->key,
			.file = change->cg->tree->ops->files[row->file],
			.bytes = change->bytes[change->next - 1],
			.before_bytes = change->before_bytes,
			.is_done = !change->writer.is_busy,
			.error = change->writer.answer.error,
			.write_ns = change->writer.answer.slowest_ns,
		},
	};

	if (!record.written.is_done) {
		record.written.error = 0;
		record.written.write_ns = clock_now_ns() - change->begin_ns;
	}
	change_copy_name(change, record.written.cgroup, sizeof(record.written.cgroup));
	change_read_usage(change, &record.written.after_bytes);
	record_add(change->log, &record);
}

int change_go_on(struct change *change, struct error *error)
{
	change_see_written(change);
	change_tell_written(change);
	change->is_writing = false;
	writer_end(&change->writer);
	return change_write_next(change, error);
}

void change_end(struct change *change)
{
	if (!change->is_writing)
		return;
	change_see_written(change);
	change_tell_written(change);
	change->is_writing = false;
	writer_end(&change->writer);
}

void change_move(struct change *change, struct actor *actor)
{
	struct record record = { .type = RECORD_MOVED };
	char number[16];

	snprintf(record.whose, sizeof(record.whose), "%s", actor->name);
	change_copy_name(change, record.moved.cgroup, sizeof(record.moved.cgroup));
	change_read_usage(change, &record.moved.before_bytes);
	snprintf(number, sizeof(number), "%d", actor->worker.pid);
	record.moved.error = cg_write_text_at(change->cg, "cgroup.procs", number);
	if (!record.moved.error) {
		actor_place(actor, change->cg, change->time->cgroup,
			    scenario_cgroup_name(change->stage->scenario, change->time->cgroup));
	}
	change_read_usage(change, &record.moved.after_bytes);
	record_add(change->log, &record);
}
