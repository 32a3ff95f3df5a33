// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How fast memory passes through a ring as ciphertext, by the size of a message and the number of
 * threads, as a part of memcpy's speed by one thread. bench/run.py draws it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "host/user/handoff.h"
#include "ring.h"
#include "tests/check.h"

#define BYTES MIB(128)
#define ROUNDS 5u

static double memcpy_ns(const u8 *from, u8 *to)
{
	u64 begin = handoff_now();

	memcpy(to, from, BYTES);
	return (double)(handoff_now() - begin);
}

int main(void)
{
	static const u32 pieces[] = { 256, KIB(1), KIB(4), KIB(16), KIB(64), KIB(256), MIB(2) };
	u8 *from = aligned_alloc(MIB(2), BYTES), *to = aligned_alloc(MIB(2), BYTES);
	double copy = 1e18;

	CHECK(from && to);
	memset(from, 3, BYTES);
	memset(to, 4, BYTES);
	for (u32 i = 0; i < ROUNDS; i++)
		copy = min(copy, memcpy_ns(from, to));
	for (u32 threads = 1; threads <= 2; threads++) {
		for (u32 p = 0; p < ARRAY_SIZE(pieces); p++) {
			double ring = 1e18;

			for (u32 i = 0; i < ROUNDS; i++)
				ring = min(ring, ring_ns(from, to, BYTES, pieces[p], threads));
			CHECK(memcmp(from, to, BYTES) == 0);
			memset(to, 4, BYTES);
			printf("plot %u %u %.4f\n", threads, pieces[p], copy / ring);
			fflush(stdout);
		}
	}
	free(from);
	free(to);
	return 0;
}
