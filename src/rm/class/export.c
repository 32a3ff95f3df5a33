// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Memory that a control file stands for: given to the file, and taken from it by other clients. */
#include "rm/class/export.h"

#include "rm/class/class.h"
#include "rm/class/client.h"
#include "rm/file.h"
#include "rm/server/internal.h"

struct rm_export {
	struct rm_mappable memory; /* what a duplicate takes: backing (referenced), attributes */
	struct rm_gpu *gpu;	   /* retained: its memory is the GPU's as long as it is used */
};

/* What call->named stands for; NULL: nothing. It stays so until the file closes. */
static struct rm_export *exported(const struct rm_call *call)
{
	struct rm_export *e;

	os_mutex_lock(&call->rm->file_lock);
	e = call->named->exported;
	os_mutex_unlock(&call->rm->file_lock);
	return e;
}

static bool is_control_file(const struct rm_file *file)
{
	return file && file->node == RM_NODE_CONTROL;
}

static void export_delete(struct rm_export *e)
{
	rm_backing_put(e->memory.backing);
	rm_gpu_release(e->gpu);
	os_free(e);
}

static enum nv_status export_new(const struct rm_object *object, struct rm_export **out)
{
	const struct rm_mappable *memory = to_mappable(object);
	struct rm_export *e = os_alloc(sizeof(*e));
	enum nv_status status;

	if (!e)
		return NV_ERR_NO_MEMORY;
	e->gpu = rm_backing_gpu(memory->backing);
	status = rm_gpu_retain(e->gpu);
	if (status != NV_OK) {
		os_free(e);
		return status;
	}
	e->memory.object.desc = object->desc;
	e->memory.object.class = object->class;
	e->memory.backing = memory->backing;
	rm_backing_get(memory->backing);
	e->memory.attr = memory->attr;
	e->memory.attr2 = memory->attr2;
	e->memory.type = memory->type;
	e->memory.tag = memory->tag;
	e->memory.flags = memory->flags;
	*out = e;
	return NV_OK;
}

static enum nv_status find_live(struct rm_client *client, u32 handle, struct rm_object **out)
{
	enum nv_status status = rm_object_find(client, handle, out);

	if (status == NV_OK && ((*out)->flags & RM_OBJECT_DEAD))
		status = NV_ERR_RESOURCE_LOST;
	return status;
}

/* The memory that is to be exported: of that device, whatever it is below of. */
static enum nv_status find_memory(const struct rm_call *call,
				  const NV0000_CTRL_OS_UNIX_EXPORT_OBJECT *which,
				  struct rm_object **out)
{
	struct rm_object *device;
	enum nv_status status;
	u64 size;

	if (which->type != NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TYPE_RM)
		return NV_ERR_INVALID_ARGUMENT;
	status = find_live(call->client, which->data.rmObject.hObject, out);
	if (status != NV_OK)
		return status;
	if (!rm_memory_size(*out, &size) || !(*out)->class->duplicate)
		return NV_ERR_INVALID_ARGUMENT;
	/* What a process has pinned is not to outlive it in others' hands; what it listed is not
	 * its own. */
	if (rm_backing_kind(to_mappable(*out)->backing) == RM_BACKING_PINNED ||
	    rm_backing_is_list(to_mappable(*out)->backing))
		return NV_ERR_NOT_SUPPORTED;
	device = rm_object_ancestor(*out, ABI_ICLASS_Device);
	if (!device || device->handle != which->data.rmObject.hDevice)
		return NV_ERR_INVALID_OBJECT_PARENT;
	return NV_OK;
}

enum nv_status client_export_object(struct rm_call *call, void *params)
{
	const NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS *p = params;
	struct rm_export *e = NULL;
	struct rm_object *object;
	enum nv_status status;

	if (!is_control_file(call->named))
		return NV_ERR_INVALID_ARGUMENT;
	if (p->flags)
		return NV_ERR_NOT_SUPPORTED;
	status = find_memory(call, &p->object, &object);
	if (status == NV_OK)
		status = export_new(object, &e);
	if (status != NV_OK)
		return status;
	os_mutex_lock(&call->rm->file_lock);
	if (call->named->exported)
		status = NV_ERR_STATE_IN_USE;
	else
		call->named->exported = e;
	os_mutex_unlock(&call->rm->file_lock);
	if (status != NV_OK)
		export_delete(e);
	return status;
}

enum nv_status client_import_object(struct rm_call *call, void *params)
{
	NV0000_CTRL_OS_UNIX_IMPORT_OBJECT_FROM_FD_PARAMS *p = params;
	struct rm_object_request request = { .handle = p->object.data.rmObject.hObject };
	struct rm_object *object;
	const struct rm_export *e;
	enum nv_status status;

	if (!is_control_file(call->named) ||
	    p->object.type != NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TYPE_RM)
		return NV_ERR_INVALID_ARGUMENT;
	e = exported(call);
	if (!e)
		return NV_ERR_INVALID_ARGUMENT;
	status = rm_object_handle(call->client, &request.handle);
	if (status != NV_OK)
		return status;
	status = find_live(call->client, p->object.data.rmObject.hParent, &request.parent);
	if (status != NV_OK)
		return status;
	if (request.parent->class != &rm_class_device)
		return NV_ERR_INVALID_OBJECT_PARENT;
	if (rm_gpu_is_lost(e->gpu))
		return NV_ERR_GPU_IS_LOST;
	request.desc = e->memory.object.desc;
	request.source = &e->memory.object;
	rm_call_lock_gpu(call, request.parent->gpu);
	status = rm_object_create(call, &request, &object);
	if (status == NV_OK)
		p->object.data.rmObject.hObject = object->handle;
	return status;
}

enum nv_status client_get_export_info(struct rm_call *call, void *params)
{
	NV0000_CTRL_OS_UNIX_GET_EXPORT_OBJECT_INFO_PARAMS *p = params;
	const struct rm_export *e;

	if (!is_control_file(call->named))
		return NV_ERR_INVALID_ARGUMENT;
	e = exported(call);
	if (!e)
		return NV_ERR_INVALID_ARGUMENT;
	p->deviceInstance = e->gpu->instance;
	p->maxObjects = 1;
	os_memset(p->metadata, 0, sizeof(p->metadata));
	return NV_OK;
}

void rm_file_export_drop(struct rm_file *file)
{
	if (file->exported)
		export_delete(file->exported);
	file->exported = NULL;
}
