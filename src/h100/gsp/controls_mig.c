// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands about MIG: whether it is on, and the instance profiles that the GPU offers.
 */
#include "h100/gsp/controls.h"

#define FLAG_MEDIA_SHIFT NV2080_CTRL_GPU_PARTITION_FLAG_REQ_DEC_JPG_OFA__LO

static enum nv_status get_mode(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_GPU_GET_SMC_MODE_PARAMS *p = params;

	if (call->state->profile.mig_count == 0)
		p->smcMode = NV2080_CTRL_GPU_INFO_GPU_SMC_MODE_UNSUPPORTED;
	else if (call->state->mig_enabled)
		p->smcMode = NV2080_CTRL_GPU_INFO_GPU_SMC_MODE_ENABLED;
	else
		p->smcMode = NV2080_CTRL_GPU_INFO_GPU_SMC_MODE_DISABLED;
	return NV_OK;
}

static enum nv_status get_profiles(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_STATIC_MIGMGR_GET_PROFILES_PARAMS *p = params;
	const struct h100_profile *profile = &call->state->profile;

	memset(p, 0, size);
	if (profile->mig_count == 0)
		return NV_ERR_NOT_SUPPORTED;
	for (u32 i = 0; i < profile->mig_count && i < ARRAY_SIZE(p->table); i++) {
		const struct h100_mig_profile *mig = &profile->mig[i];
		NV2080_CTRL_INTERNAL_MIGMGR_PROFILE_INFO *info = &p->table[i];

		info->partitionFlag =
			(u32)(mig->memory_share << NV2080_CTRL_GPU_PARTITION_FLAG_MEMORY_SIZE__LO |
			      mig->compute_share
				      << NV2080_CTRL_GPU_PARTITION_FLAG_COMPUTE_SIZE__LO |
			      mig->media_extensions << FLAG_MEDIA_SHIFT);
		info->grCount = (u32)mig->gpc_count;
		info->gpcCount = (u32)mig->gpc_count;
		info->virtualGpcCount = (u32)mig->gpc_count;
		info->smCount = (u32)mig->sm_count;
		info->ceCount = (u32)mig->copy_engines;
		info->nvEncCount = (u32)mig->encoders;
		info->nvDecCount = (u32)mig->decoders;
		info->nvJpgCount = (u32)mig->jpegs;
		info->nvOfaCount = (u32)mig->ofas;
	}
	p->count = profile->mig_count;
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_GPU_GET_SMC_MODE,
		   NV2080_CTRL_INTERNAL_GPU_GET_SMC_MODE_PARAMS, get_mode),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_STATIC_KMIGMGR_GET_PROFILES,
		   NV2080_CTRL_INTERNAL_STATIC_MIGMGR_GET_PROFILES_PARAMS, get_profiles),
};

FW_CONTROL_GROUP(fw_controls_mig, "mig", controls);
