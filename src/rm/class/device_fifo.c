// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Commands of a device on its channels and on what the host interface can do.
 */
#include "rm/class/device_fifo.h"

#include "rm/class/channel.h"
#include "rm/class/state.h"
#include "rm/gsp/rpc.h"

/* Set in a table of capability bytes. */
#define CAP(table, name) ((table)[name##__BYTE] |= (u8)name##__MASK)

/* None of the old host interfaces' faults is left. */
enum nv_status device_host_get_caps_v2(struct rm_call *call, void *params)
{
	NV0080_CTRL_HOST_GET_CAPS_V2_PARAMS *p = params;

	os_memset(p->capsTbl, 0, sizeof(p->capsTbl));
	return NV_OK;
}

static void fifo_caps(u8 *table)
{
	CAP(table, NV0080_CTRL_FIFO_CAPS_SUPPORT_PCI_PB);
	CAP(table, NV0080_CTRL_FIFO_CAPS_SUPPORT_VID_PB);
	CAP(table, NV0080_CTRL_FIFO_CAPS_USERD_IN_SYSMEM);
	CAP(table, NV0080_CTRL_FIFO_CAPS_MULTI_VAS_PER_CHANGRP);
}

enum nv_status device_fifo_get_caps_v2(struct rm_call *call, void *params)
{
	NV0080_CTRL_FIFO_GET_CAPS_V2_PARAMS *p = params;

	os_memset(p->capsTbl, 0, sizeof(p->capsTbl));
	fifo_caps(p->capsTbl);
	return NV_OK;
}

enum nv_status device_fifo_get_caps(struct rm_call *call, void *params)
{
	NV0080_CTRL_FIFO_GET_CAPS_PARAMS *p = params;
	u8 *table = (void *)(uintptr_t)p->capsTbl;

	if (p->capsTblSize != NV0080_CTRL_FIFO_CAPS_TBL_SIZE || !table)
		return NV_ERR_INVALID_ARGUMENT;
	os_memset(table, 0, p->capsTblSize);
	fifo_caps(table);
	return NV_OK;
}

enum nv_status device_fb_get_caps_v2(struct rm_call *call, void *params)
{
	NV0080_CTRL_FB_GET_CAPS_V2_PARAMS *p = params;

	os_memset(p->capsTbl, 0, sizeof(p->capsTbl));
	CAP(p->capsTbl, NV0080_CTRL_FB_CAPS_BLOCKLINEAR);
	CAP(p->capsTbl, NV0080_CTRL_FB_CAPS_BLOCKLINEAR_GOBS_512);
	CAP(p->capsTbl, NV0080_CTRL_FB_CAPS_SUPPORT_CACHED_SYSMEM);
	CAP(p->capsTbl, NV0080_CTRL_FB_CAPS_GENERIC_PAGE_KIND);
	CAP(p->capsTbl, NV0080_CTRL_FB_CAPS_VIDMEM_ALLOCS_ARE_CLEARED);
	return NV_OK;
}

/* NULL: the handle is of no channel of the call's GPU. */
static struct rm_channel *find_channel(const struct rm_call *call, u32 handle)
{
	struct rm_object *object;

	if (rm_object_find(call->client, handle, &object) != NV_OK ||
	    (object->flags & RM_OBJECT_DEAD) || object->gpu != call->object->gpu)
		return NULL;
	return rm_channel_of(object);
}

/* Each handle's channel id; what is no channel of this device has none. */
enum nv_status device_fifo_get_channellist(struct rm_call *call, void *params)
{
	NV0080_CTRL_FIFO_GET_CHANNELLIST_PARAMS *p = params;
	const NvHandle *handles = (const void *)(uintptr_t)p->pChannelHandleList;
	NvU32 *ids = (void *)(uintptr_t)p->pChannelList;
	struct rm_channel *channel;
	u32 i;

	if (p->numChannels == 0 || !handles || !ids)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->numChannels; i++) {
		channel = find_channel(call, handles[i]);
		ids[i] = channel ? channel->chid : NV0080_CTRL_FIFO_GET_CHANNELLIST_INVALID_CHANNEL;
	}
	return NV_OK;
}

/* All are started or none; the same rules as for one (NVA06F_CTRL_CMD_GPFIFO_SCHEDULE). */
enum nv_status device_fifo_start_selected_channels(struct rm_call *call, void *params)
{
	const NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS *p = params;
	const NV0080_CTRL_FIFO_CHANNEL *list = (const void *)(uintptr_t)p->fifoStartChannelList;
	struct rm_channel *channel;
	u32 i;

	if (p->fifoStartChannelListCount != 0 && !list)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->fifoStartChannelListCount; i++) {
		channel = find_channel(call, list[i].hChannel);
		if (!channel)
			return NV_ERR_INVALID_ARGUMENT;
		if (!rm_channel_schedulable(channel) || os_load_acquire(&channel->stopped))
			return NV_ERR_INVALID_STATE;
	}
	return gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle,
			       call->control->cmd, params, call->params_size);
}

/* One look, without waiting (escape/idle.c waits): NV_ERR_TIMEOUT while any has work. */
enum nv_status device_fifo_idle_channels(struct rm_call *call, void *params)
{
	const NV0080_CTRL_FIFO_IDLE_CHANNELS_PARAMS *p = params;
	u32 i;

	if (p->numChannels > ARRAY_SIZE(p->hChannels))
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->numChannels; i++)
		if (!find_channel(call, p->hChannels[i]))
			return NV_ERR_OBJECT_NOT_FOUND;
	if (p->numChannels == 0)
		return NV_OK;
	return gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle,
			       call->control->cmd, params, call->params_size);
}

/* In no open header. */
enum nv_status device_closed_byte(struct rm_call *call, void *params)
{
	return NV_OK;
}
