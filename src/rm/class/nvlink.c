// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How GPUs are wired by NVLink, from what their firmware says. Ends find each other by name: a link
 * whose training saw the name (SID) that another GPU gives as its own leads to that GPU.
 */
#include "rm/class/nvlink.h"

#include "base/bits.h"

#define NO_FABRIC_ADDRESS (~(u64)0)

static enum nv_status read_end(struct rm_gpu *gpu, u32 link, struct rm_nvlink_end *end)
{
	NV2080_CTRL_NVLINK_UPDATE_REMOTE_LOCAL_SID_PARAMS ask;
	enum nv_status status;

	os_memset(&ask, 0, sizeof(ask));
	ask.linkId = link;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_UPDATE_REMOTE_LOCAL_SID, &ask,
					 sizeof(ask));
	if (status != NV_OK)
		return status;
	end->local_sid = ask.remoteLocalSidInfo.localSid;
	end->remote_sid = ask.remoteLocalSidInfo.remoteSid;
	end->remote_link = ask.remoteLocalSidInfo.remoteLinkId;
	end->type = NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE;
	if (end->remote_sid == 0)
		return NV_OK;
	if (ask.remoteLocalSidInfo.remoteDeviceType >
	    NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_NONE)
		return NV_ERR_INVALID_DATA;
	end->type = (u8)ask.remoteLocalSidInfo.remoteDeviceType;
	return NV_OK;
}

static enum nv_status read_fabric_address(struct rm_gpu *gpu, struct rm_nvlink *wiring)
{
	NV2080_CTRL_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR_PARAMS ask;
	enum nv_status status;

	os_memset(&ask, 0, sizeof(ask));
	ask.bGet = 1;
	ask.addr = NO_FABRIC_ADDRESS;
	status = rm_gpu_internal_control(
		gpu, NV2080_CTRL_CMD_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR, &ask,
		sizeof(ask));
	wiring->fabric_address = ask.addr;
	wiring->switched = status == NV_OK && ask.addr != NO_FABRIC_ADDRESS;
	return status;
}

static enum nv_status read_mode(struct rm_gpu *gpu, struct rm_nvlink *wiring)
{
	NV2080_CTRL_INTERNAL_GPU_GET_SMC_MODE_PARAMS ask;
	enum nv_status status;

	os_memset(&ask, 0, sizeof(ask));
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_INTERNAL_GPU_GET_SMC_MODE, &ask,
					 sizeof(ask));
	wiring->divided =
		status == NV_OK && ask.smcMode == NV2080_CTRL_GPU_INFO_GPU_SMC_MODE_ENABLED;
	return status;
}

static enum nv_status read_wiring(struct rm_gpu *gpu, struct rm_nvlink *wiring)
{
	NV2080_CTRL_NVLINK_GET_NVLINK_DEVICE_INFO_PARAMS *info = os_alloc(sizeof(*info));
	enum nv_status status;
	u32 i;

	if (!info)
		return NV_ERR_NO_MEMORY;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_NVLINK_GET_NVLINK_DEVICE_INFO, info,
					 sizeof(*info));
	/* Chips without links have no such command. */
	if (status == NV_ERR_NOT_SUPPORTED) {
		status = NV_OK;
		goto out;
	}
	if (status != NV_OK)
		goto out;
	wiring->links = info->discoveredLinks;
	wiring->version = info->ipVerNvlink;
	status = read_mode(gpu, wiring);
	if (status == NV_OK)
		status = read_fabric_address(gpu, wiring);
	for (i = 0; i < ARRAY_SIZE(wiring->ends) && status == NV_OK; i++) {
		if (wiring->links & BIT32(i))
			status = read_end(gpu, i, &wiring->ends[i]);
	}
out:
	os_free(info);
	return status;
}

enum nv_status rm_nvlink_get(struct rm_gpu *gpu, const struct rm_nvlink **out)
{
	struct rm_gpu_static *info = gpu->info;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct rm_nvlink *wiring;
	enum nv_status status;

	if (!info)
		return NV_ERR_INVALID_STATE;
	if (os_load_acquire(&info->nvlink_known)) {
		*out = &info->nvlink;
		return NV_OK;
	}
	wiring = os_alloc(sizeof(*wiring));
	if (!wiring)
		return NV_ERR_NO_MEMORY;
	status = read_wiring(gpu, wiring);
	if (status == NV_OK) {
		/* Two may have asked at once: the first to get here counts. */
		os_mutex_lock(&objects->lock);
		if (!info->nvlink_known) {
			info->nvlink = *wiring;
			os_store_release(&info->nvlink_known, 1);
		}
		os_mutex_unlock(&objects->lock);
		*out = &info->nvlink;
	}
	os_free(wiring);
	return status;
}

/* Every link of a GPU gives the same name; one that has no first link has none. */
void rm_nvlink_learn_name(struct rm_gpu *gpu)
{
	struct rm_nvlink_end end;

	if (gpu->nvlink_named)
		return;
	os_memset(&end, 0, sizeof(end));
	if (read_end(gpu, 0, &end) == NV_OK)
		gpu->nvlink_sid = end.local_sid;
	os_store_release(&gpu->nvlink_named, 1);
}

const struct rm_gpu *rm_nvlink_gpu_named(struct rm *rm, u64 sid)
{
	u32 i;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		const struct rm_gpu *gpu = rm_gpu_by_instance(rm, i);

		if (gpu && os_load_acquire(&gpu->nvlink_named) && gpu->nvlink_sid == sid)
			return gpu;
	}
	return NULL;
}

static bool leads_to(const struct rm_nvlink_end *end, const struct rm_nvlink *to)
{
	u32 i;

	if (end->type == NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_SWITCH)
		return to->switched;
	if (end->type != NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_GPU)
		return false;
	i = end->remote_link;
	return i < ARRAY_SIZE(to->ends) && (to->links & BIT32(i)) &&
	       to->ends[i].local_sid == end->remote_sid;
}

enum nv_status rm_nvlink_between(struct rm_gpu *a, struct rm_gpu *b, u32 *links)
{
	NV2080_CTRL_NVLINK_ARE_LINKS_TRAINED_PARAMS trained;
	const struct rm_nvlink *from = NULL, *to = NULL;
	enum nv_status status;
	u32 mask = 0, i;

	*links = 0;
	status = rm_nvlink_get(a, &from);
	if (status == NV_OK)
		status = rm_nvlink_get(b, &to);
	if (status != NV_OK || from->links == 0 || to->links == 0)
		return status;
	os_memset(&trained, 0, sizeof(trained));
	trained.linkMask = from->links;
	trained.bActiveOnly = 1;
	status = rm_gpu_internal_control(a, NV2080_CTRL_CMD_NVLINK_ARE_LINKS_TRAINED, &trained,
					 sizeof(trained));
	for (i = 0; i < ARRAY_SIZE(from->ends) && status == NV_OK; i++) {
		if (!(from->links & BIT32(i)) || !leads_to(&from->ends[i], to))
			continue;
		if (!trained.bIsLinkActive[i])
			break;
		mask |= BIT32(i);
	}
	if (status == NV_OK && i == ARRAY_SIZE(from->ends))
		*links = mask;
	return status;
}
