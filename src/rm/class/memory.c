// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes NV01_MEMORY_SYSTEM and NV01_MEMORY_LOCAL_USER, with NV_MEMORY_ALLOCATION_PARAMS, and
 * NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, a process's own memory. A duplicate shares the memory of its
 * source.
 */
#include "rm/class/memory.h"

#include "base/bits.h"
#include "rm/cc/session.h"
#include "rm/class/class.h"
#include "rm/class/mapping.h"
#include "rm/class/memory_control.h"
#include "rm/class/virtual_memory.h"

/* Owners that mark the driver's own memory; no client may use them. */
#define OWNER_SCRATCH_FIRST 0xdeaf0000u
#define OWNER_SCRATCH_LAST 0xdeaf0009u

#define PAGE_4K KIB(4)
#define PAGE_64K KIB(64)
#define PAGE_2M MIB(2)
#define PAGE_512M MIB(512)

static bool is_memory(const struct rm_object *object)
{
	return object->class->mappable &&
	       rm_backing_kind(to_mappable(object)->backing) != RM_BACKING_BAR;
}

struct rm_backing *rm_memory_backing(const struct rm_object *object)
{
	return object->class->mappable ? to_mappable(object)->backing : NULL;
}

bool rm_memory_same(const struct rm_object *a, const struct rm_object *b)
{
	return is_memory(a) && is_memory(b) &&
	       rm_backing_same(to_mappable(a)->backing, to_mappable(b)->backing);
}

bool rm_memory_size(const struct rm_object *object, u64 *size)
{
	if (!is_memory(object))
		return false;
	*size = rm_backing_size(to_mappable(object)->backing);
	return true;
}

u8 rm_memory_kind(u32 attr)
{
	return REG_GET(NVOS32_ATTR_FORMAT, attr) == NVOS32_ATTR_FORMAT_BLOCK_LINEAR
		       ? NV_MMU_PTE_KIND_GENERIC_MEMORY
		       : NV_MMU_PTE_KIND_PITCH;
}

void rm_mappable_fini(struct rm_mappable *mappable)
{
	rm_dma_mappings_drop(mappable);
	rm_cpu_mappings_drop(&mappable->object);
	rm_backing_put(mappable->backing);
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

static u64 protection_of(const NV_MEMORY_ALLOCATION_PARAMS *p)
{
	return REG_GET(NVOS32_ATTR2_MEMORY_PROTECTION, p->attr2);
}

/* All video memory is protected in confidential mode, and none of it is elsewhere. */
static bool protection_fits(const struct rm_gpu *gpu, const NV_MEMORY_ALLOCATION_PARAMS *p)
{
	return protection_of(p) != (rm_cc_mode(gpu) ? NVOS32_ATTR2_MEMORY_PROTECTION_UNPROTECTED
						    : NVOS32_ATTR2_MEMORY_PROTECTION_PROTECTED);
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

static void finish(struct rm_mappable *memory, NV_MEMORY_ALLOCATION_PARAMS *p,
		   struct rm_backing *backing)
{
	enum rm_aperture aperture;
	u64 contiguous;

	p->size = rm_backing_size(backing);
	p->limit = p->size - 1;
	p->offset = rm_backing_address(backing, 0, &aperture, &contiguous);
	if (aperture == RM_APERTURE_VIDEO)
		p->attr = (u32)REG_SET(NVOS32_ATTR_PHYSICALITY, p->attr,
				       (u64)(contiguous == p->size
						     ? NVOS32_ATTR_PHYSICALITY_CONTIGUOUS
						     : NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS));
	memory->backing = backing;
	memory->attr = p->attr;
	memory->attr2 = p->attr2;
	memory->flags = p->flags;
	memory->type = p->type;
	memory->tag = p->tag;
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
	/* A client shares with a GPU in confidential mode what it says, and nothing else. */
	if (rm_cc_mode(object->gpu) &&
	    protection_of(p) != NVOS32_ATTR2_MEMORY_PROTECTION_UNPROTECTED)
		status = rm_backing_alloc_private(object->gpu, align_up(p->size, page), &backing);
	else
		status = rm_backing_alloc_system(object->gpu, align_up(p->size, page), &backing);
	if (status != NV_OK)
		return status;
	if (REG_GET(NVOS32_ATTR2_GPU_CACHEABLE, p->attr2) == NVOS32_ATTR2_GPU_CACHEABLE_DEFAULT)
		p->attr2 = (u32)REG_SET(NVOS32_ATTR2_GPU_CACHEABLE, p->attr2,
					(u64)NVOS32_ATTR2_GPU_CACHEABLE_NO);
	finish(to_mappable(object), p, backing);
	return NV_OK;
}

/* Where and how in video memory; larger sizes get larger pages unless the caller wants one. */
static enum nv_status video_request(const struct rm_object *object,
				    const NV_MEMORY_ALLOCATION_PARAMS *p,
				    struct rm_video_request *r)
{
	u32 physicality = (u32)REG_GET(NVOS32_ATTR_PHYSICALITY, p->attr);

	os_memset(r, 0, sizeof(*r));
	r->page_size = page_size_of(p, p->size >= PAGE_2M ? PAGE_2M : PAGE_64K);
	if (!align_up_ok(p->size, r->page_size))
		return NV_ERR_NO_MEMORY;
	r->size = align_up(p->size, r->page_size);
	r->align = r->page_size;
	if (p->flags & NVOS32_ALLOC_FLAGS_ALIGNMENT_FORCE) {
		if (!is_power_of_2(p->alignment))
			return NV_ERR_INVALID_ARGUMENT;
		r->align = max(r->align, (u64)p->alignment);
	}
	r->hi = ~(u64)0;
	r->high = p->flags & NVOS32_ALLOC_FLAGS_FORCE_MEM_GROWS_DOWN;
	r->scattered = physicality == NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS ||
		       physicality == NVOS32_ATTR_PHYSICALITY_ALLOW_NONCONTIGUOUS;
	r->pid = object->client->cred.pid;
	if (p->flags & NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE) {
		r->lo = p->offset;
		r->scattered = false;
		if (!is_aligned(r->lo, r->page_size) || r->size - 1 > ~r->lo)
			return NV_ERR_INVALID_OFFSET;
		r->hi = r->lo + (r->size - 1);
	} else if (p->rangeHi) {
		r->lo = p->rangeLo;
		r->hi = p->rangeHi;
	}
	return NV_OK;
}

static enum nv_status video_construct(struct rm_call *call, struct rm_object *object, void *params,
				      u32 params_size)
{
	NV_MEMORY_ALLOCATION_PARAMS *p = params;
	struct rm_video_request request;
	struct rm_backing *backing;
	enum nv_status status;

	status = validate(call, p);
	if (status != NV_OK)
		return status;
	if (REG_GET(NVOS32_ATTR_LOCATION, p->attr) != NVOS32_ATTR_LOCATION_VIDMEM ||
	    (p->flags & NVOS32_ALLOC_FLAGS_VIRTUAL) || p->size == 0)
		return NV_ERR_INVALID_ARGUMENT;
	if (!protection_fits(object->gpu, p))
		return NV_ERR_INVALID_ARGUMENT;
	status = video_request(object, p, &request);
	if (status == NV_OK)
		status = rm_backing_alloc_client(object->gpu, &request, &backing);
	/* Wherever else it is, unified memory may give it back. */
	if (status == NV_ERR_NO_MEMORY && !request.lo && request.hi == ~(u64)0)
		rm_call_lacks(call, object->gpu, request.size);
	if (status == NV_OK)
		finish(to_mappable(object), p, backing);
	return status;
}

/* The pages were pinned before any lock was taken (escape/memory.c), for no device yet. */
static enum nv_status descriptor_construct(struct rm_call *call, struct rm_object *object,
					   void *params, u32 params_size)
{
	NV_OS_DESC_MEMORY_ALLOCATION_PARAMS *p = params;
	struct rm_mappable *memory = to_mappable(object);
	struct rm_backing *pinned;
	enum nv_status status;

	if (!call->pinned || !call->pinned->impl)
		return NV_ERR_NOT_SUPPORTED;
	status = rm_backing_of_pages(object->gpu, call->pinned, true, &pinned);
	if (status != NV_OK)
		return status;
	status = rm_backing_share(pinned, object->gpu, &memory->backing);
	rm_backing_put(pinned);
	if (status != NV_OK)
		return status;
	memory->attr = p->attr;
	memory->attr2 = p->attr2;
	memory->flags = p->flags;
	memory->type = p->type;
	memory->tag = p->tag;
	return NV_OK;
}

static void memory_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_mappable_fini(to_mappable(object));
}

/* Another GPU reaches system memory by addresses of its own, and video memory as a peer only. */
enum nv_status rm_memory_duplicate(struct rm_call *call, struct rm_object *copy,
				   const struct rm_object *source)
{
	const struct rm_mappable *from = to_mappable(source);
	struct rm_mappable *to = to_mappable(copy);
	enum nv_status status;

	if (copy->gpu == rm_backing_gpu(from->backing)) {
		rm_backing_get(from->backing);
		to->backing = from->backing;
	} else {
		status = rm_backing_share(from->backing, copy->gpu, &to->backing);
		if (status != NV_OK)
			return status;
	}
	to->attr = from->attr;
	to->attr2 = from->attr2;
	to->flags = from->flags;
	to->type = from->type;
	to->tag = from->tag;
	return NV_OK;
}

const struct rm_class rm_class_system_memory = {
	.iclass = ABI_ICLASS_SystemMemory,
	.object_size = sizeof(struct rm_mappable),
	.construct = system_construct,
	.destruct = memory_destruct,
	.duplicate = rm_memory_duplicate,
	.controls = rm_memory_controls,
	.control_count = RM_MEMORY_CONTROLS,
	.mappable = true,
};

const struct rm_class rm_class_video_memory = {
	.iclass = ABI_ICLASS_VideoMemory,
	.object_size = sizeof(struct rm_mappable),
	.construct = video_construct,
	.destruct = memory_destruct,
	.duplicate = rm_memory_duplicate,
	.controls = rm_memory_controls,
	.control_count = RM_MEMORY_CONTROLS,
	.mappable = true,
};

const struct rm_class rm_class_os_descriptor_memory = {
	.iclass = ABI_ICLASS_OsDescMemory,
	.object_size = sizeof(struct rm_mappable),
	.construct = descriptor_construct,
	.destruct = memory_destruct,
	.duplicate = rm_memory_duplicate,
	.controls = rm_memory_controls,
	.control_count = RM_MEMORY_CONTROLS,
	.mappable = true,
};
