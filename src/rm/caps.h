/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Capabilities: rights that a process holds by having a node of /dev/nvidia-caps open. Minors are
 * given out in the order of the interface's own table, so a node's number is the same on every
 * system.
 */
#ifndef RM_CAPS_H
#define RM_CAPS_H

#include "rm/rm.h"

struct rm_call;

#define RM_CAP_FABRIC_MGMT 0u
#define RM_CAP_MIG_CONFIG 1u
#define RM_CAP_MIG_MONITOR 2u
/* Then, for each of 32 GPUs, 15 GPU instances with one node each and 8 compute instances below it.
 */
#define RM_CAP_MIG_GPUS 32u
#define RM_CAP_MIG_GPU_INSTANCES 15u
#define RM_CAP_MIG_COMPUTE_INSTANCES 8u
#define RM_CAP_MIG_FIRST 3u
#define RM_CAP_COUNT        \
	(RM_CAP_MIG_FIRST + \
	 RM_CAP_MIG_GPUS * RM_CAP_MIG_GPU_INSTANCES * (1 + RM_CAP_MIG_COMPUTE_INSTANCES))

#define RM_CAP_MODE_OWNER 0400u /* the administrator's alone */
#define RM_CAP_MODE_ALL 0444u

/* A capability file under /proc/driver/nvidia/capabilities that exists without MIG. */
struct rm_cap {
	const char *path; /* below capabilities/ */
	u32 minor;
	u32 mode;
};
extern const struct rm_cap rm_caps[];
extern const u32 rm_cap_count;

/* File mode of the node with that minor, or 0 where there is none. */
u32 rm_cap_mode(u32 minor);

/*
 * Proves a capability by the file of its node that the call names (call->named). On success *file
 * holds the call's reference to it, for rm_cap_release. NV_ERR_INSUFFICIENT_PERMISSIONS otherwise.
 */
enum nv_status rm_cap_acquire(struct rm_call *call, u32 minor, struct rm_file **file);
void rm_cap_release(struct rm *rm, struct rm_file *file);

#endif
