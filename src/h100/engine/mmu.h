/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The MMU: page tables of version 3 (abi/r535/mmu.abi draws them) and the TLB over them. Tables lie
 * in memory that drivers and, if they let them, clients write: whatever they say, what comes out is
 * an address of h100_memory's, which is checked again there.
 */
#ifndef H100_ENGINE_MMU_H
#define H100_ENGINE_MMU_H

#include "h100/engine/fault.h"

/* How memory is accessed: one of the first three, and flags. false and true will do for the first
 * two. */
enum h100_access {
	H100_ACCESS_READ = NV_PFAULT_ACCESS_TYPE_VIRT_READ,
	H100_ACCESS_WRITE = NV_PFAULT_ACCESS_TYPE_VIRT_WRITE,
	H100_ACCESS_ATOMIC = NV_PFAULT_ACCESS_TYPE_VIRT_ATOMIC,
	H100_ACCESS_TYPE_MASK = 0xff,
	H100_ACCESS_PRIVILEGED = 0x100, /* a privileged channel's: may use privileged pages */
	H100_ACCESS_PASSING = 0x200, /* many pages, each once: the TLB need not know small ones */
	/* What lies outside of the GPU may be accessed in confidential mode, too. */
	H100_ACCESS_OUTSIDE = 0x400,
	H100_ACCESS_MESSAGE = 0x800, /* a store of a word: may be a message */
};

struct h100_translation {
	u32 aperture; /* enum h100_aperture */
	u64 address;
	u64 bytes; /* from there to the end of the page of the table */
	u8 kind;   /* NV_MMU_PTE_KIND_* */
	bool read_only;
	bool sparse; /* nothing is there: reads give zero, writes go nowhere */
};

struct h100_mmu;

enum nv_status h100_mmu_create(struct h100_memory *memory, struct h100_mmu **out);
void h100_mmu_destroy(struct h100_mmu *mmu);

/*
 * A page of kind NV_MMU_PTE_KIND_SMSKED_MESSAGE whose address says that it is the usermode region
 * (NV_VIRTUAL_FUNCTION, as if it were system memory) is no memory: a word that an engine stores
 * there is a message within the GPU, in confidential mode too. At NV_VIRTUAL_FUNCTION_DOORBELL it
 * is a channel's token, for ring (any thread, in a burst; NULL: nobody); others go nowhere. All
 * other accesses to pages of that kind fault.
 */
void h100_mmu_set_doorbell(struct h100_mmu *mmu, void (*ring)(void *ctx, u32 token), void *ctx);

/*
 * No translation from now on comes of what tables said before; of one address space, or (NULL) of
 * all. Never sleeps. Translations that engines have got already last to the end of their bursts:
 * h100_memory_drain waits for that, h100_mmu_invalidate does both (outside of a burst).
 */
void h100_mmu_forget(struct h100_mmu *mmu, const struct h100_pdb *pdb);
void h100_mmu_invalidate(struct h100_mmu *mmu, const struct h100_pdb *pdb);

/* In a burst, as all that follows. False: *fault says why (may be NULL). */
bool h100_mmu_translate(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, u32 access,
			struct h100_translation *out, struct h100_fault *fault);

/*
 * As h100_memory_read and _write, by virtual address. access: H100_ACCESS_PRIVILEGED and _OUTSIDE,
 * or 0.
 */
bool h100_virtual_read(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, void *data,
		       u64 size, u32 access, struct h100_fault *fault);
bool h100_virtual_write(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, const void *data,
			u64 size, u32 access, struct h100_fault *fault);
/* As h100_memory_fetch_op. An unaligned address is a fault of type ATOMIC_VIOLATION. */
bool h100_virtual_fetch_op(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, u32 width,
			   enum h100_memory_op op, u64 operand, u64 *old, u32 access,
			   struct h100_fault *fault);

#endif
