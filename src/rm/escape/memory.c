// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The commands on memory: the old ways to allocate it (ALLOC_MEMORY, VID_HEAP_CONTROL), which make
 * ordinary memory objects, and those that map it, bind it or wait for work on it. Mapping, context
 * DMA, channels and I2C are not served: a request is checked in full and then refused.
 */
#include "base/bits.h"
#include "rm/escape/escape.h"

#define OWNER_OF_OLD_REQUESTS 0x7368696du /* NV_MEMORY_ALLOCATION_PARAMS.owner of ALLOC_MEMORY */

/* One structure of the caller's client: first object with all checks, the others have to exist. */
static enum nv_status check_objects(struct rm_file *file, u32 client, u32 first, u32 second)
{
	struct rm_object *object;
	struct rm_call call;
	enum nv_status status;

	status = rm_api_begin(&call, file, client, first);
	if (status != NV_OK)
		return status;
	if (second)
		status = rm_object_find(call.client, second, &object);
	rm_api_end(&call);
	return status;
}

enum nv_status escape_check_object(struct rm_file *file, u32 client, u32 object)
{
	return check_objects(file, client, object, 0);
}

static bool is_device(const struct rm_object *object)
{
	return object->class->iclass == ABI_ICLASS_Device ||
	       object->class->iclass == ABI_ICLASS_Subdevice;
}

static bool is_memory(const struct rm_object *object)
{
	return object->class->iclass == ABI_ICLASS_SystemMemory ||
	       object->class->iclass == ABI_ICLASS_VideoMemory;
}

/* Memory first, then the device or subdevice (or the client itself) that it is mapped through. */
static enum nv_status check_mapping(struct rm_file *file, u32 client, u32 memory, u32 device)
{
	struct rm_object *object;
	struct rm_call call;
	enum nv_status status;

	status = rm_api_begin(&call, file, client, memory);
	if (status != NV_OK)
		return status;
	if (device != client) {
		status = rm_object_find(call.client, device, &object);
		if (status == NV_OK && !is_device(object))
			status = NV_ERR_INVALID_OBJECT_PARENT;
	}
	rm_api_end(&call);
	return status;
}

static enum nv_status refused(enum nv_status status)
{
	return status == NV_OK ? NV_ERR_NOT_SUPPORTED : status;
}

/* The answer to a request that was checked, and that is all that is done with it. */
static enum rm_ioctl_result checked(u32 *answer, enum nv_status status)
{
	*answer = refused(status);
	return RM_IOCTL_OK;
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

static enum nv_status alloc_system(struct rm_file *file, NVOS02_PARAMETERS *p)
{
	NV_MEMORY_ALLOCATION_PARAMS params = {
		.owner = OWNER_OF_OLD_REQUESTS,
		.size = p->limit + 1,
		.type = NVOS32_TYPE_IMAGE,
		.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI),
	};
	u32 memory = p->hObjectNew;

	if (REG_GET(NVOS02_FLAGS_LOCATION, p->flags) != NVOS02_FLAGS_LOCATION_PCI ||
	    REG_GET(NVOS02_FLAGS_ALLOC, p->flags) == NVOS02_FLAGS_ALLOC_NONE)
		return NV_ERR_INVALID_FLAGS;
	if (!coherency_of(p->flags, &params.attr))
		return NV_ERR_INVALID_FLAGS;
	if (REG_GET(NVOS02_FLAGS_PHYSICALITY, p->flags) != NVOS02_FLAGS_PHYSICALITY_CONTIGUOUS)
		params.attr |= (u32)REG_PREP(NVOS32_ATTR_PHYSICALITY,
					     NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS);
	p->pMemory = 0;
	/* Memory that is mapped at once needs the mapping that is not served. */
	if (REG_GET(NVOS02_FLAGS_MAPPING, p->flags) == NVOS02_FLAGS_MAPPING_DEFAULT)
		return refused(escape_check_object(file, p->hRoot, p->hObjectParent));
	return alloc_memory(file, p->hRoot, p->hObjectParent, &memory, &params);
}

static enum nv_status alloc_os_descriptor(struct rm_file *file, const NVOS02_PARAMETERS *p)
{
	u64 coherency = REG_GET(NVOS02_FLAGS_COHERENCY, p->flags);

	if (REG_GET(NVOS02_FLAGS_LOCATION, p->flags) != NVOS02_FLAGS_LOCATION_PCI ||
	    REG_GET(NVOS02_FLAGS_MAPPING, p->flags) != NVOS02_FLAGS_MAPPING_NO_MAP)
		return NV_ERR_INVALID_FLAGS;
	if (coherency != NVOS02_FLAGS_COHERENCY_CACHED &&
	    coherency != NVOS02_FLAGS_COHERENCY_WRITE_BACK &&
	    coherency != NVOS02_FLAGS_COHERENCY_UNCACHED)
		return NV_ERR_INVALID_FLAGS;
	if (!is_aligned((u64)p->pMemory, OS_PAGE_SIZE))
		return NV_ERR_NOT_SUPPORTED;
	if (p->limit == ~(u64)0)
		return NV_ERR_INVALID_LIMIT;
	return refused(escape_check_object(file, p->hRoot, p->hObjectParent));
}

enum rm_ioctl_result escape_alloc_memory(struct rm_file *file, void *data, u32 size)
{
	NVOS02_PARAMETERS *p = &((nv_ioctl_nvos02_parameters_with_fd *)data)->params;

	switch (p->hClass) {
	case NV01_MEMORY_SYSTEM:
		p->status = alloc_system(file, p);
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
	case NV01_MEMORY_LOCAL_USER:
	case NV01_MEMORY_SYSTEM_DYNAMIC:
	case NV01_MEMORY_LIST_SYSTEM:
	case NV01_MEMORY_LIST_FBMEM:
	case NV01_MEMORY_LIST_OBJECT:
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

static enum nv_status heap_alloc_size(struct rm_file *file, NVOS32_PARAMETERS *p)
{
	__typeof__(p->data.AllocSize) *a = &p->data.AllocSize;
	NV_MEMORY_ALLOCATION_PARAMS params = {
		.owner = a->owner,
		.type = a->type,
		.flags = a->flags,
		.height = a->height,
		.width = a->width,
		.size = a->size,
		.alignment = a->alignment,
		.offset = a->offset,
		.attr = a->attr,
		.attr2 = a->attr2,
		.format = a->format,
		.limit = a->limit,
		.address = a->address,
		.comprCovg = a->comprCovg,
		.zcullCovg = a->zcullCovg,
		.ctagOffset = a->ctagOffset,
		.hVASpace = p->hVASpace,
	};
	enum nv_status status;

	if (a->flags & NVOS32_ALLOC_FLAGS_USE_BEGIN_END) {
		params.rangeLo = a->rangeBegin;
		params.rangeHi = a->rangeEnd;
	}
	if (!(a->flags & NVOS32_ALLOC_FLAGS_MEMORY_HANDLE_PROVIDED))
		a->hMemory = 0;
	a->partitionStride = 256;
	status = alloc_memory(file, p->hRoot, p->hObjectParent, &a->hMemory, &params);
	p->free = 0;
	p->total = 0;
	a->size = params.size;
	a->offset = params.offset;
	a->attr = params.attr;
	a->attr2 = params.attr2;
	a->format = params.format;
	a->limit = params.limit;
	a->address = params.address;
	a->comprCovg = params.comprCovg;
	a->zcullCovg = params.zcullCovg;
	a->ctagOffset = params.ctagOffset;
	return status;
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

static enum nv_status heap_os_descriptor(struct rm_file *file, const NVOS32_PARAMETERS *p)
{
	if (!is_aligned((u64)p->data.AllocOsDesc.descriptor, OS_PAGE_SIZE))
		return NV_ERR_NOT_SUPPORTED;
	if (p->data.AllocOsDesc.limit == ~(u64)0)
		return NV_ERR_INVALID_LIMIT;
	return refused(escape_check_object(file, p->hRoot, p->hObjectParent));
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
	case NVOS32_FUNCTION_ALLOC_TILED_PITCH_HEIGHT:
	case NVOS32_FUNCTION_INFO:
	case NVOS32_FUNCTION_DUMP:
	case NVOS32_FUNCTION_RELEASE_COMPR:
	case NVOS32_FUNCTION_REACQUIRE_COMPR:
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

/* -- Mapping -------------------------------------------------------------------------------------
 */

enum rm_ioctl_result escape_map_memory(struct rm_file *file, void *data, u32 size)
{
	NVOS33_PARAMETERS *p = &((nv_ioctl_nvos33_parameters_with_fd *)data)->params;
	enum nv_status status;

	status = escape_check_object(file, p->hClient, p->hMemory);
	if (status == NV_OK &&
	    REG_GET(NVOS33_FLAGS_PERSISTENT, p->flags) == NVOS33_FLAGS_PERSISTENT_ENABLE)
		status = NV_ERR_INVALID_FLAGS;
	if (status == NV_OK)
		status = check_mapping(file, p->hClient, p->hMemory, p->hDevice);
	return checked(&p->status, status);
}

enum rm_ioctl_result escape_unmap_memory(struct rm_file *file, void *data, u32 size)
{
	NVOS34_PARAMETERS *p = data;

	return checked(&p->status, check_mapping(file, p->hClient, p->hMemory, p->hDevice));
}

enum rm_ioctl_result escape_update_mapping(struct rm_file *file, void *data, u32 size)
{
	NVOS56_PARAMETERS *p = data;
	struct rm_object *memory;
	struct rm_call call;
	enum nv_status status;

	status = rm_api_begin(&call, file, p->hClient, p->hDevice);
	if (status == NV_OK) {
		if (!is_device(call.object))
			status = NV_ERR_INVALID_OBJECT_HANDLE;
		else
			status = rm_object_find(call.client, p->hMemory, &memory);
		if (status == NV_OK && !is_memory(memory))
			status = NV_ERR_INVALID_OBJECT_HANDLE;
		rm_api_end(&call);
	}
	return checked(&p->status, status);
}

enum rm_ioctl_result escape_map_memory_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS46_PARAMETERS *p = data;

	return checked(&p->status, check_objects(file, p->hClient, p->hDma, p->hMemory));
}

enum rm_ioctl_result escape_unmap_memory_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS47_PARAMETERS *p = data;

	return checked(&p->status, check_objects(file, p->hClient, p->hDma, p->hMemory));
}

enum rm_ioctl_result escape_alloc_context_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS39_PARAMETERS *p = data; /* its hObjectParent is the client */

	return checked(&p->status, escape_check_object(file, p->hObjectParent, p->hMemory));
}

enum rm_ioctl_result escape_bind_context_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS49_PARAMETERS *p = data;

	return checked(&p->status, check_objects(file, p->hClient, p->hCtxDma, p->hChannel));
}

enum rm_ioctl_result escape_idle_channels(struct rm_file *file, void *data, u32 size)
{
	NVOS30_PARAMETERS *p = data;

	return checked(&p->status, check_objects(file, p->hClient, p->hDevice, p->hChannel));
}

enum rm_ioctl_result escape_i2c(struct rm_file *file, void *data, u32 size)
{
	NVOS_I2C_ACCESS_PARAMS *p = data;
	struct rm_call call;
	enum nv_status status;

	status = rm_api_begin(&call, file, p->hClient, p->hDevice);
	if (status == NV_OK) {
		if (!is_device(call.object))
			status = NV_ERR_INVALID_OBJECT_HANDLE;
		rm_api_end(&call);
	}
	return checked(&p->status, status);
}

enum rm_ioctl_result escape_export_dma_buf(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_export_to_dma_buf_fd_t *p = data;

	if (p->totalSize == 0 || p->numObjects == 0 || p->totalObjects == 0 ||
	    p->numObjects > NV_DMABUF_EXPORT_MAX_HANDLES || p->numObjects > p->totalObjects ||
	    p->fd < -1)
		p->status = NV_ERR_INVALID_ARGUMENT;
	else
		p->status = refused(check_objects(file, p->hClient, p->handles[0], 0));
	return RM_IOCTL_OK;
}
