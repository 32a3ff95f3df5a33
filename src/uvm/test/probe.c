// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What is where: ranges, blocks, pages, groups, references; and splits and errors that a client
 * asks for.
 */
#include "uvm/block.h"
#include "uvm/event.h"
#include "uvm/test/test.h"

#include "base/bits.h"

/* Subcontexts of a channel group on Hopper, whose numbers a fault may name. */
#define SUBCONTEXTS 64u

/* Of a processor that is registered, or the CPU. */
static NvProcessorUuid processor_uuid(const struct uvm_space *space, u32 id)
{
	return id == UVM_CPU ? *uvm_uuid_of_cpu() : space->gpus[id - 1]->info.uuid;
}

/* -- References -------------------------------------------------------------------------------- */

enum nv_status uvm_test_get_gpu_ref_count(struct uvm_file *file, void *params)
{
	UVM_TEST_GET_GPU_REF_COUNT_PARAMS *p = params;

	/* No GPU is partitioned: the whole one is what instance 0 names. */
	p->ref_count = p->swizz_id ? 0 : uvm_device_references(file->uvm, &p->gpu_uuid);
	return NV_OK;
}

enum nv_status uvm_test_peer_ref_count(struct uvm_file *file, void *params)
{
	UVM_TEST_PEER_REF_COUNT_PARAMS *p = params;
	struct uvm *uvm = file->uvm;
	struct uvm_space *space;

	p->ref_count = 0;
	if (!uvm_device_references(uvm, &p->gpu_uuid_1) ||
	    !uvm_device_references(uvm, &p->gpu_uuid_2))
		return NV_ERR_INVALID_DEVICE;
	os_mutex_lock(&uvm->lock);
	list_for_each_entry (space, &uvm->spaces, node) {
		const struct uvm_gpu *a, *b;

		os_mutex_lock(&space->lock);
		a = uvm_gpu_find(space, &p->gpu_uuid_1);
		b = uvm_gpu_find(space, &p->gpu_uuid_2);
		if (a && b)
			p->ref_count += space->peers[a->info.instance][b->info.instance].enabled;
		os_mutex_unlock(&space->lock);
	}
	os_mutex_unlock(&uvm->lock);
	return NV_OK;
}

enum nv_status uvm_test_check_channel_va_space(struct uvm_file *file, void *params)
{
	UVM_TEST_CHECK_CHANNEL_VA_SPACE_PARAMS *p = params;
	struct uvm_file *of = file->uvm->host->file_get(p->va_space_fd);
	enum nv_status status = NV_ERR_INVALID_ARGUMENT;
	struct uvm_gpu *gpu;

	if (!of)
		return status;
	if (of->node == UVM_NODE_UVM && of->uvm == file->uvm &&
	    os_load_acquire(&of->state) == UVM_FILE_SPACE) {
		os_mutex_lock(&of->space->lock);
		gpu = uvm_gpu_find(of->space, &p->gpu_uuid);
		if (!gpu)
			status = NV_ERR_INVALID_DEVICE;
		else if (p->ve_id >= SUBCONTEXTS)
			status = NV_ERR_INVALID_ARGUMENT;
		else if (!uvm_channel_is_registered(gpu, p->client, p->channel))
			status = NV_ERR_INVALID_CHANNEL;
		else
			status = NV_OK;
		os_mutex_unlock(&of->space->lock);
	}
	file->uvm->host->file_put(of);
	return status;
}

/* -- The GPU's time ---------------------------------------------------------------------------- */

enum nv_status uvm_test_get_gpu_time(struct uvm_file *file, void *params)
{
	UVM_TEST_GET_GPU_TIME_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_DEVICE;
	struct uvm_gpu *gpu;
	u64 ns = 0;

	os_mutex_lock(&file->space->lock);
	gpu = uvm_gpu_find(file->space, &p->gpu_uuid);
	if (gpu)
		status = uvm_gpu_time(gpu, &ns);
	os_mutex_unlock(&file->space->lock);
	if (status == NV_OK)
		p->timestamp_ns = ns;
	return status;
}

enum nv_status uvm_test_pageable_type(struct uvm_file *file, void *params)
{
	UVM_TEST_GET_PAGEABLE_MEM_ACCESS_TYPE_PARAMS *p = params;

	/* Pageable memory is reached by no way; but the space has a process, or has none. */
	p->type = file->space->mm ? UVM_TEST_PAGEABLE_MEM_ACCESS_TYPE_MMU_NOTIFIER
				  : UVM_TEST_PAGEABLE_MEM_ACCESS_TYPE_NONE;
	return NV_OK;
}

/* -- Ranges ------------------------------------------------------------------------------------ */

static u32 type_of(const struct uvm_range *range)
{
	static const u8 types[] = {
		[UVM_RANGE_MANAGED] = UVM_TEST_VA_RANGE_TYPE_MANAGED,
		[UVM_RANGE_EXTERNAL] = UVM_TEST_VA_RANGE_TYPE_EXTERNAL,
		[UVM_RANGE_CHANNEL] = UVM_TEST_VA_RANGE_TYPE_CHANNEL,
		[UVM_RANGE_SKED] = UVM_TEST_VA_RANGE_TYPE_SKED_REFLECTED,
		[UVM_RANGE_POOL] = UVM_TEST_VA_RANGE_TYPE_SEMAPHORE_POOL,
	};

	return types[range->kind];
}

/* The process's mapping that the range is of, or is a part of. */
static void mapping_around(const struct uvm_range *range, NvU64 *start, NvU64 *last)
{
	const struct uvm_range *at = range, *other;

	while (!at->begins_mapping) {
		struct uvm_node_range *below = uvm_tree_previous(&at->node);

		if (!below || below->last + 1 != at->node.start)
			break;
		other = uvm_range_of(below);
		if (other->kind != UVM_RANGE_MANAGED)
			break;
		at = other;
	}
	*start = at->node.start;
	for (at = range;; at = other) {
		other = uvm_range_next(at);
		if (!other || other->node.start != at->node.last + 1 || other->begins_mapping ||
		    other->kind != UVM_RANGE_MANAGED)
			break;
	}
	*last = at->node.last;
}

static void managed_info(const struct uvm_range *range, UVM_TEST_VA_RANGE_INFO_MANAGED *info)
{
	const struct uvm_space *space = range->space;

	info->subtype = UVM_TEST_RANGE_SUBTYPE_UVM;
	info->is_zombie = !range->cpu_mapped;
	/* Of a file for several processes nobody knows which one has the mapping. */
	info->owned_by_calling_process =
		range->cpu_mapped && space->mm && space->mm == space->uvm->host->current_mm();
	if (range->cpu_mapped && space->mm)
		mapping_around(range, &info->vma_start, &info->vma_end);
}

enum nv_status uvm_test_va_range_info(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_RANGE_INFO_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_range *range;
	u32 id;

	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, p->lookup_address);
	if (!range) {
		os_mutex_unlock(&space->lock);
		return NV_ERR_INVALID_ADDRESS;
	}
	p->va_range_start = range->node.start;
	p->va_range_end = range->node.last;
	p->read_duplication = range->policy.read_duplication;
	os_memset(&p->preferred_location, 0, sizeof(p->preferred_location));
	if (range->policy.preferred != UVM_NOBODY)
		p->preferred_location = processor_uuid(space, range->policy.preferred);
	p->accessed_by_count = 0;
	for (id = 0; id < UVM_PROCESSORS; id++) {
		if (uvm_has(range->policy.accessed_by, id))
			p->accessed_by[p->accessed_by_count++] = processor_uuid(space, id);
	}
	p->type = type_of(range);
	if (range->kind == UVM_RANGE_MANAGED)
		managed_info(range, &p->managed);
	os_mutex_unlock(&space->lock);
	return NV_OK;
}

enum nv_status uvm_test_va_range_split(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_RANGE_SPLIT_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_ADDRESS;
	struct uvm_range *range, *upper;

	if (!is_aligned(p->split_address + 1, OS_PAGE_SIZE))
		return status;
	os_mutex_lock(&file->space->lock);
	range = uvm_range_find(file->space, p->split_address);
	if (range && range->kind == UVM_RANGE_MANAGED && range->node.last != p->split_address)
		status = uvm_managed_split(range, p->split_address, &upper);
	os_mutex_unlock(&file->space->lock);
	return status;
}

enum nv_status uvm_test_va_range_inject_split_error(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_ADDRESS;
	struct uvm_range *range;

	os_mutex_lock(&file->space->lock);
	range = uvm_range_find(file->space, p->lookup_address);
	if (range && range->kind == UVM_RANGE_MANAGED) {
		range->fail_split = true;
		status = NV_OK;
	}
	os_mutex_unlock(&file->space->lock);
	return status;
}

enum nv_status uvm_test_va_range_inject_add_error(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR_PARAMS *p = params;
	struct uvm_range *range;

	os_mutex_lock(&file->space->lock);
	range = uvm_range_find(file->space, p->lookup_address);
	if (range)
		range->fail_add = true;
	os_mutex_unlock(&file->space->lock);
	return range ? NV_OK : NV_ERR_INVALID_ADDRESS;
}

enum nv_status uvm_test_va_space_inject_error(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_SPACE_INJECT_ERROR_PARAMS *p = params;

	/* Pageable memory does not migrate. */
	if (p->migrate_vma_allocation_fail_nth)
		return NV_ERR_NOT_SUPPORTED;
	os_mutex_lock(&file->space->lock);
	file->space->fail_block = p->va_block_allocation_fail_nth;
	os_mutex_unlock(&file->space->lock);
	return NV_OK;
}

/* -- Blocks and pages -------------------------------------------------------------------------- */

enum nv_status uvm_test_va_block_info(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_BLOCK_INFO_PARAMS *p = params;
	enum nv_status status = NV_ERR_INVALID_ADDRESS;
	struct uvm_range *range;
	u64 index;

	os_mutex_lock(&file->space->lock);
	range = uvm_range_find(file->space, p->lookup_address);
	if (range && range->kind == UVM_RANGE_MANAGED) {
		status = NV_ERR_OBJECT_NOT_FOUND;
		index = uvm_block_index(range, p->lookup_address);
		if (range->blocks[index]) {
			status = NV_OK;
			p->va_block_start = uvm_block_start(range, index);
			p->va_block_end = uvm_block_last(range, index);
		}
	}
	os_mutex_unlock(&file->space->lock);
	return status;
}

/* Where the GPU's entry for that page leads. */
static u64 mapped_address(const struct uvm_block *block, const struct uvm_gpu *gpu, u64 address)
{
	const struct uvm_block_memory *memory = block->memory;
	u64 run;

	if (uvm_block_is_away(block, address))
		return uvm_block_video(block, address, &run);
	return os_pages_dma(&memory->views[gpu->info.instance], address - memory->start);
}

static void resident_info(const struct uvm_block *block, u64 address,
			  UVM_TEST_VA_RESIDENCY_INFO_PARAMS *p)
{
	const struct uvm_chunk *chunk = uvm_block_chunk(block, address);

	/* Lost with a GPU: it is nowhere. */
	if (uvm_block_is_away(block, address)) {
		p->resident_on[0] = block->where->gpu->info.uuid;
		p->resident_physical_size[0] = (u32)chunk->size;
		p->resident_physical_address[0] = mapped_address(block, block->where->gpu, address);
		p->resident_on_count = 1;
	} else if (!uvm_block_is_lost(block, address)) {
		p->resident_on[0] = *uvm_uuid_of_cpu();
		p->resident_physical_size[0] = OS_PAGE_SIZE;
		p->resident_on_count = 1;
	}
	p->populated_on[p->populated_on_count++] = *uvm_uuid_of_cpu();
	if (chunk)
		p->populated_on[p->populated_on_count++] = block->where->gpu->info.uuid;
}

static void mapped_info(const struct uvm_space *space, const struct uvm_block *block, u64 address,
			UVM_TEST_VA_RESIDENCY_INFO_PARAMS *p)
{
	const struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, space)
	{
		u32 i = p->mapped_on_count;

		if (!uvm_has(block->mapped, gpu->id) || uvm_block_is_lost(block, address) ||
		    (gpu->info.confidential && !uvm_block_is_away(block, address)))
			continue;
		p->mapped_on[i] = gpu->info.uuid;
		p->mapping_type[i] = UVM_TEST_PTE_MAPPING_READ_WRITE_ATOMIC;
		p->mapping_physical_address[i] = mapped_address(block, gpu, address);
		p->page_size[i] = UVM_PAGE_4K;
		p->mapped_on_count++;
	}
}

/* All moves are done when they return: is_async makes no difference. */
enum nv_status uvm_test_va_residency_info(struct uvm_file *file, void *params)
{
	UVM_TEST_VA_RESIDENCY_INFO_PARAMS *p = params;
	u64 address = align_down(p->lookup_address, OS_PAGE_SIZE);
	enum nv_status status = NV_ERR_INVALID_ADDRESS;
	struct uvm_space *space = file->space;
	const struct uvm_block *block;
	struct uvm_range *range;

	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, address);
	if (range && range->kind == UVM_RANGE_MANAGED) {
		status = NV_OK;
		p->resident_on_count = p->mapped_on_count = p->populated_on_count = 0;
		os_memset(p->resident_physical_address, 0, sizeof(p->resident_physical_address));
		block = range->blocks[uvm_block_index(range, address)];
		if (block) {
			resident_info(block, address, p);
			mapped_info(space, block, address, p);
		}
	}
	os_mutex_unlock(&space->lock);
	return status;
}

/* -- Groups ------------------------------------------------------------------------------------ */

enum nv_status uvm_test_range_group_range_info(struct uvm_file *file, void *params)
{
	UVM_TEST_RANGE_GROUP_RANGE_INFO_PARAMS *p = params;
	u64 start, last, id;
	bool present;

	os_mutex_lock(&file->space->lock);
	present = uvm_group_at(file->space, p->lookup_address, &start, &last, &id);
	os_mutex_unlock(&file->space->lock);
	p->range_group_range_start = start;
	p->range_group_range_end = last;
	p->range_group_id = id;
	p->range_group_present = present;
	return NV_OK;
}

enum nv_status uvm_test_range_group_range_count(struct uvm_file *file, void *params)
{
	UVM_TEST_RANGE_GROUP_RANGE_COUNT_PARAMS *p = params;
	enum nv_status status;
	u64 count;

	os_mutex_lock(&file->space->lock);
	status = uvm_group_count(file->space, p->rangeGroupId, &count);
	os_mutex_unlock(&file->space->lock);
	p->count = count;
	return status;
}

/* -- For tools -----------------------------------------------------------------------------------
 */

enum nv_status uvm_test_inject_tools_event(struct uvm_file *file, void *params)
{
	UVM_TEST_INJECT_TOOLS_EVENT_PARAMS *p = params;
	enum nv_status status = NV_OK;
	union uvm_event event;
	u32 i;

	os_memcpy(&event, p->entry, sizeof(event));
	if (event.type >= UvmEventNumTypesAll)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	for (i = 0; i < p->count && status == NV_OK; i++) {
		uvm_event_record(file->space, &event);
		if (i % 256 == 255)
			status = uvm_test_go_on();
	}
	os_mutex_unlock(&file->space->lock);
	return status;
}

enum nv_status uvm_test_increment_tools_counter(struct uvm_file *file, void *params)
{
	UVM_TEST_INCREMENT_TOOLS_COUNTER_PARAMS *p = params;
	enum nv_status status = NV_OK;
	u32 i;

	if (p->counter >= UVM_TOTAL_COUNTERS)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	for (i = 0; i < p->count && status == NV_OK; i++) {
		uvm_counter_add(file->space, p->counter, p->amount, &p->processor, true);
		if (i % 256 == 255)
			status = uvm_test_go_on();
	}
	os_mutex_unlock(&file->space->lock);
	return status;
}
