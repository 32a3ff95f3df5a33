// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a GPU is: NV2080_CTRL_CMD_GPU_GET_INFO_V2 and other commands on its identity and its parts.
 * What the CPU side does not know is the firmware's to say.
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/class/subdevice.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/rpc.h"

/* In an index of GET_INFO_V2 on its way to the firmware: an entry that the firmware fills in. */
#define INFO_FOR_FIRMWARE 0x80000000u

/*
 * One entry of GET_INFO_V2 that the CPU side answers. False: the firmware's. Constants here are
 * facts about this driver and a GPU on PCI Express, not about the GPU at hand.
 */
static bool info_of_driver(const struct rm_gpu *gpu, u32 index, u32 *data)
{
	switch (index) {
	case NV2080_CTRL_GPU_INFO_INDEX_NETLIST_REV0:
	case NV2080_CTRL_GPU_INFO_INDEX_NETLIST_REV1:
	case NV2080_CTRL_GPU_INFO_INDEX_MINOR_REVISION_EXT:
	case NV2080_CTRL_GPU_INFO_INDEX_GEMINI_BOARD:
	case NV2080_CTRL_GPU_INFO_INDEX_SURPRISE_REMOVAL_POSSIBLE:
		*data = 0;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_SYSMEM_ACCESS:
		*data = NV2080_CTRL_GPU_INFO_SYSMEM_ACCESS_YES;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_IBMNPU_RELAXED_ORDERING:
		*data = NV2080_CTRL_GPU_INFO_IBMNPU_RELAXED_ORDERING_UNSUPPORTED;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GLOBAL_POISON_FUSE_ENABLED:
		*data = gpu->info && gpu->info->config.poisonFuseEnabled
				? NV2080_CTRL_GPU_INFO_INDEX_GLOBAL_POISON_FUSE_ENABLED_YES
				: NV2080_CTRL_GPU_INFO_INDEX_GLOBAL_POISON_FUSE_ENABLED_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_SPLIT_VAS_MGMT_SERVER_CLIENT_RM:
		*data = gpu->info && gpu->info->config.bSplitVasBetweenServerClientRm
				? NV2080_CTRL_GPU_INFO_SPLIT_VAS_MGMT_SERVER_CLIENT_RM_YES
				: NV2080_CTRL_GPU_INFO_SPLIT_VAS_MGMT_SERVER_CLIENT_RM_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_PER_RUNLIST_CHANNEL_RAM:
		*data = NV2080_CTRL_GPU_INFO_INDEX_PER_RUNLIST_CHANNEL_RAM_ENABLED;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_ATS_CAPABILITY:
		*data = gpu->info && gpu->info->config.bAtsSupported
				? NV2080_CTRL_GPU_INFO_INDEX_GPU_ATS_CAPABILITY_YES
				: NV2080_CTRL_GPU_INFO_INDEX_GPU_ATS_CAPABILITY_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_NVENC_STATS_REPORTING_STATE:
		*data = NV2080_CTRL_GPU_INFO_NVENC_STATS_REPORTING_STATE_NOT_SUPPORTED;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_4K_PAGE_ISOLATION_REQUIRED:
		*data = NV2080_CTRL_GPU_INFO_INDEX_4K_PAGE_ISOLATION_REQUIRED_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_DISPLAY_ENABLED:
		*data = NV2080_CTRL_GPU_INFO_DISPLAY_ENABLED_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_MOBILE_CONFIG_ENABLED:
		*data = gpu->info && gpu->info->config.bIsMobile
				? NV2080_CTRL_GPU_INFO_INDEX_MOBILE_CONFIG_ENABLED_YES
				: NV2080_CTRL_GPU_INFO_INDEX_MOBILE_CONFIG_ENABLED_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_PROFILING_CAPABILITY:
		*data = NV2080_CTRL_GPU_INFO_INDEX_GPU_PROFILING_CAPABILITY_ENABLED;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_DEBUGGING_CAPABILITY:
		*data = NV2080_CTRL_GPU_INFO_INDEX_GPU_DEBUGGING_CAPABILITY_ENABLED;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_LOCAL_EGM_CAPABILITY:
		*data = NV2080_CTRL_GPU_INFO_INDEX_GPU_LOCAL_EGM_CAPABILITY_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_SELF_HOSTED_CAPABILITY:
		*data = gpu->info && gpu->info->config.bSelfHostedMode
				? NV2080_CTRL_GPU_INFO_INDEX_GPU_SELF_HOSTED_CAPABILITY_YES
				: NV2080_CTRL_GPU_INFO_INDEX_GPU_SELF_HOSTED_CAPABILITY_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_CMP_SKU:
		*data = NV2080_CTRL_GPU_INFO_INDEX_CMP_SKU_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_DMABUF_CAPABILITY:
		*data = NV2080_CTRL_GPU_INFO_INDEX_DMABUF_CAPABILITY_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_IS_RESETLESS_MIG_SUPPORTED:
		*data = NV2080_CTRL_GPU_INFO_INDEX_IS_RESETLESS_MIG_SUPPORTED_NO;
		return true;
	case NV2080_CTRL_GPU_INFO_INDEX_GPU_FLA_CAPABILITY:
		*data = NV2080_CTRL_GPU_INFO_INDEX_GPU_FLA_CAPABILITY_NO;
		return true;
	default:
		return false;
	}
}

/* Commands of the firmware that answer single entries. */
static enum nv_status info_by_internal(struct rm_gpu *gpu, u32 index, u32 *data, bool *known)
{
	NV2080_CTRL_INTERNAL_GPU_GET_SMC_MODE_PARAMS smc = { 0 };
	enum nv_status status;

	*known = index == NV2080_CTRL_GPU_INFO_INDEX_GPU_SMC_MODE;
	if (!*known)
		return NV_OK;
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_INTERNAL_GPU_GET_SMC_MODE, &smc,
					 sizeof(smc));
	*data = smc.smcMode;
	return status;
}

static enum nv_status get_info(struct rm_call *call, NV2080_CTRL_GPU_GET_INFO_V2_PARAMS *p,
			       bool hardware)
{
	struct rm_gpu *gpu = call->object->gpu;
	enum nv_status status = NV_OK, one;
	bool forward = false, known;
	u32 i;

	if (p->gpuInfoListSize == 0 || p->gpuInfoListSize > ARRAY_SIZE(p->gpuInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->gpuInfoListSize; i++) {
		NVXXXX_CTRL_XXX_INFO *entry = &p->gpuInfoList[i];

		if (entry->index >= ARRAY_SIZE(p->gpuInfoList))
			return NV_ERR_INVALID_ARGUMENT;
		entry->data = 0;
		if (info_of_driver(gpu, entry->index, &entry->data))
			continue;
		if (!hardware) {
			status = NV_ERR_INVALID_ARGUMENT;
			continue;
		}
		one = info_by_internal(gpu, entry->index, &entry->data, &known);
		if (one != NV_OK)
			status = one;
		if (known)
			continue;
		entry->index |= INFO_FOR_FIRMWARE;
		forward = true;
	}
	if (forward && status == NV_OK)
		status = gsp_rpc_control(gpu, call->client->handle, call->object->handle,
					 NV2080_CTRL_CMD_GPU_GET_INFO_V2, p, sizeof(*p));
	for (i = 0; i < p->gpuInfoListSize && i < ARRAY_SIZE(p->gpuInfoList); i++)
		p->gpuInfoList[i].index &= ~INFO_FOR_FIRMWARE;
	return status;
}

enum nv_status subdevice_gpu_get_info_v2(struct rm_call *call, void *params)
{
	return get_info(call, params, true);
}

enum nv_status subdevice_gpu_get_cached_info(struct rm_call *call, void *params)
{
	return get_info(call, params, false);
}

enum nv_status subdevice_gpu_get_sdm(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_SDM_PARAMS *p = params;

	p->subdeviceMask = 1;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_simulation_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_SIMULATION_INFO_PARAMS *p = params;

	p->type = NV2080_CTRL_GPU_GET_SIMULATION_INFO_TYPE_NONE;
	return NV_OK;
}

/* Nobody can set one: time slices are the runlist's own. */
enum nv_status subdevice_gpu_get_compute_policy_config(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_COMPUTE_POLICY_CONFIG_PARAMS *p = params;

	os_memset(p, 0, sizeof(*p));
	p->numConfigs = 1;
	p->configList[0].type = NV2080_CTRL_GPU_COMPUTE_POLICY_TIMESLICE;
	p->configList[0].data.timeslice = NV2080_CTRL_CMD_GPU_COMPUTE_TIMESLICE_DEFAULT;
	return NV_OK;
}

/* The engines that the firmware found: one bit each in the static information. */
static u32 engine_list(const struct rm_gpu *gpu, u32 *list, u32 room)
{
	const u32 *caps = gpu->info->config.engineCaps;
	u32 bits = 32 * ARRAY_SIZE(gpu->info->config.engineCaps), count = 0, i;

	for (i = 0; i < bits && count < room; i++) {
		if (caps[i / 32] & BIT32(i % 32))
			list[count++] = i;
	}
	return count;
}

enum nv_status subdevice_gpu_get_engines_v2(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_ENGINES_V2_PARAMS *p = params;
	const struct rm_gpu *gpu = call->object->gpu;

	if (!gpu->info)
		return NV_ERR_INVALID_STATE;
	os_memset(p->engineList, 0, sizeof(p->engineList));
	p->engineCount = engine_list(gpu, p->engineList, ARRAY_SIZE(p->engineList));
	return NV_OK;
}

enum nv_status subdevice_gpu_get_id(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_ID_PARAMS *p = params;

	p->gpuId = call->object->gpu->gpu_id;
	return NV_OK;
}

enum nv_status subdevice_gpu_query_mode(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_QUERY_MODE_PARAMS *p = params;

	p->mode = NV2080_CTRL_GPU_QUERY_MODE_COMPUTE_MODE;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_max_page_size(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_MAX_SUPPORTED_PAGE_SIZE_PARAMS *p = params;

	p->maxSupportedPageSize = MIB(512);
	return NV_OK;
}

enum nv_status subdevice_gpu_get_fermi_gpc_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_FERMI_GPC_INFO_PARAMS *p = params;
	const struct rm_gpu *gpu = call->object->gpu;

	if (!gpu->info)
		return NV_ERR_INVALID_STATE;
	p->gpcMask = gpu->info->config.gpcInfo.gpcMask;
	return NV_OK;
}

enum nv_status subdevice_gpu_get_fermi_tpc_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_GPU_GET_FERMI_TPC_INFO_PARAMS *p = params;
	const struct rm_gpu *gpu = call->object->gpu;

	if (!gpu->info)
		return NV_ERR_INVALID_STATE;
	if (p->gpcId >= ARRAY_SIZE(gpu->info->config.tpcInfo) ||
	    !(gpu->info->config.gpcInfo.gpcMask & BIT32(p->gpcId)))
		return NV_ERR_INVALID_ARGUMENT;
	p->tpcMask = gpu->info->config.tpcInfo[p->gpcId].tpcMask;
	return NV_OK;
}

enum nv_status subdevice_mc_get_arch_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_MC_GET_ARCH_INFO_PARAMS *p = params;
	u32 boot_0 = call->object->gpu->boot_0;

	p->architecture = (u32)REG_GET(NV_PMC_BOOT_0_ARCHITECTURE, boot_0) << 4;
	p->implementation = (u32)REG_GET(NV_PMC_BOOT_0_IMPLEMENTATION, boot_0);
	p->revision = (u32)(REG_GET(NV_PMC_BOOT_0_MAJOR_REVISION, boot_0) << 4 |
			    REG_GET(NV_PMC_BOOT_0_MINOR_REVISION, boot_0));
	p->subRevision = NV2080_CTRL_MC_ARCH_INFO_SUBREVISION_NO_SUBREVISION;
	return NV_OK;
}

enum nv_status subdevice_mc_get_manufacturer(struct rm_call *call, void *params)
{
	NV2080_CTRL_MC_GET_MANUFACTURER_PARAMS *p = params;

	p->manufacturer = call->object->gpu->vendor_id;
	return NV_OK;
}

enum nv_status subdevice_to_firmware(struct rm_call *call, void *params)
{
	return gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle,
			       call->control->cmd, params, call->params_size);
}
