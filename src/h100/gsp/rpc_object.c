// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages about objects: allocate, free, duplicate, control. An object's rules are those of the
 * class table; the driver has checked rights, which are none of the firmware's business.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "abi/serial.h"
#include "h100/gsp/firmware.h"

#define NOTIFY_INDEX_MASK 0x00ffffffu /* above are NV01_EVENT_* flags */

static bool is_root_class(u32 class_id)
{
	const struct abi_class *info = abi_class_find(class_id);

	return info && info->iclass == ABI_ICLASS_RmClientResource;
}

static bool accepts_parent(const struct abi_class *info, u16 iclass)
{
	u32 i;

	for (i = 0; i < info->parent_count; i++)
		if (info->parents[i] == ABI_ICLASS_ANY || info->parents[i] == iclass)
			return true;
	return false;
}

static bool has_child_of(const struct fw_node *parent, u16 iclass)
{
	const struct fw_node *node;

	for (node = parent->first_child; node; node = node->next)
		if (node->object.iclass == iclass)
			return true;
	return false;
}

static enum nv_status alloc_root(struct fw *fw, const rpc_gsp_rm_alloc_v *rpc)
{
	const NV0000_ALLOC_PARAMETERS *params = (const void *)rpc->params;
	u32 pid = rpc->paramsSize == sizeof(*params) ? params->processID : 0;

	if (rpc->hClient == 0 || (rpc->hObject != 0 && rpc->hObject != rpc->hClient))
		return NV_ERR_INVALID_CLIENT;
	return fw_store_add_client(&fw->store, rpc->hClient, rpc->hClass, pid);
}

static enum nv_status alloc_object(struct fw *fw, const rpc_gsp_rm_alloc_v *rpc)
{
	const struct abi_class *info = abi_class_find(rpc->hClass);
	struct fw_client *client = fw_store_client(&fw->store, rpc->hClient);
	struct fw_node *parent, *node;
	enum nv_status status;

	if (!client)
		return NV_ERR_INVALID_CLIENT;
	if (!info)
		return NV_ERR_INVALID_CLASS;
	if (rpc->hObject == 0)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	parent = fw_client_object(client, rpc->hParent);
	if (!parent || !accepts_parent(info, parent->object.iclass))
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (rpc->paramsSize == 0 ? info->params_mode == ABI_PARAMS_REQUIRED
				 : rpc->paramsSize != info->params_size)
		return NV_ERR_INVALID_PARAM_STRUCT;
	if (!info->multi && has_child_of(parent, info->iclass))
		return NV_ERR_STATE_IN_USE;
	status = fw_store_add(&fw->store, client, parent, rpc->hObject, info, &node);
	if (status != NV_OK)
		return status;
	status = fw_work_attach(fw, node, rpc->params, rpc->paramsSize);
	if (status != NV_OK)
		fw_store_remove(&fw->store, node);
	else if (info->iclass == ABI_ICLASS_Event) {
		const NV0005_ALLOC_PARAMETERS *params = (const void *)rpc->params;

		fw_store_add_event(&fw->store, node, params->notifyIndex & NOTIFY_INDEX_MASK,
				   rpc->hClient, rpc->hObject);
	}
	return status;
}

enum nv_status rpc_alloc(struct fw *fw, void *data, u32 size)
{
	rpc_gsp_rm_alloc_v *rpc = data;

	/* The message was put together by this size, so it is there. */
	if (rpc->paramsSize != size - sizeof(*rpc))
		rpc->status = NV_ERR_INVALID_PARAM_STRUCT;
	else if ((rpc->flags & RMAPI_RPC_FLAGS_SERIALIZED) != 0)
		rpc->status = NV_ERR_NOT_SUPPORTED;
	else if (is_root_class(rpc->hClass))
		rpc->status = alloc_root(fw, rpc);
	else
		rpc->status = alloc_object(fw, rpc);
	return (enum nv_status)rpc->status;
}

enum nv_status rpc_free(struct fw *fw, void *data, u32 size)
{
	NVOS00_PARAMETERS_v *params = &((rpc_free_v *)data)->params;
	struct fw_client *client = fw_store_client(&fw->store, params->hRoot);
	struct fw_node *node = client ? fw_client_object(client, params->hObjectOld) : NULL;

	if (!client || params->hRoot == fw->internal.client)
		params->status = NV_ERR_INVALID_CLIENT;
	else if (!node)
		params->status = NV_ERR_OBJECT_NOT_FOUND;
	else
		params->status = NV_OK;
	if (params->status == NV_OK) {
		fw_store_remove(&fw->store, node);
		/* Before the reply: the driver gives a channel's id to another from then on. */
		fw_channel_errors(fw);
	}
	return (enum nv_status)params->status;
}

static enum nv_status duplicate(struct fw *fw, const NVOS55_PARAMETERS_v *params)
{
	struct fw_client *client = fw_store_client(&fw->store, params->hClient);
	struct fw_client *source_client = fw_store_client(&fw->store, params->hClientSrc);
	struct fw_node *source, *parent, *node;
	const struct abi_class *info;
	enum nv_status status;

	if (!client || !source_client)
		return NV_ERR_INVALID_CLIENT;
	source = fw_client_object(source_client, params->hObjectSrc);
	if (!source || source == &source_client->root)
		return NV_ERR_OBJECT_NOT_FOUND;
	if (params->hObject == 0)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	info = abi_class_find(source->object.class_id);
	parent = fw_client_object(client, params->hParent);
	if (!info || !parent || !accepts_parent(info, parent->object.iclass))
		return NV_ERR_INVALID_OBJECT_PARENT;
	status = fw_store_add(&fw->store, client, parent, params->hObject, info, &node);
	if (status != NV_OK)
		return status;
	status = fw_work_share(fw, node, source);
	if (status != NV_OK)
		fw_store_remove(&fw->store, node);
	return status;
}

enum nv_status rpc_dup(struct fw *fw, void *data, u32 size)
{
	NVOS55_PARAMETERS_v *params = &((rpc_dup_object_v *)data)->params;

	params->status = duplicate(fw, params);
	return (enum nv_status)params->status;
}

/* A control is served by the class of objects that the table names for it. */
static bool serves(const struct fw_object *object, const struct fw_slot *slot)
{
	if (!slot->control)
		return false;
	return slot->info ? slot->info->iclass == object->iclass
			  : slot->control->cmd >> 16 == object->class_id;
}

/* Parameters out of a message's serialised ones, and back into them once they are served. */
static enum nv_status serve_serialised(struct fw_call *call, const struct fw_control *served,
				       void *bytes, u32 size)
{
	const struct abi_control *info = abi_control_find(call->cmd);
	struct abi_serial_memory memory;
	enum nv_status status;
	void *params;

	if (!info || !info->serialised)
		return NV_ERR_LIB_RM_VERSION_MISMATCH;
	OS_BUG_ON(served->size != info->params->size);
	memory.size = abi_serial_memory_size(info, size);
	params = calloc(1, served->size);
	memory.data = malloc(memory.size);
	status = params && memory.data ? abi_deserialise(info, bytes, size, params, &memory)
				       : NV_ERR_NO_MEMORY;
	if (status == NV_OK)
		status = served->fn(call, params, served->size);
	if (status == NV_OK)
		status = abi_serialise(info, params, bytes, size, &memory);
	free(memory.data);
	free(params);
	return status;
}

static enum nv_status serve_control(struct fw_call *call, const struct fw_control *served,
				    const rpc_gsp_rm_control_v *rpc, void *params)
{
	if ((rpc->flags & RMAPI_RPC_FLAGS_SERIALIZED) != 0)
		return serve_serialised(call, served, params, rpc->paramsSize);
	if (served->serialised)
		return NV_ERR_INVALID_ARGUMENT; /* the driver's pointers mean nothing here */
	if (rpc->paramsSize != served->size)
		return NV_ERR_INVALID_PARAM_STRUCT;
	return served->fn(call, params, rpc->paramsSize);
}

static enum nv_status control(struct fw *fw, const rpc_gsp_rm_control_v *rpc, void *params)
{
	const struct fw_slot *slot = fw_control_find(fw, rpc->cmd);
	const struct fw_control *served = slot->control;
	struct fw_call call = { .fw = fw, .state = fw->state, .cmd = rpc->cmd };
	enum nv_status status;
	bool begun;
	struct fw_node *node;

	status = fw_store_find(&fw->store, rpc->hClient, rpc->hObject, &node);
	if (status != NV_OK)
		return status;
	if (!serves(&node->object, slot))
		return NV_ERR_NOT_SUPPORTED;
	call.object = &node->object;
	if (served->engines) {
		begun = fw_engines_begin(fw);
		status = serve_control(&call, served, rpc, params);
		fw_engines_end(fw, begun);
		return status;
	}
	return serve_control(&call, served, rpc, params);
}

/* Parameters stand at offset 24 of the message's data, which is aligned to 8 as structures need. */
enum nv_status rpc_control(struct fw *fw, void *data, u32 size)
{
	rpc_gsp_rm_control_v *rpc = data;

	if (rpc->paramsSize != size - sizeof(*rpc))
		return NV_ERR_INVALID_PARAM_STRUCT;
	rpc->status = control(fw, rpc, rpc->params);
	return NV_OK;
}
