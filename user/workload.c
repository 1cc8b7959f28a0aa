// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "workload.h"

__u64 workload_page_size(void)
{
	static __u64 bytes;

	if (!bytes)
		bytes = sysconf(_SC_PAGESIZE);
	return bytes;
}

__u64 workload_whole_pages(__u64 bytes)
{
	__u64 page = workload_page_size();

	return (bytes + page - 1) / page * page;
}

void *workload_reserve(__u64 bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* A kernel without huge pages does not know this. */
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	return memory;
}

/* What is mapped at once by an entry of the second level, instead of by a table. */
static __u64 workload_huge_size(void)
{
	return workload_page_size() * (workload_page_size() / sizeof(__u64));
}

__u64 workload_size_unit(const struct step *step)
{
	if (step->kind->workload->size_unit)
		return step->kind->workload->size_unit;
	return step->thp ? workload_huge_size() : workload_page_size();
}

__u64 workload_default_size(const struct step *step)
{
	if (step->kind->workload->default_size)
		return step->kind->workload->default_size();
	return step->kind->object_size ? step->kind->object_size : workload_size_unit(step);
}

__u64 workload_size_max(const struct step *step)
{
	__u64 max = step->kind->workload->size_max;

	return max ? max : workload_default_size(step);
}

__u64 workload_object_charge(const struct step *step)
{
	__u64 bytes = workload_whole_pages(step->object_size);
	struct charge charge = {};

	step->kind->workload->charge(step, 1, 1, &charge);
	if (charge.byte_bytes)
		return charge.byte_bytes;
	/* What it needs besides may serve for the next one, too. */
	return charge.page_bytes < bytes ? 0 : bytes;
}

/*
 * A page goes to the lists of reclaim by way of one of a CPU, and one that is to be locked by way
 * of two; those keep it until they are full (FOLIO_BATCH_SIZE of include/linux/folio_batch.h).
 */
#define WORKLOAD_LRU_BATCH 31
#define WORKLOAD_LRU_LISTS 2

__u64 workload_lingering(const struct step *step, __u64 dropped)
{
	__u64 cpus = sysconf(_SC_NPROCESSORS_ONLN), bytes = dropped * workload_object_charge(step);
	__u64 most = cpus * WORKLOAD_LRU_BATCH * WORKLOAD_LRU_LISTS * workload_page_size();

	if (step->kind->workload->is_freed_by_rcu)
		return bytes;
	if (!step->kind->workload->is_on_lru)
		return 0;
	return bytes < most ? bytes : most;
}

/* The most that @objects may be charged. */
static __u64 workload_charge_max(const struct step *step, __u64 objects)
{
	struct charge charge = {};

	step->kind->workload->charge(step, objects, objects, &charge);
	return charge_usage(&charge, workload_page_size()) + charge.more_bytes;
}

__u64 workload_fitting(const struct step *step, __u64 bytes, __u64 limit)
{
	__u64 low = 0, charge = workload_object_charge(step),
	      high = charge ? bytes / charge : limit;

	if (high > limit)
		high = limit;
	while (low < high) {
		__u64 middle = high - (high - low) / 2;

		if (workload_charge_max(step, middle) <= bytes)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

int workload_open(struct workload_run *run, const struct step *step)
{
	run->step = step;
	run->objects = 0;
	return step->kind->workload->open(run);
}

/*
 * Plain stores, in this order: an object that is being made when the process dies is not counted,
 * as one that the kernel has refused.
 */
static void workload_book(struct memstress_alloc *alloc, __u64 bytes, __u64 ns)
{
	struct memstress_books *books = &alloc->books;

	__atomic_store_n(&books->objects, books->objects + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&books->requested_bytes, books->requested_bytes + bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&alloc->total_ns, alloc->total_ns + ns, __ATOMIC_RELAXED);
	if (ns > alloc->slowest_ns)
		__atomic_store_n(&alloc->slowest_ns, ns, __ATOMIC_RELAXED);
}

void workload_make(struct workload_run *run, struct memstress_alloc *alloc)
{
	__u64 before_ns = clock_now_ns();

	while (alloc->books.objects < alloc->count) {
		int ret = run->step->kind->workload->make(run, run->objects);
		__u64 now_ns = clock_now_ns();

		if (ret) {
			alloc->failures = 1;
			alloc->first_errno = -ret;
			alloc->stop = MEMSTRESS_STOP_FAILED;
			return;
		}
		run->objects++;
		workload_book(alloc, run->step->object_size, now_ns - before_ns);
		before_ns = now_ns;
	}
	alloc->stop = MEMSTRESS_STOP_DONE;
}

static void workload_drop(struct workload_run *run, __u64 index, struct memstress_free *free)
{
	__u64 before_ns = clock_now_ns(), ns;

	run->step->kind->workload->drop(run, index);
	ns = clock_now_ns() - before_ns;
	free->books.objects++;
	free->books.requested_bytes += run->step->object_size;
	free->total_ns += ns;
	if (ns > free->slowest_ns)
		free->slowest_ns = ns;
}

void workload_shrink(struct workload_run *run, __u64 count, struct memstress_free *free)
{
	while (count-- && run->objects)
		workload_drop(run, --run->objects, free);
}

static __u64 workload_divisor(__u64 a, __u64 b)
{
	while (b) {
		__u64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * A step that leads through all of @count from anywhere before it comes back, which needs no
 * memory: one that has no divisor in common with it.
 */
static __u64 workload_stride(__u64 count, unsigned short *seed)
{
	__u64 stride = count > 1 ? 1 + nrand48(seed) % (count - 1) : 1;

	while (workload_divisor(stride, count) != 1)
		stride++;
	return stride % count;
}

static void workload_drop_randomly(struct workload_run *run, struct memstress_free *free)
{
	unsigned short seed[3] = { free->seed, free->seed >> 16, free->seed >> 32 };
	__u64 count = run->objects, stride = workload_stride(count, seed), at, i;

	at = nrand48(seed) % count;
	for (i = 0; i < count; i++) {
		workload_drop(run, at, free);
		at = (at + stride) % count;
	}
}

void workload_finish(struct workload_run *run, struct memstress_free *free)
{
	__u64 i;

	if (free->order == MEMSTRESS_FREE_LIFO)
		workload_shrink(run, run->objects, free);
	else if (free->order == MEMSTRESS_FREE_RANDOM && run->objects)
		workload_drop_randomly(run, free);
	else
		for (i = 0; i < run->objects; i++)
			workload_drop(run, i, free);
	run->objects = 0;
	run->step->kind->workload->close(run);
}
