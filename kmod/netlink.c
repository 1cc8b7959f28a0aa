// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: sessions on request, and the messages that events become.
 *
 * Everything here is for CAP_SYS_ADMIN. There is no module alias for the family, which would
 * let everybody load the module by asking for it.
 */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#include "compat.h"
#include "internal.h"

static struct genl_family ms_netlink_family;

static int ms_netlink_put_books(struct sk_buff *skb, int type, const struct memstress_books *books)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_BOOKS_OBJECTS, books->objects,
			      MEMSTRESS_A_BOOKS_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_BOOKS_UNCHARGED, books->uncharged_objects,
			      MEMSTRESS_A_BOOKS_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_BOOKS_REQUESTED, books->requested_bytes,
			      MEMSTRESS_A_BOOKS_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_BOOKS_PAGE_CHARGED, books->page_charged_bytes,
			      MEMSTRESS_A_BOOKS_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_BOOKS_BYTE_CHARGED, books->byte_charged_bytes,
			      MEMSTRESS_A_BOOKS_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_BOOKS_FOOTPRINT, books->footprint_bytes,
			      MEMSTRESS_A_BOOKS_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Sessions */

static int ms_netlink_put_ledger(struct sk_buff *skb, u32 kind, const struct memstress_ledger *sum)
{
	struct nlattr *nest = nla_nest_start(skb, MEMSTRESS_A_SESSION_LEDGER);

	if (!nest || nla_put_u32(skb, MEMSTRESS_A_LEDGER_KIND, kind) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_LEDGER_HOLDINGS, sum->holdings,
			      MEMSTRESS_A_LEDGER_PAD) ||
	    ms_netlink_put_books(skb, MEMSTRESS_A_LEDGER_BOOKS, &sum->books))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Who has opened it, as whoever asks may see it. What has exited has neither name nor cgroup. */
static int ms_netlink_put_opener(struct sk_buff *skb, const struct ms_session *session)
{
	struct task_struct *task = get_pid_task(session->owner, PIDTYPE_TGID);
	pid_t pid = pid_nr_ns(session->owner, task_active_pid_ns(current));
	char comm[TASK_COMM_LEN];
	int ret = 0;

	if (!task)
		return 0;
	get_task_comm(comm, task);
	if ((pid && nla_put_u32(skb, MEMSTRESS_A_SESSION_PID, pid)) ||
	    nla_put_string(skb, MEMSTRESS_A_SESSION_COMM, comm) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_SESSION_CGROUP_ID, ms_memcg_task_id(task),
			      MEMSTRESS_A_SESSION_PAD))
		ret = -EMSGSIZE;
	put_task_struct(task);
	return ret;
}

/* What it has. The kinds that it has nothing of are left out. */
static int ms_netlink_put_held(struct sk_buff *skb, struct ms_session *session)
{
	int ret = 0;
	u32 kind;

	spin_lock(&session->lock);
	if ((session->shared && nla_put_flag(skb, MEMSTRESS_A_SESSION_SHARED)) ||
	    (session->dead && nla_put_flag(skb, MEMSTRESS_A_SESSION_DEAD)) ||
	    nla_put_u32(skb, MEMSTRESS_A_SESSION_IN_FLIGHT, session->in_flight) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_SESSION_BOOKKEEPING, ms_session_bookkeeping(session),
			      MEMSTRESS_A_SESSION_PAD))
		ret = -EMSGSIZE;
	for (kind = 1; kind < MEMSTRESS_KIND_END && !ret; kind++) {
		struct memstress_ledger sum = {};

		ms_ledger_sum(&session->ledger, kind, &sum);
		if (sum.books.objects)
			ret = ms_netlink_put_ledger(skb, kind, &sum);
	}
	spin_unlock(&session->lock);
	return ret;
}

/**
 * struct ms_netlink_answer - where messages about sessions go
 * @skb: the messages
 * @portid: of who asked
 * @seq: of the request
 * @flags: NLM_F_MULTI in a dump
 * @last: id of the last session that is in @skb
 */
struct ms_netlink_answer {
	struct sk_buff *skb;
	u32 portid;
	u32 seq;
	int flags;
	u64 last;
};

/* -EMSGSIZE: there was no room for it, and nothing of it is there. */
static int ms_netlink_put_session(struct ms_session *session, void *data)
{
	struct ms_netlink_answer *answer = data;
	struct sk_buff *skb = answer->skb;
	u64 sequence, epoch;
	void *header;

	header = genlmsg_put(skb, answer->portid, answer->seq, &ms_netlink_family, answer->flags,
			     MEMSTRESS_NETLINK_GET_SESSION);
	if (!header)
		return -EMSGSIZE;
	sequence = ms_event_sequence(&epoch);
	if (nla_put_u64_64bit(skb, MEMSTRESS_A_SESSION_ID, session->id, MEMSTRESS_A_SESSION_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_SESSION_SEQUENCE, sequence,
			      MEMSTRESS_A_SESSION_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_SESSION_EPOCH, epoch, MEMSTRESS_A_SESSION_PAD) ||
	    ms_netlink_put_opener(skb, session) || ms_netlink_put_held(skb, session)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	answer->last = session->id;
	return 0;
}

static int ms_netlink_check_capable(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(extack, "memstress: this needs CAP_SYS_ADMIN");
	return -EPERM;
}

static int ms_netlink_get_session(struct sk_buff *skb, struct genl_info *info)
{
	struct ms_netlink_answer answer = { .portid = info->snd_portid, .seq = info->snd_seq };
	struct nlattr *id = info->attrs[MEMSTRESS_A_SESSION_ID];
	int ret;

	ret = ms_netlink_check_capable(skb, info->extack);
	if (ret)
		return ret;
	if (!id) {
		NL_SET_ERR_MSG(info->extack, "memstress: the id of the session is missing");
		return -EINVAL;
	}
	answer.skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!answer.skb)
		return -ENOMEM;
	ret = ms_session_visit(nla_get_u64(id), ms_netlink_put_session, &answer);
	if (ret) {
		if (ret == -ENOENT)
			NL_SET_ERR_MSG_ATTR(info->extack, id, "memstress: no session has this id");
		nlmsg_free(answer.skb);
		return ret;
	}
	return genlmsg_reply(answer.skb, info);
}

static int ms_netlink_check_dump(struct netlink_callback *cb)
{
	int ret = ms_netlink_check_capable(cb->skb, cb->extack);

	if (ret)
		return ret;
	if (nlmsg_find_attr(cb->nlh, GENL_HDRLEN, MEMSTRESS_A_SESSION_ID)) {
		NL_SET_ERR_MSG(cb->extack, "memstress: a dump is of all sessions, not of an id");
		return -EINVAL;
	}
	return 0;
}

/*
 * Called for each message, while the answer is read; args[0] has the last session that was told,
 * args[1] whether the request was checked. Not in start(), where older kernels take no text of a
 * refusal.
 */
static int ms_netlink_dump_sessions(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ms_netlink_answer answer = {
		.skb = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.last = cb->args[0],
	};
	int ret;

	if (!cb->args[1]) {
		ret = ms_netlink_check_dump(cb);
		if (ret)
			return ret;
		cb->args[1] = true;
	}
	ret = ms_session_walk(answer.last, ms_netlink_put_session, &answer);
	cb->args[0] = answer.last;
	return skb->len ?: ret;
}

/* Events */

static int ms_netlink_put_opened(struct sk_buff *skb, const struct ms_event *event)
{
	if (nla_put_u32(skb, MEMSTRESS_A_EVENT_PID, event->process.pid) ||
	    nla_put_string(skb, MEMSTRESS_A_EVENT_COMM, event->process.comm) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_CGROUP_ID, event->process.cgroup_id,
			      MEMSTRESS_A_EVENT_PAD))
		return -EMSGSIZE;
	return 0;
}

static int ms_netlink_put_stopped(struct sk_buff *skb, const struct ms_event *event)
{
	if (nla_put_u32(skb, MEMSTRESS_A_EVENT_PID, event->process.pid) ||
	    nla_put_u32(skb, MEMSTRESS_A_EVENT_STOP, event->stopped.stop) ||
	    nla_put_u32(skb, MEMSTRESS_A_EVENT_KIND, event->stopped.kind) ||
	    nla_put_u32(skb, MEMSTRESS_A_EVENT_CONTEXT, event->stopped.context) ||
	    nla_put_u32(skb, MEMSTRESS_A_EVENT_POLICY, event->stopped.policy) ||
	    nla_put_u32(skb, MEMSTRESS_A_EVENT_HANDLE, event->stopped.handle) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_PAYER_ID, event->stopped.payer_id,
			      MEMSTRESS_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_FAILURES, event->stopped.failures,
			      MEMSTRESS_A_EVENT_PAD) ||
	    (event->stopped.first_errno &&
	     nla_put_u32(skb, MEMSTRESS_A_EVENT_FIRST_ERRNO, event->stopped.first_errno)) ||
	    (event->stopped.error &&
	     nla_put_u32(skb, MEMSTRESS_A_EVENT_ERRNO, event->stopped.error)) ||
	    ms_netlink_put_books(skb, MEMSTRESS_A_EVENT_BOOKS, &event->books))
		return -EMSGSIZE;
	return 0;
}

static int ms_netlink_put_victim(struct sk_buff *skb, const struct ms_event *event)
{
	if (nla_put_u32(skb, MEMSTRESS_A_EVENT_TID, event->process.tid))
		return -EMSGSIZE;
	return ms_netlink_put_opened(skb, event);
}

static int ms_netlink_put_released(struct sk_buff *skb, const struct ms_event *event)
{
	if (nla_put_u32(skb, MEMSTRESS_A_EVENT_CAUSE, event->released.cause) ||
	    (event->released.is_victim &&
	     nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_SINCE_VICTIM_NS,
			       event->released.since_victim_ns, MEMSTRESS_A_EVENT_PAD)) ||
	    ms_netlink_put_books(skb, MEMSTRESS_A_EVENT_BOOKS, &event->books))
		return -EMSGSIZE;
	return 0;
}

static int ms_netlink_put_details(struct sk_buff *skb, const struct ms_event *event)
{
	switch (event->command) {
	case MEMSTRESS_EVENT_OPENED:
		return ms_netlink_put_opened(skb, event);
	case MEMSTRESS_EVENT_CLOSED:
		return nla_put_u32(skb, MEMSTRESS_A_EVENT_PID, event->process.pid);
	case MEMSTRESS_EVENT_STOPPED:
		return ms_netlink_put_stopped(skb, event);
	case MEMSTRESS_EVENT_VICTIM:
		return ms_netlink_put_victim(skb, event);
	case MEMSTRESS_EVENT_RELEASED:
		return ms_netlink_put_released(skb, event);
	default:
		return -EINVAL;
	}
}

static int ms_netlink_put_event(struct sk_buff *skb, const struct ms_event *event)
{
	void *header = genlmsg_put(skb, 0, 0, &ms_netlink_family, 0, event->command);

	if (!header ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_SEQUENCE, event->sequence,
			      MEMSTRESS_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_NS, event->ns, MEMSTRESS_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_EPOCH, event->epoch, MEMSTRESS_A_EVENT_PAD) ||
	    (event->lost &&
	     nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_LOST, event->lost, MEMSTRESS_A_EVENT_PAD)) ||
	    (event->session && nla_put_u64_64bit(skb, MEMSTRESS_A_EVENT_SESSION, event->session,
						 MEMSTRESS_A_EVENT_PAD)) ||
	    ms_netlink_put_details(skb, event))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

/* Room for the largest event, which is STOPPED. */
#define MS_NETLINK_EVENT_SIZE 512

/* 0, or -errno: nobody was told, for want of memory. Whose buffer is full the kernel tells. */
int ms_netlink_multicast(const struct ms_event *event)
{
	struct sk_buff *skb = genlmsg_new(MS_NETLINK_EVENT_SIZE, GFP_KERNEL);

	if (!skb)
		return -ENOMEM;
	if (ms_netlink_put_event(skb, event)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_multicast(&ms_netlink_family, skb, 0, 0, GFP_KERNEL);
	return 0;
}

bool ms_netlink_listened(void)
{
	return ms_netlink_family.n_mcgrps && genl_has_listeners(&ms_netlink_family, &init_net, 0);
}

static const struct nla_policy ms_netlink_session_policy[MEMSTRESS_A_SESSION_ID + 1] = {
	[MEMSTRESS_A_SESSION_ID] = { .type = NLA_U64 },
};

static const struct genl_ops ms_netlink_ops[] = {
	{
		.cmd = MEMSTRESS_NETLINK_GET_SESSION,
		.policy = ms_netlink_session_policy,
		.maxattr = ARRAY_SIZE(ms_netlink_session_policy) - 1,
		.doit = ms_netlink_get_session,
		.dumpit = ms_netlink_dump_sessions,
	},
};

#ifdef MS_COMPAT_GROUP_SYS_ADMIN
static const struct genl_multicast_group ms_netlink_groups[] = {
	{ .name = MEMSTRESS_NETLINK_EVENTS, MS_COMPAT_GROUP_SYS_ADMIN },
};
#endif

static struct genl_family ms_netlink_family = {
	.name = MEMSTRESS_NETLINK_NAME,
	.version = MEMSTRESS_NETLINK_VERSION,
	.module = THIS_MODULE,
	.ops = ms_netlink_ops,
	.n_ops = ARRAY_SIZE(ms_netlink_ops),
#ifdef MS_COMPAT_GROUP_SYS_ADMIN
	.mcgrps = ms_netlink_groups,
	.n_mcgrps = ARRAY_SIZE(ms_netlink_groups),
#endif
};

int ms_netlink_init(void)
{
	return genl_register_family(&ms_netlink_family);
}

void ms_netlink_exit(void)
{
	genl_unregister_family(&ms_netlink_family);
}
