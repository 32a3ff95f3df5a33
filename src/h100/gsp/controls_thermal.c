// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Temperatures and their limits: control commands without an open definition (abi/r535/closed.abi
 * says what is known of them). There is one target, the GPU. Temperatures are in 1/256 degree.
 */
#include "h100/gsp/controls.h"

#define TEMPERATURE_SHIFT 8
#define EXECUTE_VERSION 1u
#define GPU_CHANNEL 0x1u
#define GPU_POLICY 0x1u

static bool execute_one(const struct h100_state *state, closed_thermal_instruction *instruction)
{
	switch (instruction->opcode) {
	case CLOSED_THERMAL_OP_TARGET_COUNT:
		instruction->operands[0] = 1;
		return true;
	case CLOSED_THERMAL_OP_TARGET_TYPE:
		instruction->operands[1] = CLOSED_THERMAL_TARGET_GPU;
		return instruction->operands[0] == 0;
	case CLOSED_THERMAL_OP_READING:
		instruction->operands[1] = h100_state_temperature_c(state);
		return instruction->operands[0] == 0;
	default:
		return false;
	}
}

static enum nv_status execute(struct fw_call *call, void *params, u32 size)
{
	closed_thermal_execute *p = params;

	p->executedCount = 0;
	if (p->version != EXECUTE_VERSION || p->instructionSize != sizeof(p->instructions[0]) ||
	    p->count > ARRAY_SIZE(p->instructions))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->count; i++) {
		closed_thermal_instruction *instruction = &p->instructions[i];

		instruction->executed = 1;
		instruction->result = NV_OK;
		if (!execute_one(call->state, instruction))
			instruction->result = NV_ERR_NOT_SUPPORTED;
		else
			p->executedCount++;
	}
	return NV_OK;
}

static enum nv_status get_channels(struct fw_call *call, void *params, u32 size)
{
	closed_thermal_channels *p = params;

	memset(p, 0, size);
	p->channelMask = GPU_CHANNEL;
	p->marginSupported = 1;
	return NV_OK;
}

static s32 fixed_point(s64 celsius)
{
	return (s32)(celsius * (1 << TEMPERATURE_SHIFT));
}

/* How far the GPU is below its highest operating temperature. */
static enum nv_status get_channel_status(struct fw_call *call, void *params, u32 size)
{
	closed_thermal_channel_status *p = params;
	const struct h100_state *state = call->state;
	u32 mask = p->channelMask;

	memset(p, 0, size);
	p->channelMask = mask;
	if ((mask & ~GPU_CHANNEL) != 0)
		return NV_ERR_INVALID_ARGUMENT;
	if (mask & GPU_CHANNEL)
		p->marginTemperature = fixed_point((s64)state->profile.temperature_max_operating_c -
						   (s64)h100_state_temperature_c(state));
	return NV_OK;
}

static enum nv_status get_policies(struct fw_call *call, void *params, u32 size)
{
	memset(params, 0, size);
	return NV_OK;
}

static enum nv_status get_policy_status(struct fw_call *call, void *params, u32 size)
{
	closed_thermal_policy_status *p = params;

	memset(p, 0, size);
	p->policyMask = GPU_POLICY;
	return NV_OK;
}

/* As it is, or (relative) counted from the highest operating temperature. */
static enum nv_status get_limit(struct fw_call *call, void *params, u32 size)
{
	closed_thermal_limit *p = params;
	const struct h100_profile *profile = &call->state->profile;
	s64 celsius;

	p->temperature = 0;
	memset(p->unknown0, 0, sizeof(p->unknown0));
	if (p->limit == CLOSED_THERMAL_LIMIT_SHUTDOWN)
		celsius = (s64)profile->temperature_shutdown_c;
	else if (p->limit == CLOSED_THERMAL_LIMIT_SLOWDOWN)
		celsius = (s64)profile->temperature_slowdown_c;
	else
		return NV_ERR_NOT_SUPPORTED;
	if (p->relative != 0)
		celsius -= (s64)profile->temperature_max_operating_c;
	p->temperature = fixed_point(celsius);
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(0x20808513, closed_thermal_execute, execute),
	FW_CONTROL(0x2080852a, closed_thermal_channels, get_channels),
	FW_CONTROL(0x2080852b, closed_thermal_channel_status, get_channel_status),
	FW_CONTROL(0x20808536, closed_thermal_policies, get_policies),
	FW_CONTROL(0x2080853a, closed_thermal_policy_status, get_policy_status),
	FW_CONTROL(0x20808546, closed_thermal_limit, get_limit),
};

FW_CONTROL_GROUP(fw_controls_thermal, "thermal", controls);
