/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Secure channels (NVOS04_FLAGS_CC_SECURE): their keys, and the commands about them.
 */
#ifndef RM_CLASS_CHANNEL_SECURE_H
#define RM_CLASS_CHANNEL_SECURE_H

#include "rm/server/server.h"

struct csl_context;
struct rm_channel;

/*
 * Gives a channel that is being made its keys (engine_type is known); kernel: it is the driver's
 * own. Statuses of rm_channel_keys_create.
 */
enum nv_status rm_channel_make_secure(struct rm_channel *channel, bool kernel);

/*
 * The driver's end of a channel (rm/cc/csl.h), which the caller has a reference to until the
 * context is gone. Not within a call: the GPU may have to be told, and so it may when the context
 * rotates. NV_ERR_INVALID_STATE: no confidential mode; NV_ERR_INVALID_CHANNEL: not a secure
 * channel; else statuses of rm_channel_keys_csl_init.
 */
enum nv_status rm_channel_csl_init(struct rm_channel *channel, struct csl_context *csl);
/* Wipes it. May be repeated. */
void rm_channel_csl_deinit(struct rm_channel *channel, struct csl_context *csl);

/* NVC56F_CTRL_CMD_GET_KMB, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV */
enum nv_status rm_channel_get_kmb(struct rm_call *call, void *params);
enum nv_status rm_channel_rotate(struct rm_call *call, void *params);

#endif
