// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Registers of the timer, of memory sizes, and the face of the interrupt tree.
 */
#include "h100/function/registers.h"

#include "abi/gh100.h"
#include "base/bits.h"

REG_READ(reg_zero)
{
	return 0;
}

/* PTIMER counts nanoseconds in steps of 32. A reader takes high, low, high until both highs agree.
 */
REG_READ(reg_time_low)
{
	return bits_low32(h100_time_ns(fn)) & ~0x1fu;
}

REG_READ(reg_time_high)
{
	return bits_high32(h100_time_ns(fn)) & 0x1fffffffu;
}

/* Video memory as LOWER_MAG * 2^LOWER_SCALE MiB, rounded down. */
REG_READ(reg_memory_range)
{
	u64 mag = fn->identity.video_bytes >> 20;
	u32 scale = 0;

	while (mag > 0x3f) {
		mag >>= 1;
		scale++;
	}
	return (u32)(REG_PREP(NV_PFB_PRI_MMU_LOCAL_MEMORY_RANGE_LOWER_MAG, mag) |
		     REG_PREP(NV_PFB_PRI_MMU_LOCAL_MEMORY_RANGE_LOWER_SCALE, scale));
}

REG_READ(reg_memory_mib)
{
	return (u32)(fn->identity.video_bytes >> 20);
}

REG_READ(reg_leaf)
{
	return h100_intr_leaf(fn, index);
}

REG_WRITE(reg_leaf_clear)
{
	h100_intr_leaf_clear(fn, index, value);
}

REG_READ(reg_leaf_enabled)
{
	return h100_intr_leaf_enabled(fn, index);
}

REG_WRITE(reg_leaf_enable)
{
	h100_intr_leaf_enable(fn, index, value, 0);
}

REG_WRITE(reg_leaf_disable)
{
	h100_intr_leaf_enable(fn, index, 0, value);
}

REG_READ(reg_top)
{
	return h100_intr_top(fn);
}

REG_READ(reg_top_enabled)
{
	return h100_intr_top_enabled(fn);
}

REG_WRITE(reg_top_enable)
{
	h100_intr_top_enable(fn, value, 0);
}

REG_WRITE(reg_top_disable)
{
	h100_intr_top_enable(fn, 0, value);
}

/* Software may make any vector pending. */
REG_WRITE(reg_leaf_trigger)
{
	h100_intr_raise(fn,
			(u32)REG_GET(NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_TRIGGER_VECTOR, value));
}

REG_WRITE(reg_priv_doorbell)
{
	h100_intr_raise(fn, NV_CTRL_CPU_DOORBELL_VECTORID_VALUE_CONSTANT);
}

/* The trigger reads as set until the engines have done it. */
REG_WRITE(reg_invalidate)
{
	h100_register_store(fn, row, index, value);
	if (REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER, value) != 0)
		fn->ops->work(fn->ctx, H100_WORK_INVALIDATE);
}

REG_READ(reg_msix)
{
	return h100_msix_table_read(fn, index);
}

REG_WRITE(reg_msix_write)
{
	h100_msix_table_write(fn, index, value);
}

REG_READ(reg_msix_pending)
{
	return index == 0 ? h100_msix_pending(fn) : 0;
}
