// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The compute mode, how busy the GPU is and why it is not faster. Most of these control commands
 * have no open definition (abi/r535/closed.abi says what is known of them).
 */
#include "h100/gsp/controls.h"

#define LIMIT_POLICY 0x1u
#define PERIOD_MICROSECONDS 1000000u

static enum nv_status get_utilizations(struct fw_call *call, void *params, u32 size)
{
	closed_utilizations *p = params;
	const struct h100_state *state = call->state;

	memset(p->unknown0, 0, sizeof(p->unknown0));
	if (p->count == 0 || p->count > ARRAY_SIZE(p->engines))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->count; i++) {
		closed_utilization *engine = &p->engines[i];
		enum h100_engine which;

		engine->percent = 0;
		memset(engine->unknown0, 0, sizeof(engine->unknown0));
		if (engine->engine == CLOSED_UTILIZATION_GPU)
			which = H100_ENGINE_GRAPHICS;
		else if (engine->engine == CLOSED_UTILIZATION_MEMORY)
			which = H100_ENGINE_MEMORY;
		else
			return NV_ERR_INVALID_ARGUMENT;
		engine->percent = h100_state_utilization(state, which, state->update_ns);
	}
	return NV_OK;
}

static enum nv_status get_media_utilization(struct fw_call *call, void *params, u32 size)
{
	closed_media_utilization *p = params;
	const struct h100_state *state = call->state;
	const struct {
		u32 number;
		enum h100_engine engine;
	} engines[] = {
		{ CLOSED_MEDIA_ENCODER, H100_ENGINE_ENCODER },
		{ CLOSED_MEDIA_DECODER, H100_ENGINE_DECODER },
		{ CLOSED_MEDIA_JPEG, H100_ENGINE_JPEG },
		{ CLOSED_MEDIA_OFA, H100_ENGINE_OFA },
	};

	p->percent = 0;
	p->periodMicroseconds = PERIOD_MICROSECONDS;
	for (u32 i = 0; i < ARRAY_SIZE(engines); i++) {
		if (engines[i].number == p->engine) {
			p->percent =
				h100_state_utilization(state, engines[i].engine, state->update_ns);
			return NV_OK;
		}
	}
	return NV_ERR_INVALID_ARGUMENT;
}

static enum nv_status get_policies(struct fw_call *call, void *params, u32 size)
{
	closed_perf_policies *p = params;

	memset(p, 0, size);
	p->policyMask = LIMIT_POLICY;
	return NV_OK;
}

static enum nv_status get_policy_status(struct fw_call *call, void *params, u32 size)
{
	closed_perf_policy_status *p = params;
	u32 slowdown = call->state->slowdown, mask = p->policyMask;

	memset(p, 0, size);
	p->policyMask = mask;
	if ((mask & ~LIMIT_POLICY) != 0)
		return NV_ERR_INVALID_ARGUMENT;
	if (slowdown & H100_SLOWDOWN_POWER_CAP)
		p->limitedBy |= CLOSED_PERF_LIMITED_POWER;
	if (slowdown & H100_SLOWDOWN_THERMAL_SOFTWARE)
		p->limitedBy |= CLOSED_PERF_LIMITED_THERMAL;
	if (slowdown & H100_SLOWDOWN_IDLE)
		p->limitedBy |= CLOSED_PERF_IDLE;
	if (slowdown & H100_SLOWDOWN_SYNC_BOOST)
		p->limitedBy |= CLOSED_PERF_SYNC_BOOST;
	return NV_OK;
}

static enum nv_status get_hardware_slowdown(struct fw_call *call, void *params, u32 size)
{
	closed_hardware_slowdown *p = params;
	u32 slowdown = call->state->slowdown;

	memset(p, 0, size);
	if (slowdown & H100_SLOWDOWN_THERMAL_HARDWARE)
		p->active |= CLOSED_SLOWDOWN_THERMAL;
	if (slowdown & H100_SLOWDOWN_POWER_BRAKE)
		p->active |= CLOSED_SLOWDOWN_POWER_BRAKE;
	return NV_OK;
}

static enum nv_status set_compute_mode(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_SET_COMPUTE_MODE_RULES_PARAMS *p = params;

	return h100_state_set_compute_mode(call->state, p->rules);
}

static void put_share(NV2080_CTRL_PERF_GPUMON_ENGINE_UTIL_SAMPLE *out,
		      const struct h100_sample *sample, enum h100_engine engine)
{
	out->util = sample->share[engine];
	/* Engines have no processes yet, and there are no virtual GPUs. */
	out->procId = (u32)NV2080_GPUMON_PID_INVALID;
	out->subProcessID = (u32)NV2080_GPUMON_PID_INVALID;
}

static enum nv_status get_utilization_samples(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_PERF_GET_GPUMON_PERFMON_UTIL_SAMPLES_V2_PARAMS *p = params;
	const struct h100_state *state = call->state;
	u32 count = state->sample_count < H100_SAMPLES ? (u32)state->sample_count : H100_SAMPLES;

	memset(p->samples, 0, sizeof(p->samples));
	p->count = p->tracker = 0;
	if (p->type != NV2080_CTRL_GPUMON_SAMPLE_TYPE_PERFMON_UTIL ||
	    p->bufSize != sizeof(p->samples))
		return NV_ERR_INVALID_ARGUMENT;
	p->count = count;
	p->tracker = (u32)(state->sample_count % H100_SAMPLES);
	for (u32 i = 0; i < count; i++) {
		const struct h100_sample *from = &state->samples[i];
		NV2080_CTRL_PERF_GPUMON_PERFMON_UTIL_SAMPLE *to = &p->samples[i];

		to->base.timeStamp = from->end_ns;
		put_share(&to->fb, from, H100_ENGINE_MEMORY);
		put_share(&to->gr, from, H100_ENGINE_GRAPHICS);
		put_share(&to->nvenc, from, H100_ENGINE_ENCODER);
		put_share(&to->nvdec, from, H100_ENGINE_DECODER);
	}
	return NV_OK;
}

_Static_assert(H100_SAMPLES == NV2080_CTRL_PERF_GPUMON_SAMPLE_COUNT_PERFMON_UTIL,
	       "the model's ring is the interface's");

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_PERF_GET_GPUMON_PERFMON_UTIL_SAMPLES_V2,
		   NV2080_CTRL_PERF_GET_GPUMON_PERFMON_UTIL_SAMPLES_V2_PARAMS,
		   get_utilization_samples),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_SET_COMPUTE_MODE_RULES,
		   NV2080_CTRL_GPU_SET_COMPUTE_MODE_RULES_PARAMS, set_compute_mode),
	FW_CONTROL(0x2080a097, closed_utilizations, get_utilizations),
	FW_CONTROL(0x2080a087, closed_media_utilization, get_media_utilization),
	FW_CONTROL(0x2080a080, closed_perf_policies, get_policies),
	FW_CONTROL(0x2080a081, closed_perf_policy_status, get_policy_status),
	FW_CONTROL(0x2080a014, closed_hardware_slowdown, get_hardware_slowdown),
};

FW_CONTROL_GROUP(fw_controls_perf, "perf", controls);
