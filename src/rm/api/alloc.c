// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Alloc: a client, or an object below another one. The checks in the interface's order: class and
 * parameters first, then client, privilege, parent, handle, and last what the class itself says.
 */
#include "rm/api/internal.h"
#include "rm/gpu/gpu.h"

/* In one piece there may be less than is free: what is given back once more may do. */
#define RECLAIMS_MAX 2u

struct alloc {
	const struct abi_class *desc;
	u32 client, parent, handle; /* handle: as assigned, also when the alloc fails later */
	u64 rights_user;	    /* of an RS_ACCESS_MASK, 0: inherited */
	u32 rights;
	bool serialized;
	struct rm_file **named;	 /* of a block that is the driver's own (rm_api_alloc_prepared) */
	struct os_pages *pinned; /* rm_api_alloc_pinned */
	struct rm_params params;
};

static bool is_client_class(u32 class_id)
{
	return class_id == NV01_ROOT || class_id == NV01_ROOT_CLIENT ||
	       class_id == NV01_ROOT_NON_PRIV;
}

/*
 * An event is of the class that its parameters name, if the caller left that open, and sits below
 * the client itself when the object that it is about is another client's.
 */
static enum nv_status fix_event(struct alloc *alloc)
{
	NV0005_ALLOC_PARAMETERS *event = alloc->params.data;

	if (alloc->desc->iclass != ABI_ICLASS_Event)
		return NV_OK;
	if (alloc->desc->class_id == NV01_EVENT)
		alloc->desc = abi_class_find(event->hClass);
	event->hSrcResource = alloc->parent;
	if (event->hParentClient != alloc->client)
		alloc->parent = alloc->client;
	if (!alloc->desc || alloc->desc->iclass != ABI_ICLASS_Event)
		return NV_ERR_INVALID_CLASS;
	return NV_OK;
}

static enum nv_status check_privilege(const struct rm_call *call, const struct abi_class *desc)
{
	const u32 known = RS_FLAGS_ALLOC_NON_PRIVILEGED | RS_FLAGS_ALLOC_PRIVILEGED |
			  RS_FLAGS_ALLOC_KERNEL_PRIVILEGED;
	enum rm_privilege privilege = rm_call_privilege(call);

	if (!(desc->flags & known) ||
	    ((desc->flags & RS_FLAGS_ALLOC_PRIVILEGED) && privilege < RM_PRIVILEGE_ADMIN) ||
	    ((desc->flags & RS_FLAGS_ALLOC_KERNEL_PRIVILEGED) && privilege < RM_PRIVILEGE_KERNEL))
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	return NV_OK;
}

static enum nv_status check_parent(const struct rm_call *call, const struct abi_class *desc,
				   const struct rm_object *parent)
{
	u32 i;

	if (!desc->multi && (parent->singles & call->server->single_bits[desc->iclass]))
		return NV_ERR_STATE_IN_USE;
	for (i = 0; i < desc->parent_count; i++)
		if (desc->parents[i] == ABI_ICLASS_ANY || desc->parents[i] == parent->desc->iclass)
			return NV_OK;
	return NV_ERR_INVALID_OBJECT_PARENT;
}

static enum nv_status find_parent(struct rm_call *call, const struct alloc *alloc,
				  struct rm_object **parent)
{
	enum nv_status status;

	*parent = NULL;
	/* Below no parent a handle equal to the client's could only be a root object: rejected
	 * later. */
	if (alloc->handle == alloc->client)
		return NV_OK;
	status = rm_object_find(call->client, alloc->parent, parent);
	if (status == NV_OK && ((*parent)->flags & RM_OBJECT_DEAD))
		status = NV_ERR_RESOURCE_LOST;
	return status;
}

/* The client's lock is held. */
static enum nv_status alloc_object(struct rm_call *call, struct alloc *alloc)
{
	struct rm_object_request request = {
		.rights_requested = alloc->rights_user ? &alloc->rights : NULL,
	};
	struct rm_object *object;
	enum nv_status status = fix_event(alloc);
	const struct abi_class *desc = alloc->desc;

	if (status != NV_OK)
		return rm_step(rm_trace_on(), "rm/api/alloc: event", status, 0);
	status = rm_step(rm_trace_on(), "rm/api/alloc: privilege", check_privilege(call, desc),
			 desc->class_id);
	if (status != NV_OK)
		return status;
	status = rm_step(rm_trace_on(), "rm/server: parent",
			 find_parent(call, alloc, &request.parent), alloc->parent);
	if (status != NV_OK)
		return status;
	if ((desc->flags & RS_FLAGS_INTERNAL_ONLY) && !call->kernel)
		return rm_step(rm_trace_on(), "rm/class: internal", NV_ERR_INVALID_CLASS,
			       desc->class_id);
	if (request.parent) {
		status = rm_step(rm_trace_on(), "rm/class: parent",
				 check_parent(call, desc, request.parent), alloc->parent);
		if (status != NV_OK)
			return status;
	}
	status = rm_step(rm_trace_on(), "rm/server: handle",
			 rm_object_handle(call->client, &alloc->handle), alloc->handle);
	if (status != NV_OK)
		return status;

	if (request.parent->gpu && (desc->flags & (RS_FLAGS_ACQUIRE_GPUS_LOCK_ON_ALLOC |
						   RS_FLAGS_ACQUIRE_GPU_GROUP_LOCK_ON_ALLOC)))
		rm_call_lock_gpu(call, request.parent->gpu);
	request.desc = desc;
	request.handle = alloc->handle;
	request.params = alloc->params.data;
	request.params_size = alloc->params.size;
	request.rights_required = desc->rights;
	return rm_object_create(call, &request, &object);
}

static enum nv_status alloc_client(struct rm_call *call, struct alloc *alloc)
{
	u32 handle = alloc->client;
	enum nv_status status;

	status = rm_client_create(call, alloc->desc, &handle, alloc->params.data,
				  alloc->params.size, alloc->rights_user ? &alloc->rights : NULL);
	alloc->handle = handle;
	return rm_step(rm_trace_on(), "rm/server: new client", status, handle);
}

/* Class, parameters, and the rights asked for, as the caller has them. */
static enum nv_status copy_in(struct alloc *alloc, u32 class_id, u64 user, bool kernel)
{
	const struct abi_class *desc = abi_class_find(class_id);
	bool given = user != 0;
	enum nv_status status;

	if (!desc)
		return NV_ERR_INVALID_CLASS;
	alloc->desc = desc;
	if (desc->params_mode == ABI_PARAMS_REQUIRED && !given)
		return NV_ERR_INVALID_ARGUMENT;
	if (desc->params_mode == ABI_PARAMS_NONE)
		given = false;
	status = rm_params_in(&alloc->params, desc->params, user, given ? desc->params_size : 0,
			      kernel, false);
	if (status != NV_OK || !alloc->rights_user)
		return status;
	status = os_copy_from_user(&alloc->rights, alloc->rights_user, sizeof(alloc->rights));
	if (status != NV_OK)
		rm_params_out(&alloc->params, false);
	return status;
}

/* *again: what lacked video memory was given some, after so many times that it was. */
static enum nv_status try_alloc(struct rm_server *server, struct rm_file *file, bool kernel,
				struct alloc *alloc, u32 class_id, u32 reclaims, bool *again)
{
	u32 handle = alloc->handle;
	struct rm_call call;
	enum nv_status status;

	rm_call_begin(&call, server, file, kernel);
	call.params = alloc->params.data;
	call.params_size = alloc->params.size;
	if (alloc->named)
		call.named = *alloc->named;
	call.pinned = alloc->pinned;
	if (alloc->serialized) {
		status = rm_step(rm_trace_on(), "rm/api/params: unpack",
				 NV_ERR_LIB_RM_VERSION_MISMATCH, class_id);
	} else if (is_client_class(class_id)) {
		status = alloc_client(&call, alloc);
	} else {
		status = rm_call_lock_client(&call, alloc->client, NV_ERR_INVALID_OBJECT_HANDLE);
		if (status == NV_OK)
			status = alloc_object(&call, alloc);
	}
	if (alloc->named)
		*alloc->named = call.named;
	rm_call_end(&call);
	*again = false;
	if (call.lacks) {
		/* The driver's own, and what is within another call, hold locks. */
		*again = status == NV_ERR_NO_MEMORY && reclaims < RECLAIMS_MAX && !kernel &&
			 !rm_call_current() && rm_uvm_reclaim(call.lacks, call.lacks_bytes);
		rm_gpu_put(call.lacks);
	}
	if (*again)
		alloc->handle = handle;
	return status;
}

static enum nv_status request_alloc(struct rm_server *server, struct rm_file *file, bool kernel,
				    struct alloc *alloc, u32 class_id, u64 user)
{
	enum nv_status status, copied;
	u32 reclaims = 0;
	bool again;

	status = rm_step(rm_trace_on(), "rm/api/params: copy in",
			 copy_in(alloc, class_id, user, kernel || alloc->named), class_id);
	if (status != NV_OK)
		return status;
	rm_trace(RM_TRACE_PARAMS_IN, alloc->desc->name, NV_OK, class_id, 1, alloc->params.data,
		 alloc->params.size);
	do
		status = try_alloc(server, file, kernel, alloc, class_id, reclaims++, &again);
	while (again);
	rm_trace(RM_TRACE_PARAMS_OUT, alloc->desc->name, status, class_id, 1,
		 status == NV_OK ? alloc->params.data : NULL,
		 status == NV_OK ? alloc->params.size : 0);
	copied = rm_params_out(&alloc->params, status == NV_OK);
	return status == NV_OK ? copied : status;
}

static enum nv_status alloc_nvos64(struct rm_file *file, NVOS64_PARAMETERS *p,
				   struct rm_file **named, struct os_pages *pinned)
{
	struct alloc alloc;

	alloc.named = named;
	alloc.pinned = pinned;
	alloc.client = p->hRoot;
	alloc.parent = p->hObjectParent;
	alloc.handle = p->hObjectNew;
	alloc.rights_user = (u64)(uintptr_t)p->pRightsRequested;
	alloc.serialized = p->flags & NVOS64_FLAGS_FINN_SERIALIZED;
	p->status = request_alloc(rm_server(rm_file_rm(file)), file, false, &alloc, p->hClass,
				  (u64)(uintptr_t)p->pAllocParms);
	p->hObjectNew = alloc.handle;
	return p->status;
}

enum nv_status rm_api_alloc(struct rm_file *file, NVOS64_PARAMETERS *p)
{
	return alloc_nvos64(file, p, NULL, NULL);
}

enum nv_status rm_api_alloc_prepared(struct rm_file *file, NVOS64_PARAMETERS *p,
				     struct rm_file **named)
{
	const struct abi_class *desc = abi_class_find(p->hClass);

	if (desc && desc->params && desc->params->nested_count)
		p->status = NV_ERR_NOT_SUPPORTED;
	else
		alloc_nvos64(file, p, named, NULL);
	return p->status;
}

enum nv_status rm_api_alloc_pinned(struct rm_file *file, NVOS64_PARAMETERS *p,
				   struct os_pages *pinned)
{
	struct rm_file *none = NULL;

	return alloc_nvos64(file, p, &none, pinned);
}

enum nv_status rm_api_alloc_nvos21(struct rm_file *file, NVOS21_PARAMETERS *p)
{
	struct alloc alloc;

	alloc.named = NULL;
	alloc.pinned = NULL;
	alloc.client = p->hRoot;
	alloc.parent = p->hObjectParent;
	alloc.handle = p->hObjectNew;
	alloc.rights_user = 0;
	alloc.serialized = false;
	p->status = request_alloc(rm_server(rm_file_rm(file)), file, false, &alloc, p->hClass,
				  (u64)(uintptr_t)p->pAllocParms);
	p->hObjectNew = alloc.handle;
	return p->status;
}

enum nv_status rm_api_alloc_object(struct rm_file *file, NVOS05_PARAMETERS *p)
{
	NVOS21_PARAMETERS wide = {
		.hRoot = p->hRoot,
		.hObjectParent = p->hObjectParent,
		.hObjectNew = p->hObjectNew,
		.hClass = p->hClass,
	};

	p->status = rm_api_alloc_nvos21(file, &wide);
	p->hObjectNew = wide.hObjectNew;
	return p->status;
}

enum nv_status rm_kernel_alloc(struct rm *rm, u32 client, u32 parent, u32 *object, u32 class_id,
			       void *params, u32 params_size)
{
	const struct abi_class *desc = abi_class_find(class_id);
	struct alloc alloc;
	enum nv_status status;

	if (params && desc && params_size != desc->params_size)
		return NV_ERR_INVALID_ARGUMENT;
	alloc.named = NULL;
	alloc.pinned = NULL;
	alloc.client = client;
	alloc.parent = parent;
	alloc.handle = *object;
	alloc.rights_user = 0;
	alloc.serialized = false;
	status = request_alloc(rm_server(rm), NULL, true, &alloc, class_id, (u64)(uintptr_t)params);
	*object = alloc.handle;
	return status;
}
