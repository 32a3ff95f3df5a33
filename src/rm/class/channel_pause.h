/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Channels that stand still while UVM moves memory of their address space. */
#ifndef RM_CLASS_CHANNEL_PAUSE_H
#define RM_CLASS_CHANNEL_PAUSE_H

#include "rm/server/server.h"

struct rm_channel;
struct rm_vaspace;

/*
 * No channel of the space runs on return, nor do those that are made in the meantime, until
 * rm_channels_go_on; by one thread at a time. Within a call. NV_ERR_GPU_IS_LOST, NV_ERR_TIMEOUT
 * (the firmware did not answer) and what else it says: nothing is paused, and there is nothing to
 * go on from.
 */
enum nv_status rm_channels_pause(struct rm_gpu *gpu, struct rm_vaspace *space);
void rm_channels_go_on(struct rm_gpu *gpu, struct rm_vaspace *space);
/*
 * Of a channel that the firmware has just learnt of, and nobody has scheduled yet. Within a call,
 * which has the GPU's lock from then on.
 */
void rm_channel_pause_new(struct rm_channel *channel);

#endif
