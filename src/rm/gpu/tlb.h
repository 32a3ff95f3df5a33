/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a GPU's MMUs remember of page tables, and what may not be used again before they forgot it.
 *
 *   an invalidation times out --> all memory of the GPU that is freed from then on is kept
 *   one of everything is done, or the GPU is gone --> what was kept is freed
 *
 * Of memory that is not the GPU's own it is the GPU that mapped it that counts. One that is lost
 * without being off the bus (its firmware crashed) goes on with what its engines had begun, so
 * other GPUs' memory that it reached is kept until it is removed.
 */
#ifndef RM_GPU_TLB_H
#define RM_GPU_TLB_H

#include "base/list.h"
#include "rm/gpu/gpu.h"

/* Something to be freed, part of what it is: from any thread, with locks down to LOCK_RANK_VASPACE.
 */
struct rm_tlb_late {
	struct list_node node;
	void (*free)(struct rm_tlb_late *late);
};

/*
 * Forgets what the GPU's MMUs remember of the address space whose root is there, and waits for
 * that. NV_ERR_TIMEOUT: they may remember; NV_ERR_GPU_IS_LOST. Locks down to LOCK_RANK_VASPACE may
 * be held, as for all here.
 */
enum nv_status rm_tlb_invalidate_root(struct rm_gpu *gpu, bool video, u64 address);
/*
 * Whether they have forgotten all that invalidations were asked for, or the GPU is lost. If not,
 * and the register is free by now, they are made to.
 */
bool rm_tlb_settled(struct rm_gpu *gpu);
/*
 * For memory that was unmapped and has nobody any more. False: the caller may free it now. True: it
 * is kept, and late->free is called once it may be.
 */
bool rm_tlb_keep(struct rm_gpu *gpu, struct rm_tlb_late *late);
/*
 * Likewise for another GPU's memory that this one had mapped; kept while this one is lost too. The
 * caller has a reference to the GPU, until late->free.
 */
bool rm_tlb_keep_foreign(struct rm_gpu *gpu, struct rm_tlb_late *late);
/* The GPU is removed and reaches nothing any more: frees what was kept, and keeps no more. */
void rm_tlb_forget(struct rm_gpu *gpu);

#endif
