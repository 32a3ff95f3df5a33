/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Blocks of managed ranges: the part of a range in one 2 MiB of address. All of a block has system
 * memory once it is made, for good; pages of it may be in a chunk of video memory instead:
 *
 *   system memory   [ s ][ s ][ - ][ - ][ s ]     one allocation, for one or several blocks
 *   chunks          [   ][   ][ v ][ v ][   ]     of one GPU: one of 2 MiB, or as large as fit
 *
 * v is where the page is; what system memory has there is stale, or gone (uvm_host_ops.discard),
 * until it comes back. Chunks stay with the block once nothing is in them, until somebody needs the
 * memory (uvm/evict.h). Only a GPU whose address space is the VA space's only one may have some: no
 * GPU waits in a fault, so what two may touch is the system's. Its channels stand still while a
 * page moves (rm_uvm_vaspace_pause), and the CPU has no mapping of one that is away. All under the
 * space's lock.
 *
 * In confidential mode system memory is the CPU's alone: a GPU has entries for what is in its
 * chunks, and copies are encrypted.
 */
#ifndef UVM_BLOCK_H
#define UVM_BLOCK_H

#include "uvm/chunk.h"
#include "uvm/range.h"

#define UVM_BLOCK_PAGES ((u32)(UVM_BLOCK_SIZE / OS_PAGE_SIZE))

struct uvm_block_memory {
	u32 blocks; /* that refer to it */
	u64 start, last;
	struct os_pages pages;
	struct os_pages views[UVM_GPUS]; /* as each GPU reaches them; size 0: not yet */
};

/* Where pages of a block are that was not always in system memory; a bit a page of the 2 MiB. */
struct uvm_residency {
	u64 start, last;     /* of the block */
	struct uvm_gpu *gpu; /* whose the chunks are; NULL: there are none */
	u64 resident[UVM_BLOCK_PAGES / 64];
	u64 lost[UVM_BLOCK_PAGES / 64]; /* went with a GPU: nobody can have them, mapped nowhere */
	u32 count;
	struct uvm_chunk *chunks[]; /* by place: 64 KiB each where that fits, else 4 KiB; or NULL */
};

struct uvm_block {
	struct uvm_block_memory *memory;
	uvm_mask mapped;	     /* GPUs */
	struct uvm_residency *where; /* NULL: all in system memory */
};

/* A block about to be cut in two. */
struct uvm_block_cut {
	struct uvm_block *lower;     /* a new one */
	struct uvm_residency *upper; /* of what is left of the old one; or NULL */
};

/* Of the range, by index in its blocks. */
u64 uvm_block_index(const struct uvm_range *range, u64 address);
u64 uvm_block_count(const struct uvm_range *range);
u64 uvm_block_start(const struct uvm_range *range, u64 index);
u64 uvm_block_last(const struct uvm_range *range, u64 index);

/*
 * Maps all of the block on the GPU, pages where they are; does nothing where it is. gpu has an
 * address space. NV_ERR_NO_MEMORY: nothing is mapped.
 */
enum nv_status uvm_block_map(struct uvm_range *range, u64 index, struct uvm_gpu *gpu);
void uvm_block_unmap(struct uvm_range *range, u64 index, struct uvm_gpu *gpu);

/*
 * start .. last, within the block, moves to the GPU's video memory; the block is mapped there.
 * NV_ERR_NO_MEMORY, NV_ERR_TIMEOUT (the GPU does not confirm that it forgot where it was), what
 * copies fail with: it stays where it is; so it does, with NV_OK, where the host cannot take the
 * CPU's mapping away, or another GPU of the space must reach it.
 */
enum nv_status uvm_block_to_gpu(struct uvm_range *range, u64 index, struct uvm_gpu *gpu, u64 start,
				u64 last);
/*
 * And back to system memory, what of it is not there. NV_ERR_TIMEOUT, what copies fail with: the
 * pages stay where they are.
 */
enum nv_status uvm_block_to_system(struct uvm_range *range, u64 index, u64 start, u64 last);
/* The GPU's chunks go, nothing of them being mapped: what is there still is lost. */
void uvm_block_forget(struct uvm_range *range, u64 index);
/*
 * What is in the chunk, one of the block's, comes back to system memory, and the chunk is free.
 * Statuses of uvm_block_to_system: it stays.
 */
enum nv_status uvm_block_evict(struct uvm_range *range, u64 index, struct uvm_chunk *chunk);

/*
 * Copies the pages of the mask (a bit a page of the 2 MiB) to the chunks (up) or from them, and
 * waits. With a GPU in confidential mode what crosses is encrypted. What copies fail with: nothing
 * there is to be used then.
 */
enum nv_status uvm_block_copy(struct uvm_block *block, struct uvm_gpu *gpu, const u64 *mask,
			      bool up);
/*
 * Reads or writes bytes of a page that is in video memory (uvm_block_is_away) of a GPU in
 * confidential mode, where they are; within that page. NV_ERR_NO_MEMORY, statuses of
 * rm_uvm_vaspace_pause and of copies.
 */
enum nv_status uvm_block_access(struct uvm_block *block, u64 address, void *bytes, u64 size,
				bool write);
/* The block's system memory as the GPU, which is not in confidential mode, reaches it.
 * NV_ERR_NO_MEMORY. */
enum nv_status uvm_block_view(struct uvm_block *block, struct uvm_gpu *gpu, struct os_pages **out);

static inline u32 uvm_block_page(u64 address)
{
	return (u32)(address % UVM_BLOCK_SIZE / OS_PAGE_SIZE);
}

/* Whether the page is in video memory; is lost. */
bool uvm_block_is_away(const struct uvm_block *block, u64 address);
bool uvm_block_is_lost(const struct uvm_block *block, u64 address);

/* -- block_chunk.c -------------------------------------------------------------------------------
 */

/*
 * Chunks of the GPU for start .. last of a block of block_start .. block_last, where there are
 * none. NV_ERR_NO_MEMORY: for some of it.
 */
enum nv_status uvm_block_populate(struct uvm_block *block, struct uvm_gpu *gpu, u64 block_start,
				  u64 block_last, u64 start, u64 last);
/* The chunk for that page; NULL: none. */
struct uvm_chunk *uvm_block_chunk(const struct uvm_block *block, u64 address);
/* Where the page, which has a chunk, is in video memory; *run: bytes from there on in the chunk. */
u64 uvm_block_video(const struct uvm_block *block, u64 address, u64 *run);
/* Of the chunks of start .. last: those with something in them were used now, or only some time;
 * the others are not. */
void uvm_block_used(struct uvm_block *block, u64 start, u64 last, bool now);
/* All chunks go. */
void uvm_block_depopulate(struct uvm_block *block);

/* What a cut at that address needs. NV_ERR_NO_MEMORY; else it is made or dropped. */
enum nv_status uvm_block_cut_prepare(const struct uvm_block *block, u64 address,
				     struct uvm_block_cut *cut);
void uvm_block_cut_drop(struct uvm_block_cut *cut);
/* The block is from then on the upper half, cut->lower the other. */
void uvm_block_cut(struct uvm_block *block, u64 address, struct uvm_block_cut *cut);
/* Nothing of it is mapped. */
void uvm_block_free(struct uvm_block *block);
void uvm_block_memory_put(struct uvm_block_memory *memory);

#endif
