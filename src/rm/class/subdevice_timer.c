// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The GPU's timer: NV2080_CTRL_CMD_TIMER_*.
 */
#include "base/bits.h"
#include "rm/class/subdevice.h"

#define TIMER_REGISTERS 0x9000u /* where PTIMER is among the registers */
/* The platform clock is read between readings of the GPU's; the tightest pair counts. */
#define PLATFORM_SAMPLES 3u

enum nv_status subdevice_timer_get_time(struct rm_call *call, void *params)
{
	NV2080_CTRL_TIMER_GET_TIME_PARAMS *p = params;

	p->time_nsec = rm_gpu_time(call->object->gpu);
	return NV_OK;
}

enum nv_status subdevice_timer_get_register_offset(struct rm_call *call, void *params)
{
	NV2080_CTRL_TIMER_GET_REGISTER_OFFSET_PARAMS *p = params;

	p->tmr_offset = TIMER_REGISTERS;
	return NV_OK;
}

/* One sample whose two times are as near to one another as can be. */
static void sample_platform(const struct rm_gpu *gpu, NV2080_CTRL_TIMER_GPU_CPU_TIME_SAMPLE *sample)
{
	u64 before = os_time_ns(), closest = ~(u64)0;
	u32 i;

	for (i = 0; i < PLATFORM_SAMPLES; i++) {
		u64 gpu_time = rm_gpu_time(gpu), after = os_time_ns();

		if (after - before < closest) {
			closest = after - before;
			sample->gpuTime = gpu_time;
			sample->cpuTime = before + (after - before) / 2;
		}
		before = after;
	}
}

enum nv_status subdevice_timer_get_correlation(struct rm_call *call, void *params)
{
	NV2080_CTRL_TIMER_GET_GPU_CPU_TIME_CORRELATION_INFO_PARAMS *p = params;
	struct rm_gpu *gpu = call->object->gpu;
	u32 source = (u32)REG_GET(NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_SOURCE, p->cpuClkId);
	u32 processor = (u32)REG_GET(NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_PROCESSOR, p->cpuClkId);
	u32 i;

	if (p->sampleCount > ARRAY_SIZE(p->samples))
		return NV_ERR_INVALID_ARGUMENT;
	if (processor == NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_PROCESSOR_GSP)
		return rm_gpu_internal_control(
			gpu, NV2080_CTRL_CMD_TIMER_GET_GPU_CPU_TIME_CORRELATION_INFO, p,
			sizeof(*p));
	if (processor != NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_PROCESSOR_CPU)
		return NV_ERR_INVALID_ARGUMENT;
	switch (source) {
	case NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_OSTIME:
		for (i = 0; i < p->sampleCount; i++) {
			p->samples[i].cpuTime = os_time_real_ns() / 1000;
			p->samples[i].gpuTime = rm_gpu_time(gpu);
		}
		return NV_OK;
	case NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_PLATFORM_API:
		sample_platform(gpu, &p->samples[0]);
		return NV_OK;
	case NV2080_TIMER_GPU_CPU_TIME_CPU_CLK_ID_TSC:
		for (i = 0; i < p->sampleCount; i++)
			sample_platform(gpu, &p->samples[i]);
		return NV_OK;
	default:
		return NV_ERR_NOT_SUPPORTED;
	}
}
