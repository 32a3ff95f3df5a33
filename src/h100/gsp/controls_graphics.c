// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the graphics engine is made of, as the driver asks for it once. There is one engine without
 * MIG; the entries of the others are zero.
 */
#include "base/bits.h"
#include "h100/gsp/controls.h"

#define SM_VERSION_9_0 0x900u
#define SMS_PER_TPC 2u
#define TPCS_PER_GPC 9u /* of a full chip, as the number of GPCs */
#define GPCS 8u
#define TPCS_PER_PES 3u
#define CORES_PER_SM 128u /* fp32 */
#define TENSOR_CORES_PER_SM 4u
#define REGISTER_BANKS 4u /* of 32-bit registers, one for each quarter of an SM */
#define REGISTERS_PER_BANK 16384u
#define WARPS_PER_SM 64u
#define THREADS_PER_WARP 32u
#define SUBCONTEXTS 64u
#define LEGACY_SUBCONTEXTS 2u

#define INFO(name) NV2080_CTRL_GR_INFO_INDEX_##name

struct info {
	u32 index, data;
};

/* What is true of every GH100. What it has not, as rasterizers, counts 0: no entry. */
static const struct info chip_info[] = {
	{ INFO(SM_REG_BANK_COUNT), REGISTER_BANKS },
	{ INFO(SM_REG_BANK_REG_COUNT), REGISTERS_PER_BANK },
	{ INFO(SM_VERSION), SM_VERSION_9_0 },
	{ INFO(MAX_WARPS_PER_SM), WARPS_PER_SM },
	{ INFO(MAX_THREADS_PER_WARP), THREADS_PER_WARP },
	{ INFO(MAX_SP_PER_SM), CORES_PER_SM },
	{ INFO(LITTER_NUM_GPCS), GPCS },
	{ INFO(LITTER_NUM_TPC_PER_GPC), TPCS_PER_GPC },
	{ INFO(FAMILY_MAX_TPC_PER_GPC), TPCS_PER_GPC },
	{ INFO(LITTER_NUM_PES_PER_GPC), TPCS_PER_GPC / TPCS_PER_PES },
	{ INFO(LITTER_NUM_TPCS_PER_PES), TPCS_PER_PES },
	{ INFO(LITTER_NUM_SM_PER_TPC), SMS_PER_TPC },
	{ INFO(LITTER_NUM_GRS), NV2080_ENGINE_TYPE_GR_SIZE },
	{ INFO(LITTER_NUM_LTC_PER_FBP), FW_LTCS_PER_FBP },
	{ INFO(LITTER_NUM_SLICES_PER_LTC), FW_SLICES_PER_LTC },
	{ INFO(LITTER_NUM_LTC_SLICES), FW_SLICES_PER_LTC },
	{ INFO(TIMESLICE_ENABLED), 1 },
	{ INFO(MAX_SUBCONTEXT_COUNT), SUBCONTEXTS },
	{ INFO(MAX_PER_ENGINE_SUBCONTEXT_COUNT), SUBCONTEXTS },
	{ INFO(MAX_LEGACY_SUBCONTEXT_COUNT), LEGACY_SUBCONTEXTS },
};

static enum nv_status get_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_STATIC_GR_GET_INFO_PARAMS *p = params;
	const struct h100_profile *profile = &call->state->profile;
	const struct info product_info[] = {
		{ INFO(SHADER_PIPE_COUNT), (u32)profile->gpc_count },
		{ INFO(SHADER_PIPE_SUB_COUNT), (u32)profile->sm_count },
		{ INFO(GPU_CORE_COUNT), (u32)profile->sm_count * CORES_PER_SM },
		{ INFO(TENSOR_CORE_COUNT), (u32)profile->sm_count * TENSOR_CORES_PER_SM },
		{ INFO(LITTER_NUM_FBPS), (u32)profile->fbp_count },
		{ INFO(LITTER_NUM_LTCS), (u32)profile->fbp_count * FW_LTCS_PER_FBP },
	};
	NV2080_CTRL_INTERNAL_GR_INFO *list = p->engineInfo[0].infoList;
	u32 i;

	memset(p, 0, size);
	for (i = 0; i < ARRAY_SIZE(p->engineInfo[0].infoList); i++)
		list[i].index = i;
	for (i = 0; i < ARRAY_SIZE(chip_info); i++)
		list[chip_info[i].index].data = chip_info[i].data;
	for (i = 0; i < ARRAY_SIZE(product_info); i++)
		list[product_info[i].index].data = product_info[i].data;
	return NV_OK;
}

/* No capability bit of this table holds for an engine without graphics. */
static enum nv_status get_caps(struct fw_call *call, void *params, u32 size)
{
	memset(params, 0, size);
	return NV_OK;
}

/* TPCs as even as they can be; the first GPCs have one more, as in the static information. */
static u32 tpcs_of(const struct h100_profile *profile, u32 gpc)
{
	return (u32)(profile->tpc_count / profile->gpc_count +
		     (gpc < profile->tpc_count % profile->gpc_count));
}

/*
 * Neighbours in the order are in different GPCs: the n-th TPC of each GPC comes before the n+1-th
 * of any. An SM of a TPC follows the other.
 */
static enum nv_status get_sm_order(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_STATIC_GR_GET_GLOBAL_SM_ORDER_PARAMS *p = params;
	NV2080_CTRL_INTERNAL_STATIC_GR_GLOBAL_SM_ORDER *order = &p->globalSmOrder[0];
	const struct h100_profile *profile = &call->state->profile;
	u32 tpc, gpc, sm;

	memset(p, 0, size);
	for (tpc = 0; tpc < TPCS_PER_GPC; tpc++) {
		for (gpc = 0; gpc < profile->gpc_count; gpc++) {
			if (tpc >= tpcs_of(profile, gpc) ||
			    order->numSm + SMS_PER_TPC > ARRAY_SIZE(order->globalSmId))
				continue;
			for (sm = 0; sm < SMS_PER_TPC; sm++, order->numSm++) {
				order->globalSmId[order->numSm].gpcId = (u16)gpc;
				order->globalSmId[order->numSm].virtualGpcId = (u16)gpc;
				order->globalSmId[order->numSm].localTpcId = (u16)tpc;
				order->globalSmId[order->numSm].localSmId = (u16)sm;
				order->globalSmId[order->numSm].globalTpcId = order->numTpc;
				order->globalSmId[order->numSm].migratableTpcId = order->numTpc;
			}
			order->numTpc++;
		}
	}
	return NV_OK;
}

static enum nv_status get_masks(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_STATIC_GR_GET_FLOORSWEEPING_MASKS_PARAMS *p = params;
	NV2080_CTRL_INTERNAL_STATIC_GR_FLOORSWEEPING_MASKS *masks = &p->floorsweepingMasks[0];
	const struct h100_profile *profile = &call->state->profile;
	u32 gpc;

	memset(p, 0, size);
	for (gpc = 0; gpc < profile->gpc_count && gpc < ARRAY_SIZE(masks->tpcMask); gpc++) {
		masks->gpcMask |= BIT32(gpc);
		masks->tpcCount[gpc] = tpcs_of(profile, gpc);
		masks->tpcMask[gpc] = BIT32(masks->tpcCount[gpc]) - 1;
		masks->mmuPerGpc[gpc] = 1;
		masks->numPesPerGpc[gpc] = TPCS_PER_GPC / TPCS_PER_PES;
	}
	masks->physGpcMask = masks->gpcMask;
	return NV_OK;
}

/* A context of this GPU needs no memory of the driver's; and nothing issues slower than it could.
 */
static enum nv_status get_nothing(struct fw_call *call, void *params, u32 size)
{
	memset(params, 0, size);
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_INFO,
		   NV2080_CTRL_INTERNAL_STATIC_GR_GET_INFO_PARAMS, get_info),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_CAPS,
		   NV2080_CTRL_INTERNAL_STATIC_GR_GET_CAPS_PARAMS, get_caps),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_GLOBAL_SM_ORDER,
		   NV2080_CTRL_INTERNAL_STATIC_GR_GET_GLOBAL_SM_ORDER_PARAMS, get_sm_order),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_FLOORSWEEPING_MASKS,
		   NV2080_CTRL_INTERNAL_STATIC_GR_GET_FLOORSWEEPING_MASKS_PARAMS, get_masks),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_CONTEXT_BUFFERS_INFO,
		   NV2080_CTRL_INTERNAL_STATIC_GR_GET_CONTEXT_BUFFERS_INFO_PARAMS, get_nothing),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KGR_GET_SM_ISSUE_RATE_MODIFIER,
		   NV2080_CTRL_INTERNAL_STATIC_GR_GET_SM_ISSUE_RATE_MODIFIER_PARAMS, get_nothing),
};

FW_CONTROL_GROUP(fw_controls_graphics, "graphics", controls);
