// SPDX-License-Identifier: GPL-2.0
/*
 * memstress audit: to whom the kernel charges objects of each kind, while the cgroup that pays is
 * there, and when it is gone.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels.h"
#include "charge.h"
#include "clock.h"
#include "commands.h"
#include "device.h"
#include "job.h"
#include "json.h"
#include "module.h"
#include "output.h"
#include "signals.h"
#include "target.h"

/* What the objects of a row are charged, about; much less than the limit of the cgroup. */
#define AUDIT_ROW_BYTES (1024ULL << 10)
#define AUDIT_MAX_BYTES (256ULL << 20)
#define AUDIT_ROWS      (2 * MEMSTRESS_KIND_END)

/*
 * The kernel hands the charges of a removed cgroup over by and by. Before 5.13 it does not, and
 * nothing but the time tells that.
 */
#define AUDIT_HEIR_TIMEOUT (2 * NS_PER_S)
#define AUDIT_HEIR_LOOK    (10 * NS_PER_MS)

/* Small objects are charged by the byte, and these in whole pages. */
#define AUDIT_LARGE_KMALLOC (64ULL << 10)

/**
 * struct audit_row - objects of one size
 * @step: what they are
 * @alloc: what was made of them
 * @missing: why there are none; NULL if there are
 * @paid: what AUDIT says while the payer is there
 * @inherited: and when it is gone
 */
struct audit_row {
	struct step step;
	struct memstress_alloc alloc;
	const char *missing;
	struct memstress_audit paid;
	struct memstress_audit inherited;
};

/**
 * struct audit - an audit under way
 * @json: JSON lines instead of the page
 * @kind: the only one to look at; NULL: all
 * @fd: the session
 * @info: what the module says of this machine
 * @target: the cgroup that pays
 * @target_id: its id
 * @parent_id: that of the cgroup above it
 * @rows: what is looked at
 * @row_count: number of them
 * @charge: what usage must have moved by
 * @before_bytes: usage before the first object
 * @after_bytes: and after the last one
 * @settled: both times it was made exact
 */
struct audit {
	bool json;
	const struct kind *kind;
	int fd;
	struct memstress_info info;
	struct target target;
	__u64 target_id;
	__u64 parent_id;
	struct audit_row rows[AUDIT_ROWS];
	unsigned int row_count;
	struct charge charge;
	__u64 before_bytes;
	__u64 after_bytes;
	bool settled;
};

static int audit_set_json(void *context, const char *where, const char *value, struct error *error)
{
	struct audit *audit = context;

	return option_set_flag(&audit->json, where, value, error);
}

static int audit_set_kind(void *context, const char *where, const char *value, struct error *error)
{
	struct audit *audit = context;

	audit->kind = kind_find(value);
	if (audit->kind && audit->kind->workload)
		return error_set(error, STATUS_MISUSE,
				 "%s: %s is user memory, which only the counters show", where,
				 value);
	if (audit->kind)
		return 0;
	return error_set(error, STATUS_MISUSE, "%s: unknown kind '%s'; memstress kinds lists them",
			 where, value);
}

static const struct option audit_options[] = {
	{ "kind", "KIND", "only this kind; memstress kinds lists them", audit_set_kind },
	{ "json", NULL, "JSON lines: one of type audit for each row, and a verdict",
	  audit_set_json },
	{}
};

static const struct option_group audit_groups[] = { { "Options", audit_options }, {} };

static const char audit_help_end[] =
	"\n"
	"Makes a cgroup with a limit, lets it pay for objects of each kind, asks the kernel\n"
	"to whom each of them is charged, and compares usage with what must be charged for\n"
	"all of them. Then it removes the cgroup and asks again: its charges must have gone\n"
	"to the cgroup above it (before Linux 5.13, stay with the removed one). What is\n"
	"charged by the byte the kernel does not tell the owner of; usage alone speaks for\n"
	"it. Nothing stays behind. Needs root.\n"
	"\n"
	"memstress run does the same for what it allocates, at the end of each step.\n"
	"\n"
	"Exit codes: 0 all is charged to whom it should be; 1 something is not;\n"
	"2 misuse; 4 it cannot be done here.\n";

static void audit_add_row(struct audit *audit, const struct kind *kind, __u64 object_size)
{
	struct audit_row *row = &audit->rows[audit->row_count++];

	row->step = (struct step){
		.kind = kind,
		.object_size = kind->has_order ? 0 : object_size,
	};
}

static void audit_plan(struct audit *audit)
{
	const struct kind *kind;

	for (kind = kinds; kind->name; kind++) {
		if (kind->workload || (audit->kind && audit->kind != kind))
			continue;
		audit_add_row(audit, kind, kind->object_size);
		if (kind->id == MEMSTRESS_KIND_KMALLOC)
			audit_add_row(audit, kind, AUDIT_LARGE_KMALLOC);
	}
}

/* Makes the objects of a row. 0 or -1 */
static int audit_alloc(struct audit *audit, struct audit_row *row, struct error *error)
{
	struct memstress_info info = {
		.kind = row->step.kind->id,
		.object_size = row->step.object_size,
	};
	struct memstress_alloc *alloc = &row->alloc;
	int ret = device_info(audit->fd, &info);
	__u64 charge = info.object_page_charged_bytes + info.object_byte_charged_bytes;

	if (ret == -EINVAL || ret == -EOPNOTSUPP) {
		row->missing = "the module that is loaded does not have it";
		return 0;
	}
	*alloc = (struct memstress_alloc){
		.flags = MEMSTRESS_ALLOC_ACCOUNT,
		.kind = row->step.kind->id,
		.node = MEMSTRESS_NODE_ANY,
		.payer_fd = audit->target.cg.fd,
		.object_size = row->step.object_size,
		.count = charge && charge < AUDIT_ROW_BYTES ? AUDIT_ROW_BYTES / charge : 1,
	};
	if (!ret)
		ret = device_alloc(audit->fd, alloc);
	if (ret)
		return error_set(error,
				 ret == -EPERM || ret == -EOPNOTSUPP ? STATUS_UNSUPPORTED :
								       STATUS_FAILED,
				 "the module refuses %s: %s%s", job_objects(&row->step).s,
				 strerror(-ret), ret == -EPERM ? "; this needs root" : "");
	if (alloc->stop != MEMSTRESS_STOP_DONE)
		return error_set(error, STATUS_FAILED, "only %llu of %llu objects of %s: %s",
				 alloc->books.objects, alloc->count, job_objects(&row->step).s,
				 device_stop_name(alloc->stop));
	charge_add(&audit->charge, alloc->kind, &alloc->books);
	return 0;
}

/* Usage, made exact if it can be: then *@settled stays as it was, else it becomes false. */
static int audit_usage(struct audit *audit, __u64 *usage, bool *settled, struct error *error)
{
	struct memstress_settle settle = { .cgroup_fd = audit->target.cg.fd };
	int ret = device_settle(audit->fd, &settle);

	if (ret || settle.state != MEMSTRESS_SETTLE_EXACT)
		*settled = false;
	ret = cg_read_number(&audit->target.cg, CG_USAGE, usage);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read cgroup %s: %s",
				 audit->target.path, strerror(-ret));
	return 0;
}

static int audit_ask(struct audit *audit, const struct audit_row *row,
		     struct memstress_audit *answer, struct error *error)
{
	int ret;

	*answer = (struct memstress_audit){ .handle = row->alloc.handle };
	ret = device_audit(audit->fd, answer);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot audit %s: %s",
				 job_objects(&row->step).s, strerror(-ret));
	return 0;
}

static int audit_pay(struct audit *audit, struct error *error)
{
	unsigned int i;

	audit->settled = true;
	if (audit_usage(audit, &audit->before_bytes, &audit->settled, error))
		return -1;
	for (i = 0; i < audit->row_count; i++)
		if (audit_alloc(audit, &audit->rows[i], error))
			return -1;
	for (i = 0; i < audit->row_count; i++)
		if (!audit->rows[i].missing &&
		    audit_ask(audit, &audit->rows[i], &audit->rows[i].paid, error))
			return -1;
	return audit_usage(audit, &audit->after_bytes, &audit->settled, error);
}

static long long audit_moved(const struct audit *audit)
{
	return (long long)(audit->after_bytes - audit->before_bytes);
}

static bool audit_is_right(const struct memstress_audit *answer)
{
	return !answer->wrong_objects && !answer->unowned_objects;
}

/* What nobody has yet inherited from a removed cgroup looks wrong for a moment. */
static int audit_inherit(struct audit *audit, struct error *error)
{
	__u64 deadline = clock_now_ns() + AUDIT_HEIR_TIMEOUT;
	unsigned int i;

	for (i = 0; i < audit->row_count; i++) {
		struct audit_row *row = &audit->rows[i];

		if (row->missing)
			continue;
		if (audit_ask(audit, row, &row->inherited, error))
			return -1;
		while ((!audit_is_right(&row->inherited) ||
			row->inherited.right_id == audit->target_id) &&
		       clock_now_ns() < deadline) {
			clock_pause_ns(AUDIT_HEIR_LOOK);
			if (audit_ask(audit, row, &row->inherited, error))
				return -1;
		}
	}
	return 0;
}

/* With the cgroup made; removing it, if it is still there, is left to the caller. */
static int audit_perform(struct audit *audit, struct error *error)
{
	struct stat st;

	audit->target_id = audit->target.cg.id;
	if (!fstat(audit->target.cg.parent_fd, &st))
		audit->parent_id = st.st_ino;
	return audit_pay(audit, error);
}

static int audit_run(struct audit *audit, struct error *error)
{
	struct error remove_error;
	struct job job;
	sigset_t signals;
	int ret;

	job_init(&job);
	job.limits.of[LIMITS_MAX] = (struct amount){ AMOUNT_BYTES, AUDIT_MAX_BYTES };
	if (target_prepare(&audit->target, &job, true, error))
		return -1;
	/* A signal waits for the second that this takes, so that nothing is left behind. */
	channels_block_signals(&signals);
	ret = target_create(&audit->target, &job, error);
	if (!ret)
		ret = audit_perform(audit, error);
	/* Without what is above it, for that is the heir. */
	if (target_remove_cgroup(&audit->target, &remove_error) && !ret) {
		*error = remove_error;
		ret = -1;
	}
	if (!ret)
		ret = audit_inherit(audit, error);
	if (target_remove(&audit->target, &remove_error) && !ret) {
		*error = remove_error;
		ret = -1;
	}
	signals_put_back(&signals);
	return ret;
}

/* By how much usage differs from the books; a page for each more node is rounding. */
static long long audit_difference(const struct audit *audit)
{
	__u64 page_size = audit->info.page_size;
	long long difference =
		audit_moved(audit) - (long long)charge_usage(&audit->charge, page_size);
	long long more = (long long)(page_size * (audit->info.online_nodes - 1));

	return difference > 0 && difference <= more ? 0 : difference;
}

static __u64 audit_misplaced(const struct audit *audit)
{
	__u64 objects = 0;
	unsigned int i;

	for (i = 0; i < audit->row_count; i++)
		objects += audit->rows[i].paid.wrong_objects + audit->rows[i].paid.unowned_objects +
			   audit->rows[i].inherited.wrong_objects +
			   audit->rows[i].inherited.unowned_objects;
	return objects;
}

static bool audit_holds(const struct audit *audit)
{
	return !audit_misplaced(audit) && (!audit->settled || !audit_difference(audit));
}

static void audit_add_owner(struct output_table *table, const struct audit *audit,
			    const struct memstress_audit *answer)
{
	__u64 id = answer->first_handle ? answer->first_owner_id : answer->right_id;

	if (!answer->first_handle && !answer->right_objects)
		output_table_cell(table, "the kernel does not tell");
	else if (!id)
		output_table_cell(table, "nobody");
	else if (id == audit->target_id)
		output_table_cell(table, "the payer");
	else if (id == audit->parent_id)
		output_table_cell(table, "its parent");
	else
		output_table_cell(table, "cgroup %llu", id);
}

static void audit_add_answer(struct output_table *table, const struct audit *audit,
			     const struct audit_row *row, const char *payer,
			     const struct memstress_audit *answer)
{
	output_table_row(table);
	output_table_cell(table, "%s", job_objects(&row->step).s);
	output_table_cell(table, "%s", payer);
	output_table_cell(table, "%llu", row->alloc.books.objects);
	output_table_cell(table, "%llu", answer->right_objects);
	output_table_cell(table, "%llu", answer->wrong_objects);
	output_table_cell(table, "%llu", answer->unowned_objects);
	output_table_cell(table, "%llu", answer->unasked_objects);
	audit_add_owner(table, audit, answer);
}

static void audit_print_usage(const struct audit *audit)
{
	output_print("\n  Usage moved by %lld bytes, and must by %llu: ", audit_moved(audit),
		     charge_usage(&audit->charge, audit->info.page_size));
	if (audit->settled)
		output_print("%lld off.\n", audit_difference(audit));
	else
		output_print("it could not be made exact.\n");
}

static void audit_print(const struct audit *audit)
{
	struct output_table table;
	unsigned int i;

	output_table_init(&table, "llrrrrrl");
	output_table_row(&table);
	output_table_cell(&table, "objects of");
	output_table_cell(&table, "payer");
	output_table_cell(&table, "objects");
	output_table_cell(&table, "right");
	output_table_cell(&table, "wrong");
	output_table_cell(&table, "unowned");
	output_table_cell(&table, "by counters only");
	output_table_cell(&table, "charged to");
	for (i = 0; i < audit->row_count; i++) {
		const struct audit_row *row = &audit->rows[i];

		if (row->missing)
			continue;
		audit_add_answer(&table, audit, row, "there", &row->paid);
		audit_add_answer(&table, audit, row, "removed", &row->inherited);
	}
	output_table_print(&table);
	for (i = 0; i < audit->row_count; i++)
		if (audit->rows[i].missing)
			output_print("  %s: %s\n", job_objects(&audit->rows[i].step).s,
				     audit->rows[i].missing);
	audit_print_usage(audit);
	output_print("\n");
	if (audit_holds(audit))
		output_styled(OUTPUT_GOOD, "PASS: all is charged to whom it should be\n");
	else if (audit_misplaced(audit))
		output_styled(OUTPUT_BAD, "FAIL: not all is charged to whom it should be\n");
	else
		output_styled(OUTPUT_BAD, "FAIL: usage is not what was charged\n");
}

/*
 * Keys of audit: kind, order or object_bytes, payer ("there", "removed"), objects, payer_id,
 * parent_id, and those of the record audit of a run (record.h) but for step. Of verdict: pass,
 * misplaced_objects, usage_before_bytes, usage_after_bytes, usage_charged_bytes (what lies between
 * the two if nothing is amiss), settled (whether it must).
 */
static void audit_print_json_row(const struct audit *audit, const struct audit_row *row,
				 const char *payer, const struct memstress_audit *answer)
{
	struct json_object *line = json_begin("audit");

	json_add_string(line, "kind", row->step.kind->name);
	if (row->step.kind->has_order)
		json_add_number(line, "order", row->step.order);
	else
		json_add_number(line, "object_bytes", row->step.object_size);
	json_add_string(line, "payer", payer);
	json_add_number(line, "objects", row->alloc.books.objects);
	json_add_number(line, "payer_id", audit->target_id);
	json_add_number(line, "parent_id", audit->parent_id);
	json_add_audit(line, answer);
	json_end(line);
}

static void audit_print_json(const struct audit *audit)
{
	struct json_object *line;
	unsigned int i;

	for (i = 0; i < audit->row_count; i++) {
		const struct audit_row *row = &audit->rows[i];

		if (row->missing)
			continue;
		audit_print_json_row(audit, row, "there", &row->paid);
		audit_print_json_row(audit, row, "removed", &row->inherited);
	}
	line = json_begin("verdict");
	json_add_bool(line, "pass", audit_holds(audit));
	json_add_number(line, "misplaced_objects", audit_misplaced(audit));
	json_add_number(line, "usage_before_bytes", audit->before_bytes);
	json_add_number(line, "usage_after_bytes", audit->after_bytes);
	json_add_number(line, "usage_charged_bytes",
			charge_usage(&audit->charge, audit->info.page_size));
	json_add_bool(line, "settled", audit->settled);
	json_end(line);
}

static int audit_show(struct audit *audit)
{
	struct error error;
	int ret;

	audit->fd = module_open(&audit->info, &error);
	if (audit->fd < 0)
		return error_report(&error);
	audit_plan(audit);
	ret = audit_run(audit, &error);
	close(audit->fd);
	if (ret)
		return error_report(&error);
	if (audit->json)
		audit_print_json(audit);
	else
		audit_print(audit);
	return audit_holds(audit) ? STATUS_HELD : STATUS_FAILED;
}

void cmd_audit_help(void)
{
	option_print_help(audit_groups);
	output_print("%s", audit_help_end);
}

int cmd_audit(int argc, char **argv)
{
	struct audit audit = {};
	struct error error;

	switch (option_parse_all(audit_groups, &audit, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return audit_show(&audit);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
