// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What depends on what, and how objects go: children and dependants before what they stand on, with
 * no recursion, however many there are.
 *
 * A free walks depth first over a stack that is a list through the objects (free_next). An object
 * leaves the stack when it has no dependant and no live child any more. One that stands below the
 * object being freed goes entirely; any other, torn down only because it depended on something,
 * stays as a dead handle until its client frees it. Dead children are kept at the end of their
 * parent's list, so the first child tells whether a live one is left.
 */
#include "rm/gpu/gpu.h"
#include "rm/gsp/rpc.h"
#include "rm/server/internal.h"
#include "rm/server/share.h"
#include "rm/trace.h"

/* One edge; in the list of what is depended on, and in that of who depends. */
struct rm_dependency {
	struct rm_object *dependant, *on;
	struct rm_dependency *next_dependant, **at_dependant;
	struct rm_dependency *next_on, **at_on;
};

static bool is_below(const struct rm_object *object, const struct rm_object *ancestor)
{
	while (object && object != ancestor)
		object = object->parent;
	return object != NULL;
}

enum nv_status rm_object_depend(struct rm_object *dependant, struct rm_object *on)
{
	struct rm_dependency *edge;

	if (dependant->client != on->client)
		return NV_ERR_INVALID_ARGUMENT;
	if (is_below(dependant, on))
		return NV_OK;
	edge = os_alloc(sizeof(*edge));
	if (!edge)
		return NV_ERR_NO_MEMORY;
	edge->dependant = dependant;
	edge->on = on;
	edge->next_dependant = on->dependants;
	edge->at_dependant = &on->dependants;
	if (on->dependants)
		on->dependants->at_dependant = &edge->next_dependant;
	on->dependants = edge;
	edge->next_on = dependant->depends_on;
	edge->at_on = &dependant->depends_on;
	if (dependant->depends_on)
		dependant->depends_on->at_on = &edge->next_on;
	dependant->depends_on = edge;
	return NV_OK;
}

static void edge_remove(struct rm_dependency *edge)
{
	*edge->at_dependant = edge->next_dependant;
	if (edge->next_dependant)
		edge->next_dependant->at_dependant = edge->at_dependant;
	*edge->at_on = edge->next_on;
	if (edge->next_on)
		edge->next_on->at_on = edge->at_on;
	os_free(edge);
}

void rm_object_undepend(struct rm_object *object)
{
	while (object->dependants)
		edge_remove(object->dependants);
	while (object->depends_on)
		edge_remove(object->depends_on);
}

/* The next object that has to go before this one, or NULL. */
static struct rm_object *next_before(struct rm_object *object)
{
	struct rm_object *next;

	while (object->dependants) {
		next = object->dependants->dependant;
		edge_remove(object->dependants);
		if (!(next->flags & (RM_OBJECT_FREEING | RM_OBJECT_DEAD)))
			return next;
	}
	while (!list_empty(&object->children)) {
		next = list_entry(list_first(&object->children), struct rm_object, sibling);
		if (!(next->flags & RM_OBJECT_FREEING))
			return next;
		/* A child that this one depends on, and that waits for it: not before it, then. */
		if (next->flags & RM_OBJECT_ROTATED)
			break;
		next->flags |= RM_OBJECT_ROTATED;
		list_del(&next->sibling);
		list_add_tail(&next->sibling, &object->children);
	}
	return NULL;
}

/* Ends what the object is, in the firmware and in its class; its memory and handle stay. */
static void destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_object *outer = call->object;
	bool held = call->locked_gpu != NULL;

	if (object->flags & RM_OBJECT_DEAD)
		return;
	call->object = object;
	if (object->gpu && (object->desc->flags & RS_FLAGS_ACQUIRE_GPUS_LOCK_ON_FREE))
		rm_call_lock_gpu(call, object->gpu);
	rm_object_undepend(object);
	if ((object->flags & RM_OBJECT_MIRRORED) && object->class->ending)
		object->class->ending(call, object);
	if (object->flags & RM_OBJECT_MIRRORED)
		gsp_rpc_free(object->gpu, object->client->handle, object->parent->handle,
			     object->handle);
	if (object->class->destruct)
		object->class->destruct(call, object);
	object->flags = (object->flags | RM_OBJECT_DEAD) & ~RM_OBJECT_MIRRORED;
	if (!held)
		rm_call_unlock_gpu(call);
	call->object = outer;
	rm_trace(RM_TRACE_STEP, "rm/class: destruct", NV_OK, object->class_id, object->handle, NULL,
		 0);
}

static void release(struct rm_object *object)
{
	struct rm_client *client = object->client;

	if (object->flags & RM_OBJECT_LISTED) {
		handle_map_remove(&client->objects, object->handle);
		os_store_relaxed(&client->object_count, handle_map_count(&client->objects));
	}
	rm_object_discard(object);
}

static void bury(struct rm_object *object)
{
	object->flags &= ~(RM_OBJECT_FREEING | RM_OBJECT_ROTATED);
	object->gpu = NULL;
	if (object->parent) {
		list_del(&object->sibling);
		list_add_tail(&object->sibling, &object->parent->children);
	}
}

/* Tears down what stands on target; target itself and all below it go, or stay as dead handles. */
static void teardown(struct rm_call *call, struct rm_object *target, bool keep)
{
	struct rm_object *top = target, *next;

	target->flags |= RM_OBJECT_FREEING;
	target->free_next = NULL;
	while (top) {
		next = next_before(top);
		/* Dead children go with a parent that goes; where it stays they are at the end,
		 * done. */
		if (next && (next->flags & RM_OBJECT_DEAD) && (keep || !is_below(next, target)))
			next = NULL;
		if (next) {
			next->flags |= RM_OBJECT_FREEING;
			next->free_next = top;
			top = next;
			continue;
		}
		next = top->free_next;
		destruct(call, top);
		if (!keep && is_below(top, target))
			release(top);
		else
			bury(top);
		top = next;
	}
}

void rm_object_free(struct rm_call *call, struct rm_object *object)
{
	teardown(call, object, false);
}

/* Tears down the objects on a GPU as visit does it, client by client. API lock held exclusively. */
static void for_each_client(struct rm_server *server, struct rm_gpu *gpu,
			    void (*visit)(struct rm_call *call, struct rm_gpu *gpu))
{
	struct rm_client *client;
	struct rm_call call;
	u32 i;

	for (i = 0; i < RM_CLIENT_BUCKETS; i++) {
		for (client = server->buckets[i]; client; client = client->hash_next) {
			call = (struct rm_call){
				.rm = server->rm,
				.server = server,
				.client = client,
				.locks = RM_LOCKED_API_EXCLUSIVE | RM_LOCKED_CLIENT,
				.kernel = true,
				.outer = rm_call_current(),
			};
			os_current_cred(&call.cred);
			os_thread_set_context(&call);
			os_mutex_lock(&client->lock);
			visit(&call, gpu);
			os_mutex_unlock(&client->lock);
			os_thread_set_context(call.outer);
		}
	}
}

static struct rm_object *next_on_gpu(struct rm_client *client, const struct rm_gpu *gpu,
				     u64 *cursor)
{
	struct rm_object *object;

	while ((object = rm_client_next_object(client, cursor)))
		if (object->gpu == gpu && !(object->flags & RM_OBJECT_DEAD))
			return object;
	return NULL;
}

static void bury_objects(struct rm_call *call, struct rm_gpu *gpu)
{
	struct rm_object *object;
	u64 cursor = 0;

	while ((object = next_on_gpu(call->client, gpu, &cursor)))
		teardown(call, object, true);
}

static void free_objects(struct rm_call *call, struct rm_gpu *gpu)
{
	struct rm_object *object;
	u64 cursor = 0;

	while ((object = next_on_gpu(call->client, gpu, &cursor)))
		if (object->parent == call->client->root)
			teardown(call, object, false);
	bury_objects(call, gpu);
}

void rm_server_gpu_removed(struct rm_server *server, struct rm_gpu *gpu)
{
	for_each_client(server, gpu, bury_objects);
}

void rm_server_gpu_stops(struct rm_server *server, struct rm_gpu *gpu)
{
	for_each_client(server, gpu, free_objects);
}
