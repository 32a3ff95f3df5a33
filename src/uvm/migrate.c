// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Migration and prefetch. To move memory to a GPU is to make it, to map it there, and to copy it to
 * video memory where that is possible (uvm/block.h); to move it to the CPU, to make it and to bring
 * it back. Parts whose group is held stay where they are.
 */
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

static enum nv_status migrate_span(struct uvm_space *space, struct uvm_gpu *gpu, u64 start,
				   u64 last)
{
	struct uvm_range *range = uvm_range_find(space, start);
	enum nv_status status = NV_OK;
	bool held = false;

	space->asked = true;
	for (; range && range->node.start <= last && status == NV_OK;
	     range = uvm_range_next(range)) {
		u64 from = max(start, range->node.start), to = min(last, range->node.last);

		if (!uvm_groups_migratable(space, from, to)) {
			held = true;
			status = gpu ? uvm_managed_map_gpu(range, gpu, from, to)
				     : uvm_managed_make(range, from, to);
			continue;
		}
		status = gpu ? uvm_managed_to_gpu(range, gpu, from, to) : to_cpu(range, from, to);
	}
	space->asked = false;
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
	u32 *semaphore = NULL;
	struct uvm_gpu *gpu = NULL;
	enum nv_status status = NV_OK;

	if (!async && p->semaphoreAddress)
		return NV_ERR_INVALID_ARGUMENT;
	if (async && !p->semaphoreAddress && p->semaphorePayload)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->semaphoreAddress) {
		semaphore = semaphore_find(space, p->semaphoreAddress);
		if (!semaphore)
			return NV_ERR_INVALID_ADDRESS;
	}
	if (!uvm_uuid_is_cpu(&p->destinationUuid)) {
		gpu = uvm_gpu_find_with_space(space, &p->destinationUuid);
		if (!gpu)
			return NV_ERR_INVALID_DEVICE;
		if (p->length && !uvm_gpu_can_address(gpu, p->base, p->length))
			return NV_ERR_OUT_OF_RANGE;
	}
	if (p->length) {
		if (!uvm_managed_covers(space, p->base, p->length))
			return NV_ERR_INVALID_ADDRESS;
		status = migrate_span(space, gpu, p->base, p->base + p->length - 1);
		if (status != NV_OK && status != NV_WARN_MORE_PROCESSING_REQUIRED)
			return status;
	}
	if (semaphore)
		os_store_release(semaphore, p->semaphorePayload);
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

struct group_migration {
	struct uvm_space *space;
	struct uvm_gpu *gpu;
};

static enum nv_status migrate_part(void *ctx, u64 start, u64 last)
{
	const struct group_migration *m = ctx;

	if (m->gpu && !uvm_gpu_can_address(m->gpu, start, last - start + 1))
		return NV_ERR_OUT_OF_RANGE;
	if (!uvm_managed_covers(m->space, start, last - start + 1))
		return NV_ERR_INVALID_ADDRESS;
	return migrate_span(m->space, m->gpu, start, last);
}

enum nv_status uvm_migrate_range_group(struct uvm_file *file, void *params)
{
	UVM_MIGRATE_RANGE_GROUP_PARAMS *p = params;
	struct group_migration m = { .space = file->space };
	enum nv_status status = NV_OK;

	os_mutex_lock(&file->space->lock);
	if (!uvm_uuid_is_cpu(&p->destinationUuid)) {
		m.gpu = uvm_gpu_find_with_space(file->space, &p->destinationUuid);
		if (!m.gpu)
			status = NV_ERR_INVALID_DEVICE;
	}
	if (status == NV_OK)
		status = uvm_group_for_each(file->space, p->rangeGroupId, migrate_part, &m);
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
