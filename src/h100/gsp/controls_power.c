// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Power: where it comes from, what is drawn and the limits. The latter's control commands have no
 * open definition (abi/r535/closed.abi says what is known of them). There is one channel and one
 * policy, both of the whole board.
 */
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

#define BOARD_CHANNEL 0x1u
#define BOARD_POLICY 0x1u

static enum nv_status get_channels(struct fw_call *call, void *params, u32 size)
{
	closed_power_channels *p = params;

	memset(p, 0, size);
	p->present = BOARD_CHANNEL;
	return NV_OK;
}

static enum nv_status get_channel_status(struct fw_call *call, void *params, u32 size)
{
	closed_power_channel_status *p = params;

	memset(p, 0, size);
	p->power = call->state->power_mw;
	return NV_OK;
}

static enum nv_status get_policies(struct fw_call *call, void *params, u32 size)
{
	closed_power_policies *p = params;
	const struct h100_profile *profile = &call->state->profile;

	memset(p, 0, size);
	p->policyMask = BOARD_POLICY;
	p->minLimit = (u32)profile->power_min_limit_mw;
	p->defaultLimit = (u32)profile->power_default_limit_mw;
	p->maxLimit = (u32)profile->power_max_limit_mw;
	return NV_OK;
}

static enum nv_status get_policy_control(struct fw_call *call, void *params, u32 size)
{
	closed_power_policy_control *p = params;
	u32 mask = p->policyMask;

	memset(p, 0, size);
	p->policyMask = mask;
	if (mask != BOARD_POLICY)
		return NV_ERR_INVALID_ARGUMENT;
	p->limit = call->state->power_limit_mw;
	return NV_OK;
}

static enum nv_status get_requested_limit(struct fw_call *call, void *params, u32 size)
{
	closed_power_limit_requested *p = params;

	p->limit = call->state->power_limit_mw;
	p->unknown0 = 0;
	return NV_OK;
}

static enum nv_status get_limit(struct fw_call *call, void *params, u32 size)
{
	closed_power_limit *p = params;

	p->limit = 0;
	if (p->policy != CLOSED_POWER_POLICY_GPU) /* no module limits power on its own */
		return NV_ERR_NOT_SUPPORTED;
	p->limit = call->state->power_limit_mw;
	return NV_OK;
}

static enum nv_status set_limit(struct fw_call *call, void *params, u32 size)
{
	closed_power_limit_request *p = params;

	return h100_state_set_power_limit(call->state, p->limit);
}

static enum nv_status get_average(struct fw_call *call, void *params, u32 size)
{
	closed_power_average *p = params;
	u32 request = p->request;

	memset(p, 0, size);
	p->request = request;
	p->count = 1;
	p->valid = 1;
	p->power = call->state->power_mw;
	return NV_OK;
}

static enum nv_status set_source(struct fw_call *call, void *params, u32 size)
{
	const NV2080_CTRL_PERF_SET_POWERSTATE_PARAMS *p = params;
	u32 source = p->powerStateInfo.powerState;
	bool battery = source == NV2080_CTRL_PERF_POWER_SOURCE_BATTERY;

	if (source != NV2080_CTRL_PERF_POWER_SOURCE_AC &&
	    source != NV2080_CTRL_PERF_POWER_SOURCE_BATTERY)
		return NV_ERR_INVALID_ARGUMENT;
	/* Any client may say it again and again: the log hears of changes alone. */
	if (battery != call->state->on_battery)
		fw_log(call->fw, OS_LOG_INFO, "the platform runs on %s",
		       battery ? "battery" : "mains");
	call->state->on_battery = battery;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_PERF_SET_POWERSTATE, NV2080_CTRL_PERF_SET_POWERSTATE_PARAMS,
		   set_source),
	FW_CONTROL(0x2080a612, closed_power_channels, get_channels),
	FW_CONTROL(0x2080a613, closed_power_channel_status, get_channel_status),
	FW_CONTROL(0x2080a618, closed_power_policies, get_policies),
	FW_CONTROL(0x2080a61a, closed_power_policy_control, get_policy_control),
	FW_CONTROL(0x2080a61d, closed_power_limit_requested, get_requested_limit),
	FW_CONTROL(0x2080a61f, closed_power_limit, get_limit),
	FW_CONTROL(0x2080e61e, closed_power_limit_request, set_limit),
	FW_CONTROL(0x2080a637, closed_power_average, get_average),
};

FW_CONTROL_GROUP(fw_controls_power, "power", controls);
