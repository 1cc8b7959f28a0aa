/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's netlink family, which <linux/memstress_netlink.h> describes: sessions on request,
 * and events as they come. The only place that knows libnl.
 */
#ifndef MEMSTRESS_USER_EVENTS_H
#define MEMSTRESS_USER_EVENTS_H

#include <stdbool.h>

#include <linux/memstress.h>
#include <linux/memstress_netlink.h>

#include "error.h"

#define EVENTS_COMM_SIZE 32

struct nl_sock;

/**
 * struct events - a socket of the family
 * @socket: libnl's; NULL: it is not open
 * @family: id of the family
 * @group: id of the multicast group; negative: there is none
 * @heard: an event has come, of which these are the numbers:
 * @sequence: its own
 * @epoch: the module's
 */
struct events {
	struct nl_sock *socket;
	int family;
	int group;
	bool heard;
	__u64 sequence;
	__u64 epoch;
};

/**
 * struct event - something that happened
 * @command: enum memstress_netlink_command
 * @sequence: its number
 * @epoch: the same as long as the module stays loaded
 * @ns: CLOCK_MONOTONIC
 * @missed: events between the last one that came and this one
 * @reloaded: the module is another one than that of the last event
 * @session: id of the session; 0: it is of none
 * @pid: thread group, in the initial pid namespace; 0: of none
 * @tid: thread; 0: of none
 * @comm: its name
 * @cgroup_id: where it is; 0: unknown
 * @stop: enum memstress_stop
 * @error: errno of an ALLOC that was undone, or 0
 * @kind: enum memstress_kind
 * @context: enum memstress_context
 * @policy: enum memstress_policy
 * @handle: of the holding
 * @payer_id: who pays; 0: nobody
 * @failures: objects refused
 * @first_errno: why the first was
 * @books: objects made or freed
 * @cause: enum memstress_cause
 * @is_victim: @since_victim_ns means something
 * @since_victim_ns: since the session's opener was marked
 */
struct event {
	__u32 command;
	__u64 sequence;
	__u64 epoch;
	__u64 ns;
	__u64 missed;
	bool reloaded;
	__u64 session;
	int pid;
	int tid;
	char comm[EVENTS_COMM_SIZE];
	__u64 cgroup_id;
	__u32 stop;
	__u32 error;
	__u32 kind;
	__u32 context;
	__u32 policy;
	__u32 handle;
	__u64 payer_id;
	__u64 failures;
	__u32 first_errno;
	struct memstress_books books;
	__u32 cause;
	bool is_victim;
	__u64 since_victim_ns;
};

/**
 * struct session - what an open session is
 * @id: its name
 * @pid: of who opened it, as seen from here; 0: it has exited, or cannot be seen
 * @comm: its name
 * @cgroup_id: where it is; 0: unknown
 * @shared: others may ALLOC, too
 * @dead: its memory was given back for it
 * @in_flight: calls under way
 * @bookkeeping_bytes: what the module was charged for itself
 * @books: what it holds, by kind
 * @holdings: number of holdings, by kind
 */
struct session {
	__u64 id;
	int pid;
	char comm[EVENTS_COMM_SIZE];
	__u64 cgroup_id;
	bool shared;
	bool dead;
	__u32 in_flight;
	__u64 bookkeeping_bytes;
	struct memstress_books books[MEMSTRESS_KIND_END];
	__u64 holdings[MEMSTRESS_KIND_END];
};

/*
 * All return 0 or -errno. -ENOENT: the family is not there, as the module is not loaded, or of
 * another network namespace.
 */
int events_open(struct events *events);
void events_close(struct events *events);

/* -EPERM: needs CAP_SYS_ADMIN; -EOPNOTSUPP: this kernel cannot restrict who listens */
int events_join(struct events *events);

/* For poll() */
int events_fd(const struct events *events);

/*
 * Reads the next event without waiting. 1: there was one; 0: there is none now; -ENOBUFS: some
 * were lost, and the next one says how many.
 */
int events_next(struct events *events, struct event *event);

/* Calls @see for each session that is open, in the order in which they were opened */
int events_each_session(struct events *events, void (*see)(const struct session *, void *),
			void *context);

/* What a person is told of an -errno of the above */
void events_set_error(struct error *error, int ret);

/* "free", "close", ...; "?" if it is unknown */
const char *events_cause_name(__u32 cause);

#endif /* MEMSTRESS_USER_EVENTS_H */
