// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secure channels: what a client may know of its channel's keys, and the driver's own contexts.
 */
#include "rm/class/channel_secure.h"

#include "rm/cc/channel_keys.h"
#include "rm/cc/session.h"
#include "rm/class/channel_group.h"
#include "rm/class/channel_object.h"
#include "rm/gsp/rpc.h"
#include "rm/server/internal.h"

/* Of a command, within its call, or of a context's rotation, within none. */
static enum nv_status tell(void *owner, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS *params)
{
	struct rm_channel *channel = owner;
	enum nv_status status;
	struct rm_call call;

	rm_call_begin(&call, channel->gpu->rm->server, NULL, true);
	status = gsp_rpc_control(channel->gpu, channel->client, channel->handle,
				 NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, params, sizeof(*params));
	rm_call_end(&call);
	return status;
}

enum nv_status rm_channel_make_secure(struct rm_channel *channel, bool kernel)
{
	return rm_channel_keys_create(channel->gpu, channel->engine_type, kernel, tell, channel,
				      &channel->keys);
}

enum nv_status rm_channel_csl_init(struct rm_channel *channel, struct csl_context *csl)
{
	if (!channel->keys)
		return rm_cc_keys(channel->gpu) ? NV_ERR_INVALID_CHANNEL : NV_ERR_INVALID_STATE;
	return rm_channel_keys_csl_init(channel->keys, csl);
}

void rm_channel_csl_deinit(struct rm_channel *channel, struct csl_context *csl)
{
	if (channel->keys)
		rm_channel_keys_csl_deinit(channel->keys, csl);
}

enum nv_status rm_channel_get_kmb(struct rm_call *call, void *params)
{
	const struct rm_channel *channel = to_channel_object(call->object)->channel;
	NVC56F_CTRL_CMD_GET_KMB_PARAMS *p = params;

	if (!channel->keys)
		return NV_ERR_NOT_SUPPORTED;
	rm_channel_keys_bundle(channel->keys, &p->kmb);
	return NV_OK;
}

enum nv_status rm_channel_rotate(struct rm_call *call, void *params)
{
	const struct rm_channel *channel = to_channel_object(call->object)->channel;
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS *p = params;

	if (!channel->keys)
		return NV_ERR_NOT_SUPPORTED;
	return rm_channel_keys_rotate(channel->keys, p->rotateIvType, &p->updatedKmb);
}
