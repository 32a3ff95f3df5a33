// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clocks as they are, at most, and as applications asked for: control commands without an open
 * definition (abi/r535/closed.abi says what is known of them). Frequencies are in kHz.
 *
 * A domain's clock is read in three steps: domain -> source and ratio, source -> frequency,
 * source -> scale. Here a source is the domain's own number and all factors are one.
 */
#include "h100/gsp/controls.h"

#define KHZ_PER_MHZ 1000u
#define P0 0x1u
#define ALL_DOMAINS                                                                           \
	(CLOSED_CLOCK_DOMAIN_GRAPHICS | CLOSED_CLOCK_DOMAIN_SM | CLOSED_CLOCK_DOMAIN_MEMORY | \
	 CLOSED_CLOCK_DOMAIN_VIDEO)

static bool find_clock(u32 domain, enum h100_clock *clock)
{
	switch (domain) {
	case CLOSED_CLOCK_DOMAIN_GRAPHICS:
		*clock = H100_CLOCK_GRAPHICS;
		return true;
	case CLOSED_CLOCK_DOMAIN_SM:
		*clock = H100_CLOCK_SM;
		return true;
	case CLOSED_CLOCK_DOMAIN_MEMORY:
		*clock = H100_CLOCK_MEMORY;
		return true;
	case CLOSED_CLOCK_DOMAIN_VIDEO:
		*clock = H100_CLOCK_VIDEO;
		return true;
	default:
		return false;
	}
}

static u32 max_mhz(const struct h100_profile *profile, enum h100_clock clock)
{
	if (clock == H100_CLOCK_MEMORY)
		return (u32)profile->memory_clocks_mhz[0];
	if (clock == H100_CLOCK_VIDEO)
		return (u32)profile->video.max_mhz;
	return (u32)profile->graphics.max_mhz;
}

static enum nv_status get_domains(struct fw_call *call, void *params, u32 size)
{
	closed_clock_domains *p = params;

	memset(p, 0, size);
	p->domainMask = ALL_DOMAINS;
	return NV_OK;
}

static enum nv_status get_sensors(struct fw_call *call, void *params, u32 size)
{
	closed_clock_sensors *p = params;

	p->sourceMask = ~0u;
	p->unknown0 = 0;
	return NV_OK;
}

static enum nv_status get_boost_state(struct fw_call *call, void *params, u32 size)
{
	((closed_perf_boost_state *)params)->unknown0 = 0;
	return NV_OK;
}

static enum nv_status get_sources(struct fw_call *call, void *params, u32 size)
{
	closed_clock_sources *p = params;
	enum h100_clock clock;

	p->unknown0 = 0;
	if (p->count == 0 || p->count > ARRAY_SIZE(p->sources))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->count; i++) {
		if (!find_clock(p->sources[i].domain, &clock))
			return NV_ERR_INVALID_ARGUMENT;
		p->sources[i].source = p->sources[i].domain;
		p->sources[i].unknown0 = 0;
		p->sources[i].ratioPercent = 100;
	}
	return NV_OK;
}

static enum nv_status get_readings(struct fw_call *call, void *params, u32 size)
{
	closed_clock_readings *p = params;
	enum h100_clock clock;

	p->unknown0 = 0;
	if (p->count == 0 || p->count > ARRAY_SIZE(p->readings))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->count; i++) {
		closed_clock_reading *reading = &p->readings[i];
		u32 source = reading->source;

		memset(reading, 0, sizeof(*reading));
		reading->source = source;
		if (!find_clock(source, &clock))
			return NV_ERR_INVALID_ARGUMENT;
		reading->frequency = call->state->clock_mhz[clock] * KHZ_PER_MHZ;
	}
	return NV_OK;
}

static enum nv_status get_scale(struct fw_call *call, void *params, u32 size)
{
	closed_clock_scale *p = params;
	enum h100_clock clock;

	p->multiplier = 1;
	p->divider = 1;
	return find_clock(p->source, &clock) ? NV_OK : NV_ERR_INVALID_ARGUMENT;
}

static enum nv_status get_current_pstate(struct fw_call *call, void *params, u32 size)
{
	closed_pstates *p = params;

	p->current = 1u << call->state->pstate;
	return NV_OK;
}

static enum nv_status get_features(struct fw_call *call, void *params, u32 size)
{
	closed_perf_features *p = params;

	memset(p, 0, size);
	p->features = CLOSED_PERF_APPLICATION_CLOCKS;
	return NV_OK;
}

static enum nv_status get_pstates(struct fw_call *call, void *params, u32 size)
{
	closed_pstate_list *p = params;

	memset(p, 0, size);
	p->pstateMask = P0;
	p->domainMask = ALL_DOMAINS;
	return NV_OK;
}

static enum nv_status get_pstate_clocks(struct fw_call *call, void *params, u32 size)
{
	closed_pstate_clocks *p = params;
	enum h100_clock clock;
	u32 domain;

	p->unknown0 = p->unknown1 = p->unknown2 = 0;
	if (p->pstateCount != 1 || p->pstate != P0 || p->domainCount == 0 ||
	    p->domainCount > ARRAY_SIZE(p->clocks))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->domainCount; i++) {
		domain = p->clocks[i].domain;
		memset(&p->clocks[i], 0, sizeof(p->clocks[i]));
		p->clocks[i].domain = domain;
		if (!find_clock(domain, &clock))
			return NV_ERR_INVALID_ARGUMENT;
		p->clocks[i].maxFrequency = max_mhz(&call->state->profile, clock) * KHZ_PER_MHZ;
	}
	return NV_OK;
}

static enum nv_status get_application_clocks(struct fw_call *call, void *params, u32 size)
{
	closed_application_clocks *p = params;
	const struct h100_state *state = call->state;
	bool factory = (p->which & CLOSED_APPLICATION_CLOCKS_DEFAULT) != 0;
	u32 memory =
		factory ? (u32)state->profile.memory_clocks_mhz[0] : state->application_memory_mhz;
	u32 graphics = factory ? (u32)state->profile.graphics_application_mhz
			       : state->application_graphics_mhz;

	p->unknown0 = p->unknown1 = 0;
	if (p->count == 0 || p->count > ARRAY_SIZE(p->clocks))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->count; i++) {
		closed_application_clock *clock = &p->clocks[i];

		clock->unknown0 = clock->unknown1 = 0;
		clock->frequency = 0;
		if (clock->domain == CLOSED_CLOCK_DOMAIN_MEMORY)
			clock->frequency = memory * KHZ_PER_MHZ;
		else if (clock->domain == CLOSED_CLOCK_DOMAIN_GRAPHICS)
			clock->frequency = graphics * KHZ_PER_MHZ;
		else
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

/* A lock is its lowest and its highest clock, in one call; "none" for both releases it. */
static enum nv_status set_clock_limits(struct fw_call *call, void *params, u32 size)
{
	closed_clock_limits *p = params;
	u32 min_mhz = 0, max_mhz = 0;

	if (p->count != 2)
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->count; i++) {
		const closed_clock_limit *limit = &p->limits[i];
		u32 *mhz = limit->limit == CLOSED_CLOCK_LIMIT_GRAPHICS_MAX ? &max_mhz : &min_mhz;

		if (limit->limit != CLOSED_CLOCK_LIMIT_GRAPHICS_MAX &&
		    limit->limit != CLOSED_CLOCK_LIMIT_GRAPHICS_MIN)
			return NV_ERR_NOT_SUPPORTED;
		if (limit->kind == CLOSED_CLOCK_LIMIT_NONE)
			continue;
		if (limit->kind != CLOSED_CLOCK_LIMIT_FREQUENCY ||
		    limit->domain != CLOSED_CLOCK_DOMAIN_GRAPHICS || limit->frequency < KHZ_PER_MHZ)
			return NV_ERR_INVALID_ARGUMENT;
		*mhz = limit->frequency / KHZ_PER_MHZ;
	}
	return h100_state_lock_graphics_clock(call->state, min_mhz, max_mhz);
}

static enum nv_status reset_application_clocks(struct fw_call *call, void *params, u32 size)
{
	h100_state_reset_application_clocks(call->state);
	return NV_OK;
}

static enum nv_status get_rated_tdp(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS *p = params;

	p->input = 0;
	if (p->client >= H100_RATED_TDP_CLIENTS)
		return NV_ERR_INVALID_ARGUMENT;
	p->input = call->state->rated_tdp[p->client];
	return NV_OK;
}

static enum nv_status set_rated_tdp(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS *p = params;

	return h100_state_set_rated_tdp(call->state, p->client, p->input);
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_PERF_RATED_TDP_GET_CONTROL,
		   NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS, get_rated_tdp),
	FW_CONTROL(NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL,
		   NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS, set_rated_tdp),
	FW_CONTROL(0x20809009, closed_clock_domains, get_domains),
	FW_CONTROL(0x20809001, closed_clock_sensors, get_sensors),
	FW_CONTROL(0x2080a084, closed_perf_boost_state, get_boost_state),
	FW_CONTROL(0x20809064, closed_clock_sources, get_sources),
	FW_CONTROL(0x20809004, closed_clock_readings, get_readings),
	FW_CONTROL(0x20808545, closed_clock_scale, get_scale),
	FW_CONTROL(0x2080a068, closed_pstates, get_current_pstate),
	FW_CONTROL(0x2080a0a7, closed_perf_features, get_features),
	FW_CONTROL(0x2080a060, closed_pstate_list, get_pstates),
	FW_CONTROL(0x2080a06b, closed_pstate_clocks, get_pstate_clocks),
	FW_CONTROL(0x2080a026, closed_application_clocks, get_application_clocks),
	FW_CONTROL(0x2080e0af, closed_clock_limits, set_clock_limits),
	FW_CONTROL(0x2080e019, closed_application_clocks_reset, reset_application_clocks),
};

FW_CONTROL_GROUP(fw_controls_clocks, "clocks", controls);
