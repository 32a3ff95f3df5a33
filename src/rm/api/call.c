// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Free, the end of a file, and calls on an object that are none of alloc, control, dup and share.
 */
#include "rm/api/internal.h"

static enum nv_status request_free(struct rm_server *server, struct rm_file *file, bool kernel,
				   u32 client, u32 handle)
{
	struct rm_object *object;
	struct rm_call call;
	enum nv_status status;

	rm_call_begin(&call, server, file, kernel);
	status = rm_call_lock_client(&call, client, NV_ERR_INVALID_OBJECT_HANDLE);
	if (status != NV_OK)
		goto out;
	if (handle == client) {
		/* Not from within a handler: the call around this one still needs its client. */
		if (call.outer)
			status = NV_ERR_INVALID_LOCK_STATE;
		else
			rm_client_free(&call);
	} else if (rm_object_find(call.client, handle, &object) == NV_OK) {
		rm_object_free(&call, object);
	}
	/* What is not there counts as freed. */
out:
	rm_call_end(&call);
	return status;
}

enum nv_status rm_api_free(struct rm_file *file, NVOS00_PARAMETERS *p)
{
	p->status = request_free(rm_server(rm_file_rm(file)), file, false, p->hRoot, p->hObjectOld);
	return p->status;
}

enum nv_status rm_kernel_free(struct rm *rm, u32 client, u32 object)
{
	return request_free(rm_server(rm), NULL, true, client, object);
}

void rm_api_owner_closed(struct rm_server *server, const void *owner)
{
	struct rm_client *client;
	struct rm_call call;

	while ((client = rm_client_get_of_owner(server, owner))) {
		rm_call_begin(&call, server, NULL, true);
		call.client = client;
		/* A client that another thread frees just now is out of the table once we have its
		 * lock. */
		if (rm_call_lock_found_client(&call, NV_ERR_INVALID_CLIENT) == NV_OK)
			rm_client_free(&call);
		rm_call_end(&call);
	}
}

void rm_api_file_closed(struct rm *rm, const void *owner)
{
	OS_BUG_ON(!owner || rm_call_current());
	rm_api_owner_closed(rm_server(rm), owner);
}

enum nv_status rm_api_begin(struct rm_call *call, struct rm_file *file, u32 client, u32 object)
{
	enum nv_status status;

	rm_call_begin(call, rm_server(rm_file_rm(file)), file, false);
	status = rm_call_lock_client(call, client, NV_ERR_INVALID_CLIENT);
	if (status == NV_OK)
		status = rm_object_find(call->client, object, &call->object);
	if (status == NV_OK && (call->object->flags & RM_OBJECT_DEAD))
		status = NV_ERR_RESOURCE_LOST;
	rm_step(rm_trace_on(), "rm/server: object", status, object);
	if (status != NV_OK)
		rm_call_end(call);
	return status;
}

void rm_api_end(struct rm_call *call)
{
	rm_call_end(call);
}
