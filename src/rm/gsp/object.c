// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The four calls that objects make: GSP_RM_CONTROL, GSP_RM_ALLOC, FREE and DUP_OBJECT. Handles
 * cross as they are; in a control the parent stays on this side.
 */
#include "rm/gsp/gsp.h"

#include "abi/serial.h"
#include "rm/gpu/static_info.h"
#include "rm/server/server.h"

/*
 * One exchange, with the GPU locked unless the thread's call did that. The firmware's own status
 * counts after an error of the transport.
 */
static enum nv_status exchange(struct rm_gpu *gpu, struct gsp_exchange *x)
{
	bool locked = !rm_call_holds_gpu(gpu);
	enum nv_status status;
	struct rm_gsp *gsp;

	if (locked)
		rm_gpu_lock(gpu);
	gsp = gpu->gsp;
	if (rm_gpu_is_lost(gpu))
		status = NV_ERR_GPU_IS_LOST;
	else if (!gsp)
		status = NV_ERR_INVALID_STATE;
	else if (__builtin_expect(gsp->stopping && gsp->silent, 0))
		status = NV_ERR_TIMEOUT;
	else
		status = gsp_rpc_call(gsp, x);
	if (locked)
		rm_gpu_unlock(gpu);
	if (status != NV_OK)
		return status;
	if (x->inner != NV_OK)
		return x->inner;
	return x->var_size == 0 || x->var_valid ? NV_OK : NV_ERR_INVALID_DATA;
}

enum nv_status gsp_internal_control(struct rm_gsp *gsp, u32 cmd, void *params, u32 size)
{
	const struct rm_gpu_static *info = gsp->info ? gsp->info : gsp->gpu->info;
	const rpc_gsp_rm_control_v03_00 p = {
		.hClient = info->config.hInternalClient,
		.hObject = info->config.hInternalSubdevice,
		.cmd = cmd,
		.paramsSize = size,
		.flags = RMAPI_RPC_FLAGS_NONE,
	};
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
		.fixed = &p,
		.fixed_size = sizeof(p),
		.var = params,
		.var_size = size,
		.status_offset = offsetof(rpc_gsp_rm_control_v03_00, status),
	};
	enum nv_status status = gsp_rpc_call(gsp, &x);

	if (status == NV_OK)
		status = x.inner;
	return status == NV_OK && !x.var_valid ? NV_ERR_INVALID_DATA : status;
}

enum nv_status gsp_running_control(struct rm_gpu *gpu, u32 cmd, void *params, u32 size)
{
	if (rm_gpu_is_lost(gpu))
		return NV_ERR_GPU_IS_LOST;
	return gpu->gsp ? gsp_internal_control(gpu->gsp, cmd, params, size) : NV_ERR_INVALID_STATE;
}

enum nv_status gsp_rpc_internal_control(struct rm_gpu *gpu, u32 cmd, void *params, u32 params_size)
{
	enum nv_status status;

	rm_gpu_lock(gpu);
	status = gsp_running_control(gpu, cmd, params, params_size);
	rm_gpu_unlock(gpu);
	return status;
}

static enum nv_status exchange_control(struct rm_gpu *gpu, u32 client, u32 object, u32 cmd,
				       void *params, u32 params_size, u32 flags)
{
	const rpc_gsp_rm_control_v03_00 p = {
		.hClient = client,
		.hObject = object,
		.cmd = cmd,
		.paramsSize = params_size,
		.flags = flags,
	};
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
		.fixed = &p,
		.fixed_size = sizeof(p),
		.var = params,
		.var_size = params_size,
		.status_offset = offsetof(rpc_gsp_rm_control_v03_00, status),
		.copy_on_error = (flags & RMAPI_RPC_FLAGS_COPYOUT_ON_ERROR) != 0,
	};

	return exchange(gpu, &x);
}

/* The same for parameters that cross in another form; none of these commands copies on error. */
static enum nv_status serialised_control(struct rm_gpu *gpu, u32 client, u32 object,
					 const struct abi_control *control, void *params)
{
	enum nv_status status;
	void *bytes;
	u32 size;

	status = abi_serial_size(control, params, &size);
	if (status != NV_OK)
		return status;
	if (size > GSP_MAX_PARAMS)
		return NV_ERR_INVALID_ARGUMENT;
	bytes = os_alloc(size);
	if (!bytes)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	status = abi_serialise(control, params, bytes, size, NULL);
	if (status == NV_OK)
		status = exchange_control(gpu, client, object, control->cmd, bytes, size,
					  RMAPI_RPC_FLAGS_SERIALIZED);
	if (status == NV_OK)
		status = abi_deserialise_up(control, bytes, size, params);
	os_free(bytes);
	return status;
}

enum nv_status gsp_rpc_known_control(struct rm_gpu *gpu, u32 client, u32 object,
				     const struct abi_control *control, void *params,
				     u32 params_size)
{
	u32 flags = RMAPI_RPC_FLAGS_NONE;

	if ((params == NULL) != (params_size == 0) || params_size > GSP_MAX_PARAMS)
		return NV_ERR_INVALID_ARGUMENT;
	if (control->serialised) {
		if (params_size != control->params_size)
			return NV_ERR_INVALID_ARGUMENT;
		return serialised_control(gpu, client, object, control, params);
	}
	/* A pointer means nothing to the firmware. */
	if (control->params && control->params->nested_count != 0)
		return NV_ERR_NOT_SUPPORTED;
	if (control->flags & RMCTRL_FLAGS_COPYOUT_ON_ERROR)
		flags |= RMAPI_RPC_FLAGS_COPYOUT_ON_ERROR;
	return exchange_control(gpu, client, object, control->cmd, params, params_size, flags);
}

enum nv_status gsp_rpc_control(struct rm_gpu *gpu, u32 client, u32 object, u32 cmd, void *params,
			       u32 params_size)
{
	const struct abi_control *control = abi_control_find(cmd);

	if (control)
		return gsp_rpc_known_control(gpu, client, object, control, params, params_size);
	if ((params == NULL) != (params_size == 0) || params_size > GSP_MAX_PARAMS)
		return NV_ERR_INVALID_ARGUMENT;
	return exchange_control(gpu, client, object, cmd, params, params_size,
				RMAPI_RPC_FLAGS_NONE);
}

enum nv_status gsp_rpc_alloc(struct rm_gpu *gpu, u32 client, u32 parent, u32 object, u32 class_id,
			     void *params, u32 params_size)
{
	const rpc_gsp_rm_alloc_v03_00 p = {
		.hClient = client,
		.hParent = parent,
		.hObject = object,
		.hClass = class_id,
		.paramsSize = params_size,
		.flags = RMAPI_RPC_FLAGS_NONE,
	};
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC,
		.fixed = &p,
		.fixed_size = sizeof(p),
		.var = params,
		.var_size = params_size,
		.status_offset = offsetof(rpc_gsp_rm_alloc_v03_00, status),
	};

	if ((params == NULL) != (params_size == 0) || params_size > GSP_MAX_PARAMS)
		return NV_ERR_INVALID_ARGUMENT;
	return exchange(gpu, &x);
}

enum nv_status gsp_rpc_free(struct rm_gpu *gpu, u32 client, u32 parent, u32 object)
{
	const rpc_free_v03_00 p = {
		.params = { .hRoot = client, .hObjectOld = object },
	};
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_FREE,
		.fixed = &p,
		.fixed_size = sizeof(p),
		.status_offset = offsetof(rpc_free_v03_00, params.status),
	};

	return exchange(gpu, &x);
}

enum nv_status gsp_rpc_dup(struct rm_gpu *gpu, u32 client, u32 parent, u32 object,
			   u32 source_client, u32 source_object, u32 flags)
{
	const rpc_dup_object_v03_00 p = {
		.params = {
			.hClient = client,
			.hParent = parent,
			.hObject = object,
			.hClientSrc = source_client,
			.hObjectSrc = source_object,
			.flags = flags,
		},
	};
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_DUP_OBJECT,
		.fixed = &p,
		.fixed_size = sizeof(p),
		.status_offset = offsetof(rpc_dup_object_v03_00, params.status),
	};

	return exchange(gpu, &x);
}
