// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * FSP's EMEM channel 0 and its two queues of one packet each. A packet's first and last word are at
 * HEAD and TAIL; HEAD == TAIL means empty.
 *
 *   EMEMC: block (64 words), word in it, increment on write, increment on read
 */
#include "h100/function/registers.h"

#include "abi/gh100.h"
#include "base/bits.h"

static u32 emem_index(u32 ememc)
{
	return (u32)(REG_GET(NV_PFSP_EMEMC_BLK, ememc) * 64 + REG_GET(NV_PFSP_EMEMC_OFFS, ememc));
}

static u32 emem_next(u32 ememc)
{
	u32 index = emem_index(ememc) + 1;

	ememc = (u32)REG_SET(NV_PFSP_EMEMC_OFFS, ememc, index % 64);
	return (u32)REG_SET(NV_PFSP_EMEMC_BLK, ememc, index / 64);
}

REG_READ(reg_ememc_read)
{
	return h100_register_get(fn, NV_PFSP_EMEMC(0));
}

REG_WRITE(reg_ememc_write)
{
	os_spinlock_lock(&fn->emem_lock);
	h100_register_set(fn, NV_PFSP_EMEMC(0), value);
	os_spinlock_unlock(&fn->emem_lock);
}

REG_READ(reg_ememd_read)
{
	u32 ememc, at, value = LH_PRI_ERROR_NO_REGISTER;

	os_spinlock_lock(&fn->emem_lock);
	ememc = h100_register_get(fn, NV_PFSP_EMEMC(0));
	at = emem_index(ememc);
	if (at < H100_EMEM_WORDS)
		value = fn->emem[at];
	if (REG_GET(NV_PFSP_EMEMC_AINCR, ememc) != 0)
		h100_register_set(fn, NV_PFSP_EMEMC(0), emem_next(ememc));
	os_spinlock_unlock(&fn->emem_lock);
	return value;
}

REG_WRITE(reg_ememd_write)
{
	u32 ememc, at;

	os_spinlock_lock(&fn->emem_lock);
	ememc = h100_register_get(fn, NV_PFSP_EMEMC(0));
	at = emem_index(ememc);
	if (at < H100_EMEM_WORDS)
		fn->emem[at] = value;
	if (REG_GET(NV_PFSP_EMEMC_AINCW, ememc) != 0)
		h100_register_set(fn, NV_PFSP_EMEMC(0), emem_next(ememc));
	os_spinlock_unlock(&fn->emem_lock);
}

REG_WRITE(reg_fsp_queue_head)
{
	h100_register_store(fn, row, index, value);
	if (index == 0)
		fn->ops->work(fn->ctx, H100_WORK_FSP);
}

u32 h100_fsp_receive(struct h100_function *fn, void *data, u32 size)
{
	u32 head, tail, bytes = 0;

	os_spinlock_lock(&fn->emem_lock);
	head = h100_register_get(fn, NV_PFSP_QUEUE_HEAD(0));
	tail = h100_register_get(fn, NV_PFSP_QUEUE_TAIL(0));
	if (head < tail && tail < H100_EMEM_WORDS * 4 && is_aligned(head | tail, 4) &&
	    tail - head + 4 <= size) {
		bytes = tail - head + 4;
		os_memcpy(data, &fn->emem[head / 4], bytes);
	}
	h100_register_set(fn, NV_PFSP_QUEUE_HEAD(0), tail);
	os_spinlock_unlock(&fn->emem_lock);
	return bytes;
}

void h100_fsp_send(struct h100_function *fn, const void *data, u32 size)
{
	os_spinlock_lock(&fn->emem_lock);
	os_memcpy(fn->emem, data, min(size, H100_EMEM_WORDS * 4));
	h100_register_set(fn, NV_PFSP_MSGQ_HEAD(0), 0);
	os_store_release(h100_register_word(fn, NV_PFSP_MSGQ_TAIL(0)), size - 4);
	os_spinlock_unlock(&fn->emem_lock);
}

void h100_fsp_set_ready(struct h100_function *fn, bool ready)
{
	h100_register_set(fn, NV_THERM_I2CS_SCRATCH,
			  ready ? NV_THERM_I2CS_SCRATCH_FSP_BOOT_COMPLETE_STATUS_SUCCESS
				: NV_THERM_I2CS_SCRATCH_FSP_BOOT_COMPLETE_STATUS_FAILED);
}
