// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How busy engines were of late, sample by sample: a ring that the model's time fills, and the
 * firmware's monitoring command shows.
 */
#include "h100/engine/state.h"

#define SLOTS_A_SAMPLE (H100_SAMPLE_NS / H100_BUSY_SLOT_NS)
#define FULL 10000u /* hundredths of a percent */

/* Work of a sample that is too long ago for the slots counts as none. */
static u16 share_of(const struct h100_state *state, enum h100_engine engine, u64 end_ns)
{
	u32 held = state->held.utilization_percent[engine];
	u32 tenth = (u32)(end_ns / H100_BUSY_SLOT_NS);
	u64 busy_ns = 0;

	if (held != UINT32_MAX)
		return (u16)(held < 100 ? held * 100 : FULL);
	for (u32 i = 1; i <= SLOTS_A_SAMPLE; i++) {
		u64 slot =
			os_load_relaxed(&state->busy_slots[engine][(tenth - i) % H100_BUSY_SLOTS]);

		if ((u32)(slot >> 32) == tenth - i)
			busy_ns += (u32)slot;
	}
	busy_ns = busy_ns * FULL / H100_SAMPLE_NS;
	return (u16)(busy_ns < FULL ? busy_ns : FULL);
}

void h100_state_sample(struct h100_state *state, u64 now_ns)
{
	u64 last = now_ns / H100_SAMPLE_NS, first = state->sampled + 1;

	if (last > H100_SAMPLES && first < last - H100_SAMPLES + 1)
		first = last - H100_SAMPLES + 1;
	for (u64 n = first; n <= last; n++) {
		struct h100_sample *sample = &state->samples[state->sample_count++ % H100_SAMPLES];

		sample->end_ns = n * H100_SAMPLE_NS;
		for (u32 i = 0; i < H100_ENGINE_COUNT; i++)
			sample->share[i] = share_of(state, i, sample->end_ns);
		state->sampled = n;
	}
}

void h100_state_sample_start(struct h100_state *state, u64 now_ns)
{
	state->sample_count = 0;
	state->sampled = now_ns / H100_SAMPLE_NS;
}
