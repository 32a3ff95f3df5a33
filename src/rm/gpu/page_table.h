/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Page tables of version 3 (NV_MMU_VER3_*) in video memory, each a page of it, made when an entry
 * needs them and freed when their last entry goes. The caller serialises, holds video memory
 * (gpu/video.h) around what writes entries, and invalidates the TLB: what was taken out of the tree
 * is freed by page_table_reap only, after that.
 *
 *   PDE4 (2) -> PDE3 (512) -> PDE2 (512) -> PDE1 (512) -> PDE0 (256 of two halves) -> 64K (32)
 *                                             512 MiB       2 MiB pages           \-> 4K (512)
 */
#ifndef RM_GPU_PAGE_TABLE_H
#define RM_GPU_PAGE_TABLE_H

#include "base/list.h"
#include "rm/gpu/gpu.h"

#define PAGE_TABLE_VA_BITS 57u
/* Directories from the root to the one whose entries cover 2 MiB, not counting that one. */
#define PAGE_TABLE_UPPER_LEVELS 4u

struct page_table_node;

struct page_table {
	struct rm_gpu *gpu;
	struct page_table_node *root;
	struct list dead; /* out of the tree, the TLB may know them */
};

/* NV_ERR_NO_MEMORY, NV_ERR_INVALID_STATE: the GPU is not booted. */
enum nv_status page_table_create(struct page_table *pt, struct rm_gpu *gpu);
/* Nothing walks it any more, and the TLB was invalidated since. */
void page_table_destroy(struct page_table *pt);
/* Of the root, in video memory. */
u64 page_table_address(const struct page_table *pt);
/*
 * Makes the upper directories on the way to va, and keeps them: address, shift of what an entry
 * covers, for each level from the root. NV_ERR_NO_MEMORY.
 */
struct page_table_level {
	u64 address;
	u64 size; /* bytes of its entries */
	u8 shift;
};
enum nv_status page_table_pin_upper(struct page_table *pt, u64 va,
				    struct page_table_level levels[PAGE_TABLE_UPPER_LEVELS]);

/*
 * Makes every table that entries of that page size (4K, 64K, 2M, 512M; sparse ones also 256G and
 * 128T) in the range need. What was made before a failure goes with page_table_prune. What is
 * sparse stays so where tables take a larger entry's place. NV_ERR_NO_MEMORY.
 */
enum nv_status page_table_prepare(struct page_table *pt, u64 va, u64 size, u64 page_size);
/* Writes one entry, whose table is there; what lay at its address is replaced. */
void page_table_write(struct page_table *pt, u64 va, u64 page_size, u64 entry);
/* Clears all entries of the range; a larger page that the range cuts goes as a whole. */
void page_table_clear(struct page_table *pt, u64 va, u64 size);
/* Takes tables without an entry in the range out of the tree. */
void page_table_prune(struct page_table *pt, u64 va, u64 size);
/* What is out of the tree, behind what dead has; frees that, without the caller's lock. */
void page_table_take_dead(struct page_table *pt, struct list *dead);
void page_table_reap(struct list *dead);

/* An entry that leads nowhere: loads give zero, stores are lost. */
u64 page_table_sparse_entry(u64 page_size);

#endif
