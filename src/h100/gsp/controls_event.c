// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a subdevice posts events for: NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION.
 */
#include "h100/gsp/controls.h"
#include "h100/gsp/firmware.h"

static enum nv_status set_notification(struct fw_call *call, void *params, u32 size)
{
	NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS *p = params;

	if (p->event >= NV2080_NOTIFIERS_MAXCOUNT)
		return NV_ERR_INVALID_ARGUMENT;
	switch (p->action) {
	case NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE:
	case NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE:
	case NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT:
		return fw_store_arm(call->object, p->event, p->action);
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
}

static const struct fw_control controls[] = {
	FW_CONTROL(NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION,
		   NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS, set_notification),
};

FW_CONTROL_GROUP(fw_controls_event, "events", controls);
