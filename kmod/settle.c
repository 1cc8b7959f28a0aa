// SPDX-License-Identifier: GPL-2.0
/*
 * Settling: the counters of a cgroup made exact.
 *
 * Each CPU keeps a stock of pages that are charged but not used, and of bytes that
 * belong to an objcg; and each objcg keeps the bytes left over when such a stock was
 * taken from it. drain_all_stock() gives the stocks back, but no module may call it.
 * Two files of a cgroup do:
 *
 * - memory.high of cgroup v2, when the usage is above the new value, before it
 *   reclaims; and if draining was enough it does not reclaim (memory_high_write());
 * - memory.force_empty of cgroup v1, before it reclaims all that there is; and with a
 *   signal pending it does not reclaim (mem_cgroup_force_empty()). Lowering
 *   memory.limit_in_bytes would drain as well, but charges could be refused meanwhile,
 *   and tasks killed.
 *
 * So a pass is:
 *
 * 1. Prime, on one CPU of each node (newer kernels have an objcg for each): allocate
 *    and free a small object, so that this CPU's stock takes all bytes that are left
 *    over with the objcg (refill_obj_stock()).
 * 2. On one CPU: allocate and free a page, so that its stock has a page at least. On
 *    v2, lower memory.high to one page below the usage, and put it back; on v1, have
 *    a signal pending and write memory.force_empty. This CPU's stock is drained at
 *    once, which is enough for v2; the other CPUs' in deferred work.
 * 3. Visit every CPU by way of its workers, which the deferred work is waiting for, too.
 *
 * The first pass gives whole pages back and leaves less than a page for each CPU with
 * the objcg, the second one leaves less than a page. Two passes in a row with the
 * same usage show that nothing moves any more.
 *
 * drain_all_stock() gives up if another drain runs. Then the usage stays as it was, on
 * v2 memory_high_write() tries to reclaim, and such a pass proves nothing.
 *
 * CPUs that are isolated from the scheduler are left alone: newer kernels do not drain
 * them, and waiting for a worker there may take for ever. On v1 the kernel itself waits
 * for those that have pages on their way to the LRU (lru_add_drain_all()).
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/page_counter.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "internal.h"

#define MS_SETTLE_TIMEOUT_NS (2 * NSEC_PER_SEC)

/* However long they take: two to drain all, two to see that nothing moves any more. */
#define MS_SETTLE_LEAST_PASSES 4

/* The smallest object that there is, so that it takes as few bytes as can be. */
#define MS_SETTLE_OBJECT_BYTES 8

/* One at a time: two writers of memory.high would put each other's value back. */
static DEFINE_MUTEX(ms_settle_lock);

/* The CPUs of the pass under way; too large for the stack. Protected by the mutex. */
static struct cpumask ms_settle_cpus;

struct ms_settle;

/**
 * struct ms_settle_ops - what differs between the versions of cgroups
 * @file: to be opened for writing
 * @drain: write to it so that the kernel drains, given the usage. Runs on one CPU, in a
 *	kernel worker: no signal can come between. 0, -ENOMEM: too near to a limit, or
 *	what the write said
 */
struct ms_settle_ops {
	const char *file;
	int (*drain)(struct ms_settle *settle, unsigned long usage);
};

/**
 * struct ms_settle - one SETTLE under way
 * @ops: of the version that the memory controller is on
 * @memcg: the target
 * @file: its file that drains, open for writing
 */
struct ms_settle {
	const struct ms_settle_ops *ops;
	struct mem_cgroup *memcg;
	struct file *file;
};

static unsigned long ms_settle_usage(const struct ms_settle *settle)
{
	return page_counter_read(&settle->memcg->memory);
}

/* Without reclaim, so that settling itself never changes what is held. */
static gfp_t ms_settle_gfp(void)
{
	return GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT;
}

/* Runs on a CPU of each node. */
static long ms_settle_prime_objcg(void *data)
{
	struct ms_settle *settle = data;
	struct mem_cgroup *previous = set_active_memcg(settle->memcg);
	void *object = kmalloc(MS_SETTLE_OBJECT_BYTES, ms_settle_gfp());

	set_active_memcg(previous);
	kfree(object);
	return object ? 0 : -ENOMEM;
}

static int ms_settle_prime_page(struct ms_settle *settle)
{
	struct mem_cgroup *previous = set_active_memcg(settle->memcg);
	struct page *page = alloc_page(ms_settle_gfp());

	set_active_memcg(previous);
	if (!page)
		return -ENOMEM;
	__free_page(page);
	return 0;
}

static int ms_settle_write(struct ms_settle *settle, const char *text)
{
	loff_t pos = 0;
	ssize_t ret = kernel_write(settle->file, text, strlen(text), &pos);

	return ret < 0 ? ret : 0;
}

static int ms_settle_write_high(struct ms_settle *settle, unsigned long pages)
{
	char text[24];

	if (pages == PAGE_COUNTER_MAX)
		return ms_settle_write(settle, "max");
	snprintf(text, sizeof(text), "%llu", (u64)pages * PAGE_SIZE);
	return ms_settle_write(settle, text);
}

/* The write itself needs a little memory, and must not fail for want of it. */
static int ms_settle_restore_high(struct ms_settle *settle, unsigned long high)
{
	int ret;

	do {
		ret = ms_settle_write_high(settle, high);
		cond_resched();
	} while (ret == -ENOMEM);
	return ret;
}

static int ms_settle_drain_v2(struct ms_settle *settle, unsigned long usage)
{
	unsigned long high = READ_ONCE(settle->memcg->memory.high);
	int ret;

	/* Over its own memory.high, putting that back would reclaim. */
	if (usage > high)
		return -ENOMEM;
	ret = ms_settle_write_high(settle, usage - 1);
	if (ret)
		return ret;
	return ms_settle_restore_high(settle, high);
}

/*
 * The kernel looks for a signal after it has drained and before it reclaims. A worker
 * gets none, so this one can be taken back by hand.
 */
static int ms_settle_drain_v1(struct ms_settle *settle, unsigned long usage)
{
	int ret;

	set_thread_flag(TIF_SIGPENDING);
	ret = ms_settle_write(settle, "0");
	clear_thread_flag(TIF_SIGPENDING);
	return ret == -EINTR ? 0 : ret;
}

static const struct ms_settle_ops ms_settle_v1_ops = {
	.file = "memory.force_empty",
	.drain = ms_settle_drain_v1,
};

static const struct ms_settle_ops ms_settle_v2_ops = {
	.file = "memory.high",
	.drain = ms_settle_drain_v2,
};

/* Runs on one CPU, in a kernel worker. */
static long ms_settle_drain(void *data)
{
	struct ms_settle *settle = data;
	unsigned long usage;
	int ret;

	ret = ms_settle_prime_page(settle);
	if (ret)
		return ret;
	usage = ms_settle_usage(settle);
	/* An interrupt that freed for another cgroup has given the stock back (refill_stock()). */
	if (!usage)
		return 0;
	ret = settle->ops->drain(settle, usage);
	if (ret)
		return ret;
	return ms_settle_usage(settle) < usage ? 0 : -EAGAIN;
}

static long ms_settle_visit(void *unused)
{
	return 0;
}

/*
 * One pass, on CPUs that must not go away meanwhile.
 * -ENOMEM: too near to a limit. -EAGAIN: nothing was drained.
 */
static int ms_settle_pass(struct ms_settle *settle)
{
	unsigned int cpu;
	int node;
	int ret = 0;

	for_each_online_node(node) {
		cpu = cpumask_any_and(cpumask_of_node(node), &ms_settle_cpus);
		if (cpu < nr_cpu_ids && !ret)
			ret = work_on_cpu(cpu, ms_settle_prime_objcg, settle);
	}
	if (!ret)
		ret = work_on_cpu(cpumask_first(&ms_settle_cpus), ms_settle_drain, settle);
	for_each_cpu(cpu, &ms_settle_cpus)
		work_on_cpu(cpu, ms_settle_visit, NULL);
	return ret;
}

/* Finds the CPUs that can be visited; true if that is all that are online. */
static bool ms_settle_find_cpus(void)
{
	unsigned int cpu;

	lockdep_assert_held(&ms_settle_lock);
	cpumask_clear(&ms_settle_cpus);
	for_each_online_cpu(cpu)
		if (!ms_compat_cpu_isolated(cpu))
			cpumask_set_cpu(cpu, &ms_settle_cpus);
	return cpumask_equal(&ms_settle_cpus, cpu_online_mask);
}

/* Passes until the usage stays the same. */
static int ms_settle_run(struct ms_settle *settle, struct memstress_settle *cmd)
{
	u64 timeout_ns = cmd->timeout_ns ?: MS_SETTLE_TIMEOUT_NS;
	ktime_t begin = ktime_get();
	unsigned int drained = 0;
	unsigned long usage;
	unsigned long last;
	bool all_cpus;
	int ret;

	usage = ms_settle_usage(settle);
	do {
		last = usage;
		/* Not cpus_read_lock(): writing to a file of a cgroup takes it, too. */
		cpu_hotplug_disable();
		all_cpus = ms_settle_find_cpus();
		ret = ms_settle_pass(settle);
		/* One that was isolated meanwhile may have been left out. */
		all_cpus &= ms_settle_find_cpus();
		cpu_hotplug_enable();
		cmd->passes++;
		usage = ms_settle_usage(settle);
		cmd->state = MEMSTRESS_SETTLE_MOVING;
		if (ret == -ENOMEM) {
			cmd->state = MEMSTRESS_SETTLE_FULL;
			return 0;
		}
		if (ret && ret != -EAGAIN)
			return ret;
		drained = ret ? 0 : drained + 1;
		if (drained > 1 && usage == last) {
			cmd->state = all_cpus ? MEMSTRESS_SETTLE_EXACT : MEMSTRESS_SETTLE_ISOLATED;
			return 0;
		}
	} while (!fatal_signal_pending(current) &&
		 (cmd->passes < MS_SETTLE_LEAST_PASSES ||
		  ktime_to_ns(ktime_sub(ktime_get(), begin)) < timeout_ns));
	return 0;
}

/*
 * An objcg is charged whole pages: less than one of them is rounding. Descendants, also
 * dead ones, have objcgs of their own; what was drained from them is kept, less than a
 * page for each CPU, as only the target's own are primed. What is not settled may
 * besides be in the stocks of every CPU, and as much again be parked.
 */
static u64 ms_settle_bound(const struct ms_settle *settle, u32 state)
{
	const struct cgroup *cgroup = settle->memcg->css.cgroup;
	u64 descendants =
		READ_ONCE(cgroup->nr_descendants) + READ_ONCE(cgroup->nr_dying_descendants);
	u64 parked = (u64)num_online_nodes() * num_possible_cpus() * (PAGE_SIZE - 1);
	u64 bound = (u64)num_online_nodes() * (PAGE_SIZE - 1) + descendants * parked;

	if (state != MEMSTRESS_SETTLE_EXACT)
		bound += parked + (u64)num_online_cpus() * MS_COMPAT_STOCK_BYTES;
	return bound;
}

/* A file of @memcg, whose directory @fd was a moment ago. */
static struct file *ms_settle_open(int fd, const struct mem_cgroup *memcg, const char *name)
{
	struct file *dir = fget_raw(fd);
	struct file *file;

	if (!dir)
		return ERR_PTR(-EBADF);
	file = ms_compat_open_at(&dir->f_path, name, O_WRONLY);
	fput(dir);
	/* A cgroup without the controller has no such file. */
	if (file == ERR_PTR(-ENOENT))
		return ERR_PTR(-EOPNOTSUPP);
	/* Another thread may have put another directory under the number. */
	if (!IS_ERR(file) &&
	    d_inode(file->f_path.dentry->d_parent)->i_ino != (ino_t)ms_memcg_id(memcg)) {
		fput(file);
		return ERR_PTR(-EBADF);
	}
	return file;
}

int ms_settle(struct ms_ucmd *ucmd)
{
	struct memstress_settle *cmd = ucmd->cmd;
	struct ms_settle settle;
	int ret;

	if (cmd->flags || cmd->__reserved)
		return -EINVAL;
	if (!ms_ioctl_privileged(ucmd->file))
		return -EPERM;
	settle.memcg = ms_memcg_get_fd(cmd->cgroup_fd);
	if (IS_ERR(settle.memcg))
		return PTR_ERR(settle.memcg);
	ret = -EOPNOTSUPP;
	if (ms_memcg_is_root(settle.memcg))
		goto out_put_memcg;
	settle.ops = ms_memcg_on_v2() ? &ms_settle_v2_ops : &ms_settle_v1_ops;
	settle.file = ms_settle_open(cmd->cgroup_fd, settle.memcg, settle.ops->file);
	if (IS_ERR(settle.file)) {
		ret = PTR_ERR(settle.file);
		goto out_put_memcg;
	}

	cmd->passes = 0;
	ret = mutex_lock_killable(&ms_settle_lock);
	if (ret)
		goto out_close;
	ret = ms_settle_run(&settle, cmd);
	mutex_unlock(&ms_settle_lock);
	/* So say the files of a cgroup that was removed meanwhile. */
	if (ret == -ENODEV)
		ret = -ENOENT;
	if (ret)
		goto out_close;

	cmd->cgroup_id = ms_memcg_id(settle.memcg);
	cmd->usage_bytes = (u64)ms_settle_usage(&settle) * PAGE_SIZE;
	cmd->bound_bytes = ms_settle_bound(&settle, cmd->state);
	ret = ms_ioctl_respond(ucmd, sizeof(*cmd));

out_close:
	fput(settle.file);
out_put_memcg:
	ms_memcg_put(settle.memcg);
	return ret;
}
