// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who uses a GPU: process ids and their memory, the rules about compute, and the encoder and
 * capture sessions (of which this driver makes none).
 */
#include "rm/class/engine_object.h"
#include "rm/class/subdevice.h"
#include "rm/gsp/rpc.h"

#define ENCODER_CAPACITY_MAX 100u /* percent */

static bool pid_listed(const u32 *pids, u32 count, u32 pid)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

/* The processes with an object of the class on the GPU: a subdevice, or an engine's. */
enum nv_status subdevice_gpu_get_pids(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_PIDS_PARAMS *p = params;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(call->object->gpu);
	struct rm_class_state *state = call->rm->classes;
	struct rm_subdevice *subdevice;
	u32 count = 0;

	if (p->idType != NV2080_CTRL_GPU_GET_PIDS_ID_TYPE_CLASS &&
	    p->idType != NV2080_CTRL_GPU_GET_PIDS_ID_TYPE_VGPU_GUEST)
		return NV_ERR_INVALID_ARGUMENT;
	os_memset(p->pidTbl, 0, sizeof(p->pidTbl));
	if (p->idType == NV2080_CTRL_GPU_GET_PIDS_ID_TYPE_CLASS && p->id == NV20_SUBDEVICE_0) {
		os_mutex_lock(&state->event_lock);
		list_for_each_entry (subdevice, &objects->subdevices, node) {
			if (subdevice->pid && count < ARRAY_SIZE(p->pidTbl) &&
			    !pid_listed(p->pidTbl, count, subdevice->pid))
				p->pidTbl[count++] = subdevice->pid;
		}
		os_mutex_unlock(&state->event_lock);
	} else if (p->idType == NV2080_CTRL_GPU_GET_PIDS_ID_TYPE_CLASS) {
		count = rm_engine_object_pids(call->object->gpu, p->id, p->pidTbl,
					      ARRAY_SIZE(p->pidTbl));
	}
	p->pidTblCount = count;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_pid_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_PID_INFO_PARAMS *p = params;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(call->object->gpu);
	u32 i;

	if (p->pidInfoListCount == 0 || p->pidInfoListCount > ARRAY_SIZE(p->pidInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->pidInfoListCount; i++) {
		NV2080_CTRL_GPU_PID_INFO *info = &p->pidInfoList[i];

		info->smcSubscription.computeInstanceId = ~0u;
		info->smcSubscription.gpuInstanceId = ~0u;
		if (info->index != NV2080_CTRL_GPU_PID_INFO_INDEX_VIDEO_MEMORY_USAGE) {
			info->result = NV_ERR_INVALID_ARGUMENT;
			continue;
		}
		os_memset(&info->data, 0, sizeof(info->data));
		os_mutex_lock(&objects->lock);
		info->data.vidMemUsage.memPrivate = rm_heap_used_by(&objects->heap, info->pid);
		os_mutex_unlock(&objects->lock);
		info->result = NV_OK;
	}
	return NV_OK;
}

/* -- Compute mode --------------------------------------------------------------------------------
 */

enum nv_status subdevice_gpu_query_compute_rules(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_QUERY_COMPUTE_MODE_RULES_PARAMS *p = params;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(call->object->gpu);

	os_mutex_lock(&objects->lock);
	p->rules = objects->compute_rules;
	os_mutex_unlock(&objects->lock);
	return NV_OK;
}

enum nv_status subdevice_gpu_set_compute_rules(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_SET_COMPUTE_MODE_RULES_PARAMS *p = params;
	struct rm_gpu *gpu = call->object->gpu;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	enum nv_status status;

	status = gsp_rpc_control(gpu, call->client->handle, call->object->handle,
				 NV2080_CTRL_CMD_GPU_SET_COMPUTE_MODE_RULES, p, sizeof(*p));
	if (status != NV_OK)
		return status;
	if (p->rules > NV2080_CTRL_GPU_COMPUTE_MODE_RULES_EXCLUSIVE_COMPUTE_PROCESS)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&objects->lock);
	objects->compute_rules = p->rules;
	os_mutex_unlock(&objects->lock);
	/* So that it outlives the last client; a full registry does not undo the change. */
	if (rm_registry_write_dword(call->rm, gpu, "RmComputeModeRules", p->rules) != NV_OK)
		os_log(OS_LOG_ERROR, "GPU%u: the compute mode could not be stored", gpu->instance);
	return NV_OK;
}

enum nv_status subdevice_gpu_acquire_compute(struct rm_call *call, void *params)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(call->object->gpu);
	enum nv_status status = NV_OK;

	os_mutex_lock(&objects->lock);
	switch (objects->compute_rules) {
	case NV2080_CTRL_GPU_COMPUTE_MODE_RULES_EXCLUSIVE_COMPUTE:
	case NV2080_CTRL_GPU_COMPUTE_MODE_RULES_EXCLUSIVE_COMPUTE_PROCESS:
		if (objects->compute_owner)
			status = NV_ERR_STATE_IN_USE;
		break;
	case NV2080_CTRL_GPU_COMPUTE_MODE_RULES_COMPUTE_PROHIBITED:
		status = NV_ERR_STATE_IN_USE;
		break;
	default:
		break;
	}
	if (status == NV_OK)
		objects->compute_owner = call->client->handle;
	os_mutex_unlock(&objects->lock);
	return status;
}

enum nv_status subdevice_gpu_release_compute(struct rm_call *call, void *params)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(call->object->gpu);
	enum nv_status status = NV_ERR_STATE_IN_USE;

	os_mutex_lock(&objects->lock);
	if (objects->compute_owner == call->client->handle) {
		objects->compute_owner = 0;
		status = NV_OK;
	}
	os_mutex_unlock(&objects->lock);
	return status;
}

/* -- Encoder and frame buffer capture ------------------------------------------------------------
 */

enum nv_status subdevice_gpu_get_encoder_capacity(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_ENCODER_CAPACITY_PARAMS *p = params;

	if (p->queryType != NV2080_CTRL_GPU_GET_ENCODER_CAPACITY_H264 &&
	    p->queryType != NV2080_CTRL_GPU_GET_ENCODER_CAPACITY_HEVC)
		return NV_ERR_INVALID_ARGUMENT;
	p->encoderCapacity = ENCODER_CAPACITY_MAX;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_nvenc_stats(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_NVENC_SW_SESSION_STATS_PARAMS *p = params;

	p->encoderSessionCount = 0;
	p->averageEncodeFps = 0;
	p->averageEncodeLatency = 0;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_nvenc_sessions(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_NVENC_SW_SESSION_INFO_PARAMS *p = params;

	p->sessionInfoTblEntry = 0;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_nvenc_sessions_v2(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_NVENC_SW_SESSION_INFO_V2_PARAMS *p = params;

	p->sessionInfoTblEntry = 0;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_nvfbc_stats(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_NVFBC_SW_SESSION_STATS_PARAMS *p = params;

	p->sessionCount = 0;
	p->averageFPS = 0;
	p->averageLatency = 0;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_nvfbc_sessions(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_NVFBC_SW_SESSION_INFO_PARAMS *p = params;

	os_memset(p, 0, sizeof(*p));
	return NV_OK;
}
