// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV01_CONTEXT_DMA (ContextDma). It stands below the parent of its memory, and goes with the
 * memory. There is nothing of the GPU's behind it: channels of the host take it as it is, and those
 * of a display, which an H100 has none of, would bind it.
 */
#include "rm/class/context_dma.h"

#include "base/bits.h"
#include "base/range.h"
#include "rm/class/channel.h"
#include "rm/class/class.h"

static struct rm_context_dma *to_context_dma(const struct rm_object *object)
{
	return container_of(object, struct rm_context_dma, object);
}

const struct rm_context_dma *rm_context_dma_of(const struct rm_object *object)
{
	return object->class == &rm_class_context_dma ? to_context_dma(object) : NULL;
}

static bool is_virtual(const struct rm_object *object)
{
	return object->class == &rm_class_virtual_memory ||
	       object->class == &rm_class_virtual_memory_range;
}

static enum nv_status check_flags(u32 flags)
{
	/* A handle is found by its channel's client: there is no table of them. */
	if (REG_GET(NVOS03_FLAGS_ACCESS, flags) > NVOS03_FLAGS_ACCESS_WRITE_ONLY ||
	    REG_GET(NVOS03_FLAGS_HASH_TABLE, flags) == NVOS03_FLAGS_HASH_TABLE_ENABLE)
		return NV_ERR_INVALID_FLAGS;
	return NV_OK;
}

/* The subdevice, or device, that it is to be of alone; 0: none. */
static enum nv_status check_subdevice(struct rm_client *client, u32 handle,
				      const struct rm_object *memory)
{
	struct rm_object *device;
	enum nv_status status;

	if (!handle)
		return NV_OK;
	status = rm_object_find(client, handle, &device);
	if (status != NV_OK)
		return status;
	if (device->class != &rm_class_subdevice && device->class != &rm_class_device)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	return device->gpu == memory->gpu ? NV_OK : NV_ERR_INVALID_OBJECT_PARENT;
}

static enum nv_status find_memory(struct rm_object *object,
				  const NV_CONTEXT_DMA_ALLOCATION_PARAMS *p, struct rm_object **out)
{
	enum nv_status status = rm_object_find(object->client, p->hMemory, out);

	if (status != NV_OK)
		return status;
	if ((*out)->parent != object->parent)
		return NV_ERR_INVALID_OBJECT_PARENT;
	status = check_flags(p->flags);
	if (status != NV_OK)
		return status;
	if ((*out)->flags & RM_OBJECT_DEAD)
		return NV_ERR_RESOURCE_LOST;
	if (is_virtual(*out))
		return NV_ERR_OBJECT_TYPE_MISMATCH;
	if (!rm_memory_backing(*out))
		return NV_ERR_INVALID_OBJECT;
	return check_subdevice(object->client, p->hSubDevice, *out);
}

static enum nv_status context_dma_construct(struct rm_call *call, struct rm_object *object,
					    void *params, u32 params_size)
{
	const NV_CONTEXT_DMA_ALLOCATION_PARAMS *p = params;
	struct rm_context_dma *self = to_context_dma(object);
	struct rm_object *memory;
	enum nv_status status;
	u64 last;

	status = find_memory(object, p, &memory);
	if (status != NV_OK)
		return status;
	/* The limit is the last byte's number, from the offset on. */
	if (add_overflows(p->offset, p->limit, &last) ||
	    last >= rm_backing_size(rm_memory_backing(memory)))
		return NV_ERR_INVALID_LIMIT;
	status = rm_object_depend(object, memory);
	if (status != NV_OK)
		return status;
	object->gpu = memory->gpu;
	self->backing = rm_memory_backing(memory);
	rm_backing_get(self->backing);
	self->offset = p->offset;
	self->size = p->limit + 1;
	return NV_OK;
}

static void context_dma_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_backing_put(to_context_dma(object)->backing);
}

/* -- Commands ---------------------------------------------------------------------------------- */

/* A host's channel has nothing to be bound to; a display's there is none. */
static enum nv_status bind_context_dma(struct rm_call *call, void *params)
{
	const NV0002_CTRL_BIND_CONTEXTDMA_PARAMS *p = params;
	struct rm_object *channel;
	enum nv_status status;

	status = rm_object_find(call->client, p->hChannel, &channel);
	if (status != NV_OK)
		return status;
	return rm_channel_of(channel) ? NV_OK : NV_ERR_INVALID_OBJECT_HANDLE;
}

static enum nv_status unbind_context_dma(struct rm_call *call, void *params)
{
	const NV0002_CTRL_UNBIND_CONTEXTDMA_PARAMS *p = params;
	struct rm_object *channel;
	enum nv_status status;

	status = rm_object_find(call->client, p->hChannel, &channel);
	return status == NV_OK ? NV_ERR_INVALID_OBJECT_HANDLE : status;
}

/* For displays; the kernel's alone. */
static enum nv_status update_context_dma(struct rm_call *call, void *params)
{
	const NV0002_CTRL_UPDATE_CONTEXTDMA_PARAMS *p = params;

	if (p->hCtxDma && p->hCtxDma != call->object->handle)
		return NV_ERR_INVALID_OBJECT;
	return NV_ERR_GENERIC;
}

static const struct rm_control_handler controls[] = {
	{ NV0002_CTRL_CMD_UPDATE_CONTEXTDMA, update_context_dma },
	{ NV0002_CTRL_CMD_BIND_CONTEXTDMA, bind_context_dma },
	{ NV0002_CTRL_CMD_UNBIND_CONTEXTDMA, unbind_context_dma },
};

const struct rm_class rm_class_context_dma = {
	.iclass = ABI_ICLASS_ContextDma,
	.object_size = sizeof(struct rm_context_dma),
	.construct = context_dma_construct,
	.destruct = context_dma_destruct,
	.controls = controls,
	.control_count = ARRAY_SIZE(controls),
};
