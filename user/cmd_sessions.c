// SPDX-License-Identifier: GPL-2.0
/* memstress sessions: who has opened the device, and what they hold. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cgroup.h"
#include "commands.h"
#include "error.h"
#include "events.h"
#include "json.h"
#include "kind.h"
#include "option.h"
#include "output.h"
#include "place.h"

static const struct option sessions_options[] = {
	{ "json", NULL, "JSON lines, one for each session", option_set_flag },
	{}
};

static const struct option_group sessions_groups[] = { { "Options", sessions_options }, {} };

/**
 * struct sessions_view - what is shown
 * @json: JSON lines, not a table
 * @count: sessions so far
 * @place: names cgroups
 * @table: the rows that are not printed yet
 */
struct sessions_view {
	bool json;
	unsigned int count;
	struct place place;
	struct output_table table;
};

static void sessions_begin_table(struct output_table *table)
{
	output_table_init(table, "rllrll");
	output_table_row(table);
	output_table_cell(table, "session");
	output_table_cell(table, "opened by");
	output_table_cell(table, "objects");
	output_table_cell(table, "must be charged");
	output_table_cell(table, "state");
	output_table_cell(table, "opener's cgroup");
}

static void sessions_add_objects(struct output_table *table, const struct session *session)
{
	char text[512] = "none";
	size_t length = 0;
	__u32 i;

	for (i = 0; i < MEMSTRESS_KIND_END; i++) {
		const struct kind *kind = kind_get(i);

		if (!session->books[i].objects || length >= sizeof(text))
			continue;
		length += snprintf(text + length, sizeof(text) - length, "%s%llu %s",
				   length ? ", " : "", session->books[i].objects,
				   kind ? kind->name : "?");
	}
	output_table_cell(table, "%s", text);
}

static __u64 sessions_charge(const struct session *session)
{
	__u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < MEMSTRESS_KIND_END; i++)
		bytes +=
			session->books[i].page_charged_bytes + session->books[i].byte_charged_bytes;
	return bytes;
}

static void sessions_add_row(struct sessions_view *view, const struct session *session)
{
	struct output_table *table = &view->table;

	/* A table has an end; what is to come has the next one. */
	if (table->rows == OUTPUT_ROWS) {
		output_table_print(table);
		sessions_begin_table(table);
	}
	output_table_row(table);
	output_table_cell(table, "%llu", session->id);
	if (session->pid)
		output_table_cell(table, "%d (%s)", session->pid, session->comm);
	else
		output_table_cell(table, "%s", *session->comm ? session->comm : "(exited)");
	sessions_add_objects(table, session);
	output_table_cell(table, "%llu", sessions_charge(session));
	output_table_cell(table, "%s%s%s", session->dead ? "dead" : "open",
			  session->shared ? ", shared" : "", session->in_flight ? ", busy" : "");
	output_table_cell(table, "%s", place_name(&view->place, session->cgroup_id));
}

/*
 * Type "session". Keys: session (its id), pid and name of the opener (null: it has exited, pid
 * also if it cannot be seen from here), cgroup_id and cgroup (the kernel's name for it; null if
 * it has exited, or cannot be found), shared, dead, in_flight, bookkeeping_bytes. For each kind
 * that it holds a line of type "holdings" follows: session, kind, holdings, and the books, as in
 * <linux/memstress.h>.
 */
static void sessions_print_json(struct sessions_view *view, const struct session *session)
{
	struct json_object *line = json_begin("session");
	__u32 i;

	json_add_number(line, "session", session->id);
	if (session->pid)
		json_add_number(line, "pid", session->pid);
	else
		json_add_null(line, "pid");
	json_add_string(line, "name", *session->comm ? session->comm : NULL);
	place_add_json(&view->place, line, "cgroup", session->cgroup_id);
	json_add_bool(line, "shared", session->shared);
	json_add_bool(line, "dead", session->dead);
	json_add_number(line, "in_flight", session->in_flight);
	json_add_number(line, "bookkeeping_bytes", session->bookkeeping_bytes);
	json_end(line);
	for (i = 0; i < MEMSTRESS_KIND_END; i++) {
		const struct kind *kind = kind_get(i);

		if (!session->books[i].objects)
			continue;
		line = json_begin("holdings");
		json_add_number(line, "session", session->id);
		json_add_string(line, "kind", kind ? kind->name : NULL);
		json_add_number(line, "holdings", session->holdings[i]);
		json_add_books(line, &session->books[i]);
		json_end(line);
	}
}

static void sessions_see(const struct session *session, void *context)
{
	struct sessions_view *view = context;

	view->count++;
	if (view->json)
		sessions_print_json(view, session);
	else
		sessions_add_row(view, session);
}

static int sessions_show(bool json)
{
	struct sessions_view view = { .json = json };
	struct events events;
	struct error error;
	int ret;

	ret = events_open(&events);
	if (!ret) {
		place_init(&view.place);
		sessions_begin_table(&view.table);
		ret = events_each_session(&events, sessions_see, &view);
		events_close(&events);
		if (!json && view.count)
			output_table_print(&view.table);
		else if (!json && !ret)
			output_print("There is no session.\n");
	}
	if (!ret)
		return STATUS_HELD;
	events_set_error(&error, ret);
	return error_report(&error);
}

void cmd_sessions_help(void)
{
	option_print_help(sessions_groups);
}

int cmd_sessions(int argc, char **argv)
{
	struct error error;
	bool json = false;

	switch (option_parse_all(sessions_groups, &json, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return sessions_show(json);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
