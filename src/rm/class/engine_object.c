// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes of engines, as objects below a channel: compute and graphics, copies, work launch,
 * decoders, and what the driver's own software answers. The firmware has the twin, which owns what
 * methods do. An object's engine must be on the channel's runlist.
 */
#include "rm/class/engine_object.h"

#include "rm/class/channel.h"
#include "rm/class/class.h"
#include "rm/class/fifo.h"
#include "rm/class/listed.h"
#include "rm/class/state.h"

struct rm_engine_object {
	struct rm_object object;
	struct list_node node; /* of the fifo's objects, under its lock */
	u32 engine_type;
	u32 pid; /* of its client; 0: the driver */
};

static struct rm_engine_object *to_engine_object(const struct rm_object *object)
{
	return container_of(object, struct rm_engine_object, object);
}

static struct rm_fifo *fifo_of(const struct rm_object *object)
{
	return &rm_gpu_objects_of(object->gpu)->fifo;
}

static enum nv_status made(struct rm_object *object, u32 engine_type)
{
	struct rm_engine_object *self = to_engine_object(object);
	struct rm_fifo *fifo = fifo_of(object);

	self->engine_type = engine_type;
	self->pid = object->client->kernel ? 0 : object->client->cred.pid;
	os_mutex_lock(&fifo->lock);
	list_add_tail(&self->node, &fifo->objects);
	os_mutex_unlock(&fifo->lock);
	return NV_OK;
}

static void engine_object_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_fifo *fifo = fifo_of(object);

	os_mutex_lock(&fifo->lock);
	list_del(&to_engine_object(object)->node);
	os_mutex_unlock(&fifo->lock);
}

static enum nv_status construct_on(struct rm_call *call, struct rm_object *object, u32 engine_type)
{
	struct rm_channel *channel = rm_channel_of(call->object);
	const struct rm_fifo_engine *engine;

	if (!rm_class_listed(object->class_id))
		return NV_ERR_INVALID_CLASS;
	if (!channel)
		return NV_ERR_INVALID_OBJECT_PARENT;
	engine = rm_fifo_engine(&rm_gpu_objects_of(object->gpu)->fifo, engine_type);
	if (!engine)
		return NV_ERR_INVALID_CLASS;
	if (engine->runlist != channel->runlist)
		return NV_ERR_INVALID_STATE;
	return made(object, engine_type);
}

static enum nv_status graphics_construct(struct rm_call *call, struct rm_object *object,
					 void *params, u32 params_size)
{
	return construct_on(call, object, NV2080_ENGINE_TYPE_GR0);
}

/*
 * version 0 names a copy engine by its index, version 1 by its type. Without parameters it is the
 * channel's own, or the first that shares the graphics engine's runlist.
 */
static enum nv_status copy_construct(struct rm_call *call, struct rm_object *object, void *params,
				     u32 params_size)
{
	const NVB0B5_ALLOCATION_PARAMETERS *p = params;
	struct rm_channel *channel = rm_channel_of(call->object);
	u32 index;

	if (!channel)
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (!p)
		index = channel->engine_type == NV2080_ENGINE_TYPE_GR0
				? 0
				: channel->engine_type - NV2080_ENGINE_TYPE_COPY0;
	else if (p->version == NVB0B5_ALLOCATION_PARAMETERS_VERSION_0)
		index = p->engineType;
	else if (p->version == NVB0B5_ALLOCATION_PARAMETERS_VERSION_1)
		index = p->engineType - NV2080_ENGINE_TYPE_COPY0;
	else
		return NV_ERR_INVALID_ARGUMENT;
	if (index >= NV2080_ENGINE_TYPE_COPY_SIZE)
		return NV_ERR_INVALID_ARGUMENT;
	return construct_on(call, object, NV2080_ENGINE_TYPE_COPY0 + index);
}

static enum nv_status sec2_construct(struct rm_call *call, struct rm_object *object, void *params,
				     u32 params_size)
{
	return construct_on(call, object, NV2080_ENGINE_TYPE_SEC2);
}

/* Methods of these are the driver's to answer; no engine need be there. */
static enum nv_status software_construct(struct rm_call *call, struct rm_object *object,
					 void *params, u32 params_size)
{
	if (!rm_class_listed(object->class_id))
		return NV_ERR_INVALID_CLASS;
	return made(object, NV2080_ENGINE_TYPE_SW);
}

#define DEFINE(name, kind, fn)                                  \
	const struct rm_class rm_class_##name = {               \
		.iclass = ABI_ICLASS_##kind,                    \
		.object_size = sizeof(struct rm_engine_object), \
		.construct = (fn),                              \
		.destruct = engine_object_destruct,             \
		.mirrored = true,                               \
	}

DEFINE(graphics_object, KernelGraphicsObject, graphics_construct);
DEFINE(copy_object, KernelCeContext, copy_construct);
DEFINE(sec2_object, Sec2Context, sec2_construct);
DEFINE(uvm_software, UvmSwObject, software_construct);
DEFINE(timed_semaphore, TimedSemaSwObject, software_construct);
DEFINE(deferred_api, DeferredApiObject, software_construct);

bool rm_engine_object_engine(const struct rm_object *object, u32 *type)
{
	const struct rm_class *class = object->class;

	if (class != &rm_class_graphics_object && class != &rm_class_copy_object &&
	    class != &rm_class_sec2_object && class != &rm_class_uvm_software &&
	    class != &rm_class_timed_semaphore && class != &rm_class_deferred_api)
		return false;
	*type = to_engine_object(object)->engine_type;
	return true;
}

u32 rm_engine_object_pids(struct rm_gpu *gpu, u32 class_id, u32 *pids, u32 room)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	struct rm_engine_object *object;
	u32 count = 0, i;

	os_mutex_lock(&fifo->lock);
	list_for_each_entry (object, &fifo->objects, node) {
		if (object->object.class_id != class_id || !object->pid || count == room)
			continue;
		for (i = 0; i < count && pids[i] != object->pid; i++)
			;
		if (i == count)
			pids[count++] = object->pid;
	}
	os_mutex_unlock(&fifo->lock);
	return count;
}
