// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How fast a GPU may run, as far as the CPU side has a say: the firmware decides.
 */
#include "rm/class/subdevice.h"
#include "rm/gpu/notify.h"
#include "rm/gsp/rpc.h"

/* Reserved to the administrator only on a GPU that is divided, which none here can be. */
enum nv_status subdevice_perf_set_rated_tdp(struct rm_call *call, void *params)
{
	return gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle,
			       NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, params,
			       sizeof(NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS));
}

enum nv_status subdevice_perf_set_power_state(struct rm_call *call, void *params)
{
	const NV2080_CTRL_PERF_SET_POWERSTATE_PARAMS *p = params;
	u32 source = p->powerStateInfo.powerState;
	enum nv_status status;

	if (source != NV2080_CTRL_PERF_POWER_SOURCE_AC &&
	    source != NV2080_CTRL_PERF_POWER_SOURCE_BATTERY)
		return NV_ERR_INVALID_ARGUMENT;
	status = gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle,
				 NV2080_CTRL_CMD_PERF_SET_POWERSTATE, params, sizeof(*p));
	if (status == NV_OK)
		rm_gpu_notify_index(call->object->gpu, NV2080_NOTIFIERS_POWER_EVENT);
	return status;
}
