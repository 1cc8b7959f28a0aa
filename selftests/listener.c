// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "clock.h"
#include "listener.h"

#define REPLY_DEADLINE_NS (10 * NS_PER_S)

struct message {
	struct nlmsghdr header;
	struct genlmsghdr genl;
	char attributes[64];
};

static int next_attribute(const char **at, int *left, const struct nlattr **attribute)
{
	const struct nlattr *a = (const struct nlattr *)*at;

	if (*left < NLA_HDRLEN || a->nla_len < NLA_HDRLEN || a->nla_len > *left)
		return 0;
	*attribute = a;
	*at += NLA_ALIGN(a->nla_len);
	*left -= NLA_ALIGN(a->nla_len);
	return 1;
}

static const void *payload(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

static int payload_length(const struct nlattr *attribute)
{
	return attribute->nla_len - NLA_HDRLEN;
}

/* Of 4 or 8 bytes; 0 of any other length */
static __u64 number(const struct nlattr *attribute)
{
	__u64 wide = 0;
	__u32 narrow = 0;

	if (payload_length(attribute) == sizeof(wide)) {
		memcpy(&wide, payload(attribute), sizeof(wide));
		return wide;
	}
	if (payload_length(attribute) == sizeof(narrow))
		memcpy(&narrow, payload(attribute), sizeof(narrow));
	return narrow;
}

static int send_message(struct listener *listener, __u16 family, int command, int flags, __u16 type,
			const void *value, unsigned int length)
{
	struct message message = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			.nlmsg_type = family,
			.nlmsg_flags = NLM_F_REQUEST | flags,
			.nlmsg_seq = ++listener->sequence,
		},
		.genl = { .cmd = command, .version = MEMSTRESS_NETLINK_VERSION },
	};
	struct nlattr attribute = { .nla_len = NLA_HDRLEN + length, .nla_type = type };

	if (NLA_ALIGN(NLA_HDRLEN + length) > sizeof(message.attributes))
		return -EMSGSIZE;
	if (length) {
		memcpy(message.attributes, &attribute, NLA_HDRLEN);
		memcpy(message.attributes + NLA_HDRLEN, value, length);
		message.header.nlmsg_len += NLA_ALIGN(NLA_HDRLEN + length);
	}
	if (send(listener->fd, &message, message.header.nlmsg_len, 0) < 0)
		return -errno;
	return 0;
}

static void read_books(const struct nlattr *nest, struct memstress_books *books)
{
	__u64 *const fields[MEMSTRESS_A_BOOKS_END] = {
		[MEMSTRESS_A_BOOKS_OBJECTS] = &books->objects,
		[MEMSTRESS_A_BOOKS_UNCHARGED] = &books->uncharged_objects,
		[MEMSTRESS_A_BOOKS_REQUESTED] = &books->requested_bytes,
		[MEMSTRESS_A_BOOKS_PAGE_CHARGED] = &books->page_charged_bytes,
		[MEMSTRESS_A_BOOKS_BYTE_CHARGED] = &books->byte_charged_bytes,
		[MEMSTRESS_A_BOOKS_FOOTPRINT] = &books->footprint_bytes,
	};
	const char *at = payload(nest);
	int left = payload_length(nest);
	const struct nlattr *a;

	while (next_attribute(&at, &left, &a)) {
		unsigned int type = a->nla_type & NLA_TYPE_MASK;

		if (type < MEMSTRESS_A_BOOKS_END && fields[type])
			*fields[type] = number(a);
	}
}

static void read_ledger(const struct nlattr *nest, struct event *event)
{
	const char *at = payload(nest);
	int left = payload_length(nest);
	const struct nlattr *a;
	__u32 kind = 0;

	while (next_attribute(&at, &left, &a)) {
		switch (a->nla_type & NLA_TYPE_MASK) {
		case MEMSTRESS_A_LEDGER_KIND:
			kind = number(a) < MEMSTRESS_KIND_END ? number(a) : 0;
			break;
		case MEMSTRESS_A_LEDGER_HOLDINGS:
			event->holdings[kind] = number(a);
			break;
		case MEMSTRESS_A_LEDGER_BOOKS:
			read_books(a, &event->ledger[kind]);
			break;
		}
	}
}

static void read_string(const struct nlattr *a, char *text, size_t size)
{
	int length = payload_length(a);

	if (length >= (int)size)
		length = size - 1;
	memcpy(text, payload(a), length);
	text[length] = '\0';
}

static void read_session_attribute(const struct nlattr *a, struct event *event)
{
	switch (a->nla_type & NLA_TYPE_MASK) {
	case MEMSTRESS_A_SESSION_ID:
		event->session = number(a);
		break;
	case MEMSTRESS_A_SESSION_PID:
		event->pid = number(a);
		break;
	case MEMSTRESS_A_SESSION_COMM:
		read_string(a, event->comm, sizeof(event->comm));
		break;
	case MEMSTRESS_A_SESSION_CGROUP_ID:
		event->cgroup_id = number(a);
		break;
	case MEMSTRESS_A_SESSION_SHARED:
		event->shared = true;
		break;
	case MEMSTRESS_A_SESSION_DEAD:
		event->dead = true;
		break;
	case MEMSTRESS_A_SESSION_IN_FLIGHT:
		event->in_flight = number(a);
		break;
	case MEMSTRESS_A_SESSION_BOOKKEEPING:
		event->bookkeeping_bytes = number(a);
		break;
	case MEMSTRESS_A_SESSION_LEDGER:
		read_ledger(a, event);
		break;
	case MEMSTRESS_A_SESSION_SEQUENCE:
		event->sequence = number(a);
		break;
	case MEMSTRESS_A_SESSION_EPOCH:
		event->epoch = number(a);
		break;
	}
}

static void read_event_attribute(const struct nlattr *a, struct event *event)
{
	switch (a->nla_type & NLA_TYPE_MASK) {
	case MEMSTRESS_A_EVENT_SEQUENCE:
		event->sequence = number(a);
		break;
	case MEMSTRESS_A_EVENT_NS:
		event->ns = number(a);
		break;
	case MEMSTRESS_A_EVENT_EPOCH:
		event->epoch = number(a);
		break;
	case MEMSTRESS_A_EVENT_LOST:
		event->lost = number(a);
		break;
	case MEMSTRESS_A_EVENT_SESSION:
		event->session = number(a);
		break;
	case MEMSTRESS_A_EVENT_PID:
		event->pid = number(a);
		break;
	case MEMSTRESS_A_EVENT_TID:
		event->tid = number(a);
		break;
	case MEMSTRESS_A_EVENT_COMM:
		read_string(a, event->comm, sizeof(event->comm));
		break;
	case MEMSTRESS_A_EVENT_CGROUP_ID:
		event->cgroup_id = number(a);
		break;
	case MEMSTRESS_A_EVENT_STOP:
		event->stop = number(a);
		break;
	case MEMSTRESS_A_EVENT_ERRNO:
		event->error = number(a);
		break;
	case MEMSTRESS_A_EVENT_KIND:
		event->kind = number(a);
		break;
	case MEMSTRESS_A_EVENT_CONTEXT:
		event->context = number(a);
		break;
	case MEMSTRESS_A_EVENT_POLICY:
		event->policy = number(a);
		break;
	case MEMSTRESS_A_EVENT_HANDLE:
		event->handle = number(a);
		break;
	case MEMSTRESS_A_EVENT_PAYER_ID:
		event->payer_id = number(a);
		break;
	case MEMSTRESS_A_EVENT_BOOKS:
		read_books(a, &event->books);
		break;
	case MEMSTRESS_A_EVENT_FAILURES:
		event->failures = number(a);
		break;
	case MEMSTRESS_A_EVENT_FIRST_ERRNO:
		event->first_errno = number(a);
		break;
	case MEMSTRESS_A_EVENT_CAUSE:
		event->cause = number(a);
		break;
	case MEMSTRESS_A_EVENT_SINCE_VICTIM_NS:
		event->since_victim_ns = number(a);
		break;
	}
}

static void read_event(const struct nlmsghdr *header, struct event *event)
{
	const struct genlmsghdr *genl = NLMSG_DATA(header);
	const char *at = (const char *)genl + GENL_HDRLEN;
	int left = header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
	const struct nlattr *a;

	*event = (struct event){
		.command = genl->cmd,
		.session = -1,
		.since_victim_ns = -1,
		.stop = -1,
		.cause = -1,
		.pid = -1,
		.tid = -1,
	};
	while (next_attribute(&at, &left, &a)) {
		if (genl->cmd == MEMSTRESS_NETLINK_GET_SESSION)
			read_session_attribute(a, event);
		else
			read_event_attribute(a, event);
	}
}

/* One datagram, which may be several messages. Its length, or -errno */
static int receive(struct listener *listener, __u64 deadline_ns, void *buffer, size_t size)
{
	struct pollfd pollfd = { .fd = listener->fd, .events = POLLIN };
	ssize_t length;
	__u64 now;

	do {
		now = clock_now_ns();
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		if (poll(&pollfd, 1, (deadline_ns - now) / NS_PER_MS + 1) < 0)
			return -errno;
		length = recv(listener->fd, buffer, size, MSG_DONTWAIT);
	} while (length < 0 && errno == EAGAIN);
	return length < 0 ? -errno : length;
}

/* Behind an error: with NETLINK_CAP_ACK, of the request there is only its header */
static void read_extack(struct listener *listener, const struct nlmsghdr *header, int length)
{
	const char *at = (const char *)NLMSG_DATA(header) + NLMSG_ALIGN(length);
	int left = header->nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(length));
	const struct nlattr *a;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	while (next_attribute(&at, &left, &a)) {
		if (a->nla_type == NLMSGERR_ATTR_MSG)
			read_string(a, listener->extack, sizeof(listener->extack));
		if (a->nla_type == NLMSGERR_ATTR_OFFS)
			listener->extack_offset = number(a);
	}
}

/* 0: go on; 1: this was the last message */
static int read_reply(struct listener *listener, const struct nlmsghdr *header, int *result,
		      void (*seen)(const struct nlmsghdr *header, void *data), void *data)
{
	if (header->nlmsg_seq != listener->sequence)
		return 0;
	switch (header->nlmsg_type) {
	/* Both begin with an errno: a dump may also be refused when it has begun */
	case NLMSG_DONE:
		memcpy(result, NLMSG_DATA(header), sizeof(*result));
		read_extack(listener, header, sizeof(*result));
		return 1;
	case NLMSG_ERROR:
		memcpy(result, NLMSG_DATA(header), sizeof(*result));
		read_extack(listener, header, sizeof(struct nlmsgerr));
		return 1;
	default:
		seen(header, data);
		return 0;
	}
}

static int read_replies(struct listener *listener,
			void (*seen)(const struct nlmsghdr *header, void *data), void *data)
{
	__u64 deadline = clock_deadline_ns(REPLY_DEADLINE_NS);
	struct nlmsghdr buffer[32768 / sizeof(struct nlmsghdr)];
	const struct nlmsghdr *header;
	int length, result = 0;

	listener->extack[0] = '\0';
	listener->extack_offset = -1;
	for (;;) {
		length = receive(listener, deadline, buffer, sizeof(buffer));
		if (length < 0)
			return length;
		for (header = buffer; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length))
			if (read_reply(listener, header, &result, seen, data))
				return result;
	}
}

static void find_group(struct listener *listener, const struct nlattr *group)
{
	const char *at = payload(group);
	int left = payload_length(group);
	const struct nlattr *a;
	char name[GENL_NAMSIZ] = "";
	__u32 id = 0;

	while (next_attribute(&at, &left, &a)) {
		if (a->nla_type == CTRL_ATTR_MCAST_GRP_NAME)
			read_string(a, name, sizeof(name));
		if (a->nla_type == CTRL_ATTR_MCAST_GRP_ID)
			id = number(a);
	}
	if (!strcmp(name, MEMSTRESS_NETLINK_EVENTS))
		listener->group = id;
}

static void find_family(const struct nlmsghdr *header, void *data)
{
	const char *at = (const char *)NLMSG_DATA(header) + GENL_HDRLEN, *group_at;
	int left = header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), group_left;
	struct listener *listener = data;
	const struct nlattr *a, *group;

	while (next_attribute(&at, &left, &a)) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&listener->family, payload(a), sizeof(listener->family));
		if (a->nla_type != CTRL_ATTR_MCAST_GROUPS)
			continue;
		group_at = payload(a);
		group_left = payload_length(a);
		while (next_attribute(&group_at, &group_left, &group))
			find_group(listener, group);
	}
}

int listener_open(struct listener *listener)
{
	const int on = 1;
	int ret;

	*listener = (struct listener){ 0 };
	listener->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (listener->fd < 0)
		return -errno;
	ret = 0;
	if (setsockopt(listener->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(listener->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)))
		ret = -errno;
	if (!ret)
		ret = send_message(listener, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK,
				   CTRL_ATTR_FAMILY_NAME, MEMSTRESS_NETLINK_NAME,
				   sizeof(MEMSTRESS_NETLINK_NAME));
	if (!ret)
		ret = read_replies(listener, find_family, listener);
	if (ret)
		listener_close(listener);
	return ret;
}

void listener_close(struct listener *listener)
{
	if (listener->fd > 0)
		close(listener->fd);
	listener->fd = -1;
}

int listener_join(struct listener *listener)
{
	if (!listener->group)
		return -EOPNOTSUPP;
	if (setsockopt(listener->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &listener->group,
		       sizeof(listener->group)))
		return -errno;
	return 0;
}

int listener_set_buffer(struct listener *listener, int bytes)
{
	return setsockopt(listener->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ?
		       -errno :
		       0;
}

int listener_next(struct listener *listener, __u64 deadline_ns, struct event *event)
{
	struct nlmsghdr buffer[8192 / sizeof(struct nlmsghdr)];
	const struct nlmsghdr *header = buffer;
	int length;

	/* A multicast message is a datagram of its own */
	do {
		length = receive(listener, deadline_ns, buffer, sizeof(buffer));
		if (length < 0)
			return length;
	} while (!NLMSG_OK(header, length) || header->nlmsg_type != listener->family);
	read_event(header, event);
	return 0;
}

int listener_await(struct listener *listener, __u64 deadline_ns, __u64 session, int command,
		   struct event *event)
{
	int ret;

	do {
		ret = listener_next(listener, deadline_ns, event);
	} while (!ret && (event->command != command || event->session != (__s64)session));
	return ret;
}

struct ask {
	void (*seen)(const struct event *event, void *data);
	void *data;
};

static void see_event(const struct nlmsghdr *header, void *data)
{
	struct ask *ask = data;
	struct event event;

	read_event(header, &event);
	if (ask->seen)
		ask->seen(&event, ask->data);
}

int listener_ask(struct listener *listener, int command, bool dump, __u16 type, const void *value,
		 unsigned int length, void (*seen)(const struct event *event, void *data),
		 void *data)
{
	struct ask ask = { .seen = seen, .data = data };
	int ret;

	ret = send_message(listener, listener->family, command, dump ? NLM_F_DUMP : NLM_F_ACK, type,
			   value, length);
	return ret ? ret : read_replies(listener, see_event, &ask);
}
