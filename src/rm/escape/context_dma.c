// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * NV_ESC_RM_ALLOC_CONTEXT_DMA2 and NV_ESC_RM_BIND_CONTEXT_DMA: the old ways to what an alloc and a
 * control do.
 */
#include "rm/escape/escape.h"

/* The structure names no parent: it is the memory's. */
static enum nv_status find_parent(struct rm_file *file, u32 client, u32 memory, u32 *parent)
{
	struct rm_call call;
	enum nv_status status = rm_api_begin(&call, file, client, memory);

	if (status != NV_OK)
		return status;
	*parent = call.object->parent ? call.object->parent->handle : 0;
	rm_api_end(&call);
	return NV_OK;
}

enum rm_ioctl_result escape_alloc_context_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS39_PARAMETERS *p = data; /* its hObjectParent is the client */
	NV_CONTEXT_DMA_ALLOCATION_PARAMS params = {
		.hSubDevice = p->hSubDevice,
		.flags = p->flags,
		.hMemory = p->hMemory,
		.offset = p->offset,
		.limit = p->limit,
	};
	NVOS64_PARAMETERS alloc = {
		.hRoot = p->hObjectParent,
		.hObjectNew = p->hObjectNew,
		.hClass = p->hClass,
		.pAllocParms = (NvP64)(uintptr_t)&params,
		.paramsSize = sizeof(params),
	};
	struct rm_file *none = NULL;

	p->status = find_parent(file, p->hObjectParent, p->hMemory, &alloc.hObjectParent);
	if (p->status != NV_OK)
		return RM_IOCTL_OK;
	/* Parameters of no other class look like these. */
	if (p->hClass != NV01_CONTEXT_DMA) {
		p->status = NV_ERR_INVALID_CLASS;
		return RM_IOCTL_OK;
	}
	p->status = rm_api_alloc_prepared(file, &alloc, &none);
	p->hObjectNew = alloc.hObjectNew;
	return RM_IOCTL_OK;
}

enum rm_ioctl_result escape_bind_context_dma(struct rm_file *file, void *data, u32 size)
{
	NVOS49_PARAMETERS *p = data;
	NV0002_CTRL_BIND_CONTEXTDMA_PARAMS params = { .hChannel = p->hChannel };
	NVOS54_PARAMETERS control = {
		.hClient = p->hClient,
		.hObject = p->hCtxDma,
		.cmd = NV0002_CTRL_CMD_BIND_CONTEXTDMA,
		.params = (NvP64)(uintptr_t)&params,
		.paramsSize = sizeof(params),
	};
	struct rm_file *none = NULL;

	p->status = rm_api_control_prepared(file, &control, &none);
	return RM_IOCTL_OK;
}
