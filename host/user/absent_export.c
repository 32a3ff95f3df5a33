// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* No video memory is shown to others, until the GPU can. */
#include "h100/h100.h"

enum nv_status h100_video_export(struct h100 *gpu, u64 offset, u64 size, int *fd, u64 *fd_offset,
				 u64 *fd_size)
{
	return NV_ERR_NOT_SUPPORTED;
}
