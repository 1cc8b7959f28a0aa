// SPDX-License-Identifier: GPL-2.0
/*
 * Kind cache: kmem_cache_alloc() from caches of the module's own.
 *
 * A size has two caches, made when somebody privileged first asks for it, and kept until
 * the module is unloaded: memstress-SIZE, and memstress-SIZE-account with SLAB_ACCOUNT, which
 * charges without __GFP_ACCOUNT. Neither is ever merged with another cache, so that
 * the stride stays what was measured. Charged by the byte: the stride and a pointer
 * to the objcg (obj_full_size() in mm/slab.h or mm/memcontrol.c).
 */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

#define MS_CACHE_SIZES 64

/**
 * struct ms_cache - the caches of one object size
 * @size: bytes
 * @cache: without and with SLAB_ACCOUNT; NULL until asked for
 * @stride: measured, for each
 */
struct ms_cache {
	u64 size;
	struct kmem_cache *cache[2];
	size_t stride[2];
};

static DEFINE_MUTEX(ms_cache_lock);
static struct ms_cache ms_caches[MS_CACHE_SIZES];
static unsigned int ms_caches_used;

/* The entry of @size, or the next free one; NULL if there is none. */
static struct ms_cache *ms_cache_find(u64 size)
{
	unsigned int i;

	lockdep_assert_held(&ms_cache_lock);
	for (i = 0; i < ms_caches_used; i++)
		if (ms_caches[i].size == size)
			break;
	return i < MS_CACHE_SIZES ? &ms_caches[i] : NULL;
}

static int ms_cache_create(struct ms_cache *entry, u64 size, bool accounted)
{
	struct kmem_cache *cache;
	char name[40];
	int ret;

	/* It stays for good, and there is not room for many. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	snprintf(name, sizeof(name), "memstress-%llu%s", size, accounted ? "-account" : "");
	cache = ms_compat_cache_create(name, size, accounted ? SLAB_ACCOUNT : 0);
	if (!cache)
		return -ENOMEM;
	ret = ms_stride_measure(cache, size, GFP_KERNEL, &entry->stride[accounted]);
	if (!ret && !entry->stride[accounted])
		ret = -EOPNOTSUPP;
	if (ret) {
		kmem_cache_destroy(cache);
		return ret;
	}
	entry->cache[accounted] = cache;
	if (entry == &ms_caches[ms_caches_used]) {
		entry->size = size;
		ms_caches_used++;
	}
	return 0;
}

/*
 * The largest of which two fit into a slab of the largest order that SLUB likes to use
 * (slub_max_order in mm/slub.c): the stride of others cannot be measured.
 */
static u64 ms_cache_largest(void)
{
	return (PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER) / 2;
}

static int ms_cache_prepare(struct ms_request *request)
{
	bool accounted = ms_request_accounted(request);
	struct ms_cache *entry;
	size_t stride = 0;
	int ret = 0;

	mutex_lock(&ms_cache_lock);
	entry = ms_cache_find(request->size);
	if (!entry)
		ret = -ENOSPC;
	else if (!entry->cache[accounted])
		ret = ms_cache_create(entry, request->size, accounted);
	if (!ret) {
		request->cache = entry->cache[accounted];
		stride = entry->stride[accounted];
	}
	mutex_unlock(&ms_cache_lock);
	if (ret)
		return ret;

	request->gfp &= ~__GFP_ACCOUNT;
	request->unit.requested_bytes = request->size;
	request->unit.footprint_bytes = stride;
	if (accounted) {
		request->unit.footprint_bytes += sizeof(struct obj_cgroup *);
		request->unit.byte_charged_bytes = request->unit.footprint_bytes;
	}
	return 0;
}

static struct ms_link *ms_cache_alloc(const struct ms_request *request)
{
	return kmem_cache_alloc_node(request->cache, request->gfp, request->node);
}

/* All or nothing. */
static u32 ms_cache_alloc_bulk(const struct ms_request *request, struct ms_link **links, u32 count)
{
	return kmem_cache_alloc_bulk(request->cache, request->gfp, count, (void **)links) ? count :
											    0;
}

static void ms_cache_free(const struct ms_request *request, struct ms_link *link)
{
	kmem_cache_free(request->cache, link);
}

static void ms_cache_free_bulk(const struct ms_request *request, struct ms_link **links, u32 count)
{
	kmem_cache_free_bulk(request->cache, count, (void **)links);
}

/* All sessions are closed, so all caches are empty. */
void ms_cache_exit(void)
{
	unsigned int i;

	for (i = 0; i < ms_caches_used; i++) {
		kmem_cache_destroy(ms_caches[i].cache[false]);
		kmem_cache_destroy(ms_caches[i].cache[true]);
	}
}

const struct ms_kind_ops ms_cache_ops = {
	.kind = MEMSTRESS_KIND_CACHE,
	.features = MEMSTRESS_KIND_FEATURE_NODE,
	.policies = MS_POLICIES_OF_GFP,
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_END) - 1,
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY) | BIT_ULL(MEMSTRESS_ALLOC_BULK),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_BULK) |
			BIT_ULL(MEMSTRESS_FREE_RCU),
	.smallest = sizeof(struct ms_link),
	.largest = ms_cache_largest,
	.prepare = ms_cache_prepare,
	.alloc = ms_cache_alloc,
	.alloc_bulk = ms_cache_alloc_bulk,
	.free = ms_cache_free,
	.free_bulk = ms_cache_free_bulk,
};
