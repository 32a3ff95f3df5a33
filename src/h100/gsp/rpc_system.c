// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages about the machine and the GPU as a whole: what the driver says of the system before RM
 * is ready, its registry, and the static description of the GPU that it asks for.
 */
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "h100/engine/engines.h"
#include "h100/gsp/firmware.h"

#define SM_VERSION_HOPPER 0x900u /* 9.0 */
#define RAM_TYPE_HBM3 0x12u	 /* NV2080_CTRL_FB_INFO_RAM_TYPE_* has no name for it */
#define WARPS_PER_SM 64u
#define THREADS_PER_WARP 32u

enum nv_status rpc_system_info(struct fw *fw, void *data, u32 size)
{
	if (fw->got_system_info || fw->stage != FW_STAGE_INIT)
		return NV_ERR_INVALID_STATE;
	fw->got_system_info = true;
	return NV_OK; /* nothing in it changes what this firmware does */
}

/* A name or value lies inside of the table and behind its entries; a name is terminated there. */
static bool registry_entry_ok(const PACKED_REGISTRY_TABLE *table,
			      const PACKED_REGISTRY_ENTRY *entry)
{
	const char *bytes = (const char *)table;
	u64 first = sizeof(*table) + (u64)table->numEntries * sizeof(*entry);

	if (entry->nameOffset < first || entry->nameOffset >= table->size ||
	    !memchr(bytes + entry->nameOffset, 0, table->size - entry->nameOffset))
		return false;
	switch (entry->type) {
	case REGISTRY_TABLE_ENTRY_TYPE_DWORD:
		return entry->length == sizeof(u32);
	case REGISTRY_TABLE_ENTRY_TYPE_BINARY:
	case REGISTRY_TABLE_ENTRY_TYPE_STRING:
		return entry->data >= first && entry->data <= table->size &&
		       entry->length <= table->size - entry->data;
	default:
		return false;
	}
}

/* No key of the registry concerns this firmware; a malformed table is refused all the same. */
enum nv_status rpc_registry(struct fw *fw, void *data, u32 size)
{
	const PACKED_REGISTRY_TABLE *table = data;
	u32 i;

	if (fw->got_registry || fw->stage != FW_STAGE_INIT)
		return NV_ERR_INVALID_STATE;
	fw->got_registry = true;
	if (table->size < sizeof(*table) || table->size > size ||
	    table->numEntries > (table->size - sizeof(*table)) / sizeof(table->entries[0]))
		return NV_ERR_INVALID_PARAM_STRUCT;
	for (i = 0; i < table->numEntries; i++)
		if (!registry_entry_ok(table, &table->entries[i]))
			return NV_ERR_INVALID_PARAM_STRUCT;
	return NV_OK;
}

static void fill_units(GspStaticConfigInfo *info, const struct h100_profile *profile)
{
	u32 gpcs = min(profile->gpc_count, (u32)ARRAY_SIZE(info->tpcInfo)), i;

	info->gpcInfo.gpcMask = (u32)(BIT64(gpcs) - 1);
	for (i = 0; i < gpcs; i++) {
		/* TPCs as even as they can be; the first GPCs have one more. */
		u32 tpcs = profile->tpc_count / gpcs + (i < profile->tpc_count % gpcs);

		info->tpcInfo[i].gpcId = i;
		info->tpcInfo[i].tpcMask = (u32)(BIT64(min(tpcs, 32u)) - 1);
	}
	info->SM_info.version = SM_VERSION_HOPPER;
	info->SM_info.maxWarpsPerSM = WARPS_PER_SM;
	info->SM_info.maxThreadsPerWarp = THREADS_PER_WARP;
	info->fbp_mask = (u32)(BIT64(min(profile->fbp_count, 32u)) - 1);
	info->fbio_mask = info->fbp_mask;
	info->fb_bus_width = profile->memory_bus_bits;
	info->fb_ram_type = RAM_TYPE_HBM3;
	info->l2_cache_size = profile->l2_bytes;
}

static void fill_engines(GspStaticConfigInfo *info, const struct h100_profile *profile)
{
	struct h100_engines engines;
	u32 i;

	h100_engines_init(&engines, profile);
	for (i = 0; i < engines.count; i++)
		info->engineCaps[engines.info[i].type / 32] |= BIT32(engines.info[i].type % 32);
}

static void fill_memory(struct fw *fw, GspStaticConfigInfo *info)
{
	NV2080_CTRL_CMD_FB_GET_FB_REGION_FB_REGION_INFO *region = info->fbRegionInfoParams.fbRegion;

	info->fb_length = fw->video_bytes;
	info->fbRegionInfoParams.numFBRegions = 2;
	region[0].base = 0;
	region[0].limit = fw->wpr_start - 1;
	region[0].supportCompressed = 1;
	region[0].supportISO = 1;
	region[0].performance = 20;
	region[1].base = fw->wpr_start;
	region[1].limit = fw->video_bytes - 1;
	region[1].reserved = fw->video_bytes - fw->wpr_start;
	region[1].bProtected = 1;
}

enum nv_status rpc_static_info(struct fw *fw, void *data, u32 size)
{
	const struct h100_profile *profile = &fw->state->profile;
	GspStaticConfigInfo *info = data;
	u32 i;

	memset(info, 0, size);
	info->gidInfo.length = sizeof(fw->state->uuid);
	memcpy(info->gidInfo.data, fw->state->uuid, sizeof(fw->state->uuid));
	fill_units(info, profile);
	fill_engines(info, profile);
	fill_memory(fw, info);
	snprintf((char *)info->gpuNameString, sizeof(info->gpuNameString), "%s", profile->name);
	snprintf((char *)info->gpuShortNameString, sizeof(info->gpuShortNameString), "%s",
		 profile->short_name);
	for (i = 0; i < ARRAY_SIZE(info->gpuNameString_Unicode) && profile->name[i] != 0; i++)
		info->gpuNameString_Unicode[i] = (u8)profile->name[i];
	info->bIsTesla = 1;
	info->bVbiosValid = 1;
	info->vbiosSubVendor = profile->subsystem_vendor_id;
	info->vbiosSubDevice = profile->subsystem_id;
	info->poisonFuseEnabled = profile->ecc;
	info->hInternalClient = fw->internal.client;
	info->hInternalDevice = fw->internal.device;
	info->hInternalSubdevice = fw->internal.subdevice;
	return NV_OK;
}
