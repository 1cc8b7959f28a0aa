/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket of the family memstress, without a library in between: what a message says and what
 * the kernel answers to one that is wrong is what is tested.
 */
#ifndef MEMSTRESS_SELFTESTS_LISTENER_H
#define MEMSTRESS_SELFTESTS_LISTENER_H

#include <stdbool.h>
#include <linux/memstress.h>
#include <linux/memstress_netlink.h>

struct listener {
	int fd;
	__u16 family;
	__u32 group; /* 0: this kernel cannot restrict who joins, and there is none */
	__u32 sequence;
	char extack[128]; /* of the last refusal */
	int extack_offset;
};

/* A message; what it does not say is 0, or -1 for the first group of fields */
struct event {
	int command;
	__s64 session, since_victim_ns;
	__s32 stop, cause, pid, tid;

	__u64 sequence, ns, epoch, lost, cgroup_id, payer_id, failures;
	__u32 error, kind, context, policy, handle, first_errno;
	char comm[16];
	struct memstress_books books;

	/* Of a session */
	__u64 bookkeeping_bytes;
	bool shared, dead;
	__u32 in_flight;
	__u64 holdings[MEMSTRESS_KIND_END];
	struct memstress_books ledger[MEMSTRESS_KIND_END];
};

/* They return 0 or -errno */
int listener_open(struct listener *listener);
void listener_close(struct listener *listener);
int listener_join(struct listener *listener);
int listener_set_buffer(struct listener *listener, int bytes);

/* The next event; -ETIMEDOUT, -ENOBUFS: some were lost */
int listener_next(struct listener *listener, __u64 deadline_ns, struct event *event);

/* The next event of a session, with this command; what comes in between is passed over */
int listener_await(struct listener *listener, __u64 deadline_ns, __u64 session, int command,
		   struct event *event);

/*
 * Sends @command with one attribute (@length 0: none, @type with it), as a dump or not. The
 * answers go to @seen one by one.
 */
int listener_ask(struct listener *listener, int command, bool dump, __u16 type, const void *value,
		 unsigned int length, void (*seen)(const struct event *event, void *data),
		 void *data);

#endif /* MEMSTRESS_SELFTESTS_LISTENER_H */
