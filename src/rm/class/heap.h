/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A heap of physical addresses: the usable ranges of a GPU's video memory, and who has which part.
 * Each piece is accounted to the process that allocated it.
 */
#ifndef RM_CLASS_HEAP_H
#define RM_CLASS_HEAP_H

#include "base/list.h"
#include "os/os.h"

struct rm_heap {
	struct list blocks; /* struct rm_heap_block, by address, all of every range */
	u64 total, used;    /* bytes */
	bool ready;
};

struct rm_heap_block {
	struct list_node node;
	u64 base, size;
	bool free;
	bool range_start; /* begins a range: never merged with what is before it */
	u32 pid;	  /* of who has it */
};

void rm_heap_init(struct rm_heap *heap);
void rm_heap_fini(struct rm_heap *heap);
/* Adds a usable range. NV_ERR_NO_MEMORY. */
enum nv_status rm_heap_add(struct rm_heap *heap, u64 base, u64 size);
/*
 * The lowest free piece of size bytes at a multiple of align (a power of 2) within lo .. hi (both
 * included). NV_ERR_NO_MEMORY: none such, or no memory for the record.
 */
enum nv_status rm_heap_alloc(struct rm_heap *heap, u64 size, u64 align, u64 lo, u64 hi, u32 pid,
			     struct rm_heap_block **out);
void rm_heap_free(struct rm_heap *heap, struct rm_heap_block *block);
/* The largest free piece; size 0 when there is none. */
void rm_heap_largest(const struct rm_heap *heap, u64 *base, u64 *size);
/* Bytes accounted to that process. */
u64 rm_heap_used_by(const struct rm_heap *heap, u32 pid);

#endif
