// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The chunks of a block (uvm/block.h). Which there may be follows from where the block begins and
 * ends, so that cutting a block divides chunks and moves none:
 *
 *   2 MiB in one, or   | 4K | 4K |  64 KiB  |  64 KiB  | ... | 4K |
 *                      start     multiples of 64 KiB           last
 */
#include "base/bitmap.h"
#include "uvm/block.h"

/* One place for a chunk. */
struct place {
	u32 index;
	u64 start, size;
};

static struct place place_of(const struct uvm_residency *where, u64 at)
{
	u64 end = where->last + 1;
	u64 low = align_up(where->start, UVM_CHUNK_UNIT), high = align_down(end, UVM_CHUNK_UNIT);
	struct place place = { .size = OS_PAGE_SIZE };

	if (end - where->start == UVM_ROOT_SIZE)
		return (struct place){ .start = where->start, .size = UVM_ROOT_SIZE };
	if (low >= high || at < low) {
		place.index = (u32)((at - where->start) / OS_PAGE_SIZE);
	} else {
		place.index = (u32)((low - where->start) / OS_PAGE_SIZE +
				    (min(at, high) - low) / UVM_CHUNK_UNIT);
		if (at < high)
			place.size = UVM_CHUNK_UNIT;
		else
			place.index += (u32)((at - high) / OS_PAGE_SIZE);
	}
	place.start = align_down(at, place.size);
	return place;
}

/* For a block of start .. last, with no chunk. */
static struct uvm_residency *residency_create(u64 start, u64 last)
{
	const struct uvm_residency whole = { .start = start, .last = last };
	u32 count = place_of(&whole, last).index + 1;
	struct uvm_residency *where = os_alloc(sizeof(*where) + count * sizeof(where->chunks[0]));

	if (!where)
		return NULL;
	where->start = start;
	where->last = last;
	where->count = count;
	return where;
}

void uvm_block_depopulate(struct uvm_block *block)
{
	u32 i;

	if (!block->where)
		return;
	for (i = 0; i < block->where->count; i++) {
		uvm_chunk_free(block->where->chunks[i]);
		block->where->chunks[i] = NULL;
	}
	block->where->gpu = NULL;
}

enum nv_status uvm_block_populate(struct uvm_block *block, struct uvm_gpu *gpu, u64 block_start,
				  u64 block_last, u64 start, u64 last)
{
	struct place place;
	u64 at;

	if (!block->where)
		block->where = residency_create(block_start, block_last);
	if (!block->where)
		return NV_ERR_NO_MEMORY;
	/* Those of another one are empty, or the block would not be this one's to have. */
	if (block->where->gpu != gpu)
		uvm_block_depopulate(block);
	block->where->gpu = gpu;
	for (at = start; at <= last; at = place.start + place.size) {
		struct uvm_chunk **chunk;
		enum nv_status status;

		place = place_of(block->where, at);
		chunk = &block->where->chunks[place.index];
		if (*chunk)
			continue;
		status = uvm_chunk_alloc(&gpu->room, UVM_CHUNK_USER, place.size, chunk);
		if (status != NV_OK)
			return status;
		uvm_chunk_own(*chunk, gpu->owner, place.start);
	}
	return NV_OK;
}

struct uvm_chunk *uvm_block_chunk(const struct uvm_block *block, u64 address)
{
	return block->where ? block->where->chunks[place_of(block->where, address).index] : NULL;
}

u64 uvm_block_video(const struct uvm_block *block, u64 address, u64 *run)
{
	const struct uvm_chunk *chunk = uvm_block_chunk(block, address);

	*run = chunk->size - (address - chunk->start);
	return chunk->address + (address - chunk->start);
}

/* Whether any page of the chunk is resident. */
static bool chunk_has_pages(const struct uvm_residency *where, const struct uvm_chunk *chunk)
{
	u32 first = uvm_block_page(chunk->start);
	u32 page = bitmap_find_set(where->resident, UVM_BLOCK_PAGES, first);

	return page != BITMAP_NONE && page < first + chunk->size / OS_PAGE_SIZE;
}

void uvm_block_used(struct uvm_block *block, u64 start, u64 last, bool now)
{
	struct uvm_residency *where = block->where;
	struct place place;
	u64 at;

	for (at = start; where && at <= last; at = place.start + place.size) {
		struct uvm_chunk *chunk;
		bool has;

		place = place_of(where, at);
		chunk = where->chunks[place.index];
		if (!chunk)
			continue;
		has = chunk_has_pages(where, chunk);
		if (!has || now)
			uvm_chunk_use(chunk, has);
	}
}

enum nv_status uvm_block_evict(struct uvm_range *range, u64 index, struct uvm_chunk *chunk)
{
	struct uvm_block *block = range->blocks[index];
	struct uvm_residency *where = block->where;
	enum nv_status status =
		uvm_block_to_system(range, index, chunk->start, chunk->start + chunk->size - 1);

	if (status != NV_OK)
		return status;
	where->chunks[place_of(where, chunk->start).index] = NULL;
	uvm_chunk_free(chunk);
	return NV_OK;
}

/* -- Cuts -------------------------------------------------------------------------------------- */

static void residency_drop(struct uvm_residency *where)
{
	u32 i;

	for (i = 0; where && i < where->count; i++)
		uvm_chunk_free(where->chunks[i]);
	os_free(where);
}

/* For one half, with a record for each chunk that is a part of one of the old. */
static struct uvm_residency *half_create(const struct uvm_block *block, u64 start, u64 last)
{
	struct uvm_residency *half = residency_create(start, last);
	struct place place;
	u64 at;

	if (!half)
		return NULL;
	half->gpu = block->where->gpu;
	for (at = start; at <= last; at = place.start + place.size) {
		const struct uvm_chunk *whole = uvm_block_chunk(block, at);
		struct uvm_chunk *part;

		place = place_of(half, at);
		if (!whole || whole->size == place.size)
			continue;
		part = os_alloc(sizeof(*part));
		if (!part) {
			residency_drop(half);
			return NULL;
		}
		part->start = place.start;
		part->size = place.size;
		half->chunks[place.index] = part;
	}
	return half;
}

enum nv_status uvm_block_cut_prepare(const struct uvm_block *block, u64 address,
				     struct uvm_block_cut *cut)
{
	const struct uvm_residency *where = block->where;

	cut->upper = NULL;
	cut->lower = os_alloc(sizeof(*cut->lower));
	if (!cut->lower)
		return NV_ERR_NO_MEMORY;
	cut->lower->memory = block->memory;
	cut->lower->mapped = block->mapped;
	block->memory->blocks++;
	if (!where)
		return NV_OK;
	cut->lower->where = half_create(block, where->start, address - 1);
	cut->upper = half_create(block, address, where->last);
	if (cut->lower->where && cut->upper)
		return NV_OK;
	uvm_block_cut_drop(cut);
	return NV_ERR_NO_MEMORY;
}

void uvm_block_cut_drop(struct uvm_block_cut *cut)
{
	residency_drop(cut->upper);
	if (cut->lower)
		uvm_block_free(cut->lower);
	cut->upper = NULL;
	cut->lower = NULL;
}

/* The half has its part of the chunks, and of what is in them. */
static void half_take(struct uvm_block *block, struct uvm_residency *half)
{
	struct uvm_residency *where = block->where;
	struct place place;
	u64 at;

	for (at = half->start; at <= half->last; at = place.start + place.size) {
		struct uvm_chunk *whole = uvm_block_chunk(block, at);

		place = place_of(half, at);
		if (half->chunks[place.index]) {
			uvm_chunk_divide(whole, half->chunks[place.index]);
		} else if (whole) {
			half->chunks[place.index] = whole;
			where->chunks[place_of(where, at).index] = NULL;
		}
	}
	for (at = half->start; at <= half->last; at += OS_PAGE_SIZE) {
		u32 page = uvm_block_page(at);

		if (bitmap_test(where->resident, page))
			bitmap_set(half->resident, page);
		if (bitmap_test(where->lost, page))
			bitmap_set(half->lost, page);
	}
}

void uvm_block_cut(struct uvm_block *block, u64 address, struct uvm_block_cut *cut)
{
	struct uvm_residency *where = block->where;
	struct uvm_block *lower = cut->lower;
	u32 i;

	if (!where)
		return;
	half_take(block, lower->where);
	half_take(block, cut->upper);
	for (i = 0; i < where->count; i++) {
		if (where->chunks[i])
			uvm_chunk_dissolve(where->chunks[i]);
	}
	os_free(where);
	block->where = cut->upper;
	uvm_block_used(lower, lower->where->start, address - 1, false);
	uvm_block_used(block, address, block->where->last, false);
}
