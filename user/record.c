// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "record.h"

void record_log_init(struct record_log *log, void (*view)(const struct record *record))
{
	memset(log, 0, sizeof(*log));
	log->start_ns = clock_now_ns();
	log->view = view;
}

void record_log_free(struct record_log *log)
{
	unsigned int i;

	for (i = 0; i < log->count; i++)
		free(log->records[i]);
	free(log->records);
	memset(log, 0, sizeof(*log));
}

static void record_keep(struct record_log *log, const struct record *record)
{
	struct record **records;
	struct record *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	records = realloc(log->records, (log->count + 1) * sizeof(*records));
	if (!records) {
		free(copy);
		return;
	}
	*copy = *record;
	log->records = records;
	log->records[log->count++] = copy;
}

void record_add(struct record_log *log, const struct record *record)
{
	struct record stamped = *record;

	stamped.time_ns = clock_now_ns() - log->start_ns;
	if (!log->is_stream && record->type != RECORD_LEVEL)
		record_keep(log, &stamped);
	if (log->view)
		log->view(&stamped);
}

void record_add_text(struct record_log *log, enum record_type type, const char *format, ...)
{
	struct record record = { .type = type };
	va_list args;

	va_start(args, format);
	vsnprintf(record.text, sizeof(record.text), format, args);
	va_end(args);
	record_add(log, &record);
}

const struct record *record_last(const struct record_log *log, enum record_type type)
{
	unsigned int i;

	for (i = log->count; i > 0; i--)
		if (log->records[i - 1]->type == type)
			return log->records[i - 1];
	return NULL;
}

const struct record *record_counters(const struct record_log *log, enum record_when when)
{
	unsigned int i;

	for (i = log->count; i > 0; i--) {
		const struct record *record = log->records[i - 1];

		if (record->type == RECORD_COUNTERS && record->counters.when == when)
			return record;
	}
	return NULL;
}

const char *record_when_name(enum record_when when)
{
	static const char *const names[WHEN_END] = {
		[WHEN_EMPTY] = "empty", [WHEN_BASELINE] = "baseline", [WHEN_HELD] = "held",
		[WHEN_FREED] = "freed", [WHEN_AFTER] = "after",
	};

	return names[when];
}
