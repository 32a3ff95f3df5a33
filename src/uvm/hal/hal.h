/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What differs between GPU generations. Each states only what is new in it; uvm_hal_find takes
 * every empty entry from the parent, so Hopper is Ampere is Turing but for what they say.
 */
#ifndef UVM_HAL_HAL_H
#define UVM_HAL_HAL_H

#include "rm/uvm.h"

#define UVM_PAGE_4K KIB(4)
#define UVM_PAGE_64K KIB(64)
#define UVM_PAGE_2M MIB(2)
#define UVM_PAGE_512M MIB(512)

enum uvm_protection {
	UVM_PROTECTION_READ,
	UVM_PROTECTION_WRITE,
	UVM_PROTECTION_ATOMIC, /* and write */
};

/* What a page table entry is to say. */
struct uvm_pte {
	enum rm_uvm_aperture aperture;
	u64 address;
	enum uvm_protection protection;
	bool cached; /* in the GPU's L2 */
	u32 kind;    /* NV_MMU_PTE_KIND_* */
	u32 peer;    /* of RM_UVM_PEER: which */
};

#define UVM_TABLE_LEVELS 6u /* directories 0 (the root) .. 4, then page tables */

/* The shape of page tables and the bits of their entries. */
struct uvm_mmu_hal {
	u32 va_bits;
	u32 directories; /* levels above the page tables */
	struct {
		u8 shift; /* of the lowest address bit that indexes the level */
		u8 bits;
		u8 words; /* of 64 bits in an entry */
	} level[UVM_TABLE_LEVELS - 1];
	/* Page size -> level whose entries map it: directories for huge pages. ~0: unsupported. */
	u32 (*page_level)(u64 page_size);
	u64 (*pte)(const struct uvm_pte *pte);
	u64 (*pte_sparse)(void);
	u64 (*pte_sked)(void); /* messages to the compute scheduler (dynamic parallelism) */
	/* An entry of level that points at a table; of the last directory: at its big or small one.
	 * Without a table an entry is 0, as an invalid PTE is.
	 */
	u64 (*pde)(u32 level, bool small, enum rm_uvm_aperture aperture, u64 address);
};

struct uvm_hal {
	const char *name;
	u32 architecture; /* NV_PMC_BOOT_0_ARCHITECTURE */
	const struct uvm_hal *parent;
	const struct uvm_mmu_hal *mmu;
	u64 big_page;	    /* bytes */
	u64 channel_va_end; /* addresses of channel resources are below */
	u32 sparse;	    /* 1: sparse mappings; 2: none */
	u32 plc; /* 1: compression without post-L2 compression can be asked for; 2: not */
};

/*
 * Fills hal for a GPU of that architecture. NV_ERR_NOT_SUPPORTED: none, or one whose tables are not
 * complete (docs/limits.md).
 */
enum nv_status uvm_hal_find(u32 architecture, struct uvm_hal *hal);

extern const struct uvm_hal uvm_hal_turing, uvm_hal_ampere, uvm_hal_hopper;

#endif
