// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The GPUs' DMA operations: drivers get addresses of an address space of the GPU's own, and what
 * the GPU's process reads and writes goes through a table of them, a page an entry.
 *
 *	DMA address = base + page number * 4 KiB      page number -> struct page
 *
 * The base lies above all physical addresses and outside of both halves of virtual ones. Addresses
 * are used again as late as possible, with a page between any two mappings that is never mapped.
 * An entry is looked up and copied under the table's lock, so that unmapping waits for accesses.
 *
 * Where the CPU protects memory a page is private unless it is shared (soft_pci.h): it has an
 * address like any other, behind which the GPU finds nothing.
 */
#include <linux/dma-map-ops.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

#define DMA_BASE (1ull << 47) /* user space ends here, and the kernel's half begins far above */
#define DMA_BITS 48
#define DMA_PAGES (1ull << (DMA_BITS - 1 - PAGE_SHIFT))
#define DMA_RESERVE (DMA_PAGES << PAGE_SHIFT)
#define DMA_ACCESS_MAX (1u << 20)

/* What the device may do with a page: tags of its pointer; a private one has no pointer. */
enum { DMA_BOTH = 0, DMA_READ_ONLY = 1, DMA_WRITE_ONLY = 3, DMA_NOTHING };

static struct resource addresses = {
	.name = "softh100 DMA",
	.flags = IORESOURCE_MEM,
};

/* Where physical addresses reach so far, a part that nothing has is kept free of everything. */
int soft_dma_machine_init(void)
{
	if (iomem_resource.end < DMA_BASE)
		return 0;
	return allocate_resource(&iomem_resource, &addresses, DMA_RESERVE, DMA_BASE,
				 DMA_BASE + DMA_RESERVE - 1, PAGE_SIZE, NULL, NULL);
}

void soft_dma_machine_exit(void)
{
	if (addresses.parent)
		release_resource(&addresses);
}

void soft_dma_init(struct soft_dma *dma)
{
	xa_init_flags(&dma->pages, XA_FLAGS_LOCK_IRQ);
	dma->next = 1;
}

static u32 tag_of(enum dma_data_direction direction, unsigned long attrs)
{
	if (soft_machine.tee != OS_TEE_NONE && !(attrs & SOFT_PCI_ATTR_SHARED))
		return DMA_NOTHING;
	switch (direction) {
	case DMA_TO_DEVICE:
		return DMA_READ_ONLY;
	case DMA_FROM_DEVICE:
		return DMA_WRITE_ONLY;
	default:
		return DMA_BOTH;
	}
}

/* -- The table --------------------------------------------------------------------------------- */

/* A page number with count free ones and one more on both sides; 0: all in use. Lock held. */
static u64 find_free(struct soft_dma *dma, u64 count)
{
	bool wrapped = false;
	u64 first = dma->next;
	unsigned long at;

	for (;;) {
		if (count + 2 > DMA_PAGES || first > DMA_PAGES - count - 1) {
			if (wrapped || count + 2 > DMA_PAGES)
				return 0;
			wrapped = true;
			first = 1;
		}
		at = first;
		if (!xa_find(&dma->pages, &at, first + count, XA_PRESENT))
			return first;
		first = at + 2;
	}
}

static void unmap_pages(struct soft_dma *dma, u64 first, u64 count)
{
	unsigned long flags;
	u64 i;

	xa_lock_irqsave(&dma->pages, flags);
	for (i = 0; i < count; i++)
		__xa_erase(&dma->pages, first + i);
	xa_unlock_irqrestore(&dma->pages, flags);
}

static void *entry_of(struct page *page, u32 tag)
{
	return tag == DMA_NOTHING ? xa_mk_value(0) : xa_tag_pointer(page, tag);
}

/* The DMA address of count pages from page on, DMA_MAPPING_ERROR when out of resources. */
static dma_addr_t map_pages(struct soft_dma *dma, struct page *page, u64 count, u32 tag)
{
	unsigned long flags;
	bool failed;
	u64 first, i;

	if (os_linux_alloc_fails())
		return DMA_MAPPING_ERROR;
	xa_lock_irqsave(&dma->pages, flags);
	first = find_free(dma, count);
	failed = first == 0;
	for (i = 0; i < count && !failed; i++)
		failed = xa_is_err(__xa_store(&dma->pages, first + i,
					      entry_of(nth_page(page, i), tag),
					      GFP_ATOMIC | __GFP_NOWARN));
	if (failed)
		while (first != 0 && i-- > 0)
			__xa_erase(&dma->pages, first + i);
	else
		dma->next = first + count + 1;
	xa_unlock_irqrestore(&dma->pages, flags);
	return failed ? DMA_MAPPING_ERROR : DMA_BASE + (first << PAGE_SHIFT);
}

u32 soft_dma_clear(struct soft_dma *dma)
{
	unsigned long index, flags;
	u32 left = 0;
	void *entry;

	xa_for_each(&dma->pages, index, entry) left++;
	xa_lock_irqsave(&dma->pages, flags);
	xa_for_each(&dma->pages, index, entry) __xa_erase(&dma->pages, index);
	xa_unlock_irqrestore(&dma->pages, flags);
	return left;
}

static u64 page_number(u64 address)
{
	return (address - DMA_BASE) >> PAGE_SHIFT;
}

/* -- What drivers call ------------------------------------------------------------------------- */

static struct soft_dma *dma_of(struct device *dev)
{
	struct soft_pci *gpu = soft_bus_gpu(to_pci_dev(dev));

	return gpu ? &gpu->dma : NULL;
}

static dma_addr_t soft_map_page(struct device *dev, struct page *page, unsigned long offset,
				size_t size, enum dma_data_direction direction, unsigned long attrs)
{
	struct soft_dma *dma = dma_of(dev);
	dma_addr_t base;

	page = nth_page(page, offset >> PAGE_SHIFT);
	offset = offset_in_page(offset);
	if (!dma || !size)
		return DMA_MAPPING_ERROR;
	base = map_pages(dma, page, PFN_UP(offset + size), tag_of(direction, attrs));
	return base == DMA_MAPPING_ERROR ? base : base + offset;
}

static void soft_unmap_page(struct device *dev, dma_addr_t address, size_t size,
			    enum dma_data_direction direction, unsigned long attrs)
{
	struct soft_dma *dma = dma_of(dev);

	if (dma && !WARN_ON_ONCE(address < DMA_BASE))
		unmap_pages(dma, page_number(address), PFN_UP(offset_in_page(address) + size));
}

static void soft_unmap_sg(struct device *dev, struct scatterlist *list, int count,
			  enum dma_data_direction direction, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		soft_unmap_page(dev, sg_dma_address(sg), sg_dma_len(sg), direction, attrs);
}

static int soft_map_sg(struct device *dev, struct scatterlist *list, int count,
		       enum dma_data_direction direction, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
	{
		sg_dma_address(sg) =
			soft_map_page(dev, sg_page(sg), sg->offset, sg->length, direction, attrs);
		if (sg_dma_address(sg) == DMA_MAPPING_ERROR) {
			soft_unmap_sg(dev, list, i, direction, attrs);
			return -ENOMEM;
		}
		sg_dma_len(sg) = sg->length;
	}
	return count;
}

/*
 * Coherent memory is shared: decrypted, in a guest whose memory the CPU encrypts. False: it cannot
 * be, and is freed, or nobody's any more, as it is not known which part of it is.
 */
static bool share(void *memory, size_t size, gfp_t gfp)
{
	if (os_linux_cpu_tee() == OS_TEE_NONE)
		return true;
	if (!gfpflags_allow_blocking(gfp)) {
		free_pages_exact(memory, size);
		return false;
	}
	if (set_memory_decrypted((unsigned long)memory, PFN_UP(size)))
		return false;
	memset(memory, 0, size);
	return true;
}

static void free_shared(void *memory, size_t size)
{
	if (os_linux_cpu_tee() == OS_TEE_NONE ||
	    set_memory_encrypted((unsigned long)memory, PFN_UP(size)) == 0)
		free_pages_exact(memory, size);
}

static void *soft_alloc(struct device *dev, size_t size, dma_addr_t *address, gfp_t gfp,
			unsigned long attrs)
{
	struct soft_dma *dma = dma_of(dev);
	void *memory;

	if (!dma || !size || size > KMALLOC_MAX_SIZE)
		return NULL;
	gfp &= ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_COMP);
	memory = alloc_pages_exact(size, gfp | __GFP_ZERO);
	if (!memory || !share(memory, size, gfp))
		return NULL;
	*address = map_pages(dma, virt_to_page(memory), PFN_UP(size), DMA_BOTH);
	if (*address == DMA_MAPPING_ERROR) {
		free_shared(memory, size);
		return NULL;
	}
	return memory;
}

static void soft_free(struct device *dev, size_t size, void *memory, dma_addr_t address,
		      unsigned long attrs)
{
	soft_unmap_page(dev, address, size, DMA_BIDIRECTIONAL, attrs);
	free_shared(memory, size);
}

static int soft_mmap(struct device *dev, struct vm_area_struct *vma, void *memory,
		     dma_addr_t address, size_t size, unsigned long attrs)
{
	unsigned long pages = PFN_UP(size), count = vma_pages(vma);

	if (vma->vm_pgoff >= pages || count > pages - vma->vm_pgoff)
		return -ENXIO;
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(memory)) + vma->vm_pgoff,
			       count << PAGE_SHIFT, pgprot_decrypted(vma->vm_page_prot));
}

static int soft_get_sgtable(struct device *dev, struct sg_table *table, void *memory,
			    dma_addr_t address, size_t size, unsigned long attrs)
{
	int rc = sg_alloc_table(table, 1, GFP_KERNEL);

	if (!rc)
		sg_set_page(table->sgl, virt_to_page(memory), PAGE_ALIGN(size), 0);
	return rc;
}

static int soft_supported(struct device *dev, u64 mask)
{
	return mask >= DMA_BIT_MASK(DMA_BITS);
}

static u64 soft_required_mask(struct device *dev)
{
	return DMA_BIT_MASK(DMA_BITS);
}

/* Nothing to synchronise: both sides see the same memory. Other devices' BARs cannot be reached. */
const struct dma_map_ops soft_dma_ops = {
	.alloc = soft_alloc,
	.free = soft_free,
	.mmap = soft_mmap,
	.get_sgtable = soft_get_sgtable,
	.map_page = soft_map_page,
	.unmap_page = soft_unmap_page,
	.map_sg = soft_map_sg,
	.unmap_sg = soft_unmap_sg,
	.dma_supported = soft_supported,
	.get_required_mask = soft_required_mask,
};

/* -- What the process does --------------------------------------------------------------------- */

/* The memory behind an address if the GPU may access it so, or NULL. Lock held. */
static void *find(struct soft_dma *dma, u64 address, bool write)
{
	void *entry = xa_load(&dma->pages, page_number(address));

	if (!entry || xa_is_value(entry) ||
	    xa_pointer_tag(entry) == (write ? DMA_READ_ONLY : DMA_WRITE_ONLY))
		return NULL;
	return page_address((struct page *)xa_untag_pointer(entry)) + offset_in_page(address);
}

/* Queue pointers and the like are one access each. */
static void copy(void *to, const void *from, size_t size)
{
	if (size == 8 && IS_ALIGNED((uintptr_t)to | (uintptr_t)from, 8))
		smp_store_release((u64 *)to, smp_load_acquire((const u64 *)from));
	else if (size == 4 && IS_ALIGNED((uintptr_t)to | (uintptr_t)from, 4))
		smp_store_release((u32 *)to, smp_load_acquire((const u32 *)from));
	else
		memcpy(to, from, size);
}

/* Part of one page between memory and buffer; false when it cannot be reached. */
static bool move(struct soft_dma *dma, u64 address, void *buffer, size_t size, bool write)
{
	unsigned long flags;
	void *memory;

	xa_lock_irqsave(&dma->pages, flags);
	memory = find(dma, address, write);
	if (memory && write)
		copy(memory, buffer, size);
	else if (memory)
		copy(buffer, memory, size);
	xa_unlock_irqrestore(&dma->pages, flags);
	return memory != NULL;
}

static bool reachable(struct soft_dma *dma, u64 address, size_t size, bool write)
{
	u64 page, last = page_number(address + size - 1);
	unsigned long flags;
	bool ok = true;

	for (page = page_number(address); page <= last && ok; page++) {
		xa_lock_irqsave(&dma->pages, flags);
		ok = find(dma, DMA_BASE + (page << PAGE_SHIFT), write) != NULL;
		xa_unlock_irqrestore(&dma->pages, flags);
	}
	return ok;
}

static int check(struct soft_pci *gpu, size_t size, u64 address, bool write)
{
	if (size > DMA_ACCESS_MAX)
		return -EINVAL;
	if (!h100_function_bus_master(&gpu->function) || address < DMA_BASE ||
	    address >= DMA_BASE + DMA_RESERVE - DMA_ACCESS_MAX ||
	    !reachable(&gpu->dma, address, size, write))
		return -EFAULT;
	return 0;
}

void soft_dma_tamper(struct soft_dma *dma, const struct soft_tamper *tamper)
{
	unsigned long flags;

	xa_lock_irqsave(&dma->pages, flags);
	dma->tamper = *tamper;
	xa_unlock_irqrestore(&dma->pages, flags);
}

/* In its middle, which is no header's. */
static void tamper_with(struct soft_dma *dma, u64 address, size_t size, bool write)
{
	struct soft_tamper *tamper = &dma->tamper;
	unsigned long flags;
	u8 *memory;

	if (likely(!READ_ONCE(tamper->left)))
		return;
	xa_lock_irqsave(&dma->pages, flags);
	memory = find(dma, address + size / 2, write);
	if (tamper->left && tamper->write == write && size >= tamper->bytes && memory) {
		tamper->left--;
		*memory ^= 1;
	}
	xa_unlock_irqrestore(&dma->pages, flags);
}

/*
 * Pages are copied one by one by way of a buffer, since user memory may fault: a driver that unmaps
 * some of them meanwhile gets the rest of an access refused, as on a bus.
 */
ssize_t soft_dma_access(struct soft_pci *gpu, char __user *user, size_t size, u64 address,
			bool write)
{
	u64 small[8];
	void *buffer = small;
	size_t done = 0, part;
	ssize_t rc = size ? check(gpu, size, address, write) : 0;

	if (rc || !size)
		return rc;
	if (size > sizeof(small))
		buffer = (void *)__get_free_page(GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	if (!write)
		tamper_with(&gpu->dma, address, size, false);
	for (; !rc && done < size; done += part) {
		part = min_t(size_t, size - done, PAGE_SIZE - offset_in_page(address + done));
		if ((write && copy_from_user(buffer, user + done, part)) ||
		    !move(&gpu->dma, address + done, buffer, part, write) ||
		    (!write && copy_to_user(user + done, buffer, part)))
			rc = -EFAULT;
	}
	if (write && !rc)
		tamper_with(&gpu->dma, address, size, true);
	if (buffer != small)
		free_page((unsigned long)buffer);
	return rc ? rc : size;
}
