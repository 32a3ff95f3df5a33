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

#define INHERIT(field)                            \
	do {                                      \
		if (!hal->field)                  \
			hal->field = from->field; \
	} while (0)

static void inherit(struct uvm_hal *hal, const struct uvm_hal *from)
{
	INHERIT(mmu);
	INHERIT(big_page);
	INHERIT(channel_va_end);
	INHERIT(sparse);
	INHERIT(plc);
}

enum nv_status uvm_host_hal_find(u32 class_id, struct uvm_host_hal *hal)
{
	static const struct uvm_host_hal *const all[] = { &uvm_host_turing, &uvm_host_ampere,
							  &uvm_host_hopper };
	const struct uvm_host_hal *from;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all) && all[i]->class_id != class_id; i++)
		;
	if (i == ARRAY_SIZE(all))
		return NV_ERR_NOT_SUPPORTED;
	*hal = *all[i];
	for (from = hal->parent; from; from = from->parent) {
		INHERIT(va_bits);
		INHERIT(tlb_scope);
		INHERIT(semaphore_release);
		INHERIT(semaphore_acquire);
		INHERIT(membar);
		INHERIT(tlb_invalidate);
		INHERIT(gp_entry);
		INHERIT(end);
	}
	return NV_OK;
}

enum nv_status uvm_ce_hal_find(u32 class_id, struct uvm_ce_hal *hal)
{
	static const struct uvm_ce_hal *const all[] = { &uvm_ce_turing, &uvm_ce_ampere_a,
							&uvm_ce_ampere_b, &uvm_ce_hopper };
	const struct uvm_ce_hal *from;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all) && all[i]->class_id != class_id; i++)
		;
	if (i == ARRAY_SIZE(all))
		return NV_ERR_NOT_SUPPORTED;
	*hal = *all[i];
	for (from = hal->parent; from; from = from->parent) {
		INHERIT(va_bits);
		INHERIT(launch);
		INHERIT(bind);
		INHERIT(copy);
		INHERIT(fill);
		INHERIT(semaphore_release);
		INHERIT(encrypt);
		INHERIT(decrypt);
	}
	return NV_OK;
}

enum nv_status uvm_sec2_hal_find(u32 class_id, struct uvm_sec2_hal *hal)
{
	if (class_id != uvm_sec2_hopper.class_id)
		return NV_ERR_NOT_SUPPORTED;
	*hal = uvm_sec2_hopper;
	return NV_OK;
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
