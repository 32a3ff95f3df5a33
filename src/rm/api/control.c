// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Control: the checks of a command in the interface's order. By its number alone (NULL command,
 * flags, pointer and size), then by its object (client, handle, class, size, rights), then it is
 * served.
 */
#include "abi/serial.h"
#include "rm/api/cache.h"
#include "rm/api/route.h"

/* A command's number is class, category and index (NVXXXX_CTRL_CMD in ctrlxxxx.h). */
#define CMD_CATEGORY_AND_INDEX 0x3fffu

/* Commands that may be called at raised interrupt level, or past the locks, by the driver's own. */
static const struct {
	u32 cmd;
	bool raised, bypass;
} lockless_commands[] = {
	{ NV2080_CTRL_CMD_TIMER_SCHEDULE, true, false },
	{ NV2080_CTRL_CMD_TIMER_GET_TIME, true, true },
	{ NVC370_CTRL_CMD_SET_ACCL, true, true },
	{ NVC370_CTRL_CMD_GET_CHANNEL_INFO, true, true },
	{ NV9010_CTRL_CMD_SET_VBLANK_NOTIFICATION, true, true },
	{ NV2080_CTRL_CMD_RC_READ_VIRTUAL_MEM, false, true },
	{ NV906F_CTRL_CMD_GET_MMU_FAULT_INFO, false, true },
	{ NV2080_CTRL_CMD_BUS_SYSMEM_ACCESS, false, true },
	{ NV2080_CTRL_CMD_NVD_SET_NOCAT_JOURNAL_DATA, false, true },
};

/* No request of user space comes at raised level, and none may pass the locks. */
static enum nv_status check_flags(u32 cmd, u32 flags)
{
	u32 i;

	if (flags & NVOS54_FLAGS_IRQL_RAISED)
		return NV_ERR_INVALID_ARGUMENT;
	if (!(flags & NVOS54_FLAGS_LOCK_BYPASS))
		return NV_OK;
	for (i = 0; i < ARRAY_SIZE(lockless_commands); i++)
		if (lockless_commands[i].cmd == cmd && lockless_commands[i].bypass)
			return NV_ERR_INVALID_CLIENT;
	return NV_ERR_INVALID_ARGUMENT;
}

/* control is NULL for a number that nobody knows. */
static enum nv_status check_size(const struct abi_control *control, u64 params, u32 size)
{
	if ((size != 0) != (params != 0))
		return NV_ERR_INVALID_ARGUMENT;
	if (control && !control->by_class && size != control->params_size)
		return NV_ERR_INVALID_ARGUMENT;
	return NV_OK;
}

RM_INLINE enum nv_status find_object(struct rm_call *call, u32 handle, const bool traced)
{
	enum nv_status status = NV_OK;

	call->object = handle == call->client->handle
			       ? call->client->root
			       : handle_map_find(&call->client->objects, handle);
	if (!call->object)
		status = NV_ERR_OBJECT_NOT_FOUND;
	else if (call->object->flags & RM_OBJECT_DEAD)
		status = NV_ERR_RESOURCE_LOST;
	return rm_step(traced, "rm/server: object", status, handle);
}

/* Whether the object's class knows the command, though it may have no handler for it. */
RM_INLINE bool class_knows(const struct rm_call *call)
{
	const struct abi_control *control = call->control;
	enum abi_iclass iclass;
	u32 i;

	if (call->handler)
		return true;
	iclass = call->object->desc->iclass;
	if (rm_iclass_is(iclass, control->iclass))
		return true;
	for (i = 0; i < control->also_count; i++)
		if (rm_iclass_is(iclass, control->also[i]))
			return true;
	return false;
}

RM_INLINE rm_control_fn find_handler(const struct rm_call *call)
{
	u32 iclass = call->object->desc->iclass;
	const struct rm_handler_slot *first;

	first = &call->server->first_handlers[call->control->index];
	if (first->iclass == iclass || !first->fn)
		return first->fn;
	return rm_server_handler(call->server, iclass, call->control->cmd);
}

RM_INLINE enum nv_status check_class(struct rm_call *call, const bool traced)
{
	const struct abi_control *control = call->control;
	enum nv_status status = NV_OK;

	if (control)
		call->handler = find_handler(call);
	if (!control || !class_knows(call))
		status = NV_ERR_NOT_SUPPORTED;
	else if (call->params_size != control->params_size && control->params_size)
		status = NV_ERR_INVALID_PARAM_STRUCT;
	return rm_step(traced, "rm/class: command", status, call->object->class_id);
}

/*
 * A block that is serialised already has the structure's size, as any other, and is longer once all
 * is in there: what the reader of it says is always an error.
 */
static enum nv_status refuse_serialised(const struct rm_call *call)
{
	const struct abi_control *control = call->control;
	struct abi_serial_memory memory;
	enum nv_status status;
	void *params;

	if (!control->serialised || call->params_size != control->params_size)
		return NV_ERR_LIB_RM_VERSION_MISMATCH;
	memory.size = abi_serial_memory_size(control, call->params_size);
	params = os_alloc(control->params->size);
	memory.data = os_alloc(memory.size);
	status = NV_ERR_INSUFFICIENT_RESOURCES;
	if (params && memory.data)
		status = abi_deserialise(control, call->params, call->params_size, params, &memory);
	os_free(memory.data);
	os_free(params);
	return status == NV_OK ? NV_ERR_LIB_RM_VERSION_MISMATCH : status;
}

RM_INLINE enum nv_status check_rights(struct rm_call *call)
{
	const struct abi_control *control = call->control;
	const u32 not_kernels =
		RMCTRL_FLAGS_NON_PRIVILEGED | RMCTRL_FLAGS_PRIVILEGED | RMCTRL_FLAGS_INTERNAL;
	enum nv_status status;

	if (control->rights) {
		status = rm_rights_check(call, call->object, call->client, NULL, control->rights);
		if (status != NV_OK)
			return status;
	}
	if (!call->kernel) {
		if (control->flags & RMCTRL_FLAGS_INTERNAL)
			return NV_ERR_NOT_SUPPORTED;
		if ((control->flags & RMCTRL_FLAGS_PRIVILEGED) && !call->cred.admin)
			return NV_ERR_INSUFFICIENT_PERMISSIONS;
		if (!(control->flags & not_kernels))
			return NV_ERR_INSUFFICIENT_PERMISSIONS;
	}
	if (!(control->flags & RMCTRL_FLAGS_NO_GPUS_ACCESS) && call->object->gpu &&
	    rm_gpu_is_lost(call->object->gpu))
		return NV_ERR_GPU_IS_LOST;
	if (call->flags & NVOS54_FLAGS_FINN_SERIALIZED)
		return refuse_serialised(call);
	return NV_OK;
}

RM_INLINE enum nv_status serve(struct rm_call *call, const bool traced)
{
	struct rm_gpu *gpu = call->object->gpu;

	if (gpu && !(call->control->flags & RMCTRL_FLAGS_NO_GPUS_LOCK))
		rm_call_lock_gpu(call, gpu);
	return rm_route(call, traced);
}

/* The same, but a reply that is known and still true spares asking. */
static enum nv_status serve_cached(struct rm_call *call, bool traced)
{
	const struct abi_control *control = call->control;
	struct rm_control_cache *cache = call->object->gpu->cache;
	bool by_input = control->flags & RMCTRL_FLAGS_CACHEABLE_BY_INPUT;
	void *input = NULL;
	enum nv_status status;
	u64 generation;

	if (by_input && !rm_control_cacheable_input(control, call->params))
		return serve(call, traced);
	if (rm_control_cache_get(cache, control, call->params, &generation))
		return rm_step(traced, "rm/api/cache: hit", NV_OK, control->cmd);
	if (by_input) {
		input = os_alloc(control->params_size);
		if (!input)
			return serve(call, traced);
		os_memcpy(input, call->params, control->params_size);
	}
	status = serve(call, traced);
	if (status == NV_OK)
		rm_control_cache_put(cache, control, input, call->params, generation);
	os_free(input);
	return status;
}

RM_INLINE enum nv_status control_object(struct rm_call *call, u32 handle, const bool traced)
{
	enum nv_status status = find_object(call, handle, traced);

	if (status == NV_OK)
		status = check_class(call, traced);
	if (status == NV_OK)
		status = rm_step(traced, "rm/server: rights", check_rights(call),
				 call->control->rights);
	if (status != NV_OK)
		return status;
	if (call->object->gpu && call->object->gpu->cache && rm_control_cacheable(call->control))
		return serve_cached(call, traced);
	return serve(call, traced);
}

/* named: not NULL where the parameters are the driver's own (rm_api_control_prepared). */
RM_INLINE enum nv_status do_control(struct rm_server *server, struct rm_file *file, bool kernel,
				    struct rm_file **named, const NVOS54_PARAMETERS *p,
				    const bool traced)
{
	const struct abi_struct *layout = NULL;
	const struct abi_control *control;
	struct rm_params params;
	struct rm_call call;
	enum nv_status status, copied;
	bool zeroed, copy_out;

	if (!(p->cmd & CMD_CATEGORY_AND_INDEX))
		return rm_step(traced, "rm/api/control: NULL command", NV_OK, p->cmd);
	status = rm_step(traced, "rm/api/control: flags", check_flags(p->cmd, p->flags), p->flags);
	if (status != NV_OK)
		return status;
	control = abi_control_find(p->cmd);
	status = rm_step(traced, "rm/api/control: size",
			 check_size(control, (u64)(uintptr_t)p->params, p->paramsSize),
			 p->paramsSize);
	if (status != NV_OK)
		return status;
	/* The reply to a cacheable command depends on no input, and none gets at it. */
	zeroed = control && !control->by_class && (control->flags & RMCTRL_FLAGS_CACHEABLE);
	if (control && !(p->flags & NVOS54_FLAGS_FINN_SERIALIZED))
		layout = control->params;
	status = rm_params_in(&params, layout, (u64)(uintptr_t)p->params, p->paramsSize,
			      kernel || named, zeroed);
	if (status != NV_OK)
		return rm_step(traced, "rm/api/params: copy in", status, p->paramsSize);
	if (traced)
		rm_trace_emit(RM_TRACE_PARAMS_IN, control ? control->name : "", NV_OK, p->cmd, 0,
			      params.data, params.size);

	rm_call_begin(&call, server, file, kernel);
	call.control = control;
	call.params = params.data;
	call.params_size = params.size;
	call.flags = p->flags;
	if (named)
		call.named = *named;
	status = rm_call_lock_client(&call, p->hClient, NV_ERR_INVALID_CLIENT);
	if (status == NV_OK)
		status = control_object(&call, p->hObject, traced);
	if (named)
		*named = call.named;
	rm_call_end(&call);

	copy_out = status == NV_OK || (control && (control->flags & RMCTRL_FLAGS_COPYOUT_ON_ERROR));
	if (traced)
		rm_trace_emit(RM_TRACE_PARAMS_OUT, control ? control->name : "", status, p->cmd, 0,
			      copy_out ? params.data : NULL, copy_out ? params.size : 0);
	copied = rm_params_out(&params, copy_out);
	if (copied != NV_OK)
		rm_step(traced, "rm/api/params: copy out", copied, p->paramsSize);
	return status == NV_OK ? copied : status;
}

static __attribute__((__noinline__)) enum nv_status control_traced(struct rm_server *server,
								   struct rm_file *file,
								   bool kernel,
								   const NVOS54_PARAMETERS *p)
{
	return do_control(server, file, kernel, NULL, p, true);
}

RM_INLINE enum nv_status request_control(struct rm_server *server, struct rm_file *file,
					 bool kernel, const NVOS54_PARAMETERS *p)
{
	if (rm_trace_on())
		return control_traced(server, file, kernel, p);
	return do_control(server, file, kernel, NULL, p, false);
}

enum nv_status rm_api_control(struct rm_file *file, NVOS54_PARAMETERS *p)
{
	p->status = request_control(rm_server(rm_file_rm(file)), file, false, p);
	return p->status;
}

enum nv_status rm_api_control_prepared(struct rm_file *file, NVOS54_PARAMETERS *p,
				       struct rm_file **named)
{
	const struct abi_control *control = abi_control_find(p->cmd);

	if (control && control->params && control->params->nested_count)
		p->status = NV_ERR_NOT_SUPPORTED;
	else
		p->status = do_control(rm_server(rm_file_rm(file)), file, false, named, p,
				       rm_trace_on());
	return p->status;
}

enum nv_status rm_kernel_control(struct rm *rm, u32 client, u32 object, u32 cmd, void *params,
				 u32 params_size)
{
	const NVOS54_PARAMETERS p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.params = (NvP64)(uintptr_t)params,
		.paramsSize = params_size,
	};

	return request_control(rm_server(rm), NULL, true, &p);
}
