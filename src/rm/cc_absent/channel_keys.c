// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * cc/channel_keys.h in a driver without cryptography: no channel is secure, so nothing else of it
 * is reached.
 */
#include "rm/cc/channel_keys.h"

enum nv_status rm_channel_keys_create(struct rm_gpu *gpu, u32 engine, bool kernel,
				      rm_channel_keys_tell tell, void *owner,
				      struct rm_channel_keys **out)
{
	*out = NULL;
	return NV_ERR_NOT_SUPPORTED;
}

void rm_channel_keys_destroy(struct rm_channel_keys *keys)
{
}

void rm_channel_keys_describe(const struct rm_channel_keys *keys, NV_CHANNEL_ALLOC_PARAMS *params)
{
}

void rm_channel_keys_bundle(const struct rm_channel_keys *keys, CC_KMB *kmb)
{
}

enum nv_status rm_channel_keys_rotate(struct rm_channel_keys *keys, u32 type, CC_KMB *kmb)
{
	return NV_ERR_NOT_SUPPORTED;
}

enum nv_status rm_channel_keys_csl_init(struct rm_channel_keys *keys, struct csl_context *csl)
{
	return NV_ERR_INVALID_STATE;
}

void rm_channel_keys_csl_deinit(struct rm_channel_keys *keys, struct csl_context *csl)
{
}
