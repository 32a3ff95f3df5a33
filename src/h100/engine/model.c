// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How a GPU's condition follows from its work as time passes: activity sets clocks, clocks and
 * activity set power, power sets temperature, and the limits of power and heat set clocks again.
 * All inputs are constant between two updates, so each quantity has a closed form over that time.
 */
#include <math.h>

#include "h100/engine/state.h"

#define IDLE_AFTER_NS 1000000000ull /* clocks fall this long after the last work */
#define MEMORY_HEAT_C 7.0 /* how much warmer the memory stacks are than the chip at full load */

/* What part of the full-load power each engine can draw, in percent. */
static const double engine_weight[H100_ENGINE_COUNT] = {
	[H100_ENGINE_GRAPHICS] = 0.70, [H100_ENGINE_MEMORY] = 0.25,  [H100_ENGINE_COPY] = 0.10,
	[H100_ENGINE_DECODER] = 0.05,  [H100_ENGINE_ENCODER] = 0.05, [H100_ENGINE_JPEG] = 0.02,
	[H100_ENGINE_OFA] = 0.02,
};

/* The share of full load since the last update, 0 .. 1; uses up the busy time. */
static double take_activity(struct h100_state *state, u64 elapsed_ns)
{
	double activity = 0;

	for (u32 i = 0; i < H100_ENGINE_COUNT; i++) {
		u64 busy = os_load_relaxed(&state->busy_ns[i]);
		double share = (double)(busy - state->busy_seen_ns[i]) / (double)elapsed_ns;

		state->busy_seen_ns[i] = busy;
		if (state->held.utilization_percent[i] != UINT32_MAX)
			share = state->held.utilization_percent[i] / 100.0;
		activity += engine_weight[i] * (share < 1 ? share : 1);
	}
	return activity < 1 ? activity : 1;
}

static bool has_work(const struct h100_state *state, u64 now_ns)
{
	u64 work_ns = os_load_relaxed(&state->work_ns);

	for (u32 i = 0; i < H100_ENGINE_COUNT; i++) {
		u32 held = state->held.utilization_percent[i];

		if (held != UINT32_MAX && held != 0)
			return true;
	}
	return work_ns != 0 && now_ns < work_ns + IDLE_AFTER_NS;
}

static u32 step_down(const struct h100_profile *profile, double mhz)
{
	const struct h100_clock_range *range = &profile->graphics;
	u64 whole = mhz > 0 ? (u64)mhz : 0;

	if (whole <= range->min_mhz)
		return (u32)range->min_mhz;
	if (whole >= range->max_mhz)
		return (u32)range->max_mhz;
	return (u32)(range->min_mhz + (whole - range->min_mhz) / range->step_mhz * range->step_mhz);
}

/* Power at a share of full load and a graphics clock: dynamic power goes with the clock's square.
 */
static double power_at(const struct h100_profile *profile, double activity, double mhz)
{
	double idle = (double)profile->power_idle_mw;
	double full = (double)profile->power_default_limit_mw;
	double ratio = mhz / (double)profile->graphics.max_mhz;

	return idle + (full - idle) * activity * ratio * ratio;
}

static u32 limit(struct h100_state *state, u32 mhz, u32 max_mhz, u32 reason)
{
	if (mhz <= max_mhz)
		return mhz;
	state->slowdown |= reason;
	return max_mhz;
}

/* The request of the first who has one: enum h100_rated_tdp. */
static u32 rated_tdp(const struct h100_state *state)
{
	for (u32 i = 0; i < H100_RATED_TDP_CLIENTS; i++) {
		if (state->rated_tdp[i] != H100_RATED_TDP_DEFAULT)
			return state->rated_tdp[i];
	}
	return H100_RATED_TDP_DEFAULT;
}

/* The clock of the rated power is the application clock from the factory. */
static u32 keep_rated(struct h100_state *state, u32 mhz)
{
	u32 rated = (u32)state->profile.graphics_application_mhz, request = rated_tdp(state);

	if (request == H100_RATED_TDP_LIMIT || request == H100_RATED_TDP_LOCK)
		mhz = limit(state, mhz, rated, H100_SLOWDOWN_APPLICATION_CLOCKS);
	if ((request == H100_RATED_TDP_FLOOR || request == H100_RATED_TDP_LOCK) && mhz < rated)
		mhz = rated;
	return mhz;
}

/* Graphics clock and the reasons why it is not higher. */
static u32 choose_clock(struct h100_state *state, double activity, bool work)
{
	const struct h100_profile *profile = &state->profile;
	double power_limit = (double)state->power_limit_mw, idle = (double)profile->power_idle_mw;
	double temperature = h100_state_temperature_c(state);
	u32 max = (u32)profile->graphics.max_mhz;
	u32 mhz = max;

	state->slowdown = 0;
	if (!work) {
		state->slowdown |= H100_SLOWDOWN_IDLE;
		mhz = (u32)profile->graphics_idle_mhz;
	}
	if (state->application_graphics_mhz < max)
		mhz = limit(state, mhz, state->application_graphics_mhz,
			    H100_SLOWDOWN_APPLICATION_CLOCKS);
	if (state->locked_graphics_mhz[1] != 0) {
		mhz = limit(state, mhz, state->locked_graphics_mhz[1],
			    H100_SLOWDOWN_APPLICATION_CLOCKS);
		if (mhz < state->locked_graphics_mhz[0])
			mhz = state->locked_graphics_mhz[0];
	}
	mhz = keep_rated(state, mhz);
	if (power_at(profile, activity, mhz) > power_limit) {
		double room = power_at(profile, activity, max) - idle;

		mhz = limit(state, mhz, step_down(profile, max * sqrt((power_limit - idle) / room)),
			    H100_SLOWDOWN_POWER_CAP);
	}
	if (temperature >= (double)profile->temperature_slowdown_c)
		mhz = limit(state, mhz, step_down(profile, max / 4.0),
			    H100_SLOWDOWN_HARDWARE | H100_SLOWDOWN_THERMAL_HARDWARE);
	else if (temperature > (double)profile->temperature_max_operating_c)
		mhz = limit(state, mhz, step_down(profile, max / 2.0),
			    H100_SLOWDOWN_THERMAL_SOFTWARE);
	if (state->power_brake)
		mhz = limit(state, mhz, step_down(profile, max / 4.0),
			    H100_SLOWDOWN_HARDWARE | H100_SLOWDOWN_POWER_BRAKE);
	return state->held.graphics_mhz != UINT32_MAX ? state->held.graphics_mhz : mhz;
}

static void set_clocks(struct h100_state *state, u32 graphics_mhz, bool work)
{
	const struct h100_profile *profile = &state->profile;
	u32 memory = (u32)profile->memory_clocks_mhz[0];

	if (state->application_memory_mhz < memory)
		memory = state->application_memory_mhz;
	if (state->locked_memory_mhz[1] != 0 && state->locked_memory_mhz[1] < memory)
		memory = state->locked_memory_mhz[1];
	state->clock_mhz[H100_CLOCK_GRAPHICS] = graphics_mhz;
	state->clock_mhz[H100_CLOCK_SM] = graphics_mhz;
	state->clock_mhz[H100_CLOCK_MEMORY] = memory;
	state->clock_mhz[H100_CLOCK_VIDEO] =
		(u32)(work ? profile->video.max_mhz : profile->video_idle_mhz);
}

/* First-order approach of value to target over a part of the time constant. */
static double settle(double value, double target, double time_constants)
{
	return target + (value - target) * exp(-time_constants);
}

static void move_model(struct h100_state *state, u64 now_ns)
{
	const struct h100_profile *profile = &state->profile;
	u64 elapsed_ns = now_ns - state->update_ns;
	double activity, power, heat, target, constants;
	bool work = has_work(state, now_ns);
	u32 mhz;

	if (elapsed_ns == 0)
		return;
	h100_state_sample(state, now_ns);
	activity = take_activity(state, elapsed_ns);
	mhz = choose_clock(state, activity, work);
	set_clocks(state, mhz, work);
	for (u32 i = 0; i < H100_SLOWDOWN_COUNT; i++) {
		if (state->slowdown & (1u << i))
			state->slowdown_ns[i] += elapsed_ns;
	}

	power = power_at(profile, activity, mhz);
	if (state->held.power_mw != UINT32_MAX)
		power = state->held.power_mw;
	state->power_mw = (u32)power;
	state->energy_uj += (u64)(power * (double)elapsed_ns / 1e6);

	heat = power / (double)profile->power_default_limit_mw;
	target = (double)profile->temperature_ambient_c +
		 heat * (double)(profile->temperature_full_load_c - profile->temperature_ambient_c);
	constants = (double)elapsed_ns / 1e6 / (double)profile->thermal_time_constant_ms;
	state->temperature_c = settle(state->temperature_c, target, constants);
	state->memory_temperature_c =
		settle(state->memory_temperature_c, target + MEMORY_HEAT_C * heat, constants);
	state->update_ns = now_ns;
}

const struct h100_event *h100_state_update(struct h100_state *state, u64 now_ns)
{
	if (now_ns < state->update_ns)
		now_ns = state->update_ns;
	for (;;) {
		u64 due = h100_scenario_when(&state->scenario, state->index);
		const struct h100_event *event;

		if (due == ~0ull || due > now_ns - state->start_ns)
			break;
		if (state->start_ns + due > state->update_ns)
			move_model(state, state->start_ns + due);
		event = h100_scenario_next(&state->scenario, state->index, due);
		if (event != NULL && !h100_state_event(state, event))
			return event;
	}
	move_model(state, now_ns);
	return NULL;
}
