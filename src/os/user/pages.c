// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pages for devices: each block is a memfd, so that clients can map it too, mapped here in one
 * piece and on the device's bus page by page.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "os/user/pci.h"

struct pages {
	int fd;
	u32 count;   /* pages */
	u32 slots[]; /* of the device's table, by page; none without a device */
};

/* A memfd of that size that nobody can make shorter under our mapping; -1 on failure. */
static int pages_create_fd(size_t size)
{
	int fd = memfd_create("os_pages", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		close(fd);
		return -1;
	}
	return fd;
}

enum nv_status os_pages_alloc(struct os_pci_dev *dev, size_t size, enum os_pages_kind kind,
			      struct os_pages *pages)
{
	struct pages *p;
	u64 count;

	os_memset(pages, 0, sizeof(*pages));
	count = div_round_up(size, OS_PAGE_SIZE);
	if (!count)
		return NV_ERR_INVALID_ARGUMENT;
	if (count > 0x7fffffffu)
		return NV_ERR_NO_MEMORY;
	size = count * OS_PAGE_SIZE;
	p = os_alloc(sizeof(*p) + (dev ? count * sizeof(p->slots[0]) : 0));
	if (!p)
		return NV_ERR_NO_MEMORY;
	p->count = (u32)count;
	if (alloc_must_fail())
		goto free_impl;
	p->fd = pages_create_fd(size);
	if (p->fd < 0)
		goto free_impl;
	pages->cpu = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (pages->cpu == MAP_FAILED)
		goto close_fd;
	if (dev &&
	    dma_map(&dev->dma, pages->cpu, p->count, kind == OS_PAGES_PRIVATE, p->slots) != NV_OK)
		goto unmap;
	pages->size = size;
	pages->kind = kind;
	pages->dev = dev;
	pages->impl = p;
	alloc_count(size);
	return NV_OK;

unmap:
	munmap(pages->cpu, size);
close_fd:
	close(p->fd);
free_impl:
	os_free(p);
	os_memset(pages, 0, sizeof(*pages));
	return NV_ERR_NO_MEMORY;
}

void os_pages_free(struct os_pages *pages)
{
	struct pages *p = pages->impl;

	if (!p)
		return;
	if (pages->dev)
		dma_unmap(&pages->dev->dma, p->slots, p->count);
	munmap(pages->cpu, pages->size);
	close(p->fd);
	alloc_uncount(pages->size);
	os_free(p);
	os_memset(pages, 0, sizeof(*pages));
}

u64 os_pages_dma(const struct os_pages *pages, size_t offset)
{
	const struct pages *p = pages->impl;

	OS_BUG_ON(!pages->dev || offset >= pages->size);
	return dma_slot_address(&pages->dev->dma, p->slots[offset / OS_PAGE_SIZE]) +
	       offset % OS_PAGE_SIZE;
}

int os_user_pages_fd(const struct os_pages *pages)
{
	const struct pages *p = pages->impl;

	return p->fd;
}
