// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control commands that say what the GPU is: names, serial number, UUID, InfoROM, firmware, module.
 */
#include <stdio.h>

#include "h100/gsp/controls.h"

#define SLOTS_A_BOARD 8u

static enum nv_status get_name(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS *p = params;
	const char *name = call->state->profile.name;
	u32 flags = p->gpuNameStringFlags;

	memset(&p->gpuNameString, 0, sizeof(p->gpuNameString));
	if (flags == NV2080_CTRL_GPU_GET_NAME_STRING_FLAGS_TYPE_ASCII) {
		fw_put_text(p->gpuNameString.ascii, sizeof(p->gpuNameString.ascii), name);
		return NV_OK;
	}
	if (flags != NV2080_CTRL_GPU_GET_NAME_STRING_FLAGS_TYPE_UNICODE)
		return NV_ERR_INVALID_ARGUMENT;
	for (u32 i = 0; name[i] != '\0' && i + 1 < ARRAY_SIZE(p->gpuNameString.unicode); i++)
		p->gpuNameString.unicode[i] = (u8)name[i];
	return NV_OK;
}

static enum nv_status get_short_name(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_SHORT_NAME_STRING_PARAMS *p = params;

	fw_put_text(p->gpuShortNameString, sizeof(p->gpuShortNameString),
		    call->state->profile.short_name);
	return NV_OK;
}

static enum nv_status get_gid(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_GID_INFO_PARAMS *p = params;
	const struct h100_state *state = call->state;
	u32 format = p->flags & 3, type = p->flags >> 2 & 1;

	memset(p->data, 0, sizeof(p->data));
	p->length = 0;
	if (p->index != 0 || type != NV2080_GPU_CMD_GPU_GET_GID_FLAGS_TYPE_SHA1)
		return NV_ERR_INVALID_ARGUMENT;
	if (format == NV2080_GPU_CMD_GPU_GET_GID_FLAGS_FORMAT_BINARY) {
		p->length = sizeof(state->uuid);
		memcpy(p->data, state->uuid, sizeof(state->uuid));
	} else if (format == NV2080_GPU_CMD_GPU_GET_GID_FLAGS_FORMAT_ASCII) {
		p->length = (u32)strlen(state->uuid_text) + 1; /* its NUL is counted */
		fw_put_text(p->data, sizeof(p->data), state->uuid_text);
	} else {
		return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

static enum nv_status get_board(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_OEM_BOARD_INFO_PARAMS *p = params;
	const struct h100_state *state = call->state;

	memset(p, 0, size);
	fw_put_text(p->serialNumber, sizeof(p->serialNumber), state->serial);
	fw_put_text(p->productPartNumber, sizeof(p->productPartNumber), state->profile.board_part);
	return NV_OK;
}

static enum nv_status get_chip(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_CHIP_DETAILS_PARAMS *p = params;
	const struct h100_profile *profile = &call->state->profile;
	const char *sku = strchr(profile->gpu_part, '-');

	memset(p, 0, size);
	p->pciDevId = (u32)profile->device_id;
	/* "2330-885-A1": device, SKU, revision */
	for (u32 i = 0;
	     sku != NULL && i + 1 < sizeof(p->chipSku) && sku[i + 1] != '\0' && sku[i + 1] != '-';
	     i++)
		p->chipSku[i] = (u8)sku[i + 1];
	p->chipMajor = (u32)(profile->revision >> 4);
	p->chipMinor = (u32)(profile->revision & 0xf);
	return NV_OK;
}

static enum nv_status get_inforom_image(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_INFOROM_IMAGE_VERSION_PARAMS *p = params;

	fw_put_text(p->version, sizeof(p->version), call->state->profile.inforom_image);
	return NV_OK;
}

static enum nv_status get_inforom_object(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_INFOROM_OBJECT_VERSION_PARAMS *p = params;
	const struct h100_profile *profile = &call->state->profile;
	const struct {
		char name[3];
		const struct h100_version *version;
	} objects[] = {
		{ { 'O', 'E', 'M' }, &profile->inforom_oem },
		{ { 'O', 'B', 'D' }, &profile->inforom_oem },
		{ { 'E', 'C', 'C' }, &profile->inforom_ecc },
		{ { 'P', 'W', 'R' }, &profile->inforom_power },
	};

	p->version = 0;
	p->subversion = 0;
	for (u32 i = 0; i < ARRAY_SIZE(objects); i++) {
		const struct h100_version *version = objects[i].version;

		if (memcmp(objects[i].name, p->objectType, sizeof(objects[i].name)) != 0)
			continue;
		if (version->major == 0 && version->minor == 0)
			break;
		p->version = (u8)version->major;
		p->subversion = (u8)version->minor;
		return NV_OK;
	}
	return NV_ERR_NOT_SUPPORTED;
}

static enum nv_status verify_inforom(struct fw_call *call, void *params, u32 size)
{
	NV208F_CTRL_GPU_VERIFY_INFOROM_PARAMS *p = params;

	p->result = call->state->inforom_valid
			    ? NV208F_CTRL_GPU_INFOROM_VERIFICATION_RESULT_VALID
			    : NV208F_CTRL_GPU_INFOROM_VERIFICATION_RESULT_INVALID;
	p->checksum = call->state->inforom_checksum;
	return NV_OK;
}

static enum nv_status get_gsp_features(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GSP_GET_FEATURES_PARAMS *p = params;

	memset(p, 0, size);
	/* Without it clients of unified memory go without. */
	p->gspFeatures = NV2080_CTRL_GSP_GET_FEATURES_UVM_ENABLED_TRUE
			 << NV2080_CTRL_GSP_GET_FEATURES_UVM_ENABLED__LO;
	p->bValid = 1;
	p->bDefaultGspRmGpu = 1;
	fw_put_text(p->firmwareVersion, sizeof(p->firmwareVersion), call->state->firmware_version);
	return NV_OK;
}

static enum nv_status get_module(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_PMGR_MODULE_INFO_PARAMS *p = params;

	memset(p, 0, size);
	if (!call->state->profile.module)
		return NV_ERR_NOT_SUPPORTED;
	p->moduleId = call->state->index % SLOTS_A_BOARD; /* tools count from one */
	p->nvswitchSupport = call->state->profile.nvlink_connected
				     ? NV2080_CTRL_PMGR_MODULE_INFO_NVSWITCH_SUPPORTED
				     : NV2080_CTRL_PMGR_MODULE_INFO_NVSWITCH_NOT_SUPPORTED;
	return NV_OK;
}

/* A row that waits to be replaced needs the GPU to start anew; nothing else asks for a reset. */
static enum nv_status get_reset_status(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_RESET_STATUS_PARAMS *p = params;

	p->bResetRequired = call->state->remap_pending;
	return NV_OK;
}

static enum nv_status get_drain_and_reset_status(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_GPU_GET_DRAIN_AND_RESET_STATUS_PARAMS *p = params;

	p->bDrainRecommended = call->state->remap_pending;
	return NV_OK;
}

static enum nv_status get_vbios(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_BIOS_GET_INFO_V2_PARAMS *p = params;
	unsigned byte[5];

	if (p->biosInfoListSize == 0 || p->biosInfoListSize > ARRAY_SIZE(p->biosInfoList))
		return NV_ERR_INVALID_ARGUMENT;
	/* The profile's parser has checked the form. */
	if (sscanf(call->state->profile.vbios_version, "%2x.%2x.%2x.%2x.%2x", &byte[0], &byte[1],
		   &byte[2], &byte[3], &byte[4]) != 5)
		return NV_ERR_INVALID_STATE;
	for (u32 i = 0; i < p->biosInfoListSize; i++) {
		p->biosInfoList[i].data = 0;
		if (p->biosInfoList[i].index == NV2080_CTRL_BIOS_INFO_INDEX_REVISION)
			p->biosInfoList[i].data =
				byte[0] << 24 | byte[1] << 16 | byte[2] << 8 | byte[3];
		else if (p->biosInfoList[i].index == NV2080_CTRL_BIOS_INFO_INDEX_OEM_REVISION)
			p->biosInfoList[i].data = byte[4];
		else
			return NV_ERR_INVALID_ARGUMENT;
	}
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_NAME_STRING, NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS,
		   get_name),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_SHORT_NAME_STRING,
		   NV2080_CTRL_GPU_GET_SHORT_NAME_STRING_PARAMS, get_short_name),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_GID_INFO, NV2080_CTRL_GPU_GET_GID_INFO_PARAMS, get_gid),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_OEM_BOARD_INFO,
		   NV2080_CTRL_GPU_GET_OEM_BOARD_INFO_PARAMS, get_board),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_CHIP_DETAILS, NV2080_CTRL_GPU_GET_CHIP_DETAILS_PARAMS,
		   get_chip),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_INFOROM_IMAGE_VERSION,
		   NV2080_CTRL_GPU_GET_INFOROM_IMAGE_VERSION_PARAMS, get_inforom_image),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_INFOROM_OBJECT_VERSION,
		   NV2080_CTRL_GPU_GET_INFOROM_OBJECT_VERSION_PARAMS, get_inforom_object),
	FW_CONTROL(NV208F_CTRL_CMD_GPU_VERIFY_INFOROM, NV208F_CTRL_GPU_VERIFY_INFOROM_PARAMS,
		   verify_inforom),
	FW_CONTROL(NV2080_CTRL_CMD_GSP_GET_FEATURES, NV2080_CTRL_GSP_GET_FEATURES_PARAMS,
		   get_gsp_features),
	FW_CONTROL(NV2080_CTRL_CMD_PMGR_GET_MODULE_INFO, NV2080_CTRL_PMGR_MODULE_INFO_PARAMS,
		   get_module),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_RESET_STATUS, NV2080_CTRL_GPU_GET_RESET_STATUS_PARAMS,
		   get_reset_status),
	FW_CONTROL(NV2080_CTRL_CMD_GPU_GET_DRAIN_AND_RESET_STATUS,
		   NV2080_CTRL_GPU_GET_DRAIN_AND_RESET_STATUS_PARAMS, get_drain_and_reset_status),
	FW_CONTROL(NV2080_CTRL_CMD_BIOS_GET_INFO_V2, NV2080_CTRL_BIOS_GET_INFO_V2_PARAMS,
		   get_vbios),
};

FW_CONTROL_GROUP(fw_controls_identity, "identity", controls);
