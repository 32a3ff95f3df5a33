/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What encrypted copies cannot do without: memory that one thread encrypts into a ring, chunk by
 * chunk, and another one decrypts out of it. A failure ends the program.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "base/types.h"

/*
 * Nanoseconds for size bytes, a multiple of piece, from one place to another. piece: bytes of a
 * message, a power of 2. One thread: it decrypts each chunk itself.
 */
double ring_ns(const u8 *from, u8 *to, u64 size, u32 piece, u32 threads);

#endif
