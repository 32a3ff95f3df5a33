// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * GF100_SUBDEVICE_MASTER (GenericEngineApi): a name under a subdevice for the controls of the GPU's
 * master control, which the firmware answers. GF100_SUBDEVICE_INFOROM is none yet.
 */
#include "rm/class/class.h"
#include "rm/class/listed.h"

static enum nv_status generic_engine_construct(struct rm_call *call, struct rm_object *object,
					       void *params, u32 params_size)
{
	if (object->class_id == GF100_SUBDEVICE_MASTER)
		return NV_OK;
	return rm_class_listed(object->class_id) ? NV_ERR_NOT_SUPPORTED : NV_ERR_INVALID_CLASS;
}

const struct rm_class rm_class_generic_engine = {
	.iclass = ABI_ICLASS_GenericEngineApi,
	.object_size = sizeof(struct rm_object),
	.construct = generic_engine_construct,
	.mirrored = true,
};
