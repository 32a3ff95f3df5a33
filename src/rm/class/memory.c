// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes NV01_MEMORY_SYSTEM and NV01_MEMORY_LOCAL_USER, with NV_MEMORY_ALLOCATION_PARAMS. A
 * duplicate shares the memory of its source.
 */
#include "rm/class/memory.h"

#include "base/bits.h"
#include "rm/class/class.h"

/* Owners that mark the driver's own memory; no client may use them. */
#define OWNER_SCRATCH_FIRST 0xdeaf0000u
#define OWNER_SCRATCH_LAST 0xdeaf0009u

#define PAGE_4K KIB(4)
#define PAGE_64K KIB(64)
#define PAGE_2M MIB(2)
#define PAGE_512M MIB(512)

/* The memory itself, shared by the objects that were duplicated from one another. */
struct rm_backing {
	u32 references; /* atomic */
	bool video;
	u64 size;
	struct os_pages pages;	     /* of system memory */
	struct rm_gpu *gpu;	     /* of video memory, referenced */
	struct rm_heap_block *block; /* in the GPU's heap */
};

struct rm_memory {
	struct rm_object object;
	struct rm_backing *backing;
	u32 attr, attr2, type, tag;
};

static struct rm_memory *to_memory(struct rm_object *object)
{
	return container_of(object, struct rm_memory, object);
}

static const struct rm_memory *to_memory_const(const struct rm_object *object)
{
	return container_of(object, struct rm_memory, object);
}

static bool is_memory(const struct rm_object *object)
{
	return object->class == &rm_class_system_memory || object->class == &rm_class_video_memory;
}

bool rm_memory_same(const struct rm_object *a, const struct rm_object *b)
{
	return is_memory(a) && is_memory(b) &&
	       to_memory_const(a)->backing == to_memory_const(b)->backing;
}

bool rm_memory_size(const struct rm_object *object, u64 *size)
{
	if (!is_memory(object))
		return false;
	*size = to_memory_const(object)->backing->size;
	return true;
}

static void backing_put(struct rm_backing *backing)
{
	if (os_fetch_sub(&backing->references, 1) != 1)
		return;
	if (backing->video) {
		struct rm_gpu_objects *objects = rm_gpu_objects_of(backing->gpu);

		os_mutex_lock(&objects->lock);
		rm_heap_free(&objects->heap, backing->block);
		os_mutex_unlock(&objects->lock);
		rm_gpu_put(backing->gpu);
	} else {
		os_pages_free(&backing->pages);
	}
	os_free(backing);
}

static bool is_iso_type(u32 type)
{
	return type == NVOS32_TYPE_PRIMARY || type == NVOS32_TYPE_VIDEO ||
	       type == NVOS32_TYPE_CURSOR;
}

/* What both kinds check first, in the interface's order. */
static enum nv_status validate(const struct rm_call *call, NV_MEMORY_ALLOCATION_PARAMS *p)
{
	if (!call->kernel && p->internalflags)
		return NV_ERR_INVALID_ARGUMENT;
	p->flags |= NVOS32_ALLOC_FLAGS_MAP_NOT_REQUIRED;
	p->flags &= ~(u32)NVOS32_ALLOC_FLAGS_KERNEL_MAPPING_MAP;
	p->address = 0;
	if (p->owner == 0 || p->owner == ~0u ||
	    (p->owner >= OWNER_SCRATCH_FIRST && p->owner <= OWNER_SCRATCH_LAST))
		return NV_ERR_INVALID_OWNER;
	if (!is_iso_type(p->type) && REG_GET(NVOS32_ATTR2_ISO, p->attr2) == NVOS32_ATTR2_ISO_YES)
		return NV_ERR_INVALID_ARGUMENT;
	if (REG_GET(NVOS32_ATTR2_PAGE_OFFLINING, p->attr2) == NVOS32_ATTR2_PAGE_OFFLINING_OFF &&
	    !rm_call_is_admin(call))
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	return NV_OK;
}

static u64 page_size_of(const NV_MEMORY_ALLOCATION_PARAMS *p, u64 fallback)
{
	switch (REG_GET(NVOS32_ATTR_PAGE_SIZE, p->attr)) {
	case NVOS32_ATTR_PAGE_SIZE_4KB:
		return PAGE_4K;
	case NVOS32_ATTR_PAGE_SIZE_BIG:
		return PAGE_64K;
	case NVOS32_ATTR_PAGE_SIZE_HUGE:
		return REG_GET(NVOS32_ATTR2_PAGE_SIZE_HUGE, p->attr2) ==
				       NVOS32_ATTR2_PAGE_SIZE_HUGE_512MB
			       ? PAGE_512M
			       : PAGE_2M;
	default:
		return fallback;
	}
}

static enum nv_status finish(struct rm_memory *memory, NV_MEMORY_ALLOCATION_PARAMS *p,
			     struct rm_backing *backing, u64 offset)
{
	memory->backing = backing;
	memory->attr = p->attr;
	memory->attr2 = p->attr2;
	memory->type = p->type;
	memory->tag = p->tag;
	p->size = backing->size;
	p->limit = backing->size - 1;
	p->offset = offset;
	return NV_OK;
}

static enum nv_status system_construct(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	NV_MEMORY_ALLOCATION_PARAMS *p = params;
	struct rm_backing *backing;
	enum nv_status status;
	u64 page;

	status = validate(call, p);
	if (status != NV_OK)
		return status;
	if (REG_GET(NVOS32_ATTR_LOCATION, p->attr) == NVOS32_ATTR_LOCATION_VIDMEM ||
	    (p->flags & NVOS32_ALLOC_FLAGS_VIRTUAL) || p->size == 0)
		return NV_ERR_INVALID_ARGUMENT;
	page = page_size_of(p, PAGE_4K);
	if (page != PAGE_4K &&
	    REG_GET(NVOS32_ATTR_PHYSICALITY, p->attr) == NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS)
		return NV_ERR_NOT_SUPPORTED;
	if (!align_up_ok(p->size, page))
		return NV_ERR_NO_MEMORY;

	backing = os_alloc(sizeof(*backing));
	if (!backing)
		return NV_ERR_NO_MEMORY;
	backing->references = 1;
	backing->size = align_up(p->size, page);
	status = os_pages_alloc(object->gpu->pci, backing->size, OS_PAGES_SHARED, &backing->pages);
	if (status != NV_OK) {
		os_free(backing);
		return status;
	}
	if (REG_GET(NVOS32_ATTR2_GPU_CACHEABLE, p->attr2) == NVOS32_ATTR2_GPU_CACHEABLE_DEFAULT)
		p->attr2 = (u32)REG_SET(NVOS32_ATTR2_GPU_CACHEABLE, p->attr2,
					(u64)NVOS32_ATTR2_GPU_CACHEABLE_NO);
	return finish(to_memory(object), p, backing, os_pages_dma(&backing->pages, 0));
}

/* A piece of the heap; larger sizes get larger pages unless the caller wants one. */
static enum nv_status video_alloc(struct rm_call *call, struct rm_object *object,
				  const NV_MEMORY_ALLOCATION_PARAMS *p, struct rm_backing *backing)
{
	u64 page = page_size_of(p, p->size >= PAGE_2M ? PAGE_2M : PAGE_64K);
	u64 align, lo = 0, hi = ~(u64)0;
	struct rm_gpu_objects *objects;
	enum nv_status status;

	if (!align_up_ok(p->size, page))
		return NV_ERR_NO_MEMORY;
	align = page;
	if (p->flags & NVOS32_ALLOC_FLAGS_ALIGNMENT_FORCE) {
		if (!is_power_of_2(p->alignment))
			return NV_ERR_INVALID_ARGUMENT;
		align = max(align, p->alignment);
	}
	backing->size = align_up(p->size, page);
	if (p->flags & NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE) {
		lo = p->offset;
		if (!is_aligned(lo, page) || backing->size - 1 > ~lo)
			return NV_ERR_INVALID_OFFSET;
		hi = lo + (backing->size - 1);
	} else if (p->rangeHi) {
		lo = p->rangeLo;
		hi = p->rangeHi;
	}
	status = rm_gpu_heap(object->gpu, &objects);
	if (status != NV_OK)
		return status;
	os_mutex_lock(&objects->lock);
	status = rm_heap_alloc(&objects->heap, backing->size, align, lo, hi,
			       object->client->cred.pid, &backing->block);
	os_mutex_unlock(&objects->lock);
	return status;
}

static enum nv_status video_construct(struct rm_call *call, struct rm_object *object, void *params,
				      u32 params_size)
{
	NV_MEMORY_ALLOCATION_PARAMS *p = params;
	struct rm_backing *backing;
	enum nv_status status;

	status = validate(call, p);
	if (status != NV_OK)
		return status;
	if (REG_GET(NVOS32_ATTR_LOCATION, p->attr) != NVOS32_ATTR_LOCATION_VIDMEM ||
	    (p->flags & NVOS32_ALLOC_FLAGS_VIRTUAL) || p->size == 0)
		return NV_ERR_INVALID_ARGUMENT;

	backing = os_alloc(sizeof(*backing));
	if (!backing)
		return NV_ERR_NO_MEMORY;
	backing->references = 1;
	backing->video = true;
	status = video_alloc(call, object, p, backing);
	if (status != NV_OK) {
		os_free(backing);
		return status;
	}
	backing->gpu = object->gpu;
	rm_gpu_get(backing->gpu);
	return finish(to_memory(object), p, backing, backing->block->base);
}

static void memory_destruct(struct rm_call *call, struct rm_object *object)
{
	backing_put(to_memory(object)->backing);
}

static enum nv_status memory_duplicate(struct rm_call *call, struct rm_object *copy,
				       const struct rm_object *source)
{
	const struct rm_memory *from = to_memory_const(source);
	struct rm_memory *to = to_memory(copy);

	/* The other GPU would need a mapping of its own. */
	if (copy->gpu != source->gpu)
		return NV_ERR_NOT_SUPPORTED;
	os_fetch_add(&from->backing->references, 1);
	to->backing = from->backing;
	to->attr = from->attr;
	to->attr2 = from->attr2;
	to->type = from->type;
	to->tag = from->tag;
	return NV_OK;
}

static enum nv_status memory_get_page_size(struct rm_call *call, void *params)
{
	NV0041_CTRL_GET_MEM_PAGE_SIZE_PARAMS *p = params;
	const struct rm_memory *memory = to_memory(call->object);
	u32 size = (u32)REG_GET(NVOS32_ATTR_PAGE_SIZE, memory->attr);

	p->pageSize = PAGE_4K;
	if (size == NVOS32_ATTR_PAGE_SIZE_BIG)
		p->pageSize = PAGE_64K;
	else if (size == NVOS32_ATTR_PAGE_SIZE_HUGE)
		p->pageSize = PAGE_2M;
	else if (size == NVOS32_ATTR_PAGE_SIZE_DEFAULT && memory->backing->video)
		p->pageSize = memory->backing->size >= PAGE_2M ? PAGE_2M : PAGE_64K;
	return NV_OK;
}

static enum nv_status memory_set_tag(struct rm_call *call, void *params)
{
	const NV0041_CTRL_CMD_SET_TAG_PARAMS *p = params;

	to_memory(call->object)->tag = p->tag;
	return NV_OK;
}

static enum nv_status memory_get_tag(struct rm_call *call, void *params)
{
	NV0041_CTRL_CMD_GET_TAG_PARAMS *p = params;

	p->tag = to_memory(call->object)->tag;
	return NV_OK;
}

static const struct rm_control_handler memory_controls[] = {
	{ NV0041_CTRL_CMD_GET_MEM_PAGE_SIZE, memory_get_page_size },
	{ NV0041_CTRL_CMD_SET_TAG, memory_set_tag },
	{ NV0041_CTRL_CMD_GET_TAG, memory_get_tag },
};

const struct rm_class rm_class_system_memory = {
	.iclass = ABI_ICLASS_SystemMemory,
	.object_size = sizeof(struct rm_memory),
	.construct = system_construct,
	.destruct = memory_destruct,
	.duplicate = memory_duplicate,
	.controls = memory_controls,
	.control_count = ARRAY_SIZE(memory_controls),
};

const struct rm_class rm_class_video_memory = {
	.iclass = ABI_ICLASS_VideoMemory,
	.object_size = sizeof(struct rm_memory),
	.construct = video_construct,
	.destruct = memory_destruct,
	.duplicate = memory_duplicate,
	.controls = memory_controls,
	.control_count = ARRAY_SIZE(memory_controls),
};
