// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What a subdevice notifies of: NV2080_CTRL_CMD_EVENT_*.
 */
#include "rm/class/event.h"
#include "rm/class/memory.h"
#include "rm/class/subdevice.h"
#include "rm/gsp/rpc.h"

bool subdevice_take_armed(struct rm_subdevice *subdevice, u32 index)
{
	u8 action;

	if (index >= NV2080_NOTIFIERS_MAXCOUNT)
		return false;
	action = subdevice->actions[index];
	if (action == NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE)
		return false;
	if (action == NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE)
		subdevice->actions[index] = NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE;
	return true;
}

/* Event lock held. Only what is disabled can be armed. */
static enum nv_status arm(struct rm_subdevice *subdevice, u32 index, u32 action)
{
	switch (action) {
	case NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE:
	case NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT:
		if (subdevice->actions[index] != NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE)
			return NV_ERR_INVALID_STATE;
		break;
	case NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE:
		break;
	default:
		return NV_ERR_INVALID_ARGUMENT;
	}
	subdevice->actions[index] = (u8)action;
	return NV_OK;
}

enum nv_status subdevice_event_set_notification(struct rm_call *call, void *params)
{
	NV2080_CTRL_EVENT_SET_NOTIFICATION_PARAMS *p = params;
	struct rm_subdevice *subdevice = to_subdevice(call->object);
	struct rm_class_state *state = call->rm->classes;
	enum nv_status status;

	if (!rm_event_has_notifier(call->rm, call->object))
		return NV_ERR_INVALID_STATE;
	if (p->event >= NV2080_NOTIFIERS_MAXCOUNT || p->event == NV2080_NOTIFIERS_TIMER)
		return NV_ERR_INVALID_ARGUMENT;
	if (call->object->flags & RM_OBJECT_MIRRORED) {
		status = gsp_rpc_control(call->object->gpu, call->client->handle,
					 call->object->handle,
					 NV2080_CTRL_CMD_EVENT_SET_NOTIFICATION, p, sizeof(*p));
		if (status != NV_OK)
			return status;
	}
	os_mutex_lock(&state->event_lock);
	status = arm(subdevice, p->event, p->action);
	os_mutex_unlock(&state->event_lock);
	return status;
}

/* The driver's own test event, to every subdevice of the GPU that armed it. */
enum nv_status subdevice_event_set_trigger(struct rm_call *call, void *params)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(call->object->gpu);
	struct rm_class_state *state = call->rm->classes;
	struct rm_subdevice *subdevice;

	os_mutex_lock(&state->event_lock);
	list_for_each_entry (subdevice, &objects->subdevices, node) {
		if (subdevice_take_armed(subdevice, NV2080_NOTIFIERS_SW))
			rm_event_tell(call->rm, &subdevice->object, NV2080_NOTIFIERS_SW, 0, 0);
	}
	os_mutex_unlock(&state->event_lock);
	return NV_OK;
}

enum nv_status subdevice_event_set_memory_notifies(struct rm_call *call, void *params)
{
	const NV2080_CTRL_EVENT_SET_MEMORY_NOTIFIES_PARAMS *p = params;
	struct rm_subdevice *subdevice = to_subdevice(call->object);
	struct rm_object *memory;
	u32 i;

	if (subdevice->notifier_memory) {
		for (i = 0; i < NV2080_NOTIFIERS_MAXCOUNT; i++) {
			if (subdevice->actions[i] !=
			    NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE)
				return NV_ERR_STATE_IN_USE;
		}
	}
	if (p->hMemory) {
		u64 size;
		enum nv_status status = rm_object_find(call->client, p->hMemory, &memory);

		if (status != NV_OK)
			return status;
		if (!rm_memory_size(memory, &size))
			return NV_ERR_INVALID_OBJECT_HANDLE;
		if (size < sizeof(NvNotification) * NV2080_NOTIFIERS_MAXCOUNT)
			return NV_ERR_INVALID_LIMIT;
	}
	subdevice->notifier_memory = p->hMemory;
	return NV_OK;
}
