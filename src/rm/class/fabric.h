/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A GPU's probe of the fabric of switches that its links go to: its firmware asks the fabric
 * manager over the links, and the answer comes back as an event.
 */
#ifndef RM_CLASS_FABRIC_H
#define RM_CLASS_FABRIC_H

#include "abi/r535.h"
#include "base/types.h"

struct rm_gpu;

/* Guarded by the lock of the GPU's objects. */
struct rm_fabric_probe {
	bool running;  /* the firmware asks; else there is no fabric */
	bool answered; /* the rest is what the manager said */
	u32 status;    /* NV_STATUS: whether the GPU may take part */
	u64 caps;      /* NVLINK_INBAND_FM_CAPS_* */
	u16 partition;
	u8 cluster[NV2080_GPU_FABRIC_CLUSTER_UUID_LEN];
};

/* Lets the firmware of a GPU on switches ask, once in its life. GPU lock held. */
void rm_fabric_probe_start(struct rm_gpu *gpu);

#endif
