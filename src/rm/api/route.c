// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Where a command is served. The GPU is the object's own, whatever the caller's parameters say. */
#include "rm/api/internal.h"
#include "rm/gpu/gpu.h"
#include "rm/gsp/rpc.h"

enum nv_status rm_route(struct rm_call *call)
{
	const struct abi_control *control = call->control;
	struct rm_object *object = call->object;
	rm_control_fn handler;
	enum nv_status status;

	if ((control->flags & RMCTRL_FLAGS_ROUTE_TO_PHYSICAL) && object->gpu) {
		status = gsp_rpc_control(object->gpu, call->client->handle, object->handle,
					 control->cmd, call->params, call->params_size);
		return rm_step("rm/api/route: firmware", status, control->cmd);
	}
	handler = rm_server_handler(call->server, object->desc->iclass, control->cmd);
	if (!handler)
		return rm_step("rm/api/route: no handler", NV_ERR_NOT_SUPPORTED, control->cmd);
	status = handler(call, call->params);
	return rm_step("rm/api/route: handler", status, control->cmd);
}
