/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What happens on a GPU, on its way to the event objects of clients. rm/class implements the
 * functions; the bottom half calls them with no lock held.
 */
#ifndef RM_GPU_NOTIFY_H
#define RM_GPU_NOTIFY_H

#include "base/types.h"

struct rm_gpu;

struct rm_gpu_notification {
	u32 client; /* 0: every client with a matching event on this GPU */
	u32 event;  /* handle of the event object that was posted to */
	u32 index;  /* NV2080_NOTIFIERS_* and the like */
	u32 info32;
	u16 info16;
	u32 status;
	bool all; /* every event of that index in the list that the event is in, not this one alone
		   */
	const void *data; /* of the firmware's, unchecked; valid during the call; or NULL */
	u32 data_size;
};

void rm_gpu_notify(struct rm_gpu *gpu, const struct rm_gpu_notification *n);
/* What has an index and nothing else, for every client. */
static inline void rm_gpu_notify_index(struct rm_gpu *gpu, u32 index)
{
	const struct rm_gpu_notification n = { .index = index };

	rm_gpu_notify(gpu, &n);
}
/* Engines have done work: bit n of vectors is vector first + n of the interrupt tree. */
void rm_gpu_notify_engines(struct rm_gpu *gpu, u32 first, u32 vectors);
/*
 * The firmware reset a channel, or its whole group, for an error: marks it, writes the error
 * notifiers, tells the channels' events. exception: ROBUST_CHANNEL_*; scope: RC_NOTIFIER_SCOPE_*.
 * event: the number of the event that says so (rm_gpu.event_number). False: there was no such
 * channel any more when it came, whatever has its id by now.
 */
bool rm_gpu_channel_error(struct rm_gpu *gpu, u32 engine_type, u32 chid, u32 exception, u32 scope,
			  u64 event);
/* The process that made the channel; 0: there was none when the event came, or the driver did. */
u32 rm_gpu_channel_pid(struct rm_gpu *gpu, u32 runlist, u32 chid, u64 event);
/* The firmware put faults into the driver's buffer (class/fault_buffer.h). */
void rm_gpu_faults_queued(struct rm_gpu *gpu);
/*
 * The GPU is lost: whoever waits for an event on it shall wait no longer. The first call of a GPU
 * counts.
 */
void rm_gpu_notify_lost(struct rm_gpu *gpu);
/*
 * The GPU has no object any more and leaves the table: what the classes kept of it goes, so that
 * the next GPU of its instance begins anew. API lock held exclusively.
 */
void rm_gpu_forget_objects(struct rm_gpu *gpu);
/* What the GPU was sent over its NVLinks, unchecked: by the manager of a fabric (class/fabric.h).
 */
void rm_gpu_inband_data(struct rm_gpu *gpu, const void *data, u32 size);

#endif
