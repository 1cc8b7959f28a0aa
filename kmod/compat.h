/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels. This is the only file that knows versions: it
 * probes for the thing where a header can tell, and asks for the version only
 * where a signature or a formula changed. All other files read as today's mainline.
 */
#ifndef _MS_COMPAT_H
#define _MS_COMPAT_H

#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched/isolation.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/version.h>

/* 6.4 moved MAX_ORDER from one past the largest order to the largest, 6.8 renamed it. */
#ifndef MAX_PAGE_ORDER
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define MAX_PAGE_ORDER MAX_ORDER
#else
#define MAX_PAGE_ORDER (MAX_ORDER - 1)
#endif
#endif

/* 6.3 renamed memcg_kmem_enabled(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define memcg_kmem_online() memcg_kmem_enabled()
#endif

/* 5.12 brought KFENCE. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
#include <linux/kfence.h>
#else
static inline bool is_kfence_address(const void *addr)
{
	return false;
}
#endif

/*
 * 5.10 does not export int_active_memcg, which set_active_memcg() needs in interrupts,
 * nor cgroup_get_e_css(). Where the change was made in between is not known; the
 * replacements work on all kernels before 5.15.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
static inline struct mem_cgroup *ms_compat_set_active_memcg(struct mem_cgroup *memcg)
{
	struct mem_cgroup *old = current->active_memcg;

	current->active_memcg = memcg;
	return old;
}

#define set_active_memcg ms_compat_set_active_memcg

static inline struct cgroup_subsys_state *ms_compat_get_memory_css(struct cgroup *cgroup)
{
	struct cgroup_subsys_state *css;

	rcu_read_lock();
	do {
		css = rcu_dereference(cgroup->subsys[memory_cgrp_id]);
		if (css && css_tryget_online(css))
			break;
		css = NULL;
		cgroup = cgroup_parent(cgroup);
	} while (cgroup);
	rcu_read_unlock();
	return css;
}
#else
static inline struct cgroup_subsys_state *ms_compat_get_memory_css(struct cgroup *cgroup)
{
	return cgroup_get_e_css(cgroup, &memory_cgrp_subsys);
}
#endif

/*
 * SLAB_NO_MERGE came with 6.5. Before it, a cache with a region for hardened
 * usercopy is never merged, neither into another one nor another one into it.
 */
static inline struct kmem_cache *ms_compat_cache_create(const char *name, unsigned int size,
							slab_flags_t flags)
{
#ifdef SLAB_NO_MERGE
	return kmem_cache_create(name, size, sizeof(void *), flags | SLAB_NO_MERGE, NULL);
#else
	return kmem_cache_create_usercopy(name, size, sizeof(void *), flags, 0, size, NULL);
#endif
}

/* 5.17 taught vmalloc() __GFP_NOFAIL. */
#define MS_COMPAT_VMALLOC_NOFAIL (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0))

/* 5.17 began to charge a percpu object for its vector of objcg pointers. */
#define MS_COMPAT_PERCPU_EXTRA (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0))

/* 5.14 let accounted percpu objects into the first chunk, where they are not charged. */
#define MS_COMPAT_PERCPU_FREE_FIRST_CHUNK (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0))

/* PCPU_MIN_ALLOC_SIZE is the granule that percpu sizes are rounded up to. */
#ifndef PCPU_MIN_ALLOC_SIZE
#define PCPU_MIN_ALLOC_SIZE 4
#endif

/* 5.18 numbered the types of housekeeping. */
static inline bool ms_compat_cpu_isolated(int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	return !housekeeping_cpu(cpu, HK_TYPE_DOMAIN);
#else
	return !housekeeping_cpu(cpu, HK_FLAG_DOMAIN);
#endif
}

/*
 * What a CPU can hold of a cgroup's charges: pages in stocks, and bytes in those of
 * objcgs. 6.16 gave it stocks for seven memcgs (NR_MEMCG_STOCK), 7.0 for five objcgs
 * (NR_OBJ_STOCK) with at most 65535 bytes in each. Before, the bytes were at most a page
 * and the largest object; that no object is larger than 60 KiB is taken on trust.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define MS_COMPAT_STOCK_BYTES (7 * MEMCG_CHARGE_BATCH * PAGE_SIZE + 5 * (u64)U16_MAX)
#else
#define MS_COMPAT_STOCK_BYTES (MEMCG_CHARGE_BATCH * PAGE_SIZE + (u64)U16_MAX)
#endif

/* 6.12 hid the file of a struct fd behind an accessor. */
#ifndef fd_file
#define fd_file(fd) ((fd).file)
#endif

/* 5.12 gave file_open_root() a struct path. */
static inline struct file *ms_compat_open_at(const struct path *dir, const char *name, int flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
	return file_open_root(dir, name, flags, 0);
#else
	return file_open_root(dir->dentry, dir->mnt, name, flags, 0);
#endif
}

#endif /* _MS_COMPAT_H */
