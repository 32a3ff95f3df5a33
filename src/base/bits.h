/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Bit fields by name, alignment, and arithmetic that says when it overflows.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include "base/types.h"

/* Bits hi..lo of a 64-bit word, both included. */
#define BITS_MASK(hi, lo) ((~(u64)0 >> (63 - (hi))) & (~(u64)0 << (lo)))
#define BIT64(n) ((u64)1 << (n))
#define BIT32(n) ((u32)1 << (n))

/*
 * A field is declared by two constants, NAME__HI and NAME__LO. REG_GET takes it out of a register's
 * value; REG_PREP gives it in place, other bits zero (value is cut to the field); REG_SET replaces
 * it.
 */
#define REG_MASK(name) BITS_MASK(name##__HI, name##__LO)
#define REG_GET(name, value) (((u64)(value)&REG_MASK(name)) >> name##__LO)
#define REG_PREP(name, value) (((u64)(value) << name##__LO) & REG_MASK(name))
#define REG_SET(name, word, value) (((word) & ~REG_MASK(name)) | REG_PREP(name, value))

static inline u32 bits_low32(u64 value)
{
	return (u32)value;
}

static inline u32 bits_high32(u64 value)
{
	return (u32)(value >> 32);
}

static inline bool is_power_of_2(u64 value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* align is a power of 2. align_up wraps to 0 beyond the last multiple: check first with
 * align_up_ok. */
static inline u64 align_down(u64 value, u64 align)
{
	return value & ~(align - 1);
}

static inline u64 align_up(u64 value, u64 align)
{
	return (value + (align - 1)) & ~(align - 1);
}

static inline bool align_up_ok(u64 value, u64 align)
{
	return value <= align_down(~(u64)0, align);
}

static inline bool is_aligned(u64 value, u64 align)
{
	return (value & (align - 1)) == 0;
}

/* How many units cover value; unit is not 0. */
static inline u64 div_round_up(u64 value, u64 unit)
{
	return value / unit + (value % unit != 0);
}

/* The index of the highest or lowest set bit; value is not 0. */
static inline u32 bits_log2(u64 value)
{
	return 63u - (u32)__builtin_clzll(value);
}

static inline u32 bits_first(u64 value)
{
	return (u32)__builtin_ctzll(value);
}

/* How many bits are set, without an instruction that not every CPU has. */
static inline u32 bits_count(u64 value)
{
	value -= (value >> 1) & 0x5555555555555555ull;
	value = (value & 0x3333333333333333ull) + ((value >> 2) & 0x3333333333333333ull);
	value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (u32)((value * 0x0101010101010101ull) >> 56);
}

/*
 * True when the sum, difference or product does not fit the type of *result, which then holds the
 * wrapped value. The operands may be of any integer type.
 */
#define add_overflows(a, b, result) __builtin_add_overflow(a, b, result)
#define sub_overflows(a, b, result) __builtin_sub_overflow(a, b, result)
#define mul_overflows(a, b, result) __builtin_mul_overflow(a, b, result)

#ifndef min
#define min(a, b)                              \
	__extension__({                        \
		__typeof__(a) min_a = (a);     \
		__typeof__(b) min_b = (b);     \
		min_a < min_b ? min_a : min_b; \
	})
#define max(a, b)                              \
	__extension__({                        \
		__typeof__(a) max_a = (a);     \
		__typeof__(b) max_b = (b);     \
		max_a > max_b ? max_a : max_b; \
	})
#endif

#endif
