/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What objects must cost, derived outside the module: from the request, from what
 * /sys says of the kernel's caches and CPUs, and from the kernel's source. Never
 * from a counter that a test is about to check.
 */
#ifndef MEMSTRESS_SELFTESTS_BOOKS_H
#define MEMSTRESS_SELFTESTS_BOOKS_H

#include <stdbool.h>
#include <linux/memstress.h>

/* The books of one object as requested; -errno if /sys does not tell */
int books_derive_one(const struct memstress_alloc *request, struct memstress_books *books);

/*
 * False if a slab has room for one object only. The module cannot measure the stride of
 * those, and says EOPNOTSUPP (kmod/stride.c).
 */
bool books_can_be_known(const struct memstress_alloc *request);

/*
 * The books of @objects objects of a request that was answered. Of percpu objects only
 * the module can know how many lie in the first chunk, and it says so: those must show
 * on the percpu line by their absence.
 */
int books_derive(const struct memstress_alloc *answer, __u64 objects,
		 struct memstress_books *books);

/*
 * The same of kvmalloc objects, of which all but @fallbacks have become kmalloc objects, and
 * those are vmalloc areas.
 */
int books_fall_back(const struct memstress_alloc *answer, __u64 fallbacks,
		    struct memstress_books *kmalloc, struct memstress_books *vmalloc);

/* True if equal; else prints every field that differs: expected, seen, difference */
bool books_equal(const char *what, const struct memstress_books *expected,
		 const struct memstress_books *seen);

/* What an object of a slab cache of the kernel's costs when it is accounted; -errno */
long long books_accounted_object(const char *cache);

/* What slabs of @objects kmalloc objects of this size have that is no object's, in bytes */
long long books_slab_waste(const struct memstress_alloc *request, __u64 objects);

/* Objects that make the byte-charged sum a whole number of pages */
__u64 books_whole_pages(const struct memstress_books *one);

long long books_page_size(void);
int books_possible_cpus(void);

#endif /* MEMSTRESS_SELFTESTS_BOOKS_H */
