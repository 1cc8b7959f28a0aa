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
#include <linux/hrtimer.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched/isolation.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <trace/events/oom.h>

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

/*
 * 5.13 brought a bulk allocator of pages, which fills what is NULL in @pages; that nobody pays for
 * pages that were to be charged ended with 5.16. 6.14 gave it the name of the one that filled a
 * list.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
#define MS_COMPAT_PAGE_BULK 1
static inline unsigned long ms_compat_alloc_pages_bulk(gfp_t gfp, int node, unsigned long count,
						       struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	return alloc_pages_bulk_node(gfp, node, count, pages);
#else
	return alloc_pages_bulk_array_node(gfp, node, count, pages);
#endif
}
#else
#define MS_COMPAT_PAGE_BULK 0
static inline unsigned long ms_compat_alloc_pages_bulk(gfp_t gfp, int node, unsigned long count,
						       struct page **pages)
{
	return 0;
}
#endif

/* 6.2 began to let call_rcu() be lazy, and to have this for those who wait. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define call_rcu_hurry call_rcu
#endif

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

/*
 * What drain_all_stock() leaves alone, from 6.4; what it is has changed since, and may change while
 * the machine runs. 5.18 numbered the types of housekeeping.
 */
static inline bool ms_compat_cpu_isolated(int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	bool isolated;

	rcu_read_lock();
	isolated = cpu_is_isolated(cpu);
	rcu_read_unlock();
	return isolated;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
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

/* 5.15 began to charge what is allocated in interrupts, where set_active_memcg() says to whom. */
#define MS_COMPAT_CHARGES_INTERRUPTS (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0))

/* 5.11 moved a page's owner into memcg_data; before, it is only valid for what is no slab. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
static inline struct mem_cgroup *ms_compat_page_memcg_check(struct page *page)
{
	return READ_ONCE(page->mem_cgroup);
}

#define page_memcg_check ms_compat_page_memcg_check
#endif

/* Up to 5.10 a charged page had a page type, and those cannot be mapped. */
#ifdef PG_kmemcg
#define MS_COMPAT_MAPS_CHARGED 0
#else
#define MS_COMPAT_MAPS_CHARGED 1
#endif

/* 6.3 brought functions for the flags of a mapping. */
static inline void ms_compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* 5.13 lets the parent have the charges of whole pages when their payer is removed. */
#define MS_COMPAT_CHARGES_REPARENT (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0))

/*
 * The allocators that take no lock. kmalloc_nolock() came with 6.18, and a later release than
 * that, at the latest 7.3, gave modules alloc_pages_nolock().
 *
 * A slab object is given without a charge when there is no lock to be had for the vector of
 * objcgs of its slab (__memcg_slab_post_alloc_hook() in mm/memcontrol.c goes on). A vector
 * stays as long as its slab, and lies where the folio of a page has its memcg.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0) && defined(kmalloc_nolock) && \
	defined(alloc_pages_nolock)
#define MS_COMPAT_NOLOCK 1

static inline bool ms_compat_slab_is_charged(const void *object)
{
	return READ_ONCE(virt_to_folio(object)->memcg_data) & ~OBJEXTS_FLAGS_MASK;
}
#else
#define MS_COMPAT_NOLOCK 0

#undef alloc_pages_nolock
static inline struct page *alloc_pages_nolock(gfp_t gfp, int node, unsigned int order)
{
	return NULL;
}

#undef kmalloc_nolock
static inline void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	return NULL;
}

#define kfree_nolock(object) kfree(object)

static inline bool ms_compat_slab_is_charged(const void *object)
{
	return false;
}
#endif

/* 6.13 joined the two steps of setting up a timer. */
static inline void ms_compat_hrtimer_setup_on_stack(struct hrtimer *timer,
						    enum hrtimer_restart (*fire)(struct hrtimer *),
						    clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup_on_stack(timer, fire, clock, mode);
#else
	hrtimer_init_on_stack(timer, clock, mode);
	timer->function = fire;
#endif
}

/* 6.18 wants to be told that a workqueue has a worker for each CPU. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define MS_COMPAT_WQ_PERCPU WQ_PERCPU
#else
#define MS_COMPAT_WQ_PERCPU 0
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

/*
 * 6.10 began to pass the victim itself to oom:mark_victim, and not its pid; stable kernels
 * have it, too.
 */
#define MS_COMPAT_MARK_VICTIM_HAS_TASK \
	(!__builtin_types_compatible_p(typeof(trace_mark_victim), void(int)))

/*
 * How a multicast group is made one for CAP_SYS_ADMIN: by a flag from 6.1, on 5.10 by a bit
 * that 5.10.204 has. Kernels that have neither cannot restrict who joins.
 */
#if defined(GENL_MCAST_CAP_SYS_ADMIN)
#define MS_COMPAT_GROUP_SYS_ADMIN .flags = GENL_MCAST_CAP_SYS_ADMIN
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 10, 204) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define MS_COMPAT_GROUP_SYS_ADMIN .cap_sys_admin = 1
#endif

#endif /* _MS_COMPAT_H */
