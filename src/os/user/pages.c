// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Pages for devices: each block is a memfd, so that clients can map it too, mapped here in one
 * piece and on the device's bus page by page.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/bits.h"
#include "os/user/pci.h"

struct pages {
	int fd;	     /* -1: the memory is another's, a process's or that of other pages */
	bool view;   /* the mapping here is that of other pages */
	u32 count;   /* pages */
	u32 owner;   /* on whose share of the device's addresses */
	u32 slots[]; /* of the device's table, by page; none without a device */
};

/* A range that is pinned is made of few files as a rule: one, or one for each time it was remapped.
 */
#define PIN_PIECES_AT_FIRST 16u
#define PIN_PIECES_MAX 65536u

/* More than the machine has is no request to be served: its records alone would cost much. */
static bool count_is_too_large(u64 pages)
{
	return pages > 0x7fffffffu || pages > (u64)sysconf(_SC_PHYS_PAGES);
}

/*
 * Descriptors of memory, counted: clients may ask for many small pieces of it, and whoever holds
 * all that there are must not keep others from connecting. Three eighths of all; a user may have
 * half of them otherwise (host/user/daemon_share.c).
 */
static u32 fd_count;

static bool fd_take(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	if (os_fetch_add(&fd_count, 1) < limit.rlim_cur / 8 * 3)
		return true;
	os_fetch_sub(&fd_count, 1);
	return false;
}

static void fd_give(int fd)
{
	close(fd);
	os_fetch_sub(&fd_count, 1);
}

/* A memfd of that size that nobody can make shorter under our mapping; -1 on failure. */
static int pages_create_fd(size_t size)
{
	int fd;

	if (!fd_take())
		return -1;
	fd = memfd_create("os_pages", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		os_fetch_sub(&fd_count, 1);
		return -1;
	}
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		fd_give(fd);
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
	if (count_is_too_large(count))
		return NV_ERR_NO_MEMORY;
	size = count * OS_PAGE_SIZE;
	p = os_alloc(sizeof(*p) + (dev ? count * sizeof(p->slots[0]) : 0));
	if (!p)
		return NV_ERR_NO_MEMORY;
	p->count = (u32)count;
	p->owner = dma_share_owner();
	if (alloc_must_fail())
		goto free_impl;
	p->fd = pages_create_fd(size);
	if (p->fd < 0)
		goto free_impl;
	pages->cpu = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (pages->cpu == MAP_FAILED)
		goto close_fd;
	if (dev && dma_map(&dev->dma, pages->cpu, p->count, kind == OS_PAGES_PRIVATE, p->owner,
			   p->slots) != NV_OK)
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
	fd_give(p->fd);
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
		dma_unmap(&pages->dev->dma, p->slots, p->count, p->owner);
	if (!p->view)
		munmap(pages->cpu, pages->size);
	if (p->fd >= 0)
		fd_give(p->fd);
	alloc_uncount(pages->size);
	os_free(p);
	os_memset(pages, 0, sizeof(*pages));
}

/* -- Memory of a client's process -------------------------------------------------------------- */

/* One mapping of all pieces, which are closed; MAP_FAILED where they are not what they claim. */
static void *pieces_map(const struct os_user_pin_piece *pieces, u32 count, size_t size)
{
	char *cpu = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool ok = cpu != MAP_FAILED;
	size_t at = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct os_user_pin_piece *piece = &pieces[i];

		ok = ok && piece->size && piece->size <= size - at &&
		     is_aligned(piece->size | piece->offset, OS_PAGE_SIZE) &&
		     mmap(cpu + at, piece->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			  piece->fd, (off_t)piece->offset) != MAP_FAILED;
		close(piece->fd);
		if (ok)
			at += piece->size;
	}
	if (ok && at == size)
		return cpu;
	if (cpu != MAP_FAILED)
		munmap(cpu, size);
	return MAP_FAILED;
}

/* Asks for the pieces with room for few, then with room for all. */
static enum nv_status pin_pieces(u64 user, size_t size, bool writable, void **cpu)
{
	u64 max = min((u64)PIN_PIECES_AT_FIRST, (u64)(size / OS_PAGE_SIZE)), count = 0;
	struct os_user_pin_piece *pieces;
	enum nv_status status;

	do {
		u32 got = 0;

		pieces = os_alloc(max * sizeof(*pieces));
		if (!pieces)
			return NV_ERR_NO_MEMORY;
		status = request_pin(user, size, writable, pieces, (u32)max, &got);
		count = got;
		if (status == NV_OK) {
			*cpu = pieces_map(pieces, (u32)count, size);
			if (*cpu == MAP_FAILED)
				status = NV_ERR_NO_MEMORY;
			os_free(pieces);
			return status;
		}
		os_free(pieces);
		count = max;
		max = min((u64)PIN_PIECES_MAX, (u64)(size / OS_PAGE_SIZE));
	} while (status == NV_ERR_NO_MEMORY && max > count);
	return status;
}

/* Pages of memory that is mapped at cpu, for the device. */
static enum nv_status pages_of(struct os_pci_dev *dev, void *cpu, size_t size, bool view,
			       enum os_pages_kind kind, struct os_pages *pages)
{
	u64 count = size / OS_PAGE_SIZE;
	struct pages *p = os_alloc(sizeof(*p) + (dev ? count * sizeof(p->slots[0]) : 0));

	if (!p)
		return NV_ERR_NO_MEMORY;
	p->fd = -1;
	p->view = view;
	p->count = (u32)count;
	p->owner = dma_share_owner();
	if (alloc_must_fail() || (dev && dma_map(&dev->dma, cpu, p->count, kind == OS_PAGES_PRIVATE,
						 p->owner, p->slots) != NV_OK)) {
		os_free(p);
		return NV_ERR_NO_MEMORY;
	}
	pages->cpu = cpu;
	pages->size = size;
	pages->kind = kind;
	pages->dev = dev;
	pages->impl = p;
	alloc_count(size);
	return NV_OK;
}

enum nv_status os_pages_pin(struct os_pci_dev *dev, u64 user_address, size_t size, bool writable,
			    struct os_pages *pages)
{
	enum nv_status status;
	void *cpu = NULL;

	os_memset(pages, 0, sizeof(*pages));
	if (!size || !is_aligned(user_address | size, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ARGUMENT;
	if (user_address + size < user_address)
		return NV_ERR_INVALID_ADDRESS;
	/* Sparse files claim any size, and each page costs a record and a slot of each device. */
	if (count_is_too_large(size / OS_PAGE_SIZE))
		return NV_ERR_NO_MEMORY;
	status = pin_pieces(user_address, size, writable, &cpu);
	if (status != NV_OK)
		return status;
	/* A process shares nothing with devices where the CPU protects memory. */
	status = pages_of(dev, cpu, size, false, OS_PAGES_PRIVATE, pages);
	if (status != NV_OK)
		munmap(cpu, size);
	return status;
}

enum nv_status os_pages_share(const struct os_pages *pages, struct os_pci_dev *dev,
			      struct os_pages *view)
{
	os_memset(view, 0, sizeof(*view));
	return pages_of(dev, pages->cpu, pages->size, true, pages->kind, view);
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
