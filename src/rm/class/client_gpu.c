// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which GPUs there are and what they are called: NV0000_CTRL_CMD_GPU_*. A GPU is probed when the
 * bus found it, attached while its firmware runs.
 */
#include "base/bits.h"
#include "rm/class/client.h"
#include "rm/gpu/static_info.h"

#define NO_NUMA_NODE (-1)

static bool is_attached(const struct rm_gpu *gpu)
{
	return gpu && os_load_acquire(&gpu->state) == RM_GPU_RUNNING;
}

static struct rm_gpu *attached_by_id(struct rm *rm, u32 id)
{
	struct rm_gpu *gpu = rm_gpu_by_id(rm, id);

	return is_attached(gpu) ? gpu : NULL;
}

#define LIST_IDS 32u

_Static_assert(RM_MAX_GPUS <= LIST_IDS, "room for all");

/* A list of a known length: the compiler makes a few wide stores of it. */
static inline void list_none(u32 ids[LIST_IDS])
{
	u32 i;

	for (i = 0; i < LIST_IDS; i++)
		ids[i] = NV0000_CTRL_GPU_INVALID_ID;
}

enum nv_status client_gpu_get_attached_ids(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_ATTACHED_IDS_PARAMS *p = params;
	u32 i, n = 0;

	list_none(p->gpuIds);
	for (i = 0; i < RM_MAX_GPUS; i++) {
		const struct rm_gpu *gpu = rm_gpu_by_instance(call->rm, i);

		if (is_attached(gpu))
			p->gpuIds[n++] = gpu->gpu_id;
	}
	return NV_OK;
}

enum nv_status client_gpu_get_probed_ids(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS *p = params;
	u32 i, n = 0, excluded = 0;

	list_none(p->gpuIds);
	list_none(p->excludedGpuIds);
	for (i = 0; i < RM_MAX_GPUS; i++) {
		const struct rm_gpu *gpu = rm_gpu_by_instance(call->rm, i);

		if (gpu && os_load_acquire(&gpu->excluded))
			p->excludedGpuIds[excluded++] = gpu->gpu_id;
		else if (gpu)
			p->gpuIds[n++] = gpu->gpu_id;
	}
	return NV_OK;
}

/* Attaching happens when the node is opened; this only says whether the ids are good. */
enum nv_status client_gpu_attach_ids(struct rm_call *call, void *params)
{
	const NV0000_CTRL_GPU_ATTACH_IDS_PARAMS *p = params;
	u32 i;

	if (p->gpuIds[0] == NV0000_CTRL_GPU_ATTACH_ALL_PROBED_IDS)
		return NV_OK;
	for (i = 0; i < ARRAY_SIZE(p->gpuIds) && p->gpuIds[i] != NV0000_CTRL_GPU_INVALID_ID; i++) {
		const struct rm_gpu *gpu = rm_gpu_by_id(call->rm, p->gpuIds[i]);

		if (!gpu || os_load_acquire(&gpu->excluded))
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

/* The interface looks at the first id only. */
enum nv_status client_gpu_detach_ids(struct rm_call *call, void *params)
{
	const NV0000_CTRL_GPU_DETACH_IDS_PARAMS *p = params;

	if (p->gpuIds[0] == NV0000_CTRL_GPU_DETACH_ALL_ATTACHED_IDS ||
	    p->gpuIds[0] == NV0000_CTRL_GPU_INVALID_ID)
		return NV_OK;
	return attached_by_id(call->rm, p->gpuIds[0]) ? NV_OK : NV_ERR_INVALID_ARGUMENT;
}

static u32 gpu_flags(const struct rm_gpu *gpu)
{
	u64 flags = REG_PREP(NV0000_CTRL_GPU_ID_INFO_IN_USE, os_load_relaxed(&gpu->users) != 0);

	if (gpu->info && gpu->info->config.bIsMobile)
		flags |= REG_PREP(NV0000_CTRL_GPU_ID_INFO_MOBILE, 1);
	if (gpu->info && gpu->info->config.bAtsSupported)
		flags |= REG_PREP(NV0000_CTRL_GPU_ID_INFO_ATS_ENABLED, 1);
	return (u32)flags;
}

enum nv_status client_gpu_get_id_info_v2(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_ID_INFO_V2_PARAMS *p = params;
	const struct rm_gpu *gpu = attached_by_id(call->rm, p->gpuId);

	if (!gpu)
		return NV_ERR_INVALID_ARGUMENT;
	p->gpuFlags = gpu_flags(gpu);
	p->deviceInstance = gpu->instance;
	p->subDeviceInstance = 0;
	p->sliStatus = NV0000_CTRL_SLI_STATUS_INVALID_GPU_COUNT;
	p->boardId = gpu->gpu_id;
	p->gpuInstance = gpu->instance;
	p->numaId = NO_NUMA_NODE;
	return NV_OK;
}

enum nv_status client_gpu_get_id_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_ID_INFO_PARAMS *p = params;
	NV0000_CTRL_GPU_GET_ID_INFO_V2_PARAMS v2 = { .gpuId = p->gpuId };
	enum nv_status status = client_gpu_get_id_info_v2(call, &v2);

	if (status != NV_OK)
		return status;
	p->gpuFlags = v2.gpuFlags;
	p->deviceInstance = v2.deviceInstance;
	p->subDeviceInstance = v2.subDeviceInstance;
	p->sliStatus = v2.sliStatus;
	p->boardId = v2.boardId;
	p->gpuInstance = v2.gpuInstance;
	p->numaId = v2.numaId;
	return NV_OK;
}

enum nv_status client_gpu_get_init_status(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_INIT_STATUS_PARAMS *p = params;
	const struct rm_gpu *gpu = rm_gpu_by_id(call->rm, p->gpuId);

	if (!gpu)
		return NV_ERR_INVALID_ARGUMENT;
	switch (os_load_acquire(&gpu->state)) {
	case RM_GPU_FOUND:
		return NV_ERR_INVALID_STATE;
	case RM_GPU_LOST:
		p->status = NV_ERR_GPU_IS_LOST;
		return NV_OK;
	default:
		p->status = NV_OK;
		return NV_OK;
	}
}

enum nv_status client_gpu_get_device_ids(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_DEVICE_IDS_PARAMS *p = params;
	u32 i;

	p->deviceIds = 0;
	for (i = 0; i < RM_MAX_GPUS; i++) {
		if (is_attached(rm_gpu_by_instance(call->rm, i)))
			p->deviceIds |= BIT32(i);
	}
	return NV_OK;
}

enum nv_status client_gpu_get_pci_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_PCI_INFO_PARAMS *p = params;
	const struct rm_gpu *gpu = rm_gpu_by_id(call->rm, p->gpuId);

	if (!gpu)
		return NV_ERR_OBJECT_NOT_FOUND;
	p->domain = gpu->location.domain;
	p->bus = gpu->location.bus;
	p->slot = gpu->location.device;
	return NV_OK;
}

enum nv_status client_gpu_get_svm_size(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_SVM_SIZE_PARAMS *p = params;

	if (!attached_by_id(call->rm, p->gpuId))
		return NV_ERR_INVALID_ARGUMENT;
	p->svmSize = 0;
	return NV_OK;
}

/* -- UUIDs: binary, or as "GPU-01234567-89ab-..."
 * -------------------------------------------------- */

#define UUID_TEXT_SIZE 41u

static u32 uuid_write(const struct rm_gpu *gpu, u32 flags, u8 *out, u32 room)
{
	const u8 *u = gpu->info->uuid;

	if (REG_GET(NV0000_CTRL_CMD_GPU_GET_UUID_INFO_FLAGS_FORMAT, flags) ==
	    NV0000_CTRL_CMD_GPU_GET_UUID_INFO_FLAGS_FORMAT_BINARY) {
		os_memcpy(out, u, RM_GPU_UUID_LENGTH);
		return RM_GPU_UUID_LENGTH;
	}
	os_snprintf((char *)out, room,
		    "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		    u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		    u[13], u[14], u[15]);
	return UUID_TEXT_SIZE;
}

enum nv_status client_gpu_get_uuid_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_UUID_INFO_PARAMS *p = params;
	u8 text[UUID_TEXT_SIZE];
	u32 i, size;

	for (i = 0; i < RM_MAX_GPUS; i++) {
		const struct rm_gpu *gpu = rm_gpu_by_instance(call->rm, i);

		if (!is_attached(gpu) || !gpu->info)
			continue;
		size = uuid_write(gpu, p->flags, text, sizeof(text));
		if (os_memcmp(text, p->gpuUuid, size) != 0)
			continue;
		p->gpuId = gpu->gpu_id;
		p->deviceInstance = gpu->instance;
		p->subdeviceInstance = 0;
		return NV_OK;
	}
	return NV_ERR_OBJECT_NOT_FOUND;
}

enum nv_status client_gpu_get_uuid_from_id(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_UUID_FROM_GPU_ID_PARAMS *p = params;
	const struct rm_gpu *gpu = attached_by_id(call->rm, p->gpuId);

	if (!gpu || !gpu->info)
		return NV_ERR_OBJECT_NOT_FOUND;
	os_memset(p->gpuUuid, 0, sizeof(p->gpuUuid));
	p->uuidStrLen = uuid_write(gpu, p->flags, p->gpuUuid, sizeof(p->gpuUuid));
	return NV_OK;
}

/* -- Drain state ---------------------------------------------------------------------------------
 */

enum nv_status client_gpu_query_drain(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_QUERY_DRAIN_STATE_PARAMS *p = params;
	const struct rm_gpu *gpu = rm_gpu_by_id(call->rm, p->gpuId);
	struct rm_gpu_objects *objects;

	if (!gpu)
		return NV_ERR_OBJECT_NOT_FOUND;
	objects = rm_gpu_objects_of(gpu);
	os_mutex_lock(&objects->lock);
	p->drainState = objects->draining ? NV0000_CTRL_GPU_DRAIN_STATE_ENABLED
					  : NV0000_CTRL_GPU_DRAIN_STATE_DISABLED;
	p->flags = objects->removing ? NV0000_CTRL_GPU_DRAIN_STATE_FLAG_REMOVE_DEVICE : 0;
	os_mutex_unlock(&objects->lock);
	return NV_OK;
}

enum nv_status client_gpu_modify_drain(struct rm_call *call, void *params)
{
	const NV0000_CTRL_GPU_MODIFY_DRAIN_STATE_PARAMS *p = params;
	const struct rm_gpu *gpu = rm_gpu_by_id(call->rm, p->gpuId);
	bool enable = p->newState == NV0000_CTRL_GPU_DRAIN_STATE_ENABLED;
	bool remove = enable && (p->flags & NV0000_CTRL_GPU_DRAIN_STATE_FLAG_REMOVE_DEVICE);
	struct rm_gpu_objects *objects;

	if (!enable && p->newState != NV0000_CTRL_GPU_DRAIN_STATE_DISABLED)
		return NV_ERR_INVALID_ARGUMENT;
	if (enable && (p->flags & NV0000_CTRL_GPU_DRAIN_STATE_FLAG_LINK_DISABLE) && !remove)
		return NV_ERR_INVALID_ARGUMENT;
	if (!gpu)
		return NV_ERR_OBJECT_NOT_FOUND;
	objects = rm_gpu_objects_of(gpu);
	os_mutex_lock(&objects->lock);
	objects->draining = enable;
	objects->removing = remove;
	os_mutex_unlock(&objects->lock);
	return NV_OK;
}

enum nv_status client_gpu_get_memop_enable(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_MEMOP_ENABLE_PARAMS *p = params;
	u32 enabled = 0;

	if (rm_registry_read_dword(call->rm, NULL, "EnableStreamMemOPs", &enabled) != NV_OK)
		enabled = 0;
	p->enableMask = enabled ? NV0000_CTRL_GPU_FLAGS_MEMOP_ENABLE : 0;
	return NV_OK;
}

enum nv_status client_gpu_get_nvlink_bw_mode(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPU_GET_NVLINK_BW_MODE_PARAMS *p = params;

	p->mode = NV0000_CTRL_CMD_GPU_NVLINK_BW_MODE_FULL;
	return NV_OK;
}

/* -- Accounting of processes: of those with channels, so of none yet --------------------------- */

enum nv_status client_gpu_get_accounting_state(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPUACCT_GET_ACCOUNTING_STATE_PARAMS *p = params;
	const struct rm_gpu *gpu = attached_by_id(call->rm, p->gpuId);

	if (!gpu)
		return NV_ERR_INVALID_ARGUMENT;
	p->state = os_load_relaxed(&gpu->accounting) ? NV0000_CTRL_GPU_ACCOUNTING_STATE_ENABLED
						     : NV0000_CTRL_GPU_ACCOUNTING_STATE_DISABLED;
	return NV_OK;
}

enum nv_status client_gpu_set_accounting_state(struct rm_call *call, void *params)
{
	const NV0000_CTRL_GPUACCT_SET_ACCOUNTING_STATE_PARAMS *p = params;
	struct rm_gpu *gpu = attached_by_id(call->rm, p->gpuId);

	if (!gpu || (p->newState != NV0000_CTRL_GPU_ACCOUNTING_STATE_ENABLED &&
		     p->newState != NV0000_CTRL_GPU_ACCOUNTING_STATE_DISABLED))
		return NV_ERR_INVALID_ARGUMENT;
	os_store_relaxed(&gpu->accounting, p->newState == NV0000_CTRL_GPU_ACCOUNTING_STATE_ENABLED);
	return NV_OK;
}

enum nv_status client_gpu_get_accounting_info(struct rm_call *call, void *params)
{
	const NV0000_CTRL_GPUACCT_GET_PROC_ACCOUNTING_INFO_PARAMS *p = params;

	return attached_by_id(call->rm, p->gpuId) ? NV_ERR_OBJECT_NOT_FOUND
						  : NV_ERR_INVALID_ARGUMENT;
}

enum nv_status client_gpu_clear_accounting(struct rm_call *call, void *params)
{
	const NV0000_CTRL_GPUACCT_CLEAR_ACCOUNTING_DATA_PARAMS *p = params;

	return attached_by_id(call->rm, p->gpuId) ? NV_OK : NV_ERR_INVALID_ARGUMENT;
}

enum nv_status client_gpu_get_accounting_pids(struct rm_call *call, void *params)
{
	NV0000_CTRL_GPUACCT_GET_ACCOUNTING_PIDS_PARAMS *p = params;

	if (!attached_by_id(call->rm, p->gpuId))
		return NV_ERR_INVALID_ARGUMENT;
	os_memset(p->pidTbl, 0, sizeof(p->pidTbl));
	p->pidCount = 0;
	return NV_OK;
}
