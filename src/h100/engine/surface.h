/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Block-linear surfaces. A GOB is 64 bytes by 8 rows, 512 bytes; a block is one GOB wide and a
 * power of two high and deep; blocks follow each other in x, then y, then z:
 *
 *   block:  GOB row 0 of slice 0, GOB row 1 of slice 0, ..., GOB row 0 of slice 1, ...
 *   GOB:    pieces of 16 bytes, in the order of x4 y1 y0... (surface.c)
 */
#ifndef H100_ENGINE_SURFACE_H
#define H100_ENGINE_SURFACE_H

#include "base/types.h"

#define H100_GOB_WIDTH 64u
#define H100_GOB_ROWS 8u
#define H100_GOB_BYTES 512u
#define H100_GOB_RUN 16u /* bytes that follow each other in x and in memory */

struct h100_surface {
	u64 width;				/* bytes */
	u32 height, depth;			/* rows, slices */
	u32 block_rows_log2, block_slices_log2; /* a block's GOBs in y and z: 0 .. 5 */
};

/* How far from the surface's start the byte x of row y of slice z lies; wraps around at 2^64. */
u64 h100_surface_offset(const struct h100_surface *s, u64 x, u32 y, u32 z);

#endif
