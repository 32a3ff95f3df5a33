// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Where a byte of a block-linear surface lies.
 */
#include "h100/engine/surface.h"

#include "base/bits.h"

/*
 * Within a GOB, bits of x and y (6 and 3 of them) make the offset:
 *
 *   offset   8   7   6   5   4   3..0
 *           x5  y2  y1  x4  y0  x3..0
 */
static u64 gob_offset(u64 x, u32 y)
{
	return (x & 15) | (u64)(y & 1) << 4 | (x >> 4 & 1) << 5 | (u64)(y >> 1 & 3) << 6 |
	       (x >> 5 & 1) << 8;
}

u64 h100_surface_offset(const struct h100_surface *s, u64 x, u32 y, u32 z)
{
	u32 row_shift = s->block_rows_log2, slice_shift = s->block_slices_log2;
	u64 blocks_wide = div_round_up(s->width, H100_GOB_WIDTH);
	u64 blocks_high = div_round_up(s->height, (u64)H100_GOB_ROWS << row_shift);
	u64 gob_row = y / H100_GOB_ROWS;
	u64 block = ((z >> slice_shift) * blocks_high + (gob_row >> row_shift)) * blocks_wide +
		    x / H100_GOB_WIDTH;
	u64 slice = z & (BIT32(slice_shift) - 1);
	u64 gob = (block << (row_shift + slice_shift)) + (slice << row_shift) +
		  (gob_row & (BIT32(row_shift) - 1));

	return gob * H100_GOB_BYTES + gob_offset(x % H100_GOB_WIDTH, y % H100_GOB_ROWS);
}
