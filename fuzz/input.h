/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A fuzzer's input, taken from its front on.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>

#include "base/types.h"

struct input {
	const u8 *at;
	size_t left;
};

/* The next bytes, four at the most, the lowest first; what the input has no more is 0. */
static inline u32 take(struct input *in, u32 bytes)
{
	u32 value = 0, i;

	for (i = 0; i < bytes && in->left != 0; i++, in->at++, in->left--)
		value |= (u32)*in->at << (8 * i);
	return value;
}

#endif
