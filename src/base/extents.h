/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The free parts of a range of 64-bit addresses, to be taken and given back in any order: a
 * balanced tree by address, each node of which knows the largest pieces below it. Taking a piece
 * and giving one back cost the logarithm of the number of free parts; what is taken costs nothing.
 * The caller serialises.
 *
 *   |  free  | taken | taken |   free   | taken | free |      a node for each free part;
 *                                                             a taken piece is its taker's
 */
#ifndef BASE_EXTENTS_H
#define BASE_EXTENTS_H

#include "abi/status.h"
#include "base/types.h"

/* Alignments for which the largest piece is known exactly; for others some are tried. */
#define EXTENT_ALIGNMENTS 4u
#define EXTENT_TRIES 512u

struct extent {
	u64 start, size;
	/* Of a free part. */
	u64 largest[EXTENT_ALIGNMENTS]; /* here and below, at a multiple of 4K, 64K, 2M, 512M */
	struct extent *left, *right;
	u32 priority;
};

struct extents {
	struct extent *root;
	u64 free; /* bytes */
	u32 seed;
};

void extents_init(struct extents *e);
/* Forgets the free parts. What was taken is its taker's to free (extent_free). */
void extents_fini(struct extents *e);
/* Adds a free range, which touches no free part. NV_ERR_NO_MEMORY. */
enum nv_status extents_add(struct extents *e, u64 start, u64 size);

/*
 * Takes the lowest (high: the highest) piece of size bytes at a multiple of align, a power of 2,
 * within lo .. hi, both included. size is not 0. NV_ERR_NO_MEMORY: none such, or no memory for the
 * record. Where align is none of those of largest, and the first EXTENT_TRIES parts that could have
 * one have none, it is the lowest at a multiple of the next larger of them, if there is one.
 */
enum nv_status extents_take(struct extents *e, u64 size, u64 align, u64 lo, u64 hi, bool high,
			    struct extent **out);
/* Gives back what was taken, or a part of it that extent_split made. Needs no memory. */
void extents_give(struct extents *e, struct extent *taken);
/* Cuts a taken piece at the address, which is inside: *rest begins there. NV_ERR_NO_MEMORY. */
enum nv_status extent_split(struct extent *taken, u64 at, struct extent **rest);
/* Frees the record of a taken piece whose range is nobody's any more. */
void extent_free(struct extent *taken);

/* The largest free part at a multiple of align, and its size; false when there is none. */
bool extents_largest(const struct extents *e, u64 align, u64 *start, u64 *size);

#endif
