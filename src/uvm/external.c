// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * External ranges: addresses set aside, into which a client maps memory that it allocated from RM,
 * or sparse pages, on each GPU on its own. New mappings replace what they overlap; a mapping may be
 * cut at its pages.
 */
#include "uvm/attributes.h"
#include "uvm/evict.h"
#include "uvm/range.h"

#include "abi/gh100.h"

/* What the pieces of one mapping share. */
struct external_memory {
	struct rm_uvm_memory *rm;
	u32 pieces;
};

struct uvm_external_map {
	struct uvm_node_range node;
	struct external_memory *memory; /* NULL: sparse */
	struct uvm_gpu *owner;		/* the GPU whose allocation it is; NULL: of none */
	bool sysmem;
	u64 page_size;
};

#define map_of(n) container_of(n, struct uvm_external_map, node)

static struct uvm_tree *maps_of(struct uvm_range *range, const struct uvm_gpu *gpu)
{
	return &range->maps[gpu->info.instance];
}

static void memory_put(struct external_memory *memory)
{
	if (!memory || --memory->pieces)
		return;
	rm_uvm_memory_put(memory->rm);
	os_free(memory);
}

static void map_destroy(struct uvm_range *range, struct uvm_gpu *gpu, struct uvm_external_map *map)
{
	uvm_page_tree_unmap(&gpu->space->tree, map->node.start, uvm_node_size(&map->node),
			    map->page_size);
	uvm_tree_remove(maps_of(range, gpu), &map->node);
	memory_put(map->memory);
	os_free(map);
}

/* Cuts what is mapped right before address in two. */
static enum nv_status map_split(struct uvm_range *range, struct uvm_gpu *gpu, u64 address)
{
	struct uvm_node_range *node = uvm_tree_find(maps_of(range, gpu), address);
	struct uvm_external_map *map, *upper;

	if (!node || node->start == address)
		return NV_OK;
	map = map_of(node);
	if (!is_aligned(address, map->page_size))
		return NV_ERR_INVALID_ADDRESS;
	upper = os_alloc(sizeof(*upper));
	if (!upper)
		return NV_ERR_NO_MEMORY;
	*upper = *map;
	os_memset(&upper->node, 0, sizeof(upper->node));
	upper->node.start = address;
	upper->node.last = map->node.last;
	map->node.last = address - 1;
	if (upper->memory)
		upper->memory->pieces++;
	OS_BUG_ON(!uvm_tree_add(maps_of(range, gpu), &upper->node));
	return NV_OK;
}

/* NV_ERR_INVALID_ADDRESS: an end is within a page that is mapped. */
static enum nv_status unmap_in(struct uvm_range *range, struct uvm_gpu *gpu, u64 start, u64 last)
{
	struct uvm_node_range *node;
	enum nv_status status = map_split(range, gpu, start);

	if (status == NV_OK && last < range->node.last)
		status = map_split(range, gpu, last + 1);
	if (status != NV_OK)
		return status;
	while ((node = uvm_tree_first_in(maps_of(range, gpu), start, last)))
		map_destroy(range, gpu, map_of(node));
	return NV_OK;
}

void uvm_external_unmap_gpu(struct uvm_range *range, struct uvm_gpu *gpu)
{
	struct uvm_node_range *node;

	while ((node = uvm_tree_first(maps_of(range, gpu))))
		map_destroy(range, gpu, map_of(node));
}

/* Of mappings on gpu, those of owner's memory; its video memory alone, or its system memory too. */
static void unmap_of_owner(struct uvm_range *range, struct uvm_gpu *gpu,
			   const struct uvm_gpu *owner, bool sysmem_too)
{
	struct uvm_node_range *node, *next;

	for (node = uvm_tree_first(maps_of(range, gpu)); node; node = next) {
		struct uvm_external_map *map = map_of(node);

		next = uvm_tree_next(node);
		if (map->owner == owner && (sysmem_too || !map->sysmem))
			map_destroy(range, gpu, map);
	}
}

void uvm_external_disable_peer(struct uvm_range *range, struct uvm_gpu *a, struct uvm_gpu *b)
{
	unmap_of_owner(range, a, b, false);
	unmap_of_owner(range, b, a, false);
}

void uvm_external_forget_owner(struct uvm_range *range, struct uvm_gpu *owner)
{
	struct uvm_gpu *gpu;
	u32 slot;

	uvm_for_each_gpu(gpu, slot, range->space) unmap_of_owner(range, gpu, owner, true);
}

/* -- Memory of RM ------------------------------------------------------------------------------ */

struct pte_source {
	const struct uvm_mmu_hal *mmu;
	struct rm_uvm_memory *memory;
	u64 offset; /* of the mapping's start in the memory */
	u64 page_size;
	u64 base;	    /* of a peer: added to its addresses */
	struct uvm_pte pte; /* all but the address */
	struct rm_uvm_segment segment;
	u64 segment_offset;
};

static enum nv_status memory_pte(void *ctx, u64 offset, u64 *pte)
{
	struct pte_source *s = ctx;
	u64 at = s->offset + offset;
	enum nv_status status;

	if (at - s->segment_offset >= s->segment.size) {
		status = rm_uvm_memory_segment(s->memory, at, &s->segment);
		if (status != NV_OK)
			return status;
		s->segment_offset = at;
	}
	if (s->segment.size - (at - s->segment_offset) < s->page_size)
		return NV_ERR_INVALID_STATE;
	s->pte.address = s->segment.address + (at - s->segment_offset);
	if (!is_aligned(s->pte.address, s->page_size))
		return NV_ERR_INVALID_STATE;
	if (s->pte.aperture != RM_UVM_PEER)
		s->pte.aperture = s->segment.aperture;
	s->pte.address += s->base;
	*pte = s->mmu->pte(&s->pte);
	return NV_OK;
}

static enum nv_status pte_attributes(const struct rm_uvm_memory_info *info,
				     const UvmGpuMappingAttributes *a, struct uvm_pte *pte)
{
	pte->protection = uvm_mapping_protection(a->gpuMappingType);
	if (info->read_only) {
		if (a->gpuMappingType != UVM_MAPPING_DEFAULT &&
		    a->gpuMappingType != UVM_MAPPING_READ_ONLY)
			return NV_ERR_INVALID_ACCESS_TYPE;
		pte->protection = UVM_PROTECTION_READ;
	}
	pte->cached = a->gpuCachingType == UVM_CACHING_DEFAULT
			      ? info->cached
			      : a->gpuCachingType == UVM_CACHING_CACHED;
	pte->kind = info->kind;
	if (a->gpuFormatType == UVM_FORMAT_BLOCK_LINEAR && pte->kind == NV_MMU_PTE_KIND_PITCH)
		pte->kind = NV_MMU_PTE_KIND_GENERIC_MEMORY;
	if (a->gpuCompressionType == UVM_COMPRESSION_NO_PLC) {
		if (info->kind != NV_MMU_PTE_KIND_GENERIC_MEMORY_COMPRESSIBLE)
			return NV_ERR_INVALID_ARGUMENT;
		pte->kind = NV_MMU_PTE_KIND_GENERIC_MEMORY_COMPRESSIBLE_DISABLE_PLC;
	}
	return NV_OK;
}

/* Whose memory it is, and whether gpu may reach it. */
static enum nv_status find_owner(struct uvm_space *space, struct uvm_gpu *gpu,
				 const struct rm_uvm_memory_info *info,
				 struct uvm_external_map *map, struct pte_source *source)
{
	const struct uvm_peer *peer;

	map->sysmem = info->sysmem;
	if (!info->sysmem && !info->device)
		return NV_OK;
	/* It must not outlive its GPU, wherever it is. */
	map->owner = uvm_gpu_find(space, &info->uuid);
	if (!map->owner)
		return NV_ERR_INVALID_DEVICE;
	if (info->sysmem || map->owner == gpu)
		return NV_OK;
	peer = &space->peers[gpu->info.instance][map->owner->info.instance];
	if (!peer->enabled)
		return NV_ERR_INVALID_DEVICE;
	source->pte.aperture = RM_UVM_PEER;
	source->pte.peer = peer->way.id;
	source->base = peer->way.base;
	return NV_OK;
}

static enum nv_status map_memory(struct uvm_range *range, struct uvm_gpu *gpu,
				 const struct rm_uvm_object *object, u64 base, u64 length,
				 u64 offset, const UvmGpuMappingAttributes *a,
				 struct uvm_external_map *map)
{
	struct pte_source source = { .mmu = gpu->hal.mmu, .offset = offset };
	struct rm_uvm_memory_info info;
	enum nv_status status;
	u64 size;

	status = rm_uvm_memory_get(gpu->rm, object, &map->memory->rm, &info);
	if (status != NV_OK) {
		map->memory->rm = NULL;
		return status;
	}
	status = find_owner(range->space, gpu, &info, map, &source);
	if (status != NV_OK)
		return status;
	/* The largest page that address, length, offset and the memory allow. */
	map->page_size = uvm_page_size_for(&gpu->hal, info.page_size | base | length | offset);
	if (!map->page_size)
		return NV_ERR_INVALID_ADDRESS;
	if (!align_up_ok(info.size, info.page_size))
		return NV_ERR_INVALID_STATE;
	size = align_up(info.size, info.page_size);
	if (offset >= size)
		return NV_ERR_INVALID_BASE;
	if (length > size - offset)
		return NV_ERR_INVALID_LIMIT;
	status = pte_attributes(&info, a, &source.pte);
	if (status != NV_OK)
		return status;
	source.memory = map->memory->rm;
	source.page_size = map->page_size;
	return uvm_page_tree_map(&gpu->space->tree, base, length, map->page_size, memory_pte,
				 &source);
}

static enum nv_status map_on_gpu(struct uvm_range *range, struct uvm_gpu *gpu, struct rm_file *file,
				 const UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p,
				 const UvmGpuMappingAttributes *a)
{
	struct rm_uvm_object object = { file, p->hClient, p->hMemory };
	struct uvm_external_map *map;
	enum nv_status status;

	if (a->gpuCompressionType == UVM_COMPRESSION_NO_PLC && gpu->hal.plc != 1)
		return NV_ERR_INVALID_DEVICE;
	if (!uvm_gpu_can_address(gpu, p->base, p->length))
		return NV_ERR_OUT_OF_RANGE;
	status = unmap_in(range, gpu, p->base, p->base + p->length - 1);
	if (status != NV_OK)
		return status;
	map = os_alloc(sizeof(*map));
	if (!map)
		return NV_ERR_NO_MEMORY;
	map->memory = os_alloc(sizeof(*map->memory));
	if (!map->memory) {
		os_free(map);
		return NV_ERR_NO_MEMORY;
	}
	status = map_memory(range, gpu, &object, p->base, p->length, p->offset, a, map);
	if (status != NV_OK) {
		if (map->memory->rm)
			rm_uvm_memory_put(map->memory->rm);
		os_free(map->memory);
		os_free(map);
		return status;
	}
	map->memory->pieces = 1;
	map->node.start = p->base;
	map->node.last = p->base + p->length - 1;
	OS_BUG_ON(!uvm_tree_add(maps_of(range, gpu), &map->node));
	return NV_OK;
}

/* -- Ioctls ------------------------------------------------------------------------------------ */

enum nv_status uvm_create_external_range(struct uvm_file *file, void *params)
{
	UVM_CREATE_EXTERNAL_RANGE_PARAMS *p = params;
	struct uvm_range *range;
	enum nv_status status;

	if (uvm_bad_range(p->base, p->length, UVM_PAGE_4K))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&file->space->lock);
	status = uvm_range_create(file->space, p->base, p->length, UVM_RANGE_EXTERNAL, &range);
	os_mutex_unlock(&file->space->lock);
	return status;
}

/* The external range that has all of it, or NULL. */
static struct uvm_range *external_find(struct uvm_space *space, u64 base, u64 length)
{
	struct uvm_range *range = uvm_range_find(space, base);

	if (!range || range->kind != UVM_RANGE_EXTERNAL || range->node.last < base + length - 1)
		return NULL;
	return range;
}

static enum nv_status map_on_all(struct uvm_space *space, struct rm_file *file,
				 UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p)
{
	struct uvm_range *range = external_find(space, p->base, p->length);
	enum nv_status status = NV_OK;
	struct uvm_gpu *gpu;
	uvm_mask done = 0;
	u32 i, slot;

	if (!range)
		return NV_ERR_INVALID_ADDRESS;
	for (i = 0; i < p->gpuAttributesCount && status == NV_OK; i++) {
		const UvmGpuMappingAttributes *a = &p->perGpuAttributes[i];

		gpu = uvm_gpu_find_with_space(space, &a->gpuUuid);
		if (!uvm_attributes_ok(a))
			status = NV_ERR_INVALID_ARGUMENT;
		else if (!gpu)
			status = NV_ERR_INVALID_DEVICE;
		else
			status = map_on_gpu(range, gpu, file, p, a);
		done |= gpu && status == NV_OK ? BIT32(gpu->id) : 0;
	}
	if (status == NV_OK)
		return NV_OK;
	/* What this call mapped goes; what it replaced is gone. */
	uvm_for_each_gpu(gpu, slot, space)
	{
		if (uvm_has(done, gpu->id))
			(void)unmap_in(range, gpu, p->base, p->base + p->length - 1);
	}
	return status;
}

enum nv_status uvm_map_external_allocation(struct uvm_file *file, void *params)
{
	UVM_MAP_EXTERNAL_ALLOCATION_PARAMS *p = params;
	struct rm *rm = file->uvm->rm;
	struct rm_file *control;
	enum nv_status status;

	if (uvm_bad_range(p->base, p->length, UVM_PAGE_4K))
		return NV_ERR_INVALID_ADDRESS;
	if (!p->gpuAttributesCount || p->gpuAttributesCount > UVM_MAX_GPUS)
		return NV_ERR_INVALID_ARGUMENT;
	control = rm_uvm_file_get(rm, p->rmCtrlFd);
	os_mutex_lock(&file->space->lock);
	do
		status = map_on_all(file->space, control, p);
	while (uvm_evict_retry(file->space, &status));
	os_mutex_unlock(&file->space->lock);
	rm_uvm_file_put(rm, control);
	return status;
}

static enum nv_status sparse_pte(void *ctx, u64 offset, u64 *pte)
{
	const struct uvm_gpu *gpu = ctx;

	*pte = gpu->hal.mmu->pte_sparse();
	return NV_OK;
}

static enum nv_status sparse_map(struct uvm_space *space, UVM_MAP_EXTERNAL_SPARSE_PARAMS *p)
{
	struct uvm_range *range = external_find(space, p->base, p->length);
	struct uvm_external_map *map;
	struct uvm_gpu *gpu;
	enum nv_status status;

	if (!range)
		return NV_ERR_INVALID_ADDRESS;
	gpu = uvm_gpu_find_with_space(space, &p->gpuUuid);
	if (!gpu || gpu->hal.sparse != 1)
		return NV_ERR_INVALID_DEVICE;
	if (!uvm_gpu_can_address(gpu, p->base, p->length))
		return NV_ERR_OUT_OF_RANGE;
	status = unmap_in(range, gpu, p->base, p->base + p->length - 1);
	if (status != NV_OK)
		return status;
	map = os_alloc(sizeof(*map));
	if (!map)
		return NV_ERR_NO_MEMORY;
	map->page_size = UVM_PAGE_64K;
	status = uvm_page_tree_map(&gpu->space->tree, p->base, p->length, map->page_size,
				   sparse_pte, gpu);
	if (status != NV_OK) {
		os_free(map);
		return status;
	}
	map->node.start = p->base;
	map->node.last = p->base + p->length - 1;
	OS_BUG_ON(!uvm_tree_add(maps_of(range, gpu), &map->node));
	return NV_OK;
}

enum nv_status uvm_map_external_sparse(struct uvm_file *file, void *params)
{
	UVM_MAP_EXTERNAL_SPARSE_PARAMS *p = params;
	enum nv_status status;

	if (uvm_bad_range(p->base, p->length, UVM_PAGE_64K))
		return NV_ERR_INVALID_ADDRESS;
	os_mutex_lock(&file->space->lock);
	do
		status = sparse_map(file->space, p);
	while (uvm_evict_retry(file->space, &status));
	os_mutex_unlock(&file->space->lock);
	return status;
}

enum nv_status uvm_unmap_external(struct uvm_file *file, void *params)
{
	UVM_UNMAP_EXTERNAL_PARAMS *p = params;
	struct uvm_space *space = file->space;
	enum nv_status status = NV_ERR_INVALID_ADDRESS;
	struct uvm_range *range;
	struct uvm_gpu *gpu;

	if (uvm_bad_range(p->base, p->length, UVM_PAGE_4K))
		return status;
	os_mutex_lock(&space->lock);
	range = external_find(space, p->base, p->length);
	if (range) {
		gpu = uvm_gpu_find(space, &p->gpuUuid);
		status = gpu ? unmap_in(range, gpu, p->base, p->base + p->length - 1)
			     : NV_ERR_INVALID_DEVICE;
	}
	os_mutex_unlock(&space->lock);
	return status;
}
