/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Objects by which clients map memory into an address space of the GPU: NV50_MEMORY_VIRTUAL, a
 * range that is theirs, and NV01_MEMORY_VIRTUAL, a window in which each mapping finds room.
 */
#ifndef RM_CLASS_VIRTUAL_MEMORY_H
#define RM_CLASS_VIRTUAL_MEMORY_H

#include "rm/class/memory.h"

struct rm_dma_map {
	struct rm_object *range;  /* the virtual object */
	struct rm_object *memory; /* of the same client */
	u64 offset, length;	  /* of memory */
	u32 flags;		  /* NVOS46_FLAGS_* */
};

/*
 * *address in: where, with NVOS46_FLAGS_DMA_OFFSET_FIXED; out: where the byte at offset is. The
 * memory stays while it is mapped; the mapping goes with either object. Client lock held.
 * NV_ERR_INVALID_OBJECT_HANDLE: no virtual object; NV_ERR_NOT_SUPPORTED: no memory, or flags for
 * what there is not; NV_ERR_INVALID_OBJECT_PARENT: another GPU's; NV_ERR_INVALID_BASE: offset,
 * length; NV_ERR_INVALID_OFFSET: address; NV_ERR_NO_MEMORY: no room, no page tables.
 */
enum nv_status rm_dma_map(const struct rm_dma_map *map, u64 *address);
/* NV_ERR_OBJECT_NOT_FOUND: nothing is mapped there. memory NULL: whatever is. */
enum nv_status rm_dma_unmap(struct rm_object *range, const struct rm_object *memory, u64 address);
/* The memory object goes: it is mapped nowhere any more. */
void rm_dma_mappings_drop(struct rm_mappable *mappable);

#endif
