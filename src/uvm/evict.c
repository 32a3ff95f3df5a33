// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Managed memory that makes room in a GPU's video memory (uvm/evict.h). */
#include "uvm/evict.h"

#include "uvm/block.h"
#include "uvm/queue.h"

/* All that the space has of the root. Its lock. */
static enum nv_status evict_from(struct uvm_space *space, struct uvm_root *root)
{
	enum nv_status status = NV_OK;
	struct uvm_chunk *chunk;

	space->cause = UvmEventMigrationCauseEviction;
	while (status == NV_OK && (chunk = uvm_root_chunk_of(root, space))) {
		struct uvm_range *range = uvm_range_find(space, chunk->start);

		OS_BUG_ON(!range || range->kind != UVM_RANGE_MANAGED);
		status = uvm_block_evict(range, uvm_block_index(range, chunk->start), chunk);
	}
	space->cause = 0;
	return status;
}

enum nv_status uvm_root_evict(struct uvm_root *root)
{
	enum nv_status status = NV_OK;
	struct uvm_space *space;

	while (status == NV_OK && (space = uvm_root_owner(root))) {
		os_mutex_lock(&space->lock);
		status = evict_from(space, root);
		os_mutex_unlock(&space->lock);
		uvm_space_put(space);
	}
	if (status != NV_OK)
		uvm_root_spare(root);
	return status;
}

/* The next one, empty. NV_ERR_NO_MEMORY: there is none. */
static enum nv_status evict_next(struct uvm_chunks *chunks, struct uvm_root **out)
{
	*out = uvm_root_pick(chunks);
	return *out ? uvm_root_evict(*out) : NV_ERR_NO_MEMORY;
}

static struct uvm_gpu *gpu_that_lacks(struct uvm_space *space)
{
	struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, space)
	{
		if (gpu->room.lacks)
			return gpu;
	}
	return NULL;
}

bool uvm_space_lacks(struct uvm_space *space)
{
	return gpu_that_lacks(space) != NULL;
}

/* The lock is let go of meanwhile. */
static enum nv_status make_room(struct uvm_space *space, struct uvm_gpu *gpu)
{
	u32 slot = gpu->info.instance;
	struct uvm_device_holder holder;
	struct uvm_root *root;
	enum nv_status status;

	gpu->room.lacks = false;
	uvm_device_hold(gpu->device, &holder);
	os_mutex_unlock(&space->lock);
	status = evict_next(&holder.device->chunks, &root);
	os_mutex_lock(&space->lock);
	if (status == NV_OK) {
		gpu = space->gpus[slot];
		if (!gpu || gpu->device != holder.device)
			uvm_root_free(root);
		else if (!uvm_room_keep(&gpu->room, root))
			status = NV_ERR_TIMEOUT;
	}
	uvm_device_let_go(&holder);
	return status;
}

void uvm_rooms_clear(struct uvm_space *space)
{
	struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, space) uvm_room_clear(&gpu->room);
}

bool uvm_evict_retry(struct uvm_space *space, enum nv_status *status)
{
	struct uvm_gpu *gpu = gpu_that_lacks(space);

	if (gpu && *status == NV_ERR_NO_MEMORY) {
		*status = make_room(space, gpu);
		if (*status == NV_OK)
			return true;
	}
	uvm_rooms_clear(space);
	return false;
}

static bool is_to_fail(struct uvm_chunks *chunks)
{
	u32 left = os_load_acquire(&chunks->fail_reclaim);

	return left && os_cmpxchg32(&chunks->fail_reclaim, left, left - 1) && left == 1;
}

bool uvm_evict_for_others(void *ctx, struct rm_gpu *rm, u64 bytes)
{
	struct uvm_device_holder holder;
	enum nv_status status = NV_OK;
	struct uvm_root *root;
	u64 done = 0;

	if (!uvm_device_hold_of(ctx, rm, &holder))
		return false;
	/* Nothing moves for what could not be served all the same. */
	if (uvm_chunks_evictable(&holder.device->chunks) < bytes)
		status = NV_ERR_NO_MEMORY;
	for (; status == NV_OK && done < bytes; done += UVM_ROOT_SIZE) {
		status = is_to_fail(&holder.device->chunks)
				 ? NV_ERR_NO_MEMORY
				 : evict_next(&holder.device->chunks, &root);
		if (status == NV_OK)
			uvm_root_free(root);
	}
	uvm_device_let_go(&holder);
	return status == NV_OK;
}
