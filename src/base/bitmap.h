/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Sets of small integers in an array of 64-bit words. Bits beyond the size given are never touched.
 * Nothing here locks or is atomic.
 */
#ifndef BASE_BITMAP_H
#define BASE_BITMAP_H

#include "base/bits.h"
#include "base/types.h"

#define BITMAP_WORDS(bits) (((size_t)(bits) + 63) / 64)
#define DECLARE_BITMAP64(name, bits) u64 name[BITMAP_WORDS(bits)]
#define BITMAP_NONE (~(u32)0)

static inline bool bitmap_test(const u64 *map, u32 bit)
{
	return (map[bit / 64] >> (bit % 64)) & 1;
}

static inline void bitmap_set(u64 *map, u32 bit)
{
	map[bit / 64] |= (u64)1 << (bit % 64);
}

static inline void bitmap_clear(u64 *map, u32 bit)
{
	map[bit / 64] &= ~((u64)1 << (bit % 64));
}

static inline void bitmap_zero(u64 *map, u32 bits)
{
	size_t i;

	for (i = 0; i < BITMAP_WORDS(bits); i++)
		map[i] = 0;
}

/* The first bit at or after from that is set (want) or clear (!want), or BITMAP_NONE. */
static inline u32 bitmap_find(const u64 *map, u32 bits, u32 from, bool want)
{
	while (from < bits) {
		u64 word = (want ? map[from / 64] : ~map[from / 64]) >> (from % 64);

		if (word) {
			u64 bit = (u64)from + (u32)__builtin_ctzll(word);

			return bit < bits ? (u32)bit : BITMAP_NONE;
		}
		if (from / 64 == (bits - 1) / 64)
			break;
		from = (from / 64 + 1) * 64;
	}
	return BITMAP_NONE;
}

static inline u32 bitmap_find_set(const u64 *map, u32 bits, u32 from)
{
	return bitmap_find(map, bits, from, true);
}

static inline u32 bitmap_find_clear(const u64 *map, u32 bits, u32 from)
{
	return bitmap_find(map, bits, from, false);
}

static inline u32 bitmap_count(const u64 *map, u32 bits)
{
	u32 count = 0, i;

	for (i = 0; i < bits / 64; i++)
		count += bits_count(map[i]);
	if (bits % 64)
		count += bits_count(map[i] & (((u64)1 << (bits % 64)) - 1));
	return count;
}

/* For every set bit, ascending. */
#define bitmap_for_each(bit, map, bits)                                   \
	for ((bit) = bitmap_find_set(map, bits, 0); (bit) != BITMAP_NONE; \
	     (bit) = bitmap_find_set(map, bits, (bit) + 1))

#endif
