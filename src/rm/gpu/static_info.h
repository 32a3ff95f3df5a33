/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the firmware says of its GPU once, at boot (GET_GSP_STATIC_INFO), for handlers on the CPU side.
 * Checked when it comes in: texts are terminated, counts are within their arrays.
 */
#ifndef RM_GPU_STATIC_INFO_H
#define RM_GPU_STATIC_INFO_H

#include "abi/r535.h"

#define RM_GPU_UUID_LENGTH 16u

struct rm_gpu_static {
	GspStaticConfigInfo config; /* as it came, checked */
	u8 uuid[RM_GPU_UUID_LENGTH]; /* the binary SHA-1 GID */
	u32 gpc_count;
	u32 tpc_count;
	u32 sm_count;
	u64 fb_size; /* bytes of video memory, what the firmware keeps included */
};

/*
 * Fills info from a block of the firmware's. NV_ERR_INVALID_DATA: a count or length that cannot be, or no
 * UUID.
 */
enum nv_status rm_gpu_static_set(struct rm_gpu_static *info, const GspStaticConfigInfo *config);

#endif
