// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Channels of a device: NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS. The firmware schedules none,
 * so only a list of nothing can be started.
 */
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

static enum nv_status start_selected_channels(struct fw_call *call, void *params, u32 size)
{
	const NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS *p = params;
	const NV0080_CTRL_FIFO_CHANNEL *channels = (const void *)(uintptr_t)p->fifoStartChannelList;
	struct fw_client *client = fw_store_client(&call->fw->store, call->object->client);
	u32 i;

	if (p->fifoStartChannelListCount != 0 && !channels)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < p->fifoStartChannelListCount; i++) {
		const struct fw_node *node = fw_client_object(client, channels[i].hChannel);

		if (!node || node->object.iclass != ABI_ICLASS_KernelChannel)
			return NV_ERR_INVALID_ARGUMENT;
	}
	return p->fifoStartChannelListCount == 0 ? NV_OK : NV_ERR_NOT_SUPPORTED;
}

static const struct fw_control controls[] = {
	FW_CONTROL_SERIALISED(NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS,
			      NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS,
			      start_selected_channels),
};

FW_CONTROL_GROUP(fw_controls_fifo, "channels", controls);
