// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV20_SUBDEVICE_DIAG (DiagApi): its commands are the firmware's.
 */
#include "rm/class/class.h"

const struct rm_class rm_class_diag = {
	.iclass = ABI_ICLASS_DiagApi,
	.object_size = sizeof(struct rm_object),
	.mirrored = true,
};
