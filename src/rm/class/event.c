// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV01_EVENT_OS_EVENT (Event): binds an OS event of a file to an index of a notifier. Events
 * on a subdevice exist in the firmware too, which posts what happens on the GPU.
 *
 *   firmware -- POST_EVENT --> rm_gpu_notify --> event objects --> OS event --> file: poll, event
 * data
 */
#include "rm/class/event.h"

#include "base/bits.h"

#include "rm/class/class.h"
#include "rm/class/engine_object.h"
#include "rm/class/subdevice.h"
#include "rm/file.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/notify.h"
#include "rm/gsp/rpc.h"

struct rm_event {
	struct rm_object object;
	struct list_node node; /* in the class state's events, under its lock */
	struct rm_object *notifier;
	struct rm_os_event *os_event;
	u32 client;
	u32 index;
	u32 vector; /* of the engine whose work it waits for; RM_NO_ID: none */
	bool with_data;
	bool in_firmware;
};

static struct rm_event *to_event(struct rm_object *object)
{
	return container_of(object, struct rm_event, object);
}

/* Engines whose interrupts a client may wait for without the firmware (NV01_EVENT_NONSTALL_INTR).
 */
static bool index_is_engine(u32 index)
{
	return index == NV2080_NOTIFIERS_FIFO_EVENT_MTHD || index == NV2080_NOTIFIERS_PPP ||
	       index == NV2080_NOTIFIERS_PDEC || index == NV2080_NOTIFIERS_SEC2 ||
	       index == NV2080_NOTIFIERS_OFA ||
	       (index >= NV2080_NOTIFIERS_CE0 && index <= NV2080_NOTIFIERS_CE9) ||
	       (index >= NV2080_NOTIFIERS_GR0 && index <= NV2080_NOTIFIERS_GR7) ||
	       (index >= NV2080_NOTIFIERS_NVDEC0 && index <= NV2080_NOTIFIERS_NVDEC7) ||
	       (index >= NV2080_NOTIFIERS_NVENC0 && index <= NV2080_NOTIFIERS_NVENC2) ||
	       (index >= NV2080_NOTIFIERS_NVJPEG0 && index <= NV2080_NOTIFIERS_NVJPEG7);
}

/* The engine whose work an index tells of; NV2080_ENGINE_TYPE_NULL: none that works on channels. */
static u32 engine_of_index(u32 index)
{
	if (index == NV2080_NOTIFIERS_FIFO_EVENT_MTHD || index == NV2080_NOTIFIERS_GR0)
		return NV2080_ENGINE_TYPE_GR0;
	if (index >= NV2080_NOTIFIERS_CE0 && index <= NV2080_NOTIFIERS_CE9)
		return NV2080_ENGINE_TYPE_COPY0 + (index - NV2080_NOTIFIERS_CE0);
	if (index >= NV2080_NOTIFIERS_NVDEC0 && index <= NV2080_NOTIFIERS_NVDEC7)
		return NV2080_ENGINE_TYPE_NVDEC0 + (index - NV2080_NOTIFIERS_NVDEC0);
	if (index >= NV2080_NOTIFIERS_NVJPEG0 && index <= NV2080_NOTIFIERS_NVJPEG7)
		return NV2080_ENGINE_TYPE_NVJPEG0 + (index - NV2080_NOTIFIERS_NVJPEG0);
	if (index == NV2080_NOTIFIERS_SEC2)
		return NV2080_ENGINE_TYPE_SEC2;
	if (index == NV2080_NOTIFIERS_OFA)
		return NV2080_ENGINE_TYPE_OFA;
	return NV2080_ENGINE_TYPE_NULL;
}

static bool is_notifier(const struct rm_object *object)
{
	u32 engine;

	return object->class->iclass == ABI_ICLASS_RmClientResource ||
	       object->class->iclass == ABI_ICLASS_Subdevice ||
	       object->class->iclass == ABI_ICLASS_KernelChannel ||
	       object->class->iclass == ABI_ICLASS_KernelSMDebuggerSession ||
	       rm_engine_object_engine(object, &engine);
}

/* The vector that says so; an engine that the GPU lacks never does. */
static enum nv_status find_vector(struct rm_event *event)
{
	const struct rm_fifo_engine *engine;
	struct rm_fifo *fifo;
	enum nv_status status = rm_fifo_get(event->object.gpu, &fifo);

	if (status != NV_OK)
		return status;
	engine = rm_fifo_engine(fifo, engine_of_index(event->index));
	if (engine)
		event->vector = engine->nonstall_vector;
	return NV_OK;
}

/* The checks in the order in which the interface makes them. */
static enum nv_status find_notifier(struct rm_call *call, const struct rm_event *event,
				    const NV0005_ALLOC_PARAMETERS *p, struct rm_object **out)
{
	struct rm_client *client = event->object.client;

	switch (event->object.class_id) {
	case NV01_EVENT_KERNEL_CALLBACK:
	case NV01_EVENT_KERNEL_CALLBACK_EX:
		/* A function to call in the driver is nothing for user space to name. */
		return NV_ERR_ILLEGAL_ACTION;
	case NV01_EVENT_OS_EVENT:
		break;
	default:
		return NV_ERR_INVALID_CLASS;
	}
	if (p->hParentClient && p->hParentClient != client->handle)
		return NV_ERR_INVALID_CLIENT;
	if (rm_object_find(client, p->hSrcResource, out) != NV_OK || !is_notifier(*out))
		return NV_ERR_INVALID_OBJECT;
	return NV_OK;
}

static enum nv_status alloc_in_firmware(struct rm_event *event, const NV0005_ALLOC_PARAMETERS *p)
{
	NV0005_ALLOC_PARAMETERS params = {
		.hParentClient = event->client,
		.hSrcResource = event->notifier->handle,
		.hClass = event->object.class_id,
		.notifyIndex = p->notifyIndex | NV01_EVENT_CLIENT_RM,
	};

	return gsp_rpc_alloc(event->notifier->gpu, event->client, event->notifier->handle,
			     event->object.handle, event->object.class_id, &params, sizeof(params));
}

static enum nv_status event_construct(struct rm_call *call, struct rm_object *object, void *params,
				      u32 params_size)
{
	const NV0005_ALLOC_PARAMETERS *p = params;
	struct rm_event *event = to_event(object);
	struct rm_class_state *state = call->rm->classes;
	enum nv_status status;

	status = find_notifier(call, event, p, &event->notifier);
	if (status != NV_OK)
		return status;
	event->client = object->client->handle;
	event->index = p->notifyIndex & (u32)REG_MASK(NV0005_NOTIFY_INDEX_INDEX);
	event->with_data = !(p->notifyIndex & NV01_EVENT_WITHOUT_EVENT_DATA);
	event->vector = RM_NO_ID;
	object->gpu = event->notifier->gpu;

	if (event->notifier->flags & RM_OBJECT_MIRRORED) {
		status = alloc_in_firmware(event, p);
		if (status != NV_OK)
			return status;
		event->in_firmware = true;
	}
	status = rm_os_event_get(call->rm, &call->cred, event->client, (u32)p->data,
				 &event->os_event);
	if (status != NV_OK)
		goto fail_os_event;
	if (p->notifyIndex & NV01_EVENT_NONSTALL_INTR) {
		if (event->notifier->class->iclass != ABI_ICLASS_Subdevice)
			status = NV_ERR_INVALID_ARGUMENT;
		else if (!index_is_engine(event->index))
			status = NV_ERR_NOT_SUPPORTED;
		else
			status = find_vector(event);
		if (status != NV_OK)
			goto fail_index;
	}
	status = rm_object_depend(object, event->notifier);
	if (status != NV_OK)
		goto fail_index;
	os_mutex_lock(&state->event_lock);
	list_add_tail(&event->node, &state->events);
	os_mutex_unlock(&state->event_lock);
	if (event->vector != RM_NO_ID)
		rm_gpu_interrupts_want(object->gpu, event->vector, true);
	return NV_OK;

fail_index:
	rm_os_event_put(event->os_event);
fail_os_event:
	if (event->in_firmware)
		gsp_rpc_free(event->notifier->gpu, event->client, event->client, object->handle);
	return status;
}

static void event_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_event *event = to_event(object);
	struct rm_class_state *state = call->rm->classes;

	if (event->vector != RM_NO_ID)
		rm_gpu_interrupts_want(object->gpu, event->vector, false);
	os_mutex_lock(&state->event_lock);
	list_del(&event->node);
	os_mutex_unlock(&state->event_lock);
	if (event->in_firmware && !rm_gpu_is_lost(object->gpu))
		gsp_rpc_free(object->gpu, event->client, event->client, object->handle);
	rm_os_event_put(event->os_event);
}

const struct rm_class rm_class_event = {
	.iclass = ABI_ICLASS_Event,
	.object_size = sizeof(struct rm_event),
	.construct = event_construct,
	.destruct = event_destruct,
};

/* -- Posting: the events' lock is held -----------------------------------------------------------
 */

static void event_post(struct rm *rm, struct rm_event *event, u32 info32, u16 info16)
{
	struct rm_event_data *data = NULL;

	if (event->with_data) {
		data = os_alloc(sizeof(*data));
		if (!data)
			return;
		data->object = event->object.handle;
		data->index = event->index;
		data->info32 = info32;
		data->info16 = info16;
	}
	rm_os_event_post(rm, event->os_event, data);
}

void rm_event_tell(struct rm *rm, const struct rm_object *notifier, u32 index, u32 info32,
		   u16 info16)
{
	struct rm_event *event;

	list_for_each_entry (event, &rm->classes->events, node) {
		if (event->notifier == notifier && event->index == index)
			event_post(rm, event, info32, info16);
	}
}

bool rm_event_has_notifier(struct rm *rm, const struct rm_object *notifier)
{
	struct rm_event *event;
	bool found = false;

	os_mutex_lock(&rm->classes->event_lock);
	list_for_each_entry (event, &rm->classes->events, node) {
		if (event->notifier == notifier) {
			found = true;
			break;
		}
	}
	os_mutex_unlock(&rm->classes->event_lock);
	return found;
}

/* A subdevice says what it wants to hear of. */
static bool is_armed(const struct rm_event *event, u32 index)
{
	if (event->notifier->class != &rm_class_subdevice || index >= NV2080_NOTIFIERS_MAXCOUNT)
		return true;
	return to_subdevice(event->notifier)->actions[index] !=
	       NV2080_CTRL_EVENT_SET_NOTIFICATION_ACTION_DISABLE;
}

/*
 * To the event that the firmware names, or all of its notifier with that index. What was armed for
 * one notification the firmware disarms.
 */
static void post_named(struct rm_gpu *gpu, const struct rm_gpu_notification *n)
{
	struct rm *rm = gpu->rm;
	struct rm_event *event;

	list_for_each_entry (event, &rm->classes->events, node) {
		if (event->client != n->client || event->object.handle != n->event ||
		    event->object.gpu != gpu)
			continue;
		if (!is_armed(event, n->index))
			return;
		if (n->all)
			rm_event_tell(rm, event->notifier, n->index, n->info32, n->info16);
		else
			event_post(rm, event, 0, 0);
		return;
	}
}

void rm_gpu_notify(struct rm_gpu *gpu, const struct rm_gpu_notification *n)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct rm_class_state *state = gpu->rm->classes;
	struct rm_subdevice *subdevice;

	os_mutex_lock(&state->event_lock);
	if (n->client) {
		post_named(gpu, n);
	} else {
		list_for_each_entry (subdevice, &objects->subdevices, node) {
			if (subdevice_take_armed(subdevice, n->index))
				rm_event_tell(gpu->rm, &subdevice->object, n->index, n->info32,
					      n->info16);
		}
	}
	os_mutex_unlock(&state->event_lock);
}

void rm_gpu_notify_engines(struct rm_gpu *gpu, u32 first, u32 vectors)
{
	struct rm_class_state *state = gpu->rm->classes;
	struct rm_event *event;

	os_mutex_lock(&state->event_lock);
	list_for_each_entry (event, &state->events, node) {
		if (event->object.gpu == gpu && event->vector - first < 32 &&
		    (vectors & (1u << (event->vector - first))))
			event_post(gpu->rm, event, 0, 0);
	}
	os_mutex_unlock(&state->event_lock);
}

void rm_gpu_notify_lost(struct rm_gpu *gpu)
{
	struct rm_class_state *state = gpu->rm->classes;
	struct rm_event *event;

	if (os_exchange(&gpu->lost_told, 1))
		return;
	os_mutex_lock(&state->event_lock);
	list_for_each_entry (event, &state->events, node) {
		if (event->object.gpu == gpu)
			rm_os_event_post(gpu->rm, event->os_event, NULL);
	}
	os_mutex_unlock(&state->event_lock);
}
