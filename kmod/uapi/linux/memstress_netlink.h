/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family of memstress: what sessions there are, and what happens to
 * them. linux/memstress.h explains what a session, a holding, the books are.
 *
 * General rules
 * -------------
 *
 * The family is in the initial network namespace, and everything it tells is for CAP_SYS_ADMIN
 * there: whose processes are where, and ids of cgroups. The module is not loaded by asking
 * for the family.
 *
 * Enumerations only grow at their end. Who reads a message leaves alone commands and
 * attributes that it does not know, and takes none for granted that is not said to be always
 * there. Requests with an attribute that the module does not know are refused.
 *
 * A refused request is answered with an errno and, where NETLINK_EXT_ACK is set, a text:
 *
 *  - EPERM: needs CAP_SYS_ADMIN of the sender and of whoever opened the socket.
 *  - EINVAL: an attribute is missing, malformed, or has no place in this request.
 *  - ENOENT: no session has this id.
 *  - EOPNOTSUPP: no such command.
 *
 * Events
 * ------
 *
 * Events are sent to the multicast group MEMSTRESS_NETLINK_EVENTS, while somebody listens.
 * Joining it needs CAP_SYS_ADMIN (EPERM). Kernels that cannot demand that (before 6.1, but for
 * 5.10 from 5.10.204) do not have the group.
 *
 * No event is waited for. A listener that does not read loses what does not fit into its
 * buffer: the kernel tells it so with ENOBUFS, and the next MEMSTRESS_A_EVENT_SEQUENCE is not
 * the successor of the last. So it is, for all listeners, if the module had to let events go,
 * in which case MEMSTRESS_A_EVENT_LOST says how many. After a loss, dump the sessions: an
 * event is in the answer if its sequence number is not above MEMSTRESS_A_SESSION_SEQUENCE.
 *
 * The sums of MEMSTRESS_A_EVENT_BOOKS of a session's STOPPED events less those of its RELEASED
 * events are what it holds, whenever no call is under way; after CLOSED, 0.
 */
#ifndef _UAPI_LINUX_MEMSTRESS_NETLINK_H
#define _UAPI_LINUX_MEMSTRESS_NETLINK_H

#define MEMSTRESS_NETLINK_NAME    "memstress"
#define MEMSTRESS_NETLINK_VERSION 1
#define MEMSTRESS_NETLINK_EVENTS  "events"

/**
 * enum memstress_netlink_command - requests, and events
 * @MEMSTRESS_NETLINK_UNSPEC: none
 * @MEMSTRESS_NETLINK_GET_SESSION: a session, named by MEMSTRESS_A_SESSION_ID; or as a dump,
 *	without any attribute, all of them in the order in which they were opened. A session
 *	that is open during all of a dump is in it exactly once. The answers are this command
 *	with attributes of enum memstress_session_attr
 * @MEMSTRESS_EVENT_OPENED: a session was opened: SESSION, PID, COMM, CGROUP_ID
 * @MEMSTRESS_EVENT_CLOSED: it is closed, and all that it had is free: SESSION, PID
 * @MEMSTRESS_EVENT_STOPPED: an ALLOC has ended that came as far as to ask for an object:
 *	SESSION, PID of the caller, STOP, KIND, CONTEXT, POLICY, HANDLE, PAYER_ID, BOOKS of what
 *	it has made, kept or not, FAILURES, and ERRNO if it is undone because the session died
 * @MEMSTRESS_EVENT_VICTIM: the OOM killer has marked a victim, anywhere on the machine: PID,
 *	TID, COMM, CGROUP_ID. Where the tracepoint oom:mark_victim is not there, never
 * @MEMSTRESS_EVENT_RELEASED: objects were freed: SESSION, BOOKS of them, CAUSE, and
 *	SINCE_VICTIM_NS. One for each call, not each object
 * @MEMSTRESS_NETLINK_COMMAND_END: one past the last
 *
 * Events have attributes of enum memstress_event_attr, those named here and, all of them,
 * SEQUENCE, NS and EPOCH.
 */
enum memstress_netlink_command {
	MEMSTRESS_NETLINK_UNSPEC,
	MEMSTRESS_NETLINK_GET_SESSION,
	MEMSTRESS_EVENT_OPENED,
	MEMSTRESS_EVENT_CLOSED,
	MEMSTRESS_EVENT_STOPPED,
	MEMSTRESS_EVENT_VICTIM,
	MEMSTRESS_EVENT_RELEASED,
	MEMSTRESS_NETLINK_COMMAND_END,
};

/**
 * enum memstress_session_attr - a session
 * @MEMSTRESS_A_SESSION_UNSPEC: none
 * @MEMSTRESS_A_SESSION_PAD: aligns what follows
 * @MEMSTRESS_A_SESSION_ID: u64, never 0, and no other session's since the module was loaded
 * @MEMSTRESS_A_SESSION_PID: u32, the thread group that opened it, in the pid namespace of who
 *	asks. Left out if it is not to be seen there, or has exited
 * @MEMSTRESS_A_SESSION_COMM: string, its name now. Left out if it has exited
 * @MEMSTRESS_A_SESSION_CGROUP_ID: u64, of the cgroup that it is in now, as the memory
 *	controller sees it. Left out if it has exited
 * @MEMSTRESS_A_SESSION_SHARED: flag: others may ALLOC in it
 * @MEMSTRESS_A_SESSION_DEAD: flag: its memory was given back for it
 * @MEMSTRESS_A_SESSION_IN_FLIGHT: u32, ALLOC and FREE calls under way
 * @MEMSTRESS_A_SESSION_BOOKKEEPING: u64, bytes, as bookkeeping_bytes of struct memstress_ledger
 * @MEMSTRESS_A_SESSION_LEDGER: nest of enum memstress_ledger_attr, one for each kind that it
 *	has objects of
 * @MEMSTRESS_A_SESSION_SEQUENCE: u64, of an event: it and all before have had their effect
 * @MEMSTRESS_A_SESSION_EPOCH: u64, see MEMSTRESS_A_EVENT_EPOCH
 * @MEMSTRESS_A_SESSION_END: one past the last
 */
enum memstress_session_attr {
	MEMSTRESS_A_SESSION_UNSPEC,
	MEMSTRESS_A_SESSION_PAD,
	MEMSTRESS_A_SESSION_ID,
	MEMSTRESS_A_SESSION_PID,
	MEMSTRESS_A_SESSION_COMM,
	MEMSTRESS_A_SESSION_CGROUP_ID,
	MEMSTRESS_A_SESSION_SHARED,
	MEMSTRESS_A_SESSION_DEAD,
	MEMSTRESS_A_SESSION_IN_FLIGHT,
	MEMSTRESS_A_SESSION_BOOKKEEPING,
	MEMSTRESS_A_SESSION_LEDGER,
	MEMSTRESS_A_SESSION_SEQUENCE,
	MEMSTRESS_A_SESSION_EPOCH,
	MEMSTRESS_A_SESSION_END,
};

/**
 * enum memstress_ledger_attr - what a session has of one kind
 * @MEMSTRESS_A_LEDGER_UNSPEC: none
 * @MEMSTRESS_A_LEDGER_PAD: aligns what follows
 * @MEMSTRESS_A_LEDGER_KIND: u32, enum memstress_kind
 * @MEMSTRESS_A_LEDGER_HOLDINGS: u64, how many, those of running ALLOCs left out
 * @MEMSTRESS_A_LEDGER_BOOKS: nest of enum memstress_books_attr, with what running ALLOCs have
 *	booked
 * @MEMSTRESS_A_LEDGER_END: one past the last
 */
enum memstress_ledger_attr {
	MEMSTRESS_A_LEDGER_UNSPEC,
	MEMSTRESS_A_LEDGER_PAD,
	MEMSTRESS_A_LEDGER_KIND,
	MEMSTRESS_A_LEDGER_HOLDINGS,
	MEMSTRESS_A_LEDGER_BOOKS,
	MEMSTRESS_A_LEDGER_END,
};

/**
 * enum memstress_books_attr - struct memstress_books, all of them u64
 * @MEMSTRESS_A_BOOKS_UNSPEC: none
 * @MEMSTRESS_A_BOOKS_PAD: aligns what follows
 * @MEMSTRESS_A_BOOKS_OBJECTS: objects
 * @MEMSTRESS_A_BOOKS_UNCHARGED: uncharged_objects
 * @MEMSTRESS_A_BOOKS_REQUESTED: requested_bytes
 * @MEMSTRESS_A_BOOKS_PAGE_CHARGED: page_charged_bytes
 * @MEMSTRESS_A_BOOKS_BYTE_CHARGED: byte_charged_bytes
 * @MEMSTRESS_A_BOOKS_FOOTPRINT: footprint_bytes
 * @MEMSTRESS_A_BOOKS_END: one past the last
 */
enum memstress_books_attr {
	MEMSTRESS_A_BOOKS_UNSPEC,
	MEMSTRESS_A_BOOKS_PAD,
	MEMSTRESS_A_BOOKS_OBJECTS,
	MEMSTRESS_A_BOOKS_UNCHARGED,
	MEMSTRESS_A_BOOKS_REQUESTED,
	MEMSTRESS_A_BOOKS_PAGE_CHARGED,
	MEMSTRESS_A_BOOKS_BYTE_CHARGED,
	MEMSTRESS_A_BOOKS_FOOTPRINT,
	MEMSTRESS_A_BOOKS_END,
};

/**
 * enum memstress_event_attr - an event
 * @MEMSTRESS_A_EVENT_UNSPEC: none
 * @MEMSTRESS_A_EVENT_PAD: aligns what follows
 * @MEMSTRESS_A_EVENT_SEQUENCE: u64, one more than that of the event before, from 1. Events that
 *	nobody listened to have none
 * @MEMSTRESS_A_EVENT_NS: u64, CLOCK_MONOTONIC in ns, when it happened
 * @MEMSTRESS_A_EVENT_EPOCH: u64, the same as long as the module stays loaded, another one each
 *	time that it is loaded
 * @MEMSTRESS_A_EVENT_LOST: u64, how many events right before this one were let go; left out if
 *	none was
 * @MEMSTRESS_A_EVENT_SESSION: u64, MEMSTRESS_A_SESSION_ID
 * @MEMSTRESS_A_EVENT_PID: u32, a thread group, in the initial pid namespace: the opener's, the
 *	caller's, the victim's
 * @MEMSTRESS_A_EVENT_TID: u32, the thread of it that was marked
 * @MEMSTRESS_A_EVENT_COMM: string, its name
 * @MEMSTRESS_A_EVENT_CGROUP_ID: u64, of the cgroup that it is in, as the memory controller sees
 *	it
 * @MEMSTRESS_A_EVENT_STOP: u32, enum memstress_stop
 * @MEMSTRESS_A_EVENT_ERRNO: u32
 * @MEMSTRESS_A_EVENT_KIND: u32, enum memstress_kind
 * @MEMSTRESS_A_EVENT_CONTEXT: u32, enum memstress_context
 * @MEMSTRESS_A_EVENT_POLICY: u32, enum memstress_policy
 * @MEMSTRESS_A_EVENT_HANDLE: u32, of the holding
 * @MEMSTRESS_A_EVENT_PAYER_ID: u64, payer_id of struct memstress_alloc
 * @MEMSTRESS_A_EVENT_BOOKS: nest of enum memstress_books_attr
 * @MEMSTRESS_A_EVENT_FAILURES: u64, objects refused
 * @MEMSTRESS_A_EVENT_FIRST_ERRNO: u32, why the first of them was; left out if none was
 * @MEMSTRESS_A_EVENT_CAUSE: u32, enum memstress_cause
 * @MEMSTRESS_A_EVENT_SINCE_VICTIM_NS: u64, ns since the session's opener was marked as a victim.
 *	Left out if it was not, or 64 others were since
 * @MEMSTRESS_A_EVENT_END: one past the last
 */
enum memstress_event_attr {
	MEMSTRESS_A_EVENT_UNSPEC,
	MEMSTRESS_A_EVENT_PAD,
	MEMSTRESS_A_EVENT_SEQUENCE,
	MEMSTRESS_A_EVENT_NS,
	MEMSTRESS_A_EVENT_EPOCH,
	MEMSTRESS_A_EVENT_LOST,
	MEMSTRESS_A_EVENT_SESSION,
	MEMSTRESS_A_EVENT_PID,
	MEMSTRESS_A_EVENT_TID,
	MEMSTRESS_A_EVENT_COMM,
	MEMSTRESS_A_EVENT_CGROUP_ID,
	MEMSTRESS_A_EVENT_STOP,
	MEMSTRESS_A_EVENT_ERRNO,
	MEMSTRESS_A_EVENT_KIND,
	MEMSTRESS_A_EVENT_CONTEXT,
	MEMSTRESS_A_EVENT_POLICY,
	MEMSTRESS_A_EVENT_HANDLE,
	MEMSTRESS_A_EVENT_PAYER_ID,
	MEMSTRESS_A_EVENT_BOOKS,
	MEMSTRESS_A_EVENT_FAILURES,
	MEMSTRESS_A_EVENT_FIRST_ERRNO,
	MEMSTRESS_A_EVENT_CAUSE,
	MEMSTRESS_A_EVENT_SINCE_VICTIM_NS,
	MEMSTRESS_A_EVENT_END,
};

/**
 * enum memstress_cause - why objects were freed
 * @MEMSTRESS_CAUSE_FREE: FREE
 * @MEMSTRESS_CAUSE_CLOSE: the session's last descriptor was closed, or its process has exited
 * @MEMSTRESS_CAUSE_KILLED: by an ALLOC whose caller is being killed (MEMSTRESS_STOP_KILLED)
 * @MEMSTRESS_CAUSE_UNKILLABLE: by an ALLOC whose caller may not be killed
 *	(MEMSTRESS_STOP_UNKILLABLE)
 * @MEMSTRESS_CAUSE_UNDONE: by an ALLOC that could not write its answer, or whose session died
 * @MEMSTRESS_CAUSE_DEADMAN: the session has made no call for too long
 * @MEMSTRESS_CAUSE_RELIEF: an OOM that is not a cgroup's
 * @MEMSTRESS_CAUSE_END: one past the last
 */
enum memstress_cause {
	MEMSTRESS_CAUSE_FREE,
	MEMSTRESS_CAUSE_CLOSE,
	MEMSTRESS_CAUSE_KILLED,
	MEMSTRESS_CAUSE_UNKILLABLE,
	MEMSTRESS_CAUSE_UNDONE,
	MEMSTRESS_CAUSE_DEADMAN,
	MEMSTRESS_CAUSE_RELIEF,
	MEMSTRESS_CAUSE_END,
};

#endif /* _UAPI_LINUX_MEMSTRESS_NETLINK_H */
