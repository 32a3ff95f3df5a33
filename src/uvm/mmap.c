// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The CPU's mappings of a file: made, touched, gone (uvm/uvm.h). */
#include "uvm/block.h"
#include "uvm/event.h"
#include "uvm/evict.h"

static enum nv_status managed_create(struct uvm_space *space, u64 address, u64 size)
{
	struct uvm_range *range;
	enum nv_status status;
	struct uvm_gpu *gpu;
	u32 slot;

	status = uvm_range_create(space, address, size, UVM_RANGE_MANAGED, &range);
	if (status != NV_OK)
		return status;
	status = uvm_managed_init(range);
	if (status == NV_OK && space->uvm->populate_managed)
		status = uvm_managed_make(range, range->node.start, range->node.last);
	uvm_for_each_gpu(gpu, slot, space)
	{
		if (status == NV_OK && gpu->space)
			status = uvm_managed_add_gpu_space(range, gpu);
	}
	if (status != NV_OK) {
		uvm_range_destroy(range);
		return status;
	}
	range->cpu_mapped = true;
	range->begins_mapping = true;
	return NV_OK;
}

static enum uvm_result managed_mmap(struct uvm_space *space, u64 address, u64 size)
{
	enum nv_status status;

	do
		status = managed_create(space, address, size);
	while (uvm_evict_retry(space, &status));
	if (status == NV_OK)
		return UVM_RESULT_OK;
	return status == NV_ERR_UVM_ADDRESS_IN_USE ? UVM_RESULT_EINVAL : UVM_RESULT_ENOMEM;
}

static bool is_pool_at(const struct uvm_range *range, u64 address, u64 size)
{
	return range && range->kind == UVM_RANGE_POOL && range->node.start == address &&
	       uvm_range_size(range) == size;
}

enum uvm_result uvm_file_mmap(struct uvm_file *file, u64 address, u64 size, u64 offset, u32 flags,
			      enum uvm_mmap_kind *kind)
{
	const u32 wanted = UVM_MMAP_READ | UVM_MMAP_WRITE | UVM_MMAP_SHARED;
	struct uvm_space *space = file->space;
	enum uvm_result result = UVM_RESULT_OK;
	struct uvm_range *range;

	if (file->node != UVM_NODE_UVM)
		return UVM_RESULT_ENODEV;
	if (os_load_acquire(&file->state) != UVM_FILE_SPACE)
		return UVM_RESULT_EBADFD;
	if (space->mm && space->mm != file->uvm->host->current_mm())
		return UVM_RESULT_EOPNOTSUPP;
	/* An address of the file is one of the process, so that there is but one mapping of it. */
	if (offset != address || (flags & wanted) != wanted ||
	    uvm_bad_range(address, size, OS_PAGE_SIZE))
		return UVM_RESULT_EINVAL;
	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, address);
	if (is_pool_at(range, address, size)) {
		*kind = UVM_MMAP_SEMAPHORE_POOL;
		if (range->cpu_mapped)
			result = UVM_RESULT_EINVAL;
		else
			uvm_pool_mmap(range);
	} else {
		*kind = UVM_MMAP_MANAGED;
		result = managed_mmap(space, address, size);
	}
	os_mutex_unlock(&space->lock);
	return result;
}

/*
 * Cuts what is managed and mapped to start .. last alone, and frees that. Where there is no memory
 * to cut with, all of the range goes: the rest of the mapping then gives bus errors.
 */
static void managed_munmap(struct uvm_range *range, u64 start, u64 last)
{
	struct uvm_range *upper;

	if (range->node.start < start) {
		if (uvm_managed_split(range, start - 1, &upper) != NV_OK)
			goto lose;
		range = upper;
	}
	if (range->node.last > last && uvm_managed_split(range, last, &upper) != NV_OK)
		goto lose;
	uvm_range_destroy(range);
	return;
lose:
	/* A host that takes away in two steps leaves its processes what it cannot copy first. */
	if (range->space->uvm->host->unmap &&
	    range->space->uvm->host->unmap(range->space->file->host_ctx, range->node.start,
					   uvm_range_size(range)))
		uvm_range_destroy(range);
	/* else: its memory stays with it until the file is closed. */
}

void uvm_file_munmap(struct uvm_file *file, u64 address, u64 size)
{
	struct uvm_space *space = file->space;
	struct uvm_range *range, *next;
	bool exits;
	u64 last;

	/* As munmap takes it: whole pages, from an address of one. */
	if (os_load_acquire(&file->state) != UVM_FILE_SPACE || !size ||
	    !is_aligned(address, OS_PAGE_SIZE) || !align_up_ok(size, OS_PAGE_SIZE))
		return;
	last = address + align_up(size, OS_PAGE_SIZE) - 1;
	if (last < address)
		return;
	/* Of a process that ends, others may still use the memory if the file is for several. */
	exits = !file->uvm->host->current_mm() &&
		(space->flags & UVM_INIT_FLAGS_MULTI_PROCESS_SHARING_MODE);
	os_mutex_lock(&space->lock);
	for (range = uvm_range_first_in(space, address, last); range; range = next) {
		next = uvm_range_next(range);
		if (range->node.start > last)
			break;
		if (range->kind == UVM_RANGE_POOL)
			uvm_pool_munmap(range, address, last);
		else if (range->kind == UVM_RANGE_MANAGED && exits)
			range->cpu_mapped = false;
		else if (range->kind == UVM_RANGE_MANAGED && range->cpu_mapped)
			managed_munmap(range, address, last);
	}
	/* What is behind the hole is a mapping of its own, also once the hole is filled again. */
	range = last + 1 ? uvm_range_find(space, last + 1) : NULL;
	if (range && range->node.start == last + 1)
		range->begins_mapping = true;
	os_mutex_unlock(&space->lock);
}

static enum uvm_result managed_fault(struct uvm_range *range, u64 address, struct uvm_extent *out)
{
	switch (uvm_managed_populate(range, address, out)) {
	case NV_OK:
		return UVM_RESULT_OK;
	case NV_ERR_NO_MEMORY:
		return UVM_RESULT_ENOMEM;
	default:
		return UVM_RESULT_EIO;
	}
}

/*
 * The CPU has its memory; GPUs have it mapped where there is room for their tables, if need be by
 * eviction.
 */
static void map_on_gpus(struct uvm_space *space, u64 address)
{
	enum nv_status status = NV_ERR_NO_MEMORY;

	while (uvm_evict_retry(space, &status)) {
		struct uvm_range *range = uvm_range_find(space, address);

		status = NV_OK;
		if (range && range->kind == UVM_RANGE_MANAGED)
			status = uvm_managed_map_around(range, address);
	}
}

/*
 * The same, and tools are told, where it is a touch: hosts that do not unmap ask for memory
 * beforehand, and once more only for what a GPU has.
 */
static enum uvm_result touch(struct uvm_range *range, u64 address, bool write,
			     struct uvm_extent *out)
{
	const struct uvm_block *block = range->blocks[uvm_block_index(range, address)];
	bool away = block && uvm_block_is_away(block, address);
	enum uvm_result result = managed_fault(range, address, out);

	if (result == UVM_RESULT_OK && (away || range->space->uvm->host->unmap))
		uvm_event_cpu_fault(range, address, write);
	return result;
}

enum uvm_result uvm_file_fault(struct uvm_file *file, u64 address, bool write,
			       struct uvm_extent *out,
			       enum uvm_result (*map)(void *ctx, const struct uvm_extent *extent),
			       void *ctx)
{
	struct uvm_space *space = file->space;
	enum uvm_result result = UVM_RESULT_OK;
	struct uvm_range *range;

	if (os_load_acquire(&file->state) != UVM_FILE_SPACE)
		return UVM_RESULT_EFAULT;
	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, address);
	if (!range)
		result = UVM_RESULT_EFAULT;
	else if (range->kind == UVM_RANGE_POOL)
		result = uvm_pool_fault(range, address, out) ? UVM_RESULT_OK : UVM_RESULT_EFAULT;
	else if (range->kind != UVM_RANGE_MANAGED || !range->cpu_mapped)
		result = UVM_RESULT_EFAULT;
	else
		result = touch(range, address, write, out);
	if (result == UVM_RESULT_OK && map)
		result = map(ctx, out);
	if (uvm_space_lacks(space))
		map_on_gpus(space, address);
	os_mutex_unlock(&space->lock);
	return result;
}

void uvm_file_bring_back(struct uvm_file *file, u64 address, u64 size)
{
	struct uvm_space *space = file->space;
	struct uvm_range *range;
	u64 last = address + size - 1;

	if (os_load_acquire(&file->state) != UVM_FILE_SPACE || !size || last < address)
		return;
	os_mutex_lock(&space->lock);
	for (range = uvm_range_first_in(space, address, last); range && range->node.start <= last;
	     range = uvm_range_next(range)) {
		if (range->kind == UVM_RANGE_MANAGED)
			(void)uvm_managed_to_cpu(range, max(address, range->node.start),
						 min(last, range->node.last));
	}
	os_mutex_unlock(&space->lock);
}
