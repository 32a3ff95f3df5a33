/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Where a command is served: by the handler of the object's class, or by the GPU's firmware, with
 * the caller's own handles. A handler of a command of the firmware's checks what only this half
 * knows, and hands it on itself. The GPU is the object's own, whatever the caller's parameters say.
 */
#ifndef RM_API_ROUTE_H
#define RM_API_ROUTE_H

#include "rm/api/internal.h"
#include "rm/gpu/gpu.h"
#include "rm/gsp/rpc.h"

/* NV_ERR_NOT_SUPPORTED: nobody serves it. call->object and call->handler are set. */
RM_INLINE enum nv_status rm_route(struct rm_call *call, const bool traced)
{
	const struct abi_control *control = call->control;
	struct rm_object *object = call->object;
	enum nv_status status;

	if (!call->handler && (control->flags & RMCTRL_FLAGS_ROUTE_TO_PHYSICAL) && object->gpu &&
	    (control->serialised || !(control->params && control->params->nested_count))) {
		status = gsp_rpc_known_control(object->gpu, call->client->handle, object->handle,
					       control, call->params, call->params_size);
		return rm_step(traced, "rm/api/route: firmware", status, control->cmd);
	}
	if (!call->handler)
		return rm_step(traced, "rm/api/route: no handler", NV_ERR_NOT_SUPPORTED,
			       control->cmd);
	status = call->handler(call, call->params);
	return rm_step(traced, "rm/api/route: handler", status, control->cmd);
}

#endif
