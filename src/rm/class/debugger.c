// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class GT200_DEBUGGER (KernelSMDebuggerSession): a session that looks at the multiprocessors of a
 * graphics object's context. What it does is the firmware's.
 */
#include "rm/class/class.h"

static enum nv_status debugger_construct(struct rm_call *call, struct rm_object *object,
					 void *params, u32 params_size)
{
	const NV83DE_ALLOC_PARAMETERS *p = params;
	struct rm_object *debuggee;
	enum nv_status status;

	/* Another client's objects cannot be debugged. */
	if (p->hAppClient != object->client->handle)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	status = rm_object_find_class(object->client, p->hClass3dObject,
				      ABI_ICLASS_KernelGraphicsObject, &debuggee);
	if (status != NV_OK)
		return status;
	if ((debuggee->flags & RM_OBJECT_DEAD) || debuggee->gpu != object->gpu)
		return NV_ERR_INVALID_OBJECT;
	return rm_object_depend(object, debuggee);
}

const struct rm_class rm_class_debugger = {
	.iclass = ABI_ICLASS_KernelSMDebuggerSession,
	.object_size = sizeof(struct rm_object),
	.construct = debugger_construct,
	.mirrored = true,
};
