// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What engines and the link did of late, kept by the tenth of a second in rings that any context
 * may add to. A slot is one word, so that its owner in time and its sum change together:
 *
 *   63            32 31             0
 *   | tenth of a s  | ns or bytes   |
 */
#include "h100/engine/state.h"

#define SLOTS_SHOWN 10u /* a second */

/* Adds to the slot of that tenth; a slot that is older starts anew, and a newer one stays as it is.
 */
static void slot_add(u64 *ring, u64 tenth, u64 amount)
{
	u64 *slot = &ring[tenth % H100_BUSY_SLOTS];
	u64 old = os_load_relaxed(slot), sum;

	do {
		u32 age = (u32)tenth - (u32)(old >> 32);

		if (age >= 0x80000000u)
			return;
		sum = (age == 0 ? (u32)old : 0) + amount;
		if (sum > UINT32_MAX)
			sum = UINT32_MAX;
	} while (!__atomic_compare_exchange_n(slot, &old, (tenth << 32) | sum, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/* The sum of the slots of the last second. */
static u64 ring_sum(const u64 *ring, u64 now_ns)
{
	u32 tenth = (u32)(now_ns / H100_BUSY_SLOT_NS);
	u64 sum = 0;

	for (u32 i = 0; i < H100_BUSY_SLOTS; i++) {
		u64 slot = os_load_relaxed(&ring[i]);

		if (tenth - (u32)(slot >> 32) < SLOTS_SHOWN)
			sum += (u32)slot;
	}
	return sum;
}

/* The time that ring_sum looked at. */
static u64 ring_span_ns(const struct h100_state *state, u64 now_ns)
{
	u64 span = (SLOTS_SHOWN - 1) * H100_BUSY_SLOT_NS + now_ns % H100_BUSY_SLOT_NS;
	u64 life = now_ns - state->start_ns;

	span = life < span ? life : span;
	return span != 0 ? span : 1;
}

void h100_state_account_busy(struct h100_state *state, enum h100_engine engine, u64 now_ns,
			     u64 busy_ns)
{
	u64 end = now_ns, left = busy_ns;

	/* Long work lies in several slots; what is older than the ring no one asks for. */
	for (u32 i = 0; i < H100_BUSY_SLOTS && left > 0; i++) {
		u64 in_slot = end % H100_BUSY_SLOT_NS;
		u64 part;

		if (in_slot == 0)
			in_slot = H100_BUSY_SLOT_NS;
		part = left < in_slot ? left : in_slot;
		slot_add(state->busy_slots[engine], (end - 1) / H100_BUSY_SLOT_NS, part);
		left -= part;
		if (end <= part)
			break;
		end -= part;
	}
	os_fetch_add(&state->busy_ns[engine], busy_ns);
	os_store_relaxed(&state->work_ns, now_ns);
}

void h100_state_account_pcie(struct h100_state *state, u64 now_ns, u64 tx_bytes, u64 rx_bytes)
{
	u64 tenth = now_ns / H100_BUSY_SLOT_NS;

	if (tx_bytes != 0) {
		os_fetch_add(&state->pcie_tx_bytes, tx_bytes);
		slot_add(state->pcie_slots[0], tenth, tx_bytes);
	}
	if (rx_bytes != 0) {
		os_fetch_add(&state->pcie_rx_bytes, rx_bytes);
		slot_add(state->pcie_slots[1], tenth, rx_bytes);
	}
}

void h100_state_account_nvlink(struct h100_state *state, u64 tx_bytes, u64 rx_bytes)
{
	if (tx_bytes != 0)
		os_fetch_add(&state->nvlink_tx_bytes, tx_bytes);
	if (rx_bytes != 0)
		os_fetch_add(&state->nvlink_rx_bytes, rx_bytes);
}

bool h100_state_nvlink_ready(const struct h100_state *state)
{
	return state->nvlink[0].cabled && os_load_acquire(&state->nvlink_down) == 0 &&
	       os_load_acquire(&state->off_bus) == 0;
}

u32 h100_state_utilization(const struct h100_state *state, enum h100_engine engine, u64 now_ns)
{
	u32 held = state->held.utilization_percent[engine];
	u64 percent;

	if (held != UINT32_MAX)
		return held;
	percent = ring_sum(state->busy_slots[engine], now_ns) * 100 / ring_span_ns(state, now_ns);
	return percent < 100 ? (u32)percent : 100;
}

static u32 kbps(const struct h100_state *state, const u64 *ring, u64 now_ns)
{
	u64 rate = ring_sum(ring, now_ns) * 1000000 / ring_span_ns(state, now_ns);

	return rate < UINT32_MAX ? (u32)rate : UINT32_MAX;
}

u32 h100_state_pcie_tx_kbps(const struct h100_state *state, u64 now_ns)
{
	return kbps(state, state->pcie_slots[0], now_ns);
}

u32 h100_state_pcie_rx_kbps(const struct h100_state *state, u64 now_ns)
{
	return kbps(state, state->pcie_slots[1], now_ns);
}
