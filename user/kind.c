// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "kind.h"

const struct kind kinds[] = {
	{
		.id = MEMSTRESS_KIND_PAGE,
		.name = "page",
		.has_order = true,
		.what = "alloc_pages()",
	},
	{
		.id = MEMSTRESS_KIND_KMALLOC,
		.name = "kmalloc",
		.object_size = 1024,
		.what = "kmalloc()",
	},
	{
		.id = MEMSTRESS_KIND_CACHE,
		.name = "cache",
		.object_size = 1024,
		.what = "kmem_cache_alloc()",
	},
	{
		.id = MEMSTRESS_KIND_VMALLOC,
		.name = "vmalloc",
		.object_size = 64 << 10,
		.what = "vmalloc()",
	},
	{
		.id = MEMSTRESS_KIND_PERCPU,
		.name = "percpu",
		.object_size = 1024,
		.what = "alloc_percpu()",
	},
	{},
};

static const char *const kind_policies[MEMSTRESS_POLICY_END] = {
	[MEMSTRESS_POLICY_KERNEL] = "kernel",
	[MEMSTRESS_POLICY_NOWAIT] = "nowait",
	[MEMSTRESS_POLICY_ATOMIC] = "atomic",
	[MEMSTRESS_POLICY_NOIO] = "noio",
	[MEMSTRESS_POLICY_NOFS] = "nofs",
	[MEMSTRESS_POLICY_NORETRY] = "noretry",
	[MEMSTRESS_POLICY_RETRY_MAYFAIL] = "retry-mayfail",
	[MEMSTRESS_POLICY_NOFAIL] = "nofail",
	[MEMSTRESS_POLICY_NOLOCK] = "nolock",
};

const struct kind *kind_find(const char *name)
{
	const struct kind *kind;

	for (kind = kinds; kind->name; kind++)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

const struct kind *kind_get(__u32 id)
{
	const struct kind *kind;

	for (kind = kinds; kind->name; kind++)
		if (kind->id == id)
			return kind;
	return NULL;
}

const char *kind_policy_name(__u32 policy)
{
	return policy < MEMSTRESS_POLICY_END ? kind_policies[policy] : NULL;
}

int kind_policy_find(const char *name, __u32 *policy)
{
	__u32 i;

	for (i = 0; i < MEMSTRESS_POLICY_END; i++) {
		if (!strcmp(kind_policies[i], name)) {
			*policy = i;
			return 0;
		}
	}
	return -EINVAL;
}
