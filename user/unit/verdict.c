// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <string.h>

#include "unit.h"
#include "verdict.h"

/* A run that began well: worker 98 in /job, or outside. */
static void begin(struct record_log *log, bool outside)
{
	struct record run = { .type = RECORD_RUN };
	struct record cgroup = { .type = RECORD_CGROUP };
	struct record worker = { .type = RECORD_WORKER };

	record_log_init(log, NULL);
	run.run.info.page_size = 4096;
	run.run.info.online_nodes = 1;
	record_add(log, &run);
	strcpy(cgroup.cgroup.name, "/job");
	record_add(log, &cgroup);
	worker.worker.pid = 98;
	worker.worker.outside = outside;
	record_add(log, &worker);
}

static void add_counters(struct record_log *log, enum record_when when, __u64 usage, __u32 state)
{
	struct record record = { .type = RECORD_COUNTERS };

	record.counters.when = when;
	record.counters.snapshot.usage_bytes = usage;
	record.counters.settled = true;
	record.counters.settle.state = state;
	record_add(log, &record);
}

static void add_alloc(struct record_log *log, __u32 stop, __u64 page_bytes, __u64 byte_bytes)
{
	struct record record = { .type = RECORD_ALLOC };

	record.alloc.number = 1;
	record.alloc.kind = MEMSTRESS_KIND_KMALLOC;
	record.alloc.alloc.stop = stop;
	record.alloc.alloc.books.page_charged_bytes = page_bytes;
	record.alloc.alloc.books.byte_charged_bytes = byte_bytes;
	record_add(log, &record);
}

static void add_audit(struct record_log *log, __u64 right, __u64 wrong, __u64 unowned)
{
	struct record record = { .type = RECORD_AUDIT };

	record.audit.number = 1;
	record.audit.audit.right_objects = right;
	record.audit.audit.wrong_objects = wrong;
	record.audit.audit.unowned_objects = unowned;
	record_add(log, &record);
}

static void add_exit(struct record_log *log, int number)
{
	struct record record = { .type = RECORD_EXIT, .exit = { .signal = number } };

	record_add(log, &record);
}

static void add_kill(struct record_log *log)
{
	struct record record = { .type = RECORD_EVENTS };

	record.events.value[EVENT_OOM_KILL] = 1;
	record_add(log, &record);
}

static void add_chosen(struct record_log *log, const char *oom_memcg)
{
	struct record record = { .type = RECORD_OOM };

	record.oom.what = KMSG_CHOSEN;
	record.oom.pid = 98;
	strcpy(record.oom.oom_memcg, oom_memcg);
	record_add(log, &record);
}

static struct record_verdict judge(struct record_log *log, enum expect expect, bool outside)
{
	struct job job = { .expect = expect, .outside = outside };
	struct record_verdict verdict;

	verdict_judge(&job, log, &verdict);
	return verdict;
}

/* The expectations that hold are those of the bitmap. */
static void expect_held(struct record_log *log, unsigned int bitmap, const char *outcome)
{
	enum expect expect;

	for (expect = 0; expect < EXPECT_END; expect++) {
		struct record_verdict verdict = judge(log, expect, false);

		EXPECT_STRING(verdict.outcome, outcome);
		if (verdict.pass != !!(bitmap & (1 << expect)))
			unit_fail(__FILE__, __LINE__, "%s: expecting %s gives %d", outcome,
				  job_expect_name(expect), verdict.pass);
	}
	record_log_free(log);
}

static void done(void)
{
	struct record_log log;

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_DONE, 4096, 0);
	add_exit(&log, 0);
	expect_held(&log, 1 << EXPECT_DONE | 1 << EXPECT_SURVIVE, "done");
}

/* What was expected happened, to objects that somebody else pays for, or nobody */
static void misplaced(void)
{
	struct record_log log;

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_DONE, 4096, 0);
	add_audit(&log, 7, 1, 0);
	add_exit(&log, 0);
	expect_held(&log, 0, "done");

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_DONE, 4096, 0);
	add_audit(&log, 7, 0, 1);
	add_exit(&log, 0);
	expect_held(&log, 0, "done");

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_DONE, 4096, 0);
	add_audit(&log, 7, 0, 0);
	add_exit(&log, 0);
	expect_held(&log, 1 << EXPECT_DONE | 1 << EXPECT_SURVIVE, "done");
}

static void refused(void)
{
	struct record_log log;

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_FAILED, 4096, 0);
	add_exit(&log, 0);
	expect_held(&log, 1 << EXPECT_ENOMEM | 1 << EXPECT_SURVIVE, "enomem");

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_LIMIT, 4096, 0);
	add_exit(&log, 0);
	expect_held(&log, 1 << EXPECT_SURVIVE, "cap");
}

static void killed_by_the_oom_killer(void)
{
	struct record_log log;
	struct record_verdict verdict;

	begin(&log, false);
	add_kill(&log);
	add_chosen(&log, "/job");
	add_exit(&log, SIGKILL);
	add_alloc(&log, MEMSTRESS_STOP_KILLED, 4096, 0);
	verdict = judge(&log, EXPECT_OOM, false);
	EXPECT_WITHIN(verdict.reason, "limit of its cgroup");
	expect_held(&log, 1 << EXPECT_OOM | 1 << EXPECT_KILLED, "oom");

	begin(&log, false);
	add_kill(&log);
	add_chosen(&log, "/");
	add_exit(&log, SIGKILL);
	verdict = judge(&log, EXPECT_OOM, false);
	EXPECT_WITHIN(verdict.reason, "limit of an ancestor");
	expect_held(&log, 1 << EXPECT_OOM | 1 << EXPECT_KILLED, "oom");

	/* Counted by memory.events, but the cgroup's limit is not to blame. */
	begin(&log, false);
	add_kill(&log);
	add_chosen(&log, "");
	add_exit(&log, SIGKILL);
	expect_held(&log, 1 << EXPECT_KILLED, "global_oom");
}

static void killed_otherwise(void)
{
	struct record_log log;

	begin(&log, false);
	add_exit(&log, SIGKILL);
	expect_held(&log, 1 << EXPECT_KILLED, "killed");

	/* A kill by the OOM killer is SIGKILL, whatever memory.events counts meanwhile. */
	begin(&log, false);
	add_kill(&log);
	add_exit(&log, SIGSEGV);
	expect_held(&log, 1 << EXPECT_KILLED, "killed");
}

static void stopped(void)
{
	struct record_log log;

	begin(&log, false);
	add_alloc(&log, MEMSTRESS_STOP_DONE, 4096, 0);
	record_add_text(&log, RECORD_STOP, "the tool got signal 2 (Interrupt)");
	add_exit(&log, SIGKILL);
	expect_held(&log, 0, "stopped");
}

static enum record_books books_of(__u64 base, __u64 held, __u64 freed, __u32 state)
{
	struct record_log log;
	struct record_verdict verdict;

	begin(&log, true);
	add_counters(&log, WHEN_BASELINE, base, MEMSTRESS_SETTLE_EXACT);
	add_alloc(&log, MEMSTRESS_STOP_DONE, 8192, 4097);
	add_counters(&log, WHEN_HELD, held, state);
	add_counters(&log, WHEN_FREED, freed, state);
	add_exit(&log, 0);
	verdict = judge(&log, EXPECT_DONE, true);
	EXPECT_TRUE(verdict.pass == (verdict.books != BOOKS_WRONG));
	record_log_free(&log);
	return verdict.books;
}

static void books_of_an_empty_payer(void)
{
	/* 8192 in pages, 4097 bytes in two. */
	EXPECT_NUMBER(books_of(0, 16384, 0, MEMSTRESS_SETTLE_EXACT), BOOKS_EXACT);
	EXPECT_NUMBER(books_of(4096, 20480, 4096, MEMSTRESS_SETTLE_EXACT), BOOKS_EXACT);
	EXPECT_NUMBER(books_of(0, 20480, 0, MEMSTRESS_SETTLE_EXACT), BOOKS_WRONG);
	EXPECT_NUMBER(books_of(0, 12288, 0, MEMSTRESS_SETTLE_EXACT), BOOKS_WRONG);
	EXPECT_NUMBER(books_of(0, 0, 0, MEMSTRESS_SETTLE_EXACT), BOOKS_WRONG);
	EXPECT_NUMBER(books_of(0, 16384, 4096, MEMSTRESS_SETTLE_EXACT), BOOKS_WRONG);
	EXPECT_NUMBER(books_of(8192, 24576, 4096, MEMSTRESS_SETTLE_EXACT), BOOKS_WRONG);
	/* What could not be settled is not judged. */
	EXPECT_NUMBER(books_of(0, 99999, 4096, MEMSTRESS_SETTLE_FULL), BOOKS_NOT_JUDGED);
	EXPECT_NUMBER(books_of(0, 99999, 4096, MEMSTRESS_SETTLE_MOVING), BOOKS_NOT_JUDGED);
}

/*
 * Of 8192 bytes of user memory, or up to @more more, when usage went from 4096 to @held; with
 * @module also of an ALLOC that got nothing, but was charged so much for the module itself
 */
static struct record_verdict mixed_verdict(__u64 held, __u64 anon, __u64 more, __u64 module,
					   bool settled, __u64 max_events)
{
	struct record run = { .type = RECORD_RUN };
	struct record counters = { .type = RECORD_COUNTERS };
	struct record alloc = { .type = RECORD_ALLOC };
	struct record_verdict verdict;
	struct record_log log;

	record_log_init(&log, NULL);
	run.run.info.page_size = 4096;
	run.run.info.online_cpus = 1;
	run.run.info.charge_batch_pages = 2;
	record_add(&log, &run);
	counters.counters.when = WHEN_BASELINE;
	counters.counters.settled = settled;
	counters.counters.snapshot.usage_bytes = 4096;
	counters.counters.snapshot.stat[STAT_ANON] = 4096;
	counters.counters.snapshot.stat[STAT_SOCK] = CG_MISSING;
	record_add(&log, &counters);
	alloc.alloc.kind = KIND_ANON;
	alloc.alloc.charge.page_bytes = 8192;
	alloc.alloc.charge.user_bytes = 8192;
	alloc.alloc.charge.anon_bytes = 8192;
	alloc.alloc.charge.more_bytes = more;
	record_add(&log, &alloc);
	if (module) {
		alloc = (struct record){ .type = RECORD_ALLOC };
		alloc.alloc.kind = MEMSTRESS_KIND_PAGE;
		record_add(&log, &alloc);
	}
	counters.counters.when = WHEN_HELD;
	counters.counters.bookkeeping_bytes = module;
	counters.counters.snapshot.usage_bytes = held;
	counters.counters.snapshot.stat[STAT_ANON] = anon;
	counters.counters.snapshot.events.value[EVENT_MAX] = max_events;
	record_add(&log, &counters);
	add_exit(&log, 0);
	verdict = judge(&log, EXPECT_DONE, false);
	EXPECT_TRUE(verdict.pass == (verdict.books != BOOKS_WRONG));
	record_log_free(&log);
	return verdict;
}

static struct record_verdict user_verdict(__u64 held, __u64 anon, __u64 more, bool settled,
					  __u64 max_events)
{
	return mixed_verdict(held, anon, more, 0, settled, max_events);
}

/* Bytes of the module are a page of usage or none, and on no line of user memory */
static void books_beside_the_module(void)
{
	struct record_verdict verdict = mixed_verdict(16384, 12288, 0, 760, true, 0);

	EXPECT_NUMBER(verdict.books, BOOKS_WITHIN);
	EXPECT_NUMBER(verdict.bound_bytes, 4096);
	EXPECT_TRUE(verdict.stat_is_exact);
	EXPECT_NUMBER(mixed_verdict(12288, 12288, 0, 760, true, 0).books, BOOKS_WITHIN);
	EXPECT_NUMBER(mixed_verdict(20480, 12288, 0, 760, true, 0).books, BOOKS_WRONG);
	EXPECT_NUMBER(mixed_verdict(8192, 12288, 0, 760, true, 0).books, BOOKS_WRONG);
	EXPECT_TRUE(!mixed_verdict(16384, 16384, 0, 760, true, 0).stat_is_exact);
}

static void books_of_user_memory(void)
{
	struct record_verdict verdict;

	EXPECT_NUMBER(user_verdict(12288, 12288, 0, true, 0).books, BOOKS_EXACT);
	EXPECT_NUMBER(user_verdict(16384, 12288, 0, true, 0).books, BOOKS_WRONG);
	EXPECT_NUMBER(user_verdict(8192, 12288, 0, true, 0).books, BOOKS_WRONG);
	/* What a charge may have besides */
	EXPECT_NUMBER(user_verdict(16384, 12288, 4096, true, 0).books, BOOKS_WITHIN);
	EXPECT_NUMBER(user_verdict(20480, 12288, 4096, true, 0).books, BOOKS_WRONG);
	EXPECT_NUMBER(user_verdict(8192, 12288, 4096, true, 0).books, BOOKS_WRONG);
	/* Two pages in stock, at either look */
	verdict = user_verdict(20480, 12288, 0, false, 0);
	EXPECT_NUMBER(verdict.books, BOOKS_WITHIN);
	EXPECT_NUMBER(verdict.bound_bytes, 8192);
	EXPECT_TRUE(verdict.stat_is_exact);
	EXPECT_WITHIN(verdict.reason, "within 8K, memory.stat to the byte");
	EXPECT_NUMBER(user_verdict(4096, 12288, 0, false, 0).books, BOOKS_WITHIN);
	EXPECT_NUMBER(user_verdict(24576, 12288, 0, false, 0).books, BOOKS_WRONG);
	EXPECT_NUMBER(user_verdict(0, 12288, 0, false, 0).books, BOOKS_WRONG);
	/* A line that is late, and one that is not that late */
	EXPECT_TRUE(!user_verdict(12288, 8192, 0, true, 0).stat_is_exact);
	EXPECT_NUMBER(user_verdict(12288, 12288 + 4 * 8192, 0, true, 0).books, BOOKS_EXACT);
	EXPECT_NUMBER(user_verdict(12288, 12288 + 5 * 8192, 0, true, 0).books, BOOKS_WRONG);
	/* What may have been reclaimed is not judged */
	EXPECT_NUMBER(user_verdict(99999, 0, 0, true, 1).books, BOOKS_NOT_JUDGED);
}

/* Of 10000 bytes of objects in a cgroup that had 8192 bytes before, by one objcg */
static enum record_books byte_books(__u64 held)
{
	struct record alloc = { .type = RECORD_ALLOC };
	struct record_verdict verdict;
	struct record_log log;

	begin(&log, false);
	add_counters(&log, WHEN_BASELINE, 8192, MEMSTRESS_SETTLE_EXACT);
	alloc.alloc.kind = KIND_ANON;
	alloc.alloc.charge.byte_bytes = 10000;
	record_add(&log, &alloc);
	add_counters(&log, WHEN_HELD, held, MEMSTRESS_SETTLE_EXACT);
	add_exit(&log, 0);
	verdict = judge(&log, EXPECT_DONE, false);
	record_log_free(&log);
	return verdict.books;
}

/* The rest of a page that the worker had already is used first */
static void books_of_user_memory_by_the_byte(void)
{
	EXPECT_NUMBER(byte_books(8192 + 2 * 4096), BOOKS_WITHIN);
	EXPECT_NUMBER(byte_books(8192 + 3 * 4096), BOOKS_WITHIN);
	EXPECT_NUMBER(byte_books(8192 + 4096), BOOKS_WRONG);
	EXPECT_NUMBER(byte_books(8192 + 4 * 4096), BOOKS_WRONG);
}

const struct unit_test unit_verdict_tests[] = {
	{ "verdict_done", done },
	{ "verdict_misplaced", misplaced },
	{ "verdict_refused", refused },
	{ "verdict_killed_by_the_oom_killer", killed_by_the_oom_killer },
	{ "verdict_killed_otherwise", killed_otherwise },
	{ "verdict_stopped", stopped },
	{ "verdict_books_of_an_empty_payer", books_of_an_empty_payer },
	{ "verdict_books_of_user_memory", books_of_user_memory },
	{ "verdict_books_beside_the_module", books_beside_the_module },
	{ "verdict_books_of_user_memory_by_the_byte", books_of_user_memory_by_the_byte },
	{},
};
