// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * GPU VA spaces: a client's address space on a GPU becomes the GPU's view of this VA space, with
 * page tables of ours.
 */
#include "uvm/evict.h"
#include "uvm/range.h"

static enum nv_status gpu_space_create(struct uvm_gpu *gpu, const struct rm_uvm_object *object,
				       struct uvm_gpu_space **out)
{
	struct uvm_gpu_space *gpu_space = os_alloc(sizeof(*gpu_space));
	enum nv_status status;
	u32 entries;
	u64 root;

	if (!gpu_space)
		return NV_ERR_NO_MEMORY;
	gpu_space->gpu = gpu;
	list_init(&gpu_space->channels);
	status = rm_uvm_vaspace_get(gpu->rm, object, &gpu_space->rm);
	if (status != NV_OK)
		goto free_space;
	status = uvm_page_tree_init(&gpu_space->tree, &gpu->room, &gpu->hal);
	if (status != NV_OK)
		goto put_vaspace;
	root = uvm_page_tree_root(&gpu_space->tree, &entries);
	status = rm_uvm_vaspace_set_page_directory(gpu_space->rm, RM_UVM_VIDEO, root, entries);
	if (status != NV_OK)
		goto fini_tree;
	*out = gpu_space;
	return NV_OK;

fini_tree:
	uvm_page_tree_fini(&gpu_space->tree);
put_vaspace:
	rm_uvm_vaspace_put(gpu_space->rm);
free_space:
	os_free(gpu_space);
	return status;
}

/* No channel is left, and nothing is mapped. */
static void gpu_space_destroy(struct uvm_gpu_space *gpu_space)
{
	rm_uvm_vaspace_unset_page_directory(gpu_space->rm);
	rm_uvm_vaspace_put(gpu_space->rm);
	uvm_page_tree_fini(&gpu_space->tree);
	os_free(gpu_space);
}

static void ranges_remove(struct uvm_space *space, struct uvm_gpu *gpu)
{
	struct uvm_range *range, *next;

	for (range = uvm_range_first_in(space, 0, ~(u64)0); range; range = next) {
		next = uvm_range_next(range);
		uvm_range_remove_gpu_space(range, gpu);
	}
}

void uvm_gpu_space_remove(struct uvm_space *space, struct uvm_gpu *gpu)
{
	struct uvm_gpu_space *gpu_space = gpu->space;

	uvm_channels_stop(gpu_space);
	uvm_channels_remove(space, gpu_space);
	ranges_remove(space, gpu);
	gpu->space = NULL;
	gpu_space_destroy(gpu_space);
}

static enum nv_status gpu_space_add(struct uvm_space *space, const NvProcessorUuid *uuid,
				    const struct rm_uvm_object *object)
{
	struct uvm_gpu *gpu = uvm_gpu_find(space, uuid);
	struct uvm_range *range;
	enum nv_status status;

	if (!gpu)
		return NV_ERR_INVALID_DEVICE;
	/* Without its process nobody can use it: the file that says that it lives comes first. */
	if (space->mm && space->mm_state != UVM_MM_ALIVE)
		return NV_ERR_PAGE_TABLE_NOT_AVAIL;
	if (gpu->space)
		return NV_ERR_INVALID_DEVICE;
	if (space->no_new_gpus)
		return NV_ERR_PAGE_TABLE_NOT_AVAIL;
	status = gpu_space_create(gpu, object, &gpu->space);
	if (status != NV_OK)
		return status;
	for (range = uvm_range_first_in(space, 0, ~(u64)0); range; range = uvm_range_next(range)) {
		status = uvm_range_add_gpu_space(range, gpu);
		if (status != NV_OK) {
			uvm_gpu_space_remove(space, gpu);
			return status;
		}
	}
	return NV_OK;
}

enum nv_status uvm_register_gpu_vaspace(struct uvm_file *file, void *params)
{
	UVM_REGISTER_GPU_VASPACE_PARAMS *p = params;
	struct rm *rm = file->uvm->rm;
	struct rm_uvm_object object = { rm_uvm_file_get(rm, p->rmCtrlFd), p->hClient, p->hVaSpace };
	struct uvm_space *space = file->space;
	enum nv_status status;

	os_mutex_lock(&space->lock);
	do
		status = gpu_space_add(space, &p->gpuUuid, &object);
	while (uvm_evict_retry(space, &status));
	os_mutex_unlock(&space->lock);
	rm_uvm_file_put(rm, object.file);
	return status;
}

enum nv_status uvm_unregister_gpu_vaspace(struct uvm_file *file, void *params)
{
	UVM_UNREGISTER_GPU_VASPACE_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_gpu *gpu;

	os_mutex_lock(&space->lock);
	gpu = uvm_gpu_find_with_space(space, &p->gpuUuid);
	if (gpu)
		uvm_gpu_space_remove(space, gpu);
	os_mutex_unlock(&space->lock);
	return gpu ? NV_OK : NV_ERR_INVALID_DEVICE;
}
