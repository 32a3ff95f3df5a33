/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a client finds in its notifier memory, and which of its events are told, when a channel has
 * an error.
 */
#ifndef RM_CLASS_CHANNEL_ERROR_H
#define RM_CLASS_CHANNEL_ERROR_H

#include "rm/class/channel.h"

/*
 * Writes one notification: time, info32, info16, and status last. Nothing where the channel has no
 * notifier memory, or not that much of it. The fifo's lock is held.
 */
void rm_channel_notify_memory(struct rm_channel *channel, u32 index, u32 info32, u16 info16,
			      u16 status);
/*
 * The error notifier of the channel, or of all in its group. exception: ROBUST_CHANNEL_*; scope:
 * RC_NOTIFIER_SCOPE_*. No lock at or below the fifo's is held.
 */
void rm_channel_write_error(struct rm_channel *channel, u32 exception, u32 engine_type, u32 scope);

#endif
