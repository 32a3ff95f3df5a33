/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Memory that driver and firmware share: in place while the host lets its pages be used, else by
 * bus address. The driver may change it at any time, so what is read is copied once and used as a
 * copy.
 */
#ifndef H100_GSP_SHARED_H
#define H100_GSP_SHARED_H

#include <string.h>

#include "base/bits.h"
#include "h100/gsp/firmware.h"

#define SHARED_FEW_BYTES 256u

/* A ring is counted round without a division: n is less than its elements, or just as many. */
static inline u32 ring_move(const struct fw_ring *ring, u32 at, u32 n)
{
	at += n;
	return at >= ring->count ? at - ring->count : at;
}

static inline u64 element_offset(const struct fw_ring *ring, u32 index)
{
	return ring->offset + ring->entry_offset + (u64)index * FW_PAGE;
}

/* Where shared memory lies, to the end of the page; NULL: it takes an access by bus address. */
static inline u8 *shared_at(struct fw *fw, u64 offset)
{
	struct fw_queues *q = &fw->queues;
	u32 page = (u32)(offset / FW_PAGE);

	if (!fw->dma_held)
		return NULL;
	if (__builtin_expect(!q->cpu[page], 0))
		q->cpu[page] = fw->host->dma_map_page(fw->host->ctx, q->page[page]);
	return q->cpu[page] ? q->cpu[page] + offset % FW_PAGE : NULL;
}

static inline u64 shared_address(const struct fw *fw, u64 offset)
{
	return fw->queues.page[offset / FW_PAGE] + offset % FW_PAGE;
}

/* Bytes of shared memory; the caller stays inside of a page. */
static inline bool shared_read(struct fw *fw, u64 offset, void *data, u32 size)
{
	const u8 *at = shared_at(fw, offset);

	if (!at)
		return fw_dma_read(fw, shared_address(fw, offset), data, size);
	memcpy(data, at, size);
	fw->dma_read_bytes += size;
	return true;
}

static inline bool shared_write(struct fw *fw, u64 offset, const void *data, u32 size)
{
	return fw_dma_write(fw, shared_address(fw, offset), data, size);
}

/* Pointers into rings: one load that orders those after it, one store that orders those before. */
static inline bool pointer_read(struct fw *fw, u64 offset, u32 *value)
{
	const u8 *at = shared_at(fw, offset);

	if (!at)
		return fw_dma_read(fw, shared_address(fw, offset), value, sizeof(*value));
	*value = os_load_acquire((const u32 *)at);
	fw->dma_read_bytes += sizeof(*value);
	return true;
}

static inline bool pointer_write(struct fw *fw, u64 offset, u32 value)
{
	u8 *at = shared_at(fw, offset);

	if (!at)
		return fw_dma_write(fw, shared_address(fw, offset), &value, sizeof(value));
	os_store_release((u32 *)at, value);
	fw->dma_written_bytes += sizeof(value);
	return true;
}

/*
 * Copies whole words of 8 bytes, which the driver wrote before it rang (no load has to wait for
 * them), and sums them.
 */
static inline u64 copy_in_and_sum(u8 *to, const u8 *from, u32 size)
{
	u64 sum = 0, word;
	u32 i;

	for (i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, from + i, sizeof(word));
		__asm__("" : "+r"(word)); /* lest the compiler make a call of it */
		sum ^= word;
		memcpy(to + i, &word, sizeof(word));
	}
	return sum;
}

/* The exclusive or of the words that size bytes begin; fold() of it is the checksum. */
static inline u64 sum_words(const void *data, u32 size)
{
	const u64 *word = data;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < div_round_up(size, sizeof(*word)); i++)
		sum ^= word[i];
	return sum;
}

static inline u32 fold(u64 sum)
{
	return bits_high32(sum) ^ bits_low32(sum);
}

/* Sums what was copied, whatever happens to the source meanwhile. */
static u64 __attribute__((noinline)) copy_and_sum_many(u8 *to, const u8 *from, size_t size)
{
	memcpy(to, from, size);
	return sum_words(to, (u32)size);
}

/* The word that less than 8 bytes begin; half of one, the usual, by a load that waits for nothing.
 */
static inline u64 tail_word(const u8 *from, u32 size)
{
	u64 word = 0;
	u32 half;

	if (size == sizeof(half)) {
		memcpy(&half, from, sizeof(half));
		return half;
	}
	memcpy(&word, from, size);
	return word;
}

/*
 * Copies whole words, the last one filled up with zeroes, and sums them. Few go by the half, as
 * they were written just now: wider loads would have to wait for that. For fold() only.
 */
static inline u64 copy_and_sum(u8 *to, const u8 *from, u32 size)
{
	u32 whole = (u32)align_down(size, sizeof(u64)), low, high, i;
	u64 sum = 0, word;

	if (size > SHARED_FEW_BYTES)
		sum = copy_and_sum_many(to, from, whole);
	for (i = size > SHARED_FEW_BYTES ? whole : 0; i < whole; i += sizeof(word)) {
		memcpy(&low, from + i, sizeof(low));
		memcpy(&high, from + i + sizeof(low), sizeof(high));
		__asm__("" : "+r"(low));
		__asm__("" : "+r"(high));
		sum ^= low ^ high;
		memcpy(to + i, &low, sizeof(low));
		memcpy(to + i + sizeof(low), &high, sizeof(high));
	}
	if (whole == size)
		return sum;
	word = tail_word(from + whole, size - whole);
	memcpy(to + whole, &word, sizeof(word));
	return sum ^ word;
}

#endif
