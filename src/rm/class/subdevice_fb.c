// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Video memory as a client sees it: NV2080_CTRL_CMD_FB_GET_INFO_V2 and what belongs to it. Sizes
 * are in KiB. What the memory is made of the firmware tells; how much is free the heap.
 */
#include "base/bits.h"
#include "rm/cc/session.h"
#include "rm/class/subdevice.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/rpc.h"

#define BAR_VIDEO_MEMORY 1u /* of gpu->bars */

static u32 kib(u64 bytes)
{
	return (u32)(bytes >> 10);
}

/* Entries about the memory's make, which the firmware alone knows. */
static bool is_firmwares(u32 index)
{
	switch (index) {
	case NV2080_CTRL_FB_INFO_INDEX_BUS_WIDTH:
	case NV2080_CTRL_FB_INFO_INDEX_PARTITION_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_PARTITION_MASK:
	case NV2080_CTRL_FB_INFO_INDEX_FBP_MASK:
	case NV2080_CTRL_FB_INFO_INDEX_FBP_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_L2CACHE_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_LTC_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_LTS_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_LTC_MASK:
	case NV2080_CTRL_FB_INFO_INDEX_MEMORYINFO_VENDOR_ID:
	case NV2080_CTRL_FB_INFO_INDEX_TRAINIG_2T:
	case NV2080_CTRL_FB_INFO_INDEX_PSEUDO_CHANNEL_MODE:
	case NV2080_CTRL_FB_INFO_INDEX_COMPRESSION_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_DRAM_PAGE_STRIDE:
	case NV2080_CTRL_FB_INFO_INDEX_RAM_CFG:
	case NV2080_CTRL_FB_INFO_INDEX_RAM_TYPE:
	case NV2080_CTRL_FB_INFO_INDEX_ECC_STATUS_SIZE:
		return true;
	default:
		return false;
	}
}

/* The objects' lock held. */
static enum nv_status info_of_driver(const struct rm_gpu *gpu, const struct rm_gpu_objects *objects,
				     u32 index, u32 *data)
{
	const struct rm_heap *heap = &objects->heap;
	const GspStaticConfigInfo *config = &gpu->info->config;
	u64 base, size;

	*data = 0;
	switch (index) {
	case NV2080_CTRL_FB_INFO_INDEX_TOTAL_RAM_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_RAM_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_USABLE_RAM_SIZE:
		*data = kib(gpu->info->fb_size);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_HEAP_SIZE:
		*data = kib(heap->total);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE:
		*data = kib(heap->total - heap->used);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_MAPPABLE_HEAP_SIZE:
		*data = kib(min(heap->total, gpu->bars[BAR_VIDEO_MEMORY].size));
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_LARGEST_FREE_REGION_SIZE_KB:
		rm_heap_largest(heap, &base, &size);
		*data = kib(size);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_LARGEST_FREE_REGION_BASE_KB:
		rm_heap_largest(heap, &base, &size);
		*data = kib(base);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_HEAP_START:
	case NV2080_CTRL_FB_INFO_INDEX_HEAP_BASE_KB:
		if (heap->range_count)
			*data = kib(heap->ranges[0].base);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_BAR1_SIZE:
		*data = kib(gpu->bars[BAR_VIDEO_MEMORY].size);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_BAR1_AVAIL_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_BAR1_MAX_CONTIGUOUS_AVAIL_SIZE:
		/* It shows all memory all the time: what is not mapped can be. */
		size = gpu->bars[BAR_VIDEO_MEMORY].size;
		*data = kib(size - min(size, objects->bar_mapped));
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_FB_TAX_SIZE_KB:
		*data = kib(gpu->info->fb_size - min(gpu->info->fb_size, heap->total));
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_BANK_COUNT:
		*data = 1;
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_RAM_LOCATION:
		*data = NV2080_CTRL_FB_INFO_RAM_LOCATION_GPU_DEDICATED;
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_ALLOW_PAGE_RETIREMENT:
		*data = config->bPageRetirementSupported ? 1 : 0;
		return NV_OK;
	/* Pages go offline while the GPU runs where it tells poisoned data from good. */
	case NV2080_CTRL_FB_INFO_DYNAMIC_PAGE_OFFLINING_ENABLED:
	case NV2080_CTRL_FB_INFO_POISON_FUSE_ENABLED:
		*data = config->poisonFuseEnabled ? 1 : 0;
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_TILE_REGION_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_TILE_REGION_FREE_COUNT:
	case NV2080_CTRL_FB_INFO_INDEX_BANK_SWIZZLE_ALIGNMENT:
	case NV2080_CTRL_FB_INFO_INDEX_VISTA_RESERVED_HEAP_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_OVERLAY_OFFSET_ADJUSTMENT:
	case NV2080_CTRL_FB_INFO_INDEX_FB_IS_BROKEN:
	case NV2080_CTRL_FB_INFO_INDEX_L2CACHE_ONLY_MODE:
	case NV2080_CTRL_FB_INFO_INDEX_SMOOTHDISP_RSVD_BAR1_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_HEAP_OFFLINE_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_1TO1_COMPTAG_ENABLED:
	case NV2080_CTRL_FB_INFO_INDEX_SUSPEND_RESUME_RSVD_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_FORCED_BAR1_64KB_MAPPING_ENABLED:
	case NV2080_CTRL_FB_INFO_INDEX_P2P_MAILBOX_SIZE:
	case NV2080_CTRL_FB_INFO_INDEX_P2P_MAILBOX_ALIGNMENT:
	case NV2080_CTRL_FB_INFO_INDEX_P2P_MAILBOX_BAR1_MAX_OFFSET_64KB:
		return NV_OK;
	/* All of it, in confidential mode. */
	case NV2080_CTRL_FB_INFO_INDEX_PROTECTED_MEM_SIZE_TOTAL_KB:
		if (rm_cc_is_enabled(gpu->rm))
			*data = kib(heap->total);
		return NV_OK;
	case NV2080_CTRL_FB_INFO_INDEX_PROTECTED_MEM_SIZE_FREE_KB:
		if (rm_cc_is_enabled(gpu->rm))
			*data = kib(heap->total - heap->used);
		return NV_OK;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

/* Asks the firmware for its entries of the list, in one message. */
static enum nv_status info_of_firmware(struct rm_call *call, NV2080_CTRL_FB_GET_INFO_V2_PARAMS *p)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS *ask;
	enum nv_status status = NV_OK;
	u32 i, n = 0;

	ask = os_alloc(sizeof(*ask));
	if (!ask)
		return NV_ERR_NO_MEMORY;
	for (i = 0; i < p->fbInfoListSize; i++) {
		if (is_firmwares(p->fbInfoList[i].index))
			ask->fbInfoList[n++].index = p->fbInfoList[i].index;
	}
	ask->fbInfoListSize = n;
	if (n)
		status = gsp_rpc_control(call->object->gpu, call->client->handle,
					 call->object->handle, NV2080_CTRL_CMD_FB_GET_INFO_V2, ask,
					 sizeof(*ask));
	for (i = 0, n = 0; status == NV_OK && i < p->fbInfoListSize; i++) {
		if (is_firmwares(p->fbInfoList[i].index))
			p->fbInfoList[i].data = ask->fbInfoList[n++].data;
	}
	os_free(ask);
	return status;
}

/* ECC is in the firmware's description of the memory, which the list's own command lacks. */
static enum nv_status info_of_memory(struct rm_gpu *gpu, NV2080_CTRL_FB_GET_INFO_V2_PARAMS *p)
{
	NV2080_CTRL_INTERNAL_MEMSYS_GET_STATIC_CONFIG_PARAMS memory;
	enum nv_status status;
	bool known = false;
	u32 i;

	for (i = 0; i < p->fbInfoListSize; i++) {
		if (p->fbInfoList[i].index != NV2080_CTRL_FB_INFO_FBPA_ECC_ENABLED)
			continue;
		if (!known) {
			os_memset(&memory, 0, sizeof(memory));
			status = rm_gpu_internal_control(
				gpu, NV2080_CTRL_CMD_INTERNAL_MEMSYS_GET_STATIC_CONFIG, &memory,
				sizeof(memory));
			if (status != NV_OK)
				return status;
			known = true;
		}
		p->fbInfoList[i].data = memory.bEnabledEccFBPA ? 1 : 0;
	}
	return NV_OK;
}

enum nv_status subdevice_fb_get_info_v2(struct rm_call *call, void *params)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS *p = params;
	struct rm_gpu *gpu = call->object->gpu;
	struct rm_gpu_objects *objects;
	enum nv_status status, one;
	u32 i;

	if (p->fbInfoListSize > ARRAY_SIZE(p->fbInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	status = rm_gpu_heap(gpu, &objects);
	if (status != NV_OK)
		return status;
	status = info_of_firmware(call, p);
	if (status == NV_OK)
		status = info_of_memory(gpu, p);
	if (status != NV_OK)
		return status;
	os_mutex_lock(&objects->lock);
	for (i = 0; i < p->fbInfoListSize; i++) {
		if (is_firmwares(p->fbInfoList[i].index) ||
		    p->fbInfoList[i].index == NV2080_CTRL_FB_INFO_FBPA_ECC_ENABLED)
			continue;
		one = info_of_driver(gpu, objects, p->fbInfoList[i].index, &p->fbInfoList[i].data);
		if (one != NV_OK)
			status = one;
	}
	os_mutex_unlock(&objects->lock);
	return status;
}

enum nv_status subdevice_fb_get_region_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_CMD_FB_GET_FB_REGION_INFO_PARAMS *p = params;

	if (!call->object->gpu->info)
		return NV_ERR_INVALID_STATE;
	*p = call->object->gpu->info->config.fbRegionInfoParams;
	return NV_OK;
}

enum nv_status subdevice_fb_get_numa_info(struct rm_call *call, void *params)
{
	NV2080_CTRL_FB_GET_NUMA_INFO_PARAMS *p = params;
	struct rm *rm = call->rm;
	const struct rm_numa *numa = rm_numa_of(rm, call->object->gpu);

	if (p->numaOfflineAddressesCount > ARRAY_SIZE(p->numaOfflineAddresses))
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&rm->file_lock);
	p->numaNodeId = numa->node;
	p->numaMemAddr = numa->address;
	p->numaMemSize = numa->size;
	p->numaOfflineAddressesCount = 0;
	os_mutex_unlock(&rm->file_lock);
	return NV_OK;
}
