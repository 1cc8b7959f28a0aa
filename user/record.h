/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records: everything that a run observes, each with its time. The page that people read and the
 * JSON lines are views of them.
 *
 * JSON: one object a line. Every line has
 *	schema		1; goes up when a key changes its meaning or goes away
 *	time_ns		CLOCK_MONOTONIC since the run began
 *	type		what it is, one of the types below
 * Keys are ABI: new ones may be added, none changes. Bytes are integers, a limit that is not set
 * and a counter that this kernel does not have are null.
 *
 *	run		version, kernel, page_bytes, possible_cpus, online_cpus, charge_batch_pages
 *	cgroup		path, name (the kernel's for it), id, version (of the file system),
 *			max_bytes, high_bytes, swap_max_bytes, effective_max_bytes,
 *			effective_max_path (who has it), oom_group
 *	worker		pid, payer ("inside" or "outside")
 *	step		step (from 1), kind, policy, order or object_bytes, node or null, zero,
 *			account, count (null: no bound), until, until_bytes (usage; null),
 *			charge_bytes (of one object)
 *	alloc		step, stop (why it ended; as in <linux/memstress.h>), objects,
 *			uncharged_objects, requested_bytes, page_charged_bytes, byte_charged_bytes,
 *			footprint_bytes, failures, first_errno, total_ns, slowest_ns, payer_id
 *	counters	when ("empty": before the worker, "baseline": before the first step,
 *			"held": after the last one, "freed", "after": when the worker is gone),
 *			usage_bytes, peak_bytes, settle ("exact", "moving", "full" or null),
 *			bound_bytes (of usage, what may belong to no object; null if not settled),
 *			stat, events, events_local (objects, keys as cgroup v2 calls them; v1 has
 *			anon, file and kernel of stat, oom_kill and failcnt of events)
 *	events		the keys of memory.events that went up, by how much; on cgroup v1 oom (told
 *			by its eventfd), oom_kill, failcnt
 *	oom		the kernel log chose a victim: log_us (the log's own clock), constraint,
 *			oom_cgroup (whose limit; null: the machine's), task_cgroup, pid, name
 *	killed		the kernel log: pid, name, anon_rss_bytes, log_us
 *	no_victim	the kernel log: nobody could be killed: log_us
 *	hold		hold_ns, bookkeeping_bytes (what the module was charged for itself)
 *	free		order, objects, total_ns, slowest_ns
 *	exit		the worker ended: signal or null, code or null
 *	release		usage was back: usage_bytes, since_kill_ns (from the first sign of the kill)
 *	stop		the run was ended early, by a signal or the timeout: text
 *	note		something could not be seen, and why: text
 *	verdict		pass, expected, outcome, reason, books ("exact", "wrong" or null: not
 *			to be judged)
 *	error		the run ended early: text; there is no verdict
 */
#ifndef MEMSTRESS_USER_RECORD_H
#define MEMSTRESS_USER_RECORD_H

#include <stdbool.h>

#include <linux/memstress.h>

#include "compiler.h"
#include "cgroup.h"
#include "job.h"
#include "kmsg.h"
#include "snapshot.h"

#define RECORD_SCHEMA 1

enum record_type {
	RECORD_RUN,
	RECORD_CGROUP,
	RECORD_WORKER,
	RECORD_STEP,
	RECORD_ALLOC,
	RECORD_COUNTERS,
	RECORD_EVENTS,
	RECORD_OOM,
	RECORD_HOLD,
	RECORD_FREE,
	RECORD_EXIT,
	RECORD_RELEASE,
	RECORD_STOP,
	RECORD_NOTE,
	RECORD_VERDICT,
	RECORD_ERROR,
};

enum record_when {
	WHEN_EMPTY,
	WHEN_BASELINE,
	WHEN_HELD,
	WHEN_FREED,
	WHEN_AFTER,
	WHEN_END,
};

struct record_run {
	char kernel[72];
	struct memstress_info info;
};

struct record_cgroup {
	char path[PATH_MAX];
	char name[PATH_MAX];
	__u64 id;
	unsigned int version;
	__u64 max_bytes;
	__u64 high_bytes;
	__u64 swap_max_bytes;
	__u64 effective_max_bytes;
	char effective_max_path[PATH_MAX];
	bool oom_group;
};

/* @count as plan_count() has it. @until_bytes is for UNTIL_USAGE */
struct record_step {
	unsigned int number;
	struct step step;
	__u64 count;
	__u64 until_bytes;
	__u64 charge_bytes;
};

struct record_alloc {
	unsigned int number;
	__u32 kind;
	struct memstress_alloc alloc;
};

/* @settled: the fields of @settle mean something */
struct record_counters {
	enum record_when when;
	struct snapshot snapshot;
	bool settled;
	struct memstress_settle settle;
};

struct record_hold {
	__u64 hold_ns;
	__u64 bookkeeping_bytes;
};

struct record_free {
	__u32 order;
	struct memstress_free free;
};

/* @signal 0: it exited by itself, with @code */
struct record_exit {
	int signal;
	int code;
};

struct record_release {
	__u64 usage_bytes;
	__u64 since_kill_ns;
};

enum record_books {
	BOOKS_NOT_JUDGED,
	BOOKS_EXACT,
	BOOKS_WRONG,
};

struct record_verdict {
	bool pass;
	enum expect expected;
	const char *outcome;
	enum record_books books;
	char reason[640];
};

/**
 * struct record - something observed
 * @type: which member is meant
 * @time_ns: since the run began
 */
struct record {
	enum record_type type;
	__u64 time_ns;
	union {
		struct record_run run;
		struct record_cgroup cgroup;
		struct {
			int pid;
			bool outside;
		} worker;
		struct record_step step;
		struct record_alloc alloc;
		struct record_counters counters;
		struct snapshot_events events;
		struct kmsg_oom oom;
		struct record_hold hold;
		struct record_free free;
		struct record_exit exit;
		struct record_release release;
		struct record_verdict verdict;
		char text[512];
	};
};

/**
 * struct record_log - all records of a run
 * @start_ns: CLOCK_MONOTONIC when it began
 * @view: is shown each record as it is added; may be NULL
 * @records: in the order of their times
 * @count: number of them
 */
struct record_log {
	__u64 start_ns;
	void (*view)(const struct record *record);
	struct record **records;
	unsigned int count;
};

void record_log_init(struct record_log *log, void (*view)(const struct record *record));
void record_log_free(struct record_log *log);

/* Stamps a copy of @record, keeps and shows it. Records that do not fit into memory are shown */
void record_add(struct record_log *log, const struct record *record);

/* For RECORD_STOP, RECORD_NOTE and RECORD_ERROR */
__printf(3, 4) void record_add_text(struct record_log *log, enum record_type type,
				    const char *format, ...);

/* The last record of a type; NULL if there is none */
const struct record *record_last(const struct record_log *log, enum record_type type);

/* The counters taken then; NULL if they were not */
const struct record *record_counters(const struct record_log *log, enum record_when when);

const char *record_when_name(enum record_when when);

#endif /* MEMSTRESS_USER_RECORD_H */
