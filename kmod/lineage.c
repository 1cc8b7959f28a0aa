// SPDX-License-Identifier: GPL-2.0
/*
 * Lineages: a payer and its ancestors, remembered without a reference, so that a session
 * pins none of them.
 *
 * When a cgroup is removed its kernel charges go to its parent (memcg_reparent_objcgs() in
 * mm/memcontrol.c), so what a memcg has paid for belongs to its nearest ancestor that is
 * still there. Each memcg is remembered by the serial number of its css, which the kernel
 * never gives twice; a cgroup whose controller was off for a while has another one after it.
 */
#include <linux/cgroup.h>
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/rculist.h>

#include "compat.h"
#include "internal.h"

static u32 ms_lineage_level(const struct cgroup_subsys_state *css)
{
	u32 level = 0;

	for (; css->parent; css = css->parent)
		level++;
	return level;
}

/* The caller has a reference to @memcg, which has one to each ancestor. */
void ms_lineage_trace(struct ms_lineage *lineage, const struct mem_cgroup *memcg)
{
	const struct cgroup_subsys_state *css = &memcg->css;
	u32 i;

	lineage->level = ms_lineage_level(css);
	for (i = 0; css && i < MS_LINEAGE_DEPTH; i++, css = css->parent)
		lineage->serials[i] = css->serial_nr;
}

/*
 * Whether the child of @css with this serial number still takes what it has paid for. One
 * that is about to go may have handed it over already.
 */
static bool ms_lineage_child_lives(const struct cgroup_subsys_state *css, u64 serial)
{
	struct cgroup_subsys_state *child;

	list_for_each_entry_rcu(child, &css->children, sibling)
		if (child->serial_nr == serial)
			return (READ_ONCE(child->flags) & CSS_ONLINE) && !css_is_dying(child);
	return false;
}

/**
 * ms_lineage_judge - whether what a payer has paid for now belongs to @owner
 * @lineage: of the payer
 * @owner: a memcg that lives at least as long as the RCU section of the caller
 *
 * CSS_ONLINE is taken away after the charges were handed over (offline_css() in
 * kernel/cgroup/cgroup.c).
 */
enum ms_lineage_answer ms_lineage_judge(const struct ms_lineage *lineage,
					const struct mem_cgroup *owner)
{
	const struct cgroup_subsys_state *css = &owner->css;
	u32 level = ms_lineage_level(css);
	u32 generation = lineage->level - level;

	if (level > lineage->level)
		return MS_LINEAGE_WRONG;
	if (generation >= MS_LINEAGE_DEPTH)
		return MS_LINEAGE_FORGOTTEN;
	if (css->serial_nr != lineage->serials[generation])
		return MS_LINEAGE_WRONG;
	/* There the dead keep what they have paid for. */
	if (!MS_COMPAT_CHARGES_REPARENT)
		return generation ? MS_LINEAGE_WRONG : MS_LINEAGE_RIGHT;
	if (!(READ_ONCE(css->flags) & CSS_ONLINE))
		return MS_LINEAGE_WRONG;
	if (generation && ms_lineage_child_lives(css, lineage->serials[generation - 1]))
		return MS_LINEAGE_WRONG;
	return MS_LINEAGE_RIGHT;
}
