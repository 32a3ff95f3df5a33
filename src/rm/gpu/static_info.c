// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Checks the firmware's static description of its GPU and derives what handlers ask for often. */
#include "rm/gpu/static_info.h"

#include "base/bits.h"
#include "os/os.h"

/* A TPC of Hopper has two SMs. */
#define SMS_PER_TPC 2u

static u32 bits_set(u32 mask)
{
	return bits_count(mask);
}

static bool all_zero(const u8 *data, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		if (data[i] != 0)
			return false;
	return true;
}

enum nv_status rm_gpu_static_set(struct rm_gpu_static *info, const GspStaticConfigInfo *config)
{
	GspStaticConfigInfo *c = &info->config;
	u32 i;

	os_memset(info, 0, sizeof(*info));
	os_memcpy(c, config, sizeof(*c));
	if (c->gidInfo.length < RM_GPU_UUID_LENGTH || c->gidInfo.length > sizeof(c->gidInfo.data) ||
	    all_zero(c->gidInfo.data, RM_GPU_UUID_LENGTH))
		return NV_ERR_INVALID_DATA;
	if (c->fbRegionInfoParams.numFBRegions > ARRAY_SIZE(c->fbRegionInfoParams.fbRegion))
		return NV_ERR_INVALID_DATA;
	for (i = 0; i < c->fbRegionInfoParams.numFBRegions; i++)
		if (c->fbRegionInfoParams.fbRegion[i].limit <
		    c->fbRegionInfoParams.fbRegion[i].base)
			return NV_ERR_INVALID_DATA;
	c->gpuNameString[sizeof(c->gpuNameString) - 1] = 0;
	c->gpuShortNameString[sizeof(c->gpuShortNameString) - 1] = 0;
	c->gpuNameString_Unicode[ARRAY_SIZE(c->gpuNameString_Unicode) - 1] = 0;

	os_memcpy(info->uuid, c->gidInfo.data, sizeof(info->uuid));
	info->gpc_count = bits_set(c->gpcInfo.gpcMask);
	for (i = 0; i < ARRAY_SIZE(c->tpcInfo); i++)
		if (c->gpcInfo.gpcMask & (1u << i))
			info->tpc_count += bits_set(c->tpcInfo[i].tpcMask);
	info->sm_count = info->tpc_count * SMS_PER_TPC;
	info->fb_size = c->fb_length;
	return NV_OK;
}
