/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the firmware says of its GPU once, at boot (GET_GSP_STATIC_INFO), for handlers on the CPU
 * side. Checked when it comes in: texts are terminated, counts are within their arrays.
 */
#ifndef RM_GPU_STATIC_INFO_H
#define RM_GPU_STATIC_INFO_H

#include "abi/r535.h"

#define RM_GPU_UUID_LENGTH 16u

/* One link's far end as its training found it. */
struct rm_nvlink_end {
	u64 local_sid, remote_sid; /* 0: no such end */
	u32 remote_link;
	u8 type; /* NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_*; NONE: nothing connected */
};

/* How the GPU is wired, asked for when first needed (class/nvlink.h). */
struct rm_nvlink {
	u32 links;     /* mask of those that there are */
	u32 version;   /* NV2080_CTRL_NVLINK_CAPS_NVLINK_VERSION_* */
	bool divided;  /* into instances (MIG), which may not use the links */
	bool switched; /* the links lead to switches, which gave the GPU an address */
	u64 fabric_address;
	struct rm_nvlink_end ends[NV2080_CTRL_NVLINK_MAX_LINKS];
};

struct rm_gpu_static {
	GspStaticConfigInfo config;  /* as it came, checked */
	u8 uuid[RM_GPU_UUID_LENGTH]; /* the binary SHA-1 GID */
	u32 gpc_count;
	u32 tpc_count;
	u32 sm_count;
	u64 fb_size;	  /* bytes of video memory, what the firmware keeps included */
	u32 nvlink_known; /* set with release once nvlink is */
	struct rm_nvlink nvlink;
	u32 nvlink_seen;    /* atomic: links that were up when somebody looked, since boot */
	bool fabric_probed; /* class/fabric.h, once; GPU lock */
	bool vbios_known;   /* somebody asked; GPU lock, as what follows */
	u32 vbios_revision, vbios_oem;
};

/*
 * Fills info from a block of the firmware's. NV_ERR_INVALID_DATA: a count or length that cannot be,
 * or no UUID.
 */
enum nv_status rm_gpu_static_set(struct rm_gpu_static *info, const GspStaticConfigInfo *config);

#endif
