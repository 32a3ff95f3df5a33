// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class KEPLER_CHANNEL_GROUP_A (KernelChannelGroupApi): channels of one runlist that are scheduled
 * together and share a context. The firmware has its twin; ids and method buffers are chosen here.
 */
#include "rm/class/channel_group.h"

#include "base/bits.h"
#include "rm/class/class.h"
#include "rm/class/memory.h"
#include "rm/class/vaspace.h"
#include "rm/gsp/rpc.h"

struct rm_channel_group_object {
	struct rm_object object;
	struct rm_channel_group *group;
	u32 notifier; /* handle of the memory for channels that name none; 0: none */
};

static struct rm_channel_group_object *to_group(const struct rm_object *object)
{
	return container_of(object, struct rm_channel_group_object, object);
}

struct rm_channel_group *rm_channel_group_of(const struct rm_object *object)
{
	return object->class == &rm_class_channel_group ? to_group(object)->group : NULL;
}

u32 rm_channel_group_notifier(const struct rm_object *object)
{
	return to_group(object)->notifier;
}

struct rm_fifo *rm_channel_group_fifo(const struct rm_channel_group *group)
{
	return &rm_gpu_objects_of(group->gpu)->fifo;
}

/* -- The group itself -------------------------------------------------------------------------- */

static void free_method_buffers(struct rm_channel_group *group)
{
	u32 i;

	for (i = 0; i < RM_RUNQUEUES; i++)
		if (group->method_buffers[i].size)
			os_pages_free(&group->method_buffers[i]);
}

static enum nv_status alloc_method_buffers(struct rm_channel_group *group, u32 bytes)
{
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; i < RM_RUNQUEUES && status == NV_OK; i++) {
		status = os_pages_alloc(group->gpu->pci, bytes, OS_PAGES_SHARED,
					&group->method_buffers[i]);
		if (status != NV_OK)
			group->method_buffers[i].size = 0;
	}
	return status;
}

enum nv_status rm_channel_group_create(struct rm_gpu *gpu, u32 engine_type,
				       struct rm_vaspace *space, bool implicit,
				       struct rm_channel_group **out)
{
	const struct rm_fifo_engine *engine;
	struct rm_channel_group *group;
	struct rm_fifo *fifo;
	enum nv_status status;

	status = rm_fifo_get(gpu, &fifo);
	if (status != NV_OK)
		return status;
	engine = rm_fifo_engine(fifo, engine_type);
	if (!engine)
		return NV_ERR_INVALID_ARGUMENT;
	group = os_alloc(sizeof(*group));
	if (!group)
		return NV_ERR_NO_MEMORY;
	group->references = 1;
	group->gpu = gpu;
	group->engine_type = engine_type;
	group->runlist = engine->runlist;
	group->implicit = implicit;
	group->timeslice_us = RM_TIMESLICE_DEFAULT_US;
	group->interleave = NVA06C_CTRL_INTERLEAVE_LEVEL_MEDIUM;
	list_init(&group->channels);
	status = alloc_method_buffers(group, fifo->method_buffer_bytes);
	if (status != NV_OK)
		goto fail;
	os_mutex_lock(&fifo->lock);
	status = rm_fifo_take_group(fifo, group->runlist, &group->id);
	group->generation = fifo->generation;
	os_mutex_unlock(&fifo->lock);
	if (status != NV_OK)
		goto fail;
	rm_gpu_get(gpu);
	if (space)
		rm_vaspace_get(space);
	group->space = space;
	*out = group;
	return NV_OK;

fail:
	free_method_buffers(group);
	os_free(group);
	return status;
}

void rm_channel_group_get(struct rm_channel_group *group)
{
	os_fetch_add(&group->references, 1);
}

void rm_channel_group_put(struct rm_channel_group *group)
{
	struct rm_fifo *fifo = rm_channel_group_fifo(group);

	if (os_fetch_sub(&group->references, 1) != 1)
		return;
	OS_BUG_ON(!list_empty(&group->channels));
	os_mutex_lock(&fifo->lock);
	if (group->generation == fifo->generation)
		rm_fifo_free_group(fifo, group->runlist, group->id);
	os_mutex_unlock(&fifo->lock);
	free_method_buffers(group);
	if (group->space)
		rm_vaspace_put(group->space);
	rm_gpu_put(group->gpu);
	os_free(group);
}

/* -- Objects ----------------------------------------------------------------------------------- */

/* Tells the firmware where the copy engines of each runqueue save what a fault interrupted. */
static enum nv_status promote_method_buffers(const struct rm_object *object,
					     const struct rm_channel_group *group)
{
	NVA06C_CTRL_INTERNAL_PROMOTE_FAULT_METHOD_BUFFERS_PARAMS params = {
		.numValidEntries = RM_RUNQUEUES,
	};
	u32 i;

	for (i = 0; i < RM_RUNQUEUES; i++) {
		params.methodBufferMemdesc[i].base = os_pages_dma(&group->method_buffers[i], 0);
		params.methodBufferMemdesc[i].size = group->method_buffers[i].size;
		params.methodBufferMemdesc[i].alignment = 1;
		params.methodBufferMemdesc[i].addressSpace = ADDR_SYSMEM;
		params.methodBufferMemdesc[i].cpuCacheAttrib = NV_MEMORY_CACHED;
	}
	return gsp_rpc_control(group->gpu, object->client->handle, object->handle,
			       NVA06C_CTRL_CMD_INTERNAL_PROMOTE_FAULT_METHOD_BUFFERS, &params,
			       sizeof(params));
}

/* Without MIG there is one graphics engine, whatever the chip could be divided into. */
enum nv_status rm_channel_group_check_engine(u32 type)
{
	if (type == NV2080_ENGINE_TYPE_NULL || type >= NV2080_ENGINE_TYPE_LAST ||
	    (type > NV2080_ENGINE_TYPE_GR0 && type <= NV2080_ENGINE_TYPE_GR7))
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

static enum nv_status group_construct(struct rm_call *call, struct rm_object *object, void *params,
				      u32 params_size)
{
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS *p = params;
	struct rm_channel_group_object *self = to_group(object);
	struct rm_vaspace *space = NULL;
	struct rm_notifier notifier;
	struct rm_object *named;
	enum nv_status status;

	status = rm_channel_group_check_engine(p->engineType);
	if (status != NV_OK)
		return status;
	if (p->hVASpace) {
		status = rm_vaspace_find(call->object, p->hVASpace, &space);
		if (status != NV_OK)
			return status;
	}
	if (p->hObjectError) {
		status = rm_channel_notifier(object->client, p->hObjectError, &notifier);
		if (status != NV_OK)
			goto out;
	}
	status = rm_channel_group_create(object->gpu, p->engineType, space, false, &self->group);
	if (status != NV_OK)
		goto out;
	self->notifier = p->hObjectError;
	if (p->hVASpace)
		status = rm_object_find(object->client, p->hVASpace, &named);
	if (status == NV_OK && p->hVASpace)
		status = rm_object_depend(object, named);
	if (status != NV_OK)
		goto fail;
	status = gsp_rpc_alloc(object->gpu, object->client->handle, object->parent->handle,
			       object->handle, object->class_id, p, sizeof(*p));
	if (status != NV_OK)
		goto fail;
	status = promote_method_buffers(object, self->group);
	if (status != NV_OK) {
		gsp_rpc_free(object->gpu, object->client->handle, object->parent->handle,
			     object->handle);
		goto fail;
	}
	object->flags |= RM_OBJECT_MIRRORED;
	goto out;

fail:
	rm_channel_group_put(self->group);
out:
	if (space)
		rm_vaspace_put(space);
	return status;
}

static void group_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_channel_group_put(to_group(object)->group);
}

static enum nv_status group_duplicate(struct rm_call *call, struct rm_object *copy,
				      const struct rm_object *source)
{
	enum nv_status status;

	if (copy->gpu != source->gpu)
		return NV_ERR_INVALID_OBJECT_PARENT;
	status = gsp_rpc_dup(copy->gpu, copy->client->handle, copy->parent->handle, copy->handle,
			     source->client->handle, source->handle, call->flags);
	if (status != NV_OK)
		return status;
	to_group(copy)->group = to_group(source)->group;
	rm_channel_group_get(to_group(copy)->group);
	copy->flags |= RM_OBJECT_MIRRORED;
	return NV_OK;
}

/* -- Commands ---------------------------------------------------------------------------------- */

static enum nv_status to_firmware(struct rm_call *call, void *params)
{
	return gsp_rpc_control(call->object->gpu, call->client->handle, call->object->handle,
			       call->control->cmd, params, call->params_size);
}

static bool all_schedulable(struct rm_channel_group *group)
{
	struct rm_fifo *fifo = rm_channel_group_fifo(group);
	struct rm_channel *channel;
	bool all = true;

	os_mutex_lock(&fifo->lock);
	list_for_each_entry (channel, &group->channels, node)
		all = all && rm_channel_schedulable(channel) && !channel->stopped;
	os_mutex_unlock(&fifo->lock);
	return all;
}

static enum nv_status group_schedule(struct rm_call *call, void *params)
{
	const NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS *p = params;

	if (p->bEnable && !all_schedulable(to_group(call->object)->group))
		return NV_ERR_INVALID_STATE;
	return to_firmware(call, params);
}

/* The engine chose the runlist when the group was made; no other can be bound. */
static enum nv_status group_bind(struct rm_call *call, void *params)
{
	const NVA06C_CTRL_BIND_PARAMS *p = params;
	struct rm_channel_group *group = to_group(call->object)->group;
	const struct rm_fifo_engine *engine;

	engine = rm_fifo_engine(rm_channel_group_fifo(group), p->engineType);
	if (!engine)
		return NV_ERR_INVALID_ARGUMENT;
	if (engine->runlist != group->runlist)
		return NV_ERR_INVALID_STATE;
	return to_firmware(call, params);
}

static enum nv_status group_set_timeslice(struct rm_call *call, void *params)
{
	const NVA06C_CTRL_TIMESLICE_PARAMS *p = params;
	NVA06C_CTRL_TIMESLICE_PARAMS set = *p;
	struct rm_channel_group *group = to_group(call->object)->group;
	struct rm_fifo *fifo = rm_channel_group_fifo(group);
	enum nv_status status = to_firmware(call, &set);

	if (status != NV_OK)
		return status;
	os_mutex_lock(&fifo->lock);
	/* The firmware says what it made of it. */
	group->timeslice_us = set.timesliceUs;
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

static enum nv_status group_get_timeslice(struct rm_call *call, void *params)
{
	NVA06C_CTRL_TIMESLICE_PARAMS *p = params;
	struct rm_channel_group *group = to_group(call->object)->group;
	struct rm_fifo *fifo = rm_channel_group_fifo(group);

	os_mutex_lock(&fifo->lock);
	p->timesliceUs = group->timeslice_us;
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

static enum nv_status group_get_info(struct rm_call *call, void *params)
{
	NVA06C_CTRL_GET_INFO_PARAMS *p = params;

	p->tsgID = to_group(call->object)->group->id;
	return NV_OK;
}

static enum nv_status group_set_interleave(struct rm_call *call, void *params)
{
	const NVA06C_CTRL_INTERLEAVE_LEVEL_PARAMS *p = params;
	struct rm_channel_group *group = to_group(call->object)->group;
	struct rm_fifo *fifo = rm_channel_group_fifo(group);

	/* Whatever the firmware has against it. */
	if (to_firmware(call, params) != NV_OK)
		return NV_ERR_NOT_SUPPORTED;
	os_mutex_lock(&fifo->lock);
	group->interleave = p->tsgInterleaveLevel;
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

static const struct rm_control_handler group_controls[] = {
	{ NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, group_schedule },
	{ NVA06C_CTRL_CMD_BIND, group_bind },
	{ NVA06C_CTRL_CMD_SET_TIMESLICE, group_set_timeslice },
	{ NVA06C_CTRL_CMD_GET_TIMESLICE, group_get_timeslice },
	{ NVA06C_CTRL_CMD_GET_INFO, group_get_info },
	{ NVA06C_CTRL_CMD_SET_INTERLEAVE_LEVEL, group_set_interleave },
};

const struct rm_class rm_class_channel_group = {
	.iclass = ABI_ICLASS_KernelChannelGroupApi,
	.object_size = sizeof(struct rm_channel_group_object),
	.construct = group_construct,
	.destruct = group_destruct,
	.duplicate = group_duplicate,
	.controls = group_controls,
	.control_count = ARRAY_SIZE(group_controls),
};
