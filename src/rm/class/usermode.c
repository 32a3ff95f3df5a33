// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes *_USERMODE_A (UserModeApi): the page of registers that a client maps to submit work. It
 * has the doorbell, and the GPU's time.
 */
#include "abi/gh100.h"
#include "rm/class/class.h"
#include "rm/class/listed.h"
#include "rm/class/memory.h"

#define USERMODE_OFFSET (LH_VF_BASE + 0x30000u) /* NVC361_BASE behind the virtual function's */

static enum nv_status usermode_construct(struct rm_call *call, struct rm_object *object,
					 void *params, u32 params_size)
{
	const NV_HOPPER_USERMODE_A_PARAMS *p = params;
	struct rm_mappable *self = to_mappable(object);

	if (!rm_class_listed(object->class_id))
		return NV_ERR_INVALID_CLASS;
	if (object->class_id != HOPPER_USERMODE_A)
		p = NULL; /* earlier classes say nothing of where they are mapped */
	/* What only the driver may submit through is behind BAR 1, which shows this page too. */
	if (p && p->bPriv && !p->bBar1Mapping)
		return NV_ERR_INVALID_PARAMETER;
	if (p && p->bPriv && !call->kernel)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	return rm_backing_of_bar(object->gpu, 0, USERMODE_OFFSET, NVC361_NV_USERMODE__SIZE,
				 &self->backing);
}

static void usermode_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_mappable_fini(to_mappable(object));
}

static enum nv_status usermode_duplicate(struct rm_call *call, struct rm_object *copy,
					 const struct rm_object *source)
{
	struct rm_backing *backing = to_mappable(source)->backing;

	if (copy->gpu != source->gpu)
		return NV_ERR_NOT_SUPPORTED;
	rm_backing_get(backing);
	to_mappable(copy)->backing = backing;
	return NV_OK;
}

const struct rm_class rm_class_usermode = {
	.iclass = ABI_ICLASS_UserModeApi,
	.object_size = sizeof(struct rm_mappable),
	.construct = usermode_construct,
	.destruct = usermode_destruct,
	.duplicate = usermode_duplicate,
	.mappable = true,
};
