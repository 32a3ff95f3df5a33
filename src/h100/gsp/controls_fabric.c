// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands about the probe of a fabric of switches: the GPU asks the fabric manager over
 * its links, and hands the answer on to the driver as it came.
 */
#include "h100/engine/fabric.h"
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

#define ONLY_PARTITION 1u

static bool is_on_switches(const struct h100_state *state)
{
	return state->profile.nvlink_count != 0 && state->nvlink[0].cabled &&
	       state->nvlink[0].remote_gpu == H100_NVLINK_SWITCH;
}

/* One node is a cluster of its own, without a name; the manager knows teams for multicast. */
static void manager_answer(const struct h100_state *state,
			   nvlink_inband_gpu_probe_rsp_msg_t *answer)
{
	nvlink_inband_gpu_probe_rsp_t *p = &answer->probeRsp;
	u64 base = h100_fabric_base(state->index);

	memset(answer, 0, sizeof(*answer));
	answer->msgHdr.magicId = NVLINK_INBAND_MSG_MAGIC_ID_FM;
	answer->msgHdr.requestId = state->fabric_probes;
	answer->msgHdr.type = NVLINK_INBAND_MSG_TYPE_GPU_PROBE_RSP;
	answer->msgHdr.length = sizeof(*p);
	if (state->fabric_manager == H100_FABRIC_REFUSES) {
		answer->msgHdr.status = NV_ERR_GENERIC;
		return;
	}
	answer->msgHdr.status = NV_OK;
	p->gpuHandle = h100_state_sid(state, state->index);
	p->fmCaps =
		NVLINK_INBAND_FM_CAPS_MC_TEAM_SETUP_V1 | NVLINK_INBAND_FM_CAPS_MC_TEAM_RELEASE_V1;
	p->fabricPartitionId = ONLY_PARTITION;
	p->gpaAddress = base;
	p->gpaAddressRange = (u64)1 << H100_FABRIC_WINDOW_SHIFT;
	p->flaAddress = base;
	p->flaAddressRange = (u64)1 << H100_FABRIC_WINDOW_SHIFT;
}

void fw_fabric_work(struct fw *fw)
{
	rpc_nvlink_inband_received_data_256_v message;
	nvlink_inband_gpu_probe_rsp_msg_t answer;

	if (fw->stage != FW_STAGE_RUNNING)
		return;
	fw->state->fabric_waiting = fw->state->fabric_manager == H100_FABRIC_SILENT;
	manager_answer(fw->state, &answer);
	if (fw->state->fabric_waiting)
		return;
	memset(&message, 0, sizeof(message));
	message.params.dataSize = sizeof(answer);
	memcpy(message.params.data, &answer, sizeof(answer));
	fw_event(fw, NV_VGPU_MSG_EVENT_NVLINK_INBAND_RECEIVED_DATA_256, NV_OK, &message,
		 sizeof(message));
}

static enum nv_status start_probe(struct fw_call *call, void *params, u32 size)
{
	if (!is_on_switches(call->state))
		return NV_ERR_NOT_SUPPORTED;
	call->state->fabric_probes = 1;
	call->state->fabric_waiting = true;
	return NV_OK;
}

/* A GPU that waits asks at intervals; this one whenever its driver wants to know. */
static enum nv_status get_probe(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_CMD_INTERNAL_GET_GPU_FABRIC_PROBE_INFO_PARAMS *p = params;

	call->state->fabric_probes += call->state->fabric_waiting;
	p->numProbes = call->state->fabric_probes;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GPU_START_FABRIC_PROBE,
		   NV2080_CTRL_CMD_INTERNAL_START_GPU_FABRIC_PROBE_INFO_PARAMS, start_probe),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GPU_GET_FABRIC_PROBE_INFO,
		   NV2080_CTRL_CMD_INTERNAL_GET_GPU_FABRIC_PROBE_INFO_PARAMS, get_probe),
};

FW_CONTROL_GROUP(fw_controls_fabric, "fabric", controls);
