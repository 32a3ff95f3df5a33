// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Objects: their handles, where they stand in the tree, and how one comes to be. */
#include "rm/gpu/gpu.h"
#include "rm/gsp/rpc.h"
#include "rm/server/internal.h"
#include "rm/server/share.h"
#include "rm/trace.h"

enum nv_status rm_object_find(struct rm_client *client, u32 handle, struct rm_object **out)
{
	*out = handle == client->handle ? client->root : handle_map_find(&client->objects, handle);
	return *out ? NV_OK : NV_ERR_OBJECT_NOT_FOUND;
}

enum nv_status rm_object_find_class(struct rm_client *client, u32 handle, enum abi_iclass iclass,
				    struct rm_object **out)
{
	struct rm_object *object;
	enum nv_status status = rm_object_find(client, handle, &object);

	if (status != NV_OK)
		return status;
	if (!rm_iclass_is(object->desc->iclass, iclass))
		return NV_ERR_INVALID_OBJECT_HANDLE;
	*out = object;
	return NV_OK;
}

struct rm_object *rm_object_ancestor(struct rm_object *object, enum abi_iclass iclass)
{
	while (object && object->desc->iclass != iclass)
		object = object->parent;
	return object;
}

struct rm_object *rm_client_next_object(struct rm_client *client, u64 *cursor)
{
	return handle_map_next(&client->objects, cursor, NULL);
}

/* -- Handles ----------------------------------------------------------------------------------- */

static enum nv_status handle_check(const struct rm_client *client, u32 handle)
{
	/* A control may name the client itself by its handle. */
	if (handle == client->handle || handle == 0)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	if (handle_map_find(&client->objects, handle))
		return NV_ERR_INSERT_DUPLICATE_NAME;
	return NV_OK;
}

enum nv_status rm_object_handle(struct rm_client *client, u32 *handle)
{
	u32 tries;

	if (*handle) {
		if (*handle - RM_FIRMWARE_HANDLE_BASE < RM_OBJECT_HANDLE_RANGE)
			return NV_ERR_INVALID_OBJECT_HANDLE;
		return handle_check(client, *handle);
	}
	for (tries = 0; tries < RM_OBJECT_HANDLE_RANGE; tries++) {
		u32 next = RM_OBJECT_HANDLE_BASE + client->next_handle++ % RM_OBJECT_HANDLE_RANGE;

		if (handle_check(client, next) == NV_OK) {
			*handle = next;
			return NV_OK;
		}
	}
	return NV_ERR_INSUFFICIENT_RESOURCES;
}

/* -- Birth ------------------------------------------------------------------------------------- */

static u32 single_bit(const struct rm_object *object)
{
	return object->desc->multi ? 0 : object->client->server->single_bits[object->desc->iclass];
}

void rm_object_discard(struct rm_object *object)
{
	if (object->parent) {
		list_del(&object->sibling);
		object->parent->singles &= ~single_bit(object);
	}
	os_free(object->shares);
	os_free(object);
}

/* The firmware's twin, under the same handles. */
static enum nv_status mirror(struct rm_call *call, const struct rm_object_request *request,
			     struct rm_object *object)
{
	const struct rm_object *source = request->source;
	enum nv_status status;

	if (!object->class->mirrored || !object->gpu)
		return NV_OK;
	if (source)
		status = gsp_rpc_dup(object->gpu, object->client->handle, object->parent->handle,
				     object->handle, source->client->handle, source->handle,
				     call->flags);
	else
		status = gsp_rpc_alloc(object->gpu, object->client->handle, object->parent->handle,
				       object->handle, object->class_id, request->params,
				       request->params_size);
	if (status == NV_OK)
		object->flags |= RM_OBJECT_MIRRORED;
	return status;
}

enum nv_status rm_object_create(struct rm_call *call, const struct rm_object_request *request,
				struct rm_object **out)
{
	struct rm_object *parent = request->parent;
	const struct abi_class *desc = request->desc;
	const struct rm_class *class = rm_server_class(call->client->server, desc->iclass);
	struct rm_object *object;
	enum nv_status status;

	if (!class)
		return NV_ERR_INVALID_CLASS;
	if (parent && parent->depth >= RM_OBJECT_MAX_DEPTH)
		return NV_ERR_ILLEGAL_ACTION;
	object = os_alloc(class->object_size);
	if (!object)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	object->handle = request->handle;
	object->class_id = desc->class_id;
	object->class = class;
	object->desc = desc;
	object->client = call->client;
	object->parent = parent;
	list_init(&object->children);
	if (parent) {
		object->depth = parent->depth + 1;
		object->gpu = parent->gpu;
		list_add_head(&object->sibling, &parent->children);
		parent->singles |= single_bit(object);
	}

	call->object = parent;
	if (request->source)
		status = class->duplicate(call, object, request->source);
	else if (class->construct)
		status = class->construct(call, object, request->params, request->params_size);
	else
		status = NV_OK;
	rm_trace(RM_TRACE_STEP, "rm/class: construct", status, desc->class_id, object->handle, NULL,
		 0);
	if (status != NV_OK) {
		rm_object_undepend(object);
		rm_object_discard(object);
		return status;
	}
	status = rm_rights_grant_new(call, object, request->rights_requested,
				     request->rights_required);
	if (status == NV_OK)
		status = mirror(call, request, object);
	if (status == NV_OK && class->constructed && !request->source)
		status = class->constructed(call, object);
	if (status == NV_OK)
		status = handle_map_insert(&call->client->objects, object->handle, object);
	if (status != NV_OK) {
		rm_object_free(call, object);
		return status;
	}
	object->flags |= RM_OBJECT_LISTED;
	os_store_relaxed(&call->client->object_count, handle_map_count(&call->client->objects));
	*out = object;
	return NV_OK;
}
