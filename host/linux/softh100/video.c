// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU's video memory: pages that appear, zeroed, when a driver writes through a BAR or the
 * process touches its mapping, and go when the function is reset.
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

/*
 * More than the largest profile has, and than SOFTH100_BELLS_OFFSET, so that GPUs do not overlap in
 * the address space of the device's file, where a mapping by another GPU's process is at the same
 * place.
 */
#define VIDEO_SHIFT 44

void soft_video_init(struct soft_video *video, u32 index, u64 bytes)
{
	xa_init_flags(&video->pages, XA_FLAGS_LOCK_IRQ);
	init_rwsem(&video->lock);
	video->bytes = bytes;
	video->base = (pgoff_t)index << (VIDEO_SHIFT - PAGE_SHIFT);
}

/* Puts a page where none is; takes it over, also when somebody was faster. */
static struct page *insert(struct soft_video *video, unsigned long index, struct page *page)
{
	struct page *there;
	unsigned long flags;
	void *old = NULL;

	xa_lock_irqsave(&video->pages, flags);
	there = xa_load(&video->pages, index);
	if (!there)
		old = __xa_store(&video->pages, index, page, GFP_ATOMIC | __GFP_NOWARN);
	xa_unlock_irqrestore(&video->pages, flags);
	if (!there && !xa_is_err(old))
		return page;
	__free_page(page);
	return there;
}

static struct page *make(struct soft_video *video, unsigned long index, gfp_t gfp)
{
	struct page *page = os_linux_alloc_fails() ? NULL : alloc_page(gfp | __GFP_ZERO);

	return page ? insert(video, index, page) : NULL;
}

u64 soft_video_read(struct soft_video *video, u64 address, u32 width)
{
	struct page *page;
	u64 value = 0;

	rcu_read_lock();
	page = xa_load(&video->pages, address >> PAGE_SHIFT);
	if (page)
		value = h100_video_load(page_address(page) + offset_in_page(address), width);
	rcu_read_unlock();
	return value;
}

void soft_video_write(struct soft_video *video, u64 address, u32 width, u64 value)
{
	unsigned long index = address >> PAGE_SHIFT;
	struct page *page;

	rcu_read_lock();
	page = xa_load(&video->pages, index);
	if (!page)
		page = make(video, index, GFP_ATOMIC | __GFP_NOWARN);
	if (page)
		h100_video_store(page_address(page) + offset_in_page(address), width, value);
	rcu_read_unlock();
	if (!page && !READ_ONCE(video->full)) {
		WRITE_ONCE(video->full, true);
		os_log(OS_LOG_ERROR, "out of memory for video memory: writes are lost");
	}
}

/* video->lock held. The page of that number, made where there is none; NULL: no memory. */
static struct page *page_at(struct soft_video *video, unsigned long index)
{
	struct page *page = xa_load(&video->pages, index);

	/* The place is reserved first, where sleeping for it is possible. */
	if (!page && xa_reserve_irq(&video->pages, index, GFP_KERNEL_ACCOUNT) == 0)
		page = make(video, index, GFP_KERNEL_ACCOUNT);
	return page;
}

struct page *soft_video_page(struct soft_video *video, struct h100_function *function, u64 address)
{
	struct page *page = NULL;

	down_read(&video->lock);
	/* What is off the bus is cleared once, under this lock. */
	if (address < video->bytes && h100_function_present(function))
		page = page_at(video, address >> PAGE_SHIFT);
	if (page)
		get_page(page);
	up_read(&video->lock);
	return page;
}

/* Out of memory the process dies and its GPU is off the bus, rather than trying for ever. */
static vm_fault_t fault_result(int rc)
{
	return rc == 0 || rc == -EBUSY ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
}

/* video->lock held. 0 or -errno. */
static int show(struct soft_video *video, struct vm_fault *vmf)
{
	struct page *page = page_at(video, vmf->pgoff - video->base);

	return page ? vm_insert_page(vmf->vma, vmf->address, page) : -ENOMEM;
}

static int show_nobodys(struct vm_fault *vmf)
{
	struct page *page =
		os_linux_alloc_fails() ? NULL : alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	int rc;

	if (!page)
		return -ENOMEM;
	rc = vm_insert_page(vmf->vma, vmf->address, page);
	put_page(page);
	return rc;
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	struct soft_video *video = vmf->vma->vm_private_data;
	int rc;

	down_read(&video->lock);
	rc = show(video, vmf);
	up_read(&video->lock);
	return fault_result(rc);
}

/* An access that was on its way when the link went ends in a page that is nobody's. */
static vm_fault_t peer_fault(struct vm_fault *vmf)
{
	struct soft_video *video = vmf->vma->vm_private_data;
	int rc;

	down_read(&video->lock);
	rc = video->linked ? show(video, vmf) : show_nobodys(vmf);
	up_read(&video->lock);
	return fault_result(rc);
}

static const struct vm_operations_struct vm_ops = { .fault = fault };
static const struct vm_operations_struct peer_ops = { .fault = peer_fault };

/* vma->vm_pgoff counts from the beginning of the memory. */
static int map_video(struct soft_video *video, struct vm_area_struct *vma,
		     const struct vm_operations_struct *how)
{
	u64 pages = video->bytes >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff > pages ||
	    vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_pgoff += video->base;
#ifdef HAVE_VM_FLAGS_SET
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
#else
	vma->vm_flags |= VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY;
#endif
	vma->vm_private_data = video;
	vma->vm_ops = how;
	return 0;
}

int soft_video_mmap(struct soft_video *video, struct vm_area_struct *vma)
{
	return map_video(video, vma, &vm_ops);
}

int soft_video_mmap_peer(struct soft_video *video, struct vm_area_struct *vma)
{
	return map_video(video, vma, &peer_ops);
}

/* From all GPUs' processes: usually all have opened the same node, and so have one address space.
 */
static void unmap(struct soft_video *video, u64 first, u64 last)
{
	struct address_space *done = NULL;
	u32 i;

	down_read(&soft_machine.mapped);
	for (i = 0; i < soft_machine.gpus; i++) {
		struct soft_pci *gpu = soft_machine.gpu[i];

		if (!gpu || !gpu->mapping || gpu->mapping == done)
			continue;
		done = gpu->mapping;
		unmap_mapping_range(done, ((loff_t)video->base + first) << PAGE_SHIFT,
				    ((loff_t)last - first + 1) << PAGE_SHIFT, 1);
	}
	up_read(&soft_machine.mapped);
}

void soft_video_link(struct soft_video *video, bool linked)
{
	down_write(&video->lock);
	if (video->linked != linked) {
		video->linked = linked;
		unmap(video, 0, (video->bytes >> PAGE_SHIFT) - 1);
	}
	up_write(&video->lock);
}

/* video->lock held for writing. Takes the pages from first to last out; the caller frees them. */
static void take(struct soft_video *video, unsigned long first, unsigned long last,
		 struct list_head *gone)
{
	unsigned long index, flags;
	struct page *page;

	unmap(video, first, last);
	xa_for_each_range(&video->pages, index, page, first, last)
	{
		xa_lock_irqsave(&video->pages, flags);
		page = __xa_erase(&video->pages, index);
		xa_unlock_irqrestore(&video->pages, flags);
		if (page)
			list_add(&page->lru, gone);
		cond_resched();
	}
}

/* Those that a client has mapped are its own from now on. */
static void give(struct list_head *gone)
{
	struct page *page, *next;

	list_for_each_entry_safe (page, next, gone, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

void soft_video_discard(struct soft_video *video, u64 address, u64 size)
{
	LIST_HEAD(gone);

	if (!size || address >= video->bytes)
		return;
	size = min(size, video->bytes - address);
	down_write(&video->lock);
	take(video, address >> PAGE_SHIFT, (address + size - 1) >> PAGE_SHIFT, &gone);
	/* For drivers that are reading or writing one of them. */
	if (!list_empty(&gone))
		synchronize_rcu_expedited();
	give(&gone);
	WRITE_ONCE(video->full, false);
	up_write(&video->lock);
}

void soft_video_clear(struct soft_video *video)
{
	LIST_HEAD(gone);

	/* for drivers that found the function on the bus, and have yet to read or write a page */
	synchronize_rcu();
	down_write(&video->lock);
	take(video, 0, (1ul << (VIDEO_SHIFT - PAGE_SHIFT)) - 1, &gone);
	give(&gone);
	WRITE_ONCE(video->full, false);
	up_write(&video->lock);
}
