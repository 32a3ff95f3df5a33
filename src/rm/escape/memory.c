// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The old ways to allocate memory (ALLOC_MEMORY, VID_HEAP_CONTROL), which make ordinary memory
 * objects, and the caller's own memory, which is pinned before any lock is taken.
 */
#include "base/bits.h"
#include "rm/class/state.h"
#include "rm/escape/escape.h"
#include "rm/gpu/static_info.h"

#define PARTITION_STRIDE 256u
#define OWNER_OF_OLD_REQUESTS 0x7368696du /* NV_MEMORY_ALLOCATION_PARAMS.owner of ALLOC_MEMORY */

static enum nv_status refused(enum nv_status status)
{
	return status == NV_OK ? NV_ERR_NOT_SUPPORTED : status;
}

/* A memory object under parent, as the caller itself could allocate it. */
static enum nv_status alloc_memory(struct rm_file *file, u32 client, u32 parent, u32 *memory,
				   NV_MEMORY_ALLOCATION_PARAMS *params)
{
	NVOS64_PARAMETERS alloc = {
		.hRoot = client,
		.hObjectParent = parent,
		.hObjectNew = *memory,
		.hClass = NV01_MEMORY_SYSTEM,
		.pAllocParms = (NvP64)(uintptr_t)params,
		.paramsSize = sizeof(*params),
	};
	struct rm_file *none = NULL;

	if (params->flags & NVOS32_ALLOC_FLAGS_VIRTUAL)
		alloc.hClass = NV50_MEMORY_VIRTUAL;
	else if (REG_GET(NVOS32_ATTR_LOCATION, params->attr) == NVOS32_ATTR_LOCATION_VIDMEM)
		alloc.hClass = NV01_MEMORY_LOCAL_USER;
	rm_api_alloc_prepared(file, &alloc, &none);
	*memory = alloc.hObjectNew;
	return alloc.status;
}

/* -- NV_ESC_RM_ALLOC_MEMORY ----------------------------------------------------------------------
 */

static bool coherency_of(u32 flags, u32 *attr)
{
	static const struct {
		u32 old, new;
	} map[] = {
		{ NVOS02_FLAGS_COHERENCY_UNCACHED, NVOS32_ATTR_COHERENCY_UNCACHED },
		{ NVOS02_FLAGS_COHERENCY_CACHED, NVOS32_ATTR_COHERENCY_CACHED },
		{ NVOS02_FLAGS_COHERENCY_WRITE_COMBINE, NVOS32_ATTR_COHERENCY_WRITE_COMBINE },
		{ NVOS02_FLAGS_COHERENCY_WRITE_THROUGH, NVOS32_ATTR_COHERENCY_WRITE_THROUGH },
		{ NVOS02_FLAGS_COHERENCY_WRITE_PROTECT, NVOS32_ATTR_COHERENCY_WRITE_PROTECT },
		{ NVOS02_FLAGS_COHERENCY_WRITE_BACK, NVOS32_ATTR_COHERENCY_WRITE_BACK },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		if (REG_GET(NVOS02_FLAGS_COHERENCY, flags) == map[i].old) {
			*attr |= (u32)REG_PREP(NVOS32_ATTR_COHERENCY, map[i].new);
			return true;
		}
	}
	return false;
}

/* The new object, mapped whole through the descriptor; without that mapping there is none. */
static enum nv_status map_at_once(struct rm_file *file, NVOS02_PARAMETERS *p, u32 memory, s32 fd)
{
	NVOS33_PARAMETERS map = {
		.hClient = p->hRoot,
		.hDevice = p->hObjectParent,
		.hMemory = memory,
		.length = p->limit + 1,
	};
	NVOS00_PARAMETERS free = { .hRoot = p->hRoot, .hObjectOld = memory };

	map.status = escape_map(file, &map, fd);
	if (map.status == NV_OK)
		p->pMemory = map.pLinearAddress;
	else
		rm_api_free(file, &free);
	return map.status;
}

static enum nv_status alloc_system(struct rm_file *file, NVOS02_PARAMETERS *p, s32 fd)
{
	NV_MEMORY_ALLOCATION_PARAMS params = {
		.owner = OWNER_OF_OLD_REQUESTS,
		.size = p->limit + 1,
		.type = NVOS32_TYPE_IMAGE,
		.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI),
	};
	u32 memory = p->hObjectNew;
	enum nv_status status;

	if (REG_GET(NVOS02_FLAGS_LOCATION, p->flags) != NVOS02_FLAGS_LOCATION_PCI ||
	    REG_GET(NVOS02_FLAGS_ALLOC, p->flags) == NVOS02_FLAGS_ALLOC_NONE)
		return NV_ERR_INVALID_FLAGS;
	if (!coherency_of(p->flags, &params.attr))
		return NV_ERR_INVALID_FLAGS;
	if (REG_GET(NVOS02_FLAGS_PHYSICALITY, p->flags) != NVOS02_FLAGS_PHYSICALITY_CONTIGUOUS)
		params.attr |= (u32)REG_PREP(NVOS32_ATTR_PHYSICALITY,
					     NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS);
	p->pMemory = 0;
	if (REG_GET(NVOS02_FLAGS_MAPPING, p->flags) != NVOS02_FLAGS_MAPPING_DEFAULT)
		return alloc_memory(file, p->hRoot, p->hObjectParent, &memory, &params);
	status = escape_check_object(file, p->hRoot, p->hObjectParent);
	if (status == NV_OK)
		status = alloc_memory(file, p->hRoot, p->hObjectParent, &memory, &params);
	if (status == NV_OK)
		status = map_at_once(file, p, memory, fd);
	return status;
}

/* -- Memory of the caller's own ------------------------------------------------------------------
 */

/* The client, then the object, are looked at before memory is pinned in vain. */
static enum nv_status alloc_pinned(struct rm_file *file, NVOS64_PARAMETERS *alloc,
				   NV_OS_DESC_MEMORY_ALLOCATION_PARAMS *params)
{
	bool read_only = REG_GET(NVOS32_ATTR2_PROTECTION_DEVICE, params->attr2) ==
			 NVOS32_ATTR2_PROTECTION_DEVICE_READ_ONLY;
	struct os_pages pages;
	enum nv_status status;

	if (params->descriptorType != NVOS32_DESCRIPTOR_TYPE_VIRTUAL_ADDRESS ||
	    !is_aligned((u64)params->descriptor, OS_PAGE_SIZE))
		return NV_ERR_NOT_SUPPORTED;
	if (params->limit == ~(u64)0 || !align_up_ok(params->limit + 1, OS_PAGE_SIZE))
		return NV_ERR_INVALID_LIMIT;
	status = escape_check_object(file, alloc->hRoot, alloc->hObjectParent);
	if (status != NV_OK)
		return status;
	status = os_pages_pin(NULL, (u64)params->descriptor,
			      align_up(params->limit + 1, OS_PAGE_SIZE), !read_only, &pages);
	if (status != NV_OK)
		return status;
	alloc->hClass = NV01_MEMORY_SYSTEM_OS_DESCRIPTOR;
	alloc->pAllocParms = (NvP64)(uintptr_t)params;
	alloc->paramsSize = sizeof(*params);
	status = rm_api_alloc_pinned(file, alloc, &pages);
	os_pages_free(&pages);
	return status;
}

void escape_alloc_descriptor(struct rm_file *file, NVOS64_PARAMETERS *p)
{
	NV_OS_DESC_MEMORY_ALLOCATION_PARAMS params;
	NvP64 user = p->pAllocParms;

	if (!user || os_copy_from_user(&params, (u64)user, sizeof(params)) != NV_OK) {
		/* In the order of the checks that comes later; without memory none succeeds. */
		rm_api_alloc(file, p);
		return;
	}
	p->status = alloc_pinned(file, p, &params);
	p->pAllocParms = user;
	if (p->status == NV_OK && os_copy_to_user((u64)user, &params, sizeof(params)) != NV_OK)
		p->status = NV_ERR_INVALID_ADDRESS;
}

static enum nv_status alloc_os_descriptor(struct rm_file *file, const NVOS02_PARAMETERS *p)
{
	u64 coherency = REG_GET(NVOS02_FLAGS_COHERENCY, p->flags);
	NV_OS_DESC_MEMORY_ALLOCATION_PARAMS params = {
		.type = NVOS32_TYPE_IMAGE,
		.descriptor = p->pMemory,
		.limit = p->limit,
		.descriptorType = NVOS32_DESCRIPTOR_TYPE_VIRTUAL_ADDRESS,
		.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI),
	};
	NVOS64_PARAMETERS alloc = {
		.hRoot = p->hRoot,
		.hObjectParent = p->hObjectParent,
		.hObjectNew = p->hObjectNew,
	};

	if (REG_GET(NVOS02_FLAGS_LOCATION, p->flags) != NVOS02_FLAGS_LOCATION_PCI ||
	    REG_GET(NVOS02_FLAGS_MAPPING, p->flags) != NVOS02_FLAGS_MAPPING_NO_MAP)
		return NV_ERR_INVALID_FLAGS;
	if (coherency != NVOS02_FLAGS_COHERENCY_CACHED &&
	    coherency != NVOS02_FLAGS_COHERENCY_WRITE_BACK &&
	    coherency != NVOS02_FLAGS_COHERENCY_UNCACHED)
		return NV_ERR_INVALID_FLAGS;
	(void)coherency_of(p->flags, &params.attr);
	if (REG_GET(NVOS02_FLAGS_PHYSICALITY, p->flags) != NVOS02_FLAGS_PHYSICALITY_CONTIGUOUS)
		params.attr |= (u32)REG_PREP(NVOS32_ATTR_PHYSICALITY,
					     NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS);
	params.attr2 |= (u32)REG_PREP(NVOS32_ATTR2_GPU_CACHEABLE,
				      REG_GET(NVOS02_FLAGS_GPU_CACHEABLE, p->flags)
					      ? NVOS32_ATTR2_GPU_CACHEABLE_YES
					      : NVOS32_ATTR2_GPU_CACHEABLE_NO);
	if (REG_GET(NVOS02_FLAGS_ALLOC_DEVICE_READ_ONLY, p->flags))
		params.attr2 |= (u32)REG_PREP(NVOS32_ATTR2_PROTECTION_DEVICE,
					      NVOS32_ATTR2_PROTECTION_DEVICE_READ_ONLY);
	return alloc_pinned(file, &alloc, &params);
}

enum rm_ioctl_result escape_alloc_memory(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_nvos02_parameters_with_fd *with_fd = data;
	NVOS02_PARAMETERS *p = &with_fd->params;

	switch (p->hClass) {
	case NV01_MEMORY_SYSTEM:
		p->status = alloc_system(file, p, with_fd->fd);
		break;
	case NV01_MEMORY_SYSTEM_OS_DESCRIPTOR:
		p->status = alloc_os_descriptor(file, p);
		break;
	case NV01_MEMORY_LOCAL_PRIVILEGED:
		p->status =
			REG_GET(NVOS02_FLAGS_ALLOC, p->flags) != NVOS02_FLAGS_ALLOC_NONE
				? NV_ERR_INVALID_FLAGS
				: refused(escape_check_object(file, p->hRoot, p->hObjectParent));
		break;
	case NV01_MEMORY_LIST_SYSTEM:
	case NV01_MEMORY_LIST_FBMEM:
	case NV01_MEMORY_LIST_OBJECT:
		p->status = escape_alloc_list(file, p);
		break;
	case NV01_MEMORY_LOCAL_USER:
	case NV01_MEMORY_SYSTEM_DYNAMIC:
	case NV01_MEMORY_FRAMEBUFFER_CONSOLE:
	case NV01_MEMORY_FLA:
		p->status = refused(escape_check_object(file, p->hRoot, p->hObjectParent));
		break;
	default:
		p->status = NV_ERR_INVALID_CLASS;
	}
	return RM_IOCTL_OK;
}

/* -- NV_ESC_RM_VID_HEAP_CONTROL ------------------------------------------------------------------
 */

/* What the ways to ask for memory have in common after their own fields are taken. */
static enum nv_status heap_alloc(struct rm_file *file, NVOS32_PARAMETERS *p, u32 *memory,
				 NV_MEMORY_ALLOCATION_PARAMS *params)
{
	params->hVASpace = p->hVASpace;
	if (!(params->flags & NVOS32_ALLOC_FLAGS_MEMORY_HANDLE_PROVIDED))
		*memory = 0;
	p->free = 0;
	p->total = 0;
	return alloc_memory(file, p->hRoot, p->hObjectParent, memory, params);
}

/* What the three ways to ask for memory have under the same names, there and back. */
#define TAKE(a)                                                                                 \
	{                                                                                       \
		.owner = (a)->owner, .type = (a)->type, .flags = (a)->flags, .size = (a)->size, \
		.alignment = (a)->alignment, .offset = (a)->offset, .attr = (a)->attr,          \
		.attr2 = (a)->attr2, .format = (a)->format, .limit = (a)->limit,                \
	}
#define GIVE(a, params)                                  \
	do {                                             \
		(a)->partitionStride = PARTITION_STRIDE; \
		(a)->size = (params)->size;              \
		(a)->offset = (params)->offset;          \
		(a)->attr = (params)->attr;              \
		(a)->attr2 = (params)->attr2;            \
		(a)->limit = (params)->limit;            \
		(a)->address = (params)->address;        \
	} while (0)

static enum nv_status heap_alloc_size(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	__typeof__(p->data.AllocSize) *a = &p->data.AllocSize;
	NV_MEMORY_ALLOCATION_PARAMS params = TAKE(a);
	enum nv_status status;

	params.height = a->height;
	params.width = a->width;
	params.address = a->address;
	params.comprCovg = a->comprCovg;
	params.zcullCovg = a->zcullCovg;
	params.ctagOffset = a->ctagOffset;
	if (a->flags & NVOS32_ALLOC_FLAGS_USE_BEGIN_END) {
		params.rangeLo = a->rangeBegin;
		params.rangeHi = a->rangeEnd;
	}
	status = heap_alloc(file, p, &a->hMemory, &params);
	GIVE(a, &params);
	a->format = params.format;
	a->comprCovg = params.comprCovg;
	a->zcullCovg = params.zcullCovg;
	a->ctagOffset = params.ctagOffset;
	return status;
}

static enum nv_status heap_alloc_range(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	__typeof__(p->data.AllocSizeRange) *a = &p->data.AllocSizeRange;
	NV_MEMORY_ALLOCATION_PARAMS params = TAKE(a);
	enum nv_status status;

	params.rangeLo = a->rangeBegin;
	params.rangeHi = a->rangeEnd;
	status = heap_alloc(file, p, &a->hMemory, &params);
	GIVE(a, &params);
	return status;
}

static enum nv_status heap_alloc_tiled(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	__typeof__(p->data.AllocTiledPitchHeight) *a = &p->data.AllocTiledPitchHeight;
	NV_MEMORY_ALLOCATION_PARAMS params = TAKE(a);
	enum nv_status status;

	params.height = a->height;
	params.width = a->width;
	params.pitch = a->pitch;
	params.size = (u64)a->height * (u64)(s64)a->pitch;
	if (a->flags & NVOS32_ALLOC_FLAGS_USE_BEGIN_END) {
		params.rangeLo = a->rangeBegin;
		params.rangeHi = a->rangeEnd;
	}
	status = heap_alloc(file, p, &a->hMemory, &params);
	GIVE(a, &params);
	return status;
}

/* In KiB, as the command on the subdevice has it. */
static enum nv_status heap_info(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	struct rm_gpu_objects *objects;
	struct rm_call call;
	enum nv_status status;
	u64 base, size;

	status = rm_api_begin(&call, file, p->hRoot, p->hObjectParent);
	if (status != NV_OK)
		return status;
	if (!call.object->gpu)
		status = NV_ERR_INVALID_OBJECT_PARENT;
	else
		status = rm_gpu_heap(call.object->gpu, &objects);
	if (status == NV_OK) {
		os_mutex_lock(&objects->lock);
		rm_heap_largest(&objects->heap, &base, &size);
		p->free = align_down(objects->heap.total - objects->heap.used, KIB(1));
		p->total = align_down(call.object->gpu->info->fb_size, KIB(1));
		p->data.Info.base = objects->heap.range_count ? objects->heap.ranges[0].base : 0;
		p->data.Info.size = align_down(size, KIB(1));
		p->data.Info.offset = base;
		os_mutex_unlock(&objects->lock);
	}
	rm_api_end(&call);
	return status;
}

/* No memory is compressed: there is nothing to give up, and nothing to have again. */
static enum nv_status heap_compression(struct rm_file *file, const NVOS32_PARAMETERS *p)
{
	if (!(p->data.ReleaseCompr.flags & NVOS32_RELEASE_COMPR_FLAGS_MEMORY_HANDLE_PROVIDED))
		return NV_ERR_INVALID_FLAGS;
	return refused(escape_check_object(file, p->hRoot, p->data.ReleaseCompr.hMemory));
}

static enum nv_status heap_free(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	NVOS00_PARAMETERS free = {
		.hRoot = p->hRoot,
		.hObjectParent = p->hObjectParent,
		.hObjectOld = p->data.Free.hMemory,
	};

	if (!(p->data.Free.flags & NVOS32_FREE_FLAGS_MEMORY_HANDLE_PROVIDED))
		return NV_ERR_INVALID_ARGUMENT;
	p->free = 0;
	p->total = 0;
	return rm_api_free(file, &free);
}

static enum nv_status heap_os_descriptor(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	NV_OS_DESC_MEMORY_ALLOCATION_PARAMS params = {
		.type = p->data.AllocOsDesc.type,
		.flags = p->data.AllocOsDesc.flags,
		.attr = p->data.AllocOsDesc.attr,
		.attr2 = p->data.AllocOsDesc.attr2,
		.descriptor = p->data.AllocOsDesc.descriptor,
		.limit = p->data.AllocOsDesc.limit,
		.descriptorType = p->data.AllocOsDesc.descriptorType,
	};
	NVOS64_PARAMETERS alloc = {
		.hRoot = p->hRoot,
		.hObjectParent = p->hObjectParent,
		.hObjectNew = p->data.AllocOsDesc.hMemory,
	};
	enum nv_status status;

	status = alloc_pinned(file, &alloc, &params);
	if (status == NV_OK) {
		p->data.AllocOsDesc.hMemory = alloc.hObjectNew;
		p->data.AllocOsDesc.attr = params.attr;
		p->data.AllocOsDesc.attr2 = params.attr2;
	}
	return status;
}

enum rm_ioctl_result escape_vid_heap(struct rm_file *file, void *data, u32 size)
{
	NVOS32_PARAMETERS *p = data;

	/* No such heap on this platform. */
	if (p->function != NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR &&
	    p->ivcHeapNumber > NVOS32_IVC_HEAP_NUMBER_DONT_ALLOCATE_ON_IVC_HEAP) {
		p->status = NV_ERR_NOT_SUPPORTED;
		return RM_IOCTL_OK;
	}
	switch (p->function) {
	case NVOS32_FUNCTION_ALLOC_SIZE:
		p->status = heap_alloc_size(file, p);
		break;
	case NVOS32_FUNCTION_FREE:
		p->status = heap_free(file, p);
		break;
	case NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR:
		p->status = heap_os_descriptor(file, p);
		break;
	case NVOS32_FUNCTION_ALLOC_SIZE_RANGE:
		p->status = heap_alloc_range(file, p);
		break;
	case NVOS32_FUNCTION_ALLOC_TILED_PITCH_HEIGHT:
		p->status = heap_alloc_tiled(file, p);
		break;
	case NVOS32_FUNCTION_INFO:
		p->status = heap_info(file, p);
		break;
	case NVOS32_FUNCTION_RELEASE_COMPR:
	case NVOS32_FUNCTION_REACQUIRE_COMPR:
		p->status = heap_compression(file, p);
		break;
	case NVOS32_FUNCTION_DUMP:
	case NVOS32_FUNCTION_GET_MEM_ALIGNMENT:
	case NVOS32_FUNCTION_HW_ALLOC:
	case NVOS32_FUNCTION_HW_FREE:
		p->status = refused(escape_check_object(file, p->hRoot, p->hObjectParent));
		break;
	default:
		p->status = NV_ERR_INVALID_ARGUMENT;
	}
	return RM_IOCTL_OK;
}
