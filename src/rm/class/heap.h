/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A heap of physical addresses: the usable ranges of a GPU's video memory, and who has which part.
 * Each piece is accounted to the process that allocated it. Look-up costs the logarithm of the
 * number of free parts, however much is in use.
 */
#ifndef RM_CLASS_HEAP_H
#define RM_CLASS_HEAP_H

#include "base/extents.h"
#include "base/list.h"
#include "os/os.h"

/* As many as the firmware can tell of (NV2080_CTRL_CMD_FB_GET_FB_REGION_INFO_MAX_ENTRIES). */
#define RM_HEAP_RANGES 16u

struct rm_heap_range {
	u64 base, size;
	struct extents free;
};

struct rm_heap {
	struct rm_heap_range ranges[RM_HEAP_RANGES]; /* by address; no piece is in two */
	u32 range_count;
	struct list accounts; /* of processes that have some, the last to take first */
	u64 total, used;      /* bytes */
	/* Grows when the heap is emptied: what was taken before is no part of it any more. */
	u32 epoch;
	bool ready;
};

struct rm_heap_request {
	u64 size;   /* a multiple of 4 KiB, not 0 */
	u64 align;  /* a power of 2, at least 4 KiB */
	u64 lo, hi; /* both included */
	bool high;  /* from the end */
	u32 pid;    /* of who gets it; 0: the driver, by nobody's account */
};

void rm_heap_init(struct rm_heap *heap);
/* Forgets all ranges and accounts. */
void rm_heap_fini(struct rm_heap *heap);
/* Adds a usable range. NV_ERR_NO_MEMORY, also for too many. */
enum nv_status rm_heap_add(struct rm_heap *heap, u64 base, u64 size);
/*
 * One piece. NV_ERR_NO_MEMORY: none such is free, or no memory for the records. Its start and size
 * are for the caller to read.
 */
enum nv_status rm_heap_alloc(struct rm_heap *heap, const struct rm_heap_request *request,
			     struct extent **piece);
/*
 * The same for as many pieces as it takes, each a multiple of align; lo, hi and high count for
 * each. pieces has room for max of them. NV_ERR_NO_MEMORY, and nothing is taken.
 */
enum nv_status rm_heap_alloc_scattered(struct rm_heap *heap, const struct rm_heap_request *request,
				       struct extent **pieces, u32 max, u32 *count);
/* pid: who it was accounted to. */
void rm_heap_free(struct rm_heap *heap, struct extent *piece, u32 pid);
/* The largest free piece; size 0 when there is none. */
void rm_heap_largest(const struct rm_heap *heap, u64 *base, u64 *size);
/* Bytes accounted to that process. */
u64 rm_heap_used_by(const struct rm_heap *heap, u32 pid);

#endif
