// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Hopper: page tables of version 3 (NV_MMU_VER3_*), 57 bits of address.
 *
 *   level   0 PDE4   1 PDE3   2 PDE2   3 PDE1          4 PDE0 (16 bytes)      5 page tables
 *   bits    56       55:47    46:38    37:29           28:21                  20:16 or 20:12
 *   maps                               512M in it      2M in its first word   64K, 4K
 *
 * A PDE0 entry holds a pointer to a table of big pages, then one to a table of small ones.
 */
#include "uvm/hal/hal.h"

#include "abi/gh100.h"
#include "base/bits.h"

#define LEVEL_PDE1 3u
#define LEVEL_PDE0 4u
#define LEVEL_TABLES 5u

static u32 page_level(u64 page_size)
{
	switch (page_size) {
	case UVM_PAGE_4K:
	case UVM_PAGE_64K:
		return LEVEL_TABLES;
	case UVM_PAGE_2M:
		return LEVEL_PDE0;
	case UVM_PAGE_512M:
		return LEVEL_PDE1;
	default:
		return ~0u;
	}
}

/* No access counters: nobody has asked for notifications of them. */
static u64 pcf(enum uvm_protection protection, bool cached)
{
	static const u8 bits[][2] = {
		[UVM_PROTECTION_READ] = { NV_MMU_VER3_PTE_PCF_REGULAR_RO_NO_ATOMIC_UNCACHED_ACD,
					  NV_MMU_VER3_PTE_PCF_REGULAR_RO_NO_ATOMIC_CACHED_ACD },
		[UVM_PROTECTION_WRITE] = { NV_MMU_VER3_PTE_PCF_REGULAR_RW_NO_ATOMIC_UNCACHED_ACD,
					   NV_MMU_VER3_PTE_PCF_REGULAR_RW_NO_ATOMIC_CACHED_ACD },
		[UVM_PROTECTION_ATOMIC] = { NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_UNCACHED_ACD,
					    NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_CACHED_ACD },
	};

	return bits[protection][cached];
}

static u64 pte(const struct uvm_pte *p)
{
	u64 bits = REG_PREP(NV_MMU_VER3_PTE_VALID, NV_MMU_VER3_PTE_VALID_TRUE) |
		   REG_PREP(NV_MMU_VER3_PTE_APERTURE, p->aperture) |
		   REG_PREP(NV_MMU_VER3_PTE_PCF, pcf(p->protection, p->cached)) |
		   REG_PREP(NV_MMU_VER3_PTE_KIND, p->kind);

	if (p->aperture == RM_UVM_VIDEO)
		return bits | REG_PREP(NV_MMU_VER3_PTE_ADDRESS_VID,
				       p->address >> NV_MMU_VER3_PTE_ADDRESS_SHIFT);
	bits |= REG_PREP(NV_MMU_VER3_PTE_ADDRESS, p->address >> NV_MMU_VER3_PTE_ADDRESS_SHIFT);
	if (p->aperture == RM_UVM_PEER)
		bits |= (u64)p->peer << 61; /* NV_MMU_VER3_PTE_PEER_ID */
	return bits;
}

static u64 pte_sparse(void)
{
	return REG_PREP(NV_MMU_VER3_PTE_PCF, NV_MMU_VER3_PTE_PCF_SPARSE);
}

static u64 pte_sked(void)
{
	return REG_PREP(NV_MMU_VER3_PTE_VALID, NV_MMU_VER3_PTE_VALID_TRUE) |
	       REG_PREP(NV_MMU_VER3_PTE_PCF, pcf(UVM_PROTECTION_ATOMIC, false)) |
	       REG_PREP(NV_MMU_VER3_PTE_KIND, NV_MMU_PTE_KIND_SMSKED_MESSAGE);
}

/* Of PDEs video memory is 1, not 0 as of PTEs. */
static u64 pde_aperture(enum rm_uvm_aperture aperture)
{
	return aperture == RM_UVM_VIDEO ? NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY : (u64)aperture;
}

static u64 pde(u32 level, bool small, enum rm_uvm_aperture aperture, u64 address)
{
	/* The halves of a dual entry are like any other, save for finer addresses of big tables. */
	if (level == LEVEL_PDE0 && !small)
		return REG_PREP(NV_MMU_VER3_DUAL_PDE_APERTURE_BIG, pde_aperture(aperture)) |
		       REG_PREP(NV_MMU_VER3_DUAL_PDE_PCF_BIG,
				NV_MMU_VER3_DUAL_PDE_PCF_BIG_VALID_UNCACHED_ATS_NOT_ALLOWED) |
		       REG_PREP(NV_MMU_VER3_DUAL_PDE_ADDRESS_BIG,
				address >> NV_MMU_VER3_DUAL_PDE_ADDRESS_BIG_SHIFT);
	return REG_PREP(NV_MMU_VER3_PDE_APERTURE, pde_aperture(aperture)) |
	       REG_PREP(NV_MMU_VER3_PDE_PCF, NV_MMU_VER3_PDE_PCF_VALID_UNCACHED_ATS_NOT_ALLOWED) |
	       REG_PREP(NV_MMU_VER3_PDE_ADDRESS, address >> NV_MMU_VER3_PDE_ADDRESS_SHIFT);
}

static const struct uvm_mmu_hal mmu_version_3 = {
	.va_bits = 57,
	.directories = 5,
	.level = { { 56, 1, 1 }, { 47, 9, 1 }, { 38, 9, 1 }, { 29, 9, 1 }, { 21, 8, 2 } },
	.page_level = page_level,
	.pte = pte,
	.pte_sparse = pte_sparse,
	.pte_sked = pte_sked,
	.pde = pde,
};

const struct uvm_hal uvm_hal_hopper = {
	.name = "Hopper",
	.architecture = 0x180,
	.parent = &uvm_hal_ampere,
	.mmu = &mmu_version_3,
	.channel_va_end = (u64)1 << 57,
};
