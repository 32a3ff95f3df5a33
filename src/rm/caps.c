// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The capabilities that a system without MIG instances has, and the proof of one by descriptor.
 */
#include "rm/caps.h"

#include "rm/file.h"
#include "rm/server/server.h"

const struct rm_cap rm_caps[] = {
	{ "mig/config", RM_CAP_MIG_CONFIG, RM_CAP_MODE_OWNER },
	{ "mig/monitor", RM_CAP_MIG_MONITOR, RM_CAP_MODE_ALL },
};
const u32 rm_cap_count = ARRAY_SIZE(rm_caps);
_Static_assert(ARRAY_SIZE(rm_caps) == RM_CAPS, "an instance keeps something of each");

u32 rm_cap_mode(u32 minor)
{
	if (minor == RM_CAP_FABRIC_MGMT || minor == RM_CAP_MIG_CONFIG)
		return RM_CAP_MODE_OWNER;
	return minor < RM_CAP_COUNT ? RM_CAP_MODE_ALL : 0;
}

enum nv_status rm_cap_acquire(struct rm_call *call, u32 minor, struct rm_file **file)
{
	struct rm_file *cap = call->named;

	if (!cap || cap->rm != call->rm || cap->node != RM_NODE_CAP || cap->minor != minor)
		return NV_ERR_INSUFFICIENT_PERMISSIONS;
	call->named = NULL;
	*file = cap;
	return NV_OK;
}

void rm_cap_release(struct rm *rm, struct rm_file *file)
{
	if (file)
		rm->host->file_put(file);
}
