// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* TLB invalidation by register, one at a time. */
#include "base/bits.h"
#include "rm/class/state.h"
#include "rm/gpu/page_table.h"
#include "rm/gpu/regs.h"

#define TIMEOUT_NS 1000000000ull

struct look {
	struct rm_gpu *gpu;
	u32 value;
};

/* The trigger reads as set until it is done; off the bus it does for ever. */
static bool is_done(void *arg)
{
	struct look *look = arg;

	look->value = gpu_vf_rd32(look->gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE);
	return look->value == GPU_OFF_BUS ||
	       !REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER, look->value);
}

static enum nv_status wait_done(struct rm_gpu *gpu)
{
	struct look look = { .gpu = gpu };
	enum nv_status status = os_pci_wait(gpu->pci, is_done, &look, TIMEOUT_NS);

	return look.value == GPU_OFF_BUS ? NV_ERR_GPU_IS_LOST : status;
}

enum nv_status rm_tlb_invalidate_root(struct rm_gpu *gpu, bool video, u64 address)
{
	u32 aperture = video ? NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE_VID_MEM
			     : NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE_SYS_MEM;
	u64 page = address >> NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_ADDR_ALIGNMENT;
	struct os_mutex *lock = &gpu->rm->classes->gpus[gpu->instance].tlb_lock;
	enum nv_status status;

	if (rm_gpu_is_lost(gpu))
		return NV_ERR_GPU_IS_LOST;
	os_mutex_lock(lock);
	status = wait_done(gpu);
	if (status == NV_OK) {
		gpu_vf_wr32(
			gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB,
			(u32)(REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE,
				       aperture) |
			      REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_ADDR, page)));
		gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_UPPER_PDB,
			    (u32)REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_UPPER_PDB_ADDR,
					  page >> 28));
		gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE,
			    (u32)(REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ALL_VA, 1) |
				  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_SYS_MEMBAR, 1) |
				  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ACK,
					   NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ACK_GLOBALLY) |
				  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER, 1)));
		status = wait_done(gpu);
	}
	os_mutex_unlock(lock);
	return status;
}
