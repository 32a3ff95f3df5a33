// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Dup and share: an object of one client under another one, and who may have which rights on it. */
#include "rm/api/internal.h"
#include "rm/server/share.h"

struct dup {
	u32 client, parent, handle; /* handle: as assigned */
	u32 source_client, source;
	u32 flags;
};

static enum nv_status find_live(struct rm_client *client, u32 handle, struct rm_object **out)
{
	enum nv_status status = rm_object_find(client, handle, out);

	if (status == NV_OK && ((*out)->flags & RM_OBJECT_DEAD))
		status = NV_ERR_RESOURCE_LOST;
	return rm_step(rm_trace_on(), "rm/server: object", status, handle);
}

/* The driver may duplicate anything, unless it asks to be treated as its client would be. */
static bool needs_right(const struct rm_call *call)
{
	return !call->kernel || (call->flags & NV04_DUP_HANDLE_FLAGS_REJECT_KERNEL_DUP_PRIVILEGE);
}

static enum nv_status dup_object(struct rm_call *call, struct dup *dup)
{
	struct rm_object *source, *copy;
	struct rm_object_request request = { .handle = 0 };
	enum nv_status status;

	status = find_live(call->source, dup->source, &source);
	if (status != NV_OK)
		return status;
	if (!source->class->duplicate)
		return rm_step(rm_trace_on(), "rm/class: can be duplicated",
			       NV_ERR_INVALID_ARGUMENT, source->class_id);
	status = rm_step(rm_trace_on(), "rm/server: handle",
			 rm_object_handle(call->client, &dup->handle), dup->handle);
	if (status != NV_OK)
		return status;
	status = find_live(call->client, dup->parent, &request.parent);
	if (status != NV_OK)
		return status;
	if (needs_right(call)) {
		status = rm_rights_check(call, source, call->client, request.parent,
					 1u << RS_ACCESS_DUP_OBJECT);
		rm_step(rm_trace_on(), "rm/server: rights", status, 1u << RS_ACCESS_DUP_OBJECT);
		if (status != NV_OK)
			return status;
	}
	if (request.parent->gpu &&
	    (source->desc->flags &
	     (RS_FLAGS_ACQUIRE_GPUS_LOCK_ON_ALLOC | RS_FLAGS_ACQUIRE_GPU_GROUP_LOCK_ON_ALLOC)))
		rm_call_lock_gpu(call, request.parent->gpu);
	request.desc = source->desc;
	request.handle = dup->handle;
	request.source = source;
	return rm_object_create(call, &request, &copy);
}

static enum nv_status request_dup(struct rm_server *server, struct rm_file *file, bool kernel,
				  struct dup *dup)
{
	struct rm_call call;
	enum nv_status status;

	rm_call_begin(&call, server, file, kernel);
	call.flags = dup->flags;
	status = rm_call_lock_clients(&call, dup->client, dup->source_client,
				      NV_ERR_INVALID_OBJECT_HANDLE);
	if (status == NV_OK)
		status = dup_object(&call, dup);
	rm_call_end(&call);
	return status;
}

enum nv_status rm_api_dup(struct rm_file *file, NVOS55_PARAMETERS *p)
{
	struct dup dup = {
		.client = p->hClient,
		.parent = p->hParent,
		.handle = p->hObject,
		.source_client = p->hClientSrc,
		.source = p->hObjectSrc,
		.flags = p->flags,
	};

	p->status = request_dup(rm_server(rm_file_rm(file)), file, false, &dup);
	if (p->status == NV_OK)
		p->hObject = dup.handle;
	return p->status;
}

enum nv_status rm_kernel_dup(struct rm *rm, u32 client, u32 parent, u32 *object, u32 source_client,
			     u32 source_object, u32 flags)
{
	struct dup dup = {
		.client = client,
		.parent = parent,
		.handle = *object,
		.source_client = source_client,
		.source = source_object,
		.flags = flags,
	};
	enum nv_status status = request_dup(rm_server(rm), NULL, true, &dup);

	if (status == NV_OK)
		*object = dup.handle;
	return status;
}

static enum nv_status request_share(struct rm_server *server, struct rm_file *file,
				    const NVOS57_PARAMETERS *p)
{
	const enum nv_status missing = NV_ERR_INVALID_OBJECT_HANDLE;
	const RS_SHARE_POLICY *policy = &p->sharePolicy;
	struct rm_object *object;
	struct rm_call call;
	enum nv_status status;

	if (policy->type >= RS_SHARE_TYPE_MAX)
		return rm_step(rm_trace_on(), "rm/api/share: type", NV_ERR_INVALID_ARGUMENT,
			       policy->type);
	rm_call_begin(&call, server, file, false);
	if (policy->type == RS_SHARE_TYPE_CLIENT)
		status = rm_call_lock_clients(&call, p->hClient, policy->target, missing);
	else
		status = rm_call_lock_client(&call, p->hClient, missing);
	if (status == NV_OK)
		status = find_live(call.client, p->hObject, &object);
	if (status == NV_OK) {
		status = rm_share_edit(&call, object, policy, call.source);
		rm_step(rm_trace_on(), "rm/server: share", status, policy->type);
	}
	rm_call_end(&call);
	return status;
}

enum nv_status rm_api_share(struct rm_file *file, NVOS57_PARAMETERS *p)
{
	p->status = request_share(rm_server(rm_file_rm(file)), file, p);
	return p->status;
}
