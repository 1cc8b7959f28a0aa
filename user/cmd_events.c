// SPDX-License-Identifier: GPL-2.0
/* memstress events: what happens, as it happens. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "device.h"
#include "error.h"
#include "events.h"
#include "json.h"
#include "kind.h"
#include "loop.h"
#include "option.h"
#include "output.h"
#include "place.h"
#include "signals.h"
#include "units.h"

/**
 * struct events_command - the command under way
 * @json: JSON lines, not sentences
 * @count: end after so many events; 0: do not
 * @timeout_ns: end after this time; 0: do not
 * @events: what is heard
 * @loop: waits
 * @place: names cgroups
 * @signal_fd: signals that end a process
 * @start_ns: when it began, CLOCK_MONOTONIC
 * @told: events so far
 * @missed: some were lost, and none has come since that says how many
 * @stopped: a signal came
 * @ret: why it cannot go on, or 0
 */
struct events_command {
	bool json;
	__u64 count;
	__u64 timeout_ns;
	struct events events;
	struct loop loop;
	struct place place;
	int signal_fd;
	__u64 start_ns;
	__u64 told;
	bool missed;
	bool stopped;
	int ret;
};

static int events_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct events_command *)context)->json, where, value, error);
}

static int events_set_count(void *context, const char *where, const char *value,
			    struct error *error)
{
	struct events_command *command = context;

	if (units_parse_number(value, &command->count) || !command->count)
		return error_set(error, STATUS_MISUSE, "%s: '%s' is no number from 1", where,
				 value);
	return 0;
}

static int events_set_timeout(void *context, const char *where, const char *value,
			      struct error *error)
{
	struct events_command *command = context;

	if (units_parse_ns(value, &command->timeout_ns) || !command->timeout_ns)
		return error_set(error, STATUS_MISUSE,
				 "%s: '%s' is no time; there are ms, s, m, h, as in 10s", where,
				 value);
	return 0;
}

static const struct option events_options[] = {
	{ "json", NULL, "JSON lines, one for each event", events_set_json },
	{ "count", "N", "end after N events", events_set_count },
	{ "timeout", "TIME", "end after this time (ms, s, m, h)", events_set_timeout },
	{}
};

static const struct option_group events_groups[] = { { "Options", events_options }, {} };

static const char *events_kind_name(__u32 id)
{
	const struct kind *kind = kind_get(id);

	return kind ? kind->name : "?";
}

static __u64 events_charge(const struct event *event)
{
	return event->books.page_charged_bytes + event->books.byte_charged_bytes;
}

static void events_tell_stopped(struct events_command *command, const struct event *event)
{
	output_print("session %llu: ALLOC by %d %s; ", event->session, event->pid,
		     event->error ? "undone" : device_stop_name(event->stop));
	output_print("%llu objects of %s, %llu bytes charged", event->books.objects,
		     events_kind_name(event->kind), events_charge(event));
	if (event->payer_id)
		output_print(" to %s", place_name(&command->place, event->payer_id));
	if (event->failures)
		output_print("; %llu refused (%s)", event->failures, strerror(event->first_errno));
	output_print("\n");
}

static void events_tell_released(const struct event *event)
{
	output_print("session %llu: %llu objects released (%s), %llu bytes charged", event->session,
		     event->books.objects, events_cause_name(event->cause), events_charge(event));
	if (event->is_victim)
		output_print(", %s after the kill", units_ns(event->since_victim_ns).s);
	output_print("\n");
}

static void events_tell(struct events_command *command, const struct event *event)
{
	char text[32];
	__u64 ns = event->ns > command->start_ns ? event->ns - command->start_ns : 0;

	snprintf(text, sizeof(text), "%.3f s", (double)ns / NS_PER_S);
	output_styled(OUTPUT_FAINT, "%11s  ", text);
	switch (event->command) {
	case MEMSTRESS_EVENT_OPENED:
		output_print("session %llu opened by %d (%s) of %s\n", event->session, event->pid,
			     event->comm, place_name(&command->place, event->cgroup_id));
		break;
	case MEMSTRESS_EVENT_CLOSED:
		output_print("session %llu closed\n", event->session);
		break;
	case MEMSTRESS_EVENT_STOPPED:
		events_tell_stopped(command, event);
		break;
	case MEMSTRESS_EVENT_VICTIM:
		output_print("OOM killer: chosen %d (%s) of %s\n", event->pid, event->comm,
			     place_name(&command->place, event->cgroup_id));
		break;
	case MEMSTRESS_EVENT_RELEASED:
		events_tell_released(event);
		break;
	default:
		output_print("an event that this tool does not know (%u)\n", event->command);
	}
}

static const char *events_type(const struct event *event)
{
	switch (event->command) {
	case MEMSTRESS_EVENT_OPENED:
		return "opened";
	case MEMSTRESS_EVENT_CLOSED:
		return "closed";
	case MEMSTRESS_EVENT_STOPPED:
		return "stopped";
	case MEMSTRESS_EVENT_VICTIM:
		return "victim";
	case MEMSTRESS_EVENT_RELEASED:
		return "released";
	default:
		return "unknown";
	}
}

static void events_add_process(struct events_command *command, struct json_object *line,
			       const struct event *event)
{
	json_add_string(line, "name", event->comm);
	place_add_json(&command->place, line, "cgroup", event->cgroup_id);
}

static void events_add_stopped(struct events_command *command, struct json_object *line,
			       const struct event *event)
{
	json_add_string(line, "stop", device_stop_name(event->stop));
	json_add_number(line, "undone_errno", event->error);
	json_add_string(line, "kind", events_kind_name(event->kind));
	json_add_string(line, "context", kind_context_name(event->context));
	json_add_string(line, "policy", kind_policy_name(event->policy));
	json_add_number(line, "handle", event->handle);
	place_add_json(&command->place, line, "payer", event->payer_id);
	json_add_books(line, &event->books);
	json_add_number(line, "failures", event->failures);
	json_add_number(line, "first_errno", event->first_errno);
}

/*
 * Each line has sequence and epoch (as in <linux/memstress_netlink.h>), time_ns (CLOCK_MONOTONIC),
 * session (null: of none) and pid (in the initial pid namespace; null: of nobody). By type:
 *
 *	opened		name, cgroup, cgroup_id
 *	closed
 *	stopped		stop (as in <linux/memstress.h>), undone_errno, kind, context, policy,
 *			handle, payer, payer_id (null: nobody), the books, failures, first_errno
 *	victim		tid, name, cgroup, cgroup_id
 *	released	cause ("free", "close", "killed", "unkillable", "undone", "deadman",
 *			"relief"), the books, since_victim_ns (null: the opener was not marked)
 *	unknown		command: of a newer module
 *	lost		events: how many could not be told (null: not known). Has no other keys
 *	reloaded	the module has been loaded again; sessions are other ones. No other keys
 *
 * A cgroup has the kernel's name for it, or null if it is there no more.
 */
static void events_print_json(struct events_command *command, const struct event *event)
{
	struct json_object *line = json_begin(events_type(event));

	json_add_number(line, "sequence", event->sequence);
	json_add_number(line, "epoch", event->epoch);
	json_add_number(line, "time_ns", event->ns);
	if (event->session)
		json_add_number(line, "session", event->session);
	else
		json_add_null(line, "session");
	if (event->pid)
		json_add_number(line, "pid", event->pid);
	else
		json_add_null(line, "pid");
	switch (event->command) {
	case MEMSTRESS_EVENT_OPENED:
		events_add_process(command, line, event);
		break;
	case MEMSTRESS_EVENT_VICTIM:
		json_add_number(line, "tid", event->tid);
		events_add_process(command, line, event);
		break;
	case MEMSTRESS_EVENT_CLOSED:
		break;
	case MEMSTRESS_EVENT_STOPPED:
		events_add_stopped(command, line, event);
		break;
	case MEMSTRESS_EVENT_RELEASED:
		json_add_string(line, "cause", events_cause_name(event->cause));
		json_add_books(line, &event->books);
		if (event->is_victim)
			json_add_number(line, "since_victim_ns", event->since_victim_ns);
		else
			json_add_null(line, "since_victim_ns");
		break;
	default:
		json_add_number(line, "command", event->command);
	}
	json_end(line);
}

/* @count 0: nobody knows how many. */
static void events_tell_lost(struct events_command *command, __u64 count)
{
	struct json_object *line;

	command->missed = false;
	if (!command->json && count) {
		output_print("%11s  %llu events lost\n", "", count);
		return;
	}
	if (!command->json) {
		output_print("%11s  some events lost\n", "");
		return;
	}
	line = json_begin("lost");
	if (count)
		json_add_number(line, "events", count);
	else
		json_add_null(line, "events");
	json_end(line);
}

static void events_tell_reloaded(struct events_command *command)
{
	command->missed = false;
	if (command->json)
		json_end(json_begin("reloaded"));
	else
		output_print("%11s  the module has been loaded again\n", "");
}

static bool events_is_over(void *context)
{
	const struct events_command *command = context;

	return command->stopped || command->ret ||
	       (command->count && command->told >= command->count);
}

static void events_on_event(void *context)
{
	struct events_command *command = context;
	struct event event;
	int ret;

	while (!events_is_over(command) && (ret = events_next(&command->events, &event))) {
		if (ret == -ENOBUFS) {
			command->missed = true;
			continue;
		}
		if (ret < 0) {
			command->ret = ret;
			return;
		}
		if (event.reloaded)
			events_tell_reloaded(command);
		else if (event.missed)
			events_tell_lost(command, event.missed);
		if (command->json)
			events_print_json(command, &event);
		else
			events_tell(command, &event);
		command->told++;
	}
}

static void events_on_signal(void *context)
{
	((struct events_command *)context)->stopped = true;
}

/* 0 or -errno */
static int events_watch(struct events_command *command)
{
	__u64 end_ns;
	sigset_t set;
	int ret;

	signals_fill_ends(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	command->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (command->signal_fd < 0)
		return -errno;
	ret = loop_add(&command->loop, command->signal_fd, EPOLLIN, events_on_signal, command);
	if (!ret)
		ret = loop_add(&command->loop, events_fd(&command->events), EPOLLIN,
			       events_on_event, command);
	if (ret)
		return ret;
	end_ns = command->timeout_ns ? command->start_ns + command->timeout_ns : 0;
	output_set_deadline(end_ns);
	loop_await(&command->loop, events_is_over, command, end_ns, 0);
	if (command->missed)
		events_tell_lost(command, 0);
	return command->ret;
}

static int events_show(struct events_command *command)
{
	struct error error;
	int ret;

	command->start_ns = clock_now_ns();
	place_init(&command->place);
	ret = events_open(&command->events);
	if (!ret) {
		ret = events_join(&command->events);
		if (!ret)
			ret = loop_init(&command->loop);
		if (!ret) {
			ret = events_watch(command);
			loop_destroy(&command->loop);
		}
		if (command->signal_fd >= 0)
			close(command->signal_fd);
		events_close(&command->events);
	}
	if (!ret)
		return STATUS_HELD;
	events_set_error(&error, ret);
	return error_report(&error);
}

void cmd_events_help(void)
{
	option_print_help(events_groups);
	output_print("\nWithout any, it goes on until a signal ends it.\n");
}

int cmd_events(int argc, char **argv)
{
	struct events_command command = { .signal_fd = -1 };
	struct error error;

	switch (option_parse_all(events_groups, &command, argc, argv, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return events_show(&command);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
