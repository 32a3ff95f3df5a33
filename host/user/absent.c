// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Channels that unified memory asks for: refused as long as the resource manager has none.
 */
#include "rm/uvm.h"

enum nv_status rm_uvm_channel_get(struct rm_uvm_vaspace *vaspace,
				  const struct rm_uvm_object *object, struct rm_uvm_channel **out,
				  struct rm_uvm_channel_info *info)
{
	return NV_ERR_NOT_SUPPORTED;
}

void rm_uvm_channel_put(struct rm_uvm_channel *channel)
{
}

void rm_uvm_channel_stop(struct rm_uvm_channel *channel, bool immediate)
{
}

enum nv_status rm_uvm_channel_bind(struct rm_uvm_channel *channel, const u64 *addresses, u32 count)
{
	return NV_ERR_NOT_SUPPORTED;
}
