// SPDX-License-Identifier: GPL-2.0
/*
 * Whose memcg pays, and how it is named to the user.
 *
 * A reference is held while a request runs and no longer: a holding never keeps a
 * memcg alive, the charges themselves do what the kernel lets them do.
 */
#include <linux/cgroup.h>
#include <linux/memcontrol.h>
#include <linux/page_counter.h>
#include <linux/rcupdate.h>

#include "compat.h"
#include "internal.h"

/* The memcg that the kernel charges for what the current task allocates. */
struct mem_cgroup *ms_memcg_get_caller(void)
{
	struct mem_cgroup *memcg;

	rcu_read_lock();
	do {
		memcg = mem_cgroup_from_task(current);
	} while (!css_tryget(&memcg->css));
	rcu_read_unlock();
	return memcg;
}

/*
 * The memcg of the cgroup v2 directory @fd, or where the controller is not enabled
 * there of its nearest ancestor that has it. ERR_PTR: -EBADF, -ENOENT, and -EOPNOTSUPP
 * if the controller is on cgroup v1.
 */
struct mem_cgroup *ms_memcg_get_fd(int fd)
{
	struct cgroup_subsys_state *css;
	struct cgroup *cgroup;

	if (!ms_memcg_on_v2())
		return ERR_PTR(-EOPNOTSUPP);
	cgroup = cgroup_get_from_fd(fd);
	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	css = ms_compat_get_memory_css(cgroup);
	cgroup_put(cgroup);
	return css ? mem_cgroup_from_css(css) : ERR_PTR(-EOPNOTSUPP);
}

struct mem_cgroup *ms_memcg_get_root(void)
{
	struct mem_cgroup *memcg = ms_memcg_get_caller();
	struct mem_cgroup *root = memcg;

	while (parent_mem_cgroup(root))
		root = parent_mem_cgroup(root);
	css_get(&root->css);
	css_put(&memcg->css);
	return root;
}

void ms_memcg_put(struct mem_cgroup *memcg)
{
	css_put(&memcg->css);
}

u64 ms_memcg_id(const struct mem_cgroup *memcg)
{
	return cgroup_id(memcg->css.cgroup);
}

bool ms_memcg_is_root(const struct mem_cgroup *memcg)
{
	return !memcg->css.parent;
}

/* True if @memcg or an ancestor has a finite max. The root cannot have one. */
bool ms_memcg_has_limit(struct mem_cgroup *memcg)
{
	for (; memcg; memcg = parent_mem_cgroup(memcg))
		if (READ_ONCE(memcg->memory.max) != PAGE_COUNTER_MAX)
			return true;
	return false;
}

/* False if the memory controller is on cgroup v1, or on no hierarchy but our own root. */
bool ms_memcg_on_v2(void)
{
	return cgroup_subsys_on_dfl(memory_cgrp_subsys);
}

/* False with cgroup.memory=nokmem, and as long as the root is the only cgroup. */
bool ms_memcg_accounts_kernel(void)
{
	return memcg_kmem_online();
}
