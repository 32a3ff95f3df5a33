/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The driver's own accesses to video memory: through BAR1, or in confidential mode, where no BAR
 * shows any, by messages to the firmware (rm/cc/transfer.h).
 *
 *   hold | put64 put64 ... flush | release        many words, e.g. of page tables
 *
 * Where BARs are closed a hold is the GPU's lock, so it ranks as that; else it is nothing.
 */
#ifndef RM_GPU_VIDEO_H
#define RM_GPU_VIDEO_H

#include "rm/gpu/gpu.h"
#include "rm/server/server.h"

static inline bool rm_video_is_closed(const struct rm_gpu *gpu)
{
	return os_load_relaxed(&gpu->video_closed) != 0;
}

/* hold is the caller's for as long. Nested holds of a thread are one. */
void rm_video_hold(struct rm_gpu *gpu, struct rm_call *hold);
/* Flushes. */
void rm_video_release(struct rm_gpu *gpu, struct rm_call *hold);
/* Aligned; in the GPU's memory after rm_video_flush at the latest. Between hold and release. */
void rm_video_put64(struct rm_gpu *gpu, u64 address, u64 value);
/*
 * Between hold and release. A GPU whose firmware did not do it is lost: who reaches what by its
 * page tables is not known then.
 */
void rm_video_flush(struct rm_gpu *gpu);

/*
 * The range, page aligned, reads as zero from now on and nobody has it mapped. NV_OK through
 * BAR1; else NV_ERR_GPU_IS_LOST, NV_ERR_INVALID_STATE (no firmware runs) or what the firmware says,
 * and nothing is known of the range then. May sleep.
 */
enum nv_status rm_video_clear(struct rm_gpu *gpu, u64 address, u64 size);

#endif
