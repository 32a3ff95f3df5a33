// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Blocks: where their pages are, on which GPUs, and how they get there (uvm/block.h). */
#include "uvm/block.h"
#include "uvm/event.h"

#include "abi/gh100.h"
#include "base/bitmap.h"

u64 uvm_block_index(const struct uvm_range *range, u64 address)
{
	return address / UVM_BLOCK_SIZE - range->node.start / UVM_BLOCK_SIZE;
}

u64 uvm_block_count(const struct uvm_range *range)
{
	return uvm_block_index(range, range->node.last) + 1;
}

u64 uvm_block_start(const struct uvm_range *range, u64 index)
{
	return index ? align_down(range->node.start, UVM_BLOCK_SIZE) + index * UVM_BLOCK_SIZE
		     : range->node.start;
}

u64 uvm_block_last(const struct uvm_range *range, u64 index)
{
	u64 next = align_down(range->node.start, UVM_BLOCK_SIZE) + (index + 1) * UVM_BLOCK_SIZE;

	return index + 1 == uvm_block_count(range) ? range->node.last : next - 1;
}

bool uvm_block_is_away(const struct uvm_block *block, u64 address)
{
	return block->where && bitmap_test(block->where->resident, uvm_block_page(address));
}

bool uvm_block_is_lost(const struct uvm_block *block, u64 address)
{
	return block->where && bitmap_test(block->where->lost, uvm_block_page(address));
}

/* -- Memory ------------------------------------------------------------------------------------ */

void uvm_block_memory_put(struct uvm_block_memory *memory)
{
	u32 i;

	if (--memory->blocks)
		return;
	for (i = 0; i < UVM_GPUS; i++) {
		if (memory->views[i].size)
			os_pages_free(&memory->views[i]);
	}
	os_pages_free(&memory->pages);
	os_free(memory);
}

enum nv_status uvm_block_view(struct uvm_block *block, struct uvm_gpu *gpu, struct os_pages **out)
{
	struct os_pages *view = &block->memory->views[gpu->info.instance];

	*out = view;
	return view->size ? NV_OK
			  : os_pages_share(&block->memory->pages, rm_uvm_gpu_pci(gpu->rm), view);
}

void uvm_block_free(struct uvm_block *block)
{
	uvm_block_depopulate(block);
	os_free(block->where);
	uvm_block_memory_put(block->memory);
	os_free(block);
}

/* -- Page tables ------------------------------------------------------------------------------- */

struct block_ptes {
	const struct uvm_gpu *gpu;
	const struct uvm_block *block;
	const struct os_pages *view;
	u64 start; /* address of the first page */
};

static enum nv_status block_pte(void *ctx, u64 offset, u64 *pte)
{
	const struct block_ptes *ptes = ctx;
	const struct uvm_block *block = ptes->block;
	u64 at = ptes->start + offset, run;
	struct uvm_pte p = {
		.aperture = RM_UVM_SYSTEM_COHERENT,
		.protection = UVM_PROTECTION_ATOMIC,
		.kind = NV_MMU_PTE_KIND_GENERIC_MEMORY,
	};

	/* Nobody can have it any more: a GPU that touches it faults, as the CPU does. */
	if (uvm_block_is_lost(block, at)) {
		*pte = 0;
		return NV_OK;
	}
	if (uvm_block_is_away(block, at)) {
		p.aperture = RM_UVM_VIDEO;
		p.cached = true;
		p.address = uvm_block_video(block, at, &run);
	} else if (ptes->gpu->info.confidential) {
		/* The CPU's alone. */
		*pte = 0;
		return NV_OK;
	} else {
		p.address = os_pages_dma(ptes->view, at - block->memory->start);
	}
	*pte = ptes->gpu->hal.mmu->pte(&p);
	return NV_OK;
}

enum nv_status uvm_block_map(struct uvm_range *range, u64 index, struct uvm_gpu *gpu)
{
	struct uvm_block *block = range->blocks[index];
	u64 start = uvm_block_start(range, index), last = uvm_block_last(range, index);
	struct block_ptes ptes = { .gpu = gpu, .block = block, .start = start };
	enum nv_status status = NV_OK;
	struct os_pages *view = NULL;

	if (uvm_has(block->mapped, gpu->id))
		return NV_OK;
	if (!gpu->info.confidential)
		status = uvm_block_view(block, gpu, &view);
	if (status != NV_OK)
		return status;
	ptes.view = view;
	status = uvm_page_tree_map(&gpu->space->tree, start, last - start + 1, UVM_PAGE_4K,
				   block_pte, &ptes);
	if (status == NV_OK)
		block->mapped |= BIT32(gpu->id);
	return status;
}

void uvm_block_unmap(struct uvm_range *range, u64 index, struct uvm_gpu *gpu)
{
	struct uvm_block *block = range->blocks[index];
	u64 start = uvm_block_start(range, index), last = uvm_block_last(range, index);

	if (!block || !uvm_has(block->mapped, gpu->id))
		return;
	uvm_page_tree_unmap(&gpu->space->tree, start, last - start + 1, UVM_PAGE_4K);
	block->mapped &= ~BIT32(gpu->id);
}

/* The entries of pages that moved, over those that were, if the block is mapped. */
static enum nv_status block_remap(struct uvm_range *range, u64 index, struct uvm_gpu *gpu,
				  u64 start, u64 last)
{
	struct uvm_block *block = range->blocks[index];
	struct block_ptes ptes = { .gpu = gpu, .block = block, .start = start };

	if (!uvm_has(block->mapped, gpu->id))
		return NV_OK;
	ptes.view = &block->memory->views[gpu->info.instance];
	return uvm_page_tree_replace(&gpu->space->tree, start, last - start + 1, UVM_PAGE_4K,
				     block_pte, &ptes);
}

/* -- Moves ------------------------------------------------------------------------------------- */

static bool others_reach(const struct uvm_space *space, const struct uvm_gpu *gpu)
{
	const struct uvm_gpu *other;
	u32 slot;

	uvm_for_each_gpu(other, slot, space)
	{
		if (other != gpu && other->space)
			return true;
	}
	return false;
}

/* The bits of start .. last whose pages are (are not) in video memory; whether there are any. */
static bool select_pages(const struct uvm_block *block, u64 start, u64 last, bool away, u64 *mask)
{
	bool any = false;
	u64 at;

	os_memset(mask, 0, UVM_BLOCK_PAGES / 8);
	for (at = start; at <= last; at += OS_PAGE_SIZE) {
		if (uvm_block_is_away(block, at) == away && !uvm_block_is_lost(block, at)) {
			bitmap_set(mask, uvm_block_page(at));
			any = true;
		}
	}
	return any;
}

static void set_resident(struct uvm_block *block, const u64 *mask, bool away)
{
	u32 i;

	for (i = 0; i < UVM_BLOCK_PAGES / 64; i++) {
		if (away)
			block->where->resident[i] |= mask[i];
		else
			block->where->resident[i] &= ~mask[i];
	}
}

/*
 * The pages of the mask, which have been copied, are from now on where they were copied to, and the
 * GPU, whose channels stand still, reaches them there. Where it does not confirm that it forgot the
 * entries that were, its channels may go on by these: then the pages are where they were, whose
 * contents are as good, and so are the entries. A lost GPU's channels do not go on.
 */
static enum nv_status settle(struct uvm_range *range, u64 index, struct uvm_gpu *gpu, u64 start,
			     u64 last, const u64 *mask, bool away)
{
	struct uvm_block *block = range->blocks[index];
	enum nv_status status;

	set_resident(block, mask, away);
	status = block_remap(range, index, gpu, start, last);
	if (status == NV_OK || (status == NV_ERR_GPU_IS_LOST && !away))
		return NV_OK;
	set_resident(block, mask, !away);
	(void)block_remap(range, index, gpu, start, last);
	return status;
}

/* When a move began, for tools. */
struct move_time {
	u64 cpu, gpu;
};

static struct move_time move_begin(const struct uvm_gpu *gpu)
{
	struct move_time time = { .cpu = os_time_ns() };

	(void)uvm_gpu_time(gpu, &time.gpu);
	return time;
}

static bool cpu_can_lose(const struct uvm_range *range, u64 start, u64 last)
{
	const struct uvm_host_ops *host = range->space->uvm->host;

	return host->unmap || (host->protect && host->movable(range->space->file->host_ctx, start,
							      last - start + 1));
}

/* From here on the page that somebody stores to waits for the space's lock. */
static bool cpu_hold(struct uvm_range *range, u64 start, u64 last)
{
	const struct uvm_host_ops *host = range->space->uvm->host;
	void *ctx = range->space->file->host_ctx;

	return host->unmap ? host->unmap(ctx, start, last - start + 1)
			   : host->protect(ctx, start, last - start + 1);
}

/* What was held is all in video memory. */
static void cpu_lose(struct uvm_range *range, const struct uvm_block *block, u64 start, u64 last)
{
	const struct uvm_host_ops *host = range->space->uvm->host;
	const struct uvm_extent extent = { .address = start,
					   .size = last - start + 1,
					   .pages = &block->memory->pages,
					   .offset = start - block->memory->start,
					   .writable = true };

	if (!host->unmap)
		host->discard(range->space->file->host_ctx, &extent);
}

enum nv_status uvm_block_to_gpu(struct uvm_range *range, u64 index, struct uvm_gpu *gpu, u64 start,
				u64 last)
{
	u64 mask[UVM_BLOCK_PAGES / 64];
	struct uvm_block *block = range->blocks[index];
	enum nv_status status = uvm_block_map(range, index, gpu);

	if (status != NV_OK || !cpu_can_lose(range, start, last) || others_reach(range->space, gpu))
		return status;
	uvm_block_used(block, start, last, true);
	if (!select_pages(block, start, last, false, mask))
		return NV_OK;
	/* Channels first: without them nothing moves, and the status is theirs. */
	status = uvm_device_start(gpu->device);
	if (status == NV_OK)
		status = uvm_block_populate(block, gpu, uvm_block_start(range, index),
					    uvm_block_last(range, index), start, last);
	if (status != NV_OK)
		return status;
	status = rm_uvm_vaspace_pause(gpu->space->rm);
	if (status == NV_OK) {
		if (cpu_hold(range, start, last)) {
			struct move_time began = move_begin(gpu);

			status = uvm_block_copy(block, gpu, mask, true);
			if (status == NV_OK)
				status = settle(range, index, gpu, start, last, mask, true);
			if (status == NV_OK)
				cpu_lose(range, block, start, last);
			if (status == NV_OK)
				uvm_event_migrated(range->space, gpu, true,
						   align_down(start, UVM_BLOCK_SIZE), mask,
						   began.cpu, began.gpu);
		}
		rm_uvm_vaspace_go_on(gpu->space->rm);
	}
	uvm_block_used(block, start, last, true);
	return status;
}

enum nv_status uvm_block_to_system(struct uvm_range *range, u64 index, u64 start, u64 last)
{
	struct uvm_block *block = range->blocks[index];
	u64 mask[UVM_BLOCK_PAGES / 64];
	struct move_time began;
	enum nv_status status;
	struct uvm_gpu *gpu;

	if (!block || !block->where || !block->where->gpu ||
	    !select_pages(block, start, last, true, mask))
		return NV_OK;
	gpu = block->where->gpu;
	status = rm_uvm_vaspace_pause(gpu->space->rm);
	if (status != NV_OK)
		return status;
	began = move_begin(gpu);
	status = uvm_block_copy(block, gpu, mask, false);
	if (status == NV_OK)
		status = settle(range, index, gpu, start, last, mask, false);
	if (status == NV_OK)
		uvm_event_migrated(range->space, gpu, false, align_down(start, UVM_BLOCK_SIZE),
				   mask, began.cpu, began.gpu);
	rm_uvm_vaspace_go_on(gpu->space->rm);
	uvm_block_used(block, start, last, false);
	return status;
}

void uvm_block_forget(struct uvm_range *range, u64 index)
{
	struct uvm_block *block = range->blocks[index];
	u32 i;

	if (!block || !block->where)
		return;
	for (i = 0; i < UVM_BLOCK_PAGES / 64; i++) {
		block->where->lost[i] |= block->where->resident[i];
		block->where->resident[i] = 0;
	}
	uvm_block_depopulate(block);
}
