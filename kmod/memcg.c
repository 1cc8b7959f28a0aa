// SPDX-License-Identifier: GPL-2.0
/*
 * Whose memcg pays, and how it is named to the user.
 *
 * A reference is held while a request runs and no longer: a holding never keeps a
 * memcg alive, the charges themselves do what the kernel lets them do.
 */
#include <linux/cgroup.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/memcontrol.h>
#include <linux/page_counter.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "compat.h"
#include "internal.h"

static struct mem_cgroup *ms_memcg_get_task(struct task_struct *task)
{
	struct mem_cgroup *memcg;

	rcu_read_lock();
	do {
		memcg = mem_cgroup_from_task(task);
	} while (!css_tryget(&memcg->css));
	rcu_read_unlock();
	return memcg;
}

/* The memcg that the kernel charges for what the current task allocates. */
struct mem_cgroup *ms_memcg_get_caller(void)
{
	return ms_memcg_get_task(current);
}

/* That of the process with an id in the caller's pid namespace. ERR_PTR: -ESRCH. */
struct mem_cgroup *ms_memcg_get_pid(int nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);
	struct mem_cgroup *memcg;

	put_pid(pid);
	if (!task)
		return ERR_PTR(-ESRCH);
	memcg = ms_memcg_get_task(task);
	put_task_struct(task);
	return memcg;
}

/* False if the memory controller is on cgroup v1. */
bool ms_memcg_on_v2(void)
{
	return cgroup_subsys_on_dfl(memory_cgrp_subsys);
}

/*
 * A directory of cgroup v1, where cgroup_get_from_fd() only says -EBADF. So this is
 * css_tryget_online_from_dir() in kernel/cgroup/cgroup.c, which is not exported.
 * -EOPNOTSUPP: it is of another controller's hierarchy.
 */
static struct mem_cgroup *ms_memcg_get_v1_dir(const struct dentry *dentry)
{
	struct cgroup_subsys_state *css = NULL;
	struct kernfs_node *kn;
	struct cgroup *cgroup;
	bool ours = true;

	if (strcmp(dentry->d_sb->s_type->name, "cgroup"))
		return ERR_PTR(-EBADF);
	/* The inode keeps the node, an open file the inode. */
	kn = d_inode(dentry)->i_private;
	if (kernfs_type(kn) != KERNFS_DIR)
		return ERR_PTR(-EBADF);

	rcu_read_lock();
	/* Both are cleared when the cgroup goes: css_release_work_fn(), offline_css(). */
	cgroup = rcu_dereference(*(void __rcu __force **)&kn->priv);
	if (cgroup) {
		ours = cgroup->root == memory_cgrp_subsys.root;
		css = rcu_dereference(cgroup->subsys[memory_cgrp_id]);
	}
	if (css && !css_tryget_online(css))
		css = NULL;
	rcu_read_unlock();
	if (css)
		return mem_cgroup_from_css(css);
	return ERR_PTR(ours ? -ENOENT : -EOPNOTSUPP);
}

static struct mem_cgroup *ms_memcg_get_v1_fd(int fd)
{
	struct mem_cgroup *memcg;
	struct file *file = fget_raw(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	memcg = ms_memcg_get_v1_dir(file->f_path.dentry);
	fput(file);
	return memcg;
}

/*
 * The memcg of the cgroup directory @fd; on cgroup v2, where the controller is not
 * enabled there, that of its nearest ancestor that has it. ERR_PTR: -EBADF, -ENOENT,
 * and -EOPNOTSUPP if its hierarchy is not the memory controller's.
 */
struct mem_cgroup *ms_memcg_get_fd(int fd)
{
	struct cgroup_subsys_state *css = NULL;
	struct cgroup *cgroup = cgroup_get_from_fd(fd);

	if (cgroup == ERR_PTR(-EBADF))
		return ms_memcg_get_v1_fd(fd);
	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	/* On a hybrid host this would find the root. */
	if (ms_memcg_on_v2())
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

/* The id of the memcg that the kernel charges for what a task allocates. Sleeps nowhere. */
u64 ms_memcg_task_id(struct task_struct *task)
{
	u64 id;

	rcu_read_lock();
	id = ms_memcg_id(mem_cgroup_from_task(task));
	rcu_read_unlock();
	return id;
}

bool ms_memcg_is_root(const struct mem_cgroup *memcg)
{
	return !memcg->css.parent;
}

/*
 * True if @memcg or an ancestor has a finite max. The root cannot have one. The same
 * counter has limit_in_bytes of cgroup v1, where that of memory and swap together can
 * only be finite if this is (mem_cgroup_resize_max()). Who is no ancestor by
 * use_hierarchy is none here.
 */
bool ms_memcg_has_limit(struct mem_cgroup *memcg)
{
	for (; memcg; memcg = parent_mem_cgroup(memcg))
		if (READ_ONCE(memcg->memory.max) != PAGE_COUNTER_MAX)
			return true;
	return false;
}

/* False with cgroup.memory=nokmem, and as long as the root is the only cgroup. */
bool ms_memcg_accounts_kernel(void)
{
	return memcg_kmem_online();
}
