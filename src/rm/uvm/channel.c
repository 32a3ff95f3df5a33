// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Clients' channels in address spaces of UVM's (rm/uvm.h). Their engines want no buffers of it. */
#include "rm/class/channel.h"
#include "rm/gpu/gpu.h"
#include "rm/uvm/internal.h"
#include "rm/uvm/vaspace.h"

struct rm_uvm_channel {
	struct rm_channel *channel; /* referenced */
};

static void describe(const struct rm_channel *channel, struct rm_uvm_channel_info *info)
{
	os_memset(info, 0, sizeof(*info));
	info->engine = channel->engine_type;
	info->chid = channel->chid;
	info->runlist = channel->runlist;
	info->in_group = channel->group && !channel->group->implicit;
	info->group = channel->group ? channel->group->id : ~0u;
	info->token = rm_channel_token(channel);
}

enum nv_status rm_uvm_channel_get(struct rm_uvm_vaspace *vaspace,
				  const struct rm_uvm_object *object, struct rm_uvm_channel **out,
				  struct rm_uvm_channel_info *info)
{
	struct rm_uvm_channel *uvm_channel = os_alloc(sizeof(*uvm_channel));
	struct rm_channel *channel;
	enum nv_status status;
	struct rm_call call;

	if (!uvm_channel)
		return NV_ERR_NO_MEMORY;
	status = rm_uvm_begin(&call, object);
	if (status != NV_OK) {
		os_free(uvm_channel);
		return status;
	}
	channel = rm_channel_of(call.object);
	if (!channel || channel->gpu != vaspace->gpu || channel->space != vaspace->space) {
		status = NV_ERR_INVALID_CHANNEL;
	} else {
		rm_channel_get(channel);
		uvm_channel->channel = channel;
		describe(channel, info);
	}
	rm_api_end(&call);
	if (status == NV_OK)
		*out = uvm_channel;
	else
		os_free(uvm_channel);
	return status;
}

enum nv_status rm_uvm_channel_bind(struct rm_uvm_channel *channel, const u64 *addresses, u32 count)
{
	rm_channel_set_bound(channel->channel);
	return NV_OK;
}

void rm_uvm_channel_stop(struct rm_uvm_channel *channel, bool immediate)
{
	rm_channel_stop(channel->channel);
}

void rm_uvm_channel_put(struct rm_uvm_channel *channel)
{
	rm_channel_put(channel->channel);
	os_free(channel);
}
