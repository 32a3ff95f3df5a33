// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* TLB invalidation by register, one at a time, and memory that waits for one. */
#include "rm/gpu/tlb.h"

#include "base/bits.h"
#include "rm/class/state.h"
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

	if (look.value != GPU_OFF_BUS)
		return status;
	/* Whoever frees what was unmapped has to know. */
	rm_gpu_lose(gpu, RM_XID_OFF_BUS, "GPU has fallen off the bus.");
	return NV_ERR_GPU_IS_LOST;
}

/* The TLB's lock held. Of one address space, or of all. */
static enum nv_status invalidate(struct rm_gpu *gpu, bool all, bool video, u64 address)
{
	u32 aperture = video ? NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE_VID_MEM
			     : NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE_SYS_MEM;
	u64 page = address >> NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_ADDR_ALIGNMENT;

	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB,
		    (u32)(REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_APERTURE, aperture) |
			  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB_ADDR, page)));
	gpu_vf_wr32(
		gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_UPPER_PDB,
		(u32)REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_UPPER_PDB_ADDR, page >> 28));
	gpu_vf_wr32(gpu, NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE,
		    (u32)(REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ALL_VA, 1) |
			  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ALL_PDB, all) |
			  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_SYS_MEMBAR, 1) |
			  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ACK,
				   NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ACK_GLOBALLY) |
			  REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER, 1)));
	return wait_done(gpu);
}

/* What was kept up to now, to be freed without locks; the objects' lock held. */
static void take_kept(struct rm_gpu_objects *objects, struct list *kept)
{
	os_store_release(&objects->tlb_stale, 0);
	list_splice_tail(&objects->kept, kept);
}

static void settle(struct rm_gpu_objects *objects, struct list *kept)
{
	os_mutex_lock(&objects->lock);
	take_kept(objects, kept);
	os_mutex_unlock(&objects->lock);
}

static void free_kept(struct list *kept)
{
	struct rm_tlb_late *late, *next;

	list_for_each_entry_safe (late, next, kept, node) {
		list_del(&late->node);
		late->free(late);
	}
}

static void set_stale(struct rm_gpu *gpu, struct rm_gpu_objects *objects)
{
	if (!os_exchange(&objects->tlb_stale, 1))
		os_log(OS_LOG_ERROR,
		       "NVRM: GPU%u: a TLB invalidation timed out: memory that is freed is kept",
		       gpu->instance);
}

enum nv_status rm_tlb_invalidate_root(struct rm_gpu *gpu, bool video, u64 address)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	enum nv_status status;
	struct list kept;
	bool stale;

	if (rm_gpu_is_lost(gpu))
		return NV_ERR_GPU_IS_LOST;
	list_init(&kept);
	os_mutex_lock(&objects->tlb_lock);
	stale = os_load_relaxed(&objects->tlb_stale);
	status = wait_done(gpu);
	if (status == NV_OK)
		status = invalidate(gpu, stale, video, address);
	if (status == NV_ERR_TIMEOUT)
		set_stale(gpu, objects);
	else if (status == NV_OK && stale)
		settle(objects, &kept);
	os_mutex_unlock(&objects->tlb_lock);
	free_kept(&kept);
	return status;
}

bool rm_tlb_settled(struct rm_gpu *gpu)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct look look = { .gpu = gpu };
	struct list kept;
	bool stale;

	if (!os_load_acquire(&objects->tlb_stale) || rm_gpu_is_lost(gpu))
		return true;
	list_init(&kept);
	os_mutex_lock(&objects->tlb_lock);
	stale = os_load_relaxed(&objects->tlb_stale);
	if (stale && is_done(&look) && look.value != GPU_OFF_BUS &&
	    invalidate(gpu, true, true, 0) == NV_OK) {
		settle(objects, &kept);
		stale = false;
	}
	os_mutex_unlock(&objects->tlb_lock);
	free_kept(&kept);
	return !stale;
}

bool rm_tlb_keep(struct rm_gpu *gpu, struct rm_tlb_late *late)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	bool keep;

	if (rm_tlb_settled(gpu))
		return false;
	os_mutex_lock(&objects->lock);
	keep = os_load_relaxed(&objects->tlb_stale) && !rm_gpu_is_lost(gpu);
	if (keep)
		list_add_tail(&late->node, &objects->kept);
	os_mutex_unlock(&objects->lock);
	return keep;
}

bool rm_tlb_keep_foreign(struct rm_gpu *gpu, struct rm_tlb_late *late)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	bool keep;

	if (os_load_acquire(&gpu->forgotten))
		return false;
	(void)rm_tlb_settled(gpu);
	os_mutex_lock(&objects->lock);
	/* The record may be another GPU's by now. */
	keep = !os_load_relaxed(&gpu->forgotten) &&
	       (rm_gpu_is_lost(gpu) || os_load_relaxed(&objects->tlb_stale));
	if (keep)
		list_add_tail(&late->node, &objects->kept);
	os_mutex_unlock(&objects->lock);
	return keep;
}

void rm_tlb_forget(struct rm_gpu *gpu)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(gpu);
	struct list kept;

	list_init(&kept);
	os_mutex_lock(&objects->lock);
	os_store_release(&gpu->forgotten, 1);
	take_kept(objects, &kept);
	os_mutex_unlock(&objects->lock);
	free_kept(&kept);
}
