// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pages of os.h: single pages, side by side only for the CPU. Those that are shared with a device
 * come from its coherent allocator, others from the page allocator, or from a process.
 *
 * In a guest whose memory the CPU encrypts, shared pages are decrypted, by the coherent allocator
 * or here, and mapped so wherever the CPU sees them. Elsewhere the functions for that do nothing.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>

#include "os/linux/pci.h"

struct page_record {
	struct page *page;
	void *coherent; /* the allocator's own address; NULL: of the page allocator */
	dma_addr_t dma;
};

struct pages {
	struct list_head node;	/* of the device */
	struct os_pci_dev *dev; /* NULL: the device cannot reach them (any more); pages_lock */
	size_t count;
	bool shared;   /* OS_PAGES_SHARED */
	bool pinned;   /* a process's own */
	bool writable; /* ... and the device may write to it */
	bool view;     /* the CPU's mapping is another's */
	struct page_record records[];
};

/* Which device has which pages; held while pages become or cease to be a device's. */
static DEFINE_MUTEX(pages_lock);

/* False: nobody can tell how far it got, so that the page is nobody's any more. */
static bool page_share(struct page *page)
{
	if (os_linux_cpu_tee() == OS_TEE_NONE)
		return true;
	if (set_memory_decrypted((unsigned long)page_address(page), 1))
		return false;
	clear_page(page_address(page));
	return true;
}

static void page_put_shared(struct page *page)
{
	if (os_linux_cpu_tee() == OS_TEE_NONE ||
	    set_memory_encrypted((unsigned long)page_address(page), 1) == 0)
		put_page(page);
}

static bool record_alloc(struct os_pci_dev *dev, bool shared, struct page_record *r)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

	if (account_fails())
		return false;
	if (dev && shared) {
		r->coherent = dma_alloc_coherent(&dev->pdev->dev, PAGE_SIZE, &r->dma, gfp);
		if (!r->coherent)
			return false;
		r->page = is_vmalloc_addr(r->coherent) ? vmalloc_to_page(r->coherent)
						       : virt_to_page(r->coherent);
		return true;
	}
	r->page = alloc_page(gfp);
	if (!r->page || !dev)
		return r->page && (!shared || page_share(r->page));
	r->dma = dma_map_page(&dev->pdev->dev, r->page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(&dev->pdev->dev, r->dma)) {
		__free_page(r->page);
		return false;
	}
	return true;
}

static enum dma_data_direction direction_of(const struct pages *p)
{
	return p->pinned && !p->writable ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

static unsigned long attrs_of(const struct pages *p)
{
	return (p->view || p->pinned ? DMA_ATTR_SKIP_CPU_SYNC : 0) |
	       (p->shared ? SOFT_PCI_ATTR_SHARED : 0);
}

/* Takes the page out of the device's reach; what is left is an ordinary page. */
static void record_detach(struct os_pci_dev *dev, const struct pages *p, struct page_record *r)
{
	if (r->coherent) {
		/* the mapping goes with the memory: keep the memory */
		get_page(r->page);
		dma_free_coherent(&dev->pdev->dev, PAGE_SIZE, r->coherent, r->dma);
		r->coherent = NULL;
	} else {
		dma_unmap_page_attrs(&dev->pdev->dev, r->dma, PAGE_SIZE, direction_of(p),
				     attrs_of(p));
	}
}

static void record_free(struct os_pci_dev *dev, const struct pages *p, struct page_record *r)
{
	bool decrypted = p->shared && !p->view && !r->coherent;

	if (dev)
		record_detach(dev, p, r);
	if (p->pinned)
		unpin_user_pages_dirty_lock(&r->page, 1, p->writable);
	else if (decrypted)
		page_put_shared(r->page);
	else
		put_page(r->page);
}

/* The device reaches them from now on, until pages_detach or os_pages_free. */
static void pages_attach(struct os_pci_dev *dev, struct pages *p)
{
	mutex_lock(&pages_lock);
	p->dev = dev;
	list_add_tail(&p->node, &dev->pages);
	mutex_unlock(&pages_lock);
}

static void *pages_vmap(struct pages *p)
{
	struct page **list;
	void *cpu = NULL;
	size_t i;

	if (account_fails())
		return NULL;
	list = kvmalloc_array(p->count, sizeof(list[0]), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!list)
		return NULL;
	for (i = 0; i < p->count; i++)
		list[i] = p->records[i].page;
	cpu = vmap(list, p->count, VM_MAP, p->shared ? pgprot_decrypted(PAGE_KERNEL) : PAGE_KERNEL);
	kvfree(list);
	return cpu;
}

enum nv_status os_pages_alloc(struct os_pci_dev *dev, size_t size, enum os_pages_kind kind,
			      struct os_pages *pages)
{
	size_t count = size / PAGE_SIZE + (size % PAGE_SIZE != 0), made;
	struct pages *p;

	os_memset(pages, 0, sizeof(*pages));
	if (!count)
		return NV_ERR_INVALID_ARGUMENT;
	if (count > totalram_pages() || (dev && pci_lost(dev)))
		return NV_ERR_NO_MEMORY;
	p = account_alloc(struct_size(p, records, count), _RET_IP_);
	if (!p)
		return NV_ERR_NO_MEMORY;
	p->count = count;
	p->shared = kind == OS_PAGES_SHARED;
	for (made = 0; made < count; made++) {
		/* who is killed waits for no more of them */
		if (fatal_signal_pending(current) ||
		    !record_alloc(dev, p->shared, &p->records[made]))
			goto free_records;
		cond_resched();
	}
	pages->cpu = pages_vmap(p);
	if (!pages->cpu)
		goto free_records;
	pages->size = count * PAGE_SIZE;
	pages->kind = kind;
	pages->dev = dev;
	pages->impl = p;
	account_add(p, pages->size);
	if (dev)
		pages_attach(dev, p);
	return NV_OK;

free_records:
	while (made--)
		record_free(dev, p, &p->records[made]);
	os_free(p);
	os_memset(pages, 0, sizeof(*pages));
	return NV_ERR_NO_MEMORY;
}

void os_pages_free(struct os_pages *pages)
{
	struct pages *p = pages->impl;
	size_t i;

	if (!p)
		return;
	mutex_lock(&pages_lock);
	if (p->dev)
		list_del(&p->node);
	if (!p->view)
		vunmap(pages->cpu);
	for (i = 0; i < p->count; i++) {
		record_free(p->dev, p, &p->records[i]);
		cond_resched();
	}
	mutex_unlock(&pages_lock);
	os_free(p);
	os_memset(pages, 0, sizeof(*pages));
}

void pages_detach(struct os_pci_dev *dev)
{
	struct pages *p, *next;
	size_t i;

	mutex_lock(&pages_lock);
	list_for_each_entry_safe (p, next, &dev->pages, node) {
		for (i = 0; i < p->count; i++) {
			bool coherent = p->records[i].coherent != NULL;

			record_detach(dev, p, &p->records[i]);
			/* for the mappings that are left, which the CPU has decrypted */
			if (coherent && !page_share(p->records[i].page))
				get_page(p->records[i].page);
		}
		list_del(&p->node);
		p->dev = NULL;
	}
	mutex_unlock(&pages_lock);
}

/* -- Pages that are somebody else's ------------------------------------------------------------ */

static struct pages *pages_new(struct os_pci_dev *dev, size_t count, unsigned long caller)
{
	struct pages *p;

	if (count > totalram_pages() || (dev && pci_lost(dev)))
		return NULL;
	p = account_alloc(struct_size(p, records, count), caller);
	if (p)
		p->count = count;
	return p;
}

/*
 * Maps all for the device; on failure none is. The pages may be mapped for another device too, or
 * once more for this one; CPU and devices use them as they are, and nothing is ever synchronised.
 */
static bool records_map(struct os_pci_dev *dev, struct pages *p)
{
	struct device *device = &dev->pdev->dev;
	size_t i;

	for (i = 0; i < p->count; i++) {
		struct page_record *r = &p->records[i];

		if (account_fails())
			break;
		r->dma = dma_map_page_attrs(device, r->page, 0, PAGE_SIZE, direction_of(p),
					    attrs_of(p));
		if (dma_mapping_error(device, r->dma))
			break;
		cond_resched();
	}
	if (i == p->count)
		return true;
	while (i--)
		dma_unmap_page_attrs(device, p->records[i].dma, PAGE_SIZE, direction_of(p),
				     attrs_of(p));
	return false;
}

/* NV_OK and all, or none. The process's memory is not locked. */
static enum nv_status records_pin(struct pages *p, u64 address)
{
	unsigned int flags = FOLL_LONGTERM | (p->writable ? FOLL_WRITE : 0);
	size_t made;
	int got = 0;

	for (made = 0; made < p->count; made++) {
		got = account_fails() ? -ENOMEM
				      : pin_user_pages_fast(address + made * PAGE_SIZE, 1, flags,
							    &p->records[made].page);
		if (got != 1)
			break;
		cond_resched();
	}
	if (made == p->count)
		return NV_OK;
	while (made--)
		unpin_user_page(p->records[made].page);
	switch (got) {
	case -ENOMEM:
		return NV_ERR_NO_MEMORY;
	case -EOPNOTSUPP:
		return NV_ERR_NOT_SUPPORTED;
	default:
		return NV_ERR_INVALID_ADDRESS;
	}
}

enum nv_status os_pages_pin(struct os_pci_dev *dev, u64 user_address, size_t size, bool writable,
			    struct os_pages *pages)
{
	enum nv_status status;
	struct pages *p;
	size_t i;

	os_memset(pages, 0, sizeof(*pages));
	if (!size || size % PAGE_SIZE || user_address % PAGE_SIZE)
		return NV_ERR_INVALID_ARGUMENT;
	if (user_address + size < user_address || current->flags & PF_KTHREAD || !current->mm)
		return NV_ERR_INVALID_ADDRESS;
	p = pages_new(dev, size / PAGE_SIZE, _RET_IP_);
	if (!p)
		return NV_ERR_NO_MEMORY;
	p->pinned = true;
	p->writable = writable;
	status = records_pin(p, user_address);
	if (status != NV_OK)
		goto fail_pin;
	status = NV_ERR_NO_MEMORY;
	if (dev && !records_map(dev, p))
		goto fail_map;
	pages->cpu = pages_vmap(p);
	if (!pages->cpu)
		goto fail_vmap;
	pages->size = size;
	/* A process shares nothing with devices where the CPU protects memory. */
	pages->kind = OS_PAGES_PRIVATE;
	pages->dev = dev;
	pages->impl = p;
	if (dev)
		pages_attach(dev, p);
	return NV_OK;

fail_vmap:
	for (i = 0; dev && i < p->count; i++)
		record_detach(dev, p, &p->records[i]);
fail_map:
	for (i = 0; i < p->count; i++)
		unpin_user_page(p->records[i].page);
fail_pin:
	os_free(p);
	return status;
}

enum nv_status os_pages_share(const struct os_pages *pages, struct os_pci_dev *dev,
			      struct os_pages *view)
{
	const struct pages *from = pages->impl;
	struct pages *p;
	size_t i;

	os_memset(view, 0, sizeof(*view));
	p = pages_new(dev, from->count, _RET_IP_);
	if (!p)
		return NV_ERR_NO_MEMORY;
	p->view = true;
	p->shared = from->shared;
	for (i = 0; i < p->count; i++)
		p->records[i].page = from->records[i].page;
	if (!records_map(dev, p)) {
		os_free(p);
		return NV_ERR_NO_MEMORY;
	}
	for (i = 0; i < p->count; i++)
		get_page(p->records[i].page);
	*view = *pages;
	view->dev = dev;
	view->impl = p;
	pages_attach(dev, p);
	return NV_OK;
}

u64 os_pages_dma(const struct os_pages *pages, size_t offset)
{
	const struct pages *p = pages->impl;

	OS_BUG_ON(!pages->dev || offset >= pages->size);
	return p->records[offset / PAGE_SIZE].dma + offset % PAGE_SIZE;
}

struct page *os_linux_pages_page(const struct os_pages *pages, size_t offset)
{
	const struct pages *p = pages->impl;

	return p && offset < pages->size ? p->records[offset / PAGE_SIZE].page : NULL;
}
