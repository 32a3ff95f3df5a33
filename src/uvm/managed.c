// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed ranges. Their memory is system memory, made when first needed; CPU and GPUs use the same
 * pages, so nothing is ever out of date. A range is cut into blocks at multiples of 2 MiB:
 *
 *   range    |------- block -------|------- block -------|---|
 *   memory   [ pages of one allocation, for one or several blocks, shared after a split ]
 *
 * GPUs map it in pages of 4 KiB, so a split leaves their page tables as they are.
 */
#include "uvm/range.h"

#include "abi/gh100.h"

/* One allocation is no larger. */
#define MEMORY_MAX GIB(1)

struct block_memory {
	u32 blocks; /* that refer to it */
	u64 start, last;
	struct os_pages pages;
	struct os_pages views[UVM_GPUS]; /* as each GPU reaches them; size 0: not yet */
};

struct uvm_block {
	struct block_memory *memory;
	uvm_mask mapped; /* GPUs */
};

static u64 block_index(const struct uvm_range *range, u64 address)
{
	return address / UVM_BLOCK_SIZE - range->node.start / UVM_BLOCK_SIZE;
}

static u64 block_count(const struct uvm_range *range)
{
	return block_index(range, range->node.last) + 1;
}

/* The part of the block that is in the range. */
static u64 block_start(const struct uvm_range *range, u64 index)
{
	return index ? align_down(range->node.start, UVM_BLOCK_SIZE) + index * UVM_BLOCK_SIZE
		     : range->node.start;
}

static u64 block_last(const struct uvm_range *range, u64 index)
{
	u64 next = align_down(range->node.start, UVM_BLOCK_SIZE) + (index + 1) * UVM_BLOCK_SIZE;

	return index + 1 == block_count(range) ? range->node.last : next - 1;
}

enum nv_status uvm_managed_init(struct uvm_range *range)
{
	u64 count = block_count(range);

	if (count > (u64)1 << 27) /* beyond what os_alloc gives */
		return NV_ERR_NO_MEMORY;
	range->blocks = os_alloc(count * sizeof(range->blocks[0]));
	return range->blocks ? NV_OK : NV_ERR_NO_MEMORY;
}

/* -- Memory ------------------------------------------------------------------------------------ */

static void memory_put(struct block_memory *memory)
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

static void block_free(struct uvm_block *block)
{
	memory_put(block->memory);
	os_free(block);
}

/* Memory for the blocks first .. last, which have none. All or nothing. */
static enum nv_status blocks_create(struct uvm_range *range, u64 first, u64 last)
{
	struct block_memory *memory = os_alloc(sizeof(*memory));
	enum nv_status status = NV_ERR_NO_MEMORY;
	u64 i;

	if (!memory)
		return status;
	memory->start = block_start(range, first);
	memory->last = block_last(range, last);
	memory->blocks = 1; /* ours */
	status = os_pages_alloc(NULL, memory->last - memory->start + 1, OS_PAGES_SHARED,
				&memory->pages);
	if (status != NV_OK) {
		os_free(memory);
		return status;
	}
	for (i = first; i <= last; i++) {
		struct uvm_block *block = os_alloc(sizeof(*block));

		if (!block)
			break;
		block->memory = memory;
		memory->blocks++;
		range->blocks[i] = block;
	}
	if (i <= last) {
		status = NV_ERR_NO_MEMORY;
		while (i-- > first) {
			block_free(range->blocks[i]);
			range->blocks[i] = NULL;
		}
	}
	memory_put(memory);
	return status;
}

/* Memory for the block, and where that is cheap for its neighbours. */
static enum nv_status block_make(struct uvm_range *range, u64 index)
{
	u64 first = index, last = index, count = block_count(range);

	if (range->blocks[index])
		return NV_OK;
	if (range->space->uvm->populate_managed) {
		while (first && !range->blocks[first - 1] &&
		       last - first + 1 < MEMORY_MAX / UVM_BLOCK_SIZE)
			first--;
		while (last + 1 < count && !range->blocks[last + 1] &&
		       last - first + 1 < MEMORY_MAX / UVM_BLOCK_SIZE)
			last++;
	}
	return blocks_create(range, first, last);
}

/* -- GPUs -------------------------------------------------------------------------------------- */

struct block_ptes {
	const struct uvm_gpu *gpu;
	const struct os_pages *view;
	u64 offset;
};

static enum nv_status block_pte(void *ctx, u64 offset, u64 *pte)
{
	const struct block_ptes *ptes = ctx;
	struct uvm_pte p = {
		.aperture = RM_UVM_SYSTEM_COHERENT,
		.address = os_pages_dma(ptes->view, ptes->offset + offset),
		.protection = UVM_PROTECTION_ATOMIC,
		.kind = NV_MMU_PTE_KIND_GENERIC_MEMORY,
	};

	*pte = ptes->gpu->hal.mmu->pte(&p);
	return NV_OK;
}

static enum nv_status block_map(struct uvm_range *range, u64 index, struct uvm_gpu *gpu)
{
	struct uvm_block *block = range->blocks[index];
	struct block_memory *memory = block->memory;
	struct os_pages *view = &memory->views[gpu->info.instance];
	u64 start = block_start(range, index), last = block_last(range, index);
	struct block_ptes ptes = { gpu, view, start - memory->start };
	enum nv_status status;

	if (uvm_has(block->mapped, gpu->id))
		return NV_OK;
	if (!view->size) {
		status = os_pages_share(&memory->pages, rm_uvm_gpu_pci(gpu->rm), view);
		if (status != NV_OK)
			return status;
	}
	status = uvm_page_tree_map(&gpu->space->tree, start, last - start + 1, UVM_PAGE_4K,
				   block_pte, &ptes);
	if (status == NV_OK)
		block->mapped |= BIT32(gpu->id);
	return status;
}

static void block_unmap(struct uvm_range *range, u64 index, struct uvm_gpu *gpu)
{
	struct uvm_block *block = range->blocks[index];
	u64 start = block_start(range, index), last = block_last(range, index);

	if (!block || !uvm_has(block->mapped, gpu->id))
		return;
	uvm_page_tree_unmap(&gpu->space->tree, start, last - start + 1, UVM_PAGE_4K);
	block->mapped &= ~BIT32(gpu->id);
}

/* Whether the GPU's page tables may name the range's memory. */
static bool reachable(const struct uvm_range *range, const struct uvm_gpu *gpu)
{
	return gpu->space && uvm_has(range->space->can_access[gpu->id], UVM_CPU) &&
	       uvm_gpu_can_address(gpu, range->node.start, uvm_range_size(range));
}

enum nv_status uvm_managed_map_gpu(struct uvm_range *range, struct uvm_gpu *gpu, u64 start,
				   u64 last)
{
	enum nv_status status = NV_OK;
	u64 i;

	for (i = block_index(range, start); i <= block_index(range, last) && status == NV_OK; i++) {
		status = block_make(range, i);
		if (status == NV_OK && reachable(range, gpu))
			status = block_map(range, i, gpu);
	}
	return status;
}

enum nv_status uvm_managed_make(struct uvm_range *range, u64 start, u64 last)
{
	enum nv_status status = NV_OK;
	u64 i;

	for (i = block_index(range, start); i <= block_index(range, last) && status == NV_OK; i++)
		status = block_make(range, i);
	return status;
}

enum nv_status uvm_managed_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	enum nv_status status = NV_OK;
	u64 i;

	if (!reachable(range, gpu))
		return NV_OK;
	for (i = 0; i < block_count(range) && status == NV_OK; i++) {
		if (range->blocks[i])
			status = block_map(range, i, gpu);
	}
	return status;
}

void uvm_managed_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	u64 i;

	for (i = 0; i < block_count(range); i++)
		block_unmap(range, i, gpu);
}

void uvm_managed_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu)
{
	u64 i;

	range->policy.accessed_by &= ~BIT32(gpu->id);
	if (range->policy.preferred == gpu->id)
		range->policy.preferred = UVM_NOBODY;
	for (i = 0; i < block_count(range); i++) {
		struct os_pages *view;

		if (!range->blocks[i])
			continue;
		view = &range->blocks[i]->memory->views[gpu->info.instance];
		if (view->size)
			os_pages_free(view);
	}
}

/* -- The range --------------------------------------------------------------------------------- */

enum nv_status uvm_managed_populate(struct uvm_range *range, u64 address, struct uvm_extent *extent)
{
	u64 index = block_index(range, address);
	bool fresh = !range->blocks[index];
	enum nv_status status = block_make(range, index);
	struct block_memory *memory;
	struct uvm_gpu *gpu;
	u32 slot;

	if (status != NV_OK)
		return status;
	memory = range->blocks[index]->memory;
	extent->address = max(memory->start, range->node.start);
	extent->size = min(memory->last, range->node.last) - extent->address + 1;
	extent->pages = &memory->pages;
	extent->offset = extent->address - memory->start;
	extent->writable = true;
	if (!fresh)
		return NV_OK;
	uvm_for_each_gpu(gpu, slot, range->space)
	{
		/* The CPU has its memory in any case; a prefetch maps it where this could not. */
		if (reachable(range, gpu))
			(void)uvm_managed_map_gpu(range, gpu, extent->address,
						  extent->address + extent->size - 1);
	}
	return NV_OK;
}

void uvm_managed_destroy(struct uvm_range *range)
{
	struct uvm_gpu *gpu;
	u32 slot;
	u64 i;

	if (!range->blocks)
		return;
	uvm_for_each_gpu(gpu, slot, range->space)
	{
		if (gpu->space)
			uvm_managed_remove_gpu_space(range, gpu);
	}
	for (i = 0; i < block_count(range); i++) {
		if (range->blocks[i])
			block_free(range->blocks[i]);
	}
	os_free(range->blocks);
	range->blocks = NULL;
	uvm_groups_forget(range->space, range->node.start, range->node.last);
}

enum nv_status uvm_managed_split(struct uvm_range *range, u64 last, struct uvm_range **out)
{
	struct uvm_space *space = range->space;
	u64 end = range->node.last, index = block_index(range, last + 1), i, count;
	bool shared = block_index(range, last) == index;
	struct uvm_block *half = NULL;
	struct uvm_range *upper;
	enum nv_status status;

	/* A block that is cut in two is of both, with the same memory. */
	if (shared && range->blocks[index]) {
		half = os_alloc(sizeof(*half));
		if (!half)
			return NV_ERR_NO_MEMORY;
	}
	count = block_count(range);
	range->node.last = last;
	status = uvm_range_create(space, last + 1, end - last, UVM_RANGE_MANAGED, &upper);
	if (status == NV_OK) {
		status = uvm_managed_init(upper);
		if (status != NV_OK)
			uvm_range_destroy(upper);
	}
	if (status != NV_OK) {
		range->node.last = end;
		os_free(half);
		return status;
	}
	upper->policy = range->policy;
	upper->cpu_mapped = range->cpu_mapped;
	for (i = index; i < count; i++) {
		upper->blocks[i - index] = range->blocks[i];
		range->blocks[i] = NULL;
	}
	if (half) {
		*half = *upper->blocks[0];
		half->memory->blocks++;
		range->blocks[index] = half;
	}
	*out = upper;
	return NV_OK;
}
