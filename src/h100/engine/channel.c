// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Channels and groups as the firmware sets them up: made, scheduled, stopped, reset.
 */
#include <string.h>

#include "base/bits.h"
#include "h100/engine/fifo.h"
#include "os/crypto.h"

#define ALL_SUBDEVICES 0xfffu

static void lock(struct h100_fifo *fifo)
{
	pthread_mutex_lock(&fifo->lock);
}

static void unlock(struct h100_fifo *fifo)
{
	pthread_mutex_unlock(&fifo->lock);
}

/* -- States ------------------------------------------------------------------------------------ */

void channel_pend(struct h100_channel *channel)
{
	struct h100_group *group = channel->group;
	struct fifo_runlist *runlist = &channel->fifo->runlist[group->runlist];

	channel->state = FIFO_PENDING;
	list_add_tail(&channel->pending_node, &group->pending);
	if (!list_linked(&group->pending_node))
		list_add_tail(&group->pending_node, &runlist->pending);
	/* Whoever found it may have other things to do than to run it. */
	if (!runlist->busy) {
		runlist_crowd(channel->fifo);
		threads_wake(channel->fifo);
	}
}

static bool has_work(struct h100_channel *channel)
{
	u32 put;

	if (channel->pb_left != 0 || channel->acquiring)
		return true;
	/* A GPPut that cannot be read, or is out of range, is an error that a run reports. */
	return !gpfifo_put(channel, &put) || put != os_load_relaxed(&channel->gp_get);
}

void channel_look(struct h100_channel *channel)
{
	if (!channel->active || channel->held != 0)
		return;
	if (channel->state == FIFO_RUNNING)
		channel->rung = true;
	else if (channel->state == FIFO_IDLE && has_work(channel))
		channel_pend(channel);
}

/* Off every list of those that have work. */
static void unpend(struct h100_channel *channel)
{
	if (channel->state == FIFO_PENDING) {
		list_del(&channel->pending_node);
		if (list_empty(&channel->group->pending))
			list_del(&channel->group->pending_node);
	} else if (channel->state == FIFO_BLOCKED) {
		blocked_remove(channel);
	}
}

void channel_fail(struct h100_channel *channel, const struct h100_fifo_error *error)
{
	struct h100_group *group = channel->group;
	struct fifo_runlist *runlist = &channel->fifo->runlist[group->runlist];
	struct h100_channel *each;

	group->failed = true;
	/* Another one of it may be at work: what that does is of no interest any more. */
	if (runlist->current && runlist->current->group == group)
		os_store_relaxed(&runlist->preempt, 1u);
	list_for_each_entry (each, &group->channels, group_node) {
		unpend(each);
		each->state = FIFO_FAILED;
		if (each->active)
			client_remove(each->client, each);
		each->active = false;
	}
	group->error = *error;
	if (!list_linked(&group->error_node))
		list_add_tail(&group->error_node, &channel->fifo->errors);
	channel->fifo->config.ops->errors(channel->fifo->config.ctx);
}

/* Follows what it and its group are told; may give up the lock. */
static void apply(struct h100_channel *channel)
{
	struct h100_fifo *fifo = channel->fifo;
	bool active = channel->scheduled && !channel->disabled && channel->group->scheduled &&
		      !channel->group->failed;

	if (active == channel->active)
		return;
	channel->active = active;
	if (active) {
		client_add(channel->client, channel);
		h100_memory_enter(fifo->config.memory);
		channel_look(channel);
		h100_memory_leave(fifo->config.memory);
		threads_wake(fifo);
		return;
	}
	client_remove(channel->client, channel);
	runlist_wait_off(fifo, channel);
	unpend(channel);
	if (channel->state != FIFO_FAILED)
		channel->state = FIFO_IDLE;
}

/* -- Groups ------------------------------------------------------------------------------------ */

enum nv_status h100_group_create(struct h100_fifo *fifo, u32 runlist, struct h100_group **out)
{
	struct h100_group *group;

	*out = NULL;
	if (runlist >= fifo->config.engines->runlists)
		return NV_ERR_INVALID_ARGUMENT;
	group = os_alloc(sizeof(*group));
	if (!group)
		return NV_ERR_NO_MEMORY;
	group->fifo = fifo;
	group->runlist = runlist;
	group->timeslice_us = FIFO_TIMESLICE_US;
	list_init(&group->channels);
	list_init(&group->pending);
	list_node_init(&group->pending_node);
	list_node_init(&group->error_node);
	lock(fifo);
	list_add_tail(&group->node, &fifo->groups);
	unlock(fifo);
	*out = group;
	return NV_OK;
}

void h100_group_destroy(struct h100_group *group)
{
	struct h100_fifo *fifo = group->fifo;

	lock(fifo);
	OS_BUG_ON(!list_empty(&group->channels));
	if (list_linked(&group->error_node))
		list_del(&group->error_node);
	list_del(&group->node);
	unlock(fifo);
	os_free(group);
}

void h100_group_schedule(struct h100_group *group, bool on)
{
	struct h100_channel *channel;

	lock(group->fifo);
	group->scheduled = on;
	list_for_each_entry (channel, &group->channels, group_node) {
		channel->scheduled = on;
		apply(channel);
	}
	unlock(group->fifo);
}

enum nv_status h100_group_set_timeslice(struct h100_group *group, u64 us)
{
	if (us == 0)
		return NV_ERR_INVALID_ARGUMENT;
	lock(group->fifo);
	/* The driver's own channels wait behind it too, and for a minute only. */
	group->timeslice_us = min(us, (u64)FIFO_TIMESLICE_MAX_US);
	unlock(group->fifo);
	return NV_OK;
}

u64 h100_group_timeslice(struct h100_group *group)
{
	u64 us;

	lock(group->fifo);
	us = group->timeslice_us;
	unlock(group->fifo);
	return us;
}

enum nv_status h100_group_set_interleave(struct h100_group *group, u32 level)
{
	if (level > NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH)
		return NV_ERR_INVALID_ARGUMENT;
	lock(group->fifo);
	group->interleave = level;
	unlock(group->fifo);
	return NV_OK;
}

void h100_group_preempt(struct h100_group *group, bool wait)
{
	struct fifo_runlist *runlist = &group->fifo->runlist[group->runlist];

	lock(group->fifo);
	if (runlist->current && runlist->current->group == group) {
		os_store_relaxed(&runlist->preempt, 1u);
		if (wait)
			runlist_wait_off(group->fifo, runlist->current);
	}
	unlock(group->fifo);
}

/* -- Channels ---------------------------------------------------------------------------------- */

static u32 slot_of(const struct h100_channel_config *config)
{
	return config->group->runlist * H100_CHANNELS_PER_RUNLIST + config->chid;
}

static void rewind_channel(struct h100_channel *channel, u32 get)
{
	os_store_relaxed(&channel->gp_get, get);
	channel->extended = 0;
	channel->pb_left = 0;
	channel->pb_entry = false;
	channel->acquiring = false;
	channel->rung = false;
	channel->stopped = false;
	channel->subdevice_mask = channel->stored_mask = ALL_SUBDEVICES;
	memset(&channel->header, 0, sizeof(channel->header));
	memset(channel->sem_addr, 0, sizeof(channel->sem_addr));
	memset(channel->sem_payload, 0, sizeof(channel->sem_payload));
	memset(channel->old_sem, 0, sizeof(channel->old_sem));
	memset(channel->mem_op, 0, sizeof(channel->mem_op));
	memset(channel->subchannel, 0, sizeof(channel->subchannel));
}

/* The runlist's private memory for messages, for as long as there are secure channels on it. */
static enum nv_status buffer_get(struct h100_channel *channel)
{
	struct fifo_runlist *runlist = &channel->fifo->runlist[channel->group->runlist];

	if (!channel->secure)
		return NV_OK;
	if (!runlist->buffer)
		runlist->buffer = os_alloc(H100_SECURE_MESSAGE_MAX);
	if (!runlist->buffer)
		return NV_ERR_NO_MEMORY;
	runlist->buffer_users++;
	channel->secure->buffer = runlist->buffer;
	return NV_OK;
}

static void buffer_put(struct h100_channel *channel)
{
	struct fifo_runlist *runlist = &channel->fifo->runlist[channel->group->runlist];

	if (!channel->secure || --runlist->buffer_users != 0)
		return;
	os_free_secret(runlist->buffer, H100_SECURE_MESSAGE_MAX);
	runlist->buffer = NULL;
}

/* Into the FIFO's tables; lock held. */
static enum nv_status join(struct h100_fifo *fifo, struct h100_channel *channel)
{
	const struct h100_channel_config *config = &channel->config;
	enum nv_status status;

	if (fifo->channels[slot_of(config)])
		return NV_ERR_IN_USE;
	status = threads_start(fifo);
	if (status != NV_OK)
		return status;
	channel->client = client_get(fifo, config->client);
	if (!channel->client)
		return NV_ERR_NO_MEMORY;
	status = client_reserve(channel->client);
	if (status != NV_OK) {
		client_put(fifo, channel->client);
		return status;
	}
	status = buffer_get(channel);
	if (status != NV_OK) {
		channel->client->reserved--;
		client_put(fifo, channel->client);
		return status;
	}
	fifo->channels[slot_of(config)] = channel;
	list_add_tail(&channel->group_node, &config->group->channels);
	channel->state = config->group->failed ? FIFO_FAILED : FIFO_IDLE;
	return NV_OK;
}

enum nv_status h100_channel_create(struct h100_fifo *fifo, const struct h100_channel_config *config,
				   struct h100_channel **out)
{
	struct h100_channel *channel;
	enum nv_status status = NV_OK;

	*out = NULL;
	if (!config->group || !config->space || config->chid >= H100_CHANNELS_PER_RUNLIST ||
	    config->gpfifo_entries < 2 || !is_power_of_2(config->gpfifo_entries) ||
	    !is_aligned(config->gpfifo, NVC86F_GP_ENTRY__SIZE) ||
	    !is_aligned(config->userd_address, sizeof(u32)))
		return NV_ERR_INVALID_ARGUMENT;
	channel = os_alloc(sizeof(*channel));
	if (!channel)
		return NV_ERR_NO_MEMORY;
	channel->fifo = fifo;
	channel->config = *config;
	channel->group = config->group;
	list_init(&channel->objects);
	list_node_init(&channel->pending_node);
	list_node_init(&channel->blocked_node);
	rewind_channel(channel, 0);
	if (config->secure)
		status = h100_secure_create(fifo->config.keys,
					    fifo->runlist[config->group->runlist].engine->type,
					    config->kernel, &config->start, &channel->secure);
	lock(fifo);
	if (status == NV_OK)
		status = join(fifo, channel);
	unlock(fifo);
	if (status != NV_OK) {
		h100_secure_destroy(channel->secure);
		os_free(channel);
		return status;
	}
	h100_space_get(config->space);
	*out = channel;
	return NV_OK;
}

static void free_objects(struct h100_channel *channel)
{
	struct list_node *node, *next;

	list_for_each_safe (node, next, &channel->objects)
		os_free(list_entry(node, struct fifo_object, node));
	list_init(&channel->objects);
}

void h100_channel_destroy(struct h100_channel *channel)
{
	struct h100_fifo *fifo = channel->fifo;

	lock(fifo);
	channel->scheduled = false;
	apply(channel);
	/* One that failed is still its runlist's current for a moment. */
	runlist_wait_off(fifo, channel);
	list_del(&channel->group_node);
	fifo->channels[slot_of(&channel->config)] = NULL;
	channel->client->reserved--;
	client_put(fifo, channel->client);
	buffer_put(channel);
	unlock(fifo);
	h100_space_put(channel->config.space);
	free_objects(channel);
	h100_secure_destroy(channel->secure);
	os_free(channel);
}

void h100_channel_schedule(struct h100_channel *channel, bool on)
{
	lock(channel->fifo);
	channel->scheduled = on;
	if (on)
		channel->group->scheduled = true;
	apply(channel);
	unlock(channel->fifo);
}

void h100_channel_enable(struct h100_channel *channel, bool on)
{
	lock(channel->fifo);
	channel->disabled = !on;
	apply(channel);
	unlock(channel->fifo);
}

void h100_channel_reset(struct h100_channel *channel)
{
	struct h100_fifo *fifo = channel->fifo;
	struct fifo_object *object;
	struct h100_channel *each;
	u32 put = 0;

	lock(fifo);
	channel->scheduled = false;
	apply(channel);
	runlist_wait_off(fifo, channel);
	/* One that its group's failure takes off may be on yet. */
	list_for_each_entry (each, &channel->group->channels, group_node)
		if (each->state == FIFO_FAILED)
			runlist_wait_off(fifo, each);
	if (channel->group->failed) {
		channel->group->failed = false;
		list_for_each_entry (each, &channel->group->channels, group_node) {
			each->scheduled = false;
			each->state = FIFO_IDLE;
		}
	}
	h100_memory_enter(fifo->config.memory);
	gpfifo_put(channel, &put);
	h100_memory_leave(fifo->config.memory);
	rewind_channel(channel, put & (channel->config.gpfifo_entries - 1));
	list_for_each_entry (object, &channel->objects, node)
		if (object->class->reset)
			object->class->reset(object->state);
	unlock(fifo);
}

bool h100_channel_failed(struct h100_channel *channel)
{
	bool failed;

	lock(channel->fifo);
	failed = channel->state == FIFO_FAILED;
	unlock(channel->fifo);
	return failed;
}

bool h100_channel_idle(struct h100_channel *channel)
{
	struct h100_fifo *fifo = channel->fifo;
	bool idle;

	lock(fifo);
	h100_memory_enter(fifo->config.memory);
	idle = channel->state == FIFO_FAILED || (channel->state == FIFO_IDLE && !has_work(channel));
	h100_memory_leave(fifo->config.memory);
	unlock(fifo);
	return idle;
}

bool h100_channel_error(struct h100_channel *channel, struct h100_fifo_error *error)
{
	bool failed;

	lock(channel->fifo);
	failed = channel->state == FIFO_FAILED;
	*error = channel->group->error;
	unlock(channel->fifo);
	return failed;
}

enum nv_status h100_channel_rotate(struct h100_channel *channel, u32 which,
				   const struct h100_secure_start *start)
{
	struct h100_fifo *fifo = channel->fifo;
	enum nv_status status = NV_ERR_INVALID_STATE;

	lock(fifo);
	h100_memory_enter(fifo->config.memory);
	if (channel->secure && channel->state == FIFO_IDLE && !has_work(channel))
		status = h100_secure_rotate(channel->secure, which, start);
	h100_memory_leave(fifo->config.memory);
	unlock(fifo);
	return status;
}

u32 h100_channel_runlist(const struct h100_channel *channel)
{
	return channel->group->runlist;
}

/* -- Objects ----------------------------------------------------------------------------------- */

static bool serves(const struct h100_engine_info *engine, const struct h100_engine_class *class)
{
	switch (class->kind) {
	case H100_ENGINE_KIND_GR:
		return engine->type == NV2080_ENGINE_TYPE_GR0;
	case H100_ENGINE_KIND_COPY:
		return engine->type - NV2080_ENGINE_TYPE_COPY0 < NV2080_ENGINE_TYPE_COPY_SIZE;
	case H100_ENGINE_KIND_SEC2:
		return engine->type == NV2080_ENGINE_TYPE_SEC2;
	default:
		return false;
	}
}

static const struct h100_engine_info *engine_for(const struct h100_channel *channel,
						 const struct h100_engine_class *class)
{
	const struct h100_engines *engines = channel->fifo->config.engines;
	u32 i;

	for (i = 0; i < engines->count; i++)
		if (engines->info[i].runlist == channel->group->runlist &&
		    serves(&engines->info[i], class))
			return &engines->info[i];
	return NULL;
}

static struct fifo_object *find_object(struct h100_channel *channel, u32 class_id)
{
	struct fifo_object *object;

	list_for_each_entry (object, &channel->objects, node)
		if (object->class->class_id == class_id)
			return object;
	return NULL;
}

enum nv_status h100_channel_add_object(struct h100_channel *channel, u32 class_id,
				       const struct h100_engine_info **engine)
{
	const struct h100_engine_class *class = h100_engine_class_find(class_id);
	const struct h100_engine_info *info = class ? engine_for(channel, class) : NULL;
	struct fifo_object *object;

	if (!info)
		return NV_ERR_INVALID_CLASS;
	if (engine)
		*engine = info;
	lock(channel->fifo);
	object = find_object(channel, class_id);
	if (object)
		object->refs++;
	unlock(channel->fifo);
	if (object)
		return NV_OK;
	object = os_alloc(sizeof(*object) + align_up(class->object_bytes, sizeof(u64)));
	if (!object)
		return NV_ERR_NO_MEMORY;
	object->class = class;
	object->engine = info;
	object->refs = 1;
	/* The one that runs may be looking for its class just now. */
	lock(channel->fifo);
	runlist_wait_off(channel->fifo, channel);
	list_add_tail(&object->node, &channel->objects);
	unlock(channel->fifo);
	return NV_OK;
}

void h100_channel_remove_object(struct h100_channel *channel, u32 class_id)
{
	struct fifo_object *object;
	u32 i;

	lock(channel->fifo);
	object = find_object(channel, class_id);
	if (object && --object->refs == 0) {
		runlist_wait_off(channel->fifo, channel);
		list_del(&object->node);
		for (i = 0; i < H100_SUBCHANNELS; i++)
			if (channel->subchannel[i] == object)
				channel->subchannel[i] = NULL;
	} else {
		object = NULL;
	}
	unlock(channel->fifo);
	os_free(object);
}
