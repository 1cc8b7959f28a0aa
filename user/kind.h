/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds, policies, contexts and methods by name. What this kernel can do of them, INFO tells. */
#ifndef MEMSTRESS_USER_KIND_H
#define MEMSTRESS_USER_KIND_H

#include <stdbool.h>

#include <linux/memstress.h>

struct workload;

/* Kinds of user memory, beyond enum memstress_kind */
enum kind_of_user_memory {
	KIND_ANON = 0x100,
	KIND_FILE,
	KIND_MEMFD,
	KIND_PIPE,
	KIND_SOCKET,
	KIND_PAGETABLE,
	KIND_STACK,
	KIND_HUGETLB,
	KIND_DENTRY,
};

/**
 * struct kind - an allocator family, or a sort of user memory
 * @id: enum memstress_kind or enum kind_of_user_memory
 * @name: as users write it
 * @has_order: its objects have an order, not a size
 * @object_size: of an object, unless the user says otherwise; 0: a page, or what @workload knows
 * @what: the kernel function behind it, or what a process does for it
 * @workload: how it is made without the module; NULL: it is the module that makes it
 */
struct kind {
	__u32 id;
	const char *name;
	bool has_order;
	__u64 object_size;
	const char *what;
	const struct workload *workload;
};

/* In the order of their ids; ends with an entry that has no name */
extern const struct kind kinds[];

/* NULL: there is none of this name, or id */
const struct kind *kind_find(const char *name);
const struct kind *kind_get(__u32 id);

/* NULL: there is none */
const char *kind_policy_name(__u32 policy);
const char *kind_context_name(__u32 context);
const char *kind_alloc_method_name(__u32 method);
const char *kind_free_method_name(__u32 method);

/* -EINVAL: there is none of this name */
int kind_policy_find(const char *name, __u32 *policy);
int kind_context_find(const char *name, __u32 *context);
int kind_alloc_method_find(const char *name, __u32 *method);
int kind_free_method_find(const char *name, __u32 *method);

/* Whether nothing may sleep there */
bool kind_context_interrupts(__u32 context);

#endif /* MEMSTRESS_USER_KIND_H */
