// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "events.h"

/* libnl has its own numbers, and several of ours for some of them. */
static int events_errno(int ret)
{
	switch (-ret) {
	case 0:
		return 0;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	/* So it calls ENOBUFS, too. */
	case NLE_NOMEM:
		return -ENOBUFS;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_INTR:
		return -EINTR;
	default:
		return -EIO;
	}
}

static void events_read_books(struct nlattr *nest, struct memstress_books *books)
{
	struct nlattr *a[MEMSTRESS_A_BOOKS_END];
	struct {
		int type;
		__u64 *field;
	} const fields[] = {
		{ MEMSTRESS_A_BOOKS_OBJECTS, &books->objects },
		{ MEMSTRESS_A_BOOKS_UNCHARGED, &books->uncharged_objects },
		{ MEMSTRESS_A_BOOKS_REQUESTED, &books->requested_bytes },
		{ MEMSTRESS_A_BOOKS_PAGE_CHARGED, &books->page_charged_bytes },
		{ MEMSTRESS_A_BOOKS_BYTE_CHARGED, &books->byte_charged_bytes },
		{ MEMSTRESS_A_BOOKS_FOOTPRINT, &books->footprint_bytes },
	};
	unsigned int i;

	if (nla_parse_nested(a, MEMSTRESS_A_BOOKS_END - 1, nest, NULL))
		return;
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (a[fields[i].type])
			*fields[i].field = nla_get_u64(a[fields[i].type]);
}

static __u32 events_u32(struct nlattr *a)
{
	return a && nla_len(a) >= (int)sizeof(__u32) ? nla_get_u32(a) : 0;
}

static __u64 events_u64(struct nlattr *a)
{
	return a ? nla_get_u64(a) : 0;
}

static void events_comm(struct nlattr *a, char comm[EVENTS_COMM_SIZE])
{
	snprintf(comm, EVENTS_COMM_SIZE, "%.*s", a ? nla_len(a) : 0, a ? (char *)nla_data(a) : "");
}

/**
 * struct events_inbox - what is read at once
 * @events: whose
 * @event: the event that came
 * @count: how many came, which is one if any
 * @see: for sessions
 * @context: for @see
 * @refused: errno at the end of a dump
 * @over: it has come to its end
 */
struct events_inbox {
	struct events *events;
	struct event *event;
	unsigned int count;
	void (*see)(const struct session *session, void *context);
	void *context;
	int refused;
	bool over;
};

static void events_number(struct events *events, struct event *event)
{
	event->reloaded = events->heard && events->epoch != event->epoch;
	if (events->heard && !event->reloaded)
		event->missed = event->sequence - events->sequence - 1;
	events->heard = true;
	events->sequence = event->sequence;
	events->epoch = event->epoch;
}

static int events_on_event(struct nl_msg *msg, void *arg)
{
	struct nlattr *a[MEMSTRESS_A_EVENT_END];
	struct events_inbox *inbox = arg;
	struct event *event = inbox->event;
	struct nlmsghdr *header = nlmsg_hdr(msg);

	if (header->nlmsg_type != inbox->events->family ||
	    genlmsg_parse(header, 0, a, MEMSTRESS_A_EVENT_END - 1, NULL))
		return NL_OK;
	*event = (struct event){
		.command = ((struct genlmsghdr *)nlmsg_data(header))->cmd,
		.sequence = events_u64(a[MEMSTRESS_A_EVENT_SEQUENCE]),
		.epoch = events_u64(a[MEMSTRESS_A_EVENT_EPOCH]),
		.ns = events_u64(a[MEMSTRESS_A_EVENT_NS]),
		.session = events_u64(a[MEMSTRESS_A_EVENT_SESSION]),
		.pid = events_u32(a[MEMSTRESS_A_EVENT_PID]),
		.tid = events_u32(a[MEMSTRESS_A_EVENT_TID]),
		.cgroup_id = events_u64(a[MEMSTRESS_A_EVENT_CGROUP_ID]),
		.stop = events_u32(a[MEMSTRESS_A_EVENT_STOP]),
		.error = events_u32(a[MEMSTRESS_A_EVENT_ERRNO]),
		.kind = events_u32(a[MEMSTRESS_A_EVENT_KIND]),
		.context = events_u32(a[MEMSTRESS_A_EVENT_CONTEXT]),
		.policy = events_u32(a[MEMSTRESS_A_EVENT_POLICY]),
		.handle = events_u32(a[MEMSTRESS_A_EVENT_HANDLE]),
		.payer_id = events_u64(a[MEMSTRESS_A_EVENT_PAYER_ID]),
		.failures = events_u64(a[MEMSTRESS_A_EVENT_FAILURES]),
		.first_errno = events_u32(a[MEMSTRESS_A_EVENT_FIRST_ERRNO]),
		.cause = events_u32(a[MEMSTRESS_A_EVENT_CAUSE]),
		.is_victim = a[MEMSTRESS_A_EVENT_SINCE_VICTIM_NS],
		.since_victim_ns = events_u64(a[MEMSTRESS_A_EVENT_SINCE_VICTIM_NS]),
	};
	events_comm(a[MEMSTRESS_A_EVENT_COMM], event->comm);
	if (a[MEMSTRESS_A_EVENT_BOOKS])
		events_read_books(a[MEMSTRESS_A_EVENT_BOOKS], &event->books);
	events_number(inbox->events, event);
	inbox->count++;
	return NL_OK;
}

static void events_read_ledger(struct nlattr *nest, struct session *session)
{
	struct nlattr *a[MEMSTRESS_A_LEDGER_END];
	__u32 kind;

	if (nla_parse_nested(a, MEMSTRESS_A_LEDGER_END - 1, nest, NULL))
		return;
	kind = events_u32(a[MEMSTRESS_A_LEDGER_KIND]);
	/* Of a newer module. */
	if (kind >= MEMSTRESS_KIND_END)
		return;
	session->holdings[kind] = events_u64(a[MEMSTRESS_A_LEDGER_HOLDINGS]);
	if (a[MEMSTRESS_A_LEDGER_BOOKS])
		events_read_books(a[MEMSTRESS_A_LEDGER_BOOKS], &session->books[kind]);
}

static int events_on_session(struct nl_msg *msg, void *arg)
{
	struct nlattr *a[MEMSTRESS_A_SESSION_END], *nest;
	struct events_inbox *inbox = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct session session;
	int rest;

	if (header->nlmsg_type != inbox->events->family ||
	    genlmsg_parse(header, 0, a, MEMSTRESS_A_SESSION_END - 1, NULL))
		return NL_OK;
	session = (struct session){
		.id = events_u64(a[MEMSTRESS_A_SESSION_ID]),
		.pid = events_u32(a[MEMSTRESS_A_SESSION_PID]),
		.cgroup_id = events_u64(a[MEMSTRESS_A_SESSION_CGROUP_ID]),
		.shared = a[MEMSTRESS_A_SESSION_SHARED],
		.dead = a[MEMSTRESS_A_SESSION_DEAD],
		.in_flight = events_u32(a[MEMSTRESS_A_SESSION_IN_FLIGHT]),
		.bookkeeping_bytes = events_u64(a[MEMSTRESS_A_SESSION_BOOKKEEPING]),
	};
	events_comm(a[MEMSTRESS_A_SESSION_COMM], session.comm);
	rest = nlmsg_attrlen(header, GENL_HDRLEN);
	for (nest = nlmsg_attrdata(header, GENL_HDRLEN); nla_ok(nest, rest);
	     nest = nla_next(nest, &rest))
		if (nla_type(nest) == MEMSTRESS_A_SESSION_LEDGER)
			events_read_ledger(nest, &session);
	inbox->see(&session, inbox->context);
	return NL_OK;
}

/* A dump that is refused ends with an errno, which libnl leaves to us. */
static int events_on_end(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct events_inbox *inbox = arg;

	if (nlmsg_datalen(header) >= (int)sizeof(inbox->refused))
		memcpy(&inbox->refused, nlmsg_data(header), sizeof(inbox->refused));
	inbox->over = true;
	return NL_STOP;
}

int events_open(struct events *events)
{
	int ret;

	*events = (struct events){ .socket = nl_socket_alloc() };
	if (!events->socket)
		return -ENOMEM;
	ret = genl_connect(events->socket);
	if (!ret) {
		events->family = genl_ctrl_resolve(events->socket, MEMSTRESS_NETLINK_NAME);
		if (events->family < 0)
			ret = events->family;
	}
	if (!ret)
		events->group = genl_ctrl_resolve_grp(events->socket, MEMSTRESS_NETLINK_NAME,
						      MEMSTRESS_NETLINK_EVENTS);
	if (ret)
		events_close(events);
	return events_errno(ret);
}

void events_close(struct events *events)
{
	nl_socket_free(events->socket);
	events->socket = NULL;
}

int events_join(struct events *events)
{
	int ret;

	if (events->group < 0)
		return -EOPNOTSUPP;
	/* Nobody has asked for an event. */
	nl_socket_disable_seq_check(events->socket);
	ret = nl_socket_set_nonblocking(events->socket);
	if (!ret)
		ret = nl_socket_add_membership(events->socket, events->group);
	return events_errno(ret);
}

int events_fd(const struct events *events)
{
	return nl_socket_get_fd(events->socket);
}

/* What is in one datagram. */
static int events_receive(struct events_inbox *inbox, int (*on_message)(struct nl_msg *, void *))
{
	struct nl_sock *socket = inbox->events->socket;

	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, inbox);
	nl_socket_modify_cb(socket, NL_CB_FINISH, NL_CB_CUSTOM, events_on_end, inbox);
	return events_errno(nl_recvmsgs_default(socket));
}

int events_next(struct events *events, struct event *event)
{
	struct events_inbox inbox = { .events = events, .event = event };
	int ret;

	do {
		ret = events_receive(&inbox, events_on_event);
	} while (!ret && !inbox.count);
	if (ret == -EAGAIN || ret == -EINTR)
		return 0;
	return ret ? ret : 1;
}

int events_each_session(struct events *events, void (*see)(const struct session *, void *),
			void *context)
{
	struct events_inbox inbox = { .events = events, .see = see, .context = context };
	int ret;

	ret = genl_send_simple(events->socket, events->family, MEMSTRESS_NETLINK_GET_SESSION,
			       MEMSTRESS_NETLINK_VERSION, NLM_F_DUMP);
	if (ret < 0)
		return events_errno(ret);
	do {
		ret = events_receive(&inbox, events_on_session);
	} while ((!ret || ret == -EINTR) && !inbox.over);
	return ret ? ret : inbox.refused;
}

void events_set_error(struct error *error, int ret)
{
	if (ret == -ENOENT)
		error_set(error, STATUS_UNSUPPORTED,
			  "the module's netlink family is not here: no module, or a net namespace");
	else if (ret == -EPERM)
		error_set(error, STATUS_UNSUPPORTED, "what happens is told to root only");
	else if (ret == -EOPNOTSUPP)
		error_set(error, STATUS_UNSUPPORTED,
			  "this kernel cannot keep events from others than root, so there are none");
	else
		error_set(error, STATUS_FAILED, "cannot ask the module: %s", strerror(-ret));
}

const char *events_cause_name(__u32 cause)
{
	static const char *const names[MEMSTRESS_CAUSE_END] = {
		[MEMSTRESS_CAUSE_FREE] = "free",     [MEMSTRESS_CAUSE_CLOSE] = "close",
		[MEMSTRESS_CAUSE_KILLED] = "killed", [MEMSTRESS_CAUSE_UNKILLABLE] = "unkillable",
		[MEMSTRESS_CAUSE_UNDONE] = "undone", [MEMSTRESS_CAUSE_DEADMAN] = "deadman",
		[MEMSTRESS_CAUSE_RELIEF] = "relief",
	};

	return cause < MEMSTRESS_CAUSE_END ? names[cause] : "?";
}
