// SPDX-License-Identifier: GPL-2.0
/*
 * mmap: a MAPPABLE holding in the address space of a process, so that kernel memory counts in
 * its RSS.
 *
 * All pages are inserted at once, in one walk of the chain: to find a page later would take a
 * walk each time. So there is no fault handler, and what a process throws out of its page
 * tables (MADV_DONTNEED) it does not get back: SIGBUS. vm_insert_page() counts each as a page
 * of a file, from insert_page() in mm/memory.c: in the RSS that the OOM killer sees, and, if
 * the page is charged, on the line file_mapped of its owner.
 *
 * A holding counts its mappings and cannot be freed as long as it has any. What it cannot
 * prevent is that the session dies. Then the pages lose our reference, and the mappings keep
 * theirs.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "internal.h"

/* The upper part of an offset is the handle. */
#define MS_MMAP_HANDLE_SHIFT 31

u64 ms_mmap_offset(const struct ms_holding *holding)
{
	if (!(holding->request.flags & MEMSTRESS_ALLOC_MAPPABLE))
		return 0;
	return (u64)holding->handle << MS_MMAP_HANDLE_SHIFT;
}

/* The number of mappings of a holding that may be gone, with its session's memory. */
static void ms_mmap_count(const struct vm_area_struct *vma, s32 change)
{
	struct ms_session *session = vma->vm_file->private_data;
	u32 handle = (unsigned long)vma->vm_private_data;
	struct ms_holding *holding;

	spin_lock(&session->lock);
	holding = ms_ledger_find(&session->ledger, handle);
	if (holding)
		holding->mappings += change;
	spin_unlock(&session->lock);
}

/* A mapping was forked, split or moved. */
static void ms_mmap_open(struct vm_area_struct *vma)
{
	ms_mmap_count(vma, 1);
}

static void ms_mmap_close(struct vm_area_struct *vma)
{
	ms_mmap_count(vma, -1);
}

static const struct vm_operations_struct ms_mmap_ops = {
	.open = ms_mmap_open,
	.close = ms_mmap_close,
};

/* Inserts those pages of an object that @vma shows; @page0 is the number of its first. */
static int ms_mmap_insert_object(struct vm_area_struct *vma, u64 first, struct page *page,
				 u64 page0, u64 pages)
{
	u64 end = min(page0 + pages, first + vma_pages(vma));
	u64 i;
	int ret;

	for (i = max(page0, first); i < end; i++) {
		ret = vm_insert_page(vma, vma->vm_start + ((i - first) << PAGE_SHIFT),
				     page + (i - page0));
		if (ret)
			return ret;
	}
	return 0;
}

/* Inserts the pages of a holding from number @first on, counted from its oldest object. */
static int ms_mmap_insert(struct vm_area_struct *vma, const struct ms_holding *holding, u64 first)
{
	const struct ms_request *request = &holding->request;
	const struct ms_chain *chain = &holding->chain;
	u64 last = chain->count.objects - 1;
	u64 pages = 1ULL << request->order;
	struct ms_link *link;
	u64 walked = 0;
	int ret;

	for (link = chain->first; link; link = link->next, walked++) {
		u64 index = chain->age == MS_CHAIN_NEWEST_FIRST ? last - walked : walked;

		ret = ms_mmap_insert_object(vma, first, request->ops->mapped_page(link),
					    index * pages, pages);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Whether @vma shows nothing but pages that the holding has. */
static int ms_mmap_check(struct vm_area_struct *vma, const struct ms_holding *holding, u64 first)
{
	u64 pages = holding->count.objects << holding->request.order;

	if (!(holding->request.flags & MEMSTRESS_ALLOC_MAPPABLE))
		return -EINVAL;
	if (first >= pages || vma_pages(vma) > pages - first)
		return -ENXIO;
	return 0;
}

int ms_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ms_session *session = file->private_data;
	u64 handle = vma->vm_pgoff >> (MS_MMAP_HANDLE_SHIFT - PAGE_SHIFT);
	u64 first = vma->vm_pgoff & ((1UL << (MS_MMAP_HANDLE_SHIFT - PAGE_SHIFT)) - 1);
	struct ms_holding *holding;
	int ret;

	/* A private mapping would have to copy what it writes to. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (handle > U32_MAX)
		return -ENOENT;
	holding = ms_session_read(session, handle);
	if (IS_ERR(holding))
		return PTR_ERR(holding);
	ret = ms_mmap_check(vma, holding, first);
	if (ret)
		goto out_read_done;

	/* Nothing is behind its end to grow into, and nothing of it is worth a core dump. */
	ms_compat_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = (void *)(unsigned long)holding->handle;
	vma->vm_ops = &ms_mmap_ops;
	/* Before anybody can free it again. If this fails, mmap(2) removes what was inserted. */
	ms_mmap_open(vma);
	ret = ms_mmap_insert(vma, holding, first);
	if (ret)
		ms_mmap_close(vma);
out_read_done:
	ms_session_read_done(session, holding);
	return ret;
}
