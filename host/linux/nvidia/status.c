// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Statuses of the resource manager as numbers of errors. */
#include <linux/errno.h>

#include "host/linux/nvidia/nvidia.h"

int nvidia_errno(enum nv_status status)
{
	switch (status) {
	case NV_OK:
		return 0;
	case NV_ERR_INVALID_DEVICE:
	case NV_ERR_GPU_IS_LOST:
	case NV_ERR_NOT_SUPPORTED:
		return -ENODEV;
	case NV_ERR_NO_MEMORY:
		return -ENOMEM;
	case NV_ERR_INSUFFICIENT_RESOURCES:
		return -ENOSPC;
	case NV_ERR_STATE_IN_USE:
		return -EBUSY;
	case NV_ERR_NOT_READY:
		return -EAGAIN;
	case NV_ERR_INSUFFICIENT_PERMISSIONS:
		return -EACCES;
	case NV_ERR_ILLEGAL_ACTION:
		return -EPERM;
	case NV_ERR_SIGNAL_PENDING:
		return -ERESTARTSYS;
	case NV_ERR_OBJECT_NOT_FOUND:
		return -ENOENT;
	case NV_ERR_INVALID_ARGUMENT:
	case NV_ERR_INVALID_STRING_LENGTH:
		return -EINVAL;
	default:
		return -EIO;
	}
}
