// SPDX-License-Identifier: GPL-2.0
/*
 * AUDIT: asks the kernel who owns each object.
 *
 * What is charged in whole pages has its owner in struct page, which is read here. What is
 * charged by the byte has it in vectors beside the objects that a module cannot reach.
 */
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "internal.h"

/* Pages looked at in one RCU section. */
#define MS_AUDIT_STRETCH 1024

/* In the order in which one page's verdict passes for the whole object. */
enum ms_audit_verdict {
	MS_AUDIT_RIGHT,
	MS_AUDIT_UNASKED,
	MS_AUDIT_UNOWNED,
	MS_AUDIT_WRONG,
};

/**
 * struct ms_audit_run - one holding being audited
 * @holding: it
 * @cmd: its answer
 * @pages: looked at
 * @owner: who was judged last, of this RCU section
 * @verdict: on @owner
 */
struct ms_audit_run {
	const struct ms_holding *holding;
	struct memstress_audit *cmd;
	u64 pages;
	const struct mem_cgroup *owner;
	enum ms_audit_verdict verdict;
};

static enum ms_audit_verdict ms_audit_owner(const struct ms_holding *holding,
					    const struct mem_cgroup *owner)
{
	/* The root is never charged, so what it owns is paid by nobody. */
	if (holding->request.unpaid)
		return !owner || ms_memcg_is_root(owner) ? MS_AUDIT_RIGHT : MS_AUDIT_WRONG;
	if (!owner)
		return MS_AUDIT_UNOWNED;
	switch (ms_lineage_judge(&holding->lineage, owner)) {
	case MS_LINEAGE_RIGHT:
		return MS_AUDIT_RIGHT;
	case MS_LINEAGE_FORGOTTEN:
		return MS_AUDIT_UNASKED;
	default:
		return MS_AUDIT_WRONG;
	}
}

static enum ms_audit_verdict ms_audit_page(struct ms_audit_run *run, struct page *page,
					   u64 *owner_id)
{
	const struct mem_cgroup *owner;

	/* Again if it was handed over meanwhile: a removed owner is only wrong if it stays. */
	do {
		owner = page_memcg_check(page);
		if (owner && owner == run->owner)
			break;
		run->owner = owner;
		run->verdict = ms_audit_owner(run->holding, owner);
	} while (run->verdict == MS_AUDIT_WRONG && owner != page_memcg_check(page));
	*owner_id = owner ? ms_memcg_id(owner) : 0;
	return run->verdict;
}

/* The end of an RCU section and the beginning of the next: what was known of a memcg is not. */
static void ms_audit_rest(struct ms_audit_run *run)
{
	rcu_read_unlock();
	run->owner = NULL;
	cond_resched();
	rcu_read_lock();
}

/* *@owner_id: of the first page that is no better than the object. */
static enum ms_audit_verdict ms_audit_object(struct ms_audit_run *run, struct ms_link *link,
					     u64 *owner_id)
{
	const struct ms_request *request = &run->holding->request;
	enum ms_audit_verdict worst = MS_AUDIT_UNASKED;
	struct page *page;
	u64 i;

	*owner_id = 0;
	if (!request->ops->charged_page)
		return MS_AUDIT_UNASKED;
	for (i = 0; (page = request->ops->charged_page(request, link, i)); i++) {
		enum ms_audit_verdict verdict;
		u64 id;

		if (++run->pages % MS_AUDIT_STRETCH == 0)
			ms_audit_rest(run);
		verdict = ms_audit_page(run, page, &id);
		if (i && verdict <= worst)
			continue;
		worst = verdict;
		*owner_id = id;
	}
	return worst;
}

static void ms_audit_count(struct ms_audit_run *run, enum ms_audit_verdict verdict, u64 index,
			   u64 owner_id)
{
	struct memstress_audit *cmd = run->cmd;
	bool offends = verdict == MS_AUDIT_WRONG || verdict == MS_AUDIT_UNOWNED;

	cmd->right_objects += verdict == MS_AUDIT_RIGHT;
	cmd->wrong_objects += verdict == MS_AUDIT_WRONG;
	cmd->unowned_objects += verdict == MS_AUDIT_UNOWNED;
	cmd->unasked_objects += verdict == MS_AUDIT_UNASKED;
	if (verdict == MS_AUDIT_RIGHT)
		cmd->right_id = owner_id;
	if (offends && (!cmd->first_handle || index < cmd->first_index)) {
		cmd->first_handle = run->holding->handle;
		cmd->first_index = index;
		cmd->first_owner_id = owner_id;
	}
}

/* -EINTR: a fatal signal came. */
static int ms_audit_walk(struct ms_audit_run *run)
{
	const struct ms_chain *chain = &run->holding->chain;
	u64 last = chain->count.objects - 1;
	struct ms_link *link;
	u64 walked = 0;
	int ret = 0;

	rcu_read_lock();
	for (link = chain->first; link; link = link->next, walked++) {
		u64 index = chain->age == MS_CHAIN_NEWEST_FIRST ? last - walked : walked;
		enum ms_audit_verdict verdict;
		u64 owner_id;

		if (walked % MS_AUDIT_STRETCH == 0) {
			if (fatal_signal_pending(current)) {
				ret = -EINTR;
				break;
			}
			ms_audit_rest(run);
		}
		verdict = ms_audit_object(run, link, &owner_id);
		ms_audit_count(run, verdict, index, owner_id);
	}
	rcu_read_unlock();
	return ret;
}

/* Adds what was found in one holding to the sum of those before it. */
static void ms_audit_sum(struct memstress_audit *sum, const struct memstress_audit *cmd)
{
	sum->right_objects += cmd->right_objects;
	sum->wrong_objects += cmd->wrong_objects;
	sum->unowned_objects += cmd->unowned_objects;
	sum->unasked_objects += cmd->unasked_objects;
	sum->holdings++;
	if (!sum->first_handle) {
		sum->first_handle = cmd->first_handle;
		sum->first_index = cmd->first_index;
		sum->first_owner_id = cmd->first_owner_id;
	}
}

static int ms_audit_holding(struct ms_holding *holding, struct memstress_audit *sum)
{
	struct memstress_audit cmd = {};
	struct ms_audit_run run = { .holding = holding, .cmd = &cmd };
	int ret = ms_audit_walk(&run);

	ms_audit_sum(sum, &cmd);
	sum->right_id = cmd.right_id;
	return ret;
}

/* All holdings; those that another call is working on are told by their number. */
static int ms_audit_session(struct ms_session *session, struct memstress_audit *sum)
{
	struct ms_holding *holding;
	u32 handle = 0;
	int ret;

	do {
		holding = ms_session_read_next(session, &handle);
		if (holding == ERR_PTR(-EBUSY)) {
			sum->busy_holdings++;
			ret = 0;
			continue;
		}
		if (IS_ERR(holding))
			return holding == ERR_PTR(-ENOENT) ? 0 : PTR_ERR(holding);
		ret = ms_audit_holding(holding, sum);
		ms_session_read_done(session, holding);
	} while (!ret);
	return ret;
}

int ms_audit(struct ms_ucmd *ucmd)
{
	struct ms_session *session = ucmd->session;
	struct memstress_audit *cmd = ucmd->cmd;
	struct memstress_audit answer = { .size = cmd->size, .handle = cmd->handle };
	struct ms_holding *holding;
	int ret;

	if (cmd->flags)
		return -EINVAL;
	if (cmd->handle) {
		holding = ms_session_read(session, cmd->handle);
		if (IS_ERR(holding))
			return PTR_ERR(holding);
		ret = ms_audit_holding(holding, &answer);
		ms_session_read_done(session, holding);
	} else {
		ret = ms_audit_session(session, &answer);
		answer.right_id = 0;
	}
	if (ret)
		return ret;
	*cmd = answer;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}
