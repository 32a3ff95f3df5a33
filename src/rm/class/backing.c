// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What is behind memory objects: pages of the system, pieces of a GPU's video memory, registers.
 * Video memory is zero when it is given out: whatever comes back is discarded first.
 */
#include "base/bits.h"
#include "base/range.h"
#include "rm/class/memory.h"
#include "rm/gpu/tlb.h"
#include "rm/gpu/video.h"

/* Pieces of one allocation; more are not looked for. */
#define PIECES_MAX 65536u

struct piece {
	u64 offset; /* in the memory */
	u64 start, size;
	struct extent *extent; /* of the heap; NULL: it is another's (rm_backing_of_list) */
};

struct rm_backing {
	u32 references; /* atomic */
	enum rm_backing_kind kind;
	u64 size, page_size;
	struct rm_gpu *gpu;	   /* referenced */
	struct rm_backing *origin; /* referenced: whose memory this is, seen from gpu; or NULL */
	struct rm_backing *listed; /* referenced: whose pages are listed here; or NULL */
	struct os_pages pages;	   /* of SYSTEM, PINNED */
	u64 bar_offset;		   /* of BAR */
	u32 bar;
	u32 pid, epoch; /* of VIDEO: the heap's */
	u32 count;
	struct piece *pieces; /* of VIDEO, BUS, by offset: one, or memory of its own */
	struct piece one;
	struct rm_tlb_late late; /* of memory that has nobody any more */
};

/* -- Making ------------------------------------------------------------------------------------ */

static struct rm_backing *backing_new(struct rm_gpu *gpu, enum rm_backing_kind kind, u64 size,
				      u64 page_size)
{
	struct rm_backing *b = os_alloc(sizeof(*b));

	if (!b)
		return NULL;
	b->references = 1;
	b->kind = kind;
	b->size = size;
	b->page_size = page_size;
	b->gpu = gpu;
	rm_gpu_get(gpu);
	return b;
}

static void backing_delete(struct rm_backing *b)
{
	if (b->pieces != &b->one)
		os_free(b->pieces);
	rm_gpu_put(b->gpu);
	os_free(b);
}

static void put_piece(struct piece *piece, u64 offset, struct extent *extent)
{
	piece->offset = offset;
	piece->start = extent->start;
	piece->size = extent->size;
	piece->extent = extent;
}

/* Takes the pieces; extents has room for max of them. The objects' lock is taken. */
static enum nv_status take_pieces(struct rm_backing *b, const struct rm_video_request *request,
				  struct extent **extents, u32 max)
{
	struct rm_heap_request r = {
		.size = request->size,
		.align = max > 1 ? request->page_size : request->align,
		.lo = request->lo,
		.hi = request->hi,
		.high = request->high,
		.pid = request->pid,
	};
	struct rm_gpu_objects *objects;
	enum nv_status status;

	status = rm_gpu_heap(b->gpu, &objects);
	if (status != NV_OK)
		return status;
	os_mutex_lock(&objects->lock);
	status = rm_heap_alloc_scattered(&objects->heap, &r, extents, max, &b->count);
	b->epoch = objects->heap.epoch;
	os_mutex_unlock(&objects->lock);
	b->pid = request->pid;
	return status;
}

/* Where the firmware was asked and did not, the memory is nobody's: it may still say something. */
static bool scrub(struct rm_backing *b)
{
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; status == NV_OK && i < b->count; i++)
		status = rm_video_clear(b->gpu, b->pieces[i].start, b->pieces[i].size);
	if (status == NV_OK || rm_gpu_is_lost(b->gpu) || status == NV_ERR_INVALID_STATE)
		return true;
	os_log(OS_LOG_ERROR, "NVRM: GPU%u: memory that GSP did not clear is kept: 0x%x",
	       b->gpu->instance, status);
	return false;
}

static void give_pieces(struct rm_backing *b)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(b->gpu);
	bool ours;
	u32 i;

	if (!b->pieces[0].extent)
		return;
	os_mutex_lock(&objects->lock);
	ours = objects->heap.epoch == b->epoch;
	os_mutex_unlock(&objects->lock);
	ours = ours && scrub(b);
	os_mutex_lock(&objects->lock);
	ours = ours && objects->heap.epoch == b->epoch;
	for (i = 0; i < b->count; i++) {
		if (ours)
			rm_heap_free(&objects->heap, b->pieces[i].extent, b->pid);
		else
			extent_free(b->pieces[i].extent);
	}
	os_mutex_unlock(&objects->lock);
}

/* As many pieces as it takes. */
static enum nv_status alloc_scattered(struct rm_backing *b, const struct rm_video_request *request)
{
	u32 max = (u32)min((u64)PIECES_MAX, request->size / request->page_size), i;
	struct extent **extents;
	enum nv_status status;
	u64 offset = 0;

	if (max < 2)
		return NV_ERR_NO_MEMORY;
	extents = os_alloc(max * sizeof(extents[0]));
	if (!extents)
		return NV_ERR_NO_MEMORY;
	status = take_pieces(b, request, extents, max);
	if (status != NV_OK)
		goto out;
	b->pieces = os_alloc(b->count * sizeof(b->pieces[0]));
	if (!b->pieces) {
		struct rm_gpu_objects *objects = rm_gpu_objects_of(b->gpu);

		os_mutex_lock(&objects->lock);
		for (i = 0; i < b->count; i++)
			rm_heap_free(&objects->heap, extents[i], b->pid);
		os_mutex_unlock(&objects->lock);
		status = NV_ERR_NO_MEMORY;
		goto out;
	}
	for (i = 0; i < b->count; i++) {
		put_piece(&b->pieces[i], offset, extents[i]);
		offset += extents[i]->size;
	}
out:
	os_free(extents);
	return status;
}

static enum nv_status alloc_client(struct rm_gpu *gpu, const struct rm_video_request *request,
				   struct rm_backing **out)
{
	struct extent *extent;
	struct rm_backing *b;
	enum nv_status status;

	b = backing_new(gpu, RM_BACKING_VIDEO, request->size, request->page_size);
	if (!b)
		return NV_ERR_NO_MEMORY;
	b->pieces = &b->one;
	status = take_pieces(b, request, &extent, 1);
	if (status == NV_OK)
		put_piece(&b->one, 0, extent);
	else if (status == NV_ERR_NO_MEMORY && request->scattered)
		status = alloc_scattered(b, request);
	if (status != NV_OK)
		backing_delete(b);
	else
		*out = b;
	return status;
}

enum nv_status rm_backing_alloc_client(struct rm_gpu *gpu, const struct rm_video_request *request,
				       struct rm_backing **out)
{
	bool stale = os_load_acquire(&rm_gpu_objects_of(gpu)->tlb_stale);
	enum nv_status status = alloc_client(gpu, request, out);

	/* What the GPU may still have reached a moment ago is free by now, perhaps. */
	if (status == NV_ERR_NO_MEMORY && stale && rm_tlb_settled(gpu))
		status = alloc_client(gpu, request, out);
	return status;
}

enum nv_status rm_backing_alloc_video(struct rm_gpu *gpu, u64 size, u64 align,
				      struct rm_backing **out)
{
	struct rm_video_request request = {
		.page_size = OS_PAGE_SIZE,
		.hi = ~(u64)0,
	};

	if (size == 0 || !is_power_of_2(align) || !align_up_ok(size, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ARGUMENT;
	request.size = align_up(size, OS_PAGE_SIZE);
	request.align = max(align, (u64)OS_PAGE_SIZE);
	return rm_backing_alloc_client(gpu, &request, out);
}

enum nv_status rm_backing_of_pages(struct rm_gpu *gpu, struct os_pages *pages, bool pinned,
				   struct rm_backing **out)
{
	struct rm_backing *b;

	b = backing_new(gpu, pinned ? RM_BACKING_PINNED : RM_BACKING_SYSTEM, pages->size,
			OS_PAGE_SIZE);
	if (!b)
		return NV_ERR_NO_MEMORY;
	b->pages = *pages;
	os_memset(pages, 0, sizeof(*pages));
	*out = b;
	return NV_OK;
}

static enum nv_status alloc_pages(struct rm_gpu *gpu, u64 size, enum os_pages_kind kind,
				  struct rm_backing **out)
{
	struct os_pages pages;
	enum nv_status status;

	status = os_pages_alloc(gpu->pci, size, kind, &pages);
	if (status != NV_OK)
		return status;
	status = rm_backing_of_pages(gpu, &pages, false, out);
	if (status != NV_OK)
		os_pages_free(&pages);
	return status;
}

enum nv_status rm_backing_alloc_system(struct rm_gpu *gpu, u64 size, struct rm_backing **out)
{
	return alloc_pages(gpu, size, OS_PAGES_SHARED, out);
}

enum nv_status rm_backing_alloc_private(struct rm_gpu *gpu, u64 size, struct rm_backing **out)
{
	return alloc_pages(gpu, size, OS_PAGES_PRIVATE, out);
}

enum nv_status rm_backing_of_bar(struct rm_gpu *gpu, u32 bar, u64 offset, u64 size,
				 struct rm_backing **out)
{
	struct rm_backing *b = backing_new(gpu, RM_BACKING_BAR, size, OS_PAGE_SIZE);

	if (!b)
		return NV_ERR_NO_MEMORY;
	b->bar = bar;
	b->bar_offset = offset;
	*out = b;
	return NV_OK;
}

/* How many of the parts, of size bytes each, lie one behind the other from the first on. */
static u64 run_of(const u64 *addresses, u64 count, u64 size)
{
	u64 run = 1;

	while (run < count && addresses[run] == addresses[run - 1] + size)
		run++;
	return run;
}

/* The largest page that all of the pieces are made of. */
static u64 natural_page(const struct rm_backing *b)
{
	static const u64 sizes[] = { MIB(512), MIB(2), KIB(64) };
	u64 bits = 0;
	u32 i;

	for (i = 0; i < b->count; i++)
		bits |= b->pieces[i].offset | b->pieces[i].start | b->pieces[i].size;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (is_aligned(bits, sizes[i]))
			return sizes[i];
	return OS_PAGE_SIZE;
}

enum nv_status rm_backing_of_list(struct rm_gpu *gpu, const struct rm_backing_list *list,
				  struct rm_backing **out)
{
	enum rm_backing_kind kind = list->video ? RM_BACKING_VIDEO : RM_BACKING_BUS;
	struct rm_backing *b = backing_new(gpu, kind, list->count * list->size, OS_PAGE_SIZE);
	u64 at, run;

	if (!b)
		return NV_ERR_NO_MEMORY;
	b->pieces = &b->one;
	for (at = 0; at < list->count; at += run) {
		run = run_of(list->addresses + at, list->count - at, list->size);
		b->count++;
	}
	if (b->count > 1)
		b->pieces = os_alloc(b->count * sizeof(b->pieces[0]));
	if (!b->pieces) {
		backing_delete(b);
		return NV_ERR_NO_MEMORY;
	}
	b->count = 0;
	for (at = 0; at < list->count; at += run) {
		run = run_of(list->addresses + at, list->count - at, list->size);
		b->pieces[b->count++] = (struct piece){
			.offset = at * list->size,
			.start = list->addresses[at],
			.size = run * list->size,
		};
	}
	b->page_size = natural_page(b);
	b->listed = list->of;
	if (list->of)
		rm_backing_get(list->of);
	*out = b;
	return NV_OK;
}

/* -- Seen from elsewhere ----------------------------------------------------------------------- */

/* Whose memory it is. */
static const struct rm_backing *root_of(const struct rm_backing *b)
{
	while (b->origin)
		b = b->origin;
	return b;
}

bool rm_backing_same(const struct rm_backing *a, const struct rm_backing *b)
{
	return root_of(a) == root_of(b);
}

enum nv_status rm_backing_share(struct rm_backing *backing, struct rm_gpu *gpu,
				struct rm_backing **out)
{
	struct rm_backing *b;
	enum nv_status status;

	if (!backing->pages.impl)
		return NV_ERR_NOT_SUPPORTED;
	b = backing_new(gpu, backing->kind, backing->size, backing->page_size);
	if (!b)
		return NV_ERR_NO_MEMORY;
	status = os_pages_share(&backing->pages, gpu->pci, &b->pages);
	if (status != NV_OK) {
		backing_delete(b);
		return status;
	}
	b->origin = backing;
	rm_backing_get(backing);
	*out = b;
	return NV_OK;
}

/* -- References -------------------------------------------------------------------------------- */

void rm_backing_get(struct rm_backing *backing)
{
	os_fetch_add(&backing->references, 1);
}

/* Returns whose memory it was, to be put. */
static struct rm_backing *backing_free(struct rm_backing *backing)
{
	struct rm_backing *origin = backing->origin ? backing->origin : backing->listed;

	if (backing->pages.impl)
		os_pages_free(&backing->pages);
	else if (backing->kind == RM_BACKING_VIDEO)
		give_pieces(backing);
	backing_delete(backing);
	return origin;
}

static void free_late(struct rm_tlb_late *late)
{
	rm_backing_put(backing_free(container_of(late, struct rm_backing, late)));
}

void rm_backing_put(struct rm_backing *backing)
{
	while (backing && os_fetch_sub(&backing->references, 1) == 1) {
		backing->late.free = free_late;
		if (backing->kind != RM_BACKING_BAR && rm_tlb_keep(backing->gpu, &backing->late))
			return;
		backing = backing_free(backing);
	}
}

/* -- Looking ----------------------------------------------------------------------------------- */

enum rm_backing_kind rm_backing_kind(const struct rm_backing *backing)
{
	return backing->kind;
}

bool rm_backing_accessible(const struct rm_backing *backing)
{
	return backing->kind != RM_BACKING_BAR && backing->kind != RM_BACKING_BUS &&
	       !(backing->kind == RM_BACKING_VIDEO && rm_video_is_closed(backing->gpu));
}

bool rm_backing_is_list(const struct rm_backing *backing)
{
	return backing->count && !backing->pieces[0].extent;
}

struct rm_gpu *rm_backing_gpu(const struct rm_backing *backing)
{
	return backing->gpu;
}

u64 rm_backing_size(const struct rm_backing *backing)
{
	return backing->size;
}

u64 rm_backing_page_size(const struct rm_backing *backing)
{
	return backing->page_size;
}

/* The last piece that begins at or before the offset. */
static const struct piece *piece_at(const struct rm_backing *b, u64 offset)
{
	u32 lo = 0, hi = b->count;

	while (hi - lo > 1) {
		u32 middle = lo + (hi - lo) / 2;

		if (b->pieces[middle].offset <= offset)
			lo = middle;
		else
			hi = middle;
	}
	return &b->pieces[lo];
}

static u64 page_run(const struct rm_backing *b, u64 offset, u64 address)
{
	u64 run = OS_PAGE_SIZE - offset % OS_PAGE_SIZE;

	while (offset + run < b->size && os_pages_dma(&b->pages, offset + run) == address + run)
		run += OS_PAGE_SIZE;
	return run;
}

u64 rm_backing_address(const struct rm_backing *b, u64 offset, enum rm_aperture *aperture,
		       u64 *contiguous)
{
	const struct piece *piece;
	u64 address, end = b->size - offset;

	OS_BUG_ON(offset >= b->size);
	switch (b->kind) {
	case RM_BACKING_VIDEO:
	case RM_BACKING_BUS:
		piece = piece_at(b, offset);
		*aperture = b->kind == RM_BACKING_VIDEO ? RM_APERTURE_VIDEO
							: RM_APERTURE_SYSTEM_COHERENT;
		*contiguous = min(end, piece->size - (offset - piece->offset));
		return piece->start + (offset - piece->offset);
	case RM_BACKING_SYSTEM:
	case RM_BACKING_PINNED:
		address = os_pages_dma(&b->pages, offset);
		*aperture = RM_APERTURE_SYSTEM_COHERENT;
		*contiguous = min(end, page_run(b, offset, address));
		return address;
	default:
		*aperture = RM_APERTURE_VIDEO;
		*contiguous = 0;
		return ~(u64)0;
	}
}

const struct os_pages *rm_backing_pages(const struct rm_backing *b)
{
	return b->pages.impl ? &b->pages : NULL;
}

void *rm_backing_cpu(const struct rm_backing *b, u64 offset)
{
	OS_BUG_ON(offset >= b->size);
	return b->pages.impl ? (char *)b->pages.cpu + offset : NULL;
}

bool rm_backing_extent(const struct rm_backing *b, u64 offset, struct rm_map_extent *out)
{
	const struct piece *piece;
	u64 end = b->size - offset;

	OS_BUG_ON(offset >= b->size);
	out->pages = NULL;
	out->bar = 0;
	out->offset = offset;
	out->size = end;
	if (b->pages.impl) {
		out->kind = RM_MAP_PAGES;
		out->pages = &b->pages;
		return true;
	}
	out->kind = RM_MAP_BAR;
	if (b->kind == RM_BACKING_BUS)
		return false;
	if (b->kind == RM_BACKING_BAR) {
		out->bar = b->bar;
		out->offset = b->bar_offset + offset;
		return true;
	}
	piece = piece_at(b, offset);
	out->bar = RM_BAR_VIDEO;
	out->offset = piece->start + (offset - piece->offset);
	out->size = min(end, piece->size - (offset - piece->offset));
	return range_fits(out->offset, out->size, os_pci_bar_size(b->gpu->pci, RM_BAR_VIDEO));
}

/* -- The driver's own accesses ----------------------------------------------------------------- */

static u64 bar_address(const struct rm_backing *b, u64 offset, u32 *bar)
{
	struct rm_map_extent extent;

	(void)rm_backing_extent(b, offset, &extent);
	*bar = extent.bar;
	return extent.offset;
}

u32 rm_backing_read32(const struct rm_backing *b, u64 offset)
{
	const u32 *cpu = rm_backing_cpu(b, offset);
	u32 bar;
	u64 at;

	if (cpu)
		return os_load_acquire(cpu);
	at = bar_address(b, offset, &bar);
	return os_pci_rd32(b->gpu->pci, bar, at);
}

u64 rm_backing_read64(const struct rm_backing *b, u64 offset)
{
	const u64 *cpu = rm_backing_cpu(b, offset);
	u32 bar;
	u64 at;

	if (cpu)
		return os_load_acquire(cpu);
	at = bar_address(b, offset, &bar);
	return os_pci_rd64(b->gpu->pci, bar, at);
}

void rm_backing_write32(const struct rm_backing *b, u64 offset, u32 value)
{
	u32 *cpu = rm_backing_cpu(b, offset);
	u32 bar;
	u64 at;

	if (cpu) {
		os_store_release(cpu, value);
		return;
	}
	at = bar_address(b, offset, &bar);
	os_pci_wr32(b->gpu->pci, bar, at, value);
}

void rm_backing_write64(const struct rm_backing *b, u64 offset, u64 value)
{
	u64 *cpu = rm_backing_cpu(b, offset);
	u32 bar;
	u64 at;

	if (cpu) {
		os_store_release(cpu, value);
		return;
	}
	at = bar_address(b, offset, &bar);
	os_pci_wr64(b->gpu->pci, bar, at, value);
}
