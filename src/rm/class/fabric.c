// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The probe of a fabric of switches: NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO, and what it tells.
 */
#include "rm/class/fabric.h"

#include "rm/class/subdevice.h"
#include "rm/gpu/notify.h"
#include "rm/gpu/static_info.h"

/* A module whose board has switches is one that is probed. */
static bool is_on_switches(struct rm_gpu *gpu)
{
	NV2080_CTRL_PMGR_MODULE_INFO_PARAMS module;

	os_memset(&module, 0, sizeof(module));
	return rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_PMGR_GET_MODULE_INFO, &module,
				       sizeof(module)) == NV_OK &&
	       module.nvswitchSupport == NV2080_CTRL_PMGR_MODULE_INFO_NVSWITCH_SUPPORTED;
}

void rm_fabric_probe_start(struct rm_gpu *gpu)
{
	NV2080_CTRL_CMD_INTERNAL_START_GPU_FABRIC_PROBE_INFO_PARAMS start;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct rm_fabric_probe *probe = &objects->fabric;
	bool running;

	if (!gpu->info || gpu->info->fabric_probed)
		return;
	gpu->info->fabric_probed = true;
	/* What an earlier firmware heard is void; the answer may come before the start returns. */
	running = is_on_switches(gpu);
	os_mutex_lock(&objects->lock);
	os_memset(probe, 0, sizeof(*probe));
	probe->running = running;
	os_mutex_unlock(&objects->lock);
	if (!running)
		return;
	os_memset(&start, 0, sizeof(start));
	if (rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_INTERNAL_GPU_START_FABRIC_PROBE, &start,
				    sizeof(start)) == NV_OK)
		return;
	os_mutex_lock(&objects->lock);
	os_memset(probe, 0, sizeof(*probe));
	os_mutex_unlock(&objects->lock);
}

void rm_gpu_inband_data(struct rm_gpu *gpu, const void *data, u32 size)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct rm_fabric_probe *probe = &objects->fabric;
	nvlink_inband_gpu_probe_rsp_msg_t answer;

	if (size < sizeof(answer)) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: message over NVLink is too short: %u",
		       gpu->instance, size);
		return;
	}
	os_memcpy(&answer, data, sizeof(answer));
	if (answer.msgHdr.magicId != NVLINK_INBAND_MSG_MAGIC_ID_FM ||
	    answer.msgHdr.type != NVLINK_INBAND_MSG_TYPE_GPU_PROBE_RSP) {
		os_log(OS_LOG_ERROR, "NVRM: GPU%u: unexpected message over NVLink: type %u",
		       gpu->instance, answer.msgHdr.type);
		return;
	}
	os_mutex_lock(&objects->lock);
	if (probe->running) {
		probe->answered = true;
		probe->status = answer.msgHdr.status;
		probe->caps = answer.probeRsp.fmCaps;
		probe->partition = answer.probeRsp.fabricPartitionId;
		os_memcpy(probe->cluster, answer.probeRsp.clusterUuid, sizeof(probe->cluster));
	}
	os_mutex_unlock(&objects->lock);
}

static u64 capabilities(const struct rm_fabric_probe *probe)
{
	u64 multicast =
		NVLINK_INBAND_FM_CAPS_MC_TEAM_SETUP_V1 | NVLINK_INBAND_FM_CAPS_MC_TEAM_RELEASE_V1;

	return (probe->caps & multicast) == multicast
		       ? NV2080_CTRL_GPU_FABRIC_PROBE_CAP_MC_SUPPORTED
		       : 0;
}

enum nv_status subdevice_gpu_get_fabric_probe(struct rm_call *call, void *params)
{
	NV2080_CTRL_CMD_GET_GPU_FABRIC_PROBE_INFO_PARAMS *p = params;
	NV2080_CTRL_CMD_INTERNAL_GET_GPU_FABRIC_PROBE_INFO_PARAMS asked;
	struct rm_gpu *gpu = call->object->gpu;
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct rm_fabric_probe probe;
	enum nv_status status;

	os_mutex_lock(&objects->lock);
	probe = objects->fabric;
	os_mutex_unlock(&objects->lock);
	os_memset(p, 0, sizeof(*p));
	p->state = NV2080_CTRL_GPU_FABRIC_PROBE_STATE_UNSUPPORTED;
	if (!probe.running)
		return NV_OK;
	os_memset(&asked, 0, sizeof(asked));
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_INTERNAL_GPU_GET_FABRIC_PROBE_INFO,
					 &asked, sizeof(asked));
	if (status != NV_OK)
		return status;
	p->state = asked.numProbes == 0 ? NV2080_CTRL_GPU_FABRIC_PROBE_STATE_NOT_STARTED
					: NV2080_CTRL_GPU_FABRIC_PROBE_STATE_IN_PROGRESS;
	if (!probe.answered)
		return NV_OK;
	p->state = NV2080_CTRL_GPU_FABRIC_PROBE_STATE_COMPLETE;
	p->status = probe.status;
	if (probe.status != NV_OK)
		return NV_OK;
	os_memcpy(p->clusterUuid, probe.cluster, sizeof(p->clusterUuid));
	p->fabricPartitionId = probe.partition;
	p->fabricCaps = capabilities(&probe);
	return NV_OK;
}
