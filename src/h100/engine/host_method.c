// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Methods of the host itself (below 0x100), on any subchannel. Work is done in order, so waits for
 * idle and barriers find nothing under way; they order memory.
 */
#include "base/bits.h"
#include "h100/engine/fifo.h"

static enum fifo_result bad(struct fifo_run *run, u32 method, u32 data)
{
	return run_error(run, ROBUST_CHANNEL_PBDMA_ERROR, method, data);
}

static enum fifo_result set_object(struct fifo_run *run, u32 subchannel, u32 data)
{
	u32 class_id = (u32)REG_GET(NVC86F_SET_OBJECT_NVCLASS, data);
	struct fifo_object *object;

	if (REG_GET(NVC86F_SET_OBJECT_ENGINE, data) == NVC86F_SET_OBJECT_ENGINE_SW)
		return bad(run, NVC86F_SET_OBJECT, data);
	list_for_each_entry (object, &run->channel->objects, node) {
		if (object->class->class_id == class_id) {
			run->channel->subchannel[subchannel] = object;
			return FIFO_RESULT_OK;
		}
	}
	run->error.subchannel = subchannel;
	return bad(run, NVC86F_SET_OBJECT, data);
}

/* Outside of the burst: waits for the bursts of others. */
static void invalidate(struct fifo_run *run, const struct h100_pdb *pdb)
{
	h100_memory_leave(run->call.memory);
	h100_mmu_invalidate(run->call.mmu, pdb);
	h100_memory_enter(run->call.memory);
}

static enum fifo_result tlb_invalidate(struct fifo_run *run, u32 data)
{
	u32 c = run->channel->mem_op[2];
	struct h100_pdb pdb = {
		.aperture = (u8)REG_GET(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB_APERTURE, c),
		.address = (c & (u32)REG_MASK(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB_ADDR_LO)) |
			   (u64)REG_GET(NVC86F_MEM_OP_D_TLB_INVALIDATE_PDB_ADDR_HI, data) << 32,
	};
	bool own = pdb.aperture == run->call.pdb.aperture && pdb.address == run->call.pdb.address;

	if (REG_GET(NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB, c) ==
	    NVC86F_MEM_OP_C_TLB_INVALIDATE_PDB_ALL) {
		if (!run->channel->config.privileged)
			return bad(run, NVC86F_MEM_OP_D, data);
		invalidate(run, NULL);
		return FIFO_RESULT_OK;
	}
	if (!own && !run->channel->config.privileged)
		return bad(run, NVC86F_MEM_OP_D, data);
	invalidate(run, &pdb);
	return FIFO_RESULT_OK;
}

static enum fifo_result mem_op(struct fifo_run *run, u32 data)
{
	switch (REG_GET(NVC86F_MEM_OP_D_OPERATION, data)) {
	case NVC86F_MEM_OP_D_OPERATION_MMU_TLB_INVALIDATE:
	case NVC86F_MEM_OP_D_OPERATION_MMU_TLB_INVALIDATE_TARGETED:
		return tlb_invalidate(run, data);
	case NVC86F_MEM_OP_D_OPERATION_MEMBAR:
	case NVC86F_MEM_OP_D_OPERATION_L2_PEERMEM_INVALIDATE:
	case NVC86F_MEM_OP_D_OPERATION_L2_SYSMEM_INVALIDATE:
	case NVC86F_MEM_OP_D_OPERATION_L2_CLEAN_COMPTAGS:
	case NVC86F_MEM_OP_D_OPERATION_L2_FLUSH_DIRTY:
	case NVC86F_MEM_OP_D_OPERATION_L2_WAIT_FOR_SYS_PENDING_READS:
		os_fence();
		return FIFO_RESULT_OK;
	case NVC86F_MEM_OP_D_OPERATION_ACCESS_COUNTER_CLR:
		/* Nothing is counted, so there is nothing to clear. */
		return run->channel->config.privileged ? FIFO_RESULT_OK
						       : bad(run, NVC86F_MEM_OP_D, data);
	default:
		return bad(run, NVC86F_MEM_OP_D, data);
	}
}

static enum fifo_result set_reference(struct fifo_run *run, u32 data)
{
	const struct h100_channel_config *config = &run->channel->config;

	os_fence();
	/* USERD was reached for GPPut; if it is not any more, the next look says so. */
	h100_memory_write(run->call.memory, config->userd_aperture,
			  config->userd_address + offsetof(struct Nvc86fControl, Reference), &data,
			  sizeof(data));
	return FIFO_RESULT_OK;
}

static enum fifo_result yield(struct fifo_run *run, u32 data)
{
	switch (REG_GET(NVC86F_YIELD_OP, data)) {
	case NVC86F_YIELD_OP_NOP:
		return FIFO_RESULT_OK;
	case NVC86F_YIELD_OP_TSG:
		return FIFO_RESULT_YIELD;
	default:
		return bad(run, NVC86F_YIELD, data);
	}
}

enum fifo_result host_method(struct fifo_run *run, u32 method, u32 subchannel, u32 data)
{
	struct h100_channel *channel = run->channel;

	switch (method) {
	case NVC86F_SET_OBJECT:
		return set_object(run, subchannel, data);
	case NVC86F_NOP:
		return FIFO_RESULT_OK;
	case NVC86F_SEMAPHOREA:
	case NVC86F_SEMAPHOREB:
	case NVC86F_SEMAPHOREC:
		channel->old_sem[(method - NVC86F_SEMAPHOREA) / 4] = data;
		return FIFO_RESULT_OK;
	case NVC86F_SEMAPHORED:
		return semaphore_old_execute(run, data);
	case NVC86F_NON_STALL_INTERRUPT:
		run->fifo->config.ops->raise(run->fifo->config.ctx,
					     run->runlist->engine->nonstall_vector);
		return FIFO_RESULT_OK;
	case NVC86F_FB_FLUSH:
	case NVC86F_WFI:
		os_fence();
		return FIFO_RESULT_OK;
	case NVC86F_MEM_OP_A:
	case NVC86F_MEM_OP_B:
	case NVC86F_MEM_OP_C:
		channel->mem_op[(method - NVC86F_MEM_OP_A) / 4] = data;
		return FIFO_RESULT_OK;
	case NVC86F_MEM_OP_D:
		return mem_op(run, data);
	case NVC86F_SET_REFERENCE:
		return set_reference(run, data);
	case NVC86F_SEM_ADDR_LO:
	case NVC86F_SEM_ADDR_HI:
		channel->sem_addr[(method - NVC86F_SEM_ADDR_LO) / 4] = data;
		return FIFO_RESULT_OK;
	case NVC86F_SEM_PAYLOAD_LO:
	case NVC86F_SEM_PAYLOAD_HI:
		channel->sem_payload[(method - NVC86F_SEM_PAYLOAD_LO) / 4] = data;
		return FIFO_RESULT_OK;
	case NVC86F_SEM_EXECUTE:
		return semaphore_execute(run, data);
	case NVC86F_YIELD:
		return yield(run, data);
	case NVC86F_CLEAR_FAULTED:
		/* Faulted channels are reset, not resumed, so none is left to be cleared. */
		return channel->config.privileged ? FIFO_RESULT_OK : bad(run, method, data);
	default:
		return bad(run, method, data);
	}
}
