/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * One GPU's page tables for one address space: tables in the GPU's video memory, entries written
 * by the resource manager, tables made and freed as mappings need them. What is mapped where is the
 * caller's to know: a range is mapped with one page size and unmapped with the same.
 *
 * The caller serialises all calls on one tree (the VA space's lock).
 */
#ifndef UVM_PAGE_TREE_H
#define UVM_PAGE_TREE_H

#include "base/list.h"
#include "uvm/chunk.h"
#include "uvm/hal/hal.h"

#define UVM_TREE_WORDS 64u

struct uvm_page_table;

struct uvm_page_tree {
	struct rm_gpu *gpu;
	struct uvm_room *room; /* where video memory for tables comes from */
	const struct uvm_hal *hal;
	struct list chunks; /* of video memory, 4 KiB pages for tables */
	struct uvm_page_table *root;
	/* Entries that lie one after the other, not written yet. */
	u64 gathered_at, words[UVM_TREE_WORDS];
	u32 gathered;
};

/* An empty tree, whose root exists. NV_ERR_NO_MEMORY, and nothing is left. */
enum nv_status uvm_page_tree_init(struct uvm_page_tree *tree, struct uvm_room *room,
				  const struct uvm_hal *hal);
/* No GPU walks it any more. Zeroed memory is fine. */
void uvm_page_tree_fini(struct uvm_page_tree *tree);
/* Where the root directory is in video memory, and how many entries it has. */
u64 uvm_page_tree_root(const struct uvm_page_tree *tree, u32 *entries);

/* The largest supported page size that value (address bits or'ed together) is a multiple of; 0:
 * none. */
u64 uvm_page_size_for(const struct uvm_hal *hal, u64 value);
/* Whether the GPU has pages of just that size. */
bool uvm_page_size_ok(const struct uvm_hal *hal, u64 page_size);

/* The entry for the page at offset in the range being mapped. */
typedef enum nv_status (*uvm_pte_maker)(void *ctx, u64 offset, u64 *pte);

/*
 * Maps [va, va + size), which has no mapping, with pages of page_size, entries from make.
 * NV_ERR_NO_MEMORY or what make said: nothing is mapped then.
 */
enum nv_status uvm_page_tree_map(struct uvm_page_tree *tree, u64 va, u64 size, u64 page_size,
				 uvm_pte_maker make, void *ctx);
/*
 * Other entries for [va, va + size), all of which has pages of page_size; make cannot fail. NV_OK:
 * no engine reaches the memory that was mapped. NV_ERR_TIMEOUT, NV_ERR_GPU_IS_LOST: the GPU may go
 * on by the entries that were; the tables have the others.
 */
enum nv_status uvm_page_tree_replace(struct uvm_page_tree *tree, u64 va, u64 size, u64 page_size,
				     uvm_pte_maker make, void *ctx);
/*
 * Ends the mapping of [va, va + size), all of which has pages of page_size: when it returns no
 * engine reaches the memory through this tree any more, unless the GPU is lost.
 */
void uvm_page_tree_unmap(struct uvm_page_tree *tree, u64 va, u64 size, u64 page_size);

#endif
