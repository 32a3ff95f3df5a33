// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV01_DEVICE_0 (Device): a GPU as a client addresses it, by instance. The firmware learns of
 * the client with its first object on that GPU.
 */
#include "rm/class/class.h"
#include "rm/class/device_fifo.h"
#include "rm/class/listed.h"
#include "rm/class/state.h"
#include "rm/file.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/rpc.h"

/* Asked by CUDA with a byte of unknown meaning; no open header names it. */
#define CLOSED_BYTE 0x00809909u

static bool has_device(const struct rm_object *root, const struct rm_object *but,
		       const struct rm_gpu *gpu)
{
	struct rm_object *child;

	list_for_each_entry (child, &root->children, sibling) {
		if (child != but && child->class == &rm_class_device && child->gpu == gpu &&
		    !(child->flags & RM_OBJECT_DEAD))
			return true;
	}
	return false;
}

static enum nv_status introduce_client(struct rm_gpu *gpu, const struct rm_client *client)
{
	NV0000_ALLOC_PARAMETERS params = {
		.hClient = client->handle,
		.processID = client->cred.pid,
	};

	return gsp_rpc_alloc(gpu, client->handle, 0, client->handle, NV01_ROOT, &params,
			     sizeof(params));
}

static enum nv_status device_construct(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	const NV0080_ALLOC_PARAMETERS *p = params;
	struct rm_gpu *gpu;
	u32 instance = p ? p->deviceId : 0;

	if (p && (p->flags & NV_DEVICE_ALLOCATION_FLAGS_RESTRICT_RESERVED_VALIMITS) &&
	    (p->vaLimitInternal < p->vaStartInternal || p->vaLimitInternal == 0))
		return NV_ERR_INVALID_ARGUMENT;
	gpu = rm_gpu_by_instance(call->rm, instance);
	if (!gpu || os_load_acquire(&gpu->state) != RM_GPU_RUNNING)
		return NV_ERR_INVALID_CLASS;
	if (has_device(call->object, object, gpu))
		return NV_ERR_INSUFFICIENT_RESOURCES;
	/* Whoever may not open the GPU's node may not use the GPU through the control node. */
	if (!call->kernel && !rm_file_gpu_accessible(call->file, gpu, &call->cred))
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	object->gpu = gpu;
	return introduce_client(gpu, object->client);
}

static void device_destruct(struct rm_call *call, struct rm_object *object)
{
	if (!rm_gpu_is_lost(object->gpu))
		gsp_rpc_free(object->gpu, object->client->handle, 0, object->client->handle);
}

static enum nv_status device_get_num_subdevices(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_GET_NUM_SUBDEVICES_PARAMS *p = params;

	p->numSubDevices = 1;
	return NV_OK;
}

static enum nv_status device_modify_persistence(struct rm_call *call, void *params)
{
	const NV0080_CTRL_GPU_MODIFY_SW_STATE_PERSISTENCE_PARAMS *p = params;

	if (p->newState != NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_ENABLED &&
	    p->newState != NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_DISABLED)
		return NV_ERR_INVALID_ARGUMENT;
	rm_call_lock_gpu(call, call->object->gpu);
	rm_gpu_set_persistent(call->object->gpu,
			      p->newState == NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_ENABLED);
	return NV_OK;
}

static enum nv_status device_query_persistence(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_QUERY_SW_STATE_PERSISTENCE_PARAMS *p = params;

	p->swStatePersistence = os_load_relaxed(&call->object->gpu->persistent)
					? NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_ENABLED
					: NV0080_CTRL_GPU_SW_STATE_PERSISTENCE_DISABLED;
	return NV_OK;
}

static enum nv_status device_get_virtualization_mode(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_GET_VIRTUALIZATION_MODE_PARAMS *p = params;

	p->virtualizationMode = NV0080_CTRL_GPU_VIRTUALIZATION_MODE_NONE;
	return NV_OK;
}

static enum nv_status device_get_vgx_caps(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_GET_VGX_CAPS_PARAMS *p = params;

	p->isVgx = 0;
	return NV_OK;
}

static enum nv_status device_get_sriov_caps(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_GET_SRIOV_CAPS_PARAMS *p = params;

	if (!call->object->gpu->info)
		return NV_ERR_INVALID_STATE;
	*p = call->object->gpu->info->config.sriovCaps;
	return NV_OK;
}

static enum nv_status device_get_classlist_v2(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_GET_CLASSLIST_V2_PARAMS *p = params;

	os_memset(p->classList, 0, sizeof(p->classList));
	os_memcpy(p->classList, rm_listed_classes, rm_listed_class_count * sizeof(u32));
	p->numClasses = rm_listed_class_count;
	return NV_OK;
}

static enum nv_status device_find_subdevice(struct rm_call *call, void *params)
{
	NV0080_CTRL_GPU_FIND_SUBDEVICE_HANDLE_PARAM *p = params;
	struct rm_object *child;

	list_for_each_entry (child, &call->object->children, sibling) {
		if (p->subDeviceInst == 0 && child->class == &rm_class_subdevice &&
		    !(child->flags & RM_OBJECT_DEAD)) {
			p->hSubDevice = child->handle;
			return NV_OK;
		}
	}
	return NV_ERR_OBJECT_NOT_FOUND;
}

static const struct rm_control_handler device_controls[] = {
	{ NV0080_CTRL_CMD_GPU_GET_NUM_SUBDEVICES, device_get_num_subdevices },
	{ NV0080_CTRL_CMD_GPU_MODIFY_SW_STATE_PERSISTENCE, device_modify_persistence },
	{ NV0080_CTRL_CMD_GPU_QUERY_SW_STATE_PERSISTENCE, device_query_persistence },
	{ NV0080_CTRL_CMD_GPU_GET_VIRTUALIZATION_MODE, device_get_virtualization_mode },
	{ NV0080_CTRL_CMD_GPU_GET_VGX_CAPS, device_get_vgx_caps },
	{ NV0080_CTRL_CMD_GPU_GET_SRIOV_CAPS, device_get_sriov_caps },
	{ NV0080_CTRL_CMD_GPU_GET_CLASSLIST_V2, device_get_classlist_v2 },
	{ NV0080_CTRL_CMD_GPU_FIND_SUBDEVICE_HANDLE, device_find_subdevice },
	{ NV0080_CTRL_CMD_HOST_GET_CAPS_V2, device_host_get_caps_v2 },
	{ NV0080_CTRL_CMD_FIFO_GET_CAPS, device_fifo_get_caps },
	{ NV0080_CTRL_CMD_FIFO_GET_CAPS_V2, device_fifo_get_caps_v2 },
	{ NV0080_CTRL_CMD_FB_GET_CAPS_V2, device_fb_get_caps_v2 },
	{ NV0080_CTRL_CMD_FIFO_GET_CHANNELLIST, device_fifo_get_channellist },
	{ NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS, device_fifo_start_selected_channels },
	{ NV0080_CTRL_CMD_FIFO_IDLE_CHANNELS, device_fifo_idle_channels },
	{ CLOSED_BYTE, device_closed_byte },
};

const struct rm_class rm_class_device = {
	.iclass = ABI_ICLASS_Device,
	.object_size = sizeof(struct rm_object),
	.construct = device_construct,
	.destruct = device_destruct,
	.controls = device_controls,
	.control_count = ARRAY_SIZE(device_controls),
	.mirrored = true,
};
