// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A VA space from UVM_INITIALIZE to the last close, and the end of its process in between. */
#include "uvm/range.h"

enum nv_status uvm_space_create(struct uvm_file *file, u64 flags, struct uvm_space **out)
{
	struct uvm_space *space;
	enum nv_status status;

	if (flags & ~(u64)UVM_INIT_FLAGS_MASK)
		return NV_ERR_INVALID_ARGUMENT;
	space = os_alloc(sizeof(*space));
	if (!space)
		return NV_ERR_NO_MEMORY;
	status = os_mutex_init(&space->lock, LOCK_RANK_UVM_SPACE, "uvm space");
	if (status != NV_OK) {
		os_free(space);
		return status;
	}
	space->uvm = file->uvm;
	space->file = file;
	space->references = 1;
	space->flags = flags;
	if (!(flags & UVM_INIT_FLAGS_MULTI_PROCESS_SHARING_MODE))
		space->mm = file->uvm->host->current_mm();
	space->next_group = UVM_RANGE_GROUP_ID_NONE + 1;
	list_init(&space->groups);
	list_init(&space->observers);
	/* The CPU reaches and copies its own memory. */
	space->can_access[UVM_CPU] = BIT32(UVM_CPU);
	space->accessible_from[UVM_CPU] = BIT32(UVM_CPU);
	space->can_copy_from[UVM_CPU] = BIT32(UVM_CPU);
	space->native_atomics[UVM_CPU] = BIT32(UVM_CPU);
	space->system_wide_atomics = BIT32(UVM_CPU);
	space->faultable = BIT32(UVM_CPU);
	os_mutex_lock(&space->uvm->lock);
	list_add_tail(&space->node, &space->uvm->spaces);
	os_mutex_unlock(&space->uvm->lock);
	*out = space;
	return NV_OK;
}

void uvm_spaces_gpu_gone(void *ctx, struct rm_gpu *rm)
{
	struct uvm *uvm = ctx;
	struct uvm_space *space;

	os_mutex_lock(&uvm->lock);
	list_for_each_entry (space, &uvm->spaces, node) {
		struct uvm_gpu *gpu;
		u32 slot;

		os_mutex_lock(&space->lock);
		uvm_for_each_gpu(gpu, slot, space)
		{
			if (gpu->rm == rm)
				uvm_gpu_remove(space, gpu);
		}
		os_mutex_unlock(&space->lock);
	}
	os_mutex_unlock(&uvm->lock);
	uvm_device_wait_let_go(uvm, rm);
}

void uvm_spaces_suspend(void *ctx)
{
	struct uvm *uvm = ctx;
	struct uvm_space *space;

	os_mutex_lock(&uvm->lock);
	list_for_each_entry (space, &uvm->spaces, node) {
		struct uvm_range *range;

		os_mutex_lock(&space->lock);
		range = uvm_range_first_in(space, 0, ~(u64)0);
		for (; range; range = uvm_range_next(range)) {
			/* What cannot come now is asked for again when somebody touches it. */
			if (range->kind == UVM_RANGE_MANAGED)
				(void)uvm_managed_to_cpu(range, range->node.start,
							 range->node.last);
		}
		os_mutex_unlock(&space->lock);
	}
	os_mutex_unlock(&uvm->lock);
}

void uvm_space_destroy(struct uvm_space *space)
{
	struct uvm_gpu *gpu;
	struct uvm_range *range;
	u32 slot;

	os_mutex_lock(&space->uvm->lock);
	list_del(&space->node);
	os_mutex_unlock(&space->uvm->lock);
	/* Nobody else has the space any more, but for those who evict from it. */
	os_mutex_lock(&space->lock);
	space->ending = true;
	uvm_for_each_gpu(gpu, slot, space)
	{
		if (gpu->space)
			uvm_channels_stop(gpu->space);
	}
	uvm_for_each_gpu(gpu, slot, space) uvm_gpu_remove(space, gpu);
	while ((range = uvm_range_first_in(space, 0, ~(u64)0)))
		uvm_range_destroy(range);
	uvm_groups_destroy(space);
	os_mutex_unlock(&space->lock);
	uvm_space_put(space);
}

void uvm_space_get(struct uvm_space *space)
{
	os_fetch_add(&space->references, 1);
}

void uvm_space_put(struct uvm_space *space)
{
	if (os_fetch_sub(&space->references, 1) != 1)
		return;
	os_mutex_destroy(&space->lock);
	os_free(space);
}

void uvm_space_mm_gone(struct uvm_space *space, bool wanted)
{
	struct uvm_gpu *gpu;
	u32 slot;

	os_mutex_lock(&space->lock);
	if (space->mm && space->mm_state != UVM_MM_RELEASED) {
		space->mm_state = UVM_MM_RELEASED;
		space->no_new_gpus = true;
		space->ending = !wanted;
		uvm_for_each_gpu(gpu, slot, space)
		{
			if (gpu->space)
				uvm_gpu_space_remove(space, gpu);
		}
	}
	os_mutex_unlock(&space->lock);
}
