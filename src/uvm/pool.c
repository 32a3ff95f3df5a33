// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Semaphore pools: system memory at one address for the CPU and for every GPU that has a VA space,
 * whether it was registered before or after.
 */
#include "uvm/attributes.h"
#include "uvm/evict.h"
#include "uvm/range.h"

#include "abi/gh100.h"

struct uvm_pool {
	struct os_pages pages;
	uvm_mask cached; /* the one GPU that may keep it in its cache */
	struct {
		enum uvm_protection protection;
		struct os_pages view; /* as the GPU reaches the pages */
		bool mapped;
	} gpu[UVM_GPUS];
	/* What of it a process has mapped: mapped_last below mapped_start is nothing. */
	u64 mapped_start, mapped_last;
};

const struct os_pages *uvm_pool_pages(const struct uvm_range *range)
{
	return &range->pool->pages;
}

static enum nv_status apply_attributes(struct uvm_space *space, struct uvm_pool *pool,
				       const UvmGpuMappingAttributes *a)
{
	struct uvm_gpu *gpu;

	/* Format and compression mean nothing for it. */
	if (a->gpuMappingType >= UVM_MAPPING_COUNT || a->gpuCachingType >= UVM_CACHING_COUNT)
		return NV_ERR_INVALID_ARGUMENT;
	gpu = uvm_gpu_find(space, &a->gpuUuid);
	if (!gpu)
		return NV_ERR_INVALID_DEVICE;
	pool->gpu[gpu->info.instance].protection = uvm_mapping_protection(a->gpuMappingType);
	if (a->gpuCachingType == UVM_CACHING_CACHED) {
		if (pool->cached)
			return NV_ERR_INVALID_ARGUMENT;
		pool->cached = BIT32(gpu->id);
	}
	return NV_OK;
}

static enum nv_status pool_create(struct uvm_range *range, const UVM_ALLOC_SEMAPHORE_POOL_PARAMS *p)
{
	enum nv_status status = NV_OK;
	u32 i;

	range->pool = os_alloc(sizeof(*range->pool));
	if (!range->pool)
		return NV_ERR_NO_MEMORY;
	range->pool->mapped_start = 1;
	for (i = 0; i < UVM_GPUS; i++)
		range->pool->gpu[i].protection = UVM_PROTECTION_ATOMIC;
	for (i = 0; i < p->gpuAttributesCount && status == NV_OK; i++)
		status = apply_attributes(range->space, range->pool, &p->perGpuAttributes[i]);
	if (status != NV_OK)
		return status;
	return os_pages_alloc(NULL, p->length, OS_PAGES_SHARED, &range->pool->pages);
}

struct pool_ptes {
	const struct uvm_gpu *gpu;
	const struct os_pages *view;
	struct uvm_pte pte;
};

static enum nv_status pool_pte(void *ctx, u64 offset, u64 *pte)
{
	struct pool_ptes *ptes = ctx;

	ptes->pte.address = os_pages_dma(ptes->view, offset);
	*pte = ptes->gpu->hal.mmu->pte(&ptes->pte);
	return NV_OK;
}

enum nv_status uvm_pool_add_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	u32 slot = gpu->info.instance;
	struct uvm_pool *pool = range->pool;
	struct pool_ptes ptes = {
		.gpu = gpu,
		.view = &pool->gpu[slot].view,
		.pte = {
			.aperture = RM_UVM_SYSTEM_COHERENT,
			.protection = pool->gpu[slot].protection,
			.cached = uvm_has(pool->cached, gpu->id),
			.kind = NV_MMU_PTE_KIND_GENERIC_MEMORY,
		},
	};
	enum nv_status status;

	if (!uvm_gpu_can_address(gpu, range->node.start, uvm_range_size(range)))
		return NV_ERR_OUT_OF_RANGE;
	status = os_pages_share(&pool->pages, rm_uvm_gpu_pci(gpu->rm), &pool->gpu[slot].view);
	if (status != NV_OK)
		return status;
	status = uvm_page_tree_map(&gpu->space->tree, range->node.start, uvm_range_size(range),
				   UVM_PAGE_4K, pool_pte, &ptes);
	if (status != NV_OK) {
		os_pages_free(&pool->gpu[slot].view);
		return status;
	}
	pool->gpu[slot].mapped = true;
	return NV_OK;
}

void uvm_pool_remove_gpu_space(struct uvm_range *range, struct uvm_gpu *gpu)
{
	u32 slot = gpu->info.instance;
	struct uvm_pool *pool = range->pool;

	if (!pool->gpu[slot].mapped)
		return;
	uvm_page_tree_unmap(&gpu->space->tree, range->node.start, uvm_range_size(range),
			    UVM_PAGE_4K);
	os_pages_free(&pool->gpu[slot].view);
	pool->gpu[slot].mapped = false;
}

void uvm_pool_remove_gpu(struct uvm_range *range, struct uvm_gpu *gpu)
{
	range->pool->cached &= ~BIT32(gpu->id);
	range->pool->gpu[gpu->info.instance].protection = UVM_PROTECTION_ATOMIC;
}

void uvm_pool_destroy(struct uvm_range *range)
{
	struct uvm_gpu *gpu;
	u32 slot;

	if (!range->pool)
		return;
	uvm_for_each_gpu(gpu, slot, range->space) uvm_pool_remove_gpu_space(range, gpu);
	os_pages_free(&range->pool->pages);
	os_free(range->pool);
}

static enum nv_status pool_add(struct uvm_space *space, const UVM_ALLOC_SEMAPHORE_POOL_PARAMS *p)
{
	struct uvm_range *range;
	struct uvm_gpu *gpu;
	enum nv_status status;
	u32 slot;

	status = uvm_range_create(space, p->base, p->length, UVM_RANGE_POOL, &range);
	if (status != NV_OK)
		return status;
	status = pool_create(range, p);
	uvm_for_each_gpu(gpu, slot, space)
	{
		if (status == NV_OK && gpu->space)
			status = uvm_pool_add_gpu_space(range, gpu);
	}
	if (status != NV_OK)
		uvm_range_destroy(range);
	return status;
}

enum nv_status uvm_alloc_semaphore_pool(struct uvm_file *file, void *params)
{
	UVM_ALLOC_SEMAPHORE_POOL_PARAMS *p = params;
	enum nv_status status;

	if (uvm_bad_range(p->base, p->length, OS_PAGE_SIZE))
		return NV_ERR_INVALID_ADDRESS;
	if (p->gpuAttributesCount > UVM_MAX_GPUS)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&file->space->lock);
	do
		status = pool_add(file->space, p);
	while (uvm_evict_retry(file->space, &status));
	os_mutex_unlock(&file->space->lock);
	return status;
}

/* -- The CPU's side ---------------------------------------------------------------------------- */

void uvm_pool_mmap(struct uvm_range *range)
{
	range->cpu_mapped = true;
	range->pool->mapped_start = range->node.start;
	range->pool->mapped_last = range->node.last;
}

bool uvm_pool_fault(struct uvm_range *range, u64 address, struct uvm_extent *extent)
{
	struct uvm_pool *pool = range->pool;

	if (!range->cpu_mapped || address < pool->mapped_start || address > pool->mapped_last)
		return false;
	extent->address = pool->mapped_start;
	extent->size = pool->mapped_last - pool->mapped_start + 1;
	extent->pages = &pool->pages;
	extent->offset = pool->mapped_start - range->node.start;
	extent->writable = true;
	return true;
}

/* A pool is not mapped in parts: the rest goes too, where the host can do that. */
void uvm_pool_munmap(struct uvm_range *range, u64 start, u64 last)
{
	struct uvm *uvm = range->space->uvm;
	struct uvm_pool *pool = range->pool;

	if (!range->cpu_mapped || last < pool->mapped_start || start > pool->mapped_last)
		return;
	if (start <= pool->mapped_start && last >= pool->mapped_last) {
		range->cpu_mapped = false;
	} else if (uvm->host->unmap && uvm->host->unmap(range->space->file->host_ctx,
							range->node.start, uvm_range_size(range))) {
		range->cpu_mapped = false;
	} else if (start <= pool->mapped_start) {
		pool->mapped_start = last + 1;
	} else if (last >= pool->mapped_last) {
		pool->mapped_last = start - 1;
	}
}
