/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Video memory by way of the firmware, as r535 does it where BARs show none
 * (NV2080_CTRL_CMD_INTERNAL_MEMMGR_MEMORY_TRANSFER_WITH_GSP): a page of shared memory takes what
 * goes over, sealed by the keys cpu_gsp_dma and gsp_cpu_dma. rm/gpu/video.h is what to call.
 */
#ifndef RM_CC_TRANSFER_H
#define RM_CC_TRANSFER_H

#include "rm/cc/csl.h"
#include "rm/gpu/gpu.h"

struct key_store;

#define RM_CC_TRANSFER_WORDS (OS_PAGE_SIZE / 8)

struct rm_cc_transfer {
	struct csl_context csl;
	struct os_pages staging; /* size 0: not there */
	/* Words that rm_video_put64 gathers: count of them, from address on. */
	u64 address;
	u32 count;
	u64 words[RM_CC_TRANSFER_WORDS];
};

/* GSP's keys are derived. NV_ERR_NO_MEMORY; what is there then goes with rm_cc_transfer_fini. */
enum nv_status rm_cc_transfer_init(struct rm_cc_transfer *t, struct rm_gpu *gpu,
				   struct key_store *keys);
/* Wipes it; zeroed memory is fine. */
void rm_cc_transfer_fini(struct rm_cc_transfer *t);

/*
 * At most a page; GPU lock held, messages are sealed. Statuses of gsp_rpc's and the firmware's;
 * NV_ERR_INSUFFICIENT_RESOURCES: no IV is left.
 */
enum nv_status rm_cc_transfer_write(struct rm_cc_transfer *t, struct rm_gpu *gpu, u64 address,
				    const void *data, u32 size);
/* Any size: the firmware zeroes it. */
enum nv_status rm_cc_transfer_clear(struct rm_gpu *gpu, u64 address, u64 size);

#endif
