/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Calls into the GPU's firmware. Each takes the GPU lock if the calling thread does not hold it,
 * sends one message (split into continuation records when it is longer than the queue allows) and
 * waits for the reply with the same sequence number.
 *
 * Besides the firmware's own status: NV_ERR_GPU_IS_LOST, NV_ERR_TIMEOUT (the firmware did not
 * answer: Xid 119; the GPU stays, and a reply that comes later is dropped by its sequence),
 * NV_ERR_INVALID_DATA (a malformed reply; the queue stays usable), NV_ERR_NO_MEMORY.
 */
#ifndef RM_GSP_RPC_H
#define RM_GSP_RPC_H

#include "abi/r535.h"
#include "base/types.h"

struct abi_control;
struct list;
struct rm_gpu;

/*
 * params is read and written in place, params_size bytes. Pointers of a command that is serialised
 * are to memory of ours, which is read and written likewise; NV_ERR_NOT_SUPPORTED for other
 * commands with pointers.
 */
enum nv_status gsp_rpc_control(struct rm_gpu *gpu, u32 client, u32 object, u32 cmd, void *params,
			       u32 params_size);
/* The same for a command that the caller has the table's row of. */
enum nv_status gsp_rpc_known_control(struct rm_gpu *gpu, u32 client, u32 object,
				     const struct abi_control *control, void *params,
				     u32 params_size);
/*
 * A command of the driver's own, to the firmware's internal subdevice. Takes the GPU lock.
 * NV_ERR_INVALID_STATE: no firmware runs.
 */
enum nv_status gsp_rpc_internal_control(struct rm_gpu *gpu, u32 cmd, void *params, u32 params_size);
enum nv_status gsp_rpc_alloc(struct rm_gpu *gpu, u32 client, u32 parent, u32 object, u32 class_id,
			     void *params, u32 params_size);
/* parent is not sent: the firmware knows it. */
enum nv_status gsp_rpc_free(struct rm_gpu *gpu, u32 client, u32 parent, u32 object);
enum nv_status gsp_rpc_dup(struct rm_gpu *gpu, u32 client, u32 parent, u32 object,
			   u32 source_client, u32 source_object, u32 flags);

/* Boot and its reverse, called by rm/gpu with the GPU lock held. Boot sets gpu->info. */
enum nv_status gsp_boot(struct rm_gpu *gpu);
void gsp_shutdown(struct rm_gpu *gpu);
/*
 * Has the firmware keep its state, which the next boot of a GPU that is suspended tells it to take
 * up, and stops it. What it still said goes to events, for gsp_events_deliver. GPU lock held. On
 * failure the firmware runs on.
 */
enum nv_status gsp_suspend(struct rm_gpu *gpu, struct list *events);
/* Hands each to whom it concerns, and frees it. No GPU lock held. */
void gsp_events_deliver(struct rm_gpu *gpu, struct list *events);
/*
 * A shutdown comes, after the objects' frees: those are spared a firmware that did not answer last
 * time. GPU lock held.
 */
void gsp_stopping(struct rm_gpu *gpu);
/* The status queue has something: drains events. From the interrupt's bottom half; takes the GPU
 * lock. */
void gsp_service(struct rm_gpu *gpu);

#endif
