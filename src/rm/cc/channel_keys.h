/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a secure channel has of its GPU's keys: material with channel counters of its own, which the
 * GPU is told when the channel is made, and which its client gets (NVC56F_CTRL_CMD_GET_KMB), or a
 * CSL context of the driver's.
 *
 * Rotations of one channel's keys are the caller's to serialise; a context that has them keeps
 * others from rotating.
 */
#ifndef RM_CC_CHANNEL_KEYS_H
#define RM_CC_CHANNEL_KEYS_H

#include "abi/r535.h"
#include "rm/gpu/gpu.h"

struct csl_context;
struct rm_channel_keys;

/* Sends NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV for the channel; the GPU counts on from there, or all
 * is as it was. */
typedef enum nv_status (*rm_channel_keys_tell)(void *owner,
					       NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS *params);

/*
 * For a channel on that engine (NV2080_ENGINE_TYPE_*), of the driver's own (kernel) or of a
 * client's. NV_ERR_NOT_SUPPORTED: no confidential mode; NV_ERR_INVALID_PARAMETER: an engine without
 * keys; NV_ERR_INSUFFICIENT_RESOURCES: no channel counter is left; NV_ERR_NO_MEMORY.
 */
enum nv_status rm_channel_keys_create(struct rm_gpu *gpu, u32 engine, bool kernel,
				      rm_channel_keys_tell tell, void *owner,
				      struct rm_channel_keys **out);
void rm_channel_keys_destroy(struct rm_channel_keys *keys); /* wipes; NULL is ignored */
/* The fields of an allocation that the GPU counts on from. */
void rm_channel_keys_describe(const struct rm_channel_keys *keys, NV_CHANNEL_ALLOC_PARAMS *params);
/* All of the material, secrets too. */
void rm_channel_keys_bundle(const struct rm_channel_keys *keys, CC_KMB *kmb);
/*
 * New channel counters for what type (ROTATE_IV_*) says, on the GPU too; kmb is all that was
 * rotated, and zero else. NV_ERR_IN_USE: a context has the keys; statuses of key_store_retrieve and
 * of the GPU; all is as it was then.
 */
enum nv_status rm_channel_keys_rotate(struct rm_channel_keys *keys, u32 type, CC_KMB *kmb);

/*
 * The driver's end of the channel, by rm/cc/csl.h. NV_ERR_IN_USE: it has one, or csl is one
 * already; statuses of rm_channel_keys_rotate, if there was one before: its IVs do not come again;
 * NV_ERR_NO_MEMORY.
 */
enum nv_status rm_channel_keys_csl_init(struct rm_channel_keys *keys, struct csl_context *csl);
/* Wipes it. May be repeated. */
void rm_channel_keys_csl_deinit(struct rm_channel_keys *keys, struct csl_context *csl);

#endif
