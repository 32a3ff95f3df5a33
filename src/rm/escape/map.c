// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The commands that map memory. I2C and dma-buf are not served: a request is checked in full and
 * then refused.
 */
#include "base/bits.h"
#include "rm/class/mapping.h"
#include "rm/class/virtual_memory.h"
#include "rm/escape/escape.h"

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

/* The answer to a request that was checked, and that is all that is done with it. */
static enum rm_ioctl_result checked(u32 *answer, enum nv_status status)
{
	*answer = status == NV_OK ? NV_ERR_NOT_SUPPORTED : status;
	return RM_IOCTL_OK;
}

/* -- Mappings of processes ----------------------------------------------------------------------
 */

/*
 * Memory first, with all checks, then the device or subdevice (or the client itself, NULL) that it
 * is mapped through. The call is to be ended on NV_OK.
 */
static enum nv_status begin_mapping(struct rm_call *call, struct rm_file *file, u32 client,
				    u32 memory, u32 handle, u32 flags, struct rm_object **device)
{
	enum nv_status status;

	status = rm_api_begin(call, file, client, memory);
	if (status != NV_OK)
		return status;
	*device = NULL;
	if (REG_GET(NVOS33_FLAGS_PERSISTENT, flags) == NVOS33_FLAGS_PERSISTENT_ENABLE)
		status = NV_ERR_INVALID_FLAGS;
	else if (handle != client)
		status = rm_object_find(call->client, handle, device);
	if (status == NV_OK && *device && !is_device(*device))
		status = NV_ERR_INVALID_OBJECT_PARENT;
	if (status != NV_OK)
		rm_api_end(call);
	return status;
}

static enum nv_status map_prepared(struct rm_file *file, NVOS33_PARAMETERS *p,
				   struct rm_file *target)
{
	struct rm_cpu_map map = {
		.offset = p->offset,
		.length = p->length,
		.flags = p->flags,
		.file = target,
	};
	struct rm_call call;
	enum nv_status status;
	u64 address = 0;

	status = begin_mapping(&call, file, p->hClient, p->hMemory, p->hDevice, p->flags,
			       &map.device);
	if (status != NV_OK)
		return status;
	map.memory = call.object;
	status = rm_cpu_map(&call, &map, &address);
	rm_api_end(&call);
	if (status == NV_OK)
		p->pLinearAddress = (NvP64)address;
	return status;
}

enum nv_status escape_map(struct rm_file *file, NVOS33_PARAMETERS *p, s32 fd)
{
	const struct rm_host_ops *host = file->rm->host;
	/* Before any lock: the host asks the caller's process. */
	struct rm_file *target = host->file_get(fd);
	enum nv_status status;

	status = map_prepared(file, p, target);
	if (target)
		host->file_put(target);
	return status;
}

enum rm_ioctl_result escape_map_memory(struct rm_file *file, void *data, u32 size)
{
	nv_ioctl_nvos33_parameters_with_fd *p = data;

	p->params.status = escape_map(file, &p->params, p->fd);
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_unmap_memory(struct rm_file *file, void *data, u32 size)
{
	NVOS34_PARAMETERS *p = data;
	struct rm_object *device;
	struct rm_call call;

	p->status = begin_mapping(&call, file, p->hClient, p->hMemory, p->hDevice, 0, &device);
	if (p->status == NV_OK) {
		p->status = rm_cpu_unmap(call.object, (u64)p->pLinearAddress);
		rm_api_end(&call);
	}
	return RM_IOCTL_OK;
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
		if (status == NV_OK && !rm_cpu_can_map(memory))
			status = NV_ERR_INVALID_OBJECT_HANDLE;
		if (status == NV_OK)
			status = rm_cpu_mapping_rename(memory, (u64)p->pOldCpuAddress,
						       (u64)p->pNewCpuAddress);
		rm_api_end(&call);
	}
	p->status = status;
	return RM_IOCTL_OK;
}

/* -- Mappings of the GPU ------------------------------------------------------------------------
 */

/*
 * The virtual object first, with all checks, then the device it is used through, which has to be
 * the whole device where the object is a range, then the memory; 0: none. The call is to be ended
 * on NV_OK.
 */
static enum nv_status begin_dma(struct rm_call *call, struct rm_file *file, u32 client, u32 dma,
				u32 device, u32 memory, struct rm_object **out)
{
	struct rm_object *through;
	enum nv_status status;

	status = rm_api_begin(call, file, client, dma);
	if (status != NV_OK)
		return status;
	*out = NULL;
	status = rm_object_find(call->client, device, &through);
	if (status == NV_OK && !is_device(through))
		status = NV_ERR_INVALID_OBJECT_PARENT;
	if (status == NV_OK && memory)
		status = rm_object_find(call->client, memory, out);
	if (status == NV_OK && through->class->iclass == ABI_ICLASS_Subdevice &&
	    call->object->class->iclass == ABI_ICLASS_VirtualMemory)
		status = NV_ERR_NOT_SUPPORTED;
	if (status != NV_OK)
		rm_api_end(call);
	return status;
}

enum rm_ioctl_result escape_map_memory_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS46_PARAMETERS *p = data;
	struct rm_dma_map map = { .offset = p->offset, .length = p->length, .flags = p->flags };
	u64 address = p->dmaOffset;
	struct rm_call call;

	p->status =
		begin_dma(&call, file, p->hClient, p->hDma, p->hDevice, p->hMemory, &map.memory);
	if (p->status != NV_OK)
		return RM_IOCTL_OK;
	map.range = call.object;
	p->status = map.memory ? rm_dma_map(&map, &address) : NV_ERR_OBJECT_NOT_FOUND;
	rm_api_end(&call);
	if (p->status == NV_OK)
		p->dmaOffset = address;
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_unmap_memory_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS47_PARAMETERS *p = data;
	struct rm_object *memory;
	struct rm_call call;

	p->status = begin_dma(&call, file, p->hClient, p->hDma, p->hDevice, p->hMemory, &memory);
	if (p->status != NV_OK)
		return RM_IOCTL_OK;
	p->status = rm_dma_unmap(call.object, memory, p->dmaOffset);
	rm_api_end(&call);
	return RM_IOCTL_OK;
}

/* -- Not served ---------------------------------------------------------------------------------
 */

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
		return checked(&p->status, check_objects(file, p->hClient, p->handles[0], 0));
	return RM_IOCTL_OK;
}
