// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "kind.h"
#include "workload.h"

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
	{
		.id = MEMSTRESS_KIND_EXACT,
		.name = "exact",
		.object_size = 20 << 10,
		.what = "alloc_pages_exact()",
	},
	{
		.id = MEMSTRESS_KIND_KVMALLOC,
		.name = "kvmalloc",
		.object_size = 1024,
		.what = "kvmalloc()",
	},
	{
		.id = KIND_ANON,
		.name = "anon",
		.what = "writing to private pages",
		.workload = &workload_anon,
	},
	{
		.id = KIND_FILE,
		.name = "file",
		.what = "page cache of a file",
		.workload = &workload_file,
	},
	{
		.id = KIND_MEMFD,
		.name = "memfd",
		.what = "writing to a memfd",
		.workload = &workload_memfd,
	},
	{
		.id = KIND_PIPE,
		.name = "pipe",
		.object_size = 64 << 10,
		.what = "filling a pipe",
		.workload = &workload_pipe,
	},
	{
		.id = KIND_SOCKET,
		.name = "socket",
		.object_size = 32 << 10,
		.what = "sending a datagram",
		.workload = &workload_socket,
	},
	{
		.id = KIND_PAGETABLE,
		.name = "pagetable",
		.what = "reading far apart",
		.workload = &workload_pagetable,
	},
	{
		.id = KIND_STACK,
		.name = "stack",
		.object_size = 16 << 10,
		.what = "starting a thread",
		.workload = &workload_stack,
	},
	{
		.id = KIND_HUGETLB,
		.name = "hugetlb",
		.what = "writing to pages of the pool",
		.workload = &workload_hugetlb,
	},
	{
		.id = KIND_DENTRY,
		.name = "dentry",
		.what = "linking a file",
		.workload = &workload_dentry,
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

static const char *const kind_contexts[MEMSTRESS_CONTEXT_END] = {
	[MEMSTRESS_CONTEXT_TASK] = "task",
	[MEMSTRESS_CONTEXT_KWORKER] = "kworker",
	[MEMSTRESS_CONTEXT_SOFTIRQ] = "softirq",
	[MEMSTRESS_CONTEXT_HARDIRQ] = "hardirq",
};

static const char *const kind_alloc_methods[MEMSTRESS_ALLOC_METHOD_END] = {
	[MEMSTRESS_ALLOC_SINGLY] = "singly",
	[MEMSTRESS_ALLOC_BULK] = "bulk",
	[MEMSTRESS_ALLOC_GROW] = "grow",
	[MEMSTRESS_ALLOC_SHRINK] = "shrink",
};

static const char *const kind_free_methods[MEMSTRESS_FREE_METHOD_END] = {
	[MEMSTRESS_FREE_SINGLY] = "singly",
	[MEMSTRESS_FREE_BULK] = "bulk",
	[MEMSTRESS_FREE_RCU] = "rcu",
	[MEMSTRESS_FREE_SPLIT] = "split",
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

static int kind_choose(const char *const *names, __u32 count, const char *name, __u32 *id)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		if (!strcmp(names[i], name)) {
			*id = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *kind_policy_name(__u32 policy)
{
	return policy < MEMSTRESS_POLICY_END ? kind_policies[policy] : NULL;
}

int kind_policy_find(const char *name, __u32 *policy)
{
	return kind_choose(kind_policies, MEMSTRESS_POLICY_END, name, policy);
}

const char *kind_context_name(__u32 context)
{
	return context < MEMSTRESS_CONTEXT_END ? kind_contexts[context] : NULL;
}

int kind_context_find(const char *name, __u32 *context)
{
	return kind_choose(kind_contexts, MEMSTRESS_CONTEXT_END, name, context);
}

bool kind_context_interrupts(__u32 context)
{
	return context == MEMSTRESS_CONTEXT_SOFTIRQ || context == MEMSTRESS_CONTEXT_HARDIRQ;
}

const char *kind_alloc_method_name(__u32 method)
{
	return method < MEMSTRESS_ALLOC_METHOD_END ? kind_alloc_methods[method] : NULL;
}

int kind_alloc_method_find(const char *name, __u32 *method)
{
	return kind_choose(kind_alloc_methods, MEMSTRESS_ALLOC_METHOD_END, name, method);
}

const char *kind_free_method_name(__u32 method)
{
	return method < MEMSTRESS_FREE_METHOD_END ? kind_free_methods[method] : NULL;
}

int kind_free_method_find(const char *name, __u32 *method)
{
	return kind_choose(kind_free_methods, MEMSTRESS_FREE_METHOD_END, name, method);
}
