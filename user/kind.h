/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of memory and GFP policies by name. What this kernel can do of them, INFO tells. */
#ifndef MEMSTRESS_USER_KIND_H
#define MEMSTRESS_USER_KIND_H

#include <stdbool.h>

#include <linux/memstress.h>

/**
 * struct kind - an allocator family
 * @id: enum memstress_kind
 * @name: as users write it
 * @has_order: its objects have an order, not a size
 * @object_size: of an object, unless the user says otherwise
 * @what: the kernel function behind it
 */
struct kind {
	__u32 id;
	const char *name;
	bool has_order;
	__u64 object_size;
	const char *what;
};

/* In the order of their ids; ends with an entry that has no name */
extern const struct kind kinds[];

/* NULL: there is none of this name, or id */
const struct kind *kind_find(const char *name);
const struct kind *kind_get(__u32 id);

/* NULL: there is none */
const char *kind_policy_name(__u32 policy);

/* -EINVAL: there is none of this name */
int kind_policy_find(const char *name, __u32 *policy);

#endif /* MEMSTRESS_USER_KIND_H */
