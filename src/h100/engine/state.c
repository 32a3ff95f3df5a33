// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU's state from the factory, over boots, and as clients take memory and tools set limits.
 */
#include "h100/engine/state.h"

#include <stdio.h>
#include <string.h>

#define MODULES_A_BOARD 8u
#define SWITCHES_A_BOARD 4u
#define PORTS_A_MODULE 5u /* of each switch, at most */

/* What the names on links are derived from, besides the serial number. */
#define SID_OF_GPU 0x4750ull
#define SID_OF_SWITCH 0x5357ull

/* A well-spread function of its argument (the finaliser of splitmix64). */
static u64 mix(u64 x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static void make_identity(struct h100_state *state)
{
	u64 serial = state->profile.serial + state->index;
	u64 half[2] = { mix(serial), mix(mix(serial) ^ state->profile.device_id) };
	const u8 *u = state->uuid;

	snprintf(state->serial, sizeof(state->serial), "%013llu", (unsigned long long)serial);
	memcpy(state->uuid, half, sizeof(state->uuid));
	state->uuid[6] = (state->uuid[6] & 0x0f) | 0x50; /* RFC 9562: version 5, a hash of a name */
	state->uuid[8] = (state->uuid[8] & 0x3f) | 0x80;
	snprintf(state->uuid_text, sizeof(state->uuid_text),
		 "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
		 u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
		 u[14], u[15]);
}

static void reset_limits(struct h100_state *state)
{
	state->power_limit_mw = (u32)state->profile.power_default_limit_mw;
	memset(state->locked_graphics_mhz, 0, sizeof(state->locked_graphics_mhz));
	memset(state->locked_memory_mhz, 0, sizeof(state->locked_memory_mhz));
	memset(state->rated_tdp, 0, sizeof(state->rated_tdp));
	h100_state_reset_application_clocks(state);
}

u64 h100_state_sid(const struct h100_state *state, u32 index)
{
	return mix(mix(state->profile.serial + index) ^ SID_OF_GPU);
}

/*
 * A module's links go to the switches of its board, dealt out one by one; those of cards go to the
 * card beside it, if there is one.
 */
static void wire_links(struct h100_state *state)
{
	const struct h100_profile *profile = &state->profile;
	u32 board = state->index / MODULES_A_BOARD, place = state->index % MODULES_A_BOARD;
	u32 beside = state->index ^ 1;

	for (u32 i = 0; i < profile->nvlink_count && i < H100_NVLINK_MAX; i++) {
		struct h100_nvlink *link = &state->nvlink[i];
		u32 chip = i % SWITCHES_A_BOARD;

		link->cabled =
			profile->nvlink_connected && (profile->module || beside < state->gpu_count);
		link->up = link->cabled;
		link->remote_gpu = profile->module ? H100_NVLINK_SWITCH : beside;
		link->remote_link =
			profile->module ? place * PORTS_A_MODULE + i / SWITCHES_A_BOARD : i;
		link->remote_sid =
			profile->module ? mix(mix(profile->serial + board) ^ (SID_OF_SWITCH + chip))
					: h100_state_sid(state, beside);
	}
}

void h100_state_set_link(struct h100_state *state, u32 link, bool up)
{
	if (link >= state->profile.nvlink_count || link >= H100_NVLINK_MAX ||
	    !state->nvlink[link].cabled)
		return;
	if (state->nvlink[link].up && !up)
		os_fetch_add(&state->nvlink_down, 1);
	else if (!state->nvlink[link].up && up)
		os_fetch_sub(&state->nvlink_down, 1);
	state->nvlink[link].up = up;
	if (!up)
		state->nvlink[link].recoveries++;
}

void h100_state_set_present(struct h100_state *state, bool present)
{
	os_store_release(&state->off_bus, present ? 0 : 1);
}

void h100_state_count_nvlink(struct h100_state *state)
{
	u64 tx = __atomic_exchange_n(&state->nvlink_tx_bytes, 0, __ATOMIC_RELAXED);
	u64 rx = __atomic_exchange_n(&state->nvlink_rx_bytes, 0, __ATOMIC_RELAXED);
	u32 left = 0;

	for (u32 i = 0; i < H100_NVLINK_MAX; i++)
		left += state->nvlink[i].cabled;
	for (u32 i = 0; i < H100_NVLINK_MAX; i++) {
		u64 tx_share, rx_share;

		if (!state->nvlink[i].cabled)
			continue;
		tx_share = tx / left;
		rx_share = rx / left;
		state->nvlink[i].tx_bytes += tx_share;
		state->nvlink[i].rx_bytes += rx_share;
		tx -= tx_share;
		rx -= rx_share;
		left--;
	}
}

void h100_state_init(struct h100_state *state, const struct h100_profile *profile,
		     struct h100_scenario *scenario, u32 index, u32 gpu_count, u64 now_ns)
{
	memset(state, 0, sizeof(*state));
	state->profile = *profile;
	state->index = index;
	state->gpu_count = gpu_count;
	state->start_ns = state->update_ns = now_ns;
	if (scenario != NULL) {
		state->scenario = *scenario;
		memset(scenario, 0, sizeof(*scenario));
	}
	make_identity(state);
	h100_state_sample_start(state, now_ns);
	memset(&state->held, 0xff, sizeof(state->held));
	state->clock_mhz[H100_CLOCK_GRAPHICS] = (u32)profile->graphics_idle_mhz;
	state->clock_mhz[H100_CLOCK_SM] = (u32)profile->graphics_idle_mhz;
	state->clock_mhz[H100_CLOCK_MEMORY] = (u32)profile->memory_clocks_mhz[0];
	state->clock_mhz[H100_CLOCK_VIDEO] = (u32)profile->video_idle_mhz;
	state->slowdown = H100_SLOWDOWN_IDLE;
	state->power_mw = (u32)profile->power_idle_mw;
	state->temperature_c =
		(double)profile->temperature_ambient_c +
		(double)profile->power_idle_mw / (double)profile->power_default_limit_mw *
			(double)(profile->temperature_full_load_c - profile->temperature_ambient_c);
	state->memory_temperature_c = state->temperature_c;
	reset_limits(state);
	state->ecc_enabled = state->ecc_pending = profile->ecc;
	state->remap_histogram[0] = (u32)profile->memory_banks;
	state->inforom_valid = true;
	state->inforom_checksum = (u32)mix(profile->serial + index);
	state->pcie_generation = (u32)profile->pcie_generation;
	state->pcie_lanes = (u32)profile->pcie_lanes;
	wire_links(state);
}

void h100_state_destroy(struct h100_state *state)
{
	h100_scenario_free(&state->scenario);
}

void h100_state_boot(struct h100_state *state, const char *firmware_version, u64 now_ns)
{
	snprintf(state->firmware_version, sizeof(state->firmware_version), "%s", firmware_version);
	memset(state->ecc_volatile, 0, sizeof(state->ecc_volatile));
	h100_state_sample_start(state, now_ns);
	state->ecc_enabled = state->ecc_pending;
	state->remap_pending = false;
	state->energy_uj = 0;
	state->fabric_probes = 0;
	state->fabric_waiting = false;
	memset(state->slowdown_ns, 0, sizeof(state->slowdown_ns));
}

void h100_state_shutdown(struct h100_state *state, u64 now_ns)
{
	memset(state->processes, 0, sizeof(state->processes));
	memset(state->firmware_version, 0, sizeof(state->firmware_version));
	state->memory_allocated_bytes = 0;
	state->compute_mode = H100_COMPUTE_DEFAULT;
	reset_limits(state);
}

/* -- Memory and processes
 * -------------------------------------------------------------------------- */

u64 h100_state_memory_used_bytes(const struct h100_state *state)
{
	return state->profile.memory_reserved_bytes + state->memory_allocated_bytes;
}

u64 h100_state_memory_free_bytes(const struct h100_state *state)
{
	return state->profile.memory_bytes - h100_state_memory_used_bytes(state);
}

struct h100_process *h100_state_process_find(struct h100_state *state, u32 pid)
{
	for (u32 i = 0; pid != 0 && i < H100_MAX_PROCESSES; i++) {
		if (state->processes[i].pid == pid)
			return &state->processes[i];
	}
	return NULL;
}

enum nv_status h100_state_process_add(struct h100_state *state, u32 pid)
{
	struct h100_process *process = h100_state_process_find(state, pid);

	if (pid == 0)
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; process == NULL && i < H100_MAX_PROCESSES; i++) {
		if (state->processes[i].pid == 0) {
			process = &state->processes[i];
			process->pid = pid;
		}
	}
	if (process == NULL)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	process->clients++;
	return NV_OK;
}

void h100_state_process_remove(struct h100_state *state, u32 pid)
{
	struct h100_process *process = h100_state_process_find(state, pid);

	if (process == NULL || --process->clients > 0)
		return;
	state->memory_allocated_bytes -= process->memory_bytes;
	memset(process, 0, sizeof(*process));
}

enum nv_status h100_state_memory_take(struct h100_state *state, u32 pid, u64 bytes)
{
	struct h100_process *process = h100_state_process_find(state, pid);

	if (bytes > h100_state_memory_free_bytes(state))
		return NV_ERR_NO_MEMORY;
	state->memory_allocated_bytes += bytes;
	if (process != NULL)
		process->memory_bytes += bytes;
	return NV_OK;
}

void h100_state_memory_give(struct h100_state *state, u32 pid, u64 bytes)
{
	struct h100_process *process = h100_state_process_find(state, pid);

	state->memory_allocated_bytes -= bytes;
	if (process != NULL)
		process->memory_bytes -= bytes;
}

/* -- What tools may set
 * ---------------------------------------------------------------------------- */

enum nv_status h100_state_set_power_limit(struct h100_state *state, u32 limit_mw)
{
	if (limit_mw < state->profile.power_min_limit_mw ||
	    limit_mw > state->profile.power_max_limit_mw)
		return NV_ERR_INVALID_ARGUMENT;
	state->power_limit_mw = limit_mw;
	return NV_OK;
}

enum nv_status h100_state_set_ecc(struct h100_state *state, bool enable)
{
	if (!state->profile.ecc)
		return NV_ERR_NOT_SUPPORTED;
	state->ecc_pending = enable;
	return NV_OK;
}

enum nv_status h100_state_set_compute_mode(struct h100_state *state, u32 mode)
{
	if (mode > H100_COMPUTE_EXCLUSIVE_PROCESS)
		return NV_ERR_INVALID_ARGUMENT;
	state->compute_mode = mode;
	return NV_OK;
}

bool h100_clock_supported(const struct h100_profile *profile, enum h100_clock clock, u32 mhz)
{
	const struct h100_clock_range *range = &profile->graphics;

	if (clock == H100_CLOCK_MEMORY) {
		for (u32 i = 0; i < H100_PROFILE_MAX_CLOCKS; i++) {
			if (mhz != 0 && profile->memory_clocks_mhz[i] == mhz)
				return true;
		}
		return false;
	}
	if (clock == H100_CLOCK_VIDEO)
		range = &profile->video;
	return mhz >= range->min_mhz && mhz <= range->max_mhz &&
	       (mhz - range->min_mhz) % range->step_mhz == 0;
}

enum nv_status h100_state_lock_graphics_clock(struct h100_state *state, u32 min_mhz, u32 max_mhz)
{
	bool release = min_mhz == 0 && max_mhz == 0;

	if (!release && (min_mhz > max_mhz || min_mhz < state->profile.graphics.min_mhz ||
			 max_mhz > state->profile.graphics.max_mhz))
		return NV_ERR_INVALID_ARGUMENT;
	state->locked_graphics_mhz[0] = min_mhz;
	state->locked_graphics_mhz[1] = max_mhz;
	return NV_OK;
}

enum nv_status h100_state_lock_memory_clock(struct h100_state *state, u32 min_mhz, u32 max_mhz)
{
	bool release = min_mhz == 0 && max_mhz == 0;

	if (!release && (min_mhz > max_mhz ||
			 !h100_clock_supported(&state->profile, H100_CLOCK_MEMORY, min_mhz) ||
			 !h100_clock_supported(&state->profile, H100_CLOCK_MEMORY, max_mhz)))
		return NV_ERR_INVALID_ARGUMENT;
	state->locked_memory_mhz[0] = min_mhz;
	state->locked_memory_mhz[1] = max_mhz;
	return NV_OK;
}

enum nv_status h100_state_set_application_clocks(struct h100_state *state, u32 memory_mhz,
						 u32 graphics_mhz)
{
	if (!h100_clock_supported(&state->profile, H100_CLOCK_MEMORY, memory_mhz) ||
	    !h100_clock_supported(&state->profile, H100_CLOCK_GRAPHICS, graphics_mhz))
		return NV_ERR_INVALID_ARGUMENT;
	state->application_memory_mhz = memory_mhz;
	state->application_graphics_mhz = graphics_mhz;
	return NV_OK;
}

void h100_state_reset_application_clocks(struct h100_state *state)
{
	state->application_memory_mhz = (u32)state->profile.memory_clocks_mhz[0];
	state->application_graphics_mhz = (u32)state->profile.graphics_application_mhz;
}

enum nv_status h100_state_set_rated_tdp(struct h100_state *state, u32 client, u32 action)
{
	if (client == 0 || client >= H100_RATED_TDP_CLIENTS || action >= H100_RATED_TDP_COUNT)
		return NV_ERR_INVALID_ARGUMENT;
	state->rated_tdp[client] = action;
	return NV_OK;
}

/* -- Errors
 * ---------------------------------------------------------------------------------------- */

void h100_state_clear_ecc(struct h100_state *state, bool aggregate)
{
	if (aggregate)
		memset(state->ecc_aggregate, 0, sizeof(state->ecc_aggregate));
	else
		memset(state->ecc_volatile, 0, sizeof(state->ecc_volatile));
}

struct h100_ecc_counts h100_state_ecc_total(const struct h100_ecc_counts *units)
{
	struct h100_ecc_counts total = { 0 };

	for (u32 i = 0; i < H100_ECC_UNIT_COUNT; i++) {
		total.corrected += units[i].corrected;
		total.uncorrected += units[i].uncorrected;
	}
	return total;
}

void h100_state_ecc_error(struct h100_state *state, enum h100_ecc_unit unit, bool uncorrected,
			  u64 count)
{
	if (!state->ecc_enabled)
		return;
	if (!uncorrected) {
		state->ecc_volatile[unit].corrected += count;
		state->ecc_aggregate[unit].corrected += count;
		return;
	}
	state->ecc_volatile[unit].uncorrected += count;
	state->ecc_aggregate[unit].uncorrected += count;
	if (unit == H100_ECC_DRAM)
		h100_state_remap_rows(state, 0, count < 512 ? (u32)count : 512);
}

void h100_state_remap_rows(struct h100_state *state, u32 correctable, u32 uncorrectable)
{
	u32 rows = correctable + uncorrectable;

	if (rows == 0)
		return;
	state->remapped_correctable += correctable;
	state->remapped_uncorrectable += uncorrectable;
	state->remap_pending = true; /* takes effect when the GPU is booted again */
	/* Each in a bank of its own, which has most of its spare rows left. */
	while (rows-- > 0) {
		if (state->remap_histogram[0] == 0) {
			state->remap_failed = true;
			break;
		}
		state->remap_histogram[0]--;
		state->remap_histogram[1]++;
	}
}

u32 h100_state_temperature_c(const struct h100_state *state)
{
	if (state->held.temperature_c != UINT32_MAX)
		return state->held.temperature_c;
	return (u32)(state->temperature_c + 0.5);
}

u32 h100_state_memory_temperature_c(const struct h100_state *state)
{
	if (state->held.memory_temperature_c != UINT32_MAX)
		return state->held.memory_temperature_c;
	return (u32)(state->memory_temperature_c + 0.5);
}
