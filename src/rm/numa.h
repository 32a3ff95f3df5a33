/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A GPU's video memory as a NUMA node: one record a GPU instance, under the instance's file lock.
 */
#ifndef RM_NUMA_H
#define RM_NUMA_H

#include "base/types.h"

struct rm;
struct rm_gpu;

#define RM_NUMA_NO_NODE (-1)

struct rm_numa {
	s32 node;	   /* RM_NUMA_NO_NODE: video memory is no node of the system */
	s32 status;	   /* NV_IOCTL_NUMA_STATUS_* */
	bool online;	   /* the memory manager may give the node's memory out */
	u64 address, size; /* the node's range of the CPU's address map */
};

struct rm_numa *rm_numa_of(struct rm *rm, const struct rm_gpu *gpu);
/* As before there was a GPU: no node. Takes the file lock. */
void rm_numa_reset(struct rm *rm, const struct rm_gpu *gpu);

#endif
