// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Commands by which the driver learns, once, what engines there are: their runlists and channels,
 * their interrupts, what copy engines can do.
 */
#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/engine/engines.h"
#include "h100/gsp/controls.h"

#define NO_VECTOR 0xffffffffu

static enum nv_status get_device_info(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_PARAMS *p = params;
	struct h100_engines engines;
	u32 first = p->baseIndex, i;

	if (first >= NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_MAX_DEVICES)
		return NV_ERR_INVALID_ARGUMENT;
	h100_engines_init(&engines, &call->state->profile);
	memset(p, 0, size);
	p->baseIndex = first;
	for (i = first; i < engines.count && p->numEntries < ARRAY_SIZE(p->entries); i++) {
		const struct h100_engine_info *info = &engines.info[i];
		NV2080_CTRL_FIFO_DEVICE_ENTRY *entry = &p->entries[p->numEntries++];

		entry->engineData[ENGINE_INFO_TYPE_RM_ENGINE_TYPE] = info->type;
		entry->engineData[ENGINE_INFO_TYPE_RUNLIST] = info->runlist;
		entry->engineData[ENGINE_INFO_TYPE_MC] = info->interrupt_index;
		entry->engineData[ENGINE_INFO_TYPE_IS_HOST_DRIVEN_ENGINE] = 1;
		entry->engineData[ENGINE_INFO_TYPE_RUNLIST_ENGINE_ID] =
			info->type == NV2080_ENGINE_TYPE_GR0 ? 0 : info->runlist == 0;
		entry->numPbdmas = 1;
		entry->pbdmaIds[0] = info->runlist;
		fw_put_text(entry->engineName, sizeof(entry->engineName), info->name);
	}
	p->bMore = i < engines.count;
	return NV_OK;
}

static enum nv_status get_channel_count(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_FIFO_GET_NUM_CHANNELS_PARAMS *p = params;
	struct h100_engines engines;

	h100_engines_init(&engines, &call->state->profile);
	if (p->runlistId >= engines.runlists)
		return NV_ERR_INVALID_ARGUMENT;
	p->numChannels = H100_CHANNELS_PER_RUNLIST;
	return NV_OK;
}

/* Everything that stalls comes through the GSP; engines interrupt the driver for work done. */
static enum nv_status get_interrupts(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_INTERNAL_INTR_GET_KERNEL_TABLE_PARAMS *p = params;
	struct h100_engines engines;
	u32 i;

	h100_engines_init(&engines, &call->state->profile);
	memset(p, 0, size);
	p->table[0].engineIdx = MC_ENGINE_IDX_GSP;
	p->table[0].vectorStall = LH_INTR_VECTOR_GSP;
	p->table[0].vectorNonStall = LH_INTR_VECTOR_GSP_NONSTALL;
	for (i = 0; i < engines.count; i++) {
		p->table[i + 1].engineIdx = (u16)engines.info[i].interrupt_index;
		p->table[i + 1].vectorStall = NO_VECTOR;
		p->table[i + 1].vectorNonStall = engines.info[i].nonstall_vector;
	}
	p->tableLen = engines.count + 1;
	return NV_OK;
}

static enum nv_status get_method_buffer_size(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_CE_GET_FAULT_METHOD_BUFFER_SIZE_PARAMS *p = params;

	p->size = H100_FAULT_METHOD_BUFFER_BYTES;
	return NV_OK;
}

#define CAP(table, name)                                   \
	((table)[NV2080_CTRL_CE_CAPS_CE_##name##__BYTE] |= \
	 (u8)NV2080_CTRL_CE_CAPS_CE_##name##__MASK)

static void put_copy_caps(u8 *caps, bool shares_graphics)
{
	if (shares_graphics) {
		CAP(caps, GRCE);
		CAP(caps, SHARED);
	}
	CAP(caps, SYSMEM_READ);
	CAP(caps, SYSMEM_WRITE);
	CAP(caps, SYSMEM);
	CAP(caps, SUPPORTS_NONPIPELINED_BL);
	CAP(caps, SUPPORTS_PIPELINED_BL);
}

static enum nv_status get_copy_caps(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_CE_GET_ALL_CAPS_PARAMS *p = params;
	struct h100_engines engines;
	u32 i, index;

	h100_engines_init(&engines, &call->state->profile);
	memset(p, 0, size);
	for (i = 0; i < engines.count; i++) {
		index = engines.info[i].type - NV2080_ENGINE_TYPE_COPY0;
		if (index >= NV2080_ENGINE_TYPE_COPY_SIZE)
			continue;
		put_copy_caps(p->capsTbl[index], engines.info[i].runlist == 0);
		p->present |= BIT32(index);
	}
	return NV_OK;
}

static enum nv_status get_one_copy_caps(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_CE_GET_CAPS_V2_PARAMS *p = params;
	const struct h100_engine_info *info;
	struct h100_engines engines;

	h100_engines_init(&engines, &call->state->profile);
	info = h100_engines_find(&engines, p->ceEngineType);
	if (!info || info->type - NV2080_ENGINE_TYPE_COPY0 >= NV2080_ENGINE_TYPE_COPY_SIZE)
		return NV_ERR_NOT_SUPPORTED;
	memset(p->capsTbl, 0, sizeof(p->capsTbl));
	put_copy_caps(p->capsTbl, info->runlist == 0);
	return NV_OK;
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_FIFO_GET_DEVICE_INFO_TABLE,
		   NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_PARAMS, get_device_info),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_FIFO_GET_NUM_CHANNELS,
		   NV2080_CTRL_INTERNAL_FIFO_GET_NUM_CHANNELS_PARAMS, get_channel_count),
	FW_CONTROL(NV2080_CTRL_CMD_INTERNAL_INTR_GET_KERNEL_TABLE,
		   NV2080_CTRL_INTERNAL_INTR_GET_KERNEL_TABLE_PARAMS, get_interrupts),
	FW_CONTROL(NV2080_CTRL_CMD_CE_GET_FAULT_METHOD_BUFFER_SIZE,
		   NV2080_CTRL_CE_GET_FAULT_METHOD_BUFFER_SIZE_PARAMS, get_method_buffer_size),
	FW_CONTROL(NV2080_CTRL_CMD_CE_GET_ALL_PHYSICAL_CAPS, NV2080_CTRL_CE_GET_ALL_CAPS_PARAMS,
		   get_copy_caps),
	FW_CONTROL(NV2080_CTRL_CMD_CE_GET_PHYSICAL_CAPS, NV2080_CTRL_CE_GET_CAPS_V2_PARAMS,
		   get_one_copy_caps),
};

FW_CONTROL_GROUP(fw_controls_engines, "engines", controls);
