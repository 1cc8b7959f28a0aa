// SPDX-License-Identifier: GPL-2.0
/*
 * Kind percpu: __alloc_percpu_gfp() of a size a CPU.
 *
 * pcpu_alloc() rounds the size up to PCPU_MIN_ALLOC_SIZE and charges by the byte what
 * pcpu_obj_full_size() in mm/percpu-internal.h says: that size for every possible
 * CPU, and on newer kernels an objcg pointer for each granule of it.
 *
 * Objects that find room in the first chunk, which was made at boot, are charged to
 * nobody: it has no vector of objcg pointers (pcpu_alloc_first_chunk() and
 * pcpu_memcg_post_alloc_hook() in mm/percpu.c). It lies in the linear mapping, all
 * other chunks are vmalloc areas; except with percpu_alloc=page on the command line,
 * and on kernels without SMP.
 *
 * The objects are linked through the copy of the first possible CPU.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "compat.h"
#include "internal.h"

static u64 ms_percpu_largest(void)
{
	return PCPU_MIN_UNIT_SIZE;
}

static int ms_percpu_prepare(struct ms_request *request)
{
	u64 size = ALIGN(request->size, PCPU_MIN_ALLOC_SIZE);
	u64 bytes = size * num_possible_cpus();

	request->unit.requested_bytes = request->size;
	request->unit.footprint_bytes = bytes;
	if (ms_request_accounted(request)) {
		if (MS_COMPAT_PERCPU_EXTRA)
			request->unit.footprint_bytes +=
				size / PCPU_MIN_ALLOC_SIZE * sizeof(struct obj_cgroup *);
		request->unit.byte_charged_bytes = request->unit.footprint_bytes;
	}
	return 0;
}

static unsigned long ms_percpu_first_offset(void)
{
	return per_cpu_offset(cpumask_first(cpu_possible_mask));
}

static struct ms_link *ms_percpu_alloc(const struct ms_request *request)
{
	size_t alignment = max_t(size_t, request->alignment, sizeof(void *));
	void __percpu *object = __alloc_percpu_gfp(request->size, alignment, request->gfp);

	if (!object)
		return NULL;
	return (struct ms_link *)((unsigned long)object + ms_percpu_first_offset());
}

static void ms_percpu_free(const struct ms_request *request, struct ms_link *link)
{
	free_percpu((void __percpu *)((unsigned long)link - ms_percpu_first_offset()));
}

static bool ms_percpu_uncharged(const struct ms_link *link)
{
	return MS_COMPAT_PERCPU_FREE_FIRST_CHUNK && IS_ENABLED(CONFIG_SMP) &&
	       !is_vmalloc_addr(link);
}

const struct ms_kind_ops ms_percpu_ops = {
	.kind = MEMSTRESS_KIND_PERCPU,
	/* pcpu_alloc() drops __GFP_NOFAIL. */
	.policies = BIT_ULL(MEMSTRESS_POLICY_KERNEL) | BIT_ULL(MEMSTRESS_POLICY_NOWAIT) |
		    BIT_ULL(MEMSTRESS_POLICY_ATOMIC) | BIT_ULL(MEMSTRESS_POLICY_NOIO) |
		    BIT_ULL(MEMSTRESS_POLICY_NOFS) | BIT_ULL(MEMSTRESS_POLICY_NORETRY) |
		    BIT_ULL(MEMSTRESS_POLICY_RETRY_MAYFAIL),
	.contexts = BIT_ULL(MEMSTRESS_CONTEXT_END) - 1,
	.alloc_methods = BIT_ULL(MEMSTRESS_ALLOC_SINGLY),
	.free_methods = BIT_ULL(MEMSTRESS_FREE_SINGLY) | BIT_ULL(MEMSTRESS_FREE_RCU),
	.alignment_max = PAGE_SIZE,
	.smallest = sizeof(struct ms_link),
	.largest = ms_percpu_largest,
	.prepare = ms_percpu_prepare,
	.alloc = ms_percpu_alloc,
	.free = ms_percpu_free,
	.uncharged = ms_percpu_uncharged,
};
