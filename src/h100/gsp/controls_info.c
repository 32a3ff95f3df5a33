// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The information lists (GPU, video memory, bus): the entries that the driver leaves to the
 * firmware.
 */
#include "h100/gsp/controls.h"

#define INFO_FOR_FIRMWARE 0x80000000u /* on the entries of the GPU's list that are ours */
#define INFO_INDEX_BRAND 0x11u	      /* in no open header; seen: not 0 is a data centre board */
#define BRAND_DATA_CENTER 1u
#define SM_VERSION_9_0 0x900u

static bool gpu_info(const struct h100_state *state, u32 index, u32 *data)
{
	switch (index) {
	case INFO_INDEX_BRAND:
		*data = BRAND_DATA_CENTER;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_NVSWITCH_PROXY_DETECTED:
		*data = state->nvlink[0].cabled &&
			state->nvlink[0].remote_gpu == H100_NVLINK_SWITCH;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_SR_SUPPORT:
		*data = NV2080_CTRL_GPU_INFO_INDEX_GPU_SR_SUPPORT_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_SM_VERSION:
		*data = SM_VERSION_9_0;
		return true;
	default:
		return false;
	}
}

static enum nv_status get_gpu_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_INFO_V2_PARAMS *p = params;

	if (p->gpuInfoListSize == 0 || p->gpuInfoListSize > ARRAY_SIZE(p->gpuInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->gpuInfoListSize; i++) {
		NVXXXX_CTRL_XXX_INFO *entry = &p->gpuInfoList[i];

		if (!(entry->index & INFO_FOR_FIRMWARE))
			continue;
		entry->index &= ~INFO_FOR_FIRMWARE;
		entry->data = 0;
		if (!gpu_info(call->state, entry->index, &entry->data))
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

static u32 mask_of(u64 count)
{
	return count < 32 ? (1u << count) - 1 : ~0u;
}

static bool memory_info(const struct h100_state *state, u32 index, u32 *data)
{
	const struct h100_profile *profile = &state->profile;
	u64 ltcs = profile->fbp_count * FW_LTCS_PER_FBP;

	switch (index) {
	case NV2080_CTRL_FB_INFO_INDEX_BUS_WIDTH:
		*data = (u32)profile->memory_bus_bits;
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_PARTITION_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_FBP_COUNT:
		*data = (u32)profile->fbp_count;
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_PARTITION_MASK:
	case NV2080_CTRL_FB_INFO_INDEX_FBP_MASK:
		*data = mask_of(profile->fbp_count);
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_L2CACHE_SIZE:
		*data = (u32)profile->l2_bytes;
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_LTC_COUNT:
		*data = (u32)ltcs;
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_LTS_COUNT:
		*data = (u32)(ltcs * FW_SLICES_PER_LTC);
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_LTC_MASK:
		*data = mask_of(ltcs);
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_RAM_TYPE:
		*data = fw_ram_type(profile);
		return true;
	case NV2080_CTRL_FB_INFO_INDEX_MEMORYINFO_VENDOR_ID:
	case NV2080_CTRL_FB_INFO_INDEX_TRAINIG_2T:
	case NV2080_CTRL_FB_INFO_INDEX_PSEUDO_CHANNEL_MODE:
	case NV2080_CTRL_FB_INFO_INDEX_COMPRESSION_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_DRAM_PAGE_STRIDE:
	case NV2080_CTRL_FB_INFO_INDEX_RAM_CFG:
	case NV2080_CTRL_FB_INFO_INDEX_ECC_STATUS_SIZE:
		*data = 0; /* the model has no such thing */
		return true;
	default:
		return false;
	}
}

static enum nv_status get_memory_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS *p = params;

	if (p->fbInfoListSize == 0 || p->fbInfoListSize > ARRAY_SIZE(p->fbInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->fbInfoListSize; i++) {
		p->fbInfoList[i].data = 0;
		if (!memory_info(call->state, p->fbInfoList[i].index, &p->fbInfoList[i].data))
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

/* Generations count from 0 in the word. */
static u32 generation_info(const struct h100_state *state)
{
	u32 max = (u32)state->profile.pcie_generation - 1, current = state->pcie_generation - 1;

	return max << NV2080_CTRL_BUS_INFO_PCIE_LINK_CAP_GEN__LO |
	       current << NV2080_CTRL_BUS_INFO_PCIE_LINK_CAP_CURR_LEVEL__LO |
	       max << NV2080_CTRL_BUS_INFO_PCIE_LINK_CAP_GPU_GEN__LO;
}

static bool bus_info(struct h100_state *state, u32 index, u32 *data)
{
	switch (index) {
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GEN_INFO:
		*data = generation_info(state);
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GEN2_INFO:
		*data = NV2080_CTRL_BUS_INFO_PCIE_GEN2_INFO_CAP_TRUE
				<< NV2080_CTRL_BUS_INFO_PCIE_GEN2_INFO_CAP__LO |
			(state->pcie_generation >= 2)
				<< NV2080_CTRL_BUS_INFO_PCIE_GEN2_INFO_CURR_LEVEL__LO;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NAKS_RECEIVED:
		*data = (u32)state->pcie_nak_received;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NAKS_RECEIVED_CLEAR:
		*data = (u32)state->pcie_nak_received;
		state->pcie_nak_received = 0;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CORRECTABLE_ERRORS:
		*data = (u32)state->pcie_correctable_errors;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CORRECTABLE_ERRORS_CLEAR:
		*data = (u32)state->pcie_correctable_errors;
		state->pcie_correctable_errors = 0;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NONFATAL_ERRORS:
		*data = (u32)state->pcie_nonfatal_errors;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_NONFATAL_ERRORS_CLEAR:
		*data = (u32)state->pcie_nonfatal_errors;
		state->pcie_nonfatal_errors = 0;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FATAL_ERRORS:
		*data = (u32)state->pcie_fatal_errors;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FATAL_ERRORS_CLEAR:
		*data = (u32)state->pcie_fatal_errors;
		state->pcie_fatal_errors = 0;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_UNSUPPORTED_REQUESTS:
		*data = (u32)state->pcie_unsupported_requests;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_UNSUPPORTED_REQUESTS_CLEAR:
		*data = (u32)state->pcie_unsupported_requests;
		state->pcie_unsupported_requests = 0;
		return true;
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_LINK_WIDTH_SWITCH_ERROR_COUNT:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_LINK_SPEED_SWITCH_ERROR_COUNT:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_CYA_ASPM:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_ASLM_STATUS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_LINECODE_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_LINECODE_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CRC_ERRORS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_CRC_ERRORS_CLEAR:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FAILED_L0S_EXITS:
	case NV2080_CTRL_BUS_INFO_INDEX_PCIE_GPU_LINK_FAILED_L0S_EXITS_CLEAR:
		*data = 0; /* never happens on the model's link */
		return true;
	default:
		return false;
	}
}

static enum nv_status get_bus_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_BUS_GET_INFO_V2_PARAMS *p = params;

	if (p->busInfoListSize == 0 || p->busInfoListSize > ARRAY_SIZE(p->busInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; i < p->busInfoListSize; i++) {
		p->busInfoList[i].data = 0;
		if (!bus_info(call->state, p->busInfoList[i].index, &p->busInfoList[i].data))
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

/* Errors that a virtual function is told of by interrupts of its own: there are none. */
static enum nv_status get_function_errors(struct fw_call *call, void *params, u32 size)
{
	NV90E6_CTRL_MASTER_GET_VIRTUAL_FUNCTION_ERROR_CONT_INTR_MASK_PARAMS *p = params;

	p->eccMask = 0;
	p->nvlinkMask = 0;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV90E6_CTRL_CMD_MASTER_GET_VIRTUAL_FUNCTION_ERROR_CONT_INTR_MASK,
		   NV90E6_CTRL_MASTER_GET_VIRTUAL_FUNCTION_ERROR_CONT_INTR_MASK_PARAMS,
		   get_function_errors),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_INFO_V2, NV2080_CTRL_GPU_GET_INFO_V2_PARAMS,
		   get_gpu_info),
	FW_CONTROL(NV2080_CTRL_CMD_FB_GET_INFO_V2, NV2080_CTRL_FB_GET_INFO_V2_PARAMS,
		   get_memory_info),
	FW_CONTROL(NV2080_CTRL_CMD_BUS_GET_INFO_V2, NV2080_CTRL_BUS_GET_INFO_V2_PARAMS,
		   get_bus_info),
};

FW_CONTROL_GROUP(fw_controls_info, "info", controls);
