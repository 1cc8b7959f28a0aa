// SPDX-License-Identifier: GPL-2.0
/*
 * Settling: the counters of a cgroup made exact.
 *
 * Each CPU keeps a stock of pages that are charged but not used, and of bytes that
 * belong to an objcg; and each objcg keeps the bytes left over when such a stock was
 * taken from it. drain_all_stock() gives the stocks back, but no module may call it.
 * memory_high_write() calls it when the usage is above the new value, before it
 * reclaims, and does not reclaim if draining was enough. So a pass is:
 *
 * 1. Prime, on one CPU of each node (newer kernels have an objcg for each): allocate
 *    and free a small object, so that this CPU's stock takes all bytes that are left
 *    over with the objcg (refill_obj_stock()).
 * 2. On one CPU: allocate and free a page, so that its stock has a page at least,
 *    lower memory.high to one page below the usage, and put it back. This CPU's
 *    stock is drained at once, which is enough; the other CPUs' in deferred work.
 * 3. Visit every CPU through the queue that the deferred work is in.
 *
 * The first pass gives whole pages back and leaves less than a page for each CPU with
 * the objcg, the second one leaves less than a page. Two passes in a row with the
 * same usage show that nothing moves any more.
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

/* The smallest object that there is, so that it takes as few bytes as can be. */
#define MS_SETTLE_OBJECT_BYTES 8

/* One at a time: two writers of memory.high would put each other's value back. */
static DEFINE_MUTEX(ms_settle_lock);

/**
 * struct ms_settle - one SETTLE under way
 * @memcg: the target
 * @high: its memory.high, open for writing
 */
struct ms_settle {
	struct mem_cgroup *memcg;
	struct file *high;
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

static int ms_settle_write_high(struct ms_settle *settle, unsigned long pages)
{
	loff_t pos = 0;
	char text[24];
	ssize_t ret;
	int length;

	if (pages == PAGE_COUNTER_MAX)
		length = snprintf(text, sizeof(text), "max");
	else
		length = snprintf(text, sizeof(text), "%llu", (u64)pages * PAGE_SIZE);
	ret = kernel_write(settle->high, text, length, &pos);
	return ret < 0 ? ret : 0;
}

/*
 * Runs on one CPU, in a kernel worker: no signal can keep memory_high_write() from
 * draining, or this function from putting the old value back.
 */
static long ms_settle_drain(void *data)
{
	struct ms_settle *settle = data;
	unsigned long high = READ_ONCE(settle->memcg->memory.high);
	unsigned long usage;
	int ret;

	ret = ms_settle_prime_page(settle);
	if (ret)
		return ret;
	usage = ms_settle_usage(settle);
	/* Over its own memory.high, putting that back would reclaim. */
	if (!usage || usage > high)
		return -ENOMEM;
	ret = ms_settle_write_high(settle, usage - 1);
	if (ret)
		return ret;
	return ms_settle_write_high(settle, high);
}

static long ms_settle_visit(void *unused)
{
	return 0;
}

/* One pass. -ENOMEM: too near to a limit. */
static int ms_settle_pass(struct ms_settle *settle)
{
	unsigned int cpu;
	int node;
	int ret = 0;

	cpus_read_lock();
	for_each_online_node(node) {
		cpu = cpumask_any_and(cpumask_of_node(node), cpu_online_mask);
		if (cpu < nr_cpu_ids && !ret)
			ret = work_on_cpu(cpu, ms_settle_prime_objcg, settle);
	}
	cpu = cpumask_first(cpu_online_mask);
	if (!ret)
		ret = work_on_cpu(cpu, ms_settle_drain, settle);
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, ms_settle_visit, NULL);
	cpus_read_unlock();
	return ret;
}

/* Passes until the usage stays the same. */
static int ms_settle_run(struct ms_settle *settle, struct memstress_settle *cmd)
{
	u64 timeout_ns = cmd->timeout_ns ?: MS_SETTLE_TIMEOUT_NS;
	ktime_t begin = ktime_get();
	unsigned long usage;
	unsigned long last;
	int ret;

	usage = ms_settle_usage(settle);
	do {
		last = usage;
		ret = ms_settle_pass(settle);
		cmd->passes++;
		usage = ms_settle_usage(settle);
		if (ret == -ENOMEM) {
			cmd->state = MEMSTRESS_SETTLE_FULL;
			return 0;
		}
		if (ret)
			return ret;
		if (cmd->passes > 1 && usage == last) {
			cmd->state = MEMSTRESS_SETTLE_EXACT;
			return 0;
		}
		cmd->state = MEMSTRESS_SETTLE_MOVING;
	} while (!fatal_signal_pending(current) &&
		 ktime_to_ns(ktime_sub(ktime_get(), begin)) < timeout_ns);
	return 0;
}

/*
 * An objcg is charged whole pages: less than one of them is rounding. What is not
 * settled may be a batch of pages and less than a page of bytes on every CPU.
 */
static u64 ms_settle_bound(u32 state)
{
	u64 bound = (u64)num_online_nodes() * (PAGE_SIZE - 1);

	if (state != MEMSTRESS_SETTLE_EXACT)
		bound += (u64)num_online_cpus() * (MEMCG_CHARGE_BATCH * PAGE_SIZE + PAGE_SIZE - 1);
	return bound;
}

/* memory.high of @memcg, whose directory @fd was a moment ago. */
static struct file *ms_settle_open_high(int fd, const struct mem_cgroup *memcg)
{
	struct fd dir = fdget(fd);
	struct file *high;

	if (!fd_file(dir))
		return ERR_PTR(-EBADF);
	high = ms_compat_open_at(&fd_file(dir)->f_path, "memory.high", O_WRONLY);
	fdput(dir);
	/* The root has no such file, nor has a cgroup without the controller. */
	if (high == ERR_PTR(-ENOENT))
		return ERR_PTR(-EOPNOTSUPP);
	/* Another thread may have put another directory under the number. */
	if (!IS_ERR(high) && d_inode(high->f_path.dentry->d_parent)->i_ino != ms_memcg_id(memcg)) {
		fput(high);
		return ERR_PTR(-EBADF);
	}
	return high;
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
	settle.high = ms_settle_open_high(cmd->cgroup_fd, settle.memcg);
	if (IS_ERR(settle.high)) {
		ret = PTR_ERR(settle.high);
		goto out_put_memcg;
	}

	cmd->passes = 0;
	ret = mutex_lock_killable(&ms_settle_lock);
	if (ret)
		goto out_close_high;
	ret = ms_settle_run(&settle, cmd);
	mutex_unlock(&ms_settle_lock);
	if (ret)
		goto out_close_high;

	cmd->cgroup_id = ms_memcg_id(settle.memcg);
	cmd->usage_bytes = (u64)ms_settle_usage(&settle) * PAGE_SIZE;
	cmd->bound_bytes = ms_settle_bound(cmd->state);
	ret = ms_ioctl_respond(ucmd, sizeof(*cmd));

out_close_high:
	fput(settle.high);
out_put_memcg:
	ms_memcg_put(settle.memcg);
	return ret;
}
