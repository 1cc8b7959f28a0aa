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
 * and a counter that this kernel does not have are null. In names, bytes that are no UTF-8 are
 * U+FFFD.
 *
 *	run		version, kernel, page_bytes, possible_cpus, online_cpus, charge_batch_pages
 *	cgroup		path, name (the kernel's for it), id, version (of the file system),
 *			max_bytes, high_bytes, low_bytes, min_bytes, swap_max_bytes,
 *			zswap_max_bytes, effective_max_bytes, effective_max_path (who has it),
 *			oom_group, existed (it was there before)
 *	worker		pid, payer ("inside" or "outside")
 *	step		step (from 1), kind, policy, context, cpu (that the context runs on; null:
 *			any), method (how objects are made), alignment (bytes; null: the kind's
 *			own), order or object_bytes, node or null, zero, account, count (null: no
 *			bound), until, until_bytes (usage; null), charge_bytes (of one object; of
 *			user memory, what it is for sure), manner (of user memory: how it is made),
 *			growth, rate_bytes (a second), step_bytes, factor, every_ns, times,
 *			churn_bytes (a second); null where there is no such thing; wait_ns (before
 *			it)
 *	level		of a step that grows by and by, after each move: step, target_objects,
 *			objects, requested_bytes (what it holds)
 *	alloc		step, stop (why it ended; as in <linux/memstress.h>), objects,
 *			uncharged_objects, requested_bytes, page_charged_bytes, byte_charged_bytes,
 *			footprint_bytes, failures, first_errno, total_ns, slowest_ns, payer_id
 *			(0 of user memory, too), more_bytes (what may be charged besides)
 *	audit		step, to whom the kernel charges its objects: right_objects (to whom it
 *			should), wrong_objects (to another cgroup), unowned_objects (to nobody
 *			though somebody pays), unasked_objects (shown by counters only); right_id
 *			(the cgroup; 0: nobody or none), first_index (the first that is not right,
 *			from 0) and first_owner_id (to whom that is charged; 0: nobody), or null
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
 *	churn		of a step that churned while it was held: step, rounds, objects (freed and
 *			made again), held_objects
 *	free		order, method (how they were freed), context (where), objects, total_ns,
 *			slowest_ns
 *	exit		the worker ended: signal or null, code or null
 *	release		usage was back: usage_bytes, since_kill_ns (from the kill's first sign),
 *			since_mark_ns (from the OOM killer's choice of the worker until the module
 *			had freed all that it held; null: the module's events do not tell)
 *	stop		the run was ended early, by a signal or the timeout: text
 *	note		something could not be seen, and why: text
 *	verdict		pass, expected, outcome, reason, books ("exact", "within", "wrong" or
 *			null: not to be judged), bound_bytes (within which they balance, or null),
 *			stat_exact (memory.stat balances to the byte all the same); it does not
 *			pass if an audit found objects that are wrong or unowned
 *	fill		what memstress fill does: path (of the cgroup that the worker is in),
 *			group_path (of the one whose usage is brought to the level), level_bytes,
 *			percent (or null), effective_max_bytes, effective_max_path, view_ends (true:
 *			the mount shows only a part of the tree, and limits above it cannot be
 *			seen), kind, object_bytes
 *	fill_move	usage_bytes (that was seen), level_bytes, before_bytes and held_bytes: what
 *			the worker held before and after it
 *	filled		level_bytes, reached (it was, within 1 %), held_ns, lowest_bytes and
 *			highest_bytes (of usage since then), looks, looks_off (that saw it more than
 *			1 % off), moves, worker_died
 *	error		the run ended early: text; there is no verdict
 *
 * Of a squeeze, besides oom, killed, no_victim, stop, note and error:
 *
 *	squeeze		path, name, id, version (as above), limit ("max" or "high"), file (its
 *			name), old_bytes (the limit before; null: none), usage_bytes, start_bytes
 *			(from where it is lowered), floor_bytes, pace ("steps", "rate", "at_once"),
 *			step_bytes, bytes_per_s (null: not of this pace), every_ns, kills (after
 *			how many it is over; null: never), racers, stuck_after_ns, keep
 *	lowered		a step: step (from 1), limit_bytes, limit_now_bytes (what the file says at
 *			its end), usage_before_bytes, usage_after_bytes (when the write was over),
 *			reclaimed_bytes (pgsteal of memory.stat; where there is none, what usage
 *			went down by), write_ns, done (the write had ended), errno (of it; 0),
 *			kills, events (an object; those that went up, by how much), and with
 *			racers race_writes, race_refused, race_slowest_ns
 *	recovered	writes that did not end by themselves have ended: by ("raise" of the limit,
 *			"signal", "kill"; null: nothing ended them), since_ns
 *	squeezed	outcome ("killed", "floor", "refused", "stuck", "stopped", "ended": the
 *			container has, whose cgroup it was), step,
 *			limit_bytes (of that step), kills, now_bytes (the limit at the end; null:
 *			none), left ("restored", "kept", "foreign": as somebody else has written it
 *			meanwhile, "gone": with the cgroup), flaw (of this kernel: the subject of
 *			the commit that it lacks; null), unit (of systemd; null: the cgroup is of
 *			none; else an object:), container (the same)
 *	  unit		name, limit (that systemd has: "MemoryMax" or "MemoryHigh"), bytes (of it at
 *			the end; null: none, or not known), agrees (that is what the file of the
 *			cgroup has; null: not known), why (systemd could not be asked; null)
 *	  container	engine ("docker", "podman"; null: of another one), id, pid and name (of its
 *			first process; null: not known), how (that has ended: "lives": it has not;
 *			"signal" and "exit" by itself are told by the kernel, "ended" is one of
 *			them), oom_killed (it, by the OOM killer, as the kernel log tells; null: it
 *			does not tell), signal (null: of none, or not told), exit_code (as engines
 *			have it; null: it lives, or nobody tells), kernel_kills (for want of memory,
 *			in the cgroup, since it was made), restarted (by the engine), contradicted
 *			(it has ended, and the engine's OOMKilled is not what kernel_kills says),
 *			report (what the engine says, an object of status, running, exit_code and
 *			oom_killed, which engines set at the end; null: it cannot be asked), why
 *			(null, or why not)
 *
 * Of a job of several workers or cgroups: run, cgroup for each of them, and worker, step, level,
 * alloc, hold, free and exit with a key more, worker_name; also events (of the job's own cgroup),
 * oom, killed, no_victim, stop, note and error. Cgroups are called by their path below the job's
 * own, which is "/". Besides:
 *
 *	worker		also cgroup
 *	level		also usage_bytes, swap_bytes: of the cgroup in which the worker is
 *	written		a limit at its time: cgroup, limit ("max" ...), file, bytes (null: max),
 *			usage_before_bytes, usage_after_bytes (when the write was over), write_ns,
 *			done (the write had ended before the run did), errno (of it; 0)
 *	moved		a worker at its time: worker_name, cgroup, usage_before_bytes and
 *			usage_after_bytes of that, errno
 *	ended		how each worker ended: worker_name, pid (0: it was not started), cgroup,
 *			outcome ("done", "enomem", "oom", "global_oom", "killed", "died", "cap",
 *			"unkillable", "stopped"), signal, code (null), objects and requested_bytes
 *			(that it held at the most), limit_cgroup (of outcome oom: whose limit; as
 *			the kernel calls it if it is none of the job's; null: nobody tells)
 *	used		each cgroup in the end: cgroup, usage_bytes, peak_bytes, swap_bytes,
 *			max_bytes, events
 *	expected	worker_name, text (as the job says), seen, holds
 *	verdict		pass, reason
 */
#ifndef MEMSTRESS_USER_RECORD_H
#define MEMSTRESS_USER_RECORD_H

#include <stdbool.h>

#include <linux/memstress.h>

#include "compiler.h"
#include "cgroup.h"
#include "charge.h"
#include "fate.h"
#include "job.h"
#include "kmsg.h"
#include "snapshot.h"
#include "squeeze.h"
#include "systemd_limit.h"
#include "writer.h"

#define RECORD_SCHEMA 1

enum record_type {
	RECORD_RUN,
	RECORD_CGROUP,
	RECORD_WORKER,
	RECORD_STEP,
	RECORD_LEVEL,
	RECORD_ALLOC,
	RECORD_AUDIT,
	RECORD_COUNTERS,
	RECORD_EVENTS,
	RECORD_OOM,
	RECORD_HOLD,
	RECORD_CHURN,
	RECORD_FREE,
	RECORD_EXIT,
	RECORD_RELEASE,
	RECORD_STOP,
	RECORD_NOTE,
	RECORD_VERDICT,
	RECORD_FILL,
	RECORD_FILL_MOVE,
	RECORD_FILLED,
	RECORD_ERROR,
	RECORD_SQUEEZE,
	RECORD_LOWERED,
	RECORD_RECOVERED,
	RECORD_SQUEEZED,
	RECORD_WRITTEN,
	RECORD_MOVED,
	RECORD_ENDED,
	RECORD_USED,
	RECORD_EXPECTED,
	RECORD_JUDGED,
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

/* @is_found: it was there before, and others may be in it; @is_one_of_many: of a scenario */
struct record_cgroup {
	char path[PATH_MAX];
	char name[PATH_MAX];
	__u64 id;
	unsigned int version;
	__u64 max_bytes;
	__u64 high_bytes;
	__u64 low_bytes;
	__u64 min_bytes;
	__u64 swap_max_bytes;
	__u64 zswap_max_bytes;
	__u64 effective_max_bytes;
	char effective_max_path[PATH_MAX];
	bool oom_group;
	bool is_found;
	bool is_one_of_many;
};

/* @count as plan_count() has it. @until_bytes is for UNTIL_USAGE */
struct record_step {
	unsigned int number;
	struct step step;
	__u64 count;
	__u64 until_bytes;
	__u64 charge_bytes;
};

/* @usage_bytes, @swap_bytes: of the worker's cgroup, where there are several */
struct record_level {
	unsigned int number;
	enum growth_shape shape;
	__u64 target;
	__u64 objects;
	__u64 requested_bytes;
	__u64 usage_bytes;
	__u64 swap_bytes;
};

/* @objects: of all @rounds; @held: what there is after them */
struct record_churn {
	unsigned int number;
	__u64 rounds;
	__u64 objects;
	__u64 held;
};

/* @charge is that of user memory */
struct record_alloc {
	unsigned int number;
	__u32 kind;
	struct memstress_alloc alloc;
	struct charge charge;
};

struct record_audit {
	unsigned int number;
	struct memstress_audit audit;
};

/*
 * @settled: the fields of @settle mean something
 * @bookkeeping_bytes: when the objects were held, what the module was charged for itself
 */
struct record_counters {
	enum record_when when;
	__u64 bookkeeping_bytes;
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
	__u32 method;
	__u32 context;
	struct memstress_free free;
};

/* @view_ends: limits above the mount cannot be seen. @step: of what kind */
struct record_fill {
	char path[PATH_MAX];
	char group_path[PATH_MAX];
	struct amount amount;
	__u64 level_bytes;
	__u64 effective_max_bytes;
	char effective_max_path[PATH_MAX];
	bool view_ends;
	struct step step;
};

/* @usage_bytes: before it. The others: what the worker held before and after it */
struct record_fill_move {
	__u64 usage_bytes;
	__u64 level_bytes;
	__u64 before_bytes;
	__u64 held_bytes;
};

/* @looks: after the level was reached, or could not be; @looks_off: with more than 1 % off */
struct record_filled {
	bool reached;
	bool worker_died;
	__u64 level_bytes;
	__u64 held_ns;
	__u64 lowest_bytes;
	__u64 highest_bytes;
	__u64 looks;
	__u64 looks_off;
	__u64 moves;
};

/* @signal 0: it exited by itself, with @code */
struct record_exit {
	int signal;
	int code;
};

struct record_release {
	__u64 usage_bytes;
	__u64 since_kill_ns;
	bool is_marked;
	__u64 since_mark_ns;
};

enum record_books {
	BOOKS_NOT_JUDGED,
	BOOKS_EXACT,
	BOOKS_WITHIN,
	BOOKS_WRONG,
};

/*
 * @bound_bytes: of BOOKS_WITHIN, how far apart they may be
 * @stat_is_exact: but memory.stat moved by what it must, to the byte
 */
struct record_verdict {
	bool pass;
	enum expect expected;
	const char *outcome;
	enum record_books books;
	__u64 bound_bytes;
	bool stat_is_exact;
	char reason[640];
};

/* @file: its name; @racers: how many write it at the same time */
struct record_squeeze {
	char path[PATH_MAX];
	char name[PATH_MAX];
	__u64 id;
	unsigned int version;
	const char *limit;
	const char *file;
	__u64 old_bytes;
	__u64 usage_bytes;
	struct squeeze_plan plan;
	unsigned int racers;
	bool keep;
};

/* @is_done: the write has ended, with @error */
struct record_lowered {
	unsigned int step;
	__u64 limit_bytes;
	__u64 limit_now_bytes;
	__u64 usage_before_bytes;
	__u64 usage_after_bytes;
	__u64 reclaimed_bytes;
	__u64 write_ns;
	bool is_done;
	int error;
	__u64 kills;
	struct snapshot_events events;
	unsigned int racers;
	struct writer_answer race;
};

/* What ended the writes that did not end by themselves */
enum record_by {
	BY_NOTHING,
	BY_RAISE,
	BY_SIGNAL,
	BY_KILL,
};

struct record_recovered {
	enum record_by by;
	__u64 since_ns;
};

enum record_left {
	LEFT_RESTORED,
	LEFT_KEPT,
	LEFT_FOREIGN,
	LEFT_GONE,
};

/*
 * @flaw: NULL if the kernel has none that was met; @unit: what systemd has, if it was a unit's;
 * @fate: of the container, if it was one's
 */
struct record_squeezed {
	enum squeeze_end end;
	unsigned int step;
	__u64 limit_bytes;
	__u64 kills;
	__u64 now_bytes;
	enum record_left left;
	const char *file;
	const char *flaw;
	struct systemd_limit unit;
	struct fate fate;
};

/* @cgroup: below the job's own. @is_done: the write has ended, with @error */
struct record_written {
	char cgroup[64];
	const char *limit;
	const char *file;
	__u64 bytes;
	__u64 before_bytes;
	__u64 after_bytes;
	__u64 write_ns;
	bool is_done;
	int error;
};

struct record_moved {
	char cgroup[64];
	__u64 before_bytes;
	__u64 after_bytes;
	int error;
};

/* @pid 0: it was not started. @limit: whose it was, of an OOM; "": nobody tells */
struct record_ended {
	int pid;
	char cgroup[64];
	const char *outcome;
	int signal;
	int code;
	__u64 objects;
	__u64 requested_bytes;
	char limit[512];
};

struct record_used {
	char cgroup[64];
	__u64 usage_bytes;
	__u64 peak_bytes;
	__u64 swap_bytes;
	__u64 max_bytes;
	struct snapshot_events events;
};

struct record_expected {
	char text[96];
	char seen[256];
	bool holds;
};

struct record_judged {
	bool pass;
	char reason[512];
};

/**
 * struct record - something observed
 * @type: which member is meant
 * @whose: which worker's it is; "": there is only one, or it is of none
 * @time_ns: since the run began
 */
struct record {
	enum record_type type;
	char whose[72];
	__u64 time_ns;
	union {
		struct record_run run;
		struct record_cgroup cgroup;
		struct {
			int pid;
			bool outside;
			char cgroup[64];
		} worker;
		struct record_step step;
		struct record_level level;
		struct record_alloc alloc;
		struct record_audit audit;
		struct record_counters counters;
		struct snapshot_events events;
		struct kmsg_oom oom;
		struct record_hold hold;
		struct record_churn churn;
		struct record_free free;
		struct record_fill fill;
		struct record_fill_move fill_move;
		struct record_filled filled;
		struct record_exit exit;
		struct record_release release;
		struct record_verdict verdict;
		struct record_squeeze squeeze;
		struct record_lowered lowered;
		struct record_recovered recovered;
		struct record_squeezed squeezed;
		struct record_written written;
		struct record_moved moved;
		struct record_ended ended;
		struct record_used used;
		struct record_expected expected;
		struct record_judged judged;
		char text[512];
	};
};

/**
 * struct record_log - all records of a run
 * @start_ns: CLOCK_MONOTONIC when it began
 * @view: is shown each record as it is added; may be NULL
 * @is_stream: they are shown and not kept, as there is no end of them
 * @records: in the order of their times
 * @count: number of them
 */
struct record_log {
	__u64 start_ns;
	void (*view)(const struct record *record);
	bool is_stream;
	struct record **records;
	unsigned int count;
};

void record_log_init(struct record_log *log, void (*view)(const struct record *record));
void record_log_free(struct record_log *log);

/*
 * Stamps a copy of @record, keeps and shows it. Records that do not fit into memory are shown, and
 * so are levels, of which a step that grows has millions and nobody asks afterwards
 */
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
