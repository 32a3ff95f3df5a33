// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * All channels of an address space stand still while UVM moves memory that they may reach: what is
 * scheduled stays so, but nothing of it runs (NV2080_CTRL_CMD_FIFO_DISABLE_CHANNELS).
 */
#include "rm/class/channel_group.h"
#include "rm/class/channel_pause.h"
#include "rm/class/state.h"
#include "rm/class/vaspace.h"

#define BATCH NV2080_CTRL_FIFO_DISABLE_CHANNELS_MAX_ENTRIES

static enum nv_status tell(struct rm_gpu *gpu, NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS *p)
{
	return rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_FIFO_DISABLE_CHANNELS, p, sizeof(*p));
}

/* The next channels of the space that are not as they are to be. */
static void next_batch(struct rm_gpu *gpu, struct rm_vaspace *space,
		       NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS *p)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	struct rm_channel *channel;

	p->numChannels = 0;
	os_mutex_lock(&fifo->lock);
	list_for_each_entry (channel, rm_vaspace_channels(space), space_node) {
		if (channel->paused == p->bDisable || p->numChannels == BATCH)
			continue;
		channel->paused = p->bDisable;
		p->hClientList[p->numChannels] = channel->client;
		p->hChannelList[p->numChannels++] = channel->handle;
	}
	os_mutex_unlock(&fifo->lock);
}

/* One that its client frees at this moment spoils a list, and needs nothing. */
static bool is_freed(enum nv_status status)
{
	return status == NV_ERR_INVALID_CLIENT || status == NV_ERR_OBJECT_NOT_FOUND ||
	       status == NV_ERR_INVALID_OBJECT_HANDLE;
}

static enum nv_status one_by_one(struct rm_gpu *gpu, NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS *p)
{
	enum nv_status status = NV_OK, last;
	u32 count = p->numChannels, i;

	p->numChannels = 1;
	/* Each that is not answered takes as long as the first. */
	for (i = 0; i < count && status != NV_ERR_TIMEOUT; i++) {
		p->hClientList[0] = p->hClientList[i];
		p->hChannelList[0] = p->hChannelList[i];
		last = tell(gpu, p);
		if (last != NV_OK && !is_freed(last))
			status = last;
	}
	return status;
}

static enum nv_status tell_batch(struct rm_gpu *gpu, NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS *p)
{
	enum nv_status status = tell(gpu, p);

	return is_freed(status) ? one_by_one(gpu, p) : status;
}

/* To pause ends with the first batch that fails; to go on, the firmware is told of all. */
static enum nv_status set_all(struct rm_gpu *gpu, struct rm_vaspace *space, bool paused)
{
	NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS p = { .bDisable = paused };
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	enum nv_status status = NV_OK, last;

	os_mutex_lock(&fifo->lock);
	rm_vaspace_set_paused(space, paused);
	os_mutex_unlock(&fifo->lock);
	while (status == NV_OK || !paused) {
		next_batch(gpu, space, &p);
		if (!p.numChannels)
			break;
		last = tell_batch(gpu, &p);
		if (last != NV_OK)
			status = last;
	}
	return status;
}

/* Firmware that has not answered yet finds the second request behind the first one. */
enum nv_status rm_channels_pause(struct rm_gpu *gpu, struct rm_vaspace *space)
{
	enum nv_status status = set_all(gpu, space, true);

	if (status == NV_OK && rm_gpu_is_lost(gpu))
		status = NV_ERR_GPU_IS_LOST;
	if (status != NV_OK)
		(void)set_all(gpu, space, false);
	return status;
}

void rm_channels_go_on(struct rm_gpu *gpu, struct rm_vaspace *space)
{
	if (set_all(gpu, space, false) == NV_ERR_TIMEOUT)
		os_log(OS_LOG_ERROR,
		       "NVRM: GPU%u: channels may stand still: GSP did not answer that they go on",
		       gpu->instance);
}

void rm_channel_pause_new(struct rm_channel *channel)
{
	NV2080_CTRL_FIFO_DISABLE_CHANNELS_PARAMS p = { .bDisable = 1, .numChannels = 1 };
	struct rm_fifo *fifo = &rm_gpu_objects_of(channel->gpu)->fifo;
	bool paused;

	/* Whoever lets it go on does so before this looks, or tells the firmware after this did. */
	rm_call_lock_gpu(rm_call_current(), channel->gpu);
	os_mutex_lock(&fifo->lock);
	paused = channel->paused;
	os_mutex_unlock(&fifo->lock);
	if (!paused)
		return;
	p.hClientList[0] = channel->client;
	p.hChannelList[0] = channel->handle;
	/*
	 * Nothing runs on a lost GPU; firmware that has not answered yet finds what schedules the
	 * channel behind this.
	 */
	(void)tell(channel->gpu, &p);
}
