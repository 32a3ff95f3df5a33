// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Address ranges of every kind: made, found, freed, and told of GPUs (uvm/range.h). */
#include "uvm/evict.h"
#include "uvm/range.h"

enum nv_status uvm_range_create(struct uvm_space *space, u64 start, u64 size,
				enum uvm_range_kind kind, struct uvm_range **out)
{
	struct uvm_range *range = os_alloc(sizeof(*range));

	if (!range)
		return NV_ERR_NO_MEMORY;
	range->space = space;
	range->kind = kind;
	range->policy.preferred = UVM_NOBODY;
	range->node.start = start;
	range->node.last = start + size - 1;
	if (!uvm_tree_add(&space->ranges, &range->node)) {
		os_free(range);
		return NV_ERR_UVM_ADDRESS_IN_USE;
	}
	*out = range;
	return NV_OK;
}

/* Of the kinds that one GPU has mapped as a whole. */
static void unmap_whole(struct uvm_range *range)
{
	if (range->gpu && range->gpu->space)
		uvm_page_tree_unmap(&range->gpu->space->tree, range->node.start,
				    uvm_range_size(range), range->page_size);
	range->gpu = NULL;
}

void uvm_range_destroy(struct uvm_range *range)
{
	struct uvm_space *space = range->space;
	struct uvm_gpu *gpu;
	u32 slot;

	switch (range->kind) {
	case UVM_RANGE_MANAGED:
		uvm_managed_destroy(range);
		break;
	case UVM_RANGE_EXTERNAL:
		uvm_for_each_gpu(gpu, slot, space) uvm_external_unmap_gpu(range, gpu);
		break;
	case UVM_RANGE_CHANNEL:
	case UVM_RANGE_SKED:
		unmap_whole(range);
		break;
	case UVM_RANGE_POOL:
		uvm_pool_destroy(range);
		break;
	}
	uvm_tree_remove(&space->ranges, &range->node);
	os_free(range);
}

struct uvm_range *uvm_range_find(struct uvm_space *space, u64 address)
{
	struct uvm_node_range *node = uvm_tree_find(&space->ranges, address);

	return node ? uvm_range_of(node) : NULL;
}

struct uvm_range *uvm_range_first_in(struct uvm_space *space, u64 start, u64 last)
{
	struct uvm_node_range *node = uvm_tree_first_in(&space->ranges, start, last);

	return node ? uvm_range_of(node) : NULL;
}

struct uvm_range *uvm_range_next(const struct uvm_range *range)
{
	struct uvm_node_range *node = uvm_tree_next(&range->node);

	return node ? uvm_range_of(node) : NULL;
}

bool uvm_managed_covers(struct uvm_space *space, u64 base, u64 length)
{
	u64 at = base, last = base + length - 1;

	for (;;) {
		struct uvm_range *range = uvm_range_find(space, at);

		if (!range || range->kind != UVM_RANGE_MANAGED)
			return false;
		if (range->node.last >= last)
			return true;
		at = range->node.last + 1;
	}
}

/* -- GPUs come and go -------------------------------------------------------------------------- */

enum nv_status uvm_range_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	if (range->fail_add) {
		range->fail_add = false;
		return NV_ERR_NO_MEMORY;
	}
	switch (range->kind) {
	case UVM_RANGE_MANAGED:
		return uvm_managed_add_gpu_space(range, gpu);
	case UVM_RANGE_POOL:
		return uvm_pool_add_gpu_space(range, gpu);
	default:
		return NV_OK;
	}
}

void uvm_range_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	switch (range->kind) {
	case UVM_RANGE_MANAGED:
		uvm_managed_remove_gpu_space(range, gpu);
		break;
	case UVM_RANGE_EXTERNAL:
		uvm_external_unmap_gpu(range, gpu);
		break;
	case UVM_RANGE_POOL:
		uvm_pool_remove_gpu_space(range, gpu);
		break;
	case UVM_RANGE_SKED:
		if (range->gpu == gpu)
			uvm_range_destroy(range);
		break;
	case UVM_RANGE_CHANNEL:
		break; /* went with the channels */
	}
}

void uvm_range_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu)
{
	if (range->kind == UVM_RANGE_MANAGED)
		uvm_managed_remove_gpu(range, gpu);
	else if (range->kind == UVM_RANGE_EXTERNAL)
		uvm_external_forget_owner(range, gpu);
	else if (range->kind == UVM_RANGE_POOL)
		uvm_pool_remove_gpu(range, gpu);
}

void uvm_range_disable_peer(struct uvm_range *range, struct uvm_gpu *a, struct uvm_gpu *b)
{
	if (range->kind == UVM_RANGE_EXTERNAL)
		uvm_external_disable_peer(range, a, b);
}

/* -- Ioctls on ranges of any kind -------------------------------------------------------------- */

enum nv_status uvm_free(struct uvm_file *file, void *params)
{
	UVM_FREE_PARAMS *p = params;
	struct uvm_space *space = file->space;
	enum nv_status status = NV_OK;
	struct uvm_range *range;

	if (uvm_bad_range(p->base, p->length, UVM_PAGE_4K))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, p->base);
	/* Managed ranges go with munmap, those of channels with the channels. */
	if (!range || range->kind == UVM_RANGE_MANAGED || range->kind == UVM_RANGE_CHANNEL ||
	    range->node.start != p->base || uvm_range_size(range) != p->length)
		status = NV_ERR_INVALID_ADDRESS;
	else if (range->kind == UVM_RANGE_POOL && range->cpu_mapped)
		status = NV_ERR_INVALID_ARGUMENT;
	else
		uvm_range_destroy(range);
	os_mutex_unlock(&space->lock);
	return status;
}

enum nv_status uvm_validate_va_range(struct uvm_file *file, void *params)
{
	UVM_VALIDATE_VA_RANGE_PARAMS *p = params;
	struct uvm_space *space = file->space;
	struct uvm_range *range;
	bool is_one;

	os_mutex_lock(&space->lock);
	range = uvm_range_find(space, p->base);
	is_one = range && range->node.start == p->base &&
		 range->node.last + 1 == p->base + p->length;
	os_mutex_unlock(&space->lock);
	return is_one ? NV_OK : NV_ERR_INVALID_ADDRESS;
}

/* Managed ranges of processes that are gone, in files that several share. */
enum nv_status uvm_clean_up_zombie_resources(struct uvm_file *file, void *params)
{
	struct uvm_space *space = file->space;
	struct uvm_range *range, *next;

	os_mutex_lock(&space->lock);
	for (range = uvm_range_first_in(space, 0, ~(u64)0); range; range = next) {
		next = uvm_range_next(range);
		if (range->kind == UVM_RANGE_MANAGED && !range->cpu_mapped)
			uvm_range_destroy(range);
	}
	os_mutex_unlock(&space->lock);
	return NV_OK;
}

/* -- A page of the compute scheduler's --------------------------------------------------------- */

static enum nv_status sked_pte(void *ctx, u64 offset, u64 *pte)
{
	const struct uvm_gpu *gpu = ctx;

	*pte = gpu->hal.mmu->pte_sked();
	return NV_OK;
}

static enum nv_status sked_map(struct uvm_space *space,
			       UVM_MAP_DYNAMIC_PARALLELISM_REGION_PARAMS *p)
{
	struct uvm_gpu *gpu = uvm_gpu_find_with_space(space, &p->gpuUuid);
	struct uvm_range *range;
	enum nv_status status;

	if (!gpu)
		return NV_ERR_INVALID_DEVICE;
	if (!uvm_gpu_can_address(gpu, p->base, p->length))
		return NV_ERR_OUT_OF_RANGE;
	/* It is exactly one page of the GPU's. */
	if (!is_power_of_2(p->length) || !is_aligned(p->base, p->length) ||
	    !uvm_page_size_ok(&gpu->hal, p->length))
		return NV_ERR_INVALID_ADDRESS;
	status = uvm_range_create(space, p->base, p->length, UVM_RANGE_SKED, &range);
	if (status != NV_OK)
		return status;
	range->page_size = p->length;
	status = uvm_page_tree_map(&gpu->space->tree, p->base, p->length, p->length, sked_pte, gpu);
	if (status != NV_OK) {
		uvm_range_destroy(range);
		return status;
	}
	range->gpu = gpu;
	return NV_OK;
}

enum nv_status uvm_map_dynamic_parallelism_region(struct uvm_file *file, void *params)
{
	UVM_MAP_DYNAMIC_PARALLELISM_REGION_PARAMS *p = params;
	enum nv_status status;

	if (uvm_bad_range(p->base, p->length, UVM_PAGE_4K))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&file->space->lock);
	do
		status = sked_map(file->space, p);
	while (uvm_evict_retry(file->space, &status));
	os_mutex_unlock(&file->space->lock);
	return status;
}
