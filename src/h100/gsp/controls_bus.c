// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands about the PCIe link that only the GPU itself can answer: error and traffic
 * counters, atomics.
 */
#include "h100/gsp/controls.h"

static u16 clamp16(u64 value)
{
	return value < UINT16_MAX ? (u16)value : UINT16_MAX;
}

static u8 clamp8(u64 value)
{
	return value < UINT8_MAX ? (u8)value : UINT8_MAX;
}

static enum nv_status get_counters(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_BUS_GET_PEX_COUNTERS_PARAMS *p = params;
	struct h100_state *state = call->state;
	const struct {
		u32 mask;
		u64 value;
	} counters[] = {
		{ NV2080_CTRL_BUS_PEX_COUNTER_REPLAY_COUNT, os_load_relaxed(&state->pcie_replays) },
		{ NV2080_CTRL_BUS_PEX_COUNTER_REPLAY_ROLLOVER_COUNT, state->pcie_replay_rollovers },
		{ NV2080_CTRL_BUS_PEX_COUNTER_NAKS_RCVD_COUNT, state->pcie_nak_received },
		{ NV2080_CTRL_BUS_PEX_COUNTER_NAKS_SENT_COUNT, state->pcie_nak_sent },
		{ NV2080_CTRL_BUS_PEX_COUNTER_CORR_ERROR_COUNT, state->pcie_correctable_errors },
		{ NV2080_CTRL_BUS_PEX_COUNTER_NON_FATAL_ERROR_COUNT, state->pcie_nonfatal_errors },
		{ NV2080_CTRL_BUS_PEX_COUNTER_FATAL_ERROR_COUNT, state->pcie_fatal_errors },
		{ NV2080_CTRL_BUS_PEX_COUNTER_UNSUPP_REQ_COUNT, state->pcie_unsupported_requests },
	};

	/* A counter stands at the index of its bit in the mask; the link never has the other
	 * errors. */
	memset(p->pexCounters, 0, sizeof(p->pexCounters));
	for (u32 i = 0; i < ARRAY_SIZE(counters); i++) {
		if (p->pexCounterMask & counters[i].mask)
			p->pexCounters[__builtin_ctz(counters[i].mask)] =
				clamp16(counters[i].value);
	}
	p->pexTotalCorrectableErrors = (u32)state->pcie_correctable_errors;
	p->pexCorrectableErrors = clamp16(state->pcie_correctable_errors);
	p->pexTotalNonFatalErrors = clamp8(state->pcie_nonfatal_errors);
	p->pexTotalFatalErrors = clamp8(state->pcie_fatal_errors);
	p->pexTotalUnsupportedReqs = clamp8(state->pcie_unsupported_requests);
	return NV_OK;
}

/* Bytes since the firmware was started; they wrap, and readers take differences. */
static enum nv_status get_utilization(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_BUS_GET_PEX_UTIL_COUNTERS_PARAMS *p = params;
	const u32 tx = NV2080_CTRL_BUS_PEX_UTIL_COUNTER_TX_BYTES;
	const u32 rx = NV2080_CTRL_BUS_PEX_UTIL_COUNTER_RX_BYTES;

	memset(p->pexCounters, 0, sizeof(p->pexCounters));
	if (p->pexCounterMask == 0 || (p->pexCounterMask & ~(tx | rx)) != 0)
		return NV_ERR_NOT_SUPPORTED;
	if (p->pexCounterMask & tx)
		p->pexCounters[__builtin_ctz(tx)] =
			(u32)os_load_relaxed(&call->state->pcie_tx_bytes);
	if (p->pexCounterMask & rx)
		p->pexCounters[__builtin_ctz(rx)] =
			(u32)os_load_relaxed(&call->state->pcie_rx_bytes);
	return NV_OK;
}

static enum nv_status get_atomics(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_CMD_BUS_GET_PCIE_REQ_ATOMICS_CAPS_PARAMS *p = params;

	/* The model's DMA has no atomic transactions. */
	p->atomicsCaps = 0;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_BUS_GET_PEX_COUNTERS, NV2080_CTRL_BUS_GET_PEX_COUNTERS_PARAMS,
		   get_counters),
	FW_CONTROL(NV2080_CTRL_CMD_BUS_GET_PEX_UTIL_COUNTERS,
		   NV2080_CTRL_BUS_GET_PEX_UTIL_COUNTERS_PARAMS, get_utilization),
	FW_CONTROL(NV2080_CTRL_CMD_BUS_GET_PCIE_REQ_ATOMICS_CAPS,
		   NV2080_CTRL_CMD_BUS_GET_PCIE_REQ_ATOMICS_CAPS_PARAMS, get_atomics),
};

FW_CONTROL_GROUP(fw_controls_bus, "bus", controls);
