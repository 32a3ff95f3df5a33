// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands about NVLink that only the GPU itself can answer: which links there are, their
 * state and speed, their counters.
 */
#include "h100/gsp/controls.h"

#define REFERENCE_CLOCK_KHZ 156250u
#define LANES_A_LINK 2u
#define BITS_A_BYTE 8u
#define BYTES_A_FLIT 16u

static bool link_exists(const struct fw_call *call, u32 link)
{
	return link < call->state->profile.nvlink_count && link < H100_NVLINK_MAX;
}

static enum nv_status get_links_and_clocks(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_INFO_PARAMS *p = params;
	u32 rate = (u32)call->state->profile.nvlink_mbps;

	memset(p->linkInfo, 0, sizeof(p->linkInfo));
	p->nvlinkRefClkSpeedKHz = REFERENCE_CLOCK_KHZ;
	for (u32 i = 0; i < ARRAY_SIZE(p->linkInfo); i++) {
		NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_VALUES *value = &p->linkInfo[i];
		bool up = link_exists(call, i) && call->state->nvlink[i].up;

		if (i >= 32 || !(p->linkMask & (1u << i)))
			continue;
		value->linkState = up ? NV2080_CTRL_NVLINK_STATUS_LINK_STATE_ACTIVE
				      : NV2080_CTRL_NVLINK_STATUS_LINK_STATE_INIT;
		value->txSublinkState = up ? NV2080_CTRL_NVLINK_STATUS_SUBLINK_TX_STATE_HIGH_SPEED_1
					   : NV2080_CTRL_NVLINK_STATUS_SUBLINK_TX_STATE_OFF;
		value->rxSublinkState = up ? NV2080_CTRL_NVLINK_STATUS_SUBLINK_RX_STATE_HIGH_SPEED_1
					   : NV2080_CTRL_NVLINK_STATUS_SUBLINK_RX_STATE_OFF;
		if (!up)
			continue;
		value->bLinkConnectedToPeer = 1;
		value->subLinkWidth = LANES_A_LINK;
		value->nvlinkLinkDataRateKiBps = (u32)((u64)rate * 1000000 / 1024);
		value->nvlinkLineRateMbps = rate * BITS_A_BYTE / LANES_A_LINK;
		value->nvlinkLinkClockMhz = value->nvlinkLineRateMbps / 32;
		value->nvlinkLinkClockKHz = value->nvlinkLinkClockMhz * 1000;
		value->nvlinkRefClkType = NV2080_CTRL_NVLINK_REFCLK_TYPE_NVHS;
		value->nvlinkReqLinkClockMhz = value->nvlinkLinkClockMhz;
	}
	return NV_OK;
}

static enum nv_status get_counters(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_GET_COUNTERS_PARAMS *p = params;

	h100_state_count_nvlink(call->state);
	memset(p->counters, 0, sizeof(p->counters));
	for (u32 i = 0; i < ARRAY_SIZE(p->counters); i++) {
		const struct h100_nvlink *link = &call->state->nvlink[i < H100_NVLINK_MAX ? i : 0];
		const struct {
			u32 mask;
			u64 value;
		} counters[] = {
			{ NV2080_CTRL_NVLINK_COUNTER_TL_TX0, link->tx_bytes },
			{ NV2080_CTRL_NVLINK_COUNTER_TL_RX0, link->rx_bytes },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_RX_ERR_CRC_FLIT, link->crc_flit_errors },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_RX_ERR_CRC_LANE_L0, link->crc_data_errors },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_TX_ERR_REPLAY, link->replays },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_TX_ERR_RECOVERY, link->recoveries },
		};

		if (!(p->linkMask >> i & 1))
			continue;
		if (!link_exists(call, i))
			return NV_ERR_INVALID_ARGUMENT;
		for (u32 c = 0; c < ARRAY_SIZE(counters); c++) {
			if (p->counterMask & counters[c].mask)
				p->counters[i].value[__builtin_ctz(counters[c].mask)] =
					counters[c].value;
		}
	}
	return NV_OK;
}

/* Throughput in flits since power-on. Packets' own overhead is not modelled: raw counts are
 * payload. */
static enum nv_status read_throughput(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_READ_TP_COUNTERS_PARAMS *p = params;

	h100_state_count_nvlink(call->state);
	memset(p->counters, 0, sizeof(p->counters));
	if (call->state->profile.nvlink_count == 0)
		return NV_ERR_NOT_SUPPORTED;
	for (u32 i = 0; i < 64; i++) {
		const struct h100_nvlink *link = &call->state->nvlink[i < H100_NVLINK_MAX ? i : 0];
		const u64 flits[NV2080_CTRL_NVLINK_READ_TP_COUNTERS_TYPE_MAX] = {
			[NV2080_CTRL_NVLINK_READ_TP_COUNTERS_TYPE_DATA_TX] =
				link->tx_bytes / BYTES_A_FLIT,
			[NV2080_CTRL_NVLINK_READ_TP_COUNTERS_TYPE_DATA_RX] =
				link->rx_bytes / BYTES_A_FLIT,
			[NV2080_CTRL_NVLINK_READ_TP_COUNTERS_TYPE_RAW_TX] =
				link->tx_bytes / BYTES_A_FLIT,
			[NV2080_CTRL_NVLINK_READ_TP_COUNTERS_TYPE_RAW_RX] =
				link->rx_bytes / BYTES_A_FLIT,
		};

		if (!(p->linkMask >> i & 1))
			continue;
		if (!link_exists(call, i) || !link->up)
			return NV_ERR_INVALID_ARGUMENT;
		for (u32 type = 0; type < ARRAY_SIZE(flits); type++) {
			if (p->counterMask >> type & 1)
				p->counters[i].value[type] = flits[type];
		}
	}
	return NV_OK;
}

static enum nv_status clear_counters(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_CLEAR_COUNTERS_PARAMS *p = params;

	h100_state_count_nvlink(call->state);
	for (u32 i = 0; i < H100_NVLINK_MAX; i++) {
		struct h100_nvlink *link = &call->state->nvlink[i];
		const struct {
			u32 mask;
			u64 *value;
		} counters[] = {
			{ NV2080_CTRL_NVLINK_COUNTER_TL_TX0, &link->tx_bytes },
			{ NV2080_CTRL_NVLINK_COUNTER_TL_RX0, &link->rx_bytes },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_RX_ERR_CRC_FLIT, &link->crc_flit_errors },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_RX_ERR_CRC_LANE_L0,
			  &link->crc_data_errors },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_TX_ERR_REPLAY, &link->replays },
			{ NV2080_CTRL_NVLINK_COUNTER_DL_TX_ERR_RECOVERY, &link->recoveries },
		};

		if (!(p->linkMask >> i & 1))
			continue;
		for (u32 c = 0; c < ARRAY_SIZE(counters); c++) {
			if (p->counterMask & counters[c].mask)
				*counters[c].value = 0;
		}
	}
	return NV_OK;
}

static enum nv_status get_errors(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_GET_ERR_INFO_PARAMS *p = params;
	u8 flags = p->ErrInfoFlags;

	memset(p, 0, size);
	p->ErrInfoFlags = flags;
	for (u32 i = 0; link_exists(call, i); i++) {
		if (call->state->nvlink[i].up)
			p->linkMask |= 1u << i;
	}
	return NV_OK;
}

static enum nv_status get_power_state(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_NVLINK_GET_POWER_STATE_PARAMS *p = params;

	p->powerState = NV2080_CTRL_NVLINK_POWER_STATE_L0;
	if (!link_exists(call, p->linkId))
		return NV_ERR_INVALID_ARGUMENT;
	if (!call->state->nvlink[p->linkId].up)
		p->powerState = NV2080_CTRL_NVLINK_POWER_STATE_L2;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_GET_LINK_AND_CLOCK_INFO,
		   NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_INFO_PARAMS, get_links_and_clocks),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_GET_COUNTERS, NV2080_CTRL_NVLINK_GET_COUNTERS_PARAMS,
		   get_counters),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_READ_TP_COUNTERS,
		   NV2080_CTRL_NVLINK_READ_TP_COUNTERS_PARAMS, read_throughput),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_CLEAR_COUNTERS, NV2080_CTRL_NVLINK_CLEAR_COUNTERS_PARAMS,
		   clear_counters),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_GET_ERR_INFO, NV2080_CTRL_NVLINK_GET_ERR_INFO_PARAMS,
		   get_errors),
	FW_CONTROL(NV2080_CTRL_CMD_NVLINK_GET_POWER_STATE,
		   NV2080_CTRL_NVLINK_GET_POWER_STATE_PARAMS, get_power_state),
};

FW_CONTROL_GROUP(fw_controls_nvlink, "nvlink", controls);
