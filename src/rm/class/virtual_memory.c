// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Ranges of address spaces as objects, and the memory that clients map into them. */
#include "rm/class/virtual_memory.h"

#include "base/bits.h"
#include "base/range.h"
#include "rm/class/class.h"
#include "rm/class/vaspace.h"

struct virtual_memory {
	struct rm_object object;
	struct rm_vaspace *space; /* referenced; NULL: nothing can be mapped */
	u64 lo, hi;		  /* where mappings may lie, both included */
	struct extent *range;	  /* of NV50_MEMORY_VIRTUAL: taken in space */
	struct extents free;	  /* ... the parts of it that nothing is mapped in */
	bool sparse;
	bool read_only;
	struct list mappings; /* struct dma_mapping */
};

/* Memory that is mapped at va; nodes under the client's lock. */
struct dma_mapping {
	struct list_node range_node, memory_node;
	struct virtual_memory *range;
	struct rm_mappable *memory;
	struct rm_backing *backing; /* referenced */
	struct extent *taken;	    /* of the range, or of the space */
	u64 address;		    /* as the client was told */
};

static struct virtual_memory *to_virtual(const struct rm_object *object)
{
	return container_of(object, struct virtual_memory, object);
}

static bool is_virtual(const struct rm_object *object)
{
	return object->class == &rm_class_virtual_memory ||
	       object->class == &rm_class_virtual_memory_range;
}

/* -- Mappings ---------------------------------------------------------------------------------- */

/* The largest page that the memory, the part of it and the flags allow; 0: none. */
static u64 choose_page(const struct rm_backing *backing, const struct rm_dma_map *map)
{
	static const u64 sizes[] = { MIB(512), MIB(2), KIB(64), KIB(4) };
	u64 natural = rm_backing_page_size(backing), only = 0;
	u32 i;

	switch (REG_GET(NVOS46_FLAGS_PAGE_SIZE, map->flags)) {
	case NVOS46_FLAGS_PAGE_SIZE_DEFAULT:
	case NVOS46_FLAGS_PAGE_SIZE_BOTH:
		break;
	case NVOS46_FLAGS_PAGE_SIZE_4KB:
		only = KIB(4);
		break;
	case NVOS46_FLAGS_PAGE_SIZE_BIG:
		only = KIB(64);
		break;
	case NVOS46_FLAGS_PAGE_SIZE_HUGE:
		only = MIB(2);
		break;
	default:
		return 0;
	}
	if (only)
		return only <= natural ? only : 0;
	for (i = 0; i < ARRAY_SIZE(sizes) - 1; i++)
		if (sizes[i] <= natural && is_aligned(map->offset | map->length, sizes[i]))
			return sizes[i];
	return KIB(4);
}

static enum nv_status take(struct virtual_memory *v, const struct rm_dma_map *map, u64 size,
			   u64 page, u64 fixed, struct extent **taken)
{
	bool high = REG_GET(NVOS46_FLAGS_DMA_OFFSET_GROWS, map->flags) ==
		    NVOS46_FLAGS_DMA_OFFSET_GROWS_DOWN;
	struct rm_vaspace_request r = {
		.lo = v->lo, .hi = v->hi, .size = size, .align = page, .high = high
	};

	if (REG_GET(NVOS46_FLAGS_DMA_OFFSET_FIXED, map->flags) ==
	    NVOS46_FLAGS_DMA_OFFSET_FIXED_TRUE) {
		if (!is_aligned(fixed, page) || fixed < v->lo || fixed > v->hi ||
		    size - 1 > v->hi - fixed)
			return NV_ERR_INVALID_OFFSET;
		r.lo = fixed;
		r.hi = fixed + (size - 1);
	}
	if (v->range)
		return extents_take(&v->free, size, page, r.lo, r.hi, high, taken);
	return rm_vaspace_reserve(v->space, &r, taken);
}

static void give(struct virtual_memory *v, struct extent *taken)
{
	if (v->range)
		extents_give(&v->free, taken);
	else
		rm_vaspace_release(v->space, taken);
}

static bool cached_by_gpu(const struct rm_mappable *memory)
{
	u64 cacheable = REG_GET(NVOS32_ATTR2_GPU_CACHEABLE, memory->attr2);

	if (cacheable != NVOS32_ATTR2_GPU_CACHEABLE_DEFAULT)
		return cacheable == NVOS32_ATTR2_GPU_CACHEABLE_YES;
	return rm_backing_kind(memory->backing) == RM_BACKING_VIDEO;
}

static enum nv_status check(const struct rm_dma_map *map)
{
	const struct rm_mappable *memory;
	u64 end;

	if (!is_virtual(map->range))
		return NV_ERR_INVALID_OBJECT_HANDLE;
	if (!to_virtual(map->range)->space || !map->memory->class->mappable)
		return NV_ERR_NOT_SUPPORTED;
	memory = to_mappable(map->memory);
	if (rm_backing_kind(memory->backing) == RM_BACKING_BAR ||
	    REG_GET(NVOS46_FLAGS_P2P_ENABLE, map->flags) != NVOS46_FLAGS_P2P_ENABLE_NO)
		return NV_ERR_NOT_SUPPORTED;
	if (rm_backing_gpu(memory->backing) != map->range->gpu)
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (!map->length || add_overflows(map->offset, map->length, &end) ||
	    end > rm_backing_size(memory->backing))
		return NV_ERR_INVALID_BASE;
	return NV_OK;
}

enum nv_status rm_dma_map(const struct rm_dma_map *map, u64 *address)
{
	struct virtual_memory *v = to_virtual(map->range);
	struct rm_mappable *memory = to_mappable(map->memory);
	struct rm_vaspace_map pages = { .backing = NULL };
	struct dma_mapping *mapping;
	enum nv_status status;
	u64 into;

	status = check(map);
	if (status != NV_OK)
		return status;
	pages.page_size = choose_page(memory->backing, map);
	if (!pages.page_size)
		return NV_ERR_NOT_SUPPORTED;
	pages.backing = memory->backing;
	pages.offset = align_down(map->offset, pages.page_size);
	pages.size = align_up(map->offset + map->length, pages.page_size) - pages.offset;
	pages.read_only =
		v->read_only ||
		REG_GET(NVOS46_FLAGS_ACCESS, map->flags) == NVOS46_FLAGS_ACCESS_READ_ONLY ||
		REG_GET(NVOS32_ATTR2_PROTECTION_DEVICE, memory->attr2) ==
			NVOS32_ATTR2_PROTECTION_DEVICE_READ_ONLY;
	pages.gpu_uncached = !cached_by_gpu(memory);
	pages.kind = rm_memory_kind(memory->attr);
	into = map->offset - pages.offset;
	if (REG_GET(NVOS46_FLAGS_DMA_OFFSET_FIXED, map->flags) !=
	    NVOS46_FLAGS_DMA_OFFSET_FIXED_TRUE)
		*address = into;
	mapping = os_alloc(sizeof(*mapping));
	if (!mapping)
		return NV_ERR_NO_MEMORY;
	/* Where the first page is, from where the byte at offset is to be. */
	status = *address < into ? NV_ERR_INVALID_OFFSET
				 : take(v, map, pages.size, pages.page_size, *address - into,
					&mapping->taken);
	if (status != NV_OK)
		goto free_mapping;
	pages.va = mapping->taken->start;
	status = rm_vaspace_map(v->space, &pages);
	if (status != NV_OK)
		goto give_back;
	mapping->range = v;
	mapping->memory = memory;
	mapping->backing = memory->backing;
	rm_backing_get(mapping->backing);
	mapping->address = pages.va + into;
	list_add_tail(&mapping->range_node, &v->mappings);
	if (!memory->dma_mappings.root.next)
		list_init(&memory->dma_mappings);
	list_add_tail(&mapping->memory_node, &memory->dma_mappings);
	*address = mapping->address;
	return NV_OK;

give_back:
	if (status == NV_ERR_TIMEOUT && v->sparse)
		(void)rm_vaspace_unmap(v->space, pages.va, pages.size, true);
	give(v, mapping->taken);
free_mapping:
	os_free(mapping);
	return status;
}

static enum nv_status mapping_drop(struct dma_mapping *mapping)
{
	struct virtual_memory *v = mapping->range;
	struct extent *taken = mapping->taken;
	enum nv_status status;

	status = rm_vaspace_unmap(v->space, taken->start, taken->size, v->sparse);
	if (status == NV_ERR_NO_MEMORY)
		status = rm_vaspace_unmap(v->space, taken->start, taken->size, false);
	list_del(&mapping->range_node);
	list_del(&mapping->memory_node);
	give(v, taken);
	rm_backing_put(mapping->backing);
	os_free(mapping);
	return status;
}

enum nv_status rm_dma_unmap(struct rm_object *range, const struct rm_object *memory, u64 address)
{
	struct dma_mapping *mapping;

	if (!is_virtual(range))
		return NV_ERR_INVALID_OBJECT_HANDLE;
	list_for_each_entry (mapping, &to_virtual(range)->mappings, range_node) {
		if (mapping->address == address && (!memory || &mapping->memory->object == memory))
			return mapping_drop(mapping);
	}
	return NV_ERR_OBJECT_NOT_FOUND;
}

void rm_dma_mappings_drop(struct rm_mappable *mappable)
{
	struct dma_mapping *mapping, *next;

	if (!mappable->dma_mappings.root.next)
		return;
	list_for_each_entry_safe (mapping, next, &mappable->dma_mappings, memory_node)
		(void)mapping_drop(mapping);
}

/* -- NV50_MEMORY_VIRTUAL ----------------------------------------------------------------------- */

static u64 page_size_of(const NV_MEMORY_ALLOCATION_PARAMS *p)
{
	switch (REG_GET(NVOS32_ATTR_PAGE_SIZE, p->attr)) {
	case NVOS32_ATTR_PAGE_SIZE_BIG:
		return KIB(64);
	case NVOS32_ATTR_PAGE_SIZE_HUGE:
		return REG_GET(NVOS32_ATTR2_PAGE_SIZE_HUGE, p->attr2) ==
				       NVOS32_ATTR2_PAGE_SIZE_HUGE_512MB
			       ? MIB(512)
			       : MIB(2);
	default:
		return KIB(4);
	}
}

/* Room for pages as large as the size makes likely, where it may be anywhere. */
static u64 likely_page(u64 size)
{
	return size >= MIB(2) ? MIB(2) : size >= KIB(64) ? KIB(64) : KIB(4);
}

static enum nv_status range_request(const NV_MEMORY_ALLOCATION_PARAMS *p,
				    struct rm_vaspace_request *r)
{
	u64 page = page_size_of(p);

	os_memset(r, 0, sizeof(*r));
	if (!align_up_ok(p->size, page))
		return NV_ERR_NO_MEMORY;
	r->size = align_up(p->size, page);
	r->align = max(page, likely_page(r->size));
	r->high = p->flags & NVOS32_ALLOC_FLAGS_FORCE_MEM_GROWS_DOWN;
	r->hi = ~(u64)0;
	if (p->flags & NVOS32_ALLOC_FLAGS_ALIGNMENT_FORCE) {
		if (!is_power_of_2(p->alignment))
			return NV_ERR_INVALID_ARGUMENT;
		r->align = max(page, (u64)p->alignment);
	}
	if (p->flags & NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE) {
		if (!is_aligned(p->offset, page) || r->size - 1 > ~(u64)p->offset)
			return NV_ERR_INVALID_OFFSET;
		r->align = page;
		r->lo = p->offset;
		r->hi = r->lo + (r->size - 1);
	} else if (p->rangeHi) {
		r->lo = p->rangeLo;
		r->hi = p->rangeHi;
	}
	return NV_OK;
}

static void virtual_free(struct virtual_memory *v)
{
	if (v->range) {
		extents_fini(&v->free);
		rm_vaspace_release(v->space, v->range);
	}
	rm_vaspace_put(v->space);
}

/* The space goes after the object, which it may be in another object of. */
static enum nv_status find_space(struct rm_object *object, u32 handle, struct rm_vaspace **out)
{
	struct rm_object *space;
	enum nv_status status;

	status = rm_vaspace_find(object->parent, handle, out);
	if (status != NV_OK || !handle)
		return status;
	status = rm_object_find(object->client, handle, &space);
	if (status == NV_OK)
		status = rm_object_depend(object, space);
	if (status != NV_OK)
		rm_vaspace_put(*out);
	return status;
}

static enum nv_status virtual_construct(struct rm_call *call, struct rm_object *object,
					void *params, u32 params_size)
{
	NV_MEMORY_ALLOCATION_PARAMS *p = params;
	struct virtual_memory *v = to_virtual(object);
	struct rm_vaspace_request request;
	enum nv_status status;

	if (!call->kernel && p->internalflags)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->owner == 0 || p->owner == ~0u)
		return NV_ERR_INVALID_OWNER;
	if (!(p->flags & NVOS32_ALLOC_FLAGS_VIRTUAL) || p->size == 0)
		return NV_ERR_INVALID_ARGUMENT;
	status = range_request(p, &request);
	if (status == NV_OK)
		status = find_space(object, p->hVASpace, &v->space);
	if (status != NV_OK)
		return status;
	list_init(&v->mappings);
	status = rm_vaspace_reserve(v->space, &request, &v->range);
	if (status != NV_OK)
		goto fail;
	extents_init(&v->free);
	v->lo = v->range->start;
	v->hi = v->lo + (request.size - 1);
	v->sparse = p->flags & NVOS32_ALLOC_FLAGS_SPARSE;
	v->read_only = p->flags & NVOS32_ALLOC_FLAGS_DEVICE_READ_ONLY;
	status = extents_add(&v->free, v->lo, request.size);
	if (status == NV_OK && v->sparse)
		status = rm_vaspace_unmap(v->space, v->lo, request.size, true);
	if (status != NV_OK)
		goto fail;
	p->offset = v->lo;
	p->size = request.size;
	p->limit = request.size - 1;
	p->alignment = request.align;
	return NV_OK;

fail:
	virtual_free(v);
	return status;
}

static void virtual_destruct(struct rm_call *call, struct rm_object *object)
{
	struct virtual_memory *v = to_virtual(object);
	struct dma_mapping *mapping, *next;

	list_for_each_entry_safe (mapping, next, &v->mappings, range_node)
		(void)mapping_drop(mapping);
	if (v->sparse)
		(void)rm_vaspace_unmap(v->space, v->lo, v->hi - v->lo + 1, false);
	virtual_free(v);
}

/* -- NV01_MEMORY_VIRTUAL ----------------------------------------------------------------------- */

static enum nv_status window_construct(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS *p = params;
	struct virtual_memory *v = to_virtual(object);
	enum nv_status status;
	u64 first;

	list_init(&v->mappings);
	v->hi = BIT64(40) - 1;
	if (p->hVASpace != NV_MEMORY_VIRTUAL_SYSMEM_DYNAMIC_HVASPACE) {
		status = find_space(object, p->hVASpace, &v->space);
		if (status != NV_OK)
			return status;
		rm_vaspace_limits(v->space, &first, &v->hi);
	}
	status = p->limit > v->hi ? NV_ERR_INVALID_LIMIT : NV_OK;
	if (status == NV_OK && p->limit)
		v->hi = p->limit;
	if (status == NV_OK && p->offset > v->hi)
		status = NV_ERR_INVALID_OFFSET;
	if (status != NV_OK) {
		virtual_free(v);
		return status;
	}
	v->lo = p->offset;
	p->limit = v->hi;
	return NV_OK;
}

const struct rm_class rm_class_virtual_memory = {
	.iclass = ABI_ICLASS_VirtualMemory,
	.object_size = sizeof(struct virtual_memory),
	.construct = virtual_construct,
	.destruct = virtual_destruct,
};

const struct rm_class rm_class_virtual_memory_range = {
	.iclass = ABI_ICLASS_VirtualMemoryRange,
	.object_size = sizeof(struct virtual_memory),
	.construct = window_construct,
	.destruct = virtual_destruct,
};
