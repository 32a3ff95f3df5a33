// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed ranges. A range is cut into blocks at multiples of 2 MiB; what a block is, and how its
 * pages move between system memory and a GPU, is in uvm/block.h. System memory is made when a block
 * is first needed, where that costs nothing for many at once:
 *
 *   range    |------- block -------|------- block -------|---|
 *   memory   [ pages of one allocation, for one or several blocks, shared after a split ]
 *
 * GPUs map it in pages of 4 KiB, so a split leaves their page tables as they are.
 */
#include "uvm/block.h"

/* One allocation is no larger. */
#define MEMORY_MAX GIB(1)
/* What comes back with a page that the CPU touches, at a multiple of it. */
#define FAULT_SIZE KIB(64)

enum nv_status uvm_managed_init(struct uvm_range *range)
{
	u64 count = uvm_block_count(range);

	if (count > (u64)1 << 27) /* beyond what os_alloc gives */
		return NV_ERR_NO_MEMORY;
	range->blocks = os_alloc(count * sizeof(range->blocks[0]));
	return range->blocks ? NV_OK : NV_ERR_NO_MEMORY;
}

/* -- Memory ------------------------------------------------------------------------------------ */

/* Memory for the blocks first .. last, which have none. All or nothing. */
static enum nv_status blocks_create(struct uvm_range *range, u64 first, u64 last)
{
	struct uvm_block_memory *memory = os_alloc(sizeof(*memory));
	enum os_pages_kind kind =
		rm_uvm_is_confidential(range->space->uvm->rm) ? OS_PAGES_PRIVATE : OS_PAGES_SHARED;
	enum nv_status status = NV_ERR_NO_MEMORY;
	u64 i;

	if (!memory)
		return status;
	memory->start = uvm_block_start(range, first);
	memory->last = uvm_block_last(range, last);
	memory->blocks = 1; /* ours */
	status = os_pages_alloc(NULL, memory->last - memory->start + 1, kind, &memory->pages);
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
			uvm_block_free(range->blocks[i]);
			range->blocks[i] = NULL;
		}
	}
	uvm_block_memory_put(memory);
	return status;
}

/* Memory for the block, and where that is cheap for its neighbours. */
static enum nv_status block_make(struct uvm_range *range, u64 index)
{
	u64 first = index, last = index, count = uvm_block_count(range);

	if (range->blocks[index])
		return NV_OK;
	if (range->space->fail_block && !--range->space->fail_block)
		return NV_ERR_NO_MEMORY;
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

/*
 * Whether the GPU's page tables may name the range's memory: in confidential mode what of it is in
 * video memory.
 */
static bool reachable(const struct uvm_range *range, const struct uvm_gpu *gpu)
{
	return gpu->space &&
	       (gpu->info.confidential || uvm_has(range->space->can_access[gpu->id], UVM_CPU)) &&
	       uvm_gpu_can_address(gpu, range->node.start, uvm_range_size(range));
}

enum nv_status uvm_managed_map_gpu(struct uvm_range *range, struct uvm_gpu *gpu, u64 start,
				   u64 last)
{
	u64 first = uvm_block_index(range, start), end = uvm_block_index(range, last), i;
	enum nv_status status = NV_OK;

	for (i = first; i <= end && status == NV_OK; i++) {
		status = block_make(range, i);
		if (status == NV_OK && reachable(range, gpu))
			status = uvm_block_map(range, i, gpu);
	}
	return status;
}

enum nv_status uvm_managed_to_gpu(struct uvm_range *range, struct uvm_gpu *gpu, u64 *start,
				  u64 last)
{
	enum nv_status status = NV_OK;

	while (*start <= last && status == NV_OK) {
		u64 i = uvm_block_index(range, *start), to = min(last, uvm_block_last(range, i));

		status = block_make(range, i);
		if (status == NV_OK && reachable(range, gpu))
			status = uvm_block_to_gpu(range, i, gpu, *start, to);
		if (status == NV_OK)
			*start = to + 1;
	}
	return status;
}

enum nv_status uvm_managed_to_cpu(struct uvm_range *range, u64 start, u64 last)
{
	u64 first = uvm_block_index(range, start), end = uvm_block_index(range, last), i;
	enum nv_status status = NV_OK;

	for (i = first; i <= end && status == NV_OK; i++)
		status = uvm_block_to_system(range, i, max(start, uvm_block_start(range, i)),
					     min(last, uvm_block_last(range, i)));
	return status;
}

enum nv_status uvm_managed_make(struct uvm_range *range, u64 start, u64 last)
{
	u64 first = uvm_block_index(range, start), end = uvm_block_index(range, last), i;
	enum nv_status status = NV_OK;

	for (i = first; i <= end && status == NV_OK; i++)
		status = block_make(range, i);
	return status;
}

enum nv_status uvm_managed_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	enum nv_status status;
	u64 i;

	/* What two GPUs may touch is the system's: uvm/block.h. */
	status = uvm_managed_to_cpu(range, range->node.start, range->node.last);
	if (!reachable(range, gpu))
		return status;
	for (i = 0; i < uvm_block_count(range) && status == NV_OK; i++) {
		if (range->blocks[i])
			status = uvm_block_map(range, i, gpu);
	}
	return status;
}

void uvm_managed_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	bool wanted = !range->space->ending;
	u64 i;

	for (i = 0; i < uvm_block_count(range); i++) {
		struct uvm_block *block = range->blocks[i];

		if (!block)
			continue;
		/* First, so that what comes back is not for a GPU to be told of. */
		uvm_block_unmap(range, i, gpu);
		if (wanted)
			(void)uvm_block_to_system(range, i, uvm_block_start(range, i),
						  uvm_block_last(range, i));
		if (block->where && block->where->gpu == gpu)
			uvm_block_forget(range, i);
	}
}

void uvm_managed_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu)
{
	u64 i;

	range->policy.accessed_by &= ~BIT32(gpu->id);
	if (range->policy.preferred == gpu->id)
		range->policy.preferred = UVM_NOBODY;
	for (i = 0; i < uvm_block_count(range); i++) {
		struct os_pages *view;

		if (!range->blocks[i])
			continue;
		view = &range->blocks[i]->memory->views[gpu->info.instance];
		if (view->size)
			os_pages_free(view);
	}
}

/* -- The range --------------------------------------------------------------------------------- */

/* What of the memory around address the CPU may have now: up to the next page that is away. */
static void extent_around(const struct uvm_range *range, u64 address, struct uvm_extent *extent)
{
	u64 index = uvm_block_index(range, address);
	const struct uvm_block *block = range->blocks[index];
	const struct uvm_block_memory *memory = block->memory;
	u64 first = max(memory->start, range->node.start);
	u64 last = min(memory->last, range->node.last);

	if (uvm_moves(range->space->uvm)) {
		u64 start = max(first, uvm_block_start(range, index));
		u64 end = min(last, uvm_block_last(range, index));

		first = last = align_down(address, OS_PAGE_SIZE);
		while (first > start && !uvm_block_is_away(block, first - 1) &&
		       !uvm_block_is_lost(block, first - 1))
			first -= OS_PAGE_SIZE;
		last += OS_PAGE_SIZE - 1;
		while (last < end && !uvm_block_is_away(block, last + 1) &&
		       !uvm_block_is_lost(block, last + 1))
			last += OS_PAGE_SIZE;
	}
	extent->address = first;
	extent->size = last - first + 1;
	extent->pages = &memory->pages;
	extent->offset = first - memory->start;
	extent->writable = true;
}

enum nv_status uvm_managed_map_around(struct uvm_range *range, u64 address)
{
	const struct uvm_block *block = range->blocks[uvm_block_index(range, address)];
	enum nv_status status = NV_OK;
	struct uvm_gpu *gpu;
	u32 slot;

	if (!block)
		return NV_OK;
	uvm_for_each_gpu(gpu, slot, range->space)
	{
		if (status == NV_OK && reachable(range, gpu))
			status = uvm_managed_map_gpu(range, gpu,
						     max(block->memory->start, range->node.start),
						     min(block->memory->last, range->node.last));
	}
	return status;
}

enum nv_status uvm_managed_populate(struct uvm_range *range, u64 address, struct uvm_extent *extent)
{
	u64 index = uvm_block_index(range, address);
	bool fresh = !range->blocks[index];
	enum nv_status status = block_make(range, index);

	if (status != NV_OK)
		return status;
	if (uvm_block_is_lost(range->blocks[index], address))
		return NV_ERR_GPU_IS_LOST;
	if (uvm_block_is_away(range->blocks[index], address)) {
		u64 start = align_down(address, FAULT_SIZE);

		status = uvm_block_to_system(range, index, max(start, range->node.start),
					     min(start + FAULT_SIZE - 1, range->node.last));
		if (status != NV_OK)
			return status;
	}
	extent_around(range, address, extent);
	/* The CPU has its memory in any case; a prefetch maps it where this could not. */
	if (fresh)
		(void)uvm_managed_map_around(range, address);
	return NV_OK;
}

void uvm_managed_destroy(struct uvm_range *range)
{
	struct uvm_gpu *gpu;
	u32 slot;
	u64 i;

	if (!range->blocks)
		return;
	for (i = 0; i < uvm_block_count(range); i++) {
		if (!range->blocks[i])
			continue;
		uvm_for_each_gpu(gpu, slot, range->space)
		{
			if (gpu->space)
				uvm_block_unmap(range, i, gpu);
		}
		uvm_block_free(range->blocks[i]);
	}
	os_free(range->blocks);
	range->blocks = NULL;
	uvm_groups_forget(range->space, range->node.start, range->node.last);
}

enum nv_status uvm_managed_split(struct uvm_range *range, u64 last, struct uvm_range **out)
{
	struct uvm_space *space = range->space;
	u64 end = range->node.last, index = uvm_block_index(range, last + 1), i, count;
	bool shared = uvm_block_index(range, last) == index;
	struct uvm_block_cut cut = { 0 };
	struct uvm_range *upper;
	enum nv_status status;

	if (range->fail_split) {
		range->fail_split = false;
		return NV_ERR_NO_MEMORY;
	}
	/* A block that is cut in two is of both, with the same memory. */
	if (shared && range->blocks[index]) {
		status = uvm_block_cut_prepare(range->blocks[index], last + 1, &cut);
		if (status != NV_OK)
			return status;
	}
	count = uvm_block_count(range);
	range->node.last = last;
	status = uvm_range_create(space, last + 1, end - last, UVM_RANGE_MANAGED, &upper);
	if (status == NV_OK) {
		status = uvm_managed_init(upper);
		if (status != NV_OK)
			uvm_range_destroy(upper);
	}
	if (status != NV_OK) {
		range->node.last = end;
		uvm_block_cut_drop(&cut);
		return status;
	}
	upper->policy = range->policy;
	upper->cpu_mapped = range->cpu_mapped;
	for (i = index; i < count; i++) {
		upper->blocks[i - index] = range->blocks[i];
		range->blocks[i] = NULL;
	}
	if (cut.lower) {
		uvm_block_cut(upper->blocks[0], last + 1, &cut);
		range->blocks[index] = cut.lower;
	}
	*out = upper;
	return NV_OK;
}
