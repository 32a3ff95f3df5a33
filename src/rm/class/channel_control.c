// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Commands of channels. Every generation's class has its numbers; what they do is the same.
 */
#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/channel_error.h"
#include "rm/class/channel_group.h"
#include "rm/class/channel_object.h"
#include "rm/class/channel_secure.h"
#include "rm/class/class.h"
#include "rm/class/engine_object.h"
#include "rm/class/event.h"
#include "rm/class/memory.h"
#include "rm/gsp/rpc.h"

static struct rm_channel *channel_of_call(const struct rm_call *call)
{
	return to_channel_object(call->object)->channel;
}

static struct rm_fifo *fifo_of_call(const struct rm_call *call)
{
	return &rm_gpu_objects_of(call->object->gpu)->fifo;
}

/* By its own number, whatever class's the caller used. */
static enum nv_status to_firmware(struct rm_call *call, u32 cmd, void *params)
{
	return gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle, cmd,
			       params, call->params_size);
}

static enum nv_status channel_get_class_engineid(struct rm_call *call, void *params)
{
	NV906F_CTRL_GET_CLASS_ENGINEID_PARAMS *p = params;
	struct rm_object *object;

	if (!p->hObject || rm_object_find(call->client, p->hObject, &object) != NV_OK ||
	    object->parent != call->object || (object->flags & RM_OBJECT_DEAD))
		return NV_ERR_OBJECT_NOT_FOUND;
	if (!rm_engine_object_engine(object, &p->engineID))
		return NV_ERR_OBJECT_NOT_FOUND;
	p->classID = object->class_id;
	p->classEngineID = object->class_id;
	return NV_OK;
}

static enum nv_status channel_reset(struct rm_call *call, void *params)
{
	const NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS *p = params;

	if (!call->kernel && p->resetReason >= NV906F_CTRL_CMD_RESET_CHANNEL_REASON_ENUM_MAX)
		return NV_ERR_INVALID_PARAMETER;
	return to_firmware(call, NV906F_CTRL_CMD_RESET_CHANNEL, params);
}

static enum nv_status channel_schedule(struct rm_call *call, void *params)
{
	const NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS *p = params;
	struct rm_channel *channel = channel_of_call(call);

	if (p->bEnable && (!rm_channel_schedulable(channel) || os_load_acquire(&channel->stopped)))
		return NV_ERR_INVALID_STATE;
	return to_firmware(call, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, params);
}

static enum nv_status channel_bind(struct rm_call *call, void *params)
{
	const NVA06F_CTRL_BIND_PARAMS *p = params;
	const struct rm_fifo_engine *engine;

	if (p->engineType == NV2080_ENGINE_TYPE_SW)
		return NV_OK;
	engine = rm_fifo_engine(fifo_of_call(call), p->engineType);
	if (!engine)
		return NV_ERR_INVALID_ARGUMENT;
	if (engine->runlist != channel_of_call(call)->runlist)
		return NV_ERR_INVALID_STATE;
	return to_firmware(call, NVA06F_CTRL_CMD_BIND, params);
}

static enum nv_status channel_stop(struct rm_call *call, void *params)
{
	struct rm_channel *channel = channel_of_call(call);
	enum nv_status status = to_firmware(call, NVA06F_CTRL_CMD_STOP_CHANNEL, params);

	if (status != NV_OK)
		return status;
	os_store_release(&channel->stopped, true);
	rm_channel_write_error(channel, ROBUST_CHANNEL_PREEMPTIVE_REMOVAL, channel->engine_type,
			       RC_NOTIFIER_SCOPE_CHANNEL);
	return NV_OK;
}

void rm_channel_stop(struct rm_channel *channel)
{
	NVA06F_CTRL_STOP_CHANNEL_PARAMS params = { .bImmediate = 1 };
	struct rm_fifo *fifo = &rm_gpu_objects_of(channel->gpu)->fifo;
	bool there;

	os_mutex_lock(&fifo->lock);
	there = channel->object != NULL;
	os_mutex_unlock(&fifo->lock);
	if (there)
		rm_kernel_control(channel->gpu->rm, channel->client, channel->handle,
				  NVA06F_CTRL_CMD_STOP_CHANNEL, &params, sizeof(params));
}

static enum nv_status channel_set_error_notifier(struct rm_call *call, void *params)
{
	const NVA06F_CTRL_SET_ERROR_NOTIFIER_PARAMS *p = params;
	struct rm_channel *channel = channel_of_call(call);

	rm_channel_write_error(channel, ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY, channel->engine_type,
			       p->bNotifyEachChannelInTSG ? RC_NOTIFIER_SCOPE_TSG
							  : RC_NOTIFIER_SCOPE_CHANNEL);
	return NV_OK;
}

static enum nv_status channel_set_interleave(struct rm_call *call, void *params)
{
	const NVA06F_CTRL_INTERLEAVE_LEVEL_PARAMS *p = params;
	struct rm_fifo *fifo = fifo_of_call(call);

	/* Whatever the firmware has against it. */
	if (to_firmware(call, NVA06F_CTRL_CMD_SET_INTERLEAVE_LEVEL, params) != NV_OK)
		return NV_ERR_NOT_SUPPORTED;
	os_mutex_lock(&fifo->lock);
	channel_of_call(call)->group->interleave = p->channelInterleaveLevel;
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

/* -- The work-submit token --------------------------------------------------------------------- */

static enum nv_status channel_get_token(struct rm_call *call, void *params)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS *p = params;
	struct rm_channel *channel = channel_of_call(call);
	struct rm_fifo *fifo = fifo_of_call(call);
	const u16 status = (u16)(REG_PREP(NV_CHANNELGPFIFO_NOTIFICATION_STATUS_IN_PROGRESS,
					  NV_CHANNELGPFIFO_NOTIFICATION_STATUS_IN_PROGRESS_TRUE) |
				 REG_PREP(NV_CHANNELGPFIFO_NOTIFICATION_STATUS_VALUE, 0x7fffu));

	p->workSubmitToken = rm_channel_token(channel);
	os_mutex_lock(&fifo->lock);
	/* Memory that is too small for this notifier is of a client that does not want it. */
	rm_channel_notify_memory(channel, channel->token_index, p->workSubmitToken, 0, status);
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

static enum nv_status channel_set_token_index(struct rm_call *call, void *params)
{
	const NVC36F_CTRL_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX_PARAMS *p = params;
	struct rm_channel *channel = channel_of_call(call);
	struct rm_fifo *fifo = fifo_of_call(call);

	if (p->index == NV_CHANNELGPFIFO_NOTIFICATION_TYPE_ERROR)
		return NV_ERR_INVALID_ARGUMENT;
	if (p->index == ~0u)
		return NV_ERR_OUT_OF_RANGE;
	if (!channel->notifier)
		return NV_ERR_OBJECT_NOT_FOUND;
	if (channel->notifier_size / sizeof(NvNotification) <= p->index)
		return NV_ERR_OUT_OF_RANGE;
	os_mutex_lock(&fifo->lock);
	channel->token_index = p->index;
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

/* -- Notifications ----------------------------------------------------------------------------- */

static enum nv_status channel_event_set_notification(struct rm_call *call, void *params)
{
	const NV906F_CTRL_EVENT_SET_NOTIFICATION_PARAMS *p = params;
	struct rm_channel *channel = channel_of_call(call);
	struct rm_fifo *fifo = fifo_of_call(call);
	enum nv_status status = NV_OK;

	if (!rm_event_has_notifier(call->rm, call->object))
		return NV_ERR_INVALID_STATE;
	if (p->event >= NV906F_NOTIFIERS_MAXCOUNT ||
	    p->action > NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_REPEAT)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&fifo->lock);
	if (p->action != NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE &&
	    channel->actions[p->event] != NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE)
		status = NV_ERR_INVALID_STATE;
	else
		channel->actions[p->event] = (u8)p->action;
	os_mutex_unlock(&fifo->lock);
	return status;
}

const struct rm_control_handler rm_channel_controls[RM_CHANNEL_CONTROLS] = {
	{ NV906F_CTRL_GET_CLASS_ENGINEID, channel_get_class_engineid },
	{ NVA06F_CTRL_GET_CLASS_ENGINEID, channel_get_class_engineid },
	{ NVA16F_CTRL_GET_CLASS_ENGINEID, channel_get_class_engineid },
	{ NVB06F_CTRL_GET_CLASS_ENGINEID, channel_get_class_engineid },
	{ NVC06F_CTRL_GET_CLASS_ENGINEID, channel_get_class_engineid },
	{ NVC36F_CTRL_GET_CLASS_ENGINEID, channel_get_class_engineid },
	{ NV906F_CTRL_CMD_RESET_CHANNEL, channel_reset },
	{ NVA06F_CTRL_CMD_RESET_CHANNEL, channel_reset },
	{ NVA16F_CTRL_CMD_RESET_CHANNEL, channel_reset },
	{ NVB06F_CTRL_CMD_RESET_CHANNEL, channel_reset },
	{ NVC06F_CTRL_CMD_RESET_CHANNEL, channel_reset },
	{ NVC36F_CTRL_CMD_RESET_CHANNEL, channel_reset },
	{ NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, channel_schedule },
	{ NVA16F_CTRL_CMD_GPFIFO_SCHEDULE, channel_schedule },
	{ NVB06F_CTRL_CMD_GPFIFO_SCHEDULE, channel_schedule },
	{ NVC06F_CTRL_CMD_GPFIFO_SCHEDULE, channel_schedule },
	{ NVC36F_CTRL_CMD_GPFIFO_SCHEDULE, channel_schedule },
	{ NVA06F_CTRL_CMD_BIND, channel_bind },
	{ NVB06F_CTRL_CMD_BIND, channel_bind },
	{ NVC06F_CTRL_CMD_BIND, channel_bind },
	{ NVC36F_CTRL_CMD_BIND, channel_bind },
	{ NVA06F_CTRL_CMD_STOP_CHANNEL, channel_stop },
	{ NVA06F_CTRL_CMD_SET_ERROR_NOTIFIER, channel_set_error_notifier },
	{ NVA06F_CTRL_CMD_SET_INTERLEAVE_LEVEL, channel_set_interleave },
	{ NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, channel_get_token },
	{ NVC36F_CTRL_CMD_GPFIFO_SET_WORK_SUBMIT_TOKEN_NOTIF_INDEX, channel_set_token_index },
	{ NV906F_CTRL_CMD_EVENT_SET_NOTIFICATION, channel_event_set_notification },
	{ NVC56F_CTRL_CMD_GET_KMB, rm_channel_get_kmb },
	{ NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, rm_channel_rotate },
};
