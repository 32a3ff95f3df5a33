// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * GSP's registers: mailboxes, doorbells, interrupt status, and what they look like while FSP has
 * not let go of it. State that decides is HWCFG2 and CPUCTL themselves; locked is kept beside them.
 */
#include "h100/function/registers.h"

#include "abi/gh100.h"
#include "base/bits.h"

#define GSP_HWCFG2 (NV_PGSP__LO + NV_PFALCON_FALCON_HWCFG2)
#define GSP_IRQSTAT (NV_PGSP__LO + NV_PFALCON_FALCON_IRQSTAT)
#define GSP_CPUCTL (NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_CPUCTL)
#define GSP_IRQMASK (NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_IRQMASK)
#define GSP_IRQDEST (NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_IRQDEST)

static bool locked(struct h100_function *fn)
{
	return os_load_acquire(&fn->gsp_run) == H100_GSP_LOCKED;
}

REG_READ(reg_gsp_zero)
{
	return locked(fn) ? LH_PRI_ERROR_TARGET_LOCKED : 0;
}

REG_READ(reg_gsp_read)
{
	if (locked(fn))
		return LH_PRI_ERROR_TARGET_LOCKED;
	return os_load_relaxed(h100_register_slot(fn, row, index));
}

REG_WRITE(reg_gsp_write)
{
	if (!locked(fn))
		h100_register_store(fn, row, index, value);
}

/* Interrupts that are set, routed to the host and not masked. */
static u32 host_interrupts(struct h100_function *fn)
{
	return h100_register_get(fn, GSP_IRQSTAT) & h100_register_get(fn, GSP_IRQMASK) &
	       h100_register_get(fn, GSP_IRQDEST);
}

void h100_gsp_interrupt(struct h100_function *fn, u32 bits)
{
	os_fetch_or(h100_register_word(fn, GSP_IRQSTAT), bits);
	if (host_interrupts(fn) != 0)
		h100_intr_raise(fn, LH_INTR_VECTOR_GSP);
}

REG_WRITE(reg_gsp_irq_set)
{
	if (!locked(fn))
		h100_gsp_interrupt(fn, value);
}

REG_WRITE(reg_gsp_irq_clear)
{
	if (!locked(fn))
		os_fetch_and(h100_register_word(fn, GSP_IRQSTAT), ~value);
}

REG_WRITE(reg_gsp_retrigger)
{
	if (!locked(fn) && (value & 1) != 0 && host_interrupts(fn) != 0)
		h100_intr_raise(fn, LH_INTR_VECTOR_GSP);
}

REG_WRITE(reg_gsp_queue_head)
{
	if (locked(fn))
		return;
	h100_register_store(fn, row, index, value);
	if (index == 0)
		fn->ops->work(fn->ctx, H100_WORK_GSP);
}

void h100_gsp_set_run(struct h100_function *fn, enum h100_gsp_run run)
{
	static const struct {
		bool lockdown, active, halted;
	} looks[] = {
		[H100_GSP_LOCKED] = { true, false, true },
		[H100_GSP_BOOTING] = { true, false, true },
		[H100_GSP_RUNNING] = { false, true, false },
		[H100_GSP_HALTED] = { false, false, true },
	};
	u32 host = run == H100_GSP_RUNNING || run == H100_GSP_HALTED
			   ? (u32)(REG_MASK(NV_PFALCON_FALCON_IRQSTAT_HALT) |
				   REG_MASK(NV_PFALCON_FALCON_IRQSTAT_SWGEN0))
			   : 0;
	u32 hwcfg2 = (u32)REG_SET(NV_PFALCON_FALCON_HWCFG2_RISCV_BR_PRIV_LOCKDOWN, LH_GSP_HWCFG2,
				  looks[run].lockdown);

	if (run == H100_GSP_LOCKED) {
		h100_register_set(fn, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0, 0);
		h100_register_set(fn, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX1, 0);
		h100_register_set(fn, NV_PGSP_MAILBOX(0), 0);
		h100_register_set(fn, GSP_IRQSTAT, 0);
	}
	h100_register_set(fn, GSP_CPUCTL,
			  (u32)(REG_PREP(NV_PRISCV_RISCV_CPUCTL_ACTIVE_STAT, looks[run].active) |
				REG_PREP(NV_PRISCV_RISCV_CPUCTL_HALTED, looks[run].halted)));
	h100_register_set(fn, GSP_IRQMASK, host);
	h100_register_set(fn, GSP_IRQDEST, host);
	os_store_release(h100_register_word(fn, GSP_HWCFG2), hwcfg2);
	os_store_release(&fn->gsp_run, run);
}

void h100_wpr2_set(struct h100_function *fn, u64 start, u64 end)
{
	u32 low = 0, high = 0;

	if (start != end) {
		low = (u32)REG_PREP(NV_PFB_PRI_MMU_WPR2_ADDR_LO_VAL,
				    start >> NV_PFB_PRI_MMU_WPR2_ADDR_ALIGNMENT);
		high = (u32)REG_PREP(NV_PFB_PRI_MMU_WPR2_ADDR_HI_VAL,
				     end >> NV_PFB_PRI_MMU_WPR2_ADDR_ALIGNMENT);
	}
	h100_register_set(fn, NV_PFB_PRI_MMU_WPR2_ADDR_LO, low);
	h100_register_set(fn, NV_PFB_PRI_MMU_WPR2_ADDR_HI, high);
}
