// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The CPU's mappings of unified memory. A mapping's offset is its address, so that a range of
 * addresses is a range of the file, by which mappings are taken away (uvm_host_ops.unmap). Pages
 * appear as they are touched.
 *
 * All of these come with the process's memory locked (or, for a fault, its one mapping), which
 * ranks before the locks of uvm.
 */
#include <linux/errno.h>
#include <linux/mm.h>

#include "host/linux/nvidia-uvm/uvm.h"

/* Of a mapping that is cut, each part is closed with the addresses of its own. */
static void map_closed(struct vm_area_struct *vma)
{
	uvm_file_munmap(vma->vm_private_data, vma->vm_start, vma->vm_end - vma->vm_start);
}

/* Addresses are what names a mapping: it cannot move. */
static int map_moved(struct vm_area_struct *vma)
{
	return -EINVAL;
}

/*
 * In a guest whose memory the CPU encrypts a mapping shows either what is shared or what is
 * private; what a range's memory will be is known when it is mapped, but for GPUs that start
 * afterwards.
 */
static bool fits(const struct vm_area_struct *vma, const struct os_pages *pages)
{
	pgprot_t prot = vma->vm_page_prot;
	bool decrypted = pgprot_val(prot) == pgprot_val(pgprot_decrypted(prot));

	return os_linux_cpu_tee() == OS_TEE_NONE || decrypted == (pages->kind == OS_PAGES_SHARED);
}

/* Under uvm's lock: the page that was touched. */
static enum uvm_result insert(void *ctx, const struct uvm_extent *extent)
{
	struct vm_fault *vmf = ctx;
	u64 address = vmf->address & PAGE_MASK;
	struct page *page;
	int rc;

	if (address < extent->address || address - extent->address >= extent->size)
		return UVM_RESULT_EFAULT;
	page = os_linux_pages_page(extent->pages, extent->offset + (address - extent->address));
	if (!page || !fits(vmf->vma, extent->pages))
		return UVM_RESULT_EFAULT;
	rc = os_linux_alloc_fails() ? -ENOMEM : vm_insert_page(vmf->vma, address, page);
	switch (rc) {
	case 0:
	case -EBUSY: /* another thread was first */
		return UVM_RESULT_OK;
	case -ENOMEM:
		return UVM_RESULT_ENOMEM;
	default:
		return UVM_RESULT_EFAULT;
	}
}

static vm_fault_t map_fault(struct vm_fault *vmf)
{
	struct uvm_extent extent;

	switch (uvm_file_fault(vmf->vma->vm_private_data, vmf->address & PAGE_MASK,
			       vmf->flags & FAULT_FLAG_WRITE, &extent, insert, vmf)) {
	case UVM_RESULT_OK:
		return VM_FAULT_NOPAGE;
	case UVM_RESULT_ENOMEM:
		/* A bus error ends the one process; VM_FAULT_OOM would have others killed for it.
		 */
	default:
		return VM_FAULT_SIGBUS;
	}
}

static const struct vm_operations_struct map_ops = {
	.close = map_closed,
	.mremap = map_moved,
	.fault = map_fault,
};

int nvidia_uvm_map(struct uvm_file *uvm, struct vm_area_struct *vma)
{
	/* A child gets none of it by itself, as with the documented driver. */
	const vm_flags_t set = VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY;
	enum uvm_mmap_kind kind;
	enum uvm_result result;
	u32 flags = 0;

	if (vma->vm_flags & VM_READ)
		flags |= UVM_MMAP_READ;
	if (vma->vm_flags & VM_WRITE)
		flags |= UVM_MMAP_WRITE;
	if (vma->vm_flags & VM_SHARED)
		flags |= UVM_MMAP_SHARED;
	result = uvm_file_mmap(uvm, vma->vm_start, vma->vm_end - vma->vm_start,
			       (u64)vma->vm_pgoff << PAGE_SHIFT, flags, &kind);
	if (result != UVM_RESULT_OK)
		return nvidia_uvm_errno(result);
#ifdef HAVE_VM_FLAGS_SET
	vm_flags_set(vma, set);
#else
	vma->vm_flags |= set;
#endif
	if (kind == UVM_MMAP_SEMAPHORE_POOL || !rm_uvm_is_confidential(nvidia_rm))
		vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);
	vma->vm_private_data = uvm;
	vma->vm_ops = &map_ops;
	return 0;
}
