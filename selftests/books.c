// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "books.h"
#include "kernel.h"

#define SLAB_DIR "/sys/kernel/slab"

/* mm/slab.h obj_full_size(): one obj_cgroup pointer beside each accounted object */
#define OBJCG_BYTES ((long long)sizeof(void *))

/* mm/percpu-internal.h: areas are counted in units of this */
#define PCPU_MIN_ALLOC_SIZE 4

long long books_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

int books_possible_cpus(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "r");
	int first, last, cpus = 0;
	char more;

	if (!file)
		return -errno;
	do {
		if (fscanf(file, "%d", &first) != 1)
			break;
		last = first;
		if (fscanf(file, "-%d", &last) < 0)
			last = first;
		cpus += last - first + 1;
	} while (fscanf(file, "%c", &more) == 1 && more == ',');
	fclose(file);
	return cpus;
}

static long long slab_attribute(const char *cache, const char *attribute)
{
	char path[512];
	long long value;
	FILE *file;
	int n;

	snprintf(path, sizeof(path), SLAB_DIR "/%s/%s", cache, attribute);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	n = fscanf(file, "%lld", &value);
	fclose(file);
	return n == 1 ? value : -EINVAL;
}

/*
 * An attribute of the smallest cache whose name is @prefix and a size, and that can
 * hold @size bytes; 0 if all are too small. This is the choice kmalloc_index() of
 * include/linux/slab.h makes, since the caches are sorted by size without gaps.
 */
static long long kmalloc_attribute(const char *prefix, __u64 size, const char *attribute)
{
	long long best = 0, value = 0, object_size;
	size_t prefix_len = strlen(prefix);
	struct dirent *entry;
	DIR *dir;

	dir = opendir(SLAB_DIR);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, prefix_len) ||
		    strspn(entry->d_name + prefix_len, "0123456789k") !=
			    strlen(entry->d_name + prefix_len))
			continue;
		object_size = slab_attribute(entry->d_name, "object_size");
		if (object_size < (long long)size || (best && object_size >= best))
			continue;
		best = object_size;
		value = slab_attribute(entry->d_name, attribute);
	}
	closedir(dir);
	return value;
}

/*
 * Of the cache that kmalloc() takes. Accounted objects have caches of their own since
 * 5.14 (kmalloc-cg-*).
 */
static long long kmalloc_cache(__u64 size, bool account, const char *attribute)
{
	long long value = account ? kmalloc_attribute("kmalloc-cg-", size, attribute) : 0;

	return value ? value : kmalloc_attribute("kmalloc-", size, attribute);
}

long long books_accounted_object(const char *cache)
{
	long long stride = slab_attribute(cache, "slab_size");

	return stride < 0 ? stride : stride + OBJCG_BYTES;
}

/* include/asm-generic/getorder.h get_order(), in bytes */
static long long page_block_bytes(__u64 size)
{
	long long bytes = books_page_size();

	while (bytes < (long long)size)
		bytes <<= 1;
	return bytes;
}

/*
 * The size that it takes a cache for: mm/slab_common.c or slub.c __do_krealloc() leaves what
 * shrinks where it is.
 */
static __u64 kmalloc_taken(const struct memstress_alloc *request)
{
	return request->object_size << (request->method == MEMSTRESS_ALLOC_SHRINK);
}

/* Above the largest cache mm/slab_common.c __kmalloc_large_node() takes a block of pages. */
static int derive_kmalloc(__u64 size, bool account, struct memstress_books *one)
{
	long long stride = kmalloc_cache(size, account, "slab_size");

	if (stride < 0)
		return stride;
	if (!stride)
		one->page_charged_bytes = page_block_bytes(size);
	else
		one->byte_charged_bytes = stride + OBJCG_BYTES;
	one->footprint_bytes = stride ? stride : page_block_bytes(size);
	return 0;
}

static int derive_cache(__u64 size, bool account, struct memstress_books *one)
{
	long long stride;
	char name[64];

	snprintf(name, sizeof(name), "memstress-%llu%s", size, account ? "-account" : "");
	stride = slab_attribute(name, "slab_size");
	if (stride < 0)
		return stride;
	one->byte_charged_bytes = stride + OBJCG_BYTES;
	one->footprint_bytes = stride;
	return 0;
}

/*
 * mm/percpu-internal.h pcpu_obj_full_size(), of the size as pcpu_alloc() aligns it.
 * 5.17 began to charge for the objcg pointers ("mm: memcg/percpu: account extra
 * objcg space to memory cgroups").
 */
static int derive_percpu(__u64 size, struct memstress_books *one)
{
	long long unit = (size + PCPU_MIN_ALLOC_SIZE - 1) & ~(PCPU_MIN_ALLOC_SIZE - 1ULL);
	int cpus = books_possible_cpus();

	if (cpus <= 0)
		return cpus ? cpus : -EINVAL;
	one->footprint_bytes = unit * cpus;
	one->byte_charged_bytes = unit * cpus;
	if (!kernel_before(5, 17))
		one->byte_charged_bytes += unit / PCPU_MIN_ALLOC_SIZE * OBJCG_BYTES;
	return 0;
}

/*
 * Two objects fit into the largest slab that SLUB likes to use (slub_max_order of
 * mm/slub.c). The module's own caches are not there before they can be measured; but
 * what slab debugging needs beside an object is seen at another one of them.
 */
static bool two_fit_into_a_slab(__u64 size)
{
	long long object = slab_attribute("memstress_session", "object_size");
	long long stride = slab_attribute("memstress_session", "slab_size");
	long long beside = stride - (object + 7) / 8 * 8;

	return 2 * ((long long)size + beside) <= books_page_size() << 3;
}

bool books_can_be_known(const struct memstress_alloc *request)
{
	switch (request->kind) {
	case MEMSTRESS_KIND_KMALLOC:
	case MEMSTRESS_KIND_KVMALLOC:
		return kmalloc_cache(kmalloc_taken(request),
				     request->flags & MEMSTRESS_ALLOC_ACCOUNT,
				     "objs_per_slab") != 1;
	case MEMSTRESS_KIND_CACHE:
		return two_fit_into_a_slab(request->object_size);
	default:
		return true;
	}
}

int books_derive_one(const struct memstress_alloc *request, struct memstress_books *books)
{
	bool account = request->flags & MEMSTRESS_ALLOC_ACCOUNT;
	long long page = books_page_size();
	int ret = 0;

	*books = (struct memstress_books){
		.objects = 1,
		.requested_bytes = request->object_size,
	};
	switch (request->kind) {
	case MEMSTRESS_KIND_PAGE:
		books->requested_bytes = page << request->order;
		books->page_charged_bytes = page << request->order;
		books->footprint_bytes = page << request->order;
		break;
	case MEMSTRESS_KIND_KMALLOC:
	case MEMSTRESS_KIND_KVMALLOC:
		ret = derive_kmalloc(kmalloc_taken(request), account, books);
		break;
	case MEMSTRESS_KIND_CACHE:
		ret = derive_cache(request->object_size, account, books);
		break;
	case MEMSTRESS_KIND_VMALLOC:
		/* mm/vmalloc.c __vmalloc_area_node(): whole pages; the guard page is no memory */
	case MEMSTRESS_KIND_EXACT:
		/* mm/page_alloc.c make_alloc_exact(): what is behind the last page goes back */
		books->page_charged_bytes = (request->object_size + page - 1) / page * page;
		books->footprint_bytes = books->page_charged_bytes;
		break;
	case MEMSTRESS_KIND_PERCPU:
		ret = derive_percpu(request->object_size, books);
		break;
	default:
		ret = -EINVAL;
	}
	/* The caps count the pointers to objcgs, where there are any */
	if (account && books->byte_charged_bytes)
		books->footprint_bytes = books->byte_charged_bytes;
	if (!account) {
		books->page_charged_bytes = 0;
		books->byte_charged_bytes = 0;
	}
	return ret;
}

int books_derive(const struct memstress_alloc *answer, __u64 objects, struct memstress_books *books)
{
	__u64 uncharged = answer->books.uncharged_objects;
	int ret;

	/* mm/percpu.c pcpu_alloc_first_chunk(): it has no obj_cgroups, so nobody is charged */
	if (uncharged > objects || (uncharged && answer->kind != MEMSTRESS_KIND_PERCPU))
		return -ERANGE;
	ret = books_derive_one(answer, books);
	books->objects = objects;
	books->uncharged_objects = uncharged;
	books->requested_bytes *= objects;
	books->page_charged_bytes *= objects - uncharged;
	books->byte_charged_bytes *= objects - uncharged;
	books->footprint_bytes *= objects;
	return ret;
}

int books_fall_back(const struct memstress_alloc *answer, __u64 fallbacks,
		    struct memstress_books *kmalloc, struct memstress_books *vmalloc)
{
	struct memstress_alloc request = *answer;
	int ret;

	request.kind = MEMSTRESS_KIND_KMALLOC;
	ret = books_derive(&request, answer->books.objects - fallbacks, kmalloc);
	if (ret)
		return ret;
	request.kind = MEMSTRESS_KIND_VMALLOC;
	return books_derive(&request, fallbacks, vmalloc);
}

static bool field_equal(const char *what, const char *field, __u64 expected, __u64 seen)
{
	if (expected == seen)
		return true;
	fprintf(stderr, "# %s: %s: expected %llu, seen %llu, difference %lld\n", what, field,
		expected, seen, (long long)(seen - expected));
	return false;
}

bool books_equal(const char *what, const struct memstress_books *expected,
		 const struct memstress_books *seen)
{
	bool equal = true;

	equal &= field_equal(what, "objects", expected->objects, seen->objects);
	equal &= field_equal(what, "uncharged_objects", expected->uncharged_objects,
			     seen->uncharged_objects);
	equal &= field_equal(what, "requested_bytes", expected->requested_bytes,
			     seen->requested_bytes);
	equal &= field_equal(what, "page_charged_bytes", expected->page_charged_bytes,
			     seen->page_charged_bytes);
	equal &= field_equal(what, "byte_charged_bytes", expected->byte_charged_bytes,
			     seen->byte_charged_bytes);
	equal &= field_equal(what, "footprint_bytes", expected->footprint_bytes,
			     seen->footprint_bytes);
	return equal;
}

long long books_slab_waste(const struct memstress_alloc *request, __u64 objects)
{
	bool account = request->flags & MEMSTRESS_ALLOC_ACCOUNT;
	long long fit = kmalloc_cache(request->object_size, account, "objs_per_slab");
	long long stride = kmalloc_cache(request->object_size, account, "slab_size");
	long long order = kmalloc_cache(request->object_size, account, "order");

	if (fit <= 0)
		return 0;
	return ((books_page_size() << order) - fit * stride) * objects / fit;
}

__u64 books_whole_pages(const struct memstress_books *one)
{
	__u64 page = books_page_size(), bytes = one->byte_charged_bytes, objects = 1;

	while (bytes * objects % page)
		objects *= 2; /* a page is a power of two: so is what is missing */
	return objects;
}
