// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The register file: one row for each register or array of registers in BAR 0, in the order of
 * their offsets. Rows without functions hold a value. What no row covers answers as the PRI hub
 * does when nothing is behind an address.
 */
#include "h100/function/registers.h"

#include "abi/gh100.h"
#include "base/bits.h"

#define NONE 0u
#define ALL (~0u)
#define RISCV(name) (NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_##name)
#define GSP(name) (NV_PGSP__LO + NV_PFALCON_FALCON_##name)
#define SEC2(name) (LH_SEC2_BASE + NV_PFALCON_FALCON_##name)
#define VF(name) (LH_VF_BASE + NV_VIRTUAL_FUNCTION_##name)

#define BOOT_0 0x180000a1u  /* GH100, revision A1 */
#define BOOT_42 0x180a1000u /* the same, by the newer layout */
#define FSP_VERSION 0x44cu
#define SEC2_HWCFG2 0x80000400u /* RISC-V present, reset ready */

static const struct h100_register rows[] = {
	/* base, count, stride, reset, writable, read, write */
	{ NV_PMC_BOOT_0, 1, 4, BOOT_0, NONE },
	{ NV_PMC_BOOT_1, 1, 4, 0, NONE },
	{ NV_PMC_BOOT_42, 1, 4, BOOT_42, NONE },
	{ NV_PTIMER_TIME_0, 1, 4, 0, NONE, reg_time_low },
	{ NV_PTIMER_TIME_1, 1, 4, 0, NONE, reg_time_high },
	{ NV_PTIMER_TIME_PRIV_LEVEL_MASK, 1, 4, ALL, NONE },
	{ NV_THERM_I2CS_SCRATCH, 1, 4, 0, NONE },
	{ NV_PFB_PRI_MMU_LOCAL_MEMORY_RANGE, 1, 4, 0, NONE, reg_memory_range },
	{ NV_XAL_EP_BAR0_WINDOW, 1, 4, 0, 0x003fffff },

	{ GSP(IRQSSET), 1, 4, 0, NONE, reg_gsp_zero, reg_gsp_irq_set },
	{ GSP(IRQSCLR), 1, 4, 0, NONE, reg_gsp_zero, reg_gsp_irq_clear },
	{ GSP(IRQSTAT), 1, 4, 0, NONE, reg_gsp_read, reg_gsp_write },
	{ GSP(IRQMASK), 1, 4, 0, NONE, reg_gsp_read, reg_gsp_write },
	{ GSP(IRQDEST), 1, 4, 0, NONE, reg_gsp_read, reg_gsp_write },
	{ GSP(MAILBOX0), 1, 4, 0, ALL, reg_gsp_read, reg_gsp_write },
	{ GSP(MAILBOX1), 1, 4, 0, ALL, reg_gsp_read, reg_gsp_write },
	{ GSP(OS), 1, 4, 0, ALL, reg_gsp_read, reg_gsp_write },
	{ GSP(HWCFG2), 1, 4, LH_GSP_HWCFG2, NONE, reg_gsp_read, reg_gsp_write },
	/* FSP alone resets GSP: writes do nothing, and it is out of reset. */
	{ NV_PGSP_FALCON_ENGINE, 1, 4, 0x200, NONE, reg_gsp_read, reg_gsp_write },
	{ GSP(INTR_RETRIGGER(0)), 2, 4, 0, NONE, reg_gsp_zero, reg_gsp_retrigger },
	{ NV_PGSP_MAILBOX(0), 4, 4, 0, ALL, reg_gsp_read, reg_gsp_write },
	{ NV_PGSP_QUEUE_HEAD(0), 8, 8, 0, ALL, reg_gsp_read, reg_gsp_queue_head },
	{ NV_PGSP_QUEUE_TAIL(0), 8, 8, 0, ALL, reg_gsp_read, reg_gsp_write },
	{ RISCV(CPUCTL), 1, 4, 0x10, NONE, reg_gsp_read, reg_gsp_write },
	{ RISCV(IRQMASK), 1, 4, 0, NONE, reg_gsp_read, reg_gsp_write },
	{ RISCV(IRQDEST), 1, 4, 0, NONE, reg_gsp_read, reg_gsp_write },
	/* The boot ROM's configuration is FSP's to write: NV_PRISCV_RISCV_BCR_*. */
	{ RISCV(BCR_CTRL), 8, 4, 0, NONE, reg_gsp_read, reg_gsp_write },

	{ NV_PGC6_AON_SECURE_SCRATCH_GROUP_20, 1, 4, 0, NONE }, /* confidential mode: gsp/cc.c */
	{ NV_USABLE_FB_SIZE_IN_MB, 1, 4, 0, NONE, reg_memory_mib },
	{ NV_PGC6_SCI_SYS_TIMER_OFFSET_0, 2, 4, 0, NONE },
	{ NV_PGC6_SCI_SEC_TIMER_TIME_0, 1, 4, 0, NONE, reg_time_low },
	{ NV_PGC6_SCI_SEC_TIMER_TIME_1, 1, 4, 0, NONE, reg_time_high },
	{ NV_PFB_PRI_MMU_WPR2_ADDR_LO, 1, 4, 0, NONE },
	{ NV_PFB_PRI_MMU_WPR2_ADDR_HI, 1, 4, 0, NONE },
	{ NV_FUSE_OPT_SECURE_GSP_DEBUG_DIS, 1, 4, 1, NONE },
	/* Confidential computing is one of its features. */
	{ NV_FUSE_SPARE_BIT_0, 2, 4, 1, NONE },
	{ NV_FUSE_SPARE_BIT_0 + 8, 2, 4, 0, NONE },

	{ SEC2(MAILBOX0), 1, 4, 0, ALL },
	{ SEC2(MAILBOX1), 1, 4, 0, ALL },
	{ SEC2(OS), 1, 4, 0, ALL },
	{ SEC2(HWCFG2), 1, 4, SEC2_HWCFG2, NONE },
	{ LH_SEC2_BASE + 0x1000 + NV_PRISCV_RISCV_CPUCTL, 1, 4, 0x10, NONE },

	{ NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_2(0), 4, 4, 0, NONE },
	{ NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_3(0), 1, 4, 0, NONE },
	{ NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_3(1), 1, 4, FSP_VERSION, NONE },
	{ NV_PFSP_FALCON_COMMON_SCRATCH_GROUP_3(2), 2, 4, 0, NONE },
	{ NV_PFSP_EMEMC(0), 1, 8, 0, ALL, reg_ememc_read, reg_ememc_write },
	{ NV_PFSP_EMEMD(0), 1, 8, 0, NONE, reg_ememd_read, reg_ememd_write },
	{ NV_PFSP_QUEUE_HEAD(0), 8, 8, 0, ALL, NULL, reg_fsp_queue_head },
	{ NV_PFSP_QUEUE_TAIL(0), 8, 8, 0, ALL },
	{ NV_PFSP_MSGQ_HEAD(0), 8, 8, 0, ALL },
	{ NV_PFSP_MSGQ_TAIL(0), 8, 8, 0, ALL },

	{ VF(PRIV_CPU_INTR_LEAF(0)), 16, 4, 0, NONE, reg_leaf, reg_leaf_clear },
	{ VF(PRIV_CPU_INTR_LEAF_EN_SET(0)), 16, 4, 0, NONE, reg_leaf_enabled, reg_leaf_enable },
	{ VF(PRIV_CPU_INTR_LEAF_EN_CLEAR(0)), 16, 4, 0, NONE, reg_leaf_enabled, reg_leaf_disable },
	{ VF(PRIV_CPU_INTR_TOP(0)), 1, 4, 0, NONE, reg_top },
	{ VF(PRIV_CPU_INTR_TOP_EN_SET(0)), 1, 4, 0, NONE, reg_top_enabled, reg_top_enable },
	{ VF(PRIV_CPU_INTR_TOP_EN_CLEAR(0)), 1, 4, 0, NONE, reg_top_enabled, reg_top_disable },
	{ VF(PRIV_CPU_INTR_LEAF_TRIGGER), 1, 4, 0, NONE, reg_zero, reg_leaf_trigger },
	{ VF(PRIV_DOORBELL), 1, 4, 0, NONE, reg_zero, reg_priv_doorbell },
	{ VF(PRIV_TIMER(0)), 1, 4, 0, NONE, reg_time_low },
	{ VF(PRIV_TIMER(1)), 1, 4, 0, NONE, reg_time_high },
	{ VF(PRIV_MMU_INVALIDATE_PDB), 1, 4, 0, ALL },
	{ VF(PRIV_MMU_INVALIDATE_UPPER_PDB), 1, 4, 0, 0xfffff },
	{ VF(PRIV_MMU_INVALIDATE), 1, 4, 0, ALL, NULL, reg_invalidate },
	{ LH_MSIX_TABLE, H100_MSIX_ENTRIES * 4, 4, 0, ALL, reg_msix, reg_msix_write },
	{ LH_MSIX_PBA, 2, 4, 0, NONE, reg_msix_pending },
	{ LH_LINK_TRAINED, 1, 4, 0, NONE },
	{ VF(TIME_0), 1, 4, 0, NONE, reg_time_low },
	{ VF(TIME_1), 1, 4, 0, NONE, reg_time_high },
	{ VF(DOORBELL), 1, 4, 0, NONE, reg_zero, reg_doorbell },
};

_Static_assert(ARRAY_SIZE(rows) <= H100_REGISTER_ROWS, "slots for all rows");

/* The firmware's doorbell, which each message rings: it is looked for here first. */
#define DOORBELL_ROW 21u

/* Arrays with a stride of 8 interleave (head, tail), so a row may begin inside of the one before
 * it. */
static const struct h100_register *find(u32 offset, u32 *index)
{
	u32 low = 0, high = ARRAY_SIZE(rows), back;

	*index = 0;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (rows[mid].base <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	for (back = 0; back < 2 && low > 0; back++) {
		const struct h100_register *row = &rows[--low];
		u32 delta = offset - row->base;

		/* Most accesses are of a row's first register: no division for those. */
		if (delta == 0)
			return row;
		if (delta % row->stride == 0 && delta / row->stride < row->count) {
			*index = delta / row->stride;
			return row;
		}
	}
	return NULL;
}

u32 *h100_register_slot(struct h100_function *fn, const struct h100_register *row, u32 index)
{
	return &fn->store[fn->slots[row - rows] + index];
}

u32 *h100_register_word(struct h100_function *fn, u32 offset)
{
	u32 index = 0;
	const struct h100_register *row = find(offset, &index);

	OS_BUG_ON(!row);
	return h100_register_slot(fn, row, index);
}

bool h100_register_exists(u32 offset)
{
	u32 index = 0;

	return find(offset, &index) != NULL;
}

u32 h100_register_get(struct h100_function *fn, u32 offset)
{
	return os_load_relaxed(h100_register_word(fn, offset));
}

void h100_register_set(struct h100_function *fn, u32 offset, u32 value)
{
	os_store_relaxed(h100_register_word(fn, offset), value);
}

void h100_registers_init(struct h100_function *fn)
{
	u32 i, slot = 0;

	OS_BUG_ON(rows[DOORBELL_ROW].base != NV_PGSP_QUEUE_HEAD(0));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		OS_BUG_ON(i > 0 && rows[i].base <= rows[i - 1].base);
		fn->slots[i] = (u16)slot;
		slot += rows[i].count;
		OS_BUG_ON(slot > H100_STORE_WORDS);
	}
}

void h100_registers_reset(struct h100_function *fn)
{
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (j = 0; j < rows[i].count; j++)
			os_store_relaxed(h100_register_slot(fn, &rows[i], j), rows[i].reset);
}

/* A bad access is logged once for each word, so that a polling driver does not fill the log. */
static void log_once(struct h100_function *fn, u32 offset, const char *what)
{
	u32 bit = BIT32(offset / 4 % 32);

	if ((os_fetch_or(&fn->logged[offset / 4 / 32], bit) & bit) == 0)
		h100_function_log(fn, OS_LOG_WARN, "%s of 0x%06x, where no register is", what,
				  offset);
}

u32 h100_register_read(struct h100_function *fn, u32 offset)
{
	u32 index = 0;
	const struct h100_register *row = find(offset, &index);

	if (!row) {
		log_once(fn, offset, "read");
		return LH_PRI_ERROR_NO_REGISTER;
	}
	if (row->read)
		return row->read(fn, row, index);
	return os_load_relaxed(h100_register_slot(fn, row, index));
}

void h100_register_store(struct h100_function *fn, const struct h100_register *row, u32 index,
			 u32 value)
{
	u32 *word = h100_register_slot(fn, row, index);

	if (row->writable == ALL)
		os_store_relaxed(word, value);
	else if (row->writable != NONE)
		os_store_relaxed(word, (os_load_relaxed(word) & ~row->writable) |
					       (value & row->writable));
}

void h100_register_write(struct h100_function *fn, u32 offset, u32 value)
{
	const struct h100_register *row = &rows[DOORBELL_ROW];
	u32 index = 0;

	if (offset != row->base)
		row = find(offset, &index);
	if (!row)
		log_once(fn, offset, "write");
	else if (row->write)
		row->write(fn, row, index, value);
	else
		h100_register_store(fn, row, index, value);
}
