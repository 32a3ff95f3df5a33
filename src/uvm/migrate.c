// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Migration and prefetch. To move memory to a GPU is to make it, to map it there, and to copy it to
 * video memory where that is possible (uvm/block.h); to move it to the CPU, to make it and to bring
 * it back. Parts whose group is held stay where they are.
 */
#include "uvm/evict.h"
#include "uvm/range.h"

/* Made or back, and GPUs reach it there: none of them can ask for it. */
static enum nv_status to_cpu(struct uvm_range *range, u64 start, u64 last)
{
	enum nv_status status = uvm_managed_make(range, start, last);
	struct uvm_gpu *gpu;
	u32 slot;

	if (status == NV_OK)
		status = uvm_managed_to_cpu(range, start, last);
	uvm_for_each_gpu(gpu, slot, range->space)
	{
		if (status == NV_OK && gpu->space)
			status = uvm_managed_map_gpu(range, gpu, start, last);
	}
	return status;
}

/* The processor that memory is to go to: the CPU, or a GPU with an address space, or NULL. */
static struct uvm_gpu *gpu_of(struct uvm_space *space, u32 to)
{
	struct uvm_gpu *gpu = to == UVM_CPU ? NULL : space->gpus[to - 1];

	return gpu && gpu->space ? gpu : NULL;
}

/* From *at on, which is then the first that was not served. *held: some of it may not migrate. */
static enum nv_status migrate_from(struct uvm_space *space, u32 to, u64 *at, u64 last, bool *held)
{
	struct uvm_gpu *gpu = gpu_of(space, to);
	enum nv_status status = NV_OK;
	struct uvm_range *range;

	if (to != UVM_CPU && !gpu)
		return NV_ERR_INVALID_DEVICE;
	if (!uvm_managed_covers(space, *at, last - *at + 1))
		return NV_ERR_INVALID_ADDRESS;
	space->cause = UvmEventMigrationCauseUser;
	for (range = uvm_range_find(space, *at); range && range->node.start <= last;
	     range = uvm_range_next(range)) {
		u64 end = min(last, range->node.last);

		if (!uvm_groups_migratable(space, *at, end)) {
			*held = true;
			status = gpu ? uvm_managed_map_gpu(range, gpu, *at, end)
				     : uvm_managed_make(range, *at, end);
		} else {
			status = gpu ? uvm_managed_to_gpu(range, gpu, at, end)
				     : to_cpu(range, *at, end);
		}
		if (status != NV_OK)
			break;
		*at = end + 1;
	}
	space->cause = 0;
	return status;
}

/* What finds no room makes itself some. */
static enum nv_status migrate_span(struct uvm_space *space, u32 to, u64 start, u64 last)
{
	enum nv_status status;
	bool held = false;

	do
		status = migrate_from(space, to, &start, last, &held);
	while (uvm_evict_retry(space, &status));
	return status == NV_OK && held ? NV_WARN_MORE_PROCESSING_REQUIRED : status;
}

/* The semaphore in a pool, where a client waits for the migration's end. */
static u32 *semaphore_find(struct uvm_space *space, u64 address)
{
	struct uvm_range *range = uvm_range_find(space, address);

	if (!range || range->kind != UVM_RANGE_POOL || !is_aligned(address, sizeof(u32)))
		return NULL;
	return (u32 *)((u8 *)uvm_pool_pages(range)->cpu + (address - range->node.start));
}

static enum nv_status migrate(struct uvm_space *space, const UVM_MIGRATE_PARAMS *p)
{
	bool async = p->flags & UVM_MIGRATE_FLAG_ASYNC;
	enum nv_status status = NV_OK;
	u32 *semaphore, to = UVM_CPU;
	struct uvm_gpu *gpu;

	if (!async && p->semaphoreAddress)
		return NV_ERR_INVALID_ARGUMENT;
	if (async && !p->semaphoreAddress && p->semaphorePayload)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->semaphoreAddress && !semaphore_find(space, p->semaphoreAddress))
		return NV_ERR_INVALID_ADDRESS;
	if (!uvm_uuid_is_cpu(&p->destinationUuid)) {
		gpu = uvm_gpu_find_with_space(space, &p->destinationUuid);
		if (!gpu)
			return NV_ERR_INVALID_DEVICE;
		if (p->length && !uvm_gpu_can_address(gpu, p->base, p->length))
			return NV_ERR_OUT_OF_RANGE;
		to = gpu->id;
	}
	if (p->length) {
		status = migrate_span(space, to, p->base, p->base + p->length - 1);
		if (status != NV_OK && status != NV_WARN_MORE_PROCESSING_REQUIRED)
			return status;
	}
	if (p->semaphoreAddress) {
		/* The pool may have gone meanwhile. */
		semaphore = semaphore_find(space, p->semaphoreAddress);
		if (!semaphore)
			return NV_ERR_INVALID_ADDRESS;
		os_store_release(semaphore, p->semaphorePayload);
	}
	return status;
}

enum nv_status uvm_migrate(struct uvm_file *file, void *params)
{
	UVM_MIGRATE_PARAMS *p = params;
	bool only_semaphore =
		!p->length && (p->flags & UVM_MIGRATE_FLAG_ASYNC) && p->semaphoreAddress;
	enum nv_status status;

	if (!only_semaphore && uvm_bad_range(p->base, p->length, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ADDRESS;
	/* The others are for built-in tests. */
	if (p->flags & ~UVM_MIGRATE_FLAG_ASYNC)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	status = migrate(file->space, p);
	os_mutex_unlock(&file->space->lock);
	return status;
}

/* The parts that it had when that began. */
static enum nv_status migrate_group(struct uvm_space *space, u64 id, u32 to)
{
	struct uvm_span *parts;
	enum nv_status status;
	struct uvm_gpu *gpu;
	u64 count, i;

	status = uvm_group_parts(space, id, &parts, &count);
	if (status != NV_OK)
		return status;
	for (i = 0; i < count && status == NV_OK; i++) {
		u64 start = parts[i].start, last = parts[i].last;

		gpu = gpu_of(space, to);
		if (gpu && !uvm_gpu_can_address(gpu, start, last - start + 1))
			status = NV_ERR_OUT_OF_RANGE;
		else
			status = migrate_span(space, to, start, last);
	}
	os_free(parts);
	return status;
}

enum nv_status uvm_migrate_range_group(struct uvm_file *file, void *params)
{
	UVM_MIGRATE_RANGE_GROUP_PARAMS *p = params;
	enum nv_status status = NV_OK;
	struct uvm_gpu *gpu;
	u32 to = UVM_CPU;

	os_mutex_lock(&file->space->lock);
	if (!uvm_uuid_is_cpu(&p->destinationUuid)) {
		gpu = uvm_gpu_find_with_space(file->space, &p->destinationUuid);
		if (gpu)
			to = gpu->id;
		else
			status = NV_ERR_INVALID_DEVICE;
	}
	if (status == NV_OK)
		status = migrate_group(file->space, p->rangeGroupId, to);
	os_mutex_unlock(&file->space->lock);
	return status;
}

/* Touches every page of the calling process's memory there. NV_ERR_INVALID_ADDRESS. */
static enum nv_status touch_user(u64 base, u64 length)
{
	u64 at;
	u8 byte;

	for (at = base; at < base + length; at += OS_PAGE_SIZE) {
		if (os_copy_from_user(&byte, at, sizeof(byte)) != NV_OK)
			return NV_ERR_INVALID_ADDRESS;
	}
	return NV_OK;
}

/* Memory of the process's own, of which GPUs see nothing: it is there afterwards. */
enum nv_status uvm_populate_pageable(struct uvm_file *file, void *params)
{
	UVM_POPULATE_PAGEABLE_PARAMS *p = params;
	bool empty;

	/* All flags are for built-in tests. */
	if (p->flags)
		return NV_ERR_INVALID_ARGUMENT;
	if (uvm_bad_range(p->base, p->length, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&file->space->lock);
	empty = !uvm_range_first_in(file->space, p->base, p->base + p->length - 1);
	os_mutex_unlock(&file->space->lock);
	return empty ? touch_user(p->base, p->length) : NV_ERR_INVALID_ADDRESS;
}
