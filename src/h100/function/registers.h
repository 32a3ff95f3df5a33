/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Rows of the register file, and the functions of the registers that do more than hold a value.
 */
#ifndef H100_FUNCTION_REGISTERS_H
#define H100_FUNCTION_REGISTERS_H

#include "abi/r535.h"
#include "h100/function/function.h"

#define LH_SEC2_BASE 0x840000u	  /* NV_PSEC */
#define LH_GSP_HWCFG2 0x80002400u /* RISC-V present, locked down, reset ready */

struct h100_register {
	u32 base;
	u16 count, stride;
	u32 reset;
	u32 writable; /* bits, where write is NULL or calls h100_register_store */
	u32 (*read)(struct h100_function *fn, const struct h100_register *row, u32 index);
	void (*write)(struct h100_function *fn, const struct h100_register *row, u32 index,
		      u32 value);
};

/* Where a row's value is kept. */
u32 *h100_register_slot(struct h100_function *fn, const struct h100_register *row, u32 index);
u32 *h100_register_word(struct h100_function *fn, u32 offset);
void h100_register_store(struct h100_function *fn, const struct h100_register *row, u32 index,
			 u32 value);

#define REG_READ(name) \
	u32 name(struct h100_function *fn, const struct h100_register *row, u32 index)
#define REG_WRITE(name) \
	void name(struct h100_function *fn, const struct h100_register *row, u32 index, u32 value)

/* general.c */
REG_READ(reg_zero);
REG_READ(reg_time_low);
REG_READ(reg_time_high);
REG_READ(reg_memory_range);
REG_READ(reg_memory_mib);
REG_READ(reg_leaf);
REG_READ(reg_leaf_enabled);
REG_READ(reg_top);
REG_READ(reg_top_enabled);
REG_READ(reg_msix);
REG_READ(reg_msix_pending);
REG_WRITE(reg_leaf_clear);
REG_WRITE(reg_leaf_enable);
REG_WRITE(reg_leaf_disable);
REG_WRITE(reg_top_enable);
REG_WRITE(reg_top_disable);
REG_WRITE(reg_leaf_trigger);
REG_WRITE(reg_priv_doorbell);
REG_WRITE(reg_doorbell);
REG_WRITE(reg_invalidate);
REG_WRITE(reg_msix_write);

/* falcon.c */
REG_READ(reg_gsp_zero);
REG_READ(reg_gsp_read);
REG_WRITE(reg_gsp_write);
REG_WRITE(reg_gsp_irq_set);
REG_WRITE(reg_gsp_irq_clear);
REG_WRITE(reg_gsp_retrigger);
REG_WRITE(reg_gsp_queue_head);

/* fsp.c */
REG_READ(reg_ememc_read);
REG_READ(reg_ememd_read);
REG_WRITE(reg_ememc_write);
REG_WRITE(reg_ememd_write);
REG_WRITE(reg_fsp_queue_head);

#endif
