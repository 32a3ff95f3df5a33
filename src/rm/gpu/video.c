// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The driver's own accesses to video memory (rm/gpu/video.h). */
#include "rm/gpu/video.h"

#include "rm/cc/session.h"
#include "rm/cc/transfer.h"

void rm_video_hold(struct rm_gpu *gpu, struct rm_call *hold)
{
	hold->locked_gpu = NULL;
	if (!rm_video_is_closed(gpu) || rm_call_holds_gpu(gpu))
		return;
	rm_gpu_lock(gpu);
	os_memset(hold, 0, sizeof(*hold));
	hold->kernel = true;
	hold->locked_gpu = gpu;
	hold->locks = RM_LOCKED_GPU;
	hold->outer = rm_call_current();
	os_thread_set_context(hold);
}

void rm_video_release(struct rm_gpu *gpu, struct rm_call *hold)
{
	if (rm_video_is_closed(gpu))
		rm_video_flush(gpu);
	if (!hold->locked_gpu)
		return;
	os_thread_set_context(hold->outer);
	rm_gpu_unlock(gpu);
}

void rm_video_put64(struct rm_gpu *gpu, u64 address, u64 value)
{
	struct rm_cc_transfer *t;

	if (!rm_video_is_closed(gpu)) {
		os_pci_wr64(gpu->pci, RM_BAR_VIDEO, address, value);
		return;
	}
	t = rm_cc_transfer(gpu);
	if (!t)
		return;
	if (t->count == RM_CC_TRANSFER_WORDS ||
	    (t->count && address != t->address + t->count * sizeof(value)))
		rm_video_flush(gpu);
	if (!t->count)
		t->address = address;
	t->words[t->count++] = value;
}

void rm_video_flush(struct rm_gpu *gpu)
{
	struct rm_cc_transfer *t = rm_video_is_closed(gpu) ? rm_cc_transfer(gpu) : NULL;
	u32 bytes;

	if (!t || !t->count)
		return;
	bytes = t->count * (u32)sizeof(t->words[0]);
	t->count = 0;
	if (rm_cc_transfer_write(t, gpu, t->address, t->words, bytes) != NV_OK &&
	    !rm_gpu_is_lost(gpu))
		rm_gpu_lose(gpu, RM_XID_GSP_ERROR, "GSP did not write page tables.");
}

enum nv_status rm_video_clear(struct rm_gpu *gpu, u64 address, u64 size)
{
	enum nv_status status;
	struct rm_call hold;

	if (!rm_video_is_closed(gpu)) {
		os_pci_bar_discard(gpu->pci, RM_BAR_VIDEO, address, size);
		return NV_OK;
	}
	rm_video_hold(gpu, &hold);
	rm_video_flush(gpu);
	status = rm_cc_transfer_clear(gpu, address, size);
	rm_video_release(gpu, &hold);
	return status;
}
