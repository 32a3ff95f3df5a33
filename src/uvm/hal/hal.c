// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The generations and what each takes from its parent (uvm/hal/hal.h). */
#include "uvm/hal/hal.h"

/* Turing and Ampere have page tables of version 2, which no supported GPU has: no mmu. */
const struct uvm_hal uvm_hal_turing = {
	.name = "Turing",
	.architecture = 0x160,
	.big_page = UVM_PAGE_64K,
	.channel_va_end = (u64)1 << 40,
	.sparse = 1,
	.plc = 1,
};

const struct uvm_hal uvm_hal_ampere = {
	.name = "Ampere",
	.architecture = 0x170,
	.parent = &uvm_hal_turing,
};

static void inherit(struct uvm_hal *hal, const struct uvm_hal *from)
{
	if (!hal->mmu)
		hal->mmu = from->mmu;
	if (!hal->big_page)
		hal->big_page = from->big_page;
	if (!hal->channel_va_end)
		hal->channel_va_end = from->channel_va_end;
	if (!hal->sparse)
		hal->sparse = from->sparse;
	if (!hal->plc)
		hal->plc = from->plc;
}

enum nv_status uvm_hal_find(u32 architecture, struct uvm_hal *hal)
{
	static const struct uvm_hal *const all[] = { &uvm_hal_turing, &uvm_hal_ampere,
						     &uvm_hal_hopper };
	const struct uvm_hal *from;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i]->architecture != architecture)
			continue;
		*hal = *all[i];
		for (from = all[i]->parent; from; from = from->parent)
			inherit(hal, from);
		return hal->mmu ? NV_OK : NV_ERR_NOT_SUPPORTED;
	}
	return NV_ERR_NOT_SUPPORTED;
}
