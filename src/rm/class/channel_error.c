// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Errors of channels, as the firmware reports them (RC_TRIGGERED): it has stopped the channel and
 * reset its group; what its client sees of it is written here.
 *
 *   NvNotification    0  nanoseconds[2]   GPU time
 *                     8  info32           ROBUST_CHANNEL_*
 *                    12  info16           NV2080_ENGINE_TYPE_*
 *                    14  status           0xffff, written last
 */
#include "rm/class/channel_error.h"

#include "rm/class/class.h"
#include "rm/class/event.h"
#include "rm/class/fifo.h"
#include "rm/class/memory.h"
#include "rm/gpu/notify.h"

#define STATUS_ERROR 0xffffu
#define INFO_AT 8u
#define LAST_WORD_AT 12u

void rm_channel_notify_memory(struct rm_channel *channel, u32 index, u32 info32, u16 info16,
			      u16 status)
{
	struct rm_backing *memory = channel->notifier;
	u64 at = (u64)index * sizeof(NvNotification), now;

	if (!memory || rm_gpu_is_lost(channel->gpu) ||
	    channel->notifier_size < sizeof(NvNotification) ||
	    at > channel->notifier_size - sizeof(NvNotification))
		return;
	at += channel->notifier_offset;
	now = rm_gpu_time(channel->gpu);
	rm_backing_write64(memory, at, now);
	rm_backing_write32(memory, at + INFO_AT, info32);
	os_fence();
	rm_backing_write32(memory, at + LAST_WORD_AT, info16 | (u32)status << 16);
}

/* The fifo's lock is held. */
static void write_one(struct rm_channel *channel, u32 exception, u32 engine_type)
{
	rm_channel_notify_memory(channel, NV_CHANNELGPFIFO_NOTIFICATION_TYPE_ERROR, exception,
				 (u16)engine_type, STATUS_ERROR);
}

void rm_channel_write_error(struct rm_channel *channel, u32 exception, u32 engine_type, u32 scope)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(channel->gpu)->fifo;
	struct rm_channel *other;

	os_mutex_lock(&fifo->lock);
	if (scope == RC_NOTIFIER_SCOPE_TSG) {
		list_for_each_entry (other, &channel->group->channels, node)
			write_one(other, exception, engine_type);
	} else {
		write_one(channel, exception, engine_type);
	}
	os_mutex_unlock(&fifo->lock);
}

/* Both locks are held. What is armed for one notification is told once. */
static void tell_events(struct rm_channel *channel, u32 exception)
{
	u8 *action = &channel->actions[NV906F_NOTIFIERS_RC];

	if (!channel->object || *action == NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE)
		return;
	if (*action == NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_SINGLE)
		*action = NV906F_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE;
	rm_event_tell(channel->gpu->rm, channel->object, NV906F_NOTIFIERS_RC, exception, 0);
}

static void report(struct rm_channel *channel, u32 exception, u32 engine_type)
{
	if (!channel->error)
		channel->error = exception;
	write_one(channel, exception, engine_type);
	tell_events(channel, exception);
}

static void report_all(struct rm_channel *channel, u32 exception, u32 engine_type, u32 scope)
{
	struct rm_channel_group *group = channel->group;
	struct rm_channel *other;

	if (scope != RC_NOTIFIER_SCOPE_TSG) {
		report(channel, exception, engine_type);
		return;
	}
	if (!group->error)
		group->error = exception;
	list_for_each_entry (other, &group->channels, node)
		report(other, exception, engine_type);
}

/*
 * An id passes on once the firmware has freed its channel, and it reports a channel's errors before
 * that: an event that came before the channel had its id is another's. The fifo's lock is held.
 */
static struct rm_channel *meant_by(struct rm_fifo *fifo, u32 runlist, u32 chid, u64 event)
{
	struct rm_channel *channel = rm_fifo_channel(fifo, runlist, chid);

	return channel && event > channel->born ? channel : NULL;
}

bool rm_gpu_channel_error(struct rm_gpu *gpu, u32 engine_type, u32 chid, u32 exception, u32 scope,
			  u64 event)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	const struct rm_fifo_engine *engine;
	struct rm_channel *channel = NULL;

	if (!os_load_acquire(&fifo->ready))
		return false;
	os_mutex_lock(&fifo->lock);
	engine = rm_fifo_engine(fifo, engine_type);
	if (engine)
		channel = meant_by(fifo, engine->runlist, chid, event);
	if (channel && channel->object) {
		os_mutex_lock(&gpu->rm->classes->event_lock);
		report_all(channel, exception, engine_type, scope);
		os_mutex_unlock(&gpu->rm->classes->event_lock);
	}
	os_mutex_unlock(&fifo->lock);
	return channel != NULL;
}

u32 rm_gpu_channel_pid(struct rm_gpu *gpu, u32 runlist, u32 chid, u64 event)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	struct rm_channel *channel = NULL;
	u32 pid;

	os_mutex_lock(&fifo->lock);
	if (runlist < RM_FIFO_RUNLISTS)
		channel = meant_by(fifo, runlist, chid, event);
	pid = channel ? channel->pid : 0;
	os_mutex_unlock(&fifo->lock);
	return pid;
}
